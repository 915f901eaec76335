"""Options as data: how one is declared, and those that every command, or every writing command, accepts.

An option is a field of a frozen dataclass, declared with `option` or `argument`. From that declaration come the
command line, the ``MIMAPP_…`` variable, the configuration key, the help and docs/cli.md. `mimapp.cli.settings` finds
the value; a command reads typed attributes.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path  # noqa: TC003 - the decorator reads a dataclass's field types at run time
from typing import Final, TypeVar

from mimapp.cli.kinds import COUNT, DURATION, FLAG, PATH, SECRET, TEXT, Kind, choice
from mimapp.secret import Secret  # noqa: TC001 - as above

__all__ = [
    "COMMAND_KEYS",
    "CommonOptions",
    "NoOptions",
    "Spec",
    "WriteOptions",
    "argument",
    "option",
    "specs_of",
]

T = TypeVar("T")
_KEY: Final = "mimapp"

#: What ``--auth`` takes; the words are those of `mimapp.identity.Method`.
AUTH_METHODS: Final = ("device-code", "client-secret")

SIGN_IN = "Tenant and sign-in"
HOSTS = "Hosts"
RUN = "This run"
WRITING = "Writing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One option or argument, without its value.

    Attributes:
        name: the dataclass field.
        flags: as typed, the long form first; empty for an argument and for what only a variable sets.
        kind: how its text is read.
        help: one sentence without a full stop.
        metavar: what help shows in the value's place.
        panel: the heading it stands under in help.
        setting: whether a ``MIMAPP_…`` variable and a configuration key set it too.
        variable: a variable of another product that is read last of all.
        positional: an argument, not an option.
        required: an argument that must be given.
        default: the value where nothing sets it.
    """

    name: str
    flags: tuple[str, ...]
    kind: Kind[object]
    help: str
    metavar: str
    panel: str
    setting: bool
    variable: str
    positional: bool
    required: bool
    default: object

    @property
    def key(self) -> str:
        """The configuration key, which is the long flag without its hyphens; ``from_`` is ``--from``."""
        return self.name.rstrip("_").replace("_", "-")

    @property
    def own_variable(self) -> str:
        """The ``MIMAPP_…`` variable."""
        return f"MIMAPP_{self.name.upper()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Declaration:
    """What a field's metadata holds until its dataclass gives it a name."""

    flags: tuple[str, ...]
    kind: Kind[object]
    help: str
    metavar: str
    panel: str
    setting: bool
    variable: str
    positional: bool
    required: bool


def option(
    kind: Kind[T],
    *flags: str,
    default: T,
    help: str,  # noqa: A002 - what every option library calls it
    metavar: str = "",
    panel: str = "",
    setting: bool = False,
    variable: str = "",
) -> T:
    """Declare an option as a field of an options dataclass.

    Args:
        kind: how its text is read, one of `mimapp.cli.kinds`.
        flags: ``--long``, then a short form; the field's name is the long one with underscores.
        default: the value where nothing sets it.
        help: one sentence without a full stop and without square brackets, which rich would read as markup.
        metavar: what help shows in the value's place; empty leaves it to the kind.
        panel: the heading in help; empty is the command's own options.
        setting: whether ``MIMAPP_<NAME>`` and a configuration key set it too. The key of a command's own option
            has to be listed in `COMMAND_KEYS`.
        variable: a variable of another product that is read last of all.
    """
    declaration = _Declaration(
        flags=flags,
        kind=kind,
        help=help,
        metavar=metavar or kind.metavar,
        panel=panel,
        setting=setting,
        variable=variable,
        positional=False,
        required=False,
    )
    return dataclasses.field(default=default, metadata={_KEY: declaration})


def argument(
    kind: Kind[T],
    metavar: str,
    *,
    default: T,
    help: str,  # noqa: A002 - as above
    required: bool = True,
) -> T:
    """Declare a positional argument; `default` is what an absent one that is not required holds."""
    declaration = _Declaration(
        flags=(),
        kind=kind,
        help=help,
        metavar=metavar,
        panel="",
        setting=False,
        variable="",
        positional=True,
        required=required,
    )
    return dataclasses.field(default=default, metadata={_KEY: declaration})


