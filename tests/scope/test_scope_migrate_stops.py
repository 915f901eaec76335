"""``mimapp scope migrate``: where it refuses before it writes, and what a person or a lost journal does to it."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
from migrate_world import GROUP, OTHER, OWNER, TWO_HOURS, Migrating, steps

from mimapp.exchange import EWS_ROLE, NewGroup
from mimapp.sandbox.scenarios import EwsState, set_ews_state
from support.tenants import MAILBOX, name_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mimapp.exchange import Exchange
    from support.tenants import Place


def exchange(there: Migrating, act: Callable[[Exchange], object]) -> None:
    with there.place.connect() as tenant:
        act(tenant._exchange)


def remove_policies(one: Exchange) -> None:
    for policy in one.access_policies.list():
        one.access_policies.remove(policy.identity)


def add_group(one: Exchange, name: str, member: str) -> str:
    address = f"{name}@contoso.onmicrosoft.com"
    one.groups.create(NewGroup(name=name, alias=name, address=address, members=(member,), managed_by=(OWNER,)))
    return address


def test_a_grant_that_nothing_restricts_is_no_beginning(settled: Migrating) -> None:
    exchange(settled, remove_policies)
    assert "builds the fence; migrate after that" in settled.refused(code=6)


def test_a_policy_that_is_not_listed_yet(place: Place) -> None:
    there = Migrating(place)
    exchange(there, remove_policies)
    said = there.refused(code=75)
    assert "at the latest after 2026-11-21 10:00 UTC" in said, "it was listed when the fence stood: an hour is enough"


def test_an_extra_member(settled: Migrating) -> None:
    exchange(settled, lambda one: one.groups.add_member(GROUP, OTHER))
    assert "has members besides" in settled.refused(code=6)


def test_nested_members_do_not_count_for_a_role(settled: Migrating) -> None:
    def nest(one: Exchange) -> None:
        one.groups.add_member(GROUP, add_group(one, "inner", MAILBOX))
        one.groups.remove_member(GROUP, MAILBOX)

    exchange(settled, nest)
    assert "inner@contoso.onmicrosoft.com" in settled.refused(code=6)


def test_an_empty_group(settled: Migrating) -> None:
    exchange(settled, lambda one: one.groups.remove_member(GROUP, MAILBOX))
    assert "is empty: its members would be the limit" in settled.refused(code=6)


def test_a_second_restriction_would_be_lost(settled: Migrating) -> None:
    def more(one: Exchange) -> None:
        one.access_policies.create(settled.app_id, add_group(one, "more", OTHER), "somebody's")

    exchange(settled, more)
    assert "RestrictAccess on more" in settled.refused(code=6)


def test_a_denial_stays_and_is_told(settled: Migrating) -> None:
    def less(one: Exchange) -> None:
        one.access_policies.create(settled.app_id, add_group(one, "less", OTHER), "somebody's", "DenyAccess")

    exchange(settled, less)
    assert any("DenyAccess on less" in one for one in settled.run()["warnings"])
    settled.place.clock.advance(TWO_HOURS)
    assert settled.run()["complete"] is True
    assert [one.right.value for one in settled.policies] == ["DenyAccess"]


def test_a_role_with_another_limit(settled: Migrating) -> None:
    def wide(one: Exchange) -> None:
        with settled.place.connect() as tenant:
            principal = tenant._graph.service_principals.by_app_id(settled.app_id)
        assert principal is not None
        one.rbac.create_service_principal(settled.app_id, principal.id, "MIM")
        one.rbac.assign(principal.id, EWS_ROLE, add_group(one, "wide", OTHER))

    exchange(settled, wide)
    assert "not this registration's" in settled.refused(code=6)


def test_a_mailbox_that_does_not_open_as_it_is(ready: Migrating) -> None:
    set_ews_state(ready.place.sandbox, EwsState.FALSE_LIST)
    ready.place.clock.advance(TWO_HOURS)
    assert "nothing was taken away" in ready.refused(code=6)
    assert ready.is_granted


def test_without_the_secret_nothing_begins(ready: Migrating) -> None:
    shutil.rmtree(ready.place.home / "secrets")
    assert "no client secret" in ready.refused(code=8)


def test_the_own_mailbox_is_not_outside(ready: Migrating) -> None:
    assert "own mailbox" in ready.refused("--outside", MAILBOX.upper(), code=2)


def test_neither_grant_nor_role(settled: Migrating) -> None:
    with settled.place.connect() as tenant:
        graph = tenant._graph
        principal = graph.service_principals.by_app_id(settled.app_id)
        assert principal is not None
        for grant in graph.role_grants.held_by(settled.app_id):
            graph.role_grants.revoke(principal.id, grant.id)
    assert "--scope rbac" in settled.refused(code=2)


def test_nothing_is_registered(settled: Migrating) -> None:
    done = settled.place.remote("scope", "migrate", "--mailbox", OTHER, "--yes")
    assert done.code == 2
    assert "nothing to migrate" in done.err


def test_another_machine_waits_from_when_it_first_saw_the_role(ready: Migrating) -> None:
    """Since when the role stands, this machine's journal does not say: two hours count from now."""
    shutil.rmtree(ready.place.home / "journal")
    document = ready.run(code=75)
    assert ready.place.wire.writes == []
    assert document["finish"]["at"] == "2026-11-23T13:00:00Z"
    ready.place.clock.advance(timedelta(minutes=5))
    assert ready.run(code=75)["finish"]["at"] == "2026-11-23T13:00:00Z"

    ready.place.clock.advance(TWO_HOURS)
    assert ready.run()["complete"] is True


