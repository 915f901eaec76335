"""The weather of a running sandbox: every decision that an option of `Weather` leads to, drawn from one seed.

A decision is drawn for what it is about (a method, a path, a kind of document) and for the how manieth of its kind it
is. So the same seed gives the same schedule, also where requests run side by side and ids differ from run to run.
"""

from __future__ import annotations

import random
import re
import threading
from collections import Counter
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from mimapp.sandbox.exchange.weather import Effect, Refusal, RefusalKind
from mimapp.sandbox.state import Delay
from mimapp.sandbox.weather import CALM, Fault, Weather

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

__all__ = ["Breakdown", "Conditions", "ExchangeConditions", "TurnedAway"]

_LAGGING = frozenset(
    {"application", "servicePrincipal", "appRoleAssignment", "oauth2PermissionGrant", "group", "appManagementPolicy"}
)
_EXCHANGE_PREFIX = "exo."
_EXCHANGE_FACTOR = 2.0
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[A-Za-z0-9_-]{20,}", re.IGNORECASE)
_CREDENTIAL_WRITE = re.compile(
    r"/(?:addPassword|removePassword|appRoleAssign\w+|oauth2PermissionGrants)$", re.IGNORECASE
)
_BREAKS = frozenset({"cut", "lose", "timeout"})
_RETRY_AFTER_SECONDS = 2
_CODE = "AADSTS"

EFFECT_FACTORS = {
    Effect.POLICY_TESTED: 1.0,
    Effect.POLICY_ENFORCED: 6.0,
    Effect.POLICY_RELEASED: 3.0,
    Effect.ROLE_ENFORCED: 6.0,
    Effect.ROLE_RELEASED: 6.0,
    Effect.EWS_LIST: 10.0,
    Effect.EWS_SWITCH: 6.0,
}
"""How many times the lag an effect of Exchange takes at most. In a tenant these are 30 minutes to a day (the times
stand beside each effect); the proportions are kept roughly, the hours are not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnedAway:
    """A request that the service refuses before it looks at it.

    Attributes:
        status: the HTTP status.
        retry_after: seconds to wait, None when the reply does not say.
    """

    status: int
    retry_after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """A connection that breaks.

    Attributes:
        taken: whether the service did what was asked before its reply was lost.
        times_out: whether the client waits for nothing, instead of seeing the connection close.
    """

    taken: bool
    times_out: bool


class Conditions:
    """The weather of a running app, and its replicas' lag; calm unless told otherwise."""

    def __init__(self, weather: Weather = CALM) -> None:
        self.weather = weather
        self.exchange = ExchangeConditions(self)
        self._drawn: Counter[Hashable] = Counter()
        self._left = {fault: fault.times for fault in weather.faults}
        self._guard = threading.Lock()
        self._asked: ContextVar[str] = ContextVar("asked", default="")

    def begin(self, asked: str) -> None:
        """Say what the request at hand asks for; all that is drawn until it ends is drawn for that.

        Requests that run side by side thus keep their schedule, whichever comes first.
        """
        self._asked.set(asked)

    # What State asks of its lag

    def delay(self, kind: str) -> Delay:
        """How long one write to a document of this kind travels."""
        longest = self.weather.lag.total_seconds()
        if kind.startswith(_EXCHANGE_PREFIX):
            longest *= _EXCHANGE_FACTOR
        elif kind not in _LAGGING:
            return Delay()
        if longest <= 0:
            return Delay()
        first, last = self.draw("first", kind, self._asked.get()), self.draw("last", kind, self._asked.get())
        return Delay(first=first * longest / 2, last=longest * (1 + last) / 2)

    def replica(self) -> float:
        """The replica that answers a request."""
        return self.draw("replica", self._asked.get()) if self.weather.lag else 0.0

    def secret_delay(self) -> float:
        """Seconds until a new secret is good for a token; 4 to 18 were seen (microsoft-graph-docs-contrib#1921)."""
        return self.weather.lag.total_seconds() * self.draw("secret", self._asked.get()) if self.weather.lag else 0.0

    # What becomes of a request

    def refusal(self, method: str, path: str) -> TurnedAway | None:
        """Whether a request to Graph is turned away."""
        made = self.fault(method, path)
        if made is not None:
            return made
        if not self.weather.throttle or self.draw("throttle", method, path) >= self.weather.throttle:
            return None
        kind = self.draw("throttle kind", method, path)
        wait = _RETRY_AFTER_SECONDS if kind < 0.6 else None  # noqa: PLR2004 - identity's 429 may lack Retry-After
        if method == "POST" and _CREDENTIAL_WRITE.search(path) and self.draw("concurrency", path) < 0.5:  # noqa: PLR2004 - a coin
            return TurnedAway(status=409 if kind < 0.5 else 503, retry_after=wait)  # noqa: PLR2004 - a coin
        return TurnedAway(status=429, retry_after=wait)

    def fault(self, method: str, path: str) -> TurnedAway | None:
        """Whether a fault made on purpose is due; sign-in knows these only, since Entra hardly ever throttles."""
        outcome = self._fault(method, path, str.isdigit)
        if outcome is None:
            return None
        return TurnedAway(status=int(outcome), retry_after=_RETRY_AFTER_SECONDS if outcome in {"429", "503"} else None)

    def sign_in_refusal(self, method: str, path: str) -> int | None:
        """The AADSTS code that a fault made on purpose asks for, if one is due."""
        outcome = self._fault(method, path, lambda one: one.startswith(_CODE))
        return None if outcome is None else int(outcome.removeprefix(_CODE))

    def breakdown(self, method: str, path: str) -> Breakdown | None:
        """Whether the connection of a request breaks, and when."""
        outcome = self._fault(method, path, _BREAKS.__contains__)
        if outcome is not None:
            return Breakdown(taken=outcome != "cut", times_out=outcome == "timeout")
        if not self.weather.lose_replies or self.draw("loss", method, path) >= self.weather.lose_replies:
            return None
        kind = self.draw("loss kind", method, path)
        return Breakdown(taken=kind < 0.5, times_out=(kind * 2) % 1 < 0.5)  # noqa: PLR2004 - two coins out of one draw

    def named_fault(self, method: str, name: str) -> str | None:
        """The outcome of a fault on a cmdlet or SOAP operation, if one is due."""
        return self._fault(method, name, lambda outcome: outcome not in _BREAKS)

    def draw(self, *about: str) -> float:
        """A number from 0 to 1 for the next decision about this; ids in it count as one."""
        key = tuple(_ID.sub("{}", part) for part in about)
        with self._guard:
            self._drawn[key] += 1
            number = self._drawn[key]
        return random.Random(f"{self.weather.seed} {key} {number}").random()  # noqa: S311 - weather, not a secret

    def _fault(self, method: str, path: str, wanted: Callable[[str], bool]) -> str | None:
        with self._guard:
            for fault, left in self._left.items():
                if left and wanted(fault.outcome) and _hits(fault, method, path):
                    self._left[fault] = left - 1
                    return fault.outcome
        return None


