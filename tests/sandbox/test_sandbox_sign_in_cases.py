"""Every rule of sign-in in the table of cases, against the sandbox."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from assertion_world import MINE, SUBJECT, Client
from browser_world import opened, redeemed, registered, sent_back
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


# The browser; more of it in test_sandbox_authorize.py


@proves("redirect-not-registered")
def _(world: World) -> None:
    reply = opened(world, redirect_uri="https://elsewhere.example/")
    assert "AADSTS50011: " in reply.text
    assert "location" not in reply.headers


@proves("redirect-port-of-this-machine")
def _(world: World) -> None:
    assert "code" in sent_back(opened(world))
    other = "http://localhost:6000"
    assert "code" in sent_back(opened(world, redirect_uri=other), other)


@proves("web-client-has-to-prove-itself")
def _(world: World) -> None:
    client = registered(world, "web")
    code = sent_back(opened(world, client_id=client, scope=f"{GRAPH}/User.Read"))["code"]
    reply = redeemed(world, code, client_id=client)
    assert (reply.status_code, reply.json()["error_codes"]) == (401, [7000218])


@proves("code-works-once")
def _(world: World) -> None:
    code = sent_back(opened(world))["code"]
    assert redeemed(world, code).is_success
    refused_sign_in(redeemed(world, code), 54005)


@proves("code-needs-its-verifier")
def _(world: World) -> None:
    code = sent_back(opened(world))["code"]
    refused_sign_in(redeemed(world, code, code_verifier="another-verifier-of-forty-three-letters-or-so"), 501481)
    refused_sign_in(redeemed(world, code, code_verifier=None), 50148)


@proves("public-client-with-secret")
def _(world: World) -> None:
    refused_sign_in(redeemed(world, "a code", client_secret="replaced-secret"), 700025)


# Assertions; more of them in test_sandbox_assertions.py


@proves("certificate-not-registered")
def _(world: World) -> None:
    client = Client(world)
    refused_sign_in(client.sign_in(client.own()), 700027)


@proves("assertion-out-of-time")
def _(world: World) -> None:
    client = Client(world, keyCredentials=[MINE.credential])
    now = int(world.clock.now().timestamp())
    refused_sign_in(client.sign_in(client.own(nbf=now + 600, exp=now + 1200)), 700024)
    refused_sign_in(client.sign_in(client.own(nbf=now - 1200, exp=now - 600)), 700024)


@proves("federation-matches-to-the-letter")
def _(world: World) -> None:
    client = Client(world)
    refused_sign_in(client.sign_in(client.federated()), 700211)
    client.trust()
    refused_sign_in(client.sign_in(client.federated(sub="another")), 700213)
    refused_sign_in(client.sign_in(client.federated(sub=SUBJECT.upper())), 7002138)
    refused_sign_in(client.sign_in(client.federated(aud="another")), 700212)
    assert client.sign_in(client.federated()).is_success
