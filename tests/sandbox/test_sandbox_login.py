from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from sandbox_world import AZURE_CLI, EXCHANGE, EXCHANGE_POWERSHELL, GRAPH, GRAPH_COMMAND_LINE

from mimapp.sandbox.directory_roles import EXCHANGE_ADMINISTRATOR, GLOBAL_ADMINISTRATOR
from mimapp.sandbox.errors import TokenRefused
from mimapp.sandbox.tokens import EXCHANGE_AUDIENCES, GRAPH_AUDIENCES, TokenService

if TYPE_CHECKING:
    from sandbox_world import World

UNKNOWN = "00001111-aaaa-2222-bbbb-3333cccc4444"


def claims_of(world: World, token: str, audience: str = GRAPH) -> dict[str, Any]:
    """The claims, after the signature was proven with the published keys."""
    keys = world.http.get(f"/{world.info.tenant_id}/discovery/v2.0/keys").json()
    key = next(k for k in keys["keys"] if k["kid"] == jwt.get_unverified_header(token)["kid"])
    found: dict[str, Any] = jwt.decode(
        token,
        jwt.PyJWK(key),
        algorithms=["RS256"],
        audience=audience,
        options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
    )
    return found


def tokens(world: World) -> TokenService:
    return TokenService(world.sandbox.state, clock=world.clock)


@pytest.mark.parametrize(
    "name",
    ["contoso.onmicrosoft.com", "CONTOSO.onmicrosoft.com", "5a6db0c0-0001-4c0a-8f00-c0de00000001", "organizations"],
)
def test_metadata_names_the_tenant_by_its_id(world: World, name: str) -> None:
    found = world.http.get(f"/{name}/v2.0/.well-known/openid-configuration").json()
    base = f"https://sandbox.invalid/{world.info.tenant_id}"
    assert found["issuer"] == f"{base}/v2.0"
    assert found["token_endpoint"] == f"{base}/oauth2/v2.0/token"
    assert found["device_authorization_endpoint"] == f"{base}/oauth2/v2.0/devicecode"
    assert (found["tenant_region_scope"], found["cloud_instance_name"]) == ("EU", "microsoftonline.com")


def test_unknown_tenant_is_refused_everywhere(world: World) -> None:
    metadata = world.http.get("/nowhere.onmicrosoft.com/v2.0/.well-known/openid-configuration")
    token = world.sign_in(tenant="nowhere.onmicrosoft.com")
    for reply in (metadata, token):
        assert reply.status_code == 400
        assert reply.json()["error_codes"] == [90002]
        assert "Tenant 'nowhere.onmicrosoft.com' not found." in reply.json()["error_description"]


def test_application_token_has_the_claims_of_a_v1_token(world: World) -> None:
    claims = claims_of(world, world.operator_token())
    now = int(world.clock.now().timestamp())
    assert claims["iss"] == f"https://sts.windows.net/{world.info.tenant_id}/"
    assert (claims["ver"], claims["idtyp"], claims["appidacr"]) == ("1.0", "app", "1")
    assert (claims["appid"], claims["tid"]) == (world.info.operator_client_id, world.info.tenant_id)
    assert (claims["iat"], claims["nbf"], claims["exp"]) == (now, now, now + 3599)
    assert {"Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All"} <= set(claims["roles"])
    assert claims["wids"] == [EXCHANGE_ADMINISTRATOR]
    assert "scp" not in claims
    assert "upn" not in claims


@pytest.mark.parametrize(
    ("scope", "audience"),
    [
        (f"{GRAPH}/.default", GRAPH),
        (f"{GRAPH}//.default", GRAPH),
        ("https://sandbox.invalid/.default", GRAPH),
        ("https://sandbox.invalid//.default", GRAPH),
        ("00000003-0000-0000-c000-000000000000/.default", GRAPH),
        (f"{EXCHANGE}/.default", EXCHANGE),
    ],
)
def test_scope_decides_the_audience(world: World, scope: str, audience: str) -> None:
    claims = claims_of(world, world.operator_token(scope), audience)
    is_graph = audience == GRAPH
    assert ("Exchange.ManageAsApp" in claims["roles"]) is not is_graph
    assert ("Application.ReadWrite.All" in claims["roles"]) is is_graph


