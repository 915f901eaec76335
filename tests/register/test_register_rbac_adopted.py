"""A role for an application that somebody else made: it is not fenced in, and nothing is taken from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.graph import (
    EXCHANGE_ONLINE_APP_ID,
    FULL_ACCESS_AS_APP_ID,
    ApplicationPatch,
    ResourceAccess,
    ServicePrincipalPatch,
)
from mimapp.graph import RequiredResourceAccess as Required
from support.tenants import MAILBOX

if TYPE_CHECKING:
    from support.tenants import Finished, Place

ASKED = (
    Required(
        resource_app_id=EXCHANGE_ONLINE_APP_ID, resource_access=(ResourceAccess(id=FULL_ACCESS_AS_APP_ID, type="Role"),)
    ),
)


def made_by_hand(place: Place) -> str:
    with place.connect() as tenant:
        graph = tenant._graph
        body = ApplicationPatch(display_name="Mail tool", required_resource_access=ASKED)
        made = graph.applications.upsert("somebodys-tool", body)
        assert made is not None
        graph.service_principals.upsert(made.app_id, ServicePrincipalPatch(tags=()), fresh=True)
    return made.app_id


def register(place: Place, *more: str) -> Finished:
    return place.remote("register", "--mailbox", MAILBOX, "--yes", "--output", "json", *more)


def test_it_gets_the_role_and_keeps_what_it_asks_for(calm: Place) -> None:
    app_id = made_by_hand(calm)

    done = register(calm, "--app-id", app_id, "--scope", "rbac")

    assert done.code == 0, done.err
    assert done.document["applicationId"] == app_id
    assert done.document["scope"]["kind"] == "rbac"
    with calm.connect() as tenant:
        application = tenant._graph.applications.by_app_id(app_id)
    assert application is not None
    assert application.required_resource_access == ASKED
    assert register(calm, "--app-id", app_id).document["changes"] == []


def test_with_a_grant_it_is_refused(calm: Place) -> None:
    app_id = made_by_hand(calm)
    with calm.connect() as tenant:
        graph = tenant._graph
        principal = graph.service_principals.by_app_id(app_id)
        resource = graph.service_principals.by_app_id(EXCHANGE_ONLINE_APP_ID)
        assert principal is not None
        assert resource is not None
        graph.role_grants.grant(principal_id=principal.id, resource_id=resource.id, role_id=FULL_ACCESS_AS_APP_ID)

    refused = register(calm, "--app-id", app_id, "--scope", "rbac")
    assert refused.code == 6
    assert "add up" in refused.err
