"""What happens during a run, for people: a listener for `mimapp.provisioning.events.Event` that writes to stderr.

On a terminal every finished step leaves a line, and below them a live part shows what runs and what it waits for
(`mimapp.cli.live`). Elsewhere each started wait and each finished step is one plain line. ``--quiet`` writes nothing.
Events may come from several threads.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from mimapp.cli.result import Line
from mimapp.clock import duration_text

if TYPE_CHECKING:
    from types import TracebackType

    from mimapp.cli.live import LiveView
    from mimapp.cli.output import Output
    from mimapp.cli.result import Tone
    from mimapp.cli.world import World
    from mimapp.provisioning.events import Event, StepDone, StepFailed, StepStarted, Waiting

__all__ = ["PendingWait", "Progress", "RunningStep", "Snapshot", "seconds_text"]

#: A wait that goes on is told again after so many seconds where nothing moves on the screen.
_TELL_AGAIN = 60.0
#: Less than so many seconds would be shown as none.
_WORTH_TELLING = 0.05
#: A wait that nobody renewed so many seconds after its pause was over has ended.
_GRACE = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningStep:
    """A step under way; `begun` is a moment of the run's monotonic clock."""

    number: int
    title: str
    begun: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingWait:
    """The last pause announced for one thing.

    Attributes:
        what: what is waited for.
        reason: why.
        begun: when the first pause for it began, by the monotonic clock.
        until: when the present pause ends.
        told: when a line was last written about it.
    """

    what: str
    reason: str
    begun: float
    until: float
    told: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What runs, what is waited for, how many of the plan's steps are done, and for how long it has run."""

    running: tuple[RunningStep, ...]
    waits: tuple[PendingWait, ...]
    done: int
    total: int
    seconds: float


class Progress:
    """Listens and writes, until it is closed.

    Args:
        world: streams and clock.
        output: where lines go.
        quiet: whether nothing is written at all.
    """

    def __init__(self, world: World, output: Output, *, quiet: bool = False) -> None:
        self._clock = world.clock
        self._output = output
        self._quiet = quiet
        self._lock = threading.RLock()
        self._live: LiveView | None = None
        self._running: dict[int, RunningStep] = {}
        self._waits: dict[str, PendingWait] = {}
        self._total = 0
        self._done = 0
        self._first_begun: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        from mimapp.provisioning.events import (  # noqa: PLC0415 - a command without events does not need that room
            StepDone,
            StepFailed,
            StepStarted,
            Waiting,
        )

        if self._quiet:
            return
        with self._lock:
            match event:
                case StepStarted():
                    self._start(event)
                case StepDone():
                    self._finish(event, f": {event.detail}" if event.detail else "", "good")
                case StepFailed():
                    self._finish(event, f": failed: {event.message}", "bad")
                case Waiting():
                    self._wait(event)
                case _:
                    self.line(event.text)

    def line(self, text: str) -> None:
        """Write one line, such as a log record's, above what is shown live."""
        with self._lock:
            self._output.tell((Line(text, "dim"),))

    def pause(self) -> None:
        """Take the live part off the terminal, as a prompt needs it; the next event brings it back."""
        with self._lock:
            if self._live is not None:
                self._live.stop()
                self._live = None

    def close(self) -> None:
        """End it: nothing is live any more, and the total stands there when steps were done."""
        self.pause()
        with self._lock:
            if self._first_begun is not None and self._done:
                spent = self._clock.monotonic() - self._first_begun
                self.line(f"{self._done} of {self._total} steps done in {seconds_text(spent)}")
            self._first_begun = None

    def snapshot(self) -> Snapshot:
        """The present state, for the live part, from any thread."""
        with self._lock:
            now = self._clock.monotonic()
            return Snapshot(
                running=tuple(self._running.values()),
                waits=tuple(wait for wait in self._waits.values() if now <= wait.until + _GRACE),
                done=self._done,
                total=self._total,
                seconds=0.0 if self._first_begun is None else now - self._first_begun,
            )

    def _start(self, event: StepStarted) -> None:
        now = self._clock.monotonic()
        if event.number:
            self._total = max(self._total, event.total)
            if self._first_begun is None:
                self._first_begun = now
        self._running[event.number] = RunningStep(number=event.number, title=event.title, begun=now)
        self._show()

    def _finish(self, event: StepDone | StepFailed, outcome: str, tone: Tone) -> None:
        self._running.pop(event.number, None)
        if not self._running:
            self._waits.clear()
        if event.number and tone == "good":
            self._done += 1
        if self._live is not None:
            self._live.refresh()  # a line written above would else bring back the last frame, with this step in it
        place = f"[{event.number}/{self._total}] " if event.number else ""
        sign = self._output.sign(tone)
        spent = f"  ({seconds_text(event.seconds)})" if event.seconds >= _WORTH_TELLING else ""
        text = f"{sign}{place}{event.title}{outcome}{spent}"
        self._output.tell((Line(text, tone if tone == "bad" else "plain"),))

    def _wait(self, event: Waiting) -> None:
        wait, now = event.wait, self._clock.monotonic()
        known = self._waits.get(wait.what)
        told_lately = known is not None and known.reason == wait.reason and now - known.told < _TELL_AGAIN
        self._waits[wait.what] = PendingWait(
            what=wait.what,
            reason=wait.reason,
            begun=now - wait.waited,
            until=now + wait.seconds,
            told=known.told if known is not None and told_lately else now,
        )
        self._show()
        if self._live is None and not told_lately:
            so_far = f" ({seconds_text(wait.waited)} so far)" if wait.waited >= 1 else ""
            again = seconds_text(wait.seconds)
            self.line(f"waiting for {wait.what}: {wait.reason}; asking again in {again}{so_far}")

    def _show(self) -> None:
        if self._live is None and self._output.can_be_live:
            from mimapp.cli.live import LiveView  # noqa: PLC0415 - only a terminal needs it

            self._live = LiveView(self._output.console(), self, self._clock)


def seconds_text(seconds: float) -> str:
    """A time as a running display has it: ``under 0.1 s``, ``0.4 s``, ``2 s``, ``12 s``, ``2 min 5 s``."""
    if seconds < _WORTH_TELLING:
        return "under 0.1 s"
    if seconds < 10:  # noqa: PLR2004 - tenths are worth showing below ten
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    return duration_text(timedelta(seconds=seconds))