@pytest.mark.parametrize(
    ("form", "status", "error", "code"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_secret": ""}, 401, "invalid_client", 7000215),
        ({"client_id": UNKNOWN}, 400, "unauthorized_client", 700016),
        ({"scope": f"{GRAPH}/User.Read"}, 400, "invalid_scope", 1002012),
        ({"scope": "openid"}, 400, "invalid_scope", 1002012),
        ({"scope": "https://nowhere.example/.default"}, 400, "invalid_resource", 500011),
        ({"scope": f"{GRAPH}/.default {EXCHANGE}/.default"}, 400, "invalid_scope", 700022),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ({"grant_type": ""}, 400, "invalid_request", 900144),
        ({"client_id": ""}, 400, "invalid_request", 900144),
    ],
)
def test_refused_sign_in(world: World, form: dict[str, str], status: int, error: str, code: int) -> None:
    reply = world.sign_in(**form)
    body = reply.json()
    assert (reply.status_code, body["error"], body["error_codes"]) == (status, error, [code])
    assert body["error_description"].startswith(f"AADSTS{code}: ")
    assert (
        f"\r\nTrace ID: {body['trace_id']}\r\nCorrelation ID: {body['correlation_id']}\r\n" in body["error_description"]
    )
    assert body["error_uri"].endswith(f"/error?code={code}")
    assert body["timestamp"] == "2026-11-21 09:00:00Z"


def test_token_stands_until_it_expires_and_only_for_its_audience(world: World) -> None:
    service = tokens(world)
    header = f"Bearer {world.operator_token()}"
    claims = service.verify(header, audiences=GRAPH_AUDIENCES)
    assert claims.is_app_only
    assert claims.app_id == world.info.operator_client_id
    assert "Policy.Read.All" in claims.roles
    with pytest.raises(TokenRefused, match="audience"):
        service.verify(header, audiences=EXCHANGE_AUDIENCES)
    world.clock.advance(timedelta(minutes=66))
    with pytest.raises(TokenRefused, match="expired"):
        service.verify(header, audiences=GRAPH_AUDIENCES)


@pytest.mark.parametrize(
    ("header", "reason"),
    [(None, "missing"), ("", "missing"), ("Basic abc", "missing"), ("Bearer", "missing"), ("Bearer abc", "malformed")],
)
def test_no_token_at_all(world: World, header: str | None, reason: str) -> None:
    with pytest.raises(TokenRefused, match=reason):
        tokens(world).verify(header, audiences=GRAPH_AUDIENCES)


def test_token_signed_by_another_is_refused(world: World) -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415 - only this test needs a key

    forged = jwt.encode(
        jwt.decode(world.operator_token(), options={"verify_signature": False}),
        rsa.generate_private_key(public_exponent=65537, key_size=2048),
        algorithm="RS256",
    )
    with pytest.raises(TokenRefused, match="signature"):
        tokens(world).verify(f"Bearer {forged}", audiences=GRAPH_AUDIENCES)


def test_administrator_signs_in_by_device_code(world: World) -> None:
    claims = claims_of(world, world.admin_token())
    assert claims["upn"] == world.info.administrator
    assert claims["idtyp"] == "user"
    assert {GLOBAL_ADMINISTRATOR, EXCHANGE_ADMINISTRATOR} == set(claims["wids"])
    assert {"Application.ReadWrite.All", "Directory.AccessAsUser.All"} <= set(claims["scp"].split())
    assert "roles" not in claims


def test_exchange_client_holds_the_scope_that_only_it_may_have(world: World) -> None:
    claims = claims_of(world, world.admin_token(EXCHANGE_POWERSHELL, f"{EXCHANGE}/.default"), EXCHANGE)
    assert claims["scp"] == "AdminApi.AccessAsUser.All"


def device_flow(world: World, client: str, scope: str) -> dict[str, Any]:
    base = f"/{world.info.tenant_id}/oauth2/v2.0"
    begun = world.http.post(f"{base}/devicecode", data={"client_id": client, "scope": scope}).json()
    form = {"grant_type": "device_code", "client_id": client, "code": begun["device_code"]}
    found: dict[str, Any] = world.http.post(f"{base}/token", data=form).json()
    return found


def test_named_scopes_are_consented_once_and_stay(world: World) -> None:
    named = f"{GRAPH}/Application.ReadWrite.All {GRAPH}/AppRoleAssignment.ReadWrite.All offline_access"
    first = device_flow(world, GRAPH_COMMAND_LINE, named)
    assert set(claims_of(world, first["access_token"])["scp"].split()) == {
        "User.Read",
        "Application.ReadWrite.All",
        "AppRoleAssignment.ReadWrite.All",
    }
    later = device_flow(world, GRAPH_COMMAND_LINE, f"{GRAPH}/.default")
    assert "Application.ReadWrite.All" in claims_of(world, later["access_token"])["scp"].split()


