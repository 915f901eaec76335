"""Every rule of access in the table of cases, against the sandbox."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sandbox_world import EXCHANGE

from mimapp.sandbox import catalog
from mimapp.sandbox.cases import Area, cases
from mimapp.sandbox.directory_roles import APPLICATION_ADMINISTRATOR, GLOBAL_ADMINISTRATOR

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    from sandbox_world import World

FULL_ACCESS = catalog.EXCHANGE.role("full_access_as_app").id
GRAPH_MAIL = catalog.GRAPH.role("Mail.Send").id
EXCHANGE_ID = catalog.EXCHANGE.app_id
POLICY = "/policies/defaultAppManagementPolicy"

PROOFS: dict[str, Callable[[World], None]] = {}


def proves(name: str) -> Callable[[Callable[[World], None]], Callable[[World], None]]:
    def keep(proof: Callable[[World], None]) -> Callable[[World], None]:
        PROOFS[name] = proof
        return proof

    return keep


@pytest.mark.parametrize("name", [case.name for case in cases() if case.area is Area.ACCESS])
def test_case(world: World, name: str) -> None:
    PROOFS[name](world)


def test_no_proof_without_its_case() -> None:
    assert set(PROOFS) == {case.name for case in cases() if case.area is Area.ACCESS}


def refused(reply: httpx.Response, status: int, code: str, text: str = "") -> None:
    error = reply.json()["error"]
    assert (reply.status_code, error["code"]) == (status, code), reply.text
    assert text in error["message"]
    assert set(error["innerError"]) == {"date", "request-id", "client-request-id"}


def owners(world: World, app: dict[str, Any]) -> list[str]:
    return [owner["id"] for owner in world.call("GET", f"/applications/{app['id']}/owners").json()["value"]]


def secret_of(world: World, app: dict[str, Any], **credential: Any) -> httpx.Response:
    return world.call("POST", f"/applications/{app['id']}/addPassword", json={"passwordCredential": credential})


def restrict(world: World, *restrictions: dict[str, Any]) -> None:
    writer = world.actor("Policy.ReadWrite.ApplicationConfiguration").token
    body = {"isEnabled": True, "applicationRestrictions": {"passwordCredentials": list(restrictions)}}
    assert world.call("PATCH", POLICY, json=body, token=writer).status_code == 204


@proves("wrong-audience")
def _(world: World) -> None:
    token = world.operator_token(f"{EXCHANGE}/.default")
    refused(world.call("GET", "/organization", token=token), 401, "InvalidAuthenticationToken", "Invalid audience")


@proves("create-needs-permission")
def _(world: World) -> None:
    token = world.actor("Application.Read.All").token
    reply = world.call("POST", "/applications", json={"displayName": "x"}, token=token)
    refused(reply, 403, "Authorization_RequestDenied", "Insufficient privileges")


@proves("owned-by-creates")
def _(world: World) -> None:
    caller = world.actor("Application.ReadWrite.OwnedBy")
    reply = world.call("POST", "/applications", json={"displayName": "x"}, token=caller.token)
    assert reply.status_code == 201
    assert owners(world, reply.json()) == [caller.principal_id]
    path = f"/applications/{reply.json()['id']}"
    assert world.call("PATCH", path, json={"notes": "mine"}, token=caller.token).status_code == 204


@proves("owned-by-stays-home")
def _(world: World) -> None:
    app = world.application()
    token = world.actor("Application.ReadWrite.OwnedBy").token
    refused(
        world.call("PATCH", f"/applications/{app['id']}", json={"notes": "x"}, token=token),
        403,
        "Authorization_RequestDenied",
    )


@proves("no-owner-app-only")
def _(world: World) -> None:
    assert owners(world, world.application()) == []


@proves("person-becomes-owner")
def _(world: World) -> None:
    token = world.person(GLOBAL_ADMINISTRATOR)
    me = world.call("GET", "/me", token=token).json()["id"]
    app = world.call("POST", "/applications", json={"displayName": "x"}, token=token).json()
    assert owners(world, app) == [me]


@proves("application-administrator-no-owner")
def _(world: World) -> None:
    token = world.person(APPLICATION_ADMINISTRATOR)
    app = world.call("POST", "/applications", json={"displayName": "x"}, token=token).json()
    assert owners(world, app) == []


@proves("person-needs-role")
def _(world: World) -> None:
    app, token = world.application(), world.person()
    refused(
        world.call("PATCH", f"/applications/{app['id']}", json={"notes": "x"}, token=token),
        403,
        "Authorization_RequestDenied",
    )
    assert world.call("GET", f"/applications/{app['id']}", token=token).status_code == 200


@proves("owner-needs-no-role")
def _(world: World) -> None:
    app, token = world.application(), world.person()
    me = world.call("GET", "/me", token=token).json()["id"]
    link = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{me}"}
    assert world.call("POST", f"/applications/{app['id']}/owners/$ref", json=link).status_code == 204
    reply = world.call("POST", f"/applications/{app['id']}/addPassword", json={}, token=token)
    assert reply.status_code == 200


@proves("consent-needs-own-permission")
def _(world: World) -> None:
    principal = world.service_principal(world.application()["appId"])
    token = world.actor("Application.ReadWrite.All", "Directory.ReadWrite.All").token
    refused(world.grant(principal["id"], FULL_ACCESS, EXCHANGE_ID, token), 403, "Authorization_RequestDenied")


@proves("application-administrator-consents-exchange")
def _(world: World) -> None:
    principal = world.service_principal(world.application()["appId"])
    token = world.person(APPLICATION_ADMINISTRATOR)
    assert world.grant(principal["id"], FULL_ACCESS, EXCHANGE_ID, token).status_code == 201


@proves("application-administrator-not-graph")
def _(world: World) -> None:
    principal = world.service_principal(world.application()["appId"])
    token = world.person(APPLICATION_ADMINISTRATOR)
    refused(world.grant(principal["id"], GRAPH_MAIL, catalog.GRAPH.app_id, token), 403, "Authorization_RequestDenied")
    assert world.grant(principal["id"], GRAPH_MAIL, catalog.GRAPH.app_id, world.person(GLOBAL_ADMINISTRATOR)).is_success


@proves("consent-twice")
def _(world: World) -> None:
    principal = world.service_principal(world.application()["appId"])
    first = world.grant(principal["id"], FULL_ACCESS, EXCHANGE_ID)
    assert first.status_code == 201
    assert first.json()["principalType"] == "ServicePrincipal"
    text = "Permission being assigned already exists on the object"
    refused(world.grant(principal["id"], FULL_ACCESS, EXCHANGE_ID), 400, "Request_BadRequest", text)
    listed = world.call("GET", f"/servicePrincipals/{principal['id']}/appRoleAssignments").json()["value"]
    assert [grant["id"] for grant in listed] == [first.json()["id"]]


@proves("consent-unknown-role")
def _(world: World) -> None:
    principal = world.service_principal(world.application()["appId"])
    refused(world.grant(principal["id"], GRAPH_MAIL[:-1] + "0", EXCHANGE_ID), 400, "Request_BadRequest", "not found")


@proves("consent-wrong-id")
def _(world: World) -> None:
    app = world.application()
    world.service_principal(app["appId"])
    refused(world.grant(app["id"], FULL_ACCESS, EXCHANGE_ID), 400, "Request_BadRequest", "Not a valid reference update")


@proves("policy-needs-permission")
def _(world: World) -> None:
    token = world.actor("Application.ReadWrite.All").token
    refused(world.call("GET", POLICY, token=token), 403, "Authorization_RequestDenied")
    assert world.call("GET", POLICY).json()["isEnabled"] is False


@proves("me-needs-user")
def _(world: World) -> None:
    refused(world.call("GET", "/me"), 400, "BadRequest", "delegated authentication flow")


@proves("unique-name-taken")
def _(world: World) -> None:
    world.application(uniqueName="mim")
    reply = world.call("POST", "/applications", json={"displayName": "x", "uniqueName": "MIM"})
    refused(reply, 400, "Request_BadRequest", "Another object with the same value for property uniqueName")


@proves("unique-name-kept-by-deleted")
def _(world: World) -> None:
    app = world.application(uniqueName="mim")
    world.call("DELETE", f"/applications/{app['id']}")
    path, body = "/applications(uniqueName='mim')", {"displayName": "x"}
    reply = world.call("PATCH", path, json=body, prefer="create-if-missing")
    refused(reply, 400, "Request_BadRequest", "uniqueName already exists")
    assert world.call("DELETE", f"/directory/deletedItems/{app['id']}").status_code == 204
    assert world.call("PATCH", path, json=body, prefer="create-if-missing").status_code == 201


@proves("unique-name-immutable")
def _(world: World) -> None:
    old = world.application()
    path = f"/applications/{old['id']}"
    assert world.call("PATCH", path, json={"uniqueName": "mim"}).status_code == 204
    refused(world.call("PATCH", path, json={"uniqueName": "other"}), 400, "Request_BadRequest", "immutable")


@proves("upsert-creates-then-updates")
def _(world: World) -> None:
    path = "/applications(uniqueName='it''s mim')"
    first = world.call("PATCH", path, json={"displayName": "one"}, prefer="create-if-missing")
    second = world.call("PATCH", path, json={"displayName": "two"}, prefer="create-if-missing")
    assert (first.status_code, second.status_code, second.content) == (201, 204, b"")
    found = world.call("GET", path).json()
    assert (found["id"], found["displayName"], found["uniqueName"]) == (first.json()["id"], "two", "it's mim")
    principal = f"/servicePrincipals(appId='{found['appId']}')"
    assert world.call("PATCH", principal, json={"tags": ["a"]}, prefer="create-if-missing").status_code == 201
    assert world.call("PATCH", principal, json={"tags": ["b"]}, prefer="create-if-missing").status_code == 204
    assert world.call("GET", principal).json()["tags"] == ["b"]


@proves("upsert-without-prefer")
def _(world: World) -> None:
    reply = world.call("PATCH", "/applications(uniqueName='nobody')", json={"displayName": "x"})
    refused(reply, 404, "Request_ResourceNotFound", "Resource 'nobody' does not exist")


@proves("secret-shown-once")
def _(world: World) -> None:
    app = world.application()
    shown = secret_of(world, app, displayName="label").json()
    assert shown["secretText"].startswith("sandbox-")
    assert len(shown["secretText"]) >= 40
    held = world.call("GET", f"/applications/{app['id']}").json()["passwordCredentials"][0]
    assert (held["secretText"], held["hint"], held["displayName"]) == (None, shown["secretText"][:3], "label")
    assert held["keyId"] == shown["keyId"]


@proves("secret-not-by-patch")
def _(world: World) -> None:
    app = world.application()
    body = {"passwordCredentials": [{"displayName": "x"}]}
    refused(world.call("PATCH", f"/applications/{app['id']}", json=body), 400, "Request_BadRequest")


@proves("secret-default-end")
def _(world: World) -> None:
    shown = secret_of(world, world.application()).json()
    assert (shown["startDateTime"][:19], shown["endDateTime"][:19]) == ("2026-11-21T09:00:00", "2028-11-21T09:00:00")


@proves("policy-limits-lifetime")
def _(world: World) -> None:
    restrict(world, {"restrictionType": "passwordLifetime", "maxLifetime": "P90D", "state": "enabled"})
    app = world.application()
    reply = secret_of(world, app, endDateTime="2027-05-20T09:00:00Z")
    refused_lifetime = "CredentialInvalidLifetimeAsPerAppPolicy"
    refused(reply, 400, refused_lifetime, "Credential lifetime exceeds")
    assert reply.json()["error"]["details"][0]["target"] == "EndDate"
    assert secret_of(world, app, endDateTime="2027-02-01T09:00:00Z").status_code == 200


@proves("policy-forbids-secrets")
def _(world: World) -> None:
    old = world.application()
    world.clock.advance(timedelta(days=2))
    since = "2026-11-22T00:00:00Z"
    restrict(world, {"restrictionType": "passwordAddition", "restrictForAppsCreatedAfterDateTime": since})
    refused(secret_of(world, world.application()), 400, "CredentialTypeNotAllowedAsPerAppPolicy")
    assert secret_of(world, old).status_code == 200


@proves("policy-of-application-wins")
def _(world: World) -> None:
    restrict(world, {"restrictionType": "passwordAddition"})
    writer = world.actor("Policy.ReadWrite.ApplicationConfiguration").token
    body = {"displayName": "lenient", "isEnabled": True, "restrictions": {"passwordCredentials": []}}
    made = world.call("POST", "/policies/appManagementPolicies", json=body, token=writer).json()
    app = world.application()
    assert secret_of(world, app).status_code == 400
    link = {"@odata.id": f"https://graph.microsoft.com/v1.0/policies/appManagementPolicies/{made['id']}"}
    path = f"/applications/{app['id']}/appManagementPolicies"
    assert world.call("POST", f"{path}/$ref", json=link, token=writer).status_code == 204
    assert [policy["id"] for policy in world.call("GET", path).json()["value"]] == [made["id"]]
    assert secret_of(world, app).status_code == 200


@proves("second-service-principal")
def _(world: World) -> None:
    app = world.application()
    world.service_principal(app["appId"])
    reply = world.call("POST", "/servicePrincipals", json={"appId": app["appId"]})
    refused(reply, 409, "Request_MultipleObjectsWithSameKeyValue", "already in use")


@proves("second-delegated-grant")
def _(world: World) -> None:
    client = world.service_principal(world.application()["appId"])
    graph = world.principal_id(catalog.GRAPH.app_id)
    body = {"clientId": client["id"], "resourceId": graph, "consentType": "AllPrincipals", "scope": "User.Read"}
    made = world.call("POST", "/oauth2PermissionGrants", json=body)
    assert made.status_code == 201
    again = world.call("POST", "/oauth2PermissionGrants", json=body)
    refused(again, 409, "Request_MultipleObjectsWithSameKeyValue", "Permission entry already exists.")
    path = f"/oauth2PermissionGrants/{made.json()['id']}"
    assert world.call("PATCH", path, json={"scope": "User.Read Mail.Read"}).status_code == 204
    listed = world.call("GET", f"/oauth2PermissionGrants?$filter=clientId eq '{client['id']}'").json()["value"]
    assert [grant["scope"] for grant in listed] == ["User.Read Mail.Read"]
    assert world.call("DELETE", path).status_code == 204
    assert world.call("GET", path).status_code == 404


@proves("second-owner")
def _(world: World) -> None:
    app = world.application()
    user = world.call("GET", f"/users/{world.info.administrator}", token=world.admin_token()).json()
    path, link = f"/applications/{app['id']}/owners", {"@odata.id": f"https://x/v1.0/users/{user['id']}"}
    assert world.call("POST", f"{path}/$ref", json=link).status_code == 204
    refused(world.call("POST", f"{path}/$ref", json=link), 400, "Request_BadRequest", "already exist")
    listed = world.call("GET", path).json()["value"][0]
    assert (listed["@odata.type"], listed["id"]) == ("#microsoft.graph.user", user["id"])
    assert world.call("DELETE", f"{path}/{user['id']}/$ref").status_code == 204
    assert world.call("DELETE", f"{path}/{user['id']}/$ref").status_code == 404


@proves("delete-takes-service-principal")
def _(world: World) -> None:
    app = world.application()
    principal = world.service_principal(app["appId"])
    secret = secret_of(world, app).json()["secretText"]
    assert world.sign_in(client_id=app["appId"], client_secret=secret).status_code == 200
    assert world.call("DELETE", f"/applications/{app['id']}").status_code == 204
    deleted = world.call("GET", "/directory/deletedItems/microsoft.graph.servicePrincipal").json()["value"]
    assert [known["id"] for known in deleted] == [principal["id"]]
    assert deleted[0]["deletedDateTime"] == "2026-11-21T09:00:00Z"
    assert world.sign_in(client_id=app["appId"], client_secret=secret).json()["error_codes"] == [700016]


@proves("restore-brings-both-back")
def _(world: World) -> None:
    app = world.application()
    principal = world.service_principal(app["appId"])
    world.grant(principal["id"], FULL_ACCESS, EXCHANGE_ID)
    world.call("DELETE", f"/applications/{app['id']}")
    restored = world.call("POST", f"/directory/deletedItems/{app['id']}/restore")
    assert (restored.status_code, restored.json()["id"]) == (200, app["id"])
    path = f"/servicePrincipals/{principal['id']}"
    assert world.call("GET", path).status_code == 200
    assert world.call("GET", f"{path}/appRoleAssignments").json()["value"] == []


@proves("deleted-is-kept-30-days")
def _(world: World) -> None:
    app = world.application()
    world.call("DELETE", f"/applications/{app['id']}")
    path = f"/directory/deletedItems/{app['id']}"
    world.clock.advance(timedelta(days=29))
    assert world.call("GET", path).json()["@odata.type"] == "#microsoft.graph.application"
    world.clock.advance(timedelta(days=2))
    refused(world.call("GET", path), 404, "Request_ResourceNotFound")


@proves("exchange-group-is-not-graphs")
def _(world: World) -> None:
    body = {"displayName": "g", "mailEnabled": True, "mailNickname": "g", "securityEnabled": True}
    refused(world.call("POST", "/groups", json=body), 400, "Request_BadRequest", "Cannot Update a mail-enabled")
