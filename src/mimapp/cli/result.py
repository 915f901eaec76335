"""What a command gives back: one JSON document and the same thing as blocks of text; rendering is `cli.output`'s."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from mimapp.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Block", "JsonValue", "Line", "Pairs", "Raw", "Result", "Table", "Tone"]

JsonValue: TypeAlias = "str | int | float | bool | Sequence[JsonValue] | Mapping[str, JsonValue] | None"

#: plain text; a heading; what is right; what needs a look; what is wrong; what matters less.
Tone: TypeAlias = Literal["plain", "heading", "good", "warn", "bad", "dim"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text; empty is a blank line. One that is `whole` holds a command: only the terminal breaks it."""

    text: str = ""
    tone: Tone = "plain"
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Pairs:
    """Labels and values, one pair a line, the values below each other."""

    pairs: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Table:
    """Columns with a title each, and rows; `tones` gives each row's, where they differ."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    tones: Sequence[Tone] = ()


Block: TypeAlias = "Line | Pairs | Table"


@dataclass(frozen=True, slots=True)
class Raw:
    """A text for a file or a pipe, such as a script: written as it is, with no mark and no wrapping.

    Attributes:
        text: what a terminal shows.
        encoded: the file that it is, byte for byte, which a pipe gets; None: the text in the stream's own encoding.
    """

    text: str
    encoded: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The one result of one command.

    Attributes:
        schema: names the document's form, such as ``mimapp.register/1``.
        document: without ``schema`` and ``sandbox``, which every document gets.
        text: what people see.
        code: the exit code; `ExitCode.ATTENTION` where a person has to do something.
    """

    schema: str
    document: Mapping[str, JsonValue]
    text: Sequence[Block] | Raw = field(default=())
    code: ExitCode = ExitCode.DONE
