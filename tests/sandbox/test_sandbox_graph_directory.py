from __future__ import annotations

import base64
import hashlib
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sandbox_world import AZURE_CLI, EXCHANGE

from mimapp.sandbox import catalog
from mimapp.sandbox.directory_roles import EXCHANGE_ADMINISTRATOR, GLOBAL_ADMINISTRATOR

if TYPE_CHECKING:
    from sandbox_world import World


def values(world: World, path: str, token: str | None = None) -> list[dict[str, Any]]:
    reply = world.call("GET", path, token=token)
    assert reply.status_code == 200, reply.text
    found: list[dict[str, Any]] = reply.json()["value"]
    return found


def test_tenant_and_its_licences(world: World) -> None:
    (organization,) = values(world, "/organization")
    assert (organization["id"], organization["displayName"]) == (world.info.tenant_id, "Contoso")
    assert organization["verifiedDomains"][0]["name"] == "contoso.onmicrosoft.com"
    (sku,) = values(world, "/subscribedSkus")
    assert "AAD_PREMIUM" in [plan["servicePlanName"] for plan in sku["servicePlans"]]


def test_signed_in_administrator_and_his_roles(world: World) -> None:
    token = world.admin_token()
    me = world.call("GET", "/me", token=token).json()
    assert me["userPrincipalName"] == world.info.administrator
    roles = values(world, "/me/memberOf", token)
    assert {role["roleTemplateId"] for role in roles} == {GLOBAL_ADMINISTRATOR, EXCHANGE_ADMINISTRATOR}
    assert {role["@odata.type"] for role in roles} == {"#microsoft.graph.directoryRole"}


def test_users_by_id_and_by_name(world: World) -> None:
    found = world.call("GET", f"/users/{world.info.mailbox}").json()
    assert set(found) == {
        "@odata.context",
        "businessPhones",
        "displayName",
        "givenName",
        "jobTitle",
        "mail",
        "mobilePhone",
        "officeLocation",
        "preferredLanguage",
        "surname",
        "userPrincipalName",
        "id",
    }
    again = world.call("GET", f"/users/{found['id']}?$select=accountEnabled,mail").json()
    assert (again["accountEnabled"], again["mail"]) == (True, world.info.mailbox)
    assert world.call("GET", "/users/nobody@contoso.onmicrosoft.com").status_code == 404
    assert len(values(world, "/users?$filter=startswith(userPrincipalName,'admin')")) == 1


def test_objects_by_their_ids(world: World) -> None:
    app = world.application()
    user = world.call("GET", f"/users/{world.info.mailbox}").json()["id"]
    body = {"ids": [app["id"], user, str(uuid.uuid4())], "types": ["user", "application"]}
    found = world.call("POST", "/directoryObjects/getByIds", json=body).json()["value"]
    assert [item["@odata.type"] for item in found] == ["#microsoft.graph.application", "#microsoft.graph.user"]
    assert world.call("POST", "/directoryObjects/getByIds", json={}).status_code == 400


def test_microsofts_services_show_their_roles_and_scopes(world: World) -> None:
    (exchange,) = values(world, f"/servicePrincipals?$filter=appId eq '{catalog.EXCHANGE.app_id}'")
    roles = {role["value"]: role["id"] for role in exchange["appRoles"]}
    assert roles["full_access_as_app"] == "dc890d15-9560-4a4c-9b7f-a736ec74ec40"
    assert roles["Exchange.ManageAsApp"] == "dc50a0fb-09a3-484d-be87-e023b12c6440"
    assert "3b5f3d61-589b-4a3c-a359-5dd4b5ee5bd5" in [scope["id"] for scope in exchange["oauth2PermissionScopes"]]
    assert exchange["appOwnerOrganizationId"] == catalog.MICROSOFT_TENANT_ID
    (graph,) = values(world, f"/servicePrincipals?$filter=servicePrincipalNames/any(n:n eq '{EXCHANGE}')")
    assert graph["id"] == exchange["id"]


