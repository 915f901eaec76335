"""Every rule of sign-in in the table of cases, against the sandbox."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sandbox_world import AZURE_CLI, EXCHANGE, GRAPH

from mimapp.sandbox import catalog
from mimapp.sandbox.cases import Area, cases
from mimapp.sandbox.scenarios import block_sign_in

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    from sandbox_world import World

PROOFS: dict[str, Callable[[World], None]] = {}


def proves(name: str) -> Callable[[Callable[[World], None]], Callable[[World], None]]:
    def keep(proof: Callable[[World], None]) -> Callable[[World], None]:
        PROOFS[name] = proof
        return proof

    return keep


@pytest.mark.parametrize("name", [case.name for case in cases() if case.area is Area.SIGN_IN])
def test_case(world: World, name: str) -> None:
    PROOFS[name](world)


def test_no_proof_without_its_case() -> None:
    assert set(PROOFS) == {case.name for case in cases() if case.area is Area.SIGN_IN}


def refused_sign_in(reply: Any, code: int) -> None:
    body = reply if isinstance(reply, dict) else reply.json()
    assert body["error_codes"] == [code]


def secret_of(world: World, app: dict[str, Any], **credential: Any) -> httpx.Response:
    return world.call("POST", f"/applications/{app['id']}/addPassword", json={"passwordCredential": credential})


@proves("token-has-granted-roles-only")
def _(world: World) -> None:
    caller = world.actor()
    assert world.call("GET", "/organization", token=caller.token).status_code == 403
    role = catalog.GRAPH.role("Organization.Read.All").id
    assert world.grant(caller.principal_id, role, catalog.GRAPH.app_id).status_code == 201
    assert world.call("GET", "/organization", token=caller.token).status_code == 403
    fresh = world.sign_in(client_id=caller.app_id, client_secret="replaced-secret").json()["access_token"]
    assert world.call("GET", "/organization", token=fresh).status_code == 200


@proves("clients-not-preauthorized")
def _(world: World) -> None:
    name = world.info.administrator
    refused_sign_in(world.device_sign_in(name, AZURE_CLI, f"{EXCHANGE}/.default"), 65002)


@proves("admin-api-scope-is-closed")
def _(world: World) -> None:
    app = world.application(isFallbackPublicClient=True)
    world.service_principal(app["appId"])
    wanted = f"{EXCHANGE}/AdminApi.AccessAsUser.All"
    refused_sign_in(world.device_sign_in(world.info.administrator, app["appId"], wanted), 65001)
    allowed = world.device_sign_in(world.info.administrator, app["appId"], f"{EXCHANGE}/Exchange.Manage")
    assert allowed["scope"] == f"{EXCHANGE}/Exchange.Manage"


@proves("disabled-application")
def _(world: World) -> None:
    app = world.application()
    principal = world.service_principal(app["appId"])
    secret = secret_of(world, app).json()["secretText"]
    world.call("PATCH", f"/servicePrincipals/{principal['id']}", json={"accountEnabled": False})
    refused_sign_in(world.sign_in(client_id=app["appId"], client_secret=secret), 7000112)


@proves("service-principal-missing")
def _(world: World) -> None:
    app = world.application()
    secret = secret_of(world, app).json()["secretText"]
    refused_sign_in(world.sign_in(client_id=app["appId"], client_secret=secret), 7000229)


@proves("expired-secret")
def _(world: World) -> None:
    app = world.application()
    world.service_principal(app["appId"])
    secret = secret_of(world, app, endDateTime="2026-12-01T00:00:00Z").json()["secretText"]
    assert world.sign_in(client_id=app["appId"], client_secret=secret).status_code == 200
    world.clock.advance(timedelta(days=20))
    reply = world.sign_in(client_id=app["appId"], client_secret=secret)
    assert (reply.status_code, reply.json()["error_codes"]) == (401, [7000222])


@proves("conditional-access")
def _(world: World) -> None:
    caller = world.actor()
    block_sign_in(world.sandbox, caller.app_id)
    refused_sign_in(world.sign_in(client_id=caller.app_id, client_secret="replaced-secret"), 53003)
    refused_sign_in(world.sign_in(client_id=caller.app_id, client_secret="wrong"), 7000215)
    block_sign_in(world.sandbox, caller.app_id, blocked=False)
    assert world.sign_in(client_id=caller.app_id, client_secret="replaced-secret", scope=f"{GRAPH}/.default").is_success
