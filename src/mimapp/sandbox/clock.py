"""Time as the sandbox asks for it: an aware UTC moment, a monotonic count, a pause.

Written here a second time on purpose: the sandbox imports nothing of mimapp, and whatever clock a test hands to mimapp
fits this protocol as well.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

__all__ = ["Clock", "SystemClock", "from_epoch", "iso", "iso_fraction", "parse_iso"]


class Clock(Protocol):
    """What the sandbox asks about time."""

    def now(self) -> datetime:
        """The moment, aware and in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that only go forward."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let so many seconds pass; a test's clock only moves its hands."""
        ...


class SystemClock:
    """The machine's clock, for ``serve`` and for commands."""

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


def from_epoch(seconds: float) -> datetime:
    """The moment that many seconds after 1970-01-01, UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def iso(seconds: float) -> str:
    """An epoch moment as Graph writes most dates: ``2024-09-06T09:30:58Z``."""
    return from_epoch(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_fraction(seconds: float) -> str:
    """An epoch moment with the seven digits that Graph writes into fresh dates: ``2024-09-06T09:30:58.1234567Z``."""
    return from_epoch(seconds).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


def parse_iso(text: str) -> float:
    """The epoch moment of a wire date: ``Z`` or an offset, any number of fraction digits; a bare one means UTC.

    Raises:
        ValueError: the text is no date.
    """
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
