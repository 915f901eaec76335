"""``mimapp scope show`` and ``scope test``: who is reached, proven when and how, and each recognised oddity."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from mimapp.exchange import EWS_ROLE, NewGroup
from mimapp.sandbox.exchange import store
from mimapp.sandbox.exchange.models import GroupPart, RecipientType, ScopeType
from support.tenants import MAILBOX

if TYPE_CHECKING:
    from collections.abc import Callable

    from mimapp.exchange import Exchange
    from mimapp.sandbox.exchange.models import Directory, Entity
    from support.tenants import Finished, Place

OTHER = "other@contoso.onmicrosoft.com"
GROUP = "mimapp-mimservice@contoso.onmicrosoft.com"
OWNER = "admin@contoso.onmicrosoft.com"


def show(place: Place) -> Finished:
    return place.remote("scope", "show", "--mailbox", MAILBOX, "--output", "json")


def oddities(done: Finished) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in done.document["oddities"]}


def exchange(place: Place, act: Callable[[Exchange], object]) -> None:
    with place.connect() as tenant:
        act(tenant._exchange)


def app_id(place: Place) -> str:
    stored = json.loads(next(place.home.glob("secrets/*/mimservice.json")).read_text())
    return str(stored["applicationId"])


def alter(place: Place, change: Callable[[Directory], list[Entity]]) -> None:
    """Change what stands in the tenant without a cmdlet."""
    with place.sandbox.state.transaction() as tx:
        directory = store.load(tx, place.info.tenant_id)
        assert directory is not None
        for entity in change(directory):
            store.put(tx, place.info.tenant_id, entity, settled=True)


def group_becomes(place: Place, **changes: Any) -> None:
    alter(
        place,
        lambda found: [
            replace(one, **changes) for one in found.recipients.values() if GROUP in {a.lower() for a in one.addresses}
        ],
    )


def test_as_register_leaves_it(place: Place) -> None:
    done = show(place)

    assert done.code == 0, done.out
    document = done.document
    assert (document["kind"], document["fullAccessAsApp"]) == ("policy", True)
    assert [(one["accessRight"], one["scope"], one["members"]) for one in document["policies"]] == [
        ("RestrictAccess", GROUP, [MAILBOX])
    ]
    inside, outside = document["mailboxes"]
    assert (inside["reaches"], inside["policyTest"], inside["by"]) == (True, True, "by the grant in Entra")
    assert (outside["reaches"], outside["policyTest"], outside["picked"]) == (False, False, True)
    assert document["oddities"] == []
    assert document["proof"] is None
    assert document["expected"] == "2026-11-21T10:00:00Z"
    assert place.wire.writes == []
    assert not [one for one in place.wire.requests if one.url.path.endswith("Exchange.asmx")]


def test_proven_by_verify(place: Place) -> None:
    place.clock.advance(timedelta(hours=25))
    assert place.remote("verify", "--mailbox", MAILBOX, "--outside", OTHER).code == 0

    proof = {"when": "2026-11-22T10:00:00Z", "how": f"EWS refused {OTHER}"}
    assert show(place).document["proof"] == proof
    assert place.remote("status", "--mailbox", MAILBOX, "--output", "json").document["scope"]["proof"] == proof
    again = place.remote("register", "--mailbox", MAILBOX, "--yes", "--output", "json").document
    assert again["scope"]["proven"] is True
    assert again["scope"]["proof"] == proof


def test_a_real_refusal_proves_it_before_its_time_is_over(place: Place) -> None:
    register = ("register", "--mailbox", MAILBOX, "--yes", "--output", "json")
    assert place.remote(*register).document["scope"]["proven"] is False
    assert place.remote("verify", "--mailbox", MAILBOX, "--outside", OTHER).code == 0

    done = place.remote(*register)
    assert done.document["scope"]["proven"] is True
    assert not any("not yet proven" in warning for warning in done.document["warnings"])


def asked_mailboxes(place: Place) -> set[str]:
    return {
        one.headers["x-anchormailbox"].lower() for one in place.wire.requests if one.url.path.endswith("Exchange.asmx")
    }


def test_a_mailbox_outside_that_is_named_is_asked_of_ews_too(place: Place) -> None:
    done = place.remote("scope", "test", "--mailbox", MAILBOX, "--outside", OTHER, "--output", "json")

    assert done.code == 0, done.out
    assert [(one["address"], one["picked"]) for one in done.document["mailboxes"]] == [(MAILBOX, False), (OTHER, False)]
    assert [(one["name"], one["verdict"]) for one in done.document["ews"]] == [("inbox", "holds"), ("outside", "holds")]
    assert asked_mailboxes(place) == {MAILBOX.lower(), OTHER}
    assert done.document["proof"]["how"] == f"EWS refused {OTHER}"
    for wrong in (MAILBOX, "nobody@contoso.onmicrosoft.com", "no address"):
        assert place.remote("scope", "test", "--mailbox", MAILBOX, "--outside", wrong).code == 2


def test_nobody_is_asked_where_no_address_is_named(place: Place) -> None:
    done = place.remote("scope", "test", "--mailbox", MAILBOX, "--output", "json")

    assert done.code == 0, done.out
    assert [(one["name"], one["verdict"]) for one in done.document["ews"]] == [("outside", "not probed")]
    assert done.document["mailboxes"][1]["picked"] is True
    assert asked_mailboxes(place) == set()
    said = place.remote("scope", "test", "--mailbox", MAILBOX)
    assert "EWS, outside: not probed" in said.out


def test_without_the_secret_ews_is_not_probed(place: Place) -> None:
    shutil.rmtree(place.home / "secrets")
    done = place.remote("scope", "test", "--mailbox", MAILBOX, "--outside", OTHER, "--output", "json")

    assert done.code == 0, done.out
    (row,) = done.document["ews"]
    assert row["verdict"] == "not probed"
    assert "no client secret" in row["meaning"]
    assert asked_mailboxes(place) == set()


def test_an_extra_member(place: Place) -> None:
    exchange(place, lambda one: one.groups.add_member(GROUP, OTHER))
    done = place.remote("scope", "test", "--mailbox", MAILBOX, "--outside", OTHER, "--output", "json")

    assert done.code == 3
    assert OTHER in oddities(done)["extra members"]["found"]
    assert done.document["mailboxes"][1]["reaches"] is True


def test_nested_members_count_for_a_policy(place: Place) -> None:
    def nest(one: Exchange) -> None:
        one.groups.create(
            NewGroup(
                name="inner",
                alias="inner",
                address="inner@contoso.onmicrosoft.com",
                members=(OTHER,),
                managed_by=(OWNER,),
            )
        )
        one.groups.add_member(GROUP, "inner@contoso.onmicrosoft.com")

    exchange(place, nest)
    done = place.remote("scope", "test", "--mailbox", MAILBOX, "--outside", OTHER, "--output", "json")

    assert done.code == 3
    assert "would not for a role" in oddities(done)["nested groups"]["meaning"]
    assert done.document["mailboxes"][1]["reaches"] is True


def test_no_policy_at_all(place: Place) -> None:
    exchange(place, lambda one: [one.access_policies.remove(policy.identity) for policy in one.access_policies.list()])
    done = show(place)

    assert done.code == 3
    assert "may read every mailbox" in oddities(done)["unrestricted grant"]["meaning"]
    assert done.document["mailboxes"][1]["reaches"] is True


def test_a_policy_that_is_acknowledged_and_not_listed(place: Place) -> None:
    exchange(place, lambda one: [one.access_policies.remove(policy.identity) for policy in one.access_policies.list()])
    assert "stay unlisted for hours" in oddities(show(place))["policy not listed yet"]["meaning"]
    place.clock.advance(timedelta(days=2))
    assert "policy not listed yet" not in oddities(show(place))


def test_a_policy_that_denies_and_a_second_that_restricts(place: Place) -> None:
    own = app_id(place)

    def add(one: Exchange) -> None:
        for name, member, right in (("more", OTHER, "RestrictAccess"), ("less", MAILBOX, "DenyAccess")):
            address = f"{name}@contoso.onmicrosoft.com"
            one.groups.create(NewGroup(name=name, alias=name, address=address, members=(member,), managed_by=(OWNER,)))
            one.access_policies.create(own, address, "somebody's", right)

    exchange(place, add)
    done = place.remote("scope", "test", "--mailbox", MAILBOX, "--outside", OTHER, "--output", "json")

    assert done.code == 3
    assert set(oddities(done)) == {"denying policy", "second restriction"}
    inside, outside = done.document["mailboxes"]
    assert (inside["reaches"], inside["by"]) == (False, "denied by an access policy")
    assert outside["reaches"] is True


def test_a_role_that_nothing_limits_is_a_second_right(place: Place) -> None:
    own = app_id(place)
    with place.connect() as tenant:
        principal = tenant._graph.service_principals.by_app_id(own)
        assert principal is not None
        rbac = tenant._exchange.rbac
        rbac.create_service_principal(own, principal.id, "MIM")
        rbac.assign(principal.id, EWS_ROLE, GROUP)
    done = show(place)
    assert done.code == 0, done.out
    assert "add up" in oddities(done)["second right"]["meaning"]
    assert done.document["mailboxes"][0]["by"] == "by a role in Exchange"

    unlimited(place)
    done = show(place)
    assert done.code == 3
    assert "no access policy restricts a role" in oddities(done)["unlimited role"]["meaning"]
    assert done.document["mailboxes"][1]["reaches"] is True


def unlimited(place: Place) -> None:
    alter(
        place,
        lambda found: [replace(one, scope_type=ScopeType.ORGANIZATION, scope="") for one in found.roles.assignments],
    )


def test_a_plain_distribution_group(place: Place) -> None:
    group_becomes(place, type=RecipientType.DISTRIBUTION_GROUP)
    assert "needs a mail-enabled security group" in oddities(show(place))["plain distribution group"]["meaning"]


def test_a_group_that_is_synced_is_never_written(place: Place) -> None:
    group_becomes(place, synced=True, hidden=False)
    done = show(place)
    assert done.code == 3
    assert "Active Directory" in oddities(done)["synced group"]["meaning"]
    assert place.remote("register", "--mailbox", MAILBOX, "--yes").code == 0
    assert place.wire.writes == []

    group_becomes(place, group=GroupPart(members=()))
    refused = place.remote("register", "--mailbox", MAILBOX, "--yes")
    assert refused.code == 6
    assert "put MIMService@contoso.onmicrosoft.com into it in Active Directory" in refused.err
    assert place.wire.writes == []


def test_a_name_that_exchange_decorated(place: Place) -> None:
    group_becomes(place, name="mimapp-mimservice20261121090000")
    done = show(place)

    assert done.code == 0, done.out
    assert "finds the group by its address" in oddities(done)["decorated name"]["meaning"]


def test_for_people(place: Place) -> None:
    done = place.remote("scope", "show", "--mailbox", MAILBOX)

    assert done.code == 0
    assert "Policy RestrictAccess" in done.out
    assert "(picked for the cmdlets)" in done.out
    assert "Not yet proven restricted" in done.out


@pytest.mark.parametrize("word", ["show", "test"])
def test_nothing_is_registered(place: Place, word: str) -> None:
    assert place.remote("scope", word, "--mailbox", OTHER, "--registration", "none").code == 2
