"""The live part of the progress on a terminal: what runs, what it waits for and for how long, the time so far.

Finished steps are lines above it and stay; this part is redrawn in place and leaves nothing behind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from mimapp.cli.progress import seconds_text

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from mimapp.cli.progress import Progress
    from mimapp.clock import Clock

__all__ = ["LiveView"]

_FRAMES_PER_SECOND = 8


class LiveView:
    """Draws a `Progress` until it is stopped.

    Args:
        console: the terminal that stderr is.
        progress: whose state is drawn.
        clock: the run's time.
    """

    def __init__(self, console: Console, progress: Progress, clock: Clock) -> None:
        self._progress = progress
        self._clock = clock
        unicode = console.encoding.lower().startswith("utf")
        self._spinner = Spinner("dots" if unicode else "line", style="cyan")
        self._live = Live(
            console=console,
            get_renderable=self.draw,
            refresh_per_second=_FRAMES_PER_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()

    def stop(self) -> None:
        """Take it off the terminal."""
        self._live.stop()

    def refresh(self) -> None:
        """Draw the state as it is now."""
        self._live.refresh()

    def draw(self) -> RenderableType:
        """Give the present state as lines."""
        state = self._progress.snapshot()
        now = self._clock.monotonic()
        frame = self._spinner.render(now)
        lines: list[Text] = []
        for step in state.running:
            place = f"[{step.number}/{state.total}] " if step.number else ""
            line = Text.assemble(frame if isinstance(frame, Text) else "", f" {place}{step.title}")
            line.append(f"  {seconds_text(now - step.begun)}", style="dim")
            lines.append(line)
        for wait in state.waits:
            left = wait.until - now
            again = f"again in {max(1, round(left))} s" if left > 0 else "asking"
            line = Text(f"    waiting {seconds_text(now - wait.begun)}", style="yellow")
            line.append(f" ({again})", style="dim")
            line.append(f" for {wait.what}: {wait.reason}")
            lines.append(line)
        if state.total:
            lines.append(Text(f"{state.done} of {state.total} steps done, {seconds_text(state.seconds)}", style="dim"))
        for line in lines:
            line.no_wrap, line.overflow = True, "ellipsis"
        return Group(*lines)
