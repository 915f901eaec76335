"""From a command's option specs to a Typer command, and parsing without conversion.

Typer reads the signature that `build` makes and writes the help. The values themselves stay texts until
`mimapp.cli.settings` reads them, so that an option, a variable and a file are judged by one rule; `_Plain` therefore
leaves out Typer's own conversion, which would import pydantic (90 ms) for every run.
"""

from __future__ import annotations

import importlib
import inspect
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from typer.core import TyperCommand

from mimapp.cli.command import Command
from mimapp.cli.group import MARKUP, PlainHelp
from mimapp.cli.kinds import COUNT, FLAG

if TYPE_CHECKING:
    from mimapp.cli.names import Name
    from mimapp.cli.options import Spec

__all__ = ["build", "load"]


class _Plain(PlainHelp, TyperCommand):
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
        ctx.params = {name: value for name, value in raw.items() if name in names and value not in (None, ())}
        return []


def load(row: Name) -> Command[Any]:
    """Import the module of one command, and give the command."""
    found = getattr(importlib.import_module(f"mimapp.cli.commands.{row.module}"), row.attribute)
    if not isinstance(found, Command):
        raise TypeError(f"{row.module}.{row.attribute} is no command")
    return found


def build(name: str, command: Command[Any]) -> TyperCommand:
    """One command as Typer needs it: a function with a parameter for every option."""

    def callback(ctx: typer.Context, **_defaults: object) -> int:
        return command.run(dict(ctx.params), ctx.obj)  # ctx.params holds what was given, and nothing else

    parameters = [inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)]
    parameters += [_parameter(spec) for spec in command.specs if spec.flags or spec.positional]
    callback.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # inspect reads it
    callback.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    app = typer.Typer(add_completion=False, rich_markup_mode=MARKUP)
    app.command(name, cls=_Plain, help=_flowing(command.help))(callback)
    return cast("TyperCommand", typer.main.get_command(app))  # an application with one command becomes that command


def _parameter(spec: Spec) -> inspect.Parameter:
    annotation, default = _shape(spec)
    if spec.positional:
        info: object = typer.Argument(metavar=spec.metavar, help=spec.help, show_default=False)
        default = inspect.Parameter.empty if spec.required else default
    else:
        info = typer.Option(
            *spec.flags,
            help=spec.help,
            metavar=spec.metavar,
            count=spec.kind is COUNT,
            rich_help_panel=spec.panel or None,
            show_default=False,
        )
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


def _flowing(text: str) -> str:
    """The paragraphs of a docstring each on one line, so that the terminal's width breaks them and not the source's."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