def test_tenant_without_exchange_can_get_its_service_principal_back(world: World) -> None:
    key = f"/servicePrincipals(appId='{catalog.EXCHANGE.app_id}')"
    assert world.call("DELETE", key).status_code == 204
    refused = world.sign_in(scope=f"{EXCHANGE}/.default")
    assert refused.json()["error_codes"] == [500011]
    reply = world.call("PATCH", key, json={}, prefer="create-if-missing")
    assert (reply.status_code, reply.json()["displayName"]) == (201, "Office 365 Exchange Online")
    assert world.sign_in(scope=f"{EXCHANGE}/.default").status_code == 200


def test_service_principal_follows_its_registration(world: World) -> None:
    app = world.application(identifierUris=["api://one"], web={"redirectUris": ["https://a/b"]})
    principal = world.service_principal(app["appId"])
    assert principal["servicePrincipalNames"] == ["api://one", app["appId"]]
    changes = {"displayName": "renamed", "api": {"oauth2PermissionScopes": [{"id": str(uuid.uuid4()), "value": "x"}]}}
    world.call("PATCH", f"/applications/{app['id']}", json=changes)
    found = world.call("GET", f"/servicePrincipals/{principal['id']}").json()
    assert (found["displayName"], found["appDisplayName"], found["replyUrls"]) == (
        "renamed",
        "renamed",
        ["https://a/b"],
    )
    assert [scope["value"] for scope in found["oauth2PermissionScopes"]] == ["x"]


def test_structured_members_are_merged_and_lists_replaced(world: World) -> None:
    app = world.application(web={"redirectUris": ["https://a"]}, tags=["one", "two"])
    path = f"/applications/{app['id']}"
    lock = {"isEnabled": True, "allProperties": True}
    world.call("PATCH", path, json={"web": {"homePageUrl": "https://h"}, "tags": ["three"]})
    world.call("PATCH", path, json={"servicePrincipalLockConfiguration": lock})
    found = world.call("GET", path).json()
    assert (found["web"]["redirectUris"], found["web"]["homePageUrl"]) == (["https://a"], "https://h")
    assert found["web"]["redirectUriSettings"] == [{"uri": "https://a", "index": None}]
    assert found["tags"] == ["three"]
    assert found["servicePrincipalLockConfiguration"] == lock | dict.fromkeys(
        ("credentialsWithUsageSign", "credentialsWithUsageVerify", "tokenEncryptionKeyId")
    )


@pytest.mark.parametrize(
    "body", [{"nonsense": 1}, {"appId": str(uuid.uuid4())}, {"signInAudience": "Everybody"}, {"_owners": []}]
)
def test_members_that_cannot_be_set(world: World, body: dict[str, Any]) -> None:
    app = world.application()
    assert world.call("PATCH", f"/applications/{app['id']}", json=body).status_code == 400


def test_audience_with_personal_accounts_wants_v2_tokens(world: World) -> None:
    app = world.application(signInAudience="AzureADandPersonalMicrosoftAccount")
    assert app["api"]["requestedAccessTokenVersion"] == 2
    assert world.application()["api"]["requestedAccessTokenVersion"] is None


def test_secret_in_the_creating_call(world: World) -> None:
    made = world.application(passwordCredentials=[{"displayName": "first"}])
    (shown,) = made["passwordCredentials"]
    assert shown["secretText"].startswith("sandbox-")
    (held,) = world.call("GET", f"/applications/{made['id']}").json()["passwordCredentials"]
    assert (held["keyId"], held["secretText"]) == (shown["keyId"], None)


def test_secrets_of_a_service_principal_have_no_hint(world: World) -> None:
    principal = world.service_principal(world.application()["appId"])
    path = f"/servicePrincipals/{principal['id']}"
    made = world.call("POST", f"{path}/addPassword", json={"passwordCredential": {"displayName": "x"}}).json()
    assert (made["hint"], made["displayName"]) == (None, "x")
    assert world.call("POST", f"{path}/removePassword", json={"keyId": made["keyId"]}).status_code == 204
    assert world.call("GET", path).json()["passwordCredentials"] == []


