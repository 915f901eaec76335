"""What the command line sees of the machine, as one value: streams, variables, time, network, home.

A test makes its own `World` and calls `mimapp.cli.main(argv, world=world)`; nothing in `cli/` reads ``sys.stdout``,
``os.environ`` or a clock directly.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from mimapp.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import TextIO

    import httpx

    from mimapp.clock import Clock
    from mimapp.identity.remember import Persistence

__all__ = ["World", "discard_rest"]


def _open_browser(url: str) -> bool:
    import webbrowser  # noqa: PLC0415 - hardly a run needs it

    return webbrowser.open(url)


def _ask_hidden(question: str) -> str:
    import getpass  # noqa: PLC0415 - hardly a run needs it

    return getpass.getpass(question, stream=sys.stderr)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The seams of one run.

    Attributes:
        stdin: where answers to prompts and piped input come from.
        stdout: where the result goes, and nothing else.
        stderr: where progress, logs, prompts and errors go.
        environ: the process's variables.
        clock: time.
        transport: where HTTP requests go; None is the network.
        open_browser: opens an address in a browser on this machine; False where there is none.
        ask_hidden: asks at the terminal and does not show what is typed.
        protected_storage: where a sign-in may be remembered; None is the platform's own.
        home: the folder of all local state; None leaves it to ``MIMAPP_HOME`` and the platform's default.
    """

    stdin: TextIO
    stdout: TextIO
    stderr: TextIO
    environ: Mapping[str, str]
    clock: Clock
    transport: httpx.BaseTransport | None = None
    open_browser: Callable[[str], bool] = _open_browser
    ask_hidden: Callable[[str], str] = _ask_hidden
    protected_storage: Callable[[str], Persistence] | None = None
    home: Path | None = None

    @classmethod
    def of_this_process(cls) -> Self:
        """The process's own streams, variables and clock.

        What a stream's encoding cannot say is written as a replacement character, never a crash.
        """
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper) and stream.errors in {"strict", "surrogateescape"}:
                stream.reconfigure(errors="replace")
        # A caller may have closed a stream: nobody can be asked there, and what is written goes nowhere.
        return cls(
            stdin=sys.stdin or io.StringIO(),
            stdout=sys.stdout or io.StringIO(),
            stderr=sys.stderr or io.StringIO(),
            environ=os.environ,
            clock=SystemClock(),
        )

    @property
    def can_ask(self) -> bool:
        """Whether a person can answer a prompt."""
        return self.stdin.isatty()


def discard_rest(stream: TextIO) -> None:
    """Send what is still to come nowhere: the reader of a pipe has gone away, which is no error of ours."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, stream.fileno())
        finally:
            os.close(nowhere)