def test_a_plan_file_of_the_second_run(ready: Migrating, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    done = ready.place.remote(
        "scope", "migrate", "--mailbox", MAILBOX, "--outside", OTHER, "--keep-policy", "--plan-out", str(file)
    )
    assert done.code == 0, done.err
    kept = json.loads(file.read_text())
    assert [step["step"] for step in kept["steps"]] == ["mail.prove", "consent.revoke", "role.prove"]
    assert (kept["writes"], kept["wanted"]["outside"], kept["wanted"]["choices"]) == (1, OTHER, ["keep-policy"])
    assert ready.is_granted

    ready.place.wire.requests.clear()
    applied = ready.place.remote("apply", str(file), "--yes", "--output", "json")
    assert applied.code == 0, applied.err
    assert steps(applied.document) == ["consent.revoke"]
    assert ready.asked_mailboxes == {MAILBOX.lower(), OTHER}
    assert len(ready.policies) == 1


def test_a_person_is_asked(ready: Migrating) -> None:
    no = ready.place.remote("scope", "migrate", "--mailbox", MAILBOX, terminal=True, stdin="n\n")
    assert no.code == 2
    assert ready.place.wire.writes == []
    yes = ready.place.remote("scope", "migrate", "--mailbox", MAILBOX, terminal=True, stdin="y\n")
    assert yes.code == 0, yes.err
    assert "Make these 3 changes" in yes.err
    assert "by its role alone" in yes.out


def test_every_write_is_recorded(ready: Migrating) -> None:
    ready.run("--change-ref", "CHG-7")
    lines = [json.loads(line) for line in (ready.place.home / "journal" / "record.jsonl").read_text().splitlines()]
    done = {one["action"]: one for one in lines if one["outcome"] == "done" and one.get("changeRef") == "CHG-7"}
    assert set(done) == {"consent.revoke", "application.correct", "policy.remove"}
    assert done["policy.remove"]["undo"].startswith(f"New-ApplicationAccessPolicy -AppId {ready.app_id}")


def only_no_grant(request: httpx.Request) -> None:
    """The network breaks for the one request that would give the grant back."""
    if name_of(request).endswith("/appRoleAssignedTo"):
        raise httpx.ConnectError("the network is gone")


def test_a_grant_that_cannot_be_given_back_is_said_and_the_next_run_does_it(ready: Migrating) -> None:
    ready.role_acts_from(ready.place.clock.now() + timedelta(hours=5))
    ready.place.wire.before = only_no_grant
    failed = ready.done()
    assert "could not be given back" in failed.err
    assert "run the same command again at once" in failed.err
    assert not ready.is_granted
    assert len(ready.policies) == 1

    ready.place.wire.before = lambda _: None
    again = ready.done()
    assert "was given back" in again.err
    assert ready.is_granted


def test_the_grant_goes_back_where_somebody_took_the_role_meanwhile(ready: Migrating) -> None:
    ready.role_acts_from(ready.place.clock.now() + timedelta(hours=5))
    ready.place.wire.before = only_no_grant
    ready.done()
    ready.place.wire.before = lambda _: None
    ready.remove_role()

    document = ready.run()
    assert steps(document) == ["consent.grant"]
    assert any("opens no mailbox now" in one for one in document["warnings"])
    assert ready.is_granted


def test_what_somebody_else_took_is_not_given_back(ready: Migrating) -> None:
    """The proof fails, and the grant was not mimapp's to give: it never took it away."""
    with ready.place.connect() as tenant:
        graph = tenant._graph
        principal = graph.service_principals.by_app_id(ready.app_id)
        assert principal is not None
        for grant in graph.role_grants.held_by(ready.app_id):
            graph.role_grants.revoke(principal.id, grant.id)
    ready.role_acts_from(ready.place.clock.now() + timedelta(hours=5))
    failed = ready.done()
    assert failed.code == 5, failed.err
    assert ready.place.wire.writes == []
    assert not ready.is_granted
