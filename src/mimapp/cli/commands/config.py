"""``mimapp config``: what is set, and by what."""

from __future__ import annotations

from mimapp.cli.command import Run, command
from mimapp.cli.options import NoOptions
from mimapp.cli.result import Line, Pairs, Result, Table

__all__ = ["show"]


@command(NoOptions)
def show(run: Run, _options: NoOptions) -> Result:
    """List every setting with its value and its source."""
    rows = [(value.name.replace("_", "-"), value.text, value.source) for value in run.values]
    return Result(
        schema="mimapp.config/1",
        document={
            "home": str(run.home),
            "files": [str(file.path) for file in run.settings.files],
            "settings": [{"name": name, "value": text, "source": source} for name, text, source in rows],
        },
        text=(
            Pairs([("home", str(run.home)), *(("file", str(file.path)) for file in run.settings.files)]),
            Line(),
            Table(("setting", "value", "source"), rows),
        ),
    )
