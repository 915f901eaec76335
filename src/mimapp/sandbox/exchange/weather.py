"""What delays Exchange's effects and refuses its requests: a narrow protocol with a calm default.

The store already knows how long objects travel between replicas (sandbox.state.Lag); this is about what Exchange does
with them: a setting that reads back at once and acts later, and a request that is turned away before any rule is asked.
Moments are computed when something is written and kept with it, so a change of weather never moves them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, StrEnum
from typing import Protocol

__all__ = ["Calm", "Effect", "Refusal", "RefusalKind", "Weather"]


class Effect(Enum):
    """Something written that acts later; the time that Microsoft gives stands beside it (facts/exchange.md 9)."""

    POLICY_TESTED = "the test cmdlet follows a new access policy"
    POLICY_ENFORCED = "EWS follows a new access policy: over 1 h possible"
    POLICY_RELEASED = "EWS forgets a removed access policy: up to 30 min"
    ROLE_ENFORCED = "EWS follows a new role assignment: 30 min to 2 h"
    ROLE_RELEASED = "EWS forgets a removed role assignment: 30 min to 2 h (unverified)"
    EWS_LIST = "EwsAllowedAppIDs acts: up to 24 h"
    EWS_SWITCH = "EwsEnabled acts: about 1 h"


class RefusalKind(StrEnum):
    """How a request is turned away."""

    THROTTLED = "429 in plain text with Rate-Limit headers"
    NUL_BODY = "403 whose NUL body claims gzip"
    EMPTY_FORBIDDEN = "403 without body: a role that has not spread"
    UNAVAILABLE = "503"
    SERVER_BUSY = "EWS: SOAP fault ErrorServerBusy with BackOffMilliseconds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One refusal; `wait` is sent as Retry-After or BackOffMilliseconds where the kind has a place for it."""

    kind: RefusalKind
    wait: timedelta | None = None


class Weather(Protocol):
    """Who decides about delays and refusals."""

    def delay(self, effect: Effect) -> timedelta:
        """How long after this write the effect begins."""
        ...

    def refusal(self, operation: str) -> Refusal | None:
        """Whether a request is turned away; `operation` is the cmdlet's name, or ``EWS`` and the SOAP operation's."""
        ...


class Calm:
    """Everything acts at once and nothing is refused."""

    def delay(self, effect: Effect) -> timedelta:  # noqa: ARG002 - the protocol's form
        """No delay."""
        return timedelta()

    def refusal(self, operation: str) -> Refusal | None:  # noqa: ARG002 - the protocol's form
        """No refusal."""
        return None
