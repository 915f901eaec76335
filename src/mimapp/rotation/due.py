"""Whether a secret is due for rotation: a pure function of its life, the policy and the time.

A third of its life before the end a secret is due, or where the policy says so. Behind that stands an emergency
window that no policy switches off: a twentieth of its life, or the time of five runs, whichever is longer. What may
wait in the normal window (a newer secret that lies elsewhere) does not wait in the emergency.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

from mimapp.clock import duration_text

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Due", "DuePolicy", "Lives", "Urgency", "due"]

_LIFE_PART = 3
_EMERGENCY_PART = 20
_EMERGENCY_RUNS = 5
#: Where Entra does not say when a secret began; Entra's own records always do.
_UNKNOWN_LIFE = timedelta(days=90)


class Lives(Protocol):
    """What has a beginning and an end; None where Entra gives none."""

    @property
    def label(self) -> str:
        """What it is called."""
        ...

    @property
    def starts(self) -> datetime | None:
        """When it began."""
        ...

    @property
    def expires(self) -> datetime | None:
        """When it ends."""
        ...


class Urgency(IntEnum):
    """How much a rotation is due."""

    NOT_DUE = 0
    DUE = 1
    EMERGENCY = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class DuePolicy:
    """When a secret is due.

    Attributes:
        before: how long before its end; None: a third of its life.
        interval: how often mimapp is run; five missed runs must not let a secret end.
    """

    before: timedelta | None = None
    interval: timedelta = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """The answer: how urgent, from when on it is due (None: never), and why, in words."""

    urgency: Urgency
    at: datetime | None
    reason: str

    @property
    def is_due(self) -> bool:
        """Whether a successor is to be issued."""
        return self.urgency is not Urgency.NOT_DUE


def due(secret: Lives, policy: DuePolicy, now: datetime) -> Due:
    """Whether a secret is due now."""
    if secret.expires is None:
        return Due(urgency=Urgency.NOT_DUE, at=None, reason=f"{secret.label} has no end")
    life = _UNKNOWN_LIFE if secret.starts is None else secret.expires - secret.starts
    normal = life / _LIFE_PART if policy.before is None else policy.before
    emergency = max(life / _EMERGENCY_PART, _EMERGENCY_RUNS * policy.interval)
    at = secret.expires - max(normal, emergency)
    left = secret.expires - now
    ends = f"{secret.expires:%Y-%m-%d}"
    if left <= timedelta():
        return Due(urgency=Urgency.EMERGENCY, at=at, reason=f"{secret.label} ended on {ends}")
    told = f"{secret.label} ends on {ends}, in {duration_text(left)}"
    if left <= emergency:
        return Due(urgency=Urgency.EMERGENCY, at=at, reason=f"{told}: {_emergency_words(life, left)}")
    if left <= normal:
        part = f"less than the {duration_text(normal)} of --before"
        if policy.before is None:
            part = f"less than a third of its {duration_text(life)}"
        return Due(urgency=Urgency.DUE, at=at, reason=f"{told}: {part}")
    return Due(urgency=Urgency.NOT_DUE, at=at, reason=f"{told}: due from {at:%Y-%m-%d} on")


def _emergency_words(life: timedelta, left: timedelta) -> str:
    if left <= life / _EMERGENCY_PART:
        return f"less than a twentieth of its {duration_text(life)}"
    return "time for fewer than five more runs"
