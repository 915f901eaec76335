"""Paths of OData: ``/applications(appId='x')/owners/y/$ref`` as parts, and the templates that operations are known by.

A part is a name or a key. A key comes in parentheses, named or not, or as the segment after a collection; a template
writes it ``{}``. Names are compared without regard to case, as Graph does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Key", "matches", "parse_path"]

_SEGMENT = re.compile(r"(?:[^/']|'[^']*')+")
_KEYED = re.compile(r"(?P<name>[\w.$]+)\((?:(?P<key>\w+)=)?'(?P<value>(?:[^']|'')*)'\)")


@dataclass(frozen=True, slots=True)
class Key:
    """What names one object: an id, or the value of an alternate key."""

    value: str
    name: str | None = None


Part = str | Key


def parse_path(path: str) -> tuple[Part, ...]:
    """The parts of a path below the version; percent-encoding is taken off already."""
    parts: list[Part] = []
    for segment in _SEGMENT.findall(path):
        keyed = _KEYED.fullmatch(segment)
        if keyed is None:
            parts.append(segment)
        else:
            parts += [keyed["name"], Key(value=keyed["value"].replace("''", "'"), name=keyed["key"])]
    return tuple(parts)


def matches(template: str, parts: tuple[Part, ...]) -> tuple[Key, ...] | None:
    """The keys of a path that fits the template, or None."""
    wanted = template.split("/")
    if len(wanted) != len(parts):
        return None
    keys: list[Key] = []
    for want, part in zip(wanted, parts, strict=True):
        if want == "{}":
            if isinstance(part, str) and part.startswith("$"):
                return None
            keys.append(part if isinstance(part, Key) else Key(value=part))
        elif not isinstance(part, str) or part.casefold() != want.casefold():
            return None
    return tuple(keys)
