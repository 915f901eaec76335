"""Applications with another use besides: taken over ones are refused unless named, our own go with what they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from unregister_world import Registered, steps

from mimapp.graph import (
    MAIL_SEND_ID,
    MICROSOFT_GRAPH_APP_ID,
    ApplicationPatch,
    RedirectUris,
    RequiredResourceAccess,
    ResourceAccess,
)
from mimapp.sandbox.scenarios import portal_app

if TYPE_CHECKING:
    from collections.abc import Callable

    from mimapp.graph import Application, Graph

OUTSIDE = "other@contoso.onmicrosoft.com"


def adopt(there: Registered, prepare: Callable[[Graph, Application], None] = lambda _graph, _application: None) -> str:
    """An application of the portal, prepared and taken over for another mailbox; its client id."""
    app_id = portal_app(there.place.sandbox).app_id or ""
    with there.graph() as graph:
        application = graph.applications.by_app_id(app_id)
        assert application is not None
        prepare(graph, application)
    done = there.place.remote(
        "register", "--mailbox", OUTSIDE, "--app-id", app_id, "--yes", "--output", "json", "--restrict-existing"
    )
    assert done.code == 0, done.err
    there.place.wire.requests.clear()
    return app_id


def _sign_in(graph: Graph, application: Application) -> None:
    uris = ("https://portal.contoso.example/signin",)
    graph.applications.change(application.id, ApplicationPatch(web=RedirectUris(redirect_uris=uris)))


def _permission(graph: Graph, application: Application) -> None:
    asked = RequiredResourceAccess(
        resource_app_id=MICROSOFT_GRAPH_APP_ID, resource_access=(ResourceAccess(id=MAIL_SEND_ID, type="Role"),)
    )
    access = (*(application.required_resource_access or ()), asked)
    graph.applications.change(application.id, ApplicationPatch(required_resource_access=access))


def _role(graph: Graph, application: Application) -> None:
    principal = graph.service_principals.by_app_id(application.app_id)
    resource = graph.service_principals.by_app_id(MICROSOFT_GRAPH_APP_ID)
    assert principal is not None
    assert resource is not None
    graph.role_grants.grant(principal_id=principal.id, resource_id=resource.id, role_id=MAIL_SEND_ID)


OTHER_USES = {
    "sign-in": (_sign_in, "redirect URI https://portal.contoso.example/signin"),
    "permission": (_permission, f"permission {MAIL_SEND_ID} on {MICROSOFT_GRAPH_APP_ID}"),
    "role": (_role, f"application role {MAIL_SEND_ID} on Microsoft Graph"),
}


def test_an_application_that_was_taken_over_for_this_alone_goes(there: Registered) -> None:
    app_id = adopt(there)

    done = there.place.remote("unregister", "--mailbox", OUTSIDE, "--yes", "--output", "json")

    assert done.code == 0, done.err
    assert "application.delete" in steps(done.document)
    assert [one["label"] for one in done.document["foreignCredentials"]] == ["MIM Service"]
    with there.graph() as graph:
        assert app_id in [one.app_id for one in graph.deleted.applications()]


@pytest.mark.parametrize("use", OTHER_USES.values(), ids=OTHER_USES)
def test_one_that_has_another_use_is_refused_unless_it_is_named(
    there: Registered, use: tuple[Callable[[Graph, Application], None], str]
) -> None:
    prepare, reason = use
    app_id = adopt(there, prepare)
    unregister = ("unregister", "--mailbox", OUTSIDE, "--yes", "--output", "json")

    refused = there.place.remote(*unregister)
    no_writes = there.place.wire.writes
    named = there.place.remote(*unregister, "--app-id", app_id)

    assert (refused.code, no_writes) == (6, [])
    assert refused.document["details"] == [reason]
    assert f"--app-id {app_id}" in refused.document["hint"]
    assert named.code == 0, named.err


def test_another_role_of_our_own_application_is_told_and_goes_with_it(there: Registered) -> None:
    with there.graph() as graph:
        _role(graph, graph.applications.get(there.object_id))

    document = there.run()

    assert any(f"also holds the role {MAIL_SEND_ID} on Microsoft Graph" in one for one in document["warnings"])
    assert steps(document)[1] == "consent.revoke"
