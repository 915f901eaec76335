"""``mimapp config``: what is set, and by what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.cli.command import Run, command
from mimapp.cli.names import commands
from mimapp.cli.options import CommonOptions, NoOptions, specs_of
from mimapp.cli.result import Line, Pairs, Result, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mimapp.cli.options import Spec
    from mimapp.cli.settings import Value

__all__ = ["show"]

_HOME_VARIABLE = "MIMAPP_HOME"


@command(NoOptions)
def show(run: Run, _options: NoOptions) -> Result:
    """List every setting with its value and its source.

    A value comes from an option, else its variable, else the file that --config names, else config.toml under
    MIMAPP_HOME, else a default. Secrets are never shown.
    """
    specs = tuple(_settings())
    values = {value.name: value for value in run.values}
    found = [(spec, values.get(spec.name) or run.settings.find(spec, {})) for spec in specs]
    unknown = sorted(_unknown_variables(run, specs))
    files = [str(file.path) for file in run.settings.files]
    return Result(
        schema="mimapp.config/1",
        document={
            "home": str(run.home),
            "files": files,
            "settings": [
                {"name": spec.key, "value": value.text or None, "source": value.source} for spec, value in found
            ],
            "unknownVariables": unknown,
        },
        text=(
            Pairs([("home", str(run.home)), *(("file", path) for path in files)]),
            Line(),
            Table(("setting", "value", "source"), [_row(spec, value) for spec, value in found]),
            *(Line(f"{name} is set and means nothing to mimapp", "warn") for name in unknown),
        ),
    )


def _row(spec: Spec, value: Value) -> tuple[str, str, str]:
    return spec.key, value.text or "-", value.source


def _settings() -> Iterator[Spec]:
    """Every value that something else than an option can set: the common ones, then those of single commands."""
    from mimapp.cli.parsing import load  # noqa: PLC0415 - imports every command, which no other command should do

    seen: set[str] = set()
    of_commands = (spec for row in commands() for spec in load(row).specs)
    for spec in (*specs_of(CommonOptions), *of_commands):
        if (spec.setting or spec.variable) and spec.name not in seen:
            seen.add(spec.name)
            yield spec


def _unknown_variables(run: Run, specs: tuple[Spec, ...]) -> Iterator[str]:
    known = {_HOME_VARIABLE} | {spec.own_variable for spec in specs if spec.setting}
    return (name for name in run.world.environ if name.startswith("MIMAPP_") and name not in known)
