"""``EwsAllowedAppIDs`` as a value: read with tolerance, never guessed at.

The setting is one string of GUIDs with commas between (https://learn.microsoft.com/powershell/module/exchange/
set-organizationconfig). Blanks, braces, capitals and a JSON array are taken as well [unverified that they occur]. A
piece that is no GUID makes the whole list unknown, and an unknown list is never written over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Unknown", "is_app_id", "parse_allowed_app_ids"]

_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A list that could not be read.

    Attributes:
        reason: why, in words.
        text: what stood there; empty where nothing did.
    """

    reason: str
    text: str = ""


def is_app_id(text: str) -> bool:
    """Whether a text is a GUID without braces or blanks."""
    return _GUID.fullmatch(text) is not None


def parse_allowed_app_ids(value: object) -> tuple[str, ...] | Unknown:
    """The application ids of the setting, in its order and letter case, without braces and blanks.

    Args:
        value: as it stood in the reply: a string, a list of strings, or None.
    """
    if value is None:
        return ()
    if isinstance(value, str):
        pieces = value.split(",")
    elif isinstance(value, list) and all(isinstance(entry, str) for entry in value):
        pieces = [piece for entry in value for piece in str(entry).split(",")]
    else:
        return Unknown(reason="the list is neither text nor a list of texts", text=repr(value))
    found: list[str] = []
    for piece in pieces:
        bare = piece.strip()
        if not bare:
            continue
        app_id = _without_braces(bare)
        if not is_app_id(app_id):
            whole = value if isinstance(value, str) else ",".join(value)
            return Unknown(reason=f"{bare!r} is not an application id", text=whole)
        found.append(app_id)
    return tuple(found)


def _without_braces(piece: str) -> str:
    return piece[1:-1].strip() if piece.startswith("{") and piece.endswith("}") else piece