@pytest.mark.parametrize(
    "credential",
    [
        {"endDateTime": "2020-01-01T00:00:00Z"},
        {"endDateTime": "soon"},
        {"startDateTime": "2030-01-01T00:00:00Z", "endDateTime": "2029-01-01T00:00:00Z"},
    ],
)
def test_dates_that_make_no_sense(world: World, credential: dict[str, str]) -> None:
    path = f"/applications/{world.application()['id']}/addPassword"
    assert world.call("POST", path, json={"passwordCredential": credential}).status_code == 400


def test_key_id_that_is_not_there(world: World) -> None:
    path = f"/applications/{world.application()['id']}/removePassword"
    assert world.call("POST", path, json={"keyId": str(uuid.uuid4())}).status_code == 400
    assert world.call("POST", path, json={}).status_code == 400


def certificate() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "NL"), x509.NameAttribute(x509.NameOID.COMMON_NAME, "mim")]
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2027, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.DER)


def test_certificate_gets_its_thumbprint_and_is_never_shown(world: World) -> None:
    raw = certificate()
    key = {"key": base64.b64encode(raw).decode(), "type": "AsymmetricX509Cert", "usage": "Verify"}
    app = world.application()
    path = f"/applications/{app['id']}"
    assert world.call("PATCH", path, json={"keyCredentials": [key]}).status_code == 204
    (held,) = world.call("GET", path).json()["keyCredentials"]
    assert held["customKeyIdentifier"] == hashlib.sha1(raw).hexdigest().upper()  # noqa: S324 - the field's own definition
    assert (held["displayName"], held["key"], held["endDateTime"]) == ("CN=mim, C=NL", None, "2027-01-01T00:00:00Z")
    assert world.call("PATCH", path, json={"keyCredentials": [held]}).status_code == 204
    assert world.call("GET", path).json()["keyCredentials"] == [held]
    bad = {"keyCredentials": [{"key": base64.b64encode(b"nonsense").decode()}]}
    assert world.call("PATCH", path, json=bad).status_code == 400


def test_federated_credentials(world: World) -> None:
    path = f"/applications/{world.application()['id']}/federatedIdentityCredentials"
    body = {"name": "ci", "issuer": "https://issuer", "subject": "repo", "audiences": ["api://AzureADTokenExchange"]}
    made = world.call("POST", path, json=body)
    assert (made.status_code, made.json()["description"]) == (201, None)
    assert world.call("POST", path, json=body).status_code == 409
    assert world.call("POST", path, json={"name": "x"}).status_code == 400
    assert world.call("GET", f"{path}/ci").json()["id"] == made.json()["id"]
    assert world.call("PATCH", f"{path}/{made.json()['id']}", json={"subject": "other"}).status_code == 204
    assert [item["subject"] for item in values(world, path)] == ["other"]
    assert world.call("PATCH", f"{path}/ci", json={"name": "y"}).status_code == 400
    assert world.call("DELETE", f"{path}/ci").status_code == 204
    assert world.call("GET", f"{path}/ci").status_code == 404


def test_groups_and_their_members(world: World) -> None:
    body = {"displayName": "g", "mailEnabled": False, "mailNickname": "g", "securityEnabled": True}
    group = world.call("POST", "/groups", json=body).json()
    assert group["securityIdentifier"].startswith("S-1-12-1-")
    user = world.call("GET", f"/users/{world.info.mailbox}").json()["id"]
    path, link = f"/groups/{group['id']}", {"@odata.id": f"https://x/v1.0/directoryObjects/{user}"}
    assert world.call("POST", f"{path}/members/$ref", json=link).status_code == 204
    assert world.call("POST", f"{path}/members/$ref", json=link).status_code == 400
    assert [member["id"] for member in values(world, f"{path}/members")] == [user]
    assert world.call("DELETE", f"{path}/members/{user}/$ref").status_code == 204
    assert world.call("DELETE", f"{path}/members/{user}/$ref").status_code == 404
    assert world.call("PATCH", path, json={"description": "d"}).status_code == 204
    assert [known["id"] for known in values(world, "/groups?$filter=displayName eq 'g'")] == [group["id"]]
    assert world.call("DELETE", path).status_code == 204
    assert world.call("GET", f"/directory/deletedItems/{group['id']}").status_code == 404
    assert world.call("POST", "/groups", json={"displayName": "g"}).status_code == 400


