"""Writes to the two streams: stdout gets the result and nothing else, stderr everything that happens on the way.

On a terminal text is coloured and wrapped by rich; elsewhere it is plain and never wrapped, so that a pipe can read it.
Texts that come from a service are never read as markup, and their control characters do not reach the terminal. In the
sandbox both streams carry its mark.
"""

from __future__ import annotations

import contextlib
import json
import textwrap
import unicodedata
from typing import TYPE_CHECKING

from mimapp.cli.result import Line, Pairs, Raw
from mimapp.cli.world import discard_rest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import TextIO

    from rich.console import Console, RenderableType

    from mimapp.cli.result import Block, JsonValue, Result, Table, Tone
    from mimapp.cli.world import World

__all__ = ["SANDBOX_MARK", "Output"]

SANDBOX_MARK = "SANDBOX: a simulated tenant; nothing real is asked or changed."

_STYLES: dict[Tone, str] = {
    "plain": "",
    "heading": "bold",
    "good": "green",
    "warn": "yellow",
    "bad": "bold red",
    "dim": "dim",
}
_DUMB_TERMINALS = frozenset({"dumb", "unknown"})
_NARROWEST = 40
_HANGING = 4


class Output:
    """The streams of one run.

    Args:
        world: whose streams they are.
        as_json: whether the result is one JSON document.
        sandbox: whether everything is marked as simulated.

    Attributes:
        tells_nobody: stderr could not be written, and what is told goes nowhere.
    """

    def __init__(self, world: World, *, as_json: bool = False, sandbox: bool = False) -> None:
        self._world = world
        self.as_json = as_json
        self.sandbox = sandbox
        self.tells_nobody = False
        self._console: Console | None = None
        self._told_mark = not sandbox

    def result(self, result: Result) -> None:
        """Write the one result."""
        if self.as_json:
            self.document(result.schema, result.document)
        elif isinstance(result.text, Raw):
            self._raw(result.text)
        else:
            mark = (Line(SANDBOX_MARK, "warn"), Line()) if self.sandbox else ()
            self._blocks((*mark, *result.text), self._world.stdout, None)

    def document(self, schema: str, document: Mapping[str, JsonValue]) -> None:
        """Write one JSON document, with its schema first."""
        whole = {"schema": schema, **document, "sandbox": self.sandbox}
        text = json.dumps(whole, indent=2, ensure_ascii=not _speaks_unicode(self._world.stdout))
        with _quietly(self._world.stdout) as stream:
            stream.write(f"{text}\n")

    def tell(self, blocks: Sequence[Block]) -> None:
        """Write blocks to stderr, such as a plan before its prompt; a stderr that takes nothing ends no run."""
        if not self._told_mark:
            self._told_mark = True
            blocks = (Line(SANDBOX_MARK, "warn"), *blocks)
        stream = self._world.stderr
        try:
            self._blocks(blocks, stream, self.console() if stream.isatty() else None)
        except OSError:  # a full disk behind a redirection
            self.tells_nobody = True
            discard_rest(stream)

    def sign(self, tone: Tone) -> str:
        """What a line about something finished begins with on a terminal; nothing elsewhere, where words say it."""
        stream = self._world.stderr
        if not stream.isatty():
            return ""
        if _speaks_unicode(stream):
            return "✗ " if tone == "bad" else "✓ "
        return "x " if tone == "bad" else "+ "

    @property
    def is_at_terminal(self) -> bool:
        """Whether stderr is a terminal."""
        return self._world.stderr.isatty()

    @property
    def can_be_live(self) -> bool:
        """Whether stderr is a terminal on which something can be redrawn in place."""
        return self._world.stderr.isatty() and self._world.environ.get("TERM", "") not in _DUMB_TERMINALS

    def console(self) -> Console:
        """The one rich console on stderr, for a terminal."""
        if self._console is None:
            self._console = _console_on(self._world.stderr, self._world)
        return self._console

    def _raw(self, raw: Raw) -> None:
        if not self._told_mark:
            self.tell(())
        with _quietly(self._world.stdout) as stream:
            pipe = None if stream.isatty() else getattr(stream, "buffer", None)
            if raw.encoded is None or pipe is None:
                stream.write(raw.text)
                return
            stream.flush()
            pipe.write(raw.encoded)
            pipe.flush()

    def _blocks(self, blocks: Sequence[Block], stream: TextIO, console: Console | None) -> None:
        with _quietly(stream):
            if stream.isatty():
                console = console or _console_on(stream, self._world)
                for block in blocks:
                    console.print(_rich(block, console.width), soft_wrap=isinstance(block, Line))
            else:
                stream.writelines(f"{line}\n" for block in blocks for line in _plain(block))


