"""A daily rotation as a schedule of some system: what runs, when, as whom, and what happens when it fails.

Owns the values that every kind of schedule is made from, and the time of day. Each kind has its own module
(``schedule_systemd``, ``schedule_cron``, ``schedule_windows``, ``schedule_kubernetes``, ``schedule_github``): a value
in, files out. What is written to a system is `mimapp.host.schedule_install`'s.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeAlias

from mimapp.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Credential", "Job", "ScheduleFile", "Times", "Word", "flat", "spread", "times_of"]

_DAY: Final = 24
_TIME: Final = re.compile(r"(?P<hour>[01][0-9]|2[0-3]):(?P<minute>[0-5][0-9])")
#: From one to six in the morning (local, or UTC where the system has no other): outside of office hours.
_FIRST_MINUTE: Final = 60
_MINUTES: Final = 5 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A file with the operator's own credential, where a command names one.

    Attributes:
        name: what it is called, such as ``client-secret-file``.
        path: where it is.
    """

    name: str
    path: str


Word: TypeAlias = "str | Credential"


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """When it runs: at this time of day, and every so many hours after it.

    Attributes:
        hour: 0 to 23; below `every` where that is less than a day.
        minute: 0 to 59.
        every: hours between runs, a divisor of 24; 24 is once a day.
    """

    hour: int
    minute: int
    every: int = _DAY

    @property
    def cron(self) -> str:
        """The five fields of a crontab (POSIX, with the steps of Vixie cron)."""
        hours = str(self.hour) if self.every == _DAY else f"{self.hour}-23/{self.every}"
        return f"{self.minute} {hours} * * *"

    @property
    def calendar(self) -> str:
        """As systemd.time(7) writes it."""
        hours = f"{self.hour:02}" if self.every == _DAY else f"{self.hour:02}/{self.every}"
        return f"*-*-* {hours}:{self.minute:02}:00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is run.

    Attributes:
        name: names its files and objects: lower case letters, digits and hyphens.
        title: one line for people.
        program: the program and the words that start mimapp with it, absolute.
        words: what follows: ``rotate`` and its options.
        environment: variables that are set for it; nothing secret.
        times: when it runs.
        on_failure: a command that is run after a failed run, as the operator wrote it; empty for none.
        writes: folders that it writes to, absolute.
    """

    name: str
    title: str
    program: tuple[str, ...]
    words: tuple[Word, ...]
    environment: Mapping[str, str]
    times: Times
    on_failure: str = ""
    writes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleFile:
    r"""One file.

    Attributes:
        name: its name, without a folder.
        text: its text with ``\n`` ends.
        encoding: ``utf-8``, or ``utf-16`` with its mark and Windows' line ends.
    """

    name: str
    text: str
    encoding: str = "utf-8"

    def encoded(self) -> bytes:
        """The file's content."""
        if self.encoding == "utf-16":
            return b"\xff\xfe" + self.text.replace("\n", "\r\n").encode("utf-16-le")
        return self.text.encode(self.encoding)


def flat(words: tuple[Word, ...], place: Callable[[Credential], str] = lambda credential: credential.path) -> list[str]:
    """The words as texts.

    Args:
        words: from a job.
        place: where a credential's file is to the program that is run.
    """
    return [word if isinstance(word, str) else place(word) for word in words]


def spread(name: str) -> tuple[int, int]:
    """Hour and minute for a name: always the same for one, spread over the night for many."""
    minute = _FIRST_MINUTE + int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % _MINUTES
    return divmod(minute, 60)


def times_of(name: str, at: str | None, interval: timedelta) -> Times:
    """When a job runs.

    Args:
        name: of the job.
        at: ``HH:MM``; None spreads jobs over the night by their names.
        interval: how often: a day, or hours that divide it.

    Raises:
        UsageError: one of them is of the wrong form.
    """
    hours, rest = divmod(interval, timedelta(hours=1))
    if rest or hours < 1 or _DAY % hours:
        raise UsageError(
            "--interval: a schedule runs daily, or every so many hours that divide a day",
            hint="1d, 12h, 8h, 6h, 4h, 3h, 2h or 1h",
        )
    if at is None:
        hour, minute = spread(name)
    else:
        match = _TIME.fullmatch(at)
        if match is None:
            raise UsageError(f"--at {at!r} is not a time of day", hint="such as 03:30")
        hour, minute = int(match["hour"]), int(match["minute"])
    return Times(hour=hour % hours, minute=minute, every=hours)
