"""One line of a host check, and the whole report."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from mimapp.host.registry import Missing, RegistryValue

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["HostReport", "Row", "Verdict", "number", "text", "unseen"]


class Verdict(StrEnum):
    """What a row comes to; `WRONG` and `ATTENTION` need a person."""

    OK = "ok"
    WRONG = "wrong"
    ATTENTION = "attention"
    NOTE = "note"
    UNSEEN = "not seen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One question: what was found, what is wanted, the verdict, why, and what to do (empty when nothing).

    `key` is stable, for JSON.
    """

    key: str
    title: str
    value: str
    wanted: str
    verdict: Verdict
    why: str = ""
    fix: str = ""

    @property
    def needs_person(self) -> bool:
        """Whether somebody has to do something about it."""
        return self.verdict in {Verdict.WRONG, Verdict.ATTENTION}


@dataclass(frozen=True, slots=True, kw_only=True)
class HostReport:
    """All rows of one server.

    Attributes:
        server: its name, empty where the input does not tell.
        source: what was read.
        read_at: when the server was read, or None where the input does not tell.
        judged_at: when it was judged.
        sandbox: whether the registration belongs to the simulated tenant.
        rows: in the order in which they matter.
    """

    server: str
    source: str
    read_at: datetime | None
    judged_at: datetime
    sandbox: bool
    rows: tuple[Row, ...]

    @property
    def attention(self) -> bool:
        """Whether anything needs a person: exit code 3."""
        return any(row.needs_person for row in self.rows)


def unseen(key: str, title: str, wanted: str, why: str = "") -> Row:
    """The row for what an input cannot answer; `why` where more is known than that."""
    return Row(key=key, title=title, value="", wanted=wanted, verdict=Verdict.UNSEEN, why=why)


def number(found: RegistryValue | Missing) -> int | None:
    """A DWORD's number; None for anything else."""
    return found.data if isinstance(found, RegistryValue) and isinstance(found.data, int) else None


def text(found: RegistryValue | Missing) -> str:
    """A value as a person reads it: its number or text, ``absent``, or its type when it is neither."""
    if isinstance(found, Missing):
        return str(found.value)
    return str(found.data) if isinstance(found.data, (int, str)) else f"a {found.kind}"