def _console_on(stream: TextIO, world: World) -> Console:
    """A rich console that reads no markup, emoji codes or numbers out of texts."""
    from rich.console import Console  # noqa: PLC0415 - only a terminal needs it

    columns = world.environ.get("COLUMNS", "")
    return Console(
        file=stream,
        markup=False,
        emoji=False,
        highlight=False,
        no_color=bool(world.environ.get("NO_COLOR")),
        width=max(_NARROWEST, int(columns)) if columns.isdigit() else None,
    )


def _speaks_unicode(stream: TextIO) -> bool:
    """Whether a stream takes any character; one that keeps texts (a test's) has no encoding and does."""
    encoding: str | None = getattr(stream, "encoding", None)
    return encoding is None or encoding.lower().startswith("utf")


@contextlib.contextmanager
def _quietly(stream: TextIO) -> Iterator[TextIO]:
    """Write and flush; a reader that has gone away is no error, and nothing is written to it again."""
    try:
        yield stream
        stream.flush()
    except BrokenPipeError:
        discard_rest(stream)


def _clean(text: str) -> str:
    """A text without the characters that steer a terminal or the direction of writing; line ends and tabs stay."""
    if text.isprintable():
        return text
    return "".join(char if _is_harmless(char) else "\N{REPLACEMENT CHARACTER}" for char in text)


def _is_harmless(char: str) -> bool:
    return char.isprintable() or char in "\n\t" or unicodedata.category(char) == "Zs"


def _plain(block: Block) -> Iterator[str]:
    if isinstance(block, Line):
        yield _clean(block.text)
    elif isinstance(block, Pairs):
        width = max((len(label) for label, _ in block.pairs), default=0)
        for label, value in block.pairs:
            yield f"{label:<{width}}  {_clean(value)}".rstrip()
    else:
        yield from _plain_table(block)


def _plain_table(table: Table) -> Iterator[str]:
    rows, widths = _cells(table)
    for row in rows:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def _cells(table: Table) -> tuple[list[tuple[str, ...]], list[int]]:
    """The titles and rows of a table without control characters, and how wide each column is."""
    rows = [tuple(table.columns), *(tuple(_clean(cell) for cell in row) for row in table.rows)]
    return rows, [max(len(row[place]) for row in rows) for place in range(len(table.columns))]


def _rich(block: Block, width: int) -> RenderableType:
    from rich.text import Text  # noqa: PLC0415 - only a terminal needs it

    if isinstance(block, Line):
        text = _clean(block.text)
        return Text(text if block.whole else _wrapped(text, width), style=_STYLES[block.tone])
    if isinstance(block, Pairs):
        return _rich_pairs(block.pairs)
    return _rich_table(block, width)


def _wrapped(text: str, width: int) -> str:
    """A line broken between words, with what follows set in; a long word is the terminal's to break, for copying."""
    if len(text) <= width:
        return text
    lead = len(text) - len(text.lstrip())
    return textwrap.fill(
        text,
        width,
        subsequent_indent=" " * (lead + _HANGING),
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
    )


def _rich_pairs(pairs: Sequence[tuple[str, str]], *, indent: int = 0) -> RenderableType:
    from rich.padding import Padding  # noqa: PLC0415 - only a terminal needs it
    from rich.table import Table as RichTable  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    grid = RichTable.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for label, value in pairs:
        grid.add_row(Text(label, style="bold"), Text(_clean(value)))
    return Padding(grid, (0, 0, 0, indent))


def _rich_table(table: Table, width: int) -> RenderableType:
    """Columns where they fit the terminal, else each row as pairs below its first cell: nothing is cut off."""
    from rich.console import Group  # noqa: PLC0415 - only a terminal needs it
    from rich.table import Table as RichTable  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    (titles, *rows), widths = _cells(table)
    styles = [_STYLES[tone] for tone in table.tones] or [""] * len(rows)
    if sum(widths) + 2 * (len(widths) - 1) > width:
        parts: list[RenderableType] = []
        for row, style in zip(rows, styles, strict=True):
            parts += [
                Text(row[0], style=f"bold {style}"),
                _rich_pairs(list(zip(titles, row, strict=True))[1:], indent=2),
            ]
        return Group(*parts)
    columns = RichTable(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for title in titles:
        columns.add_column(Text(title), no_wrap=True)
    for row, style in zip(rows, styles, strict=True):
        columns.add_row(*map(Text, row), style=style)
    return columns
