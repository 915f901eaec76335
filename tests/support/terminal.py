"""A process at a terminal of its own, as a person sits in front of one: typed keys, shown text, Ctrl-C. POSIX only."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

#: Makes the terminal at stdin the controlling one of a session of its own, so that Ctrl-C there is a signal here.
_IN_FRONT = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
CTRL_C = b"\x03"
_PATIENCE = 120  # seconds; a process that says nothing for so long hangs


class Terminal:
    """Runs Python with arguments at a pseudo terminal; a context manager that leaves no process behind.

    Attributes:
        shown: all that the terminal has shown.
    """

    def __init__(self, *argv: str, environ: Mapping[str, str]) -> None:
        import pty  # noqa: PLC0415 - not on Windows

        self.shown = ""
        self._master, self._side = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _IN_FRONT, *argv],
            stdin=self._side,
            stdout=self._side,
            stderr=self._side,
            env={**os.environ, "TERM": "dumb", "COLUMNS": "500", **environ},
        )

    def until(self, text: str) -> str:
        """Wait until the terminal shows a text, and give all that it has shown.

        Raises:
            AssertionError: the process ended, or said nothing for two minutes, without showing it.
        """
        self._read(lambda: text in self.shown)
        assert text in self.shown, self.shown
        return self.shown

    def press(self, keys: bytes) -> None:
        """Type something."""
        os.write(self._master, keys)

    def send(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        self._process.send_signal(number)

    def end(self) -> int:
        """Wait until the process has ended; its exit code."""
        self._read(lambda: False)
        return self._process.wait(_PATIENCE)

    @property
    def echoes(self) -> bool:
        """Whether the terminal shows what is typed."""
        import termios  # noqa: PLC0415 - not on Windows

        return bool(termios.tcgetattr(self._side)[3] & termios.ECHO)

    def _read(self, is_enough: Callable[[], bool]) -> None:
        import select  # noqa: PLC0415 - with terminals on POSIX only

        quiet = 0
        while not is_enough():
            ready, _, _ = select.select([self._master], [], [], 0.1)
            if ready:
                self.shown += os.read(self._master, 65_536).decode(errors="replace").replace("\r\n", "\n")
                quiet = 0
            elif self._process.poll() is not None:
                return
            else:
                quiet += 1
                assert quiet < _PATIENCE * 10, f"nothing more came after:\n{self.shown}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        os.close(self._master)
        os.close(self._side)
