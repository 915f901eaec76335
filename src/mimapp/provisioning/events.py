"""What happens during a run, as values: the CLI draws them, a library's caller may print or ignore them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from mimapp.transport import Wait

__all__ = ["Event", "Note", "StepDone", "StepFailed", "StepStarted", "Waiting"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted:
    """A step begins.

    Attributes:
        number: its place in the plan, from 1; 0 for what comes before the plan, such as reading the tenant.
        total: how many steps the plan has.
        title: what it does, in words.
    """

    number: int
    total: int
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDone:
    """A step is done: `seconds` is how long it took, `detail` what came of it (never a secret)."""

    number: int
    title: str
    seconds: float
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFailed:
    """A step failed; the error itself follows as an exception or in the outcome."""

    number: int
    title: str
    seconds: float
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The run pauses; what for and how long stands in `wait`."""

    wait: Wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something worth a line that belongs to no step."""

    text: str


Event: TypeAlias = StepStarted | StepDone | StepFailed | Waiting | Note
