"""Recipient filters: the small part of OPATH that the sandbox reads, ``Property -eq 'value'`` joined by ``-or``.

Exchange knows far more; a filter that is not read here is refused where it is given, instead of being taken and
ignored.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mimapp.sandbox.exchange.models import Recipient

__all__ = ["PROPERTIES", "Clause", "read_filter"]

_CLAUSE = re.compile(r"\s*(\w+)\s+-eq\s+'((?:[^']|'')*)'\s*")
_OR = re.compile(r"\s-or\s", re.IGNORECASE)

PROPERTIES = frozenset({"alias", "emailaddresses", "externaldirectoryobjectid", "name", "primarysmtpaddress"})
"""The properties of a recipient that a filter may ask for; MemberOfGroup is a scope's."""


class Clause(NamedTuple):
    """One comparison: a property's lower-case name and the value that it must have."""

    name: str
    value: str

    def fits(self, recipient: Recipient) -> bool:
        """Whether a recipient's own property has the value, whatever its case."""
        held = {
            "alias": (recipient.alias,),
            "emailaddresses": recipient.addresses,
            "externaldirectoryobjectid": (recipient.external_id,),
            "name": (recipient.name,),
            "primarysmtpaddress": (recipient.primary,),
        }.get(self.name, ())
        wanted = self.value.casefold().removeprefix("smtp:")
        return wanted in {value.casefold() for value in held}


def read_filter(text: str) -> tuple[Clause, ...]:
    """The clauses, any of which may fit; none when the filter has any other form."""
    clauses = []
    for piece in _OR.split(text.strip().strip("{}()")):
        match = _CLAUSE.fullmatch(piece)
        if match is None:
            return ()
        clauses.append(Clause(name=match[1].casefold(), value=match[2].replace("''", "'")))
    return tuple(clauses)
