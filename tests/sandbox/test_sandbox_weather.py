from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sandbox_world import World

from mimapp.sandbox import SandboxError, Weather
from mimapp.sandbox.conditions import EFFECT_FACTORS, Conditions
from mimapp.sandbox.exchange.weather import Effect, RefusalKind
from mimapp.sandbox.weather import CALM, Fault
from support.clock import FakeClock

if TYPE_CHECKING:
    from pathlib import Path


def test_options_as_they_are_typed() -> None:
    found = Weather.parse(
        latency="40ms",
        lag="5s",
        throttle="0.1",
        lose_replies="0.05",
        faults=["POST /v1.0/applications 503 x2", "any * cut"],
        seed="9",
    )
    assert found == Weather(
        latency=timedelta(milliseconds=40),
        lag=timedelta(seconds=5),
        throttle=0.1,
        lose_replies=0.05,
        faults=(
            Fault(method="POST", pattern="/v1.0/applications", outcome="503", times=2),
            Fault(method="ANY", pattern="*", outcome="cut"),
        ),
        seed=9,
    )
    assert not found.is_calm
    assert Weather.parse(seed="3").is_calm


def test_same_options_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "weather.toml"
    path.write_text(
        'lag = "5s"\nthrottle = 0.1\nlose-replies = 0.05\nseed = 9\nfaults = ["GET /x 429"]\n', encoding="utf-8"
    )
    expected = Weather.parse(lag="5s", throttle="0.1", lose_replies="0.05", faults=["GET /x 429"], seed="9")
    assert Weather.from_toml(path) == expected


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"latency": "40"}, "latency '40' is not a duration"),
        ({"lag": "5 s"}, "lag '5 s' is not a duration"),
        ({"throttle": "2"}, "throttle '2' is not a share"),
        ({"lose_replies": "often"}, "lose-replies 'often' is not a share"),
        ({"seed": "x"}, "seed 'x' is not a whole number"),
        ({"faults": ["POST /v1.0/applications"]}, "is not a fault"),
        ({"faults": ["POST /v1.0/applications 200"]}, "is not a fault"),
        ({"faults": ["POST /v1.0/applications sometimes"]}, "is not a fault"),
    ],
)
def test_option_that_makes_no_sense(options: dict[str, Any], word: str) -> None:
    with pytest.raises(SandboxError, match=word):
        Weather.parse(**options)


@pytest.mark.parametrize(
    ("text", "word"),
    [("wind = 3", "unknown key 'wind'"), ("lag = ", "is not TOML"), ('faults = "x"', "list of texts")],
)
def test_file_that_makes_no_sense(tmp_path: Path, text: str, word: str) -> None:
    path = tmp_path / "weather.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SandboxError, match=word):
        Weather.from_toml(path)


@pytest.mark.parametrize(("lag", "window"), [("0s", "1s"), ("5s", "6s"), ("250ms", "1250ms")])
def test_replication_window_is_the_lag_and_a_second(lag: str, window: str) -> None:
    assert Weather.parse(lag=lag).replication_window == window


def schedule(weather: Weather) -> list[object]:
    """What happens to a fixed row of requests."""
    conditions = Conditions(weather)
    found: list[object] = []
    for number in range(40):
        path = f"/v1.0/applications/{number:08d}-0000-4000-8000-{number:012d}/addPassword"
        found += [conditions.refusal("POST", path), conditions.breakdown("POST", path), conditions.delay("application")]
        found += [conditions.exchange.refusal("Get-Mailbox"), conditions.exchange.delay(Effect.POLICY_ENFORCED)]
    return found


def test_same_seed_same_schedule_whatever_the_ids() -> None:
    storm = Weather.parse(lag="5s", throttle="0.4", lose_replies="0.3", seed="4")
    assert schedule(storm) == schedule(storm)
    assert schedule(storm) != schedule(Weather.parse(lag="5s", throttle="0.4", lose_replies="0.3", seed="5"))


def sightings(world: World, app_id: str, *, backwards: bool) -> dict[str, list[int]]:
    """What two different reads see, five times each, one before the other or the other way round."""
    token = world.operator_token()
    paths = [f"/applications/{app_id}", f"/applications/{app_id}/owners"]
    seen: dict[str, list[int]] = {path: [] for path in paths}
    for _ in range(5):
        for path in reversed(paths) if backwards else paths:
            seen[path].append(world.call("GET", path, token=token).status_code)
    return {path.replace(app_id, ""): found for path, found in seen.items()}


def test_schedule_of_a_request_does_not_hang_on_what_runs_beside_it(tmp_path: Path) -> None:
    found = []
    for name, backwards in (("one", False), ("two", True)):
        world = World(tmp_path / name, weather=Weather.parse(lag="10s", seed="11"))
        app = world.application()
        world.clock.advance(timedelta(seconds=3))
        found.append(sightings(world, app["id"], backwards=backwards))
        world.close()
    assert found[0] == found[1]
    assert {status for seen in found[0].values() for status in seen} == {200, 404}


