from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sandbox_world import EXCHANGE_POWERSHELL, GRAPH, GRAPH_COMMAND_LINE

from mimapp.sandbox import catalog
from mimapp.sandbox.directory_roles import GLOBAL_ADMINISTRATOR
from mimapp.sandbox.scenarios import soft_deleted_app

if TYPE_CHECKING:
    from sandbox_world import World

POLICY = "/policies/defaultAppManagementPolicy"
POLICIES = "/policies/appManagementPolicies"


def status(world: World, method: str, path: str, **options: Any) -> int:
    return world.call(method, path, **options).status_code


def add_secret(world: World, app: dict[str, Any]) -> int:
    return status(world, "POST", f"/applications/{app['id']}/addPassword", json={})


def policy_writer(world: World) -> str:
    return world.actor("Policy.ReadWrite.ApplicationConfiguration").token


def test_person_needs_the_scope_as_well(world: World) -> None:
    app = world.application()
    token = world.person(GLOBAL_ADMINISTRATOR, client=GRAPH_COMMAND_LINE)
    assert status(world, "GET", "/me", token=token) == 200
    assert status(world, "GET", f"/applications/{app['id']}", token=token) == 403
    named = world.person(GLOBAL_ADMINISTRATOR, client=GRAPH_COMMAND_LINE, scope=f"{GRAPH}/Application.ReadWrite.All")
    assert status(world, "PATCH", f"/applications/{app['id']}", json={"notes": "x"}, token=named) == 204


def test_person_without_role_cannot_grant(world: World) -> None:
    client = world.service_principal(world.application()["appId"])["id"]
    role = catalog.EXCHANGE.role("full_access_as_app").id
    assert world.grant(client, role, catalog.EXCHANGE.app_id, world.person()).status_code == 403


def test_person_without_role_may_not_consent(world: World) -> None:
    world.person()
    refused = world.device_sign_in(f"other@{world.info.tenant_name}", GRAPH_COMMAND_LINE, f"{GRAPH}/Mail.Send")
    assert refused["error_codes"] == [65001]


def test_own_public_application_without_any_consent(world: World) -> None:
    app = world.application(isFallbackPublicClient=True)
    base, scope = f"/{world.info.tenant_id}/oauth2/v2.0/devicecode", f"{GRAPH}/.default"
    early = world.http.post(base, data={"client_id": app["appId"], "scope": scope})
    assert early.json()["error_codes"] == [7000229]
    world.service_principal(app["appId"])
    assert world.device_sign_in(world.info.administrator, app["appId"], scope)["error_codes"] == [65001]
    reply = world.http.post(base, data={"client_id": world.application()["appId"], "scope": scope})
    assert (reply.status_code, reply.json()["error_codes"]) == (401, [7000218])
    assert world.http.post(base, data={"scope": "x"}).json()["error_codes"] == [900144]


def test_confidential_application_signs_a_person_in_with_its_secret(world: World) -> None:
    caller = world.actor()
    graph = world.principal_id(catalog.GRAPH.app_id)
    body = {"clientId": caller.principal_id, "resourceId": graph, "consentType": "AllPrincipals", "scope": "User.Read"}
    assert status(world, "POST", "/oauth2PermissionGrants", json=body) == 201
    form = {"client_id": caller.app_id, "client_secret": "replaced-secret", "scope": f"{GRAPH}/.default"}
    base = f"/{world.info.tenant_id}/oauth2/v2.0"
    begun = world.http.post(f"{base}/devicecode", data=form).json()
    code = {"grant_type": "device_code", "device_code": begun["device_code"]}
    token = world.http.post(f"{base}/token", data=form | code).json()["access_token"]
    assert world.call("GET", "/me", token=token).json()["userPrincipalName"] == world.info.administrator


def test_exchange_gone_means_no_exchange_token_for_anybody(world: World) -> None:
    world.call("DELETE", f"/servicePrincipals(appId='{catalog.EXCHANGE.app_id}')")
    name, scope = world.info.administrator, "https://outlook.office365.com/.default"
    assert world.device_sign_in(name, EXCHANGE_POWERSHELL, scope)["error_codes"] == [500011]


def test_owned_by_stays_home_on_service_principals_too(world: World) -> None:
    foreign = world.application()
    token = world.actor("Application.ReadWrite.OwnedBy").token
    assert status(world, "POST", "/servicePrincipals", json={"appId": foreign["appId"]}, token=token) == 403
    principal = world.service_principal(foreign["appId"])
    key = f"/servicePrincipals(appId='{foreign['appId']}')"
    assert status(world, "PATCH", key, json={"tags": ["x"]}, prefer="create-if-missing", token=token) == 403
    assert status(world, "DELETE", f"/servicePrincipals/{principal['id']}", token=token) == 403
    named = "/applications(uniqueName='theirs')"
    world.call("PATCH", named, json={"displayName": "x"}, prefer="create-if-missing")
    assert status(world, "PATCH", named, json={"notes": "x"}, prefer="create-if-missing", token=token) == 403
    world.call("DELETE", f"/applications/{foreign['id']}")
    assert status(world, "POST", f"/directory/deletedItems/{foreign['id']}/restore", token=token) == 403


