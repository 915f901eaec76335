"""What stands beside the fence and undoes it: register refuses it by name, before the consent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from mimapp.exchange import EWS_ROLE, NewGroup
from mimapp.sandbox.exchange import store
from mimapp.sandbox.exchange.models import Behaviour
from support.tenants import MAILBOX, name_of

if TYPE_CHECKING:
    from mimapp.exchange import Exchange
    from support.tenants import Finished, Place

OTHER = "other@contoso.onmicrosoft.com"
OWNER = "admin@contoso.onmicrosoft.com"
GROUP = "mimapp-mimservice@contoso.onmicrosoft.com"


def register(place: Place, *more: str) -> Finished:
    place.wire.requests.clear()
    return place.remote("register", "--mailbox", MAILBOX, "--yes", "--output", "json", *more)


def entra_part(place: Place) -> tuple[str, str]:
    """The application without a fence and without consent: its client id and its service principal."""
    document = register(place, "--only", "entra").document
    return document["applicationId"], document["servicePrincipalObjectId"]


def policy(place: Place, app_id: str, right: str, member: str) -> None:
    def add(exchange: Exchange) -> None:
        name = f"somebodys-{right.lower()}"
        address = f"{name}@contoso.onmicrosoft.com"
        exchange.groups.create(NewGroup(name=name, alias=name, address=address, members=(member,), managed_by=(OWNER,)))
        exchange.access_policies.create(app_id, address, "somebody's", right)

    with place.connect() as tenant:
        add(tenant._exchange)


def role(place: Place, app_id: str, principal_id: str, group: str) -> None:
    with place.connect() as tenant:
        rbac = tenant._exchange.rbac
        rbac.create_service_principal(app_id, principal_id, "somebody's")
        rbac.assign(principal_id, EWS_ROLE, group)


def test_a_second_restriction_lets_it_into_more(calm: Place) -> None:
    app_id, _ = entra_part(calm)
    policy(calm, app_id, "RestrictAccess", OTHER)

    refused = register(calm)
    assert refused.code == 6
    assert "restrictions add up" in refused.err
    assert "Remove-ApplicationAccessPolicy" in refused.err
    assert calm.wire.writes == []


def test_a_policy_that_denies_the_mailbox_is_named_instead_of_waited_for(calm: Place) -> None:
    app_id, _ = entra_part(calm)
    policy(calm, app_id, "DenyAccess", MAILBOX)

    refused = register(calm)
    assert refused.code == 6
    assert "beats every restriction" in refused.err
    assert calm.wire.writes == []


def test_a_policy_that_denies_another_mailbox_is_told(calm: Place) -> None:
    app_id, _ = entra_part(calm)
    policy(calm, app_id, "DenyAccess", OTHER)

    done = register(calm)
    assert done.code == 0, done.err
    assert any("DenyAccess on somebodys-denyaccess" in warning for warning in done.document["warnings"])


@pytest.mark.parametrize("scope", ["policy", "rbac"])
def test_a_role_with_another_limit_reaches_more_whatever_the_scope(calm: Place, scope: str) -> None:
    document = register(calm, "--scope", scope).document
    with calm.connect() as tenant:
        name = "elsewhere"
        new = NewGroup(name=name, alias=name, address=f"{name}@contoso.onmicrosoft.com", members=(OTHER,))
        tenant._exchange.groups.create(new)
        if scope == "rbac":
            tenant._exchange.rbac.assign(document["servicePrincipalObjectId"], EWS_ROLE, new.address)
    if scope == "policy":
        role(calm, document["applicationId"], document["servicePrincipalObjectId"], new.address)

    refused = register(calm, "--scope", scope)
    assert refused.code == 6
    assert "reach adds up" in refused.err
    assert calm.wire.writes == []


def test_a_role_with_the_same_limit_beside_the_grant_is_told(calm: Place) -> None:
    document = register(calm).document
    role(calm, document["applicationId"], document["servicePrincipalObjectId"], GROUP)

    done = register(calm)
    assert done.code == 0, done.err
    assert done.document["changes"] == []
    assert any("mimapp scope migrate goes on from there" in warning for warning in done.document["warnings"])


def behaves(place: Place, **traits: Any) -> None:
    """Give the tenant a trait that real ones have."""
    with place.sandbox.state.transaction() as tx:
        directory = store.load(tx, place.info.tenant_id)
        assert directory is not None
        organization = replace(directory.organization, behaviour=Behaviour(**traits))
        store.put(tx, place.info.tenant_id, organization, settled=True)


def test_the_space_for_policies_is_full(calm: Place) -> None:
    """Exchange refuses the policy in the middle of the run; what frees it is said, and nobody is consented to."""
    behaves(calm, policy_space=1)

    refused = register(calm)
    assert refused.code == 7, refused.err
    assert "exceeded the limit" in refused.err
    assert "remove policies" in refused.err
    assert "New-ApplicationAccessPolicy" in calm.wire.writes
    assert not [name for name in calm.wire.writes if "appRoleAssignedTo" in name]


def test_a_tenant_that_never_had_a_policy(calm: Place) -> None:
    """The list of policies fails on the tenant's own container, which is an empty list."""
    behaves(calm, virgin_policy_list_fails=True)
    answers = []
    calm.wire.after = lambda request, reply: answers.append((name_of(request), reply.status_code))

    assert register(calm).code == 0
    assert ("Get-ApplicationAccessPolicy", 404) in answers
