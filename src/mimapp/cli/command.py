"""How a command is written: a function from a `Run` and its own options to a `Result`, and one decorator.

The frame around it finds the settings, opens streams, logs and progress, asks before a write, turns errors into words
and gives back the exit code. What a command does is said by the rooms below `cli`.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from mimapp.cli.errors import report
from mimapp.cli.exit_codes import ExitCode
from mimapp.cli.home import home_of
from mimapp.cli.logs import logging_to
from mimapp.cli.options import CommonOptions, WriteOptions, specs_of
from mimapp.cli.output import Output
from mimapp.cli.progress import Progress
from mimapp.cli.prompt import require_answerable
from mimapp.cli.recording import Recording
from mimapp.cli.settings import Settings, Value, read_config
from mimapp.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mimapp.cli.options import Spec
    from mimapp.cli.result import Result
    from mimapp.cli.settings import Given
    from mimapp.cli.world import World

__all__ = ["Command", "Run", "command"]

O = TypeVar("O")  # noqa: E741 - the options of one command


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One command, being run.

    Attributes:
        world: the seams.
        home: ``MIMAPP_HOME``, absolute; made on first use by `mimapp.cli.home.make_home`.
        options: what every command accepts, resolved.
        writing: what writing commands accept; all defaults for one that only reads.
        values: every value with its source, the command's own options included.
        settings: where values come from.
        output: the streams, for what has to be told before the result is there.
        progress: a listener for `mimapp.provisioning.events.Event`.
        recording: what ``--record`` asks for.
    """

    world: World
    home: Path
    options: CommonOptions
    writing: WriteOptions
    values: tuple[Value, ...]
    settings: Settings
    output: Output
    progress: Progress
    recording: Recording


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(Generic[O]):
    """A command as the frame knows it.

    Attributes:
        body: what it does.
        options: the dataclass of its own options.
        writes: whether it may change a tenant: it then asks, or needs ``--yes`` where nobody can answer.
        draws: whether it answers ``--output html`` with a page.
        reads_with: whether these options make it one that as a rule only reads: it is then refused for want of a
            person only where there is something to change after all.
        help: its docstring.
    """

    body: Callable[[Run, O], Result]
    options: type[O]
    writes: bool
    draws: bool = False
    reads_with: Callable[[O], bool] = lambda _: False
    help: str = field(default="")

    @property
    def specs(self) -> tuple[Spec, ...]:
        """Every option and argument that it accepts, its own first."""
        return (
            *specs_of(self.options),
            *(specs_of(WriteOptions) if self.writes else ()),
            *specs_of(CommonOptions),
        )

    def run(self, given: Given, world: World) -> ExitCode:
        """Run it; every known error is told in words, and the exit code says how it ended."""
        output = Output(world, as_json=given.get("output") == "json", sandbox=given.get("sandbox") is True)
        home: Path | None = None
        verbose = int(bool(given.get("verbose")))
        try:
            home = home_of(world)
            settings = _settings(given, world, home)
            common, common_values = settings.resolve(CommonOptions, given)
            output = Output(world, as_json=common.output == "json", sandbox=common.sandbox)
            verbose = common.verbose
            self._check_output(common.output)
            own, own_values = settings.resolve(self.options, given)
            writing, _ = settings.resolve(WriteOptions, given)
            if self.writes and not self.reads_with(own):
                require_answerable(world, writing)
            with (
                Recording(common, output, world) as recording,
                Progress(world, output, quiet=common.quiet) as progress,
                logging_to(progress.line, common.verbose),
            ):
                result = self.body(
                    Run(
                        world=world,
                        home=home,
                        options=common,
                        writing=writing,
                        values=(*own_values, *common_values),
                        settings=settings,
                        output=output,
                        progress=progress,
                        recording=recording,
                    ),
                    own,
                )
            try:
                output.result(result)
            except OSError as error:
                did_it = self.writes and not (writing.dry_run or writing.plan_out)
                code = report(_unwritten(error, did_it=did_it), output, home=home, verbose=verbose)
                return ExitCode.ATTENTION if did_it else code
        except (Exception, KeyboardInterrupt, SystemExit) as error:  # noqa: BLE001 - here any error becomes words
            return report(error, output, home=home, verbose=verbose)
        return result.code

    def _check_output(self, output: str) -> None:
        if output == "html" and not self.draws:
            raise UsageError("--output html: this command draws no page", hint="--output text or json")


def command(
    options: type[O],
    *,
    writes: bool = False,
    draws: bool = False,
    reads_with: Callable[[O], bool] = lambda _: False,
) -> Callable[[Callable[[Run, O], Result]], Command[O]]:
    """Make a command of a function; its docstring is the help, whose first line stands in ``mimapp --help``.

    Args:
        options: the dataclass of its own options, `NoOptions` for none.
        writes: whether it may change a tenant.
        draws: whether it answers ``--output html`` with a page.
        reads_with: whether these options make it one that as a rule only reads.
    """

    def decorate(body: Callable[[Run, O], Result]) -> Command[O]:
        return Command(
            body=body,
            options=options,
            writes=writes,
            draws=draws,
            reads_with=reads_with,
            help=inspect.getdoc(body) or "",
        )

    return decorate


def _unwritten(error: OSError, *, did_it: bool) -> UsageError:
    """What to say where the work is done and its result cannot be told."""
    done = "what the command did is done, and mimapp log shows it; " if did_it else ""
    return UsageError(
        f"the result cannot be written to stdout: {error.strerror or type(error).__name__}",
        hint=f"{done}look at the file behind stdout and its disk",
    )


def _settings(given: Given, world: World, home: Path) -> Settings:
    from_line_only = Settings(environ=world.environ, files=())
    first, _ = from_line_only.resolve(CommonOptions, {name: given[name] for name in ("config",) if name in given})
    return Settings(environ=world.environ, files=read_config(first.config, home))
