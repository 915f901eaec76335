"""How generated PowerShell and .reg text is quoted, filled in and turned into bytes that Windows reads right.

Owns templates (the ``scripts`` folder beside this file) and encodings; what a script does stands in its template.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from mimapp.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ScriptFile", "filled", "quoted", "template"]

# Windows PowerShell takes these four for a single quote, too: an unescaped one ends the string.
_SINGLE_QUOTES = "'\u2018\u2019\u201a\u201b"
_PLACE = re.compile(r"#<([a-z-]+)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptFile:
    r"""A text for Windows with the bytes it has to be saved as.

    Attributes:
        name: the suggested file name.
        text: the text with ``\n`` ends, for a terminal.
        encoding: ``utf-8-sig`` (PowerShell) or ``utf-16`` (.reg, little endian with its mark).
    """

    name: str
    text: str
    encoding: str

    def encoded(self) -> bytes:
        """The file's content: byte order mark, CRLF line ends."""
        body = self.text.replace("\n", "\r\n")
        if self.encoding == "utf-16":
            return b"\xff\xfe" + body.encode("utf-16-le")
        return body.encode(self.encoding)


def quoted(value: str) -> str:
    """A PowerShell single-quoted string that means exactly `value`.

    Raises:
        UsageError: the value holds a control character, which has no business in a generated script.
    """
    if not value.isprintable():
        raise UsageError(f"{value!r} holds a control character and cannot go into a script")
    return "'" + "".join(sign * 2 if sign in _SINGLE_QUOTES else sign for sign in value) + "'"


def template(name: str) -> str:
    """The text of a script template of this room."""
    return files("mimapp.host").joinpath("scripts", name).read_text(encoding="utf-8")


def filled(text: str, values: Mapping[str, str]) -> str:
    """A template with every ``#<place>`` replaced by its value; each place must be given and each value used.

    Raises:
        KeyError: template and values do not fit, which is a fault of this program.
    """
    unused = set(values)

    def fill(match: re.Match[str]) -> str:
        unused.discard(match[1])
        return values[match[1]]

    done = _PLACE.sub(fill, text)
    if unused:
        raise KeyError(f"no place in the template for {sorted(unused)}")
    return done
