"""Putting a schedule where its system looks for it: unit files and ``systemctl``, a crontab and ``crontab``.

The system's own programs are called through a seam, with the variables of the run.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mimapp.errors import UsageError
from mimapp.host.schedule_cron import merged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mimapp.host.schedule import Job, ScheduleFile

__all__ = ["Programs", "install_cron", "install_systemd"]

_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """Runs programs of the system.

    Attributes:
        environ: the variables that they get, and the path on which they are looked for.
    """

    environ: Mapping[str, str]

    def __call__(self, *words: str, stdin: str = "") -> tuple[int, str, str]:
        """Run one; its exit code and what it printed.

        Raises:
            UsageError: it is not there, or takes too long.
        """
        try:
            ended = subprocess.run(  # noqa: S603 - programs of the system, and no shell between
                list(words), input=stdin, capture_output=True, text=True, check=False, timeout=_SECONDS,
                env=dict(self.environ),
            )  # fmt: skip
        except OSError as error:
            raise UsageError(
                f"{words[0]} cannot be started: {error.strerror or error}",
                hint="leave --install out, and put the schedule where your system looks for it",
            ) from error
        except subprocess.TimeoutExpired as error:
            raise UsageError(f"{words[0]} did not end in {_SECONDS:.0f} seconds") from error
        return ended.returncode, ended.stdout, ended.stderr


def install_systemd(
    files: Sequence[ScheduleFile], folder: Path, programs: Programs, *, is_user: bool
) -> tuple[str, ...]:
    """Write the unit files, and start the timer.

    Returns:
        What was done, in words.

    Raises:
        UsageError: a file cannot be written, or systemd refuses.
    """
    done: list[str] = []
    for file in files:
        path = folder / file.name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _replace(path, file.encoded())
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror or error}") from error
        done.append(f"wrote {path}")
    timer = next(file.name for file in files if file.name.endswith(".timer"))
    manager = ["systemctl", *(["--user"] if is_user else [])]
    for words in ([*manager, "daemon-reload"], [*manager, "enable", "--now", timer]):
        code, out, said = programs(*words)
        if code != 0:
            raise UsageError(f"{' '.join(words)} ended with {code}", details=_lines(said or out))
        done.append(" ".join(words))
    return tuple(done)


def install_cron(job: Job, programs: Programs) -> tuple[str, ...]:
    """Put the job into this account's crontab, in place of what it has for it already.

    Returns:
        What was done, in words.

    Raises:
        UsageError: the crontab cannot be read or written.
    """
    code, crontab, said = programs("crontab", "-l")
    if code != 0:
        # An account without a crontab is told apart from a refusal by the words alone (POSIX leaves them open).
        if "no crontab" not in said.lower():
            raise UsageError(f"crontab -l ended with {code}", details=_lines(said))
        crontab = ""
    code, out, said = programs("crontab", "-", stdin=merged(crontab, job))
    if code != 0:
        raise UsageError(f"crontab ended with {code}", details=_lines(said or out))
    return ("wrote this account's crontab",)


def _replace(path: Path, content: bytes) -> None:
    """Replace a file as a whole; everybody may read it, as systemd wants of units, which hold nothing secret."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(name, 0o644)  # noqa: PTH101 - as below
        os.replace(name, path)  # noqa: PTH105 - beside os.fdopen, which pathlib lacks
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)  # noqa: PTH108 - as above
        raise


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()][-12:]
