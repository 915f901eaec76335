"""From a command line to an exit code: the way in for tests (`main`) and for the process (`run_process`)."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING, NoReturn

from mimapp.cli.exit_codes import ExitCode, Terminated
from mimapp.cli.world import World
from mimapp.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    import typer

__all__ = ["main", "run_process"]


def main(argv: Sequence[str], *, world: World | None = None) -> int:
    """Run one command line; known errors end in words and an exit code, never in an exception.

    Args:
        argv: the arguments without the program's name.
        world: the seams; None takes the process's own.

    Returns:
        The exit code, one of `ExitCode`.
    """
    import typer  # noqa: PLC0415 - costs more than --version may

    from mimapp.cli.errors import report  # noqa: PLC0415 - as above
    from mimapp.cli.group import root  # noqa: PLC0415 - as above
    from mimapp.cli.output import Output  # noqa: PLC0415 - as above

    here = World.of_this_process() if world is None else world
    arguments = list(argv)
    try:
        with contextlib.redirect_stdout(here.stdout), contextlib.redirect_stderr(here.stderr):
            group = root()
            with group.make_context("mimapp", arguments or ["--help"], obj=here) as context:
                code: int = group.invoke(context)
    except typer.Exit as ending:
        return int(ending.exit_code) if arguments else ExitCode.USAGE
    except typer.TyperException as error:
        output = Output(here, as_json=_wants_json(arguments, here), sandbox="--sandbox" in arguments)
        return report(_usage(error), output, home=None)
    return code


def run_process(argv: Sequence[str]) -> int:
    """Run one command line as the process: SIGTERM ends it as Ctrl-C does, with its own code."""

    def terminate(_number: int, _frame: FrameType | None) -> NoReturn:
        raise Terminated

    signal.signal(signal.SIGTERM, terminate)
    return main(argv)


def _wants_json(arguments: Sequence[str], world: World) -> bool:
    """Whether the caller reads JSON, as far as a command line that cannot be parsed tells."""
    if "--output=json" in arguments:
        return True
    if "--output" in arguments:
        place = arguments.index("--output") + 1
        return arguments[place : place + 1] == ["json"]
    return world.environ.get("MIMAPP_OUTPUT") == "json"


def _usage(error: typer.TyperException) -> UsageError:
    return UsageError(" ".join(error.format_message().split()))
