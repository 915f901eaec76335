"""From options to a job: which of `mimapp rotate`'s options a schedule has to carry, absolute and without a person.

A schedule sees neither this shell's variables nor its folder: what comes from an option or a variable is written into
its command, with absolute paths. What stands in a configuration file is read there again where the schedule runs on
this machine, and written out where it does not.
"""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Final

from mimapp.cli.kinds import duration_option
from mimapp.cli.options import CommonOptions, specs_of
from mimapp.cli.rotate_options import RotateOptions
from mimapp.errors import UsageError
from mimapp.host.schedule import Credential, Job, Word, times_of
from mimapp.host.schedule_kubernetes import HOME as CONTAINER_HOME
from mimapp.identity import Method
from mimapp.spec import Registration

if TYPE_CHECKING:
    from mimapp.cli.command import Run
    from mimapp.cli.options import Spec
    from mimapp.cli.settings import Value

__all__ = ["Kind", "Scheduled", "job_of", "settled_store"]

_INTERVAL: Final = timedelta(days=1)
#: Not the schedule's: questions, this run's own output, and what is written in another way.
_LEFT_OUT: Final = frozenset(
    {
        "anonymize",
        "compromised",
        "config",
        "confirm",
        "again",
        "if_due",
        "output",
        "quiet",
        "record",
        "remember",
        "verbose",
    }
)
_ONE_RUN: Final = ("if_due", "again", "compromised", "confirm")
_CREDENTIALS: Final = frozenset({"client_secret_file", "certificate", "certificate_password_file"})
_COMMANDS: Final = ("pre_hook", "deploy_hook", "post_hook")
_UNATTENDED: Final = frozenset(
    {Method.CLIENT_SECRET, Method.CERTIFICATE, Method.MANAGED_IDENTITY, Method.WORKLOAD_IDENTITY, Method.AUTO}
)
_ANYWHERE: Final = re.compile(r"[^a-z0-9]+")


_JITTER: Final = "20m"


class Kind(StrEnum):
    """The systems that schedules are made for."""

    SYSTEMD = "systemd"
    CRON = "cron"
    WINDOWS = "windows-task"
    KUBERNETES = "kubernetes"
    GITHUB = "github-actions"

    @property
    def is_container(self) -> bool:
        """Whether it runs where workload identity is and nothing of this machine is."""
        return self in {Kind.KUBERNETES, Kind.GITHUB}

    @property
    def is_here(self) -> bool:
        """Whether it runs on this machine, with its files."""
        return self in {Kind.SYSTEMD, Kind.CRON} or (self is Kind.WINDOWS and sys.platform == "win32")


#: Systems without a random delay of their own.
_WITHOUT_DELAY: Final = frozenset({Kind.CRON, Kind.KUBERNETES, Kind.GITHUB})


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """What the command line says about the schedule itself.

    Attributes:
        kind: the system.
        at: the time of day; None spreads them.
        on_failure: the failure hook; empty for none.
        program: the program there, where it is not this one; None for this one.
        home: ``MIMAPP_HOME`` there, where it is not this machine's; None for this machine's.
        has_volume: whether ``MIMAPP_HOME`` is kept on a volume.
    """

    kind: Kind
    at: str | None
    on_failure: str
    program: str | None
    home: str | None
    has_volume: bool


def job_of(run: Run, scheduled: Scheduled) -> Job:
    """The job.

    Raises:
        UsageError: something is for one run only, needs a person, or is not absolute.
    """
    values = {value.name: value for value in run.values}
    kind = scheduled.kind
    for name in _ONE_RUN:
        if values[name].value:
            raise UsageError(f"--{name.replace('_', '-')} is for a run by hand; a schedule runs mimapp rotate --if-due")
    name = f"mimapp-rotate-{_ANYWHERE.sub('-', _key(run).lower()).strip('-')}"
    stores = _stores(values["secret_to"].value, kind)
    if kind.is_container and not scheduled.has_volume and not any(_has_metadata(store) for store in stores):
        ways = "" if kind is Kind.GITHUB else "--volume CLAIM for MIMAPP_HOME, or "
        raise UsageError(
            f"{kind} keeps nothing between two runs: the hand-over evidence would be lost",
            hint=f"{ways}--secret-to keyvault:https://VAULT/secrets/NAME, which keeps it beside the secret",
        )
    home = _home(run, scheduled)
    interval = values["interval"].value
    return Job(
        name=name,
        title=f"mimapp: rotate the client secret of {run.options.mailbox or _key(run)} when it is due",
        program=_program(scheduled),
        words=(
            "rotate",
            "--if-due",
            "--yes",
            "--quiet",
            *_sign_in(run, kind),
            *_jitter(run, kind),
            *_words(run, kind, stores),
        ),
        environment={"MIMAPP_HOME": home},
        times=times_of(name, scheduled.at, interval if isinstance(interval, timedelta) else _INTERVAL),
        on_failure=scheduled.on_failure,
        writes=tuple(dict.fromkeys((home, *(folder for store in stores if (folder := _folder(store)))))),
    )


def settled_store(text: str, kind: Kind) -> str:
    """A store's URI as a schedule may have it.

    Raises:
        UsageError: nobody would be there to see it, its path is not absolute, or its command is not.
    """
    name, _, rest = text.partition(":")
    if name.startswith("stdout"):
        raise UsageError("--secret-to stdout: nobody sees what a schedule prints")
    if kind.is_here and name in {"file", "cms"}:
        from mimapp.stores import Surroundings, parse_store  # noqa: PLC0415 - only paths of this machine need it

        return parse_store(text, Surroundings(show=_ignore, is_terminal=False)).uri
    if name == "file":
        _require_absolute(rest.partition("?")[0], f"--secret-to {text}", kind)
    if name == "exec":
        _require_absolute_command(rest, f"--secret-to {text}", kind)
    return text


