"""The Typer side: a group that imports a command's module only when that command runs, and parsing without conversion.

Typer reads the signature that `build` makes from a command's option specs and writes the help. The values themselves
stay texts until `mimapp.cli.settings` reads them, so that an option, a variable and a file are judged by one rule;
`_Plain` therefore leaves out Typer's own conversion, which would import pydantic (90 ms) for every run.
"""

from __future__ import annotations

import importlib
import inspect
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from mimapp import __version__
from mimapp.cli.command import Command
from mimapp.cli.kinds import COUNT, FLAG
from mimapp.cli.names import GROUPS, NAMES

if TYPE_CHECKING:
    from mimapp.cli.names import Name
    from mimapp.cli.options import Spec

__all__ = ["build", "load", "root"]

_MARKUP: Final = "rich"
_DESCRIPTION: Final = "Give a Microsoft Identity Manager Service its Exchange Online mailbox, and keep it working."


class _Plain(TyperCommand):
    """A command whose values stay as typed; only what was given is handed on."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - Typer's context class is private
        """Parse a command line into ``ctx.params`` without converting anything."""
        parser = self.make_parser(ctx)
        raw, rest, order = parser.parse_args(args=list(args))
        for parameter in self.get_params(ctx):
            if parameter.is_eager and parameter in order:
                parameter.handle_parse_result(ctx, raw, rest)
        if rest:
            ctx.fail(f"unexpected argument: {' '.join(rest)}")
        names = {parameter.name for parameter in self.params}
        ctx.params = {name: value for name, value in raw.items() if name in names and value is not None}
        ctx.args = []
        return []


class _Lazy(TyperGroup):
    """A group that knows its commands by the static table."""

    prefix = ""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - handed on to Typer as they are
        super().__init__(**attributes)
        for row in NAMES:
            if row.path.rpartition(" ")[0] == self.prefix:
                name = row.path.rpartition(" ")[2]
                self.commands[name] = TyperCommand(name, help=row.help, rich_help_panel=row.panel)
        if not self.prefix:
            for group in GROUPS:
                self.commands[group.path] = TyperCommand(group.path, help=group.help, rich_help_panel=group.panel)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 - Typer's context class is private
        """Find a command by its name, and import it now."""
        name, found, rest = super().resolve_command(ctx, args)
        if found is not None and name is not None:
            found = _real(f"{self.prefix} {name}".strip())
        return name, found, rest


def root() -> TyperGroup:
    """The whole command line."""
    app = typer.Typer(cls=_Lazy, add_completion=False, rich_markup_mode=_MARKUP, help=_DESCRIPTION)

    @app.callback()
    def _(
        *,
        version: Annotated[bool, typer.Option("--version", help="Show the version and end.")] = False,
    ) -> None:
        if version:
            typer.echo(f"mimapp {__version__}")
            raise typer.Exit

    made = typer.main.get_command(app)
    if not isinstance(made, TyperGroup):
        raise TypeError("Typer made no group of the root")
    return made


def load(row: Name) -> Command[Any]:
    """Import the module of one command, and give the command."""
    found = getattr(importlib.import_module(f"mimapp.cli.commands.{row.module}"), row.attribute)
    if not isinstance(found, Command):
        raise TypeError(f"{row.module}.{row.attribute} is no command")
    return found


def build(name: str, command: Command[Any]) -> TyperCommand:
    """One command as Typer needs it: a function with a parameter for every option."""

    def callback(ctx: typer.Context, **given: object) -> int:
        del given  # Typer fills in defaults; the context holds what was given
        return command.run(dict(ctx.params), ctx.obj)

    parameters = [inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)]
    parameters += [_parameter(spec) for spec in command.specs if spec.flags or spec.positional]
    callback.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # read by inspect, unknown to mypy
    callback.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    app = typer.Typer(add_completion=False, rich_markup_mode=_MARKUP)
    app.command(name, cls=_Plain, help=command.help)(callback)
    made = typer.main.get_command(app)
    if not isinstance(made, TyperCommand):
        raise TypeError(f"Typer made no command of {name}")
    return made


def _real(path: str) -> TyperCommand | TyperGroup:
    for row in NAMES:
        if row.path == path:
            return build(path.rpartition(" ")[2], load(row))
    group = next(group for group in GROUPS if group.path == path)
    lazy = type("_LazyBelow", (_Lazy,), {"prefix": path})
    return lazy(name=path, help=group.help, rich_markup_mode=_MARKUP)  # type: ignore[no-any-return]  # made by type()


def _parameter(spec: Spec) -> inspect.Parameter:
    annotation: object
    if spec.positional:
        info: object = typer.Argument(metavar=spec.metavar, help=spec.help, show_default=False)
    else:
        info = typer.Option(
            *spec.flags,
            help=spec.help,
            metavar=spec.metavar or None,
            count=spec.kind is COUNT,
            rich_help_panel=spec.panel or None,
            show_default=False,
        )
    annotation, default = _shape(spec)
    return inspect.Parameter(
        spec.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[annotation, info]
    )


def _shape(spec: Spec) -> tuple[object, object]:
    """The type and default by which Typer tells a flag, a count, a list and a text apart."""
    if spec.kind is FLAG:
        return bool, False
    if spec.kind is COUNT:
        return int, 0
    if spec.kind.many:
        return list[str], []
    return str | None, None