def specs_of(options: type[object]) -> tuple[Spec, ...]:
    """Every option and argument that a dataclass declares, in the order of its fields."""
    found: list[Spec] = []
    if not dataclasses.is_dataclass(options):
        raise TypeError(f"{options.__name__} is no dataclass")
    for field in dataclasses.fields(options):
        declaration = field.metadata.get(_KEY)
        if not isinstance(declaration, _Declaration):
            raise TypeError(f"{options.__name__}.{field.name} is not declared with option() or argument()")
        found.append(
            Spec(
                name=field.name,
                default=field.default,
                **{item.name: getattr(declaration, item.name) for item in dataclasses.fields(declaration)},
            )
        )
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoOptions:
    """A command without options of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonOptions:
    """What every command accepts, each after the command's name."""

    tenant: str | None = option(
        TEXT,
        "--tenant",
        default=None,
        metavar="NAME",
        setting=True,
        panel=SIGN_IN,
        help="the tenant, by a domain or its id; default: the mailbox's domain",
    )
    mailbox: str | None = option(
        TEXT, "--mailbox", default=None, metavar="ADDRESS", setting=True, panel=SIGN_IN, help="the MIM Service mailbox"
    )
    registration: str | None = option(
        TEXT,
        "--registration",
        default=None,
        metavar="KEY",
        setting=True,
        panel=SIGN_IN,
        help="which registration, where a tenant has several; default: from the mailbox",
    )
    cloud: str | None = option(
        TEXT,
        "--cloud",
        default=None,
        metavar="NAME",
        setting=True,
        panel=SIGN_IN,
        help="the Microsoft cloud; `mimapp clouds` lists them; default: global",
    )
    auth: str | None = option(
        choice(*AUTH_METHODS),
        "--auth",
        default=None,
        metavar="METHOD",
        setting=True,
        panel=SIGN_IN,
        help=f"how you sign in: {', '.join(AUTH_METHODS)}; default: device-code",
    )
    client_id: str | None = option(
        TEXT,
        "--client-id",
        default=None,
        metavar="ID",
        setting=True,
        panel=SIGN_IN,
        variable="AZURE_CLIENT_ID",
        help="the application that you sign in with",
    )
    client_secret_file: Path | None = option(  # noqa: RUF009 - makes a dataclasses.field
        PATH,
        "--client-secret-file",
        default=None,
        setting=True,
        panel=SIGN_IN,
        help="a file that holds that application's secret, for client-secret",
    )
    client_secret: Secret | None = option(  # noqa: RUF009 - makes a dataclasses.field
        SECRET,
        default=None,
        panel=SIGN_IN,
        variable="AZURE_CLIENT_SECRET",
        help="the same secret in azure-identity's own variable",
    )
    sandbox: bool = option(
        FLAG,
        "--sandbox",
        default=False,
        panel=SIGN_IN,
        help="work on the embedded simulated tenant; no real host is ever asked",
    )
    login_url: str | None = option(
        TEXT,
        "--login-url",
        default=None,
        metavar="URL",
        setting=True,
        panel=HOSTS,
        help="where sign-in requests go instead of the cloud's own host",
    )
    graph_url: str | None = option(
        TEXT, "--graph-url", default=None, metavar="URL", setting=True, panel=HOSTS, help="where Graph requests go"
    )
    exchange_url: str | None = option(
        TEXT,
        "--exchange-url",
        default=None,
        metavar="URL",
        setting=True,
        panel=HOSTS,
        help="where Exchange requests go",
    )
    graph_scope: str | None = option(
        TEXT,
        "--graph-scope",
        default=None,
        metavar="SCOPE",
        setting=True,
        panel=HOSTS,
        help="the scope of Graph tokens; default: the cloud's",
    )
    exchange_scope: str | None = option(
        TEXT,
        "--exchange-scope",
        default=None,
        metavar="SCOPE",
        setting=True,
        panel=HOSTS,
        help="the scope of Exchange tokens; default: the cloud's",
    )
    ca_bundle: Path | None = option(  # noqa: RUF009 - makes a dataclasses.field
        PATH,
        "--ca-bundle",
        default=None,
        setting=True,
        panel=HOSTS,
        help="certificates to trust in place of the system's store",
    )
    deadline: timedelta = option(  # noqa: RUF009 - makes a dataclasses.field
        DURATION,
        "--deadline",
        default=timedelta(minutes=10),
        setting=True,
        panel=RUN,
        help="how long the run may wait in all; default: 10m",
    )
    output: str = option(
        choice("text", "json"),
        "--output",
        default="text",
        setting=True,
        panel=RUN,
        help="text for people, or one JSON document",
    )
    quiet: bool = option(FLAG, "--quiet", "-q", default=False, setting=True, panel=RUN, help="no progress")
    verbose: int = option(
        COUNT,
        "--verbose",
        "-v",
        default=0,
        setting=True,
        panel=RUN,
        help="log to stderr; -vv more, -vvv other libraries too",
    )
    config: Path | None = option(  # noqa: RUF009 - makes a dataclasses.field
        PATH,
        "--config",
        default=None,
        panel=RUN,
        help="a configuration file that goes before the one under MIMAPP_HOME",
    )
    record: Path | None = option(  # noqa: RUF009 - makes a dataclasses.field
        PATH, "--record", default=None, panel=RUN, help="write all requests and replies to a file, without secrets"
    )
    anonymize: bool = option(
        FLAG,
        "--anonymize",
        default=False,
        panel=RUN,
        help="with --record: stand-ins for ids, names, domains and addresses",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOptions:
    """What every writing command accepts besides."""

    dry_run: bool = option(FLAG, "--dry-run", default=False, panel=WRITING, help="show the plan and change nothing")
    plan_out: Path | None = option(  # noqa: RUF009 - makes a dataclasses.field
        PATH, "--plan-out", default=None, panel=WRITING, help="write the plan to a file"
    )
    change_ref: str | None = option(
        TEXT,
        "--change-ref",
        default=None,
        metavar="TEXT",
        panel=WRITING,
        help="the change request that this belongs to; every write is recorded with it",
    )
    yes: bool = option(
        FLAG, "--yes", default=False, panel=WRITING, help="do not ask; needed where stdin is no terminal"
    )


#: Configuration keys of single commands' options: any command accepts a file that holds them. A test compares the list
#: with what the commands declare.
COMMAND_KEYS: Final[frozenset[str]] = frozenset(
    {
        "before",
        "deploy-hook",
        "group-owner",
        "hook-stdin",
        "interval",
        "nodes",
        "overlap",
        "post-hook",
        "pre-hook",
        "replication-window",
        "secret-lifetime",
        "secret-to",
        "trust-signin-report",
    }
)