class ExchangeConditions:
    """The part that Exchange and EWS ask (sandbox.exchange.weather.Weather)."""

    def __init__(self, conditions: Conditions) -> None:
        self._conditions = conditions

    def delay(self, effect: Effect) -> timedelta:
        """How long after a write its effect begins."""
        lag = self._conditions.weather.lag
        return lag * EFFECT_FACTORS[effect] * (1 + self._conditions.draw("effect", effect.name)) / 2 if lag else lag

    def refusal(self, operation: str) -> Refusal | None:
        """Whether a cmdlet or SOAP operation is turned away."""
        # All cmdlets have one path: what is asked for is the cmdlet.
        self._conditions.begin(operation)
        is_ews = operation.startswith("EWS ")
        outcome = self._conditions.named_fault("EWS" if is_ews else "EXO", operation.removeprefix("EWS "))
        wait = timedelta(seconds=_RETRY_AFTER_SECONDS)
        if outcome is not None:
            return Refusal(kind=_refusal_kind(outcome, is_ews=is_ews), wait=wait)
        share = self._conditions.weather.throttle
        if not share or self._conditions.draw("throttle", operation) >= share:
            return None
        says_how_long = self._conditions.draw("throttle kind", operation) < 0.6  # noqa: PLR2004 - as for Graph
        if is_ews:
            return Refusal(kind=RefusalKind.SERVER_BUSY, wait=wait)
        return Refusal(kind=RefusalKind.THROTTLED, wait=wait if says_how_long else None)


def _refusal_kind(outcome: str, *, is_ews: bool) -> RefusalKind:
    if outcome == "nul-body":
        return RefusalKind.NUL_BODY
    if outcome == "403":
        return RefusalKind.EMPTY_FORBIDDEN
    if is_ews and outcome == "429":
        return RefusalKind.SERVER_BUSY
    return RefusalKind.THROTTLED if outcome == "429" else RefusalKind.UNAVAILABLE


def _hits(fault: Fault, method: str, path: str) -> bool:
    return fault.method in (method, "ANY") and fnmatchcase(path.casefold(), fault.pattern.casefold())
