"""Time as a value: aware UTC moments, a monotonic count, and the one place that sleeps."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

from mimapp.errors import UsageError

__all__ = ["Clock", "SystemClock", "duration_text", "iso", "parse_duration", "plain"]

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}


class Clock(Protocol):
    """What the rooms ask about time; tests hand in one that they move."""

    def now(self) -> datetime:
        """The moment, aware and in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that only go forward, whatever is done to the wall clock."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let so many seconds pass."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The moment by the wall clock, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds by the machine's monotonic clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let so many seconds pass; none for zero or less."""
        if seconds > 0:
            time.sleep(seconds)


def iso(moment: datetime) -> str:
    """A moment as Graph and our JSON write it: ``2026-11-21T09:34:00Z``, whole seconds, UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def plain(moment: object) -> datetime:
    """A moment of one of datetime's subclasses as datetime itself, which serialisers insist on.

    Raises:
        TypeError: it is no moment.
    """
    if not isinstance(moment, datetime):
        raise TypeError(f"{type(moment).__name__} has no form in JSON")
    return datetime.combine(moment.date(), moment.timetz())


def parse_duration(text: str) -> timedelta:
    """A duration as options and files write it: a number and ms, s, m, h or d, with no blank between.

    Raises:
        UsageError: the text has another form, or names more time than a date can hold.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise UsageError(
            f"{text!r} is not a duration",
            hint="a number and ms, s, m, h or d without a blank, such as 10m or 180d",
        )
    try:
        return float(match[1]) * _UNITS[match[2]]
    except OverflowError:
        raise UsageError(f"{text!r} is longer than any date can hold") from None


def duration_text(span: timedelta) -> str:
    """A duration for people, in its one or two largest units: ``2 h 5 min``, ``180 days``, ``under a second``."""
    seconds = int(span.total_seconds())
    if seconds < 0:
        return f"-{duration_text(-span)}"
    if seconds < 1:
        return "under a second"
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, seconds = divmod(rest, 60)
    if days:
        return f"{days} day{'s' if days != 1 else ''}" + (f" {hours} h" if hours and days < 3 else "")  # noqa: PLR2004 - past three days nobody counts hours
    if hours:
        return f"{hours} h" + (f" {minutes} min" if minutes else "")
    if minutes:
        return f"{minutes} min" + (f" {seconds} s" if seconds else "")
    return f"{seconds} s"
