"""The identity endpoints of a simulated Azure machine, as bare HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jwt
import pytest
from sandbox_world import EXCHANGE, GRAPH

from mimapp.sandbox.directory_roles import EXCHANGE_ADMINISTRATOR
from mimapp.sandbox.managed_identity import APP_SERVICE_PATH, IDENTITY_HEADER, MACHINE_PATH

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx
    from sandbox_world import World

WAYS = {
    MACHINE_PATH: ("2018-02-01", {"Metadata": "true"}),
    APP_SERVICE_PATH: ("2019-08-01", {"X-IDENTITY-HEADER": IDENTITY_HEADER}),
}


def asked(
    world: World, path: str, query: Mapping[str, str] | None = None, *, headers: dict[str, str] | None = None
) -> httpx.Response:
    version, wanted = WAYS[path]
    whole = {"api-version": version, "resource": GRAPH, **(query or {})}
    return world.http.get(path, params=whole, headers=wanted if headers is None else headers)


def claims_of(reply: httpx.Response) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(reply.json()["access_token"], options={"verify_signature": False})
    return found


def machine(world: World) -> dict[str, Any]:
    held = world.call("GET", "/servicePrincipals?$filter=displayName eq 'sandbox-vm'").json()["value"]
    assert len(held) == 1
    found: dict[str, Any] = held[0]
    return found


@pytest.mark.parametrize("path", WAYS)
@pytest.mark.parametrize(("resource", "role"), [(GRAPH, "Policy.Read.All"), (f"{EXCHANGE}/", "Exchange.ManageAsApp")])
def test_a_token_for_the_machine(world: World, path: str, resource: str, role: str) -> None:
    reply = asked(world, path, {"resource": resource})
    claims, principal = claims_of(reply), machine(world)
    assert (claims["appid"], claims["oid"]) == (principal["appId"], principal["id"])
    assert claims["aud"] == resource.rstrip("/")
    assert role in claims["roles"]
    assert claims["wids"] == [EXCHANGE_ADMINISTRATOR]


def test_the_machines_identity_is_no_application(world: World) -> None:
    principal = machine(world)
    assert principal["servicePrincipalType"] == "ManagedIdentity"
    assert principal["alternativeNames"][1].endswith("/providers/Microsoft.Compute/virtualMachines/sandbox-vm")
    assert world.call("GET", f"/applications(appId='{principal['appId']}')").status_code == 404


def test_the_words_of_both_replies(world: World) -> None:
    of_machine, of_app_service = asked(world, MACHINE_PATH).json(), asked(world, APP_SERVICE_PATH).json()
    now = int(world.clock.now().timestamp())
    assert (of_machine["expires_in"], of_machine["expires_on"]) == ("3599", str(now + 3599))
    assert of_machine["resource"] == of_app_service["resource"] == GRAPH
    assert of_app_service.keys() == {"access_token", "expires_on", "resource", "token_type", "client_id"}


@pytest.mark.parametrize("path", WAYS)
def test_the_identity_by_its_names_and_no_other(world: World, path: str) -> None:
    principal = machine(world)
    known = {
        "client_id": principal["appId"].upper(),
        "object_id": principal["id"],
        "mi_res_id": principal["alternativeNames"][1],
    }
    for name, value in known.items():
        assert asked(world, path, {name: value}).status_code == 200
        refused = asked(world, path, {name: "00001111-aaaa-2222-bbbb-3333cccc4444"})
        assert (refused.status_code, refused.json()["error_description"]) == (400, "Identity not found")


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (MACHINE_PATH, {}, 400),
        (MACHINE_PATH, {"Metadata": "false"}, 400),
        (MACHINE_PATH, {"Metadata": "true", "X-Forwarded-For": "192.0.2.1"}, 400),
        (APP_SERVICE_PATH, {}, 401),
        (APP_SERVICE_PATH, {"X-IDENTITY-HEADER": "another"}, 401),
    ],
)
def test_strangers_get_nothing(world: World, path: str, headers: dict[str, str], status: int) -> None:
    reply = asked(world, path, headers=headers)
    assert reply.status_code == status
    assert reply.json()["error"] == "invalid_request"


@pytest.mark.parametrize("path", WAYS)
def test_what_is_missing_is_said(world: World, path: str) -> None:
    assert "api-version" in asked(world, path, {"api-version": "2000-01-01"}).json()["error_description"]
    assert "resource" in asked(world, path, {"resource": ""}).json()["error_description"]
    unknown = asked(world, path, {"resource": "https://nowhere.example"})
    assert (unknown.status_code, unknown.json()["error"]) == (400, "invalid_resource")
    assert unknown.json()["error_description"].startswith("AADSTS500011: ")
