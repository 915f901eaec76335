"""What others added beside a fence: register, status, check and scope show say the same of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from migrate_world import GROUP, OTHER, OWNER, Migrating
from test_scope_migrate_stops import add_group, exchange

from mimapp.exchange import GroupChange, NewGroup
from mimapp.sandbox.exchange.models import ScopeType
from support.tenants import MAILBOX

if TYPE_CHECKING:
    from collections.abc import Callable

    from mimapp.exchange import Exchange
    from support.tenants import Finished


def say(there: Migrating, *words: str) -> Finished:
    there.place.wire.requests.clear()
    done = there.place.remote(*words, "--mailbox", MAILBOX, "--output", "json")
    assert there.place.wire.writes == []
    return done


def other_rights(there: Migrating) -> dict[str, Any]:
    rows: dict[str, dict[str, Any]] = {row["name"]: row for row in say(there, "check").document["rows"]}
    return rows["other rights"]


def deny_itself(there: Migrating) -> None:
    def deny(one: Exchange) -> None:
        inner = add_group(one, "inner", MAILBOX)
        one.groups.create(
            NewGroup(
                name="less", alias="less", address="less@contoso.onmicrosoft.com", members=(inner,), managed_by=(OWNER,)
            )
        )
        one.access_policies.create(there.app_id, "less@contoso.onmicrosoft.com", "somebody's", "DenyAccess")

    exchange(there, deny)


def widen(there: Migrating) -> None:
    there.run()
    there.alter(
        lambda found: [replace(one, scope_type=ScopeType.ORGANIZATION, scope="") for one in found.roles.assignments]
    )


def restrict_more(there: Migrating) -> None:
    exchange(
        there,
        lambda one: one.access_policies.create(there.app_id, add_group(one, "more", OTHER), "somebody's"),
    )


def own_more(there: Migrating) -> None:
    exchange(there, lambda one: one.groups.change(GROUP, GroupChange(managed_by=(OWNER, OTHER))))


@pytest.mark.parametrize(
    ("add", "told", "todo"),
    [
        (deny_itself, "beats every restriction", "Remove-ApplicationAccessPolicy -Identity"),
        (widen, "reaches every mailbox", "Remove-ManagementRoleAssignment -Identity"),
        (restrict_more, "restrictions add up", "Remove-ApplicationAccessPolicy -Identity"),
    ],
)
def test_what_makes_the_fence_worthless_is_refused(
    settled: Migrating, add: Callable[[Migrating], None], told: str, todo: str
) -> None:
    add(settled)

    register = say(settled, "register", "--yes")
    assert register.code == 6
    assert told in register.err
    assert todo in register.err
    row = other_rights(settled)
    assert row["verdict"] == "stop"
    assert told in row["found"]
    status = say(settled, "status").document
    assert status["drift"] is True
    assert told in status["problem"]
    assert say(settled, "scope", "show").code == 3


def test_further_owners_are_told(settled: Migrating) -> None:
    own_more(settled)

    register = say(settled, "register", "--yes")
    assert register.code == 0, register.err
    told = [one for one in register.document["warnings"] if "put mailboxes into it" in one]
    assert len(told) == 1
    row = other_rights(settled)
    assert (row["verdict"], row["found"]) == ("warn", told[0])
    assert told[0] in say(settled, "status").document["warnings"]
    show = say(settled, "scope", "show")
    assert show.code == 3
    assert "extra owners" in {one["name"] for one in show.document["oddities"]}


def test_a_denial_of_others_is_good_to_know(settled: Migrating) -> None:
    exchange(
        settled,
        lambda one: one.access_policies.create(settled.app_id, add_group(one, "less", OTHER), "x", "DenyAccess"),
    )
    register = say(settled, "register", "--yes")
    assert register.code == 0, register.err
    assert any("DenyAccess on less" in one for one in register.document["warnings"])
    assert other_rights(settled)["verdict"] == "ok"


def test_nothing_was_added(settled: Migrating) -> None:
    assert other_rights(settled) == {
        **other_rights(settled),
        "verdict": "ok",
        "found": "nothing that others added",
    }


def test_our_own_role_beside_the_policy_is_nobody_elses(settled: Migrating) -> None:
    """Between the two runs of a migration."""
    settled.run()
    assert other_rights(settled)["verdict"] == "ok"
    assert say(settled, "register", "--yes").code == 0


def test_a_role_alone_is_denied_by_no_policy(ready: Migrating) -> None:
    ready.run()
    deny_itself(ready)
    assert other_rights(ready)["verdict"] == "ok"
    assert say(ready, "register", "--yes").code == 0