def _words(run: Run, kind: Kind, stores: tuple[str, ...]) -> list[Word]:
    values = {value.name: value for value in run.values}
    words: list[Word] = []
    for spec in (*specs_of(RotateOptions), *specs_of(CommonOptions)):
        value = values[spec.name]
        if spec.name in _LEFT_OUT or not spec.flags or not _is_carried(value, kind):
            continue
        if spec.name == "secret_to":
            words += [word for store in stores for word in (spec.flags[0], store)]
        else:
            words += _option(spec, value.value, kind)
    if run.options.config is not None and kind.is_here:
        words += ["--config", str(run.options.config.absolute())]
    return words


def _is_carried(value: Value, kind: Kind) -> bool:
    """Whether a schedule would not find the value by itself."""
    if value.source == "default":
        return False
    return not kind.is_here or value.source.startswith(("option ", "variable "))


def _option(spec: Spec, value: object, kind: Kind) -> list[Word]:
    flag = spec.flags[0]
    if value is None or value is False:
        return []
    if value is True:
        return [flag]
    if isinstance(value, tuple):
        return [word for item in value for word in (flag, str(item))]
    if isinstance(value, timedelta):
        return [flag, duration_option(value)]
    if isinstance(value, PurePath):
        path = _absolute(value, flag, kind)
        return [flag, Credential(name=flag.removeprefix("--"), path=path) if spec.name in _CREDENTIALS else path]
    if spec.name in _COMMANDS:
        _require_absolute_command(str(value), flag, kind)
    return [flag, str(value)]


def _sign_in(run: Run, kind: Kind) -> list[Word]:
    """Refuse a sign-in that needs a person; where workload identity is the only one, it need not be named."""
    options = run.options
    named = options.graph_auth or options.auth
    if named is None:
        if kind.is_container:
            return ["--auth", Method.WORKLOAD_IDENTITY.value]
        if options.sandbox:
            return []
        raise UsageError(
            "a schedule has nobody to sign in",
            hint=f"--auth {', '.join(sorted(method.value for method in _UNATTENDED))}",
        )
    if Method(named) not in _UNATTENDED:
        raise UsageError(
            f"--auth {named} needs a person's session or variables of a shell, and a schedule has neither",
            hint=f"one of {', '.join(sorted(method.value for method in _UNATTENDED))}",
        )
    if Method(named) is Method.CLIENT_SECRET and options.client_secret_file is None:
        raise UsageError("a schedule carries no AZURE_CLIENT_SECRET", hint="--client-secret-file FILE")
    return []


def _jitter(run: Run, kind: Kind) -> list[Word]:
    """A random wait, for the systems that add none themselves; one that was asked for is carried as it is."""
    given = next(value for value in run.values if value.name == "jitter")
    return ["--jitter", _JITTER] if kind in _WITHOUT_DELAY and given.source == "default" else []


def _stores(given: object, kind: Kind) -> tuple[str, ...]:
    return tuple(settled_store(str(text), kind) for text in given) if isinstance(given, tuple) else ()


def _home(run: Run, scheduled: Scheduled) -> str:
    kind = scheduled.kind
    if kind is Kind.KUBERNETES:
        return CONTAINER_HOME
    if kind is Kind.GITHUB:
        return "${{ runner.temp }}/mimapp"
    if scheduled.home is not None:
        _require_absolute(scheduled.home, "--home", kind)
        return scheduled.home
    if not kind.is_here:
        raise UsageError(
            "which MIMAPP_HOME does the task have on its own machine?", hint="--home C:\\ProgramData\\mimapp"
        )
    return str(run.home)


def _program(scheduled: Scheduled) -> tuple[str, ...]:
    kind = scheduled.kind
    if scheduled.program is not None:
        if not kind.is_container:
            _require_absolute(scheduled.program, "--program", kind)
        return (scheduled.program,)
    if kind.is_container:
        return ("mimapp",)
    if not kind.is_here:
        raise UsageError("where is mimapp on that machine?", hint="--program C:\\...\\mimapp.exe")
    return (sys.executable, "-m", "mimapp")


def _key(run: Run) -> str:
    if run.options.registration is not None:
        return run.options.registration
    if run.options.mailbox is None:
        raise UsageError("which mailbox?", hint="--mailbox ADDRESS, or --registration KEY with --tenant NAME")
    return Registration(mailbox=run.options.mailbox).key


def _folder(store: str) -> str:
    """The folder that a store of this machine writes to; empty for others."""
    name, _, rest = store.partition(":")
    if name == "file":
        return str(Path(rest.partition("?")[0]).parent)
    if name == "cms":
        return str(Path(rest.partition(":")[2]).parent)
    return ""


def _has_metadata(store: str) -> bool:
    return store.startswith("keyvault:")


def _absolute(path: PurePath, flag: str, kind: Kind) -> str:
    if kind.is_here:
        return str(Path(path).absolute())
    _require_absolute(str(path), flag, kind)
    return str(path)


def _require_absolute(path: str, what: str, kind: Kind) -> None:
    flavour = PureWindowsPath if kind is Kind.WINDOWS else PurePosixPath
    if not flavour(path).is_absolute():
        raise UsageError(f"{what}: {path!r} is not absolute, and a schedule has no folder of its own")


def _require_absolute_command(command: str, what: str, kind: Kind) -> None:
    """A schedule has no path on which programs are found."""
    first = command if Path(command).is_file() else command.split(maxsplit=1)[0].strip("\"'")
    _require_absolute(first, what, kind)
    if kind.is_here and shutil.which(first) is None:
        raise UsageError(f"{what}: {first} is not there, or may not be run")


def _ignore(line: str) -> None:
    """A schedule shows nothing."""