def test_shares_are_kept() -> None:
    conditions = Conditions(Weather(throttle=0.2, lose_replies=0.1, seed=1))
    away = sum(conditions.refusal("GET", "/v1.0/me") is not None for _ in range(1000))
    broken = sum(conditions.breakdown("GET", "/v1.0/me") is not None for _ in range(1000))
    assert 160 < away < 240
    assert 70 < broken < 130


def test_calm_draws_nothing() -> None:
    assert all(found in (None, timedelta()) or found == Conditions().delay("x") for found in schedule(CALM))


def test_lag_is_never_longer_than_asked_for() -> None:
    conditions = Conditions(Weather.parse(lag="10s"))
    graph = [conditions.delay("application") for _ in range(200)]
    assert all(0 <= delay.first <= 5 and delay.first <= delay.last <= 10 for delay in graph)
    exchange = [conditions.delay("exo.recipient") for _ in range(200)]
    assert all(delay.last <= 20 for delay in exchange)
    assert max(delay.last for delay in exchange) > 10
    assert conditions.delay("user").last == 0
    for effect, factor in EFFECT_FACTORS.items():
        assert timedelta() < conditions.exchange.delay(effect) <= timedelta(seconds=10) * factor


def test_fault_strikes_as_often_as_asked_and_never_again(tmp_path: Path) -> None:
    world = World(tmp_path, weather=Weather.parse(faults=["POST /v1.0/applications 503 x2"]))
    replies = [world.call("POST", "/applications", json={"displayName": "x"}).status_code for _ in range(3)]
    listed = world.call("GET", "/applications?$filter=displayName eq 'x'").json()["value"]
    world.close()
    assert replies == [503, 503, 201]
    assert len(listed) == 1


def test_sign_in_knows_faults_but_no_throttling(tmp_path: Path) -> None:
    world = World(tmp_path, weather=Weather.parse(throttle="1", faults=["POST /*/oauth2/v2.0/token 429"]))
    first, second = world.sign_in(), world.sign_in()
    world.close()
    assert (first.status_code, first.json()["error"], first.headers["retry-after"]) == (
        429,
        "temporarily_unavailable",
        "2",
    )
    assert second.status_code == 200


@pytest.mark.parametrize(
    ("outcome", "raised", "taken"),
    [("cut", httpx.ConnectError, False), ("lose", httpx.ReadError, True), ("timeout", httpx.ReadTimeout, True)],
)
def test_connection_breaks_before_or_after_the_service_took_it(
    tmp_path: Path, outcome: str, raised: type[Exception], *, taken: bool
) -> None:
    world = World(tmp_path, weather=Weather.parse(faults=[f"POST /v1.0/applications {outcome}"]))
    with pytest.raises(raised):
        world.call("POST", "/applications", json={"displayName": "x"})
    listed = world.call("GET", "/applications?$filter=displayName eq 'x'").json()["value"]
    world.close()
    assert len(listed) == taken


def test_lost_replies_by_chance_are_of_every_kind(tmp_path: Path) -> None:
    world = World(tmp_path, weather=Weather(lose_replies=0.6, seed=2))
    seen = set()
    for number in range(60):
        try:
            world.http.get(f"/v1.0/organization?n={number}")
        except httpx.TransportError as error:
            seen.add(type(error))
    world.close()
    assert seen == {httpx.ConnectError, httpx.ReadError, httpx.ReadTimeout}


def test_latency_moves_the_clock_that_was_handed_in(tmp_path: Path) -> None:
    clock = FakeClock()
    world = World(tmp_path, clock=clock, weather=Weather.parse(latency="100ms"))
    for _ in range(3):
        world.http.get("/contoso.onmicrosoft.com/v2.0/.well-known/openid-configuration")
    world.close()
    assert clock.slept == [0.1, 0.1, 0.1]


@pytest.mark.parametrize(
    ("fault", "operation", "kind"),
    [
        ("EXO New-ApplicationAccessPolicy nul-body", "New-ApplicationAccessPolicy", RefusalKind.NUL_BODY),
        ("EXO Get-* 429", "Get-Mailbox", RefusalKind.THROTTLED),
        ("EXO * 403", "Get-Mailbox", RefusalKind.EMPTY_FORBIDDEN),
        ("EXO * 503", "Get-Mailbox", RefusalKind.UNAVAILABLE),
        ("EWS GetFolder 429", "EWS GetFolder", RefusalKind.SERVER_BUSY),
    ],
)
def test_faults_of_exchange_name_the_cmdlet(fault: str, operation: str, kind: RefusalKind) -> None:
    exchange = Conditions(Weather.parse(faults=[fault])).exchange
    first = exchange.refusal(operation)
    assert first is not None
    assert first.kind is kind
    assert exchange.refusal(operation) is None
