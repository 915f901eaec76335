"""The options of `mimapp rotate`, which `mimapp schedule` takes as well, and of what shows how a hand-over stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from mimapp.cli.kinds import DURATION, FLAG, TEXT, TEXTS, choice
from mimapp.cli.options import option
from mimapp.cli.rotating import NODES
from mimapp.spec import REPLICATION_WINDOW

__all__ = ["HandOverOptions", "RotateOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateOptions:
    """When, where to, and how it is handed over."""

    if_due: bool = option(FLAG, "--if-due", default=False, help="do nothing until the secret is due")
    before: timedelta | None = option(  # noqa: RUF009 - makes a dataclasses.field
        DURATION,
        "--before",
        default=None,
        setting=True,
        help="how long before its end a secret is due; default: a third of its life",
    )
    interval: timedelta = option(  # noqa: RUF009 - makes a dataclasses.field
        DURATION,
        "--interval",
        default=timedelta(days=1),
        setting=True,
        help="how often this is run: fewer than five runs before its end a secret is due in any case; default: 1d",
    )
    jitter: timedelta = option(  # noqa: RUF009 - makes a dataclasses.field
        DURATION,
        "--jitter",
        default=timedelta(),
        setting=True,
        help="without a terminal, wait a random time up to this before a secret is issued; default: 0s",
    )
    again: bool = option(
        FLAG, "--again", default=False, help="issue one although a successor still waits for its hand-over"
    )
    secret_to: tuple[str, ...] = option(
        TEXTS,
        "--secret-to",
        default=(),
        metavar="STORE",
        setting=True,
        help="where the client secret goes: "
        "file:PATH, keyring:NAME, keyvault:URL, cms:CERT:PATH, exec:COMMAND or stdout; "
        "default: the keyring on Windows, an owner-only file under MIMAPP_HOME elsewhere",
    )
    secret_lifetime: timedelta = option(  # noqa: RUF009 - makes a dataclasses.field
        DURATION,
        "--secret-lifetime",
        default=timedelta(days=180),
        setting=True,
        help="how long the client secret lives; default: 180d",
    )
    overlap: timedelta = option(  # noqa: RUF009 - makes a dataclasses.field
        DURATION,
        "--overlap",
        default=timedelta(days=14),
        setting=True,
        help="how long an old secret stays beside its successor at least; default: 14d",
    )
    deploy_hook: str | None = option(
        TEXT,
        "--deploy-hook",
        default=None,
        metavar="COMMAND",
        setting=True,
        help="hands the secret to MIM; its success is evidence that MIM uses it",
    )
    pre_hook: str | None = option(
        TEXT,
        "--pre-hook",
        default=None,
        metavar="COMMAND",
        setting=True,
        help="run before anything is issued or handed over",
    )
    post_hook: str | None = option(
        TEXT, "--post-hook", default=None, metavar="COMMAND", setting=True, help="run after it, whatever came of it"
    )
    hook_stdin: str = option(
        choice("nothing", "secret"),
        "--hook-stdin",
        default="nothing",
        setting=True,
        help="what the deploy hook reads on stdin; default: nothing",
    )
    nodes: tuple[str, ...] = option(
        NODES,
        "--nodes",
        default=(),
        setting=True,
        help="every MIM server: the hook runs, and evidence counts, for each",
    )
    trust_signin_report: bool = option(
        FLAG,
        "--trust-signin-report",
        default=False,
        setting=True,
        help="take Graph's sign-in report as evidence, under its conditions",
    )
    compromised: tuple[str, ...] = option(
        TEXTS,
        "--compromised",
        default=(),
        metavar="KEYID",
        help="a client secret that others know: it is replaced, and revoked in this run once MIM has the new one",
    )
    confirm: tuple[str, ...] = option(
        TEXTS, "--confirm", default=(), metavar="KEYID", help="with --compromised: the same key id, typed again"
    )
    replication_window: timedelta = option(  # noqa: RUF009 - makes a dataclasses.field
        DURATION,
        "--replication-window",
        default=REPLICATION_WINDOW,
        setting=True,
        help="how long Entra may take to show or accept a new secret; default: 5m",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOverOptions:
    """What counts as evidence, and where secrets are kept: for commands that show how a hand-over stands."""

    overlap: timedelta = option(  # noqa: RUF009 - makes a dataclasses.field
        DURATION,
        "--overlap",
        default=timedelta(days=14),
        setting=True,
        help="how long an old secret stays beside its successor at least; default: 14d",
    )
    nodes: tuple[str, ...] = option(
        NODES, "--nodes", default=(), setting=True, help="every MIM server that evidence has to be for"
    )
    secret_to: tuple[str, ...] = option(
        TEXTS,
        "--secret-to",
        default=(),
        metavar="STORE",
        setting=True,
        help="where client secrets are kept; default: the owner-only file under MIMAPP_HOME",
    )