def test_default_scope_gives_only_what_was_consented(world: World) -> None:
    found = device_flow(world, GRAPH_COMMAND_LINE, f"{GRAPH}/.default")
    assert claims_of(world, found["access_token"])["scp"] == "User.Read"


@pytest.mark.parametrize(
    ("client", "scope", "code"),
    [
        (AZURE_CLI, f"{EXCHANGE}/.default", 65002),
        (GRAPH_COMMAND_LINE, f"{EXCHANGE}/.default", 65002),
        (EXCHANGE_POWERSHELL, f"{GRAPH}/.default", 65002),
        (AZURE_CLI, f"{GRAPH}/No.Such.Permission", 70011),
    ],
)
def test_pairs_of_client_and_service_that_entra_refuses(world: World, client: str, scope: str, code: int) -> None:
    assert device_flow(world, client, scope)["error_codes"] == [code]


def test_refresh_token_serves_another_service_and_asks_nobody(world: World) -> None:
    first = device_flow(world, GRAPH_COMMAND_LINE, f"{GRAPH}/Application.Read.All offline_access")
    form = {"grant_type": "refresh_token", "client_id": GRAPH_COMMAND_LINE, "refresh_token": first["refresh_token"]}
    base = f"/{world.info.tenant_id}/oauth2/v2.0/token"
    again = world.http.post(base, data=form | {"scope": f"{GRAPH}/Application.Read.All"}).json()
    assert "Application.Read.All" in claims_of(world, again["access_token"])["scp"].split()
    beyond = world.http.post(base, data=form | {"scope": f"{GRAPH}/Group.ReadWrite.All"}).json()
    assert (beyond["error"], beyond["error_codes"]) == ("invalid_grant", [65001])
    forged = world.http.post(base, data=form | {"scope": f"{GRAPH}/.default", "refresh_token": "x"}).json()
    assert forged["error_codes"] == [700082]
    world.clock.advance(timedelta(days=91))
    old = world.http.post(base, data=form | {"scope": f"{GRAPH}/.default"}).json()
    assert old["error_codes"] == [700082]


def test_device_code_waits_for_a_person_where_nobody_answers_by_himself(world: World) -> None:
    state, tenant = world.sandbox.state, world.info.tenant_id
    with state.transaction() as tx:
        tx.put(tenant, "login.settings", tenant, {"autoApprove": False})
    base = f"/{tenant}/oauth2/v2.0"
    begun = world.http.post(f"{base}/devicecode", data={"client_id": AZURE_CLI, "scope": f"{GRAPH}/.default"}).json()
    form = {"grant_type": "device_code", "client_id": AZURE_CLI, "device_code": begun["device_code"]}
    pending = world.http.post(f"{base}/token", data=form)
    assert (pending.status_code, pending.json()["error"]) == (400, "authorization_pending")
    page = begun["verification_uri"].removeprefix(world.sandbox.origin)
    assert "user_code" in world.http.get(page).text
    assert world.http.post(page, data={"user_code": begun["user_code"], "username": "nobody@x"}).status_code == 400
    entered = {"user_code": begun["user_code"], "username": f"other@{world.info.tenant_name}"}
    assert world.http.post(page, data=entered).status_code == 200
    token = world.http.post(f"{base}/token", data=form).json()["access_token"]
    claims = claims_of(world, token)
    assert (claims["upn"], claims["wids"]) == (f"other@{world.info.tenant_name}", [])
    assert world.http.post(f"{base}/token", data=form).json()["error_codes"] == [70000]


def test_device_code_expires(world: World) -> None:
    base = f"/{world.info.tenant_id}/oauth2/v2.0"
    begun = world.http.post(f"{base}/devicecode", data={"client_id": AZURE_CLI, "scope": f"{GRAPH}/.default"}).json()
    world.clock.advance(timedelta(seconds=begun["expires_in"]))
    form = {"grant_type": "device_code", "client_id": AZURE_CLI, "device_code": begun["device_code"]}
    assert world.http.post(f"{base}/token", data=form).json()["error"] == "expired_token"


def test_instance_discovery_knows_itself_and_no_other(world: World) -> None:
    ask = f"https://sandbox.invalid/{world.info.tenant_id}/oauth2/v2.0/authorize"
    known = world.http.get("/common/discovery/instance", params={"authorization_endpoint": ask, "api-version": "1.1"})
    assert known.json()["tenant_discovery_endpoint"].endswith(
        f"/{world.info.tenant_id}/v2.0/.well-known/openid-configuration"
    )
    other = world.http.get(
        "/common/discovery/instance", params={"authorization_endpoint": "https://a.example/x/authorize"}
    )
    assert (other.status_code, other.json()["error"]) == (400, "invalid_instance")
