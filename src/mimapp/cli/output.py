"""Writes to the two streams: stdout gets the result and nothing else, stderr everything that happens on the way.

On a terminal text is coloured and wrapped by rich; elsewhere it is plain and never wrapped, so that a pipe can read it.
Texts that come from a service are never read as markup.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from mimapp.cli.result import Line, Pairs, Raw
from mimapp.cli.world import discard_rest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import TextIO

    from rich.console import Console, RenderableType

    from mimapp.cli.result import Block, JsonValue, Result, Tone
    from mimapp.cli.world import World

__all__ = ["SANDBOX_MARK", "Output"]

SANDBOX_MARK = "SANDBOX: a simulated tenant; nothing real was asked or changed."

_STYLES: dict[Tone, str] = {
    "plain": "",
    "heading": "bold",
    "good": "green",
    "warn": "yellow",
    "bad": "bold red",
    "dim": "dim",
}


class Output:
    """The streams of one run.

    Args:
        world: whose streams they are.
        as_json: whether the result is one JSON document.
        sandbox: whether everything is marked as simulated.
    """

    def __init__(self, world: World, *, as_json: bool = False, sandbox: bool = False) -> None:
        self._world = world
        self.as_json = as_json
        self.sandbox = sandbox

    def result(self, result: Result) -> None:
        """Write the one result."""
        if self.as_json:
            self.document(result.schema, result.document)
        elif isinstance(result.text, Raw):
            self._raw(result.text)
        else:
            mark = (Line(SANDBOX_MARK, "warn"), Line()) if self.sandbox else ()
            self._blocks((*mark, *result.text), self._world.stdout)

    def document(self, schema: str, document: Mapping[str, JsonValue]) -> None:
        """Write one JSON document, with its schema first."""
        whole = {"schema": schema, **document, "sandbox": self.sandbox}
        encoding = (getattr(self._world.stdout, "encoding", None) or "utf-8").lower().replace("_", "-")
        text = json.dumps(whole, indent=2, ensure_ascii=encoding not in {"utf-8", "utf8"})
        with _quietly(self._world.stdout) as stream:
            stream.write(f"{text}\n")

    def tell(self, blocks: Sequence[Block]) -> None:
        """Write blocks to stderr, such as a plan before its prompt."""
        self._blocks(blocks, self._world.stderr)

    def _raw(self, raw: Raw) -> None:
        with _quietly(self._world.stdout) as stream:
            if isinstance(raw.content, str):
                stream.write(raw.content)
                return
            stream.flush()
            stream.buffer.write(raw.content)
            stream.buffer.flush()

    def _blocks(self, blocks: Sequence[Block], stream: TextIO) -> None:
        with _quietly(stream):
            if stream.isatty():
                console = console_of(self._world, stream)
                for block in blocks:
                    console.print(_rich(block))
            else:
                stream.writelines(f"{line}\n" for block in blocks for line in _plain(block))


def console_of(world: World, stream: TextIO) -> Console:
    """A rich console on one of the streams, which reads no markup, emoji codes or numbers out of texts."""
    from rich.console import Console  # noqa: PLC0415 - only a terminal needs it

    return Console(
        file=stream,
        markup=False,
        emoji=False,
        highlight=False,
        no_color=bool(world.environ.get("NO_COLOR")),
        soft_wrap=False,
    )


@contextlib.contextmanager
def _quietly(stream: TextIO) -> Iterator[TextIO]:
    """Write and flush; a reader that has gone away is no error, and nothing is written to it again."""
    try:
        yield stream
        stream.flush()
    except BrokenPipeError:
        discard_rest(stream)


def _plain(block: Block) -> Iterator[str]:
    if isinstance(block, Line):
        yield block.text
    elif isinstance(block, Pairs):
        width = max((len(label) for label, _ in block.pairs), default=0)
        for label, value in block.pairs:
            yield f"{label:<{width}}  {value}".rstrip()
    else:
        rows = [tuple(block.columns), *(tuple(row) for row in block.rows)]
        widths = [max(len(row[place]) for row in rows) for place in range(len(block.columns))]
        for row in rows:
            yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def _rich(block: Block) -> RenderableType:
    from rich.table import Table as RichTable  # noqa: PLC0415 - only a terminal needs it
    from rich.text import Text  # noqa: PLC0415 - as above

    if isinstance(block, Line):
        return Text(block.text, style=_STYLES[block.tone])
    if isinstance(block, Pairs):
        grid = RichTable.grid(padding=(0, 2))
        for label, value in block.pairs:
            grid.add_row(Text(label, style="bold"), Text(value))
        return grid
    table = RichTable(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in block.columns:
        table.add_column(Text(column))
    for number, row in enumerate(block.rows):
        style = _STYLES[block.tones[number]] if block.tones else ""
        table.add_row(*(Text(cell) for cell in row), style=style)
    return table
