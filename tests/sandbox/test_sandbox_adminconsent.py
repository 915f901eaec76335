"""The admin consent page of the sandbox, both versions: what it grants, and how it sends the browser back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from sandbox_world import EXCHANGE

from mimapp.sandbox import catalog, scenarios

if TYPE_CHECKING:
    import httpx
    from sandbox_world import World

BACK = "http://localhost:53124/back"
ROLE = catalog.EXCHANGE.role("full_access_as_app").id
USER_READ = next(scope.id for scope in catalog.GRAPH.scopes if scope.value == "User.Read")


def application(world: World, *uris: str, **more: Any) -> dict[str, Any]:
    asked = [
        {"resourceAppId": catalog.EXCHANGE.app_id, "resourceAccess": [{"id": ROLE, "type": "Role"}]},
        {"resourceAppId": catalog.GRAPH.app_id, "resourceAccess": [{"id": USER_READ, "type": "Scope"}]},
    ]
    return world.application(requiredResourceAccess=asked, web={"redirectUris": [*uris]}, **more)


def page(
    world: World, app: dict[str, Any], version: str = "", tenant: str | None = None, **query: str
) -> httpx.Response:
    path = f"/{tenant or world.info.tenant_id}{version}/adminconsent"
    return world.http.get(path, params={"client_id": app["appId"], **query})


def sent_back(reply: httpx.Response) -> dict[str, str]:
    assert reply.status_code == 302, reply.text
    location = urlsplit(reply.headers["location"])
    assert f"{location.scheme}://{location.netloc}{location.path}" == BACK
    return dict(parse_qsl(location.query))


def roles_of(world: World, app: dict[str, Any]) -> list[str]:
    held = world.call("GET", f"/servicePrincipals(appId='{app['appId']}')/appRoleAssignments").json()
    return [one["appRoleId"] for one in held.get("value", [])]


def scopes_of(world: World, app: dict[str, Any]) -> list[str]:
    principal = world.principal_id(app["appId"])
    found = world.call("GET", f"/oauth2PermissionGrants?$filter=clientId eq '{principal}'").json()["value"]
    return [one["scope"] for one in found]


def test_the_older_page_grants_everything_that_is_asked_for(world: World) -> None:
    app = application(world, BACK)

    fields = sent_back(page(world, app, redirect_uri=BACK, state="s p/1"))

    assert fields == {"admin_consent": "True", "tenant": world.info.tenant_id, "state": "s p/1"}
    assert roles_of(world, app) == [ROLE]
    assert scopes_of(world, app) == ["User.Read"]


def test_the_newer_page_grants_what_is_asked_of_one_service(world: World) -> None:
    app = application(world, BACK)

    fields = sent_back(page(world, app, "/v2.0", redirect_uri=BACK, state="s", scope=f"{EXCHANGE}/.default"))

    assert fields["admin_consent"] == "True"
    assert fields["scope"] == f"{EXCHANGE}/.default"
    assert roles_of(world, app) == [ROLE]
    assert scopes_of(world, app) == []


def test_consent_twice_is_granted_once(world: World) -> None:
    app = application(world, BACK)

    for _ in range(2):
        sent_back(page(world, app, redirect_uri=BACK))

    assert roles_of(world, app) == [ROLE]
    assert scopes_of(world, app) == ["User.Read"]


def test_an_administrator_who_declines_grants_nothing(world: World) -> None:
    app = application(world, BACK)
    scenarios.decline_consent(world.sandbox)

    older = sent_back(page(world, app, redirect_uri=BACK, state="s"))
    newer = sent_back(page(world, app, "/v2.0", redirect_uri=BACK, state="s", scope=f"{EXCHANGE}/.default"))

    assert "admin_consent" not in older
    assert newer["admin_consent"] == "True"
    for fields in (older, newer):
        assert fields["error"] == "access_denied"
        assert fields["error_description"].startswith("AADSTS65004")
        assert fields["state"] == "s"
    assert world.call("GET", f"/servicePrincipals(appId='{app['appId']}')").status_code == 404

    scenarios.decline_consent(world.sandbox, declines=False)
    sent_back(page(world, app, redirect_uri=BACK))
    assert roles_of(world, app) == [ROLE]


def test_without_a_redirect_uri_the_consent_is_given_and_the_page_says_that_it_cannot_go_back(world: World) -> None:
    app = application(world)

    reply = page(world, app)

    assert reply.status_code == 400
    assert "AADSTS500113" in reply.text
    assert roles_of(world, app) == [ROLE]


@pytest.mark.parametrize("asked", ["http://localhost:53124/", "http://localhost:1/back", f"{BACK}/"])
def test_an_address_that_is_not_registered_to_the_letter_is_not_gone_to(world: World, asked: str) -> None:
    app = application(world, BACK)

    reply = page(world, app, redirect_uri=asked)

    assert reply.status_code == 400
    assert "AADSTS50011" in reply.text
    assert roles_of(world, app) == []


def test_what_is_missing_or_unknown_is_said_on_the_page(world: World) -> None:
    app = application(world, BACK)
    unknown = {"appId": "00001111-aaaa-2222-bbbb-3333cccc4444"}

    assert "AADSTS700016" in page(world, unknown, redirect_uri=BACK).text
    assert "'client_id'" in world.http.get(f"/{world.info.tenant_id}/adminconsent").text
    assert "'scope'" in page(world, app, "/v2.0", redirect_uri=BACK).text
    assert "AADSTS90002" in page(world, app, tenant="nowhere.example", redirect_uri=BACK).text
    assert page(world, app, "/v2.0", "common", redirect_uri=BACK, scope=f"{EXCHANGE}/.default").status_code == 400
    assert roles_of(world, app) == []
