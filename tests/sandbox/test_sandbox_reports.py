"""The sign-in report: what was used, when, by whom it may be read, and that it is beta alone."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox_world import World

REPORT = "/beta/reports/appCredentialSignInActivities"


def report(world: World, app_id: str, token: str | None = None, path: str = REPORT) -> Any:
    return world.http.get(
        f"{path}?$filter=appId eq '{app_id}'",
        headers={"authorization": f"Bearer {token or world.operator_token()}"},
    )


def secret_of(world: World, app: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = world.call("POST", f"/applications/{app['id']}/addPassword", json={}).json()
    return made


def test_a_secret_that_got_a_token_is_in_the_report_and_one_that_did_not_is_not(world: World) -> None:
    app = world.application()
    principal = world.service_principal(app["appId"])
    used, idle = secret_of(world, app), secret_of(world, app)
    assert report(world, app["appId"]).json()["value"] == []

    world.sign_in(client_id=app["appId"], client_secret=used["secretText"])
    world.sign_in(client_id=app["appId"], client_secret="wrong")
    (row,) = report(world, app["appId"]).json()["value"]

    assert row["keyId"] == used["keyId"] != idle["keyId"]
    assert row["appObjectId"] == app["id"]
    assert row["servicePrincipalObjectId"] == principal["id"]
    assert row["signInActivity"]["lastSignInDateTime"] == "2026-11-21T09:00:00Z"


def test_a_later_use_moves_the_time_once_an_hour(world: World) -> None:
    app = world.application()
    world.service_principal(app["appId"])
    secret = secret_of(world, app)
    seen = []
    for minutes in (0, 59, 1):
        world.clock.advance(timedelta(minutes=minutes))
        world.sign_in(client_id=app["appId"], client_secret=secret["secretText"])
        (row,) = report(world, app["appId"]).json()["value"]
        seen.append(row["signInActivity"]["lastSignInDateTime"][11:16])
    assert seen == ["09:00", "09:00", "10:00"]


def test_it_is_beta_and_needs_a_right(world: World) -> None:
    app = world.application()
    assert report(world, app["appId"], path=REPORT.replace("beta", "v1.0")).status_code == 400
    weak = world.actor("Application.Read.All").token
    assert report(world, app["appId"], token=weak).status_code == 403
    strong = world.actor("AuditLog.Read.All").token
    assert report(world, app["appId"], token=strong).status_code == 200
