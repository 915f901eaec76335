"""``register --wait-for-scope``: consent waits until the fence has stood for so long, in this run or in a later one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from support.clock import START
from support.tenants import MAILBOX, is_write, name_of

if TYPE_CHECKING:
    from support.tenants import Finished, Place

GRANT = "appRoleAssignedTo"


def register(place: Place, *more: str) -> Finished:
    return place.remote("register", "--mailbox", MAILBOX, "--yes", "--output", "json", *more)


def grants(place: Place) -> list[str]:
    return [name for name in place.wire.writes if GRANT in name]


def test_a_run_that_may_wait_that_long_waits_and_shows_it(calm: Place) -> None:
    begun = calm.clock.now()

    done = register(calm, "--wait-for-scope", "1h", "--deadline", "2h")

    assert done.code == 0, done.err
    assert done.document["consent"] == "granted"
    assert calm.clock.now() >= begun + timedelta(hours=1)
    assert "held back until 10:00:00 UTC, as --wait-for-scope asks" in done.err
    writes = [name_of(request) for request in calm.wire.requests if is_write(request)]
    assert GRANT in writes[-1]  # what needs no consent did not wait for it


def test_else_it_ends_with_75_and_the_next_run_keeps_to_the_noted_time(calm: Place) -> None:
    first = register(calm, "--wait-for-scope", "1h")
    assert first.code == 75
    assert "2026-11-21 10:00:00 UTC" in first.err
    assert "mimapp register --mailbox" in first.err
    assert grants(calm) == []

    calm.clock.advance(timedelta(minutes=40))
    second = register(calm)  # without the option: the time is noted
    assert second.code == 75
    assert "2026-11-21 10:00:00 UTC" in second.err
    assert grants(calm) == []

    calm.clock.advance(timedelta(minutes=15))
    third = register(calm)  # five minutes are left, which this run may wait
    assert third.code == 0, third.err
    assert len(grants(calm)) == 1
    assert calm.clock.now() >= START + timedelta(hours=1)


def test_asking_for_no_wait_lifts_it(calm: Place) -> None:
    assert register(calm, "--wait-for-scope", "1h").code == 75

    assert register(calm, "--wait-for-scope", "0s").document["consent"] == "granted"


def test_consent_alone_is_held_back_too(calm: Place) -> None:
    assert register(calm, "--wait-for-scope", "1h").code == 75

    assert calm.remote("consent", "--mailbox", MAILBOX, "--yes").code == 75
    calm.clock.advance(timedelta(hours=1))
    assert calm.remote("consent", "--mailbox", MAILBOX, "--yes").code == 0


def test_a_policy_made_anew_is_waited_for_anew(calm: Place) -> None:
    assert register(calm, "--wait-for-scope", "1h").code == 75
    with calm.connect() as tenant:
        policies = tenant._exchange.access_policies
        policies.remove(policies.list()[0].identity)
    calm.clock.advance(timedelta(days=2))  # a policy may stay unlisted for a day

    again = register(calm, "--wait-for-scope", "1h")

    assert again.code == 75
    assert "2026-11-23 10:0" in again.err


def test_with_a_role_there_is_no_consent_to_hold_back(calm: Place) -> None:
    assert register(calm, "--scope", "rbac", "--wait-for-scope", "1h").code == 2