def test_microsoft_365_group_is_kept_when_deleted(world: World) -> None:
    body = {
        "displayName": "team",
        "groupTypes": ["Unified"],
        "mailEnabled": True,
        "mailNickname": "team",
        "securityEnabled": False,
    }
    group = world.call("POST", "/groups", json=body).json()
    assert group["mail"] == "team@contoso.onmicrosoft.com"
    world.call("DELETE", f"/groups/{group['id']}")
    assert [known["id"] for known in values(world, "/directory/deletedItems/microsoft.graph.group")] == [group["id"]]


def test_grant_made_anew_gets_its_old_id_back(world: World) -> None:
    client = world.service_principal(world.application()["appId"])["id"]
    body = {"clientId": client, "resourceId": world.principal_id(catalog.GRAPH.app_id), "consentType": "AllPrincipals"}
    first = world.call("POST", "/oauth2PermissionGrants", json=body | {"scope": "User.Read"}).json()["id"]
    assert values(world, f"/servicePrincipals/{client}/oauth2PermissionGrants")[0]["id"] == first
    world.call("DELETE", f"/oauth2PermissionGrants/{first}")
    assert world.call("POST", "/oauth2PermissionGrants", json=body | {"scope": "User.Read"}).json()["id"] == first


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"clientId": str(uuid.uuid4())}, 404),
        ({"consentType": None}, 400),
        ({"consentType": "Principal"}, 400),
        ({"consentType": "Principal", "principalId": str(uuid.uuid4())}, 404),
    ],
)
def test_delegated_grant_that_makes_no_sense(world: World, change: dict[str, Any], status: int) -> None:
    client = world.service_principal(world.application()["appId"])["id"]
    body = {"clientId": client, "resourceId": world.principal_id(catalog.GRAPH.app_id), "consentType": "AllPrincipals"}
    assert world.call("POST", "/oauth2PermissionGrants", json=body | change).status_code == status


def test_role_grant_from_the_clients_side(world: World) -> None:
    client = world.service_principal(world.application()["appId"])["id"]
    resource = world.principal_id(catalog.EXCHANGE.app_id)
    role = catalog.EXCHANGE.role("full_access_as_app").id
    path = f"/servicePrincipals/{client}/appRoleAssignments"
    body = {"principalId": client, "resourceId": resource, "appRoleId": role}
    made = world.call("POST", path, json=body).json()
    assert made["@odata.context"].endswith(f"#servicePrincipals('{client}')/appRoleAssignments/$entity")
    assert world.call("GET", f"{path}/{made['id']}").json()["appRoleId"] == role
    other = f"/servicePrincipals/{resource}/appRoleAssignedTo"
    assert made["id"] in [grant["id"] for grant in values(world, other)]
    assert world.call("GET", f"/servicePrincipals/{client}/appRoleAssignedTo/{made['id']}").status_code == 404
    assert world.call("POST", other, json={"principalId": client}).status_code == 400
    wrong_side = f"/servicePrincipals/{resource}/appRoleAssignments"
    assert world.call("POST", wrong_side, json=body).status_code == 400
    assert world.call("DELETE", f"{path}/{made['id']}").status_code == 204
    assert values(world, path) == []


def test_sandbox_user_signs_in_with_the_clis_client(world: World) -> None:
    found = world.device_sign_in(world.info.administrator, AZURE_CLI, "openid profile offline_access")
    assert "graph.microsoft.com/Directory.AccessAsUser.All" in found["scope"]
