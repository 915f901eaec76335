"""One row of a preflight: a question with its answer, why it matters and what to do. It knows none of the questions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mimapp.errors import MimappError

__all__ = ["Row", "Verdict", "unknown"]


class Verdict(StrEnum):
    """What an answer means for a registration."""

    OK = "ok"
    WARN = "warn"
    STOP = "stop"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One question and its answer.

    Attributes:
        name: the question, in a few stable words, such as ``mailbox``.
        verdict: `Verdict.STOP` where a registration would fail or do harm; `Verdict.UNKNOWN` where it could not be
            asked.
        found: what is there, in words.
        why: what follows from it.
        remedy: what to do, or empty.
        details: further lines, such as the objects that were found, or the calls of an exemption.
        needs_person: whether somebody has to do or decide something although a registration can begin.
    """

    name: str
    verdict: Verdict
    found: str
    why: str = ""
    remedy: str = ""
    details: tuple[str, ...] = ()
    needs_person: bool = False


def unknown(name: str, error: MimappError, *, is_needed: bool) -> Row:
    """The row of a question that could not be asked.

    Args:
        name: the question.
        error: why not.
        is_needed: whether a registration makes the same request itself and would fail on it.
    """
    return Row(
        name=name,
        verdict=Verdict.UNKNOWN,
        found="not known",
        why=error.message,
        remedy=error.hint or "",
        details=error.details,
        needs_person=is_needed,
    )
