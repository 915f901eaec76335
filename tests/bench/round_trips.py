"""Round trips of a first and a second register on the embedded tenant: ``cd tests && python -m bench.round_trips``.

Every request takes the latency, really slept, so that requests side by side overlap as they would. The number of
sequential round trips is the longest chain of requests of which each began after the one before it had ended. Sign-in
is counted apart: it is an application's, two requests for each of two services, side by side.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mimapp.clock import SystemClock
from mimapp.identity import Method, SignInOptions
from mimapp.secret import Secret
from support.tenants import Place, Wire, is_write, name_of

if TYPE_CHECKING:
    import httpx

    from mimapp.sandbox import Sandbox

#: The shortest chain after sign-in under the house's rules: reads side by side, one write at a time, fence before
#: consent. The second run's second round is for what can only be asked by the client id that the first one gave.
SHORTEST = {
    "first": (
        "all reads",
        "application",
        "service principal",
        "group",
        "group hidden",
        "access policy",
        "test of the fence, inside and outside",
        "consent",
        "EWS allow list",
        "secret",
        "proof: openid-configuration",
        "proof: token",
    ),
    "second": ("reads by name", "reads by client id"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One request and when it was under way."""

    name: str
    writes: bool
    is_login: bool
    begun: float
    ended: float


class SlowWire(Wire):
    """Takes the latency before each answer."""

    def __init__(self, sandbox: Sandbox, latency: float) -> None:
        super().__init__(sandbox)
        self._latency = latency
        self._lock = threading.Lock()
        self.sent: list[Sent] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request, late."""
        begun = time.perf_counter()
        time.sleep(self._latency)
        with self._lock:  # the sandbox's own work is not what is measured
            response = super().handle_request(request)
        self.sent.append(
            Sent(
                name=name_of(request),
                writes=is_write(request),
                is_login="/oauth2/" in request.url.path or request.url.path.endswith("/openid-configuration"),
                begun=begun,
                ended=time.perf_counter(),
            )
        )
        return response


def longest_chain(sent: list[Sent]) -> list[Sent]:
    """The most requests of which none overlap: always take the one that ends first."""
    chain: list[Sent] = []
    for one in sorted(sent, key=lambda item: item.ended):
        if not chain or one.begun >= chain[-1].ended:
            chain.append(one)
    return chain


def register(place: Place, latency: float) -> tuple[list[Sent], float]:
    """One run with everything that a process of its own would do again; its requests and seconds."""
    wire = SlowWire(place.sandbox, latency)
    begun = time.perf_counter()
    sign_in = SignInOptions(
        method=Method.CLIENT_SECRET,
        client_id=place.info.operator_client_id,
        secret=Secret(place.info.operator_client_secret),
    )
    with place.connect(graph=sign_in, exchange=sign_in, transport=wire, clock=SystemClock()) as tenant:
        wanted = place.registration(group_owner=place.info.administrator)
        outcome = tenant.apply(tenant.plan(wanted), observe_again=False)
    if outcome.failed is not None:
        raise SystemExit(f"register failed: {outcome.failed}")
    return wire.sent, time.perf_counter() - begun


def split(sent: list[Sent]) -> tuple[list[Sent], list[Sent]]:
    """The operator's sign-in, and what came after it (the proof of the secret is a sign-in too)."""
    first = min(one.begun for one in sent if not one.is_login)
    return [one for one in sent if one.begun < first], [one for one in sent if one.begun >= first]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.1, help="seconds that each request takes")
    parser.add_argument("--chain", action="store_true", help="print the requests of the chain")
    given = parser.parse_args()
    print("register  requests  writes  sign-in  then in a row  shortest  seconds")
    with tempfile.TemporaryDirectory() as home:
        place = Place(Path(home), clock=SystemClock())  # type: ignore[arg-type]  # a real clock, for once
        for name, shortest in SHORTEST.items():
            sent, seconds = register(place, given.latency)
            sign_in, after = split(sent)
            rounds, chain = len(longest_chain(sign_in)), longest_chain(after)
            writes = sum(one.writes for one in sent)
            print(f"{name:8} {len(sent):9} {writes:7} {rounds:8} {len(chain):14} {len(shortest):9} {seconds:8.1f}")
            if given.chain:
                print("\n".join(f"    {one.begun - sent[0].begun:5.2f} s  {one.name}" for one in chain))
                print("\n".join(f"    shortest: {part}" for part in shortest))
        place.close()


if __name__ == "__main__":
    main()
