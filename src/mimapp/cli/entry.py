"""From a command line to an exit code: the way in for tests (`main`) and for the process (`run_process`)."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING, NoReturn

from mimapp.cli.world import World, discard_rest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import FrameType

    import typer

__all__ = ["main", "run_process"]


def main(argv: Sequence[str], *, world: World | None = None) -> int:
    """Run one command line. It ends in words and an exit code, never in an exception.

    Args:
        argv: the arguments without the program's name.
        world: the seams; None takes the process's own.

    Returns:
        The exit code, one of `mimapp.cli.exit_codes.ExitCode`.
    """
    here = World.of_this_process() if world is None else world
    try:
        with contextlib.redirect_stdout(here.stdout), contextlib.redirect_stderr(here.stderr):
            code = _parse_and_run(argv, here)
        here.stdout.flush()
    except BrokenPipeError:
        discard_rest(here.stdout)
        return 0
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - what is no command's own error becomes words here
        return _report(error, argv, here)
    return code


def _parse_and_run(argv: Sequence[str], world: World) -> int:
    import typer  # noqa: PLC0415 - costs more than --version may

    from mimapp.cli.group import root  # noqa: PLC0415 - as above

    group = root()
    try:
        with group.make_context("mimapp", list(argv), obj=world) as context:
            code: int = group.invoke(context)
    except typer.Exit as ending:
        return ending.exit_code
    except SystemExit:  # how rich ends when the reader of the help has gone away; a command's own never comes so far
        return 0
    return code


def run_process(argv: Sequence[str]) -> int:
    """Run one command line as the process: SIGTERM ends it as Ctrl-C does, with its own code."""
    signal.signal(signal.SIGTERM, _terminate)
    return main(argv)


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    from mimapp.cli.exit_codes import Terminated  # noqa: PLC0415 - only needed when the signal comes

    raise Terminated


def _report(error: BaseException, argv: Sequence[str], world: World) -> int:
    """Tell of an error that came before a command could: a line that cannot be parsed, or a bug of the frame."""
    import typer  # noqa: PLC0415 - as in main

    from mimapp.cli.errors import report  # noqa: PLC0415 - costs what `mimapp --help` need not wait for
    from mimapp.cli.output import Output  # noqa: PLC0415 - as above

    output = Output(world, as_json=_wants_json(argv, world), sandbox="--sandbox" in argv)
    if isinstance(error, typer.TyperException):
        return report(_usage(error), output, home=None)
    return report(error, output, home=_home_if_any(world))


def _home_if_any(world: World) -> Path | None:
    """Where a traceback may go; None where the home itself is what is wrong."""
    from mimapp.cli.home import home_of  # noqa: PLC0415 - costs what `mimapp --help` need not wait for
    from mimapp.errors import UsageError  # noqa: PLC0415 - as above

    try:
        return home_of(world)
    except UsageError:
        return None


def _wants_json(argv: Sequence[str], world: World) -> bool:
    """Whether the caller reads JSON, as far as a command line that cannot be parsed tells."""
    if "--output=json" in argv:
        return True
    if "--output" in argv:
        place = list(argv).index("--output") + 1
        return list(argv[place : place + 1]) == ["json"]
    return world.environ.get("MIMAPP_OUTPUT") == "json"


def _usage(error: typer.TyperException) -> Exception:
    """What the parser did not like, as one of our errors: its words on one line, and where to read more."""
    from mimapp.errors import UsageError  # noqa: PLC0415 - as in _report

    words = " ".join(error.format_message().split())
    context = getattr(error, "ctx", None)
    path = "mimapp" if context is None else str(context.command_path)
    if path == "mimapp" and words.startswith("No such option"):
        return UsageError(words, hint="options stand after the command, such as: mimapp clouds --output json")
    return UsageError(words, hint=f"{path} --help lists what there is")
