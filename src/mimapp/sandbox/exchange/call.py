"""One cmdlet call as values: who calls, what it reads, what comes out and what is to be written.

A cmdlet is a pure function from `Call` to `Outcome`; the wire reads the directory before it and applies the writes
after it, in one transaction.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from mimapp.sandbox.exchange.models import Directory, Entity
    from mimapp.sandbox.exchange.parameters import Bound, Parameter
    from mimapp.sandbox.exchange.weather import Effect, Weather

__all__ = ["Call", "Caller", "Cmdlet", "Outcome", "Right", "Row"]

Row = Mapping[str, object]
"""One object of a cmdlet's output: property names to text, numbers, truth values, UUIDs, moments or tuples of text."""


class Right(Enum):
    """What a cmdlet asks of its caller; rights.py says who has it."""

    VIEW_RECIPIENTS = "View-Only Recipients"
    VIEW_CONFIGURATION = "View-Only Configuration"
    RECIPIENTS = "Mail Recipients, Distribution Groups"
    CONFIGURATION = "Organization Configuration"
    ROLES = "Role Management"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who runs the cmdlet.

    Attributes:
        app_only: no user stands behind the token.
        object_id: the Entra id of the user or of the service principal.
        upn: the user's principal name; empty app-only.
        rights: what the caller may do.
    """

    app_only: bool
    object_id: str
    upn: str = ""
    rights: frozenset[Right] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a cmdlet works on."""

    cmdlet: str
    parameters: Bound
    directory: Directory
    caller: Caller
    now: datetime
    weather: Weather
    new_guid: Callable[[], str] = lambda: str(uuid.uuid4())

    def from_when(self, effect: Effect) -> datetime:
        """The moment from which something written now acts."""
        return self.now + self.weather.delay(effect)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a cmdlet gives back: output rows, warnings, and the entities to write and to forget."""

    rows: tuple[Row, ...] = ()
    warnings: tuple[str, ...] = ()
    puts: tuple[Entity, ...] = ()
    deletes: tuple[Entity, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cmdlet:
    """A cmdlet that the sandbox knows: its parameters, the right it asks for, and what it does."""

    name: str
    right: Right
    run: Callable[[Call], Outcome]
    parameters: tuple[Parameter, ...] = ()
