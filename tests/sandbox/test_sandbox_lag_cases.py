"""Every rule of lag in the table of cases, against a sandbox whose writes travel for up to ten seconds."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
from sandbox_world import World

from mimapp.sandbox import Weather, catalog
from mimapp.sandbox.cases import Area, cases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LAG = timedelta(seconds=10)
FULL_ACCESS = catalog.EXCHANGE.role("full_access_as_app").id
EXCHANGE_ID = catalog.EXCHANGE.app_id

PROOFS: dict[str, Callable[[World], None]] = {}


def proves(name: str) -> Callable[[Callable[[World], None]], Callable[[World], None]]:
    def keep(proof: Callable[[World], None]) -> Callable[[World], None]:
        PROOFS[name] = proof
        return proof

    return keep


@pytest.fixture
def lagging(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, weather=Weather(lag=LAG, seed=7))
    yield made
    made.close()


@pytest.mark.parametrize("name", [case.name for case in cases() if case.area is Area.LAG])
def test_case(lagging: World, name: str) -> None:
    PROOFS[name](lagging)


def test_no_proof_without_its_case() -> None:
    assert set(PROOFS) == {case.name for case in cases() if case.area is Area.LAG}


def error_of(reply: httpx.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["error"]["message"]


def statuses(world: World, path: str, times: int) -> list[int]:
    """What the same GET answers, twice a second."""
    seen = []
    for _ in range(times):
        seen.append(world.call("GET", path).status_code)
        world.clock.advance(timedelta(seconds=0.5))
    return seen


def settled_application(world: World, *, principal: bool = False) -> dict[str, str]:
    app = world.application()
    world.clock.advance(LAG)
    if principal:
        world.service_principal(app["appId"])
        world.clock.advance(LAG)
    return {"id": app["id"], "appId": app["appId"]}


@proves("fresh-object-missing")
def _(world: World) -> None:
    app = world.application()
    for method, path in (
        ("GET", f"/applications/{app['id']}"),
        ("GET", f"/applications(appId='{app['appId']}')"),
        ("PATCH", f"/applications/{app['id']}"),
        ("POST", f"/applications/{app['id']}/addPassword"),
        ("GET", f"/applications/{app['id']}/owners"),
        ("DELETE", f"/applications/{app['id']}"),
    ):
        reply = world.call(method, path, json={} if method in ("PATCH", "POST") else None)
        assert (reply.status_code, reply.json()["error"]["code"]) == (404, "Request_ResourceNotFound"), path


@proves("reads-flap")
def _(world: World) -> None:
    app = world.application()
    seen = statuses(world, f"/applications/{app['id']}", 19)
    assert seen[0] == 404
    first = seen.index(200)
    assert 404 in seen[first:], "once seen, some replica still did not know it"


@proves("list-misses-fresh-object")
def _(world: World) -> None:
    app = world.application()
    path = f"/applications?$filter=appId eq '{app['appId']}'"
    assert world.call("GET", path).json()["value"] == []
    world.clock.advance(LAG)
    assert [known["id"] for known in world.call("GET", path).json()["value"]] == [app["id"]]


@proves("service-principal-too-early")
def _(world: World) -> None:
    app = world.application()
    status, text = error_of(world.call("POST", "/servicePrincipals", json={"appId": app["appId"]}))
    assert status == 400
    assert f"The appId '{app['appId']}' of the service principal does not reference a valid application" in text


@proves("service-principal-too-early-owned-by")
def _(world: World) -> None:
    caller = world.actor("Application.ReadWrite.OwnedBy")
    app = world.call("POST", "/applications", json={"displayName": "x"}, token=caller.token).json()
    reply = world.call("POST", "/servicePrincipals", json={"appId": app["appId"]}, token=caller.token)
    status, text = error_of(reply)
    assert (status, text.endswith("being created must in the local tenant")) == (403, True)
    unknown = world.call("POST", "/servicePrincipals", json={"appId": str(uuid.uuid4())}, token=caller.token)
    assert unknown.status_code == 400


@proves("grant-too-early")
def _(world: World) -> None:
    app = settled_application(world)
    principal = world.service_principal(app["appId"])
    status, text = error_of(world.grant(principal["id"], FULL_ACCESS, EXCHANGE_ID))
    assert (status, text) == (400, "Not a valid reference update.")
    world.clock.advance(LAG)
    assert world.grant(principal["id"], FULL_ACCESS, EXCHANGE_ID).status_code == 201


@proves("upsert-is-decided-once")
def _(world: World) -> None:
    path, body = "/applications(uniqueName='mim')", {"displayName": "x"}
    replies = [world.call("PATCH", path, json=body, prefer="create-if-missing").status_code for _ in range(4)]
    assert replies == [201, 204, 204, 204]
    world.clock.advance(LAG)
    listed = world.call("GET", "/applications?$filter=uniqueName eq 'mim'").json()["value"]
    assert len(listed) == 1


@proves("unique-name-not-seen")
def _(world: World) -> None:
    world.application(uniqueName="mim")
    assert world.call("GET", "/applications(uniqueName='mim')").status_code == 404
    status, text = error_of(world.call("POST", "/applications", json={"displayName": "y", "uniqueName": "mim"}))
    assert (status, "uniqueName already exists" in text) == (400, True)


@proves("older-version-shown")
def _(world: World) -> None:
    app = settled_application(world)
    path = f"/applications/{app['id']}"
    assert world.call("PATCH", path, json={"notes": "new"}).status_code == 204
    assert world.call("GET", path).json()["notes"] is None
    world.clock.advance(LAG)
    assert world.call("GET", path).json()["notes"] == "new"


@proves("deletion-travels")
def _(world: World) -> None:
    app = settled_application(world)
    path = f"/applications/{app['id']}"
    assert world.call("DELETE", path).status_code == 204
    assert world.call("GET", path).status_code == 200
    assert world.call("GET", f"/directory/deletedItems/{app['id']}").status_code == 404
    world.clock.advance(LAG)
    assert world.call("GET", path).status_code == 404
    assert world.call("GET", f"/directory/deletedItems/{app['id']}").status_code == 200


def new_secret(world: World, app: dict[str, str]) -> tuple[str, str]:
    shown = world.call("POST", f"/applications/{app['id']}/addPassword", json={}).json()
    return shown["keyId"], shown["secretText"]


@proves("secret-not-usable-at-once")
def _(world: World) -> None:
    app = settled_application(world, principal=True)
    _, text = new_secret(world, app)
    early = world.sign_in(client_id=app["appId"], client_secret=text)
    assert (early.status_code, early.json()["error_codes"]) == (401, [7000215])
    world.clock.advance(LAG)
    assert world.sign_in(client_id=app["appId"], client_secret=text).status_code == 200


@proves("removed-secret-lives-on")
def _(world: World) -> None:
    app = settled_application(world, principal=True)
    key_id, text = new_secret(world, app)
    world.clock.advance(LAG)
    path = f"/applications/{app['id']}/removePassword"
    assert world.call("POST", path, json={"keyId": key_id}).status_code == 204
    assert world.sign_in(client_id=app["appId"], client_secret=text).status_code == 200
    world.clock.advance(LAG)
    assert world.sign_in(client_id=app["appId"], client_secret=text).json()["error_codes"] == [7000215]


@proves("application-unknown-to-login")
def _(world: World) -> None:
    app = world.application()
    assert world.sign_in(client_id=app["appId"], client_secret="any").json()["error_codes"] == [700016]


@proves("roles-come-later")
def _(world: World) -> None:
    caller = world.actor()
    role = catalog.GRAPH.role("Organization.Read.All").id
    assert world.grant(caller.principal_id, role, catalog.GRAPH.app_id).status_code == 201

    def may_read() -> bool:
        token = world.sign_in(client_id=caller.app_id, client_secret="replaced-secret").json()["access_token"]
        return world.call("GET", "/organization", token=token).is_success

    assert not may_read()
    world.clock.advance(LAG)
    assert may_read()


def stormy(world: World, weather: Weather) -> World:
    """The same tenant as another process meets it, in worse weather."""
    return World(world.sandbox.home, clock=world.clock, weather=weather)


@proves("throttled")
def _(world: World) -> None:
    token = world.operator_token()
    worse = stormy(world, Weather(throttle=1.0))
    replies = [worse.call("GET", f"/applications?n={n}", token=token) for n in range(20)]
    worse.close()
    assert {reply.status_code for reply in replies} == {429}
    assert {reply.headers.get("retry-after") for reply in replies} == {"2", None}


@proves("concurrency")
def _(world: World) -> None:
    token, app = world.operator_token(), settled_application(world)
    worse = stormy(world, Weather(throttle=1.0))
    path = f"/applications/{app['id']}/addPassword"
    replies = [worse.call("POST", path, json={}, token=token) for _ in range(40)]
    worse.close()
    assert {reply.status_code for reply in replies} == {409, 429, 503}
    concurrent = [reply for reply in replies if reply.status_code != 429]
    assert {reply.json()["error"]["code"] for reply in concurrent} == {"Directory_ConcurrencyViolation"}
    assert world.call("GET", f"/applications/{app['id']}").json()["passwordCredentials"] == []


@proves("lost-reply")
def _(world: World) -> None:
    token = world.operator_token()
    worse = stormy(world, Weather.parse(faults=["POST /v1.0/applications lose"]))
    with pytest.raises(httpx.ReadError):
        worse.call("POST", "/applications", json={"displayName": "lost"}, token=token)
    worse.close()
    listed = world.call("GET", "/applications?$filter=displayName eq 'lost'").json()["value"]
    assert len(listed) == 1


@proves("settled-in-the-end")
def _(world: World) -> None:
    app = world.application()
    world.clock.advance(LAG)
    assert set(statuses(world, f"/applications/{app['id']}", 20)) == {200}
