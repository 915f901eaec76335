"""What somebody took away since: register builds it again, and asks when it cannot know."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from mimapp.provisioning.scope_notes import FENCE_NOTE
from support.tenants import MAILBOX

if TYPE_CHECKING:
    from support.tenants import Finished, Place


def register(place: Place) -> Finished:
    return place.remote("register", "--mailbox", MAILBOX, "--yes", "--output", "json")


def remove_policies(place: Place) -> None:
    with place.connect() as tenant:
        for policy in tenant._exchange.access_policies.list():
            tenant._exchange.access_policies.remove(policy.identity)


def test_a_policy_that_stood_and_is_gone_is_made_again_an_hour_later(calm: Place) -> None:
    register(calm)
    remove_policies(calm)

    calm.clock.advance(timedelta(minutes=30))
    early = register(calm)
    calm.clock.advance(timedelta(hours=1))
    late = register(calm)

    assert early.code == 75
    assert any("consented to and its fence does not stand" in line for line in early.err.splitlines())
    assert [change["step"] for change in late.document["changes"]] == ["policy.create"]
    assert late.document["scope"]["stands"] is True


def test_a_policy_that_nobody_has_seen_listed_is_waited_for_a_day(calm: Place) -> None:
    register(calm)
    remove_policies(calm)
    with calm.connect() as tenant:
        tenant._journal.note_since(tenant.tenant_id, "mimservice", FENCE_NOTE, None)

    calm.clock.advance(timedelta(hours=23))
    early = register(calm)
    calm.clock.advance(timedelta(hours=1))
    late = register(calm)

    assert early.code == 75
    assert [change["step"] for change in late.document["changes"]] == ["policy.create"]
