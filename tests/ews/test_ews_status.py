"""``mimapp ews status``: may the application call EWS now, why, until when, and what nobody knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from mimapp.clouds import CLOUDS
from mimapp.provisioning.ews_now import Gate, ews_now
from mimapp.sandbox.exchange import store
from mimapp.sandbox.exchange.models import UserAgentPolicy, UserAgentRule
from mimapp.sandbox.scenarios import EwsState, set_ews_state
from support.tenants import MAILBOX

if TYPE_CHECKING:
    from support.tenants import Finished, Place

THEIRS = "11111111-2222-4333-8444-555555555555"


def status(place: Place, *more: str) -> Finished:
    return place.remote("ews", "status", "--mailbox", MAILBOX, "--output", "json", *more)


@pytest.mark.parametrize(
    ("state", "gate", "reason", "code"),
    [
        (EwsState.NULL, "open", "the organisation's switch is Null", 3),
        (EwsState.NULL_LIST, "open", "the organisation's switch is Null", 3),
        (EwsState.TRUE_EMPTY, "blocked", "the list is empty", 3),
        (EwsState.TRUE_LIST, "blocked", "the application is not on the list", 3),
        (EwsState.FALSE, "disabled", "the organisation's switch is False", 3),
        (EwsState.FALSE_LIST, "disabled", "the organisation's switch is False", 3),
        (EwsState.MAILBOX_OFF, "disabled", "the mailbox's own switch is False", 3),
    ],
    ids=str,
)
def test_each_state(place: Place, state: EwsState, gate: str, reason: str, code: int) -> None:
    set_ews_state(place.sandbox, state)
    done = status(place)

    assert (done.code, done.document["gate"]) == (code, gate), done.out
    assert reason in done.document["reason"]
    assert done.document["todo"]
    assert place.wire.writes == []


def test_listed_and_taken_in(place: Place) -> None:
    set_ews_state(place.sandbox, EwsState.TRUE_LIST)
    place.remote("ews", "allow", "--mailbox", MAILBOX, "--yes")
    soon = status(place)

    assert soon.code == 0, soon.out
    assert (soon.document["gate"], soon.document["until"]) == ("open", "2027-04-01")
    assert soon.document["expected"] == "2026-11-22T09:00:00Z"

    place.clock.advance(timedelta(hours=25))
    later = status(place)
    assert later.document["expected"] is None
    assert later.document["listedSince"] == "2026-11-21T09:00:00Z"

    place.clock.advance(timedelta(days=140))
    ended = status(place)
    assert ended.code == 3
    assert "EWS ended" in ended.document["reason"]


def test_what_is_not_known_is_said(place: Place) -> None:
    set_ews_state(place.sandbox, EwsState.TRUE_EMPTY)
    here = status(place)
    assert any("seven days before" in one for one in here.document["unknown"])

    with place.connect() as tenant:
        settings = tenant._exchange.organization.read()
    other = ews_now(settings, None, THEIRS, CLOUDS["gcc-high"], place.clock.now())
    assert (other.gate, other.until) == (Gate.UNKNOWN, None)
    assert any("when EWS ends" in one for one in other.unknown)
    assert any("whether the list of applications is in force" in one for one in other.unknown)
    assert any("the mailbox's own switch" in one for one in other.unknown)


def test_for_people(place: Place) -> None:
    set_ews_state(place.sandbox, EwsState.TRUE_LIST)
    done = place.remote("ews", "status", "--mailbox", MAILBOX)

    assert done.code == 3
    assert "now: no" in done.out
    assert "To do: mimapp ews allow" in done.out


def test_a_user_agent_policy_is_an_unknown(place: Place) -> None:
    set_ews_state(place.sandbox, EwsState.TRUE_LIST)
    place.remote("ews", "allow", "--mailbox", MAILBOX, "--yes")
    agents = UserAgentPolicy(rule=UserAgentRule.BLOCK, allowed=(), blocked=("OWA/*",))
    with place.sandbox.state.transaction() as tx:
        directory = store.load(tx, place.info.tenant_id)
        assert directory is not None
        organization = replace(directory.organization, user_agents=agents)
        store.put(tx, place.info.tenant_id, organization, settled=True)
    done = status(place)

    assert done.document["gate"] == "unknown"
    assert "how MIM names itself is not known" in done.document["reason"]