def test_service_principal_takes_no_secrets_by_patch_and_needs_an_app_id(world: World) -> None:
    path = f"/servicePrincipals/{world.service_principal(world.application()['appId'])['id']}"
    assert status(world, "PATCH", path, json={"passwordCredentials": []}) == 400
    assert status(world, "PATCH", path, json={"keyCredentials": []}) == 204
    assert status(world, "PATCH", path, json={"servicePrincipalType": "Legacy"}) == 400
    assert status(world, "POST", "/servicePrincipals", json={}) == 400


def test_service_principal_deleted_and_restored_by_itself(world: World) -> None:
    app = world.application()
    principal = world.service_principal(app["appId"])
    deleted = f"/directory/deletedItems/{principal['id']}"
    world.call("DELETE", f"/servicePrincipals/{principal['id']}")
    assert world.call("GET", deleted).json()["@odata.type"] == "#microsoft.graph.servicePrincipal"
    assert status(world, "POST", f"{deleted}/restore") == 200
    world.call("DELETE", f"/servicePrincipals/{principal['id']}")
    world.service_principal(app["appId"])
    assert status(world, "POST", f"{deleted}/restore") == 409
    assert status(world, "DELETE", deleted) == 204
    assert status(world, "GET", deleted) == 404


def test_purge_takes_the_service_principal_with_it(world: World) -> None:
    soft_deleted_app(world.sandbox, "mim")
    (app,) = world.call("GET", "/directory/deletedItems/microsoft.graph.application").json()["value"]
    assert status(world, "DELETE", f"/directory/deletedItems/{app['id']}") == 204
    assert world.call("GET", "/directory/deletedItems/microsoft.graph.servicePrincipal").json()["value"] == []


def test_owner_must_exist(world: World) -> None:
    path = f"/applications/{world.application()['id']}/owners/$ref"
    assert status(world, "POST", path, json={}) == 400
    assert status(world, "POST", path, json={"@odata.id": "https://x/directoryObjects/nobody"}) == 404


def test_credential_policies_that_make_no_sense(world: World) -> None:
    writer = policy_writer(world)
    assert status(world, "PATCH", POLICY, json={"nonsense": 1}, token=writer) == 400
    assert status(world, "POST", POLICIES, json={}, token=writer) == 400
    restriction = {"restrictionType": "passwordLifetime", "maxLifetime": "long"}
    body = {"isEnabled": True, "applicationRestrictions": {"passwordCredentials": [restriction]}}
    assert status(world, "PATCH", POLICY, json=body, token=writer) == 204
    app = world.application()
    assert add_secret(world, app) == 400
    path, link = f"/applications/{app['id']}/appManagementPolicies/$ref", {"@odata.id": f"https://x{POLICIES}/nobody"}
    assert status(world, "POST", path, json=link, token=writer) == 404


def test_policy_of_an_application_counts_only_when_it_is_on(world: World) -> None:
    writer = policy_writer(world)
    off = {"displayName": "off", "restrictions": {"passwordCredentials": [{"restrictionType": "passwordAddition"}]}}
    made = world.call("POST", POLICIES, json=off, token=writer).json()
    assert world.call("GET", f"{POLICIES}/{made['id']}").json()["isEnabled"] is False
    assert [known["id"] for known in world.call("GET", POLICIES).json()["value"]] == [made["id"]]
    app = world.application()
    link = {"@odata.id": f"https://x{POLICIES}/{made['id']}"}
    world.call("POST", f"/applications/{app['id']}/appManagementPolicies/$ref", json=link, token=writer)
    assert add_secret(world, app) == 200


def test_disabled_restriction_restricts_nothing(world: World) -> None:
    restriction = {"restrictionType": "passwordAddition", "state": "disabled"}
    body = {"isEnabled": True, "applicationRestrictions": {"passwordCredentials": [restriction]}}
    world.call("PATCH", POLICY, json=body, token=policy_writer(world))
    assert add_secret(world, world.application()) == 200


def test_optional_claims_and_roles_are_filled_in(world: World) -> None:
    role = {"id": "d1c2ade8-0000-0000-0000-6d06b947c66f", "value": "Writer", "displayName": "Writer"}
    app = world.application(optionalClaims={"accessToken": [{"name": "ipaddr"}]}, appRoles=[role])
    claim = {"additionalProperties": [], "essential": False, "name": "ipaddr", "source": None}
    assert app["optionalClaims"] == {"accessToken": [claim], "idToken": [], "saml2Token": []}
    assert (app["appRoles"][0]["origin"], app["appRoles"][0]["isEnabled"]) == ("Application", True)


@pytest.mark.parametrize(
    "path", ["/users", "/groups", "/organization", "/subscribedSkus", POLICY, "/oauth2PermissionGrants"]
)
def test_application_without_roles_reads_nothing(world: World, path: str) -> None:
    assert status(world, "GET", path, token=world.actor().token) == 403
