"""The groups: ``mimapp`` itself and each word with commands below it, known by the static table.

A group imports the module of a command only when that very command is run or asked for its help.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

import typer
from typer.core import TyperCommand, TyperGroup

from mimapp import __version__
from mimapp.cli.names import TABLE, Group, below

if TYPE_CHECKING:
    from mimapp.cli.names import Row

__all__ = ["MARKUP", "USAGE", "PlainHelp", "root"]

MARKUP: Final = "rich"
#: `mimapp.cli.exit_codes.ExitCode.USAGE`, whose module help need not import.
USAGE: Final = 2
_DESCRIPTION: Final = "Give a Microsoft Identity Manager Service its Exchange Online mailbox, and keep it working."


class PlainHelp:
    """``--help`` in the words of the other options."""

    def get_help_option(self, ctx: Any) -> Any:  # noqa: ANN401 - Typer's classes for both are private
        """Give the help option, described as a flag."""
        option = super().get_help_option(ctx)  # type: ignore[misc]  # of the Typer class it is mixed into
        option.metavar, option.help = "", "show this text and end"
        option.default = False  # None would be converted, by pydantic, whose import takes longer than the help
        return option


class _Lazy(PlainHelp, TyperGroup):
    """A group that knows its commands by the static table."""

    def __init__(self, *, path: str = "", **attributes: Any) -> None:  # noqa: ANN401 - handed on to Typer as they are
        super().__init__(**attributes)
        self._path = path
        for row in below(path):
            name = row.path.rpartition(" ")[2]
            self.commands[name] = TyperCommand(name, help=row.help, rich_help_panel=row.panel or None)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - Typer's context class is private
        """Parse the words before the command's name; without any, show the help and end as for any wrong usage."""
        if not args:
            with contextlib.redirect_stdout(sys.stderr):
                typer.echo(self.get_help(ctx), nl=False)
            raise typer.Exit(USAGE)
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 - Typer's context class is private
        """Find a command by its name, and import it now."""
        name, found, rest = super().resolve_command(ctx, args)
        if name is not None:
            path = f"{self._path} {name}".strip()
            found = _real(next(row for row in TABLE if row.path == path))
        return name, found, rest


def _version(asked: bool) -> None:  # noqa: FBT001 - how Typer calls it
    if asked:
        typer.echo(f"mimapp {__version__}")
        raise typer.Exit


_VERSION: Final = typer.Option(
    "--version", help="show the version and end", metavar="", is_eager=True, callback=_version
)


def root() -> TyperGroup:
    """The whole command line."""
    app = typer.Typer(cls=_Lazy, add_completion=False, rich_markup_mode=MARKUP, help=_DESCRIPTION)

    @app.callback()
    def _(*, version: Annotated[bool, _VERSION] = False) -> None:
        """Take the options of ``mimapp`` itself; the callback of ``--version`` has answered it."""

    return cast("TyperGroup", typer.main.get_command(app))  # an application with a callback becomes a group


@functools.cache
def _real(row: Row) -> TyperCommand | TyperGroup:
    """What a row stands for; made once a process, for a caller that runs many command lines."""
    if isinstance(row, Group):
        return _Lazy(path=row.path, name=row.path, help=row.help, rich_markup_mode=MARKUP)
    from mimapp.cli.parsing import build, load  # noqa: PLC0415 - `mimapp --help` needs no command, and none of its parts

    return build(row.path.rpartition(" ")[2], load(row))
