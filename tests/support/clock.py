"""A clock that a test moves: it serves mimapp's rooms and the sandbox alike."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


class FakeClock:
    """Stands still until somebody sleeps on it or moves it; `slept` lists every pause in seconds."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._passed = 0.0
        self._lock = threading.Lock()
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return self._passed

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self._passed += max(0.0, seconds)

    def advance(self, span: timedelta) -> None:
        with self._lock:
            self._passed += span.total_seconds()
