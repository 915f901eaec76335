"""Every public call of the Graph client, played on a cassette: what is sent, and what comes of the reply."""

from __future__ import annotations

import pytest

from graph.graph_calls import CASES, REFUSALS, Case, Refusal, add_password
from mimapp.errors import ServiceError
from mimapp.graph import Graph
from mimapp.transport import Http, Patience
from support.clock import FakeClock
from support.player import CASSETTES, Player, playing


def graph_on(player: Player, clock: FakeClock) -> Graph:
    return Graph(Http(Patience(clock), transport=player.transport), "https://graph.microsoft.com", clock)


@pytest.mark.parametrize("case", CASES, ids=[case.cassette for case in CASES])
def test_a_call_and_its_reply(case: Case) -> None:
    clock = FakeClock()
    with playing(f"graph/{case.cassette}") as player:
        result = case.call(graph_on(player, clock))
    assert case.seen(result) == case.expected
    assert len(clock.slept) == case.waits


@pytest.mark.parametrize("case", REFUSALS, ids=[case.cassette for case in REFUSALS])
def test_a_call_and_its_refusal(case: Refusal) -> None:
    clock = FakeClock()
    with playing(f"graph/{case.cassette}") as player, pytest.raises(case.kind) as caught:
        case.call(graph_on(player, clock))
    error = caught.value
    assert type(error) is case.kind
    assert isinstance(error, ServiceError)
    assert error.explain == case.explain
    assert error.request_id is not None
    assert error.request_id in error.message
    assert error.code in error.message
    assert (case.hint or "") in (error.hint or "")
    assert clock.slept == []


def test_what_graph_asked_to_wait_is_waited() -> None:
    clock = FakeClock()
    with playing("graph/credentials.add_password.concurrency") as player:
        add_password(graph_on(player, clock))
    assert clock.slept[0] == 7.0


def test_no_cassette_of_this_room_is_unused() -> None:
    used = {case.cassette for case in CASES} | {case.cassette for case in REFUSALS}
    assert {path.stem for path in (CASSETTES / "graph").glob("*.yaml")} == used
