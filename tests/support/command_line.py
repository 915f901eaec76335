"""A `World` whose streams a test reads, and the call that every CLI test makes."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mimapp.cli import main
from mimapp.cli.command import Command
from mimapp.cli.options import NoOptions
from mimapp.cli.world import World
from support.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mimapp.cli.command import Run
    from mimapp.cli.result import Result


class Stream(io.StringIO):
    """A text stream that can say that it is a terminal."""

    def __init__(self, text: str = "", *, terminal: bool = False) -> None:
        super().__init__(text)
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@dataclass
class Cli:
    """Runs commands on one home folder; `variables` and `clock` stay between runs."""

    home: Path
    variables: dict[str, str] = field(default_factory=dict)
    clock: FakeClock = field(default_factory=FakeClock)

    def world(self, *, typed: str = "", terminal: bool = False) -> World:
        return World(
            stdin=Stream(typed, terminal=terminal),
            stdout=Stream(terminal=terminal),
            stderr=Stream(terminal=terminal),
            environ=self.variables,
            clock=self.clock,
            home=self.home,
        )

    def __call__(self, *argv: str, typed: str = "", terminal: bool = False) -> Ended:
        world = self.world(typed=typed, terminal=terminal)
        return ended(main(argv, world=world), world)

    def body(
        self,
        body: Callable[[Run], Result],
        *,
        writes: bool = False,
        typed: str = "",
        terminal: bool = False,
        **given: object,
    ) -> Ended:
        """Run a command that a test wrote, with what a command line would have given."""
        world = self.world(typed=typed, terminal=terminal)
        made = Command(body=lambda run, _: body(run), options=NoOptions, writes=writes)
        return ended(made.run(dict(given), world), world)


def ended(code: int, world: World) -> Ended:
    assert isinstance(world.stdout, Stream)
    assert isinstance(world.stderr, Stream)
    return Ended(code, world.stdout.getvalue(), world.stderr.getvalue())
