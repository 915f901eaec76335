"""How badly the simulated services behave, as options: parsed from words or from TOML, and nothing but values.

    Weather.parse(latency="40ms", lag="5s", throttle="0.1", faults=["POST /v1.0/applications 503 x2"])

What the options do is decided in `conditions` (inside the app) and `losses` (on the wire). Without options it is calm.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from mimapp.sandbox.asked_refusals import ASKED
from mimapp.sandbox.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["CALM", "Fault", "Weather"]

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
_FAULT = re.compile(r"(?P<method>[A-Za-z]+) (?P<pattern>\S+) (?P<outcome>\d{3}|[a-z-]+|AADSTS\d+)(?: x(?P<times>\d+))?")
_OUTCOMES = frozenset({"cut", "lose", "timeout", "nul-body"})
_STATUSES = range(400, 600)
_CODE = "AADSTS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One trouble made on purpose.

    Attributes:
        method: the HTTP method, ``ANY`` for all, ``EXO`` for a cmdlet, ``EWS`` for a SOAP operation.
        pattern: the path (or the cmdlet's or operation's name); ``*`` stands for anything.
        outcome: an HTTP status, or ``cut`` (the connection breaks before the service took the request), ``lose`` (the
            reply is lost after it), ``timeout`` (no answer, after it), ``nul-body`` (Exchange's 403 that claims gzip).
            On Exchange a status is a fault of ``EXO`` or ``EWS``: there 403 has no body. Sign-in also refuses with
            one of Entra's own codes: ``AADSTS50076``.
        times: how often, then never again.
    """

    method: str
    pattern: str
    outcome: str
    times: int = 1

    @classmethod
    def parse(cls, text: str) -> Fault:
        """A fault from its words: ``POST /v1.0/applications 503 x2``.

        Raises:
            SandboxError: the text has another form.
        """
        match = _FAULT.fullmatch(text.strip())
        if match is None or not _is_outcome(match["outcome"]):
            raise SandboxError(
                f"{text!r} is not a fault: METHOD PATH OUTCOME [xN], such as 'POST /v1.0/applications 503 x2';"
                f" outcomes are a status from 400 on, {', '.join(sorted(_OUTCOMES))}, and for sign-in AADSTS with one"
                f" of {', '.join(map(str, sorted(ASKED)))}"
            )
        return cls(
            method=match["method"].upper(),
            pattern=match["pattern"],
            outcome=match["outcome"],
            times=int(match["times"] or 1),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """The options of a sandbox's weather.

    Attributes:
        latency: how long every request takes.
        lag: the longest time that a write needs to reach every replica of Graph; Exchange's objects may take twice
            that, and its settings a multiple more until they act.
        throttle: the share of requests that are turned away: 429, and 409 or 503 on credentials and grants.
        lose_replies: the share of requests whose connection breaks, before or after the service took them.
        faults: troubles made on purpose, each a fixed number of times.
        seed: the same seed gives the same schedule.
    """

    latency: timedelta = timedelta()
    lag: timedelta = timedelta()
    throttle: float = 0.0
    lose_replies: float = 0.0
    faults: tuple[Fault, ...] = ()
    seed: int = 0

    @classmethod
    def parse(
        cls,
        *,
        latency: str | None = None,
        lag: str | None = None,
        throttle: str | None = None,
        lose_replies: str | None = None,
        faults: Sequence[str] = (),
        seed: str | None = None,
    ) -> Weather:
        """The weather from options as they are typed; None means the default.

        Raises:
            SandboxError: an option makes no sense.
        """
        return cls(
            latency=_duration("latency", latency or "0s"),
            lag=_duration("lag", lag or "0s"),
            throttle=_share("throttle", throttle or "0"),
            lose_replies=_share("lose-replies", lose_replies or "0"),
            faults=tuple(Fault.parse(fault) for fault in faults),
            seed=_whole("seed", seed or "0"),
        )

    @classmethod
    def from_toml(cls, path: Path) -> Weather:
        """The same options from a file: ``latency``, ``lag``, ``throttle``, ``lose-replies``, ``faults``, ``seed``.

        Raises:
            SandboxError: the file cannot be read, or an option is unknown or makes no sense.
        """
        try:
            options: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise SandboxError(f"{path} cannot be read: {error.strerror or error}") from error
        except ValueError as error:
            raise SandboxError(f"{path} is not TOML: {error}") from error
        unknown = options.keys() - {"latency", "lag", "throttle", "lose-replies", "faults", "seed"}
        if unknown:
            raise SandboxError(f"{path} has an unknown key {min(unknown)!r}")
        faults = options.pop("faults", [])
        if not isinstance(faults, list):
            raise SandboxError(f"{path}: faults is a list of texts")
        words = {name.replace("-", "_"): str(value) for name, value in options.items()}
        return cls.parse(faults=[str(fault) for fault in faults], **words)

    @property
    def is_calm(self) -> bool:
        """Whether nothing at all goes wrong."""
        return self == Weather(seed=self.seed)

    @property
    def replication_window(self) -> str:
        """How long a client should go on looking for what it wrote, as an option of mimapp: the lag and one second."""
        milliseconds = int((self.lag + timedelta(seconds=1)) / timedelta(milliseconds=1))
        return f"{milliseconds}ms" if milliseconds % 1000 else f"{milliseconds // 1000}s"


CALM = Weather()
"""Nothing goes wrong and everything acts at once."""


def _is_outcome(text: str) -> bool:
    if text.startswith(_CODE):
        return int(text.removeprefix(_CODE)) in ASKED
    return text in _OUTCOMES or (text.isdigit() and int(text) in _STATUSES)


def _duration(name: str, text: str) -> timedelta:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise SandboxError(f"{name} {text!r} is not a duration: a number and ms, s, m, h or d, without a blank")
    return float(match[1]) * _UNITS[match[2]]


def _share(name: str, text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise SandboxError(f"{name} {text!r} is not a share: a number from 0 to 1")
    return share


def _whole(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise SandboxError(f"{name} {text!r} is not a whole number") from None
