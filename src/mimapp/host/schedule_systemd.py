"""A schedule for systemd: a service, its timer, and a service for the failure hook.

Credentials' files are loaded by the manager (LoadCredential, systemd 250 for ``%d``), so the account that runs it need
not be able to read them. A system's service is closed off as far as a rotation allows: it writes to its own folders
alone. A hook or a store's command runs inside the same walls; a drop-in widens them. A user's own manager cannot
close off the file system without namespaces of its own, so there only what needs none is set.

systemd.service(5), systemd.timer(5), systemd.exec(5), systemd.time(7): https://www.freedesktop.org/software/systemd/man/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from mimapp.errors import UsageError
from mimapp.host.schedule import Credential, ScheduleFile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mimapp.host.schedule import Job

__all__ = ["systemd_files"]

_PLAIN: Final = re.compile(r"[A-Za-z0-9_@/.,:=+-]+")
#: What works in a user's own manager as well.
_EVERYWHERE: Final = (
    "NoNewPrivileges=yes",
    "LockPersonality=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "RestrictNamespaces=yes",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallErrorNumber=EPERM",
    "UMask=0077",
)
#: MemoryDenyWriteExecute is left out: libffi, which Python's ctypes and cffi stand on, may need what it denies.
_SYSTEM: Final = (
    "CapabilityBoundingSet=",
    "PrivateDevices=yes",
    "PrivateTmp=yes",
    "ProtectClock=yes",
    "ProtectControlGroups=yes",
    "ProtectHome=read-only",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "ProtectSystem=strict",
)


def systemd_files(job: Job, *, account: str | None, is_user: bool) -> tuple[ScheduleFile, ...]:
    """The unit files.

    Args:
        job: what is run.
        account: the account that a system's service runs as; None is root.
        is_user: whether it is a user's own service.
    """
    failed = f"{job.name}-failed.service"
    service = [
        "[Unit]",
        f"Description={_text(job.title)}",
        "Wants=network-online.target",
        "After=network-online.target",
        *([f"OnFailure={failed}"] if job.on_failure else []),
        "",
        "[Service]",
        "Type=oneshot",
        *([f"User={_text(account)}"] if account and not is_user else []),
        f"ExecStart={_command(job)}",
        *(f"Environment={_quoted(f'{name}={value}')}" for name, value in job.environment.items()),
        *(f"LoadCredential={one.name}:{_text(one.path)}" for one in _credentials(job)),
        "TimeoutStartSec=1h",
        *_EVERYWHERE,
        *(() if is_user else _SYSTEM),
        *([] if is_user else [f"ReadWritePaths={_quoted(folder)}" for folder in job.writes]),
    ]
    timer = [
        "[Unit]",
        f"Description={_text(job.title)}",
        "",
        "[Timer]",
        f"OnCalendar={job.times.calendar}",
        "RandomizedDelaySec=30min",
        "Persistent=true",
        "",
        "[Install]",
        "WantedBy=timers.target",
    ]
    files = [_file(f"{job.name}.service", service), _file(f"{job.name}.timer", timer)]
    if job.on_failure:
        hook = [
            "[Unit]",
            f"Description={_text(job.title)}: it failed",
            "",
            "[Service]",
            "Type=oneshot",
            f"ExecStart=/bin/sh -c {_quoted(job.on_failure, dollars=True)}",
        ]
        files.append(_file(failed, hook))
    return tuple(files)


def _credentials(job: Job) -> list[Credential]:
    return [word for word in job.words if isinstance(word, Credential)]


def _command(job: Job) -> str:
    """The command line, with the manager's copy in place of each credential's own file."""
    return " ".join(
        f"%d/{word.name}" if isinstance(word, Credential) else _quoted(word, dollars=True)
        for word in (*job.program, *job.words)
    )


def _quoted(word: str, *, dollars: bool = False) -> str:
    """A word as systemd reads it back: ``%`` begins a specifier, and ``$`` a variable in a command."""
    _require_one_line(word)
    text = word.replace("%", "%%")
    if dollars:
        text = text.replace("$", "$$")
    if _PLAIN.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _text(text: str) -> str:
    _require_one_line(text)
    return text.replace("%", "%%")


def _require_one_line(text: str) -> None:
    if not text.isprintable():
        raise UsageError(f"{text!r} holds a control character and cannot go into a unit file")


def _file(name: str, lines: Iterable[str]) -> ScheduleFile:
    return ScheduleFile(name=name, text="\n".join(lines) + "\n")
