"""What happens during a run, for people: a listener for `mimapp.provisioning.events.Event` that writes to stderr.

Without a terminal each started wait and each finished step is one plain line; ``--quiet`` writes nothing. Events may
come from several threads.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

from mimapp.cli.result import Line
from mimapp.provisioning.events import Note, StepDone, StepFailed, StepStarted, Waiting

if TYPE_CHECKING:
    from types import TracebackType

    from mimapp.cli.output import Output
    from mimapp.cli.world import World
    from mimapp.provisioning.events import Event

__all__ = ["Progress"]


class Progress:
    """Listens and writes, until it is closed.

    Args:
        world: streams and clock.
        output: where lines go.
        quiet: whether nothing is written at all.
    """

    def __init__(self, world: World, output: Output, *, quiet: bool = False) -> None:
        self._world = world
        self._output = output
        self._quiet = quiet
        self._lock = threading.Lock()
        self._total = 0
        self._waits: set[tuple[str, str]] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if self._quiet:
            return
        with self._lock:
            text = self._text(event)
            if text:
                self._output.tell((Line(text),))

    def line(self, text: str) -> None:
        """Write one line, such as a log record's, without disturbing what is shown."""
        with self._lock:
            self._output.tell((Line(text, "dim"),))

    def close(self) -> None:
        """Leave the terminal as a prompt or a result needs it; further events begin anew."""

    def _text(self, event: Event) -> str:
        if isinstance(event, StepStarted):
            self._total = max(self._total, event.total)
            return ""
        if isinstance(event, StepDone):
            return f"{self._place(event.number)}{event.title}: done in {event.seconds:.1f} s" + (
                f" ({event.detail})" if event.detail else ""
            )
        if isinstance(event, StepFailed):
            return f"{self._place(event.number)}{event.title}: failed: {event.message}"
        if isinstance(event, Waiting):
            wait = event.wait
            if (wait.what, wait.reason) in self._waits:
                return ""
            self._waits.add((wait.what, wait.reason))
            return f"waiting for {wait.what}: {wait.reason}"
        if isinstance(event, Note):
            return event.text
        raise TypeError(f"{type(event).__name__} is no event")

    def _place(self, number: int) -> str:
        return f"[{number}/{self._total}] " if number else ""
