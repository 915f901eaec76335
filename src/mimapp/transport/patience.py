"""The one policy for waiting: how long, how often, until when, and who is told.

Times after the habits of Graph's other clients (facts: 1 s doubling, ``Retry-After`` first) and Microsoft's advice
for throttling without ``Retry-After``: https://learn.microsoft.com/graph/throttling. The deadline belongs to a run,
not to a call: what one step waits, the next no longer has.
"""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from mimapp.errors import CancelledError, DeadlineError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mimapp.clock import Clock

__all__ = ["DEFAULT_DEADLINE", "Patience", "Wait"]

DEFAULT_DEADLINE = timedelta(minutes=10)
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 30.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """One pause, as it is announced before it is taken.

    Attributes:
        what: what is waited for, in words.
        reason: why, such as ``HTTP 429`` or ``not visible yet``.
        seconds: how long this pause is.
        waited: seconds already waited for the same thing.
    """

    what: str
    reason: str
    seconds: float
    waited: float


class Patience:
    """How long one run may wait in all; shared by every call of the run, and by its threads."""

    def __init__(
        self,
        clock: Clock,
        *,
        limit: timedelta = DEFAULT_DEADLINE,
        on_wait: Callable[[Wait], None] | None = None,
        jitter: random.Random | None = None,
    ) -> None:
        self.clock = clock
        self.limit = limit
        self.on_wait = on_wait
        self._jitter = jitter or random.Random()  # noqa: S311 - spreads load, guards nothing
        self._started = clock.monotonic()
        self._cancelled = threading.Event()

    def start(self) -> None:
        """Begin a new run: the whole limit is there again."""
        self._started = self.clock.monotonic()

    def cancel(self) -> None:
        """Ask the run to stop where it is safe; may be called from a signal handler or another thread."""
        self._cancelled.set()

    def check(self) -> None:
        """Raise `CancelledError` when somebody asked the run to stop; called where stopping loses nothing."""
        if self._cancelled.is_set():
            raise CancelledError(
                "stopped as asked", hint="run the same command again: it goes on where this run stopped"
            )

    @property
    def left(self) -> float:
        """Seconds until the deadline; negative after it."""
        return self._started + self.limit.total_seconds() - self.clock.monotonic()

    def pause_before(self, attempt: int, asked: float | None = None) -> float:
        """Seconds before the next try: what the service asked for, else doubling with a little jitter.

        Args:
            attempt: how many tries have been made, from 1.
            asked: the service's ``Retry-After`` in seconds.
        """
        if asked is not None:
            return asked
        pause: float = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(attempt - 1, 10))
        return pause * (1.0 + 0.1 * self._jitter.random())

    def allows(self, seconds: float) -> bool:
        """Whether a pause of so many seconds ends before the deadline."""
        return seconds <= self.left

    def pause(self, what: str, reason: str, seconds: float, *, waited: float = 0.0) -> None:
        """Announce a pause in words and take it."""
        self.wait(Wait(what=what, reason=reason, seconds=seconds, waited=waited))

    def wait(self, wait: Wait) -> None:
        """Announce a pause and take it."""
        self.check()
        if self.on_wait is not None:
            self.on_wait(wait)
        self.clock.sleep(wait.seconds)
        self.check()

    def until(self, what: str, reason: str, ask: Callable[[], T | None], *, every: float | None = None) -> T:
        """Ask until there is an answer.

        Args:
            what: what is waited for, in words.
            reason: why it may take time.
            ask: returns the answer, or None for "not yet".
            every: seconds between tries, where the service is known to need a steady beat.

        Raises:
            DeadlineError: the run's time is over and there is none.
        """
        begun = self.clock.monotonic()
        attempt = 0
        while True:
            answer = ask()
            if answer is not None:
                return answer
            attempt += 1
            pause = every if every is not None else self.pause_before(attempt)
            waited = self.clock.monotonic() - begun
            if not self.allows(pause):
                raise DeadlineError(
                    f"{what}: {reason}, and the time for it is over ({waited:.0f} s waited)",
                    hint="run the same command again: it goes on where this run stopped; --deadline gives it longer",
                )
            self.pause(what, reason, pause, waited=waited)
