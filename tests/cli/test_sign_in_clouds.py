"""The tenant's cloud as a user of the command line meets it: found, chosen, refused, asked for; and who is asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from mimapp.clouds import CLOUDS
from mimapp.sandbox.sign_in_scenarios import move_to_cloud
from support.microsoft import Machine, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORLDWIDE = ["login.microsoftonline.com", "graph.microsoft.com", "outlook.office365.com"]


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path / "home", knowing=("login.microsoftonline.com", "login.microsoftonline.us"))
    made.variables |= {"MIMAPP_AUTH": "device-code"}
    yield made
    made.close()


def metadata(**fields: Any) -> dict[str, Any]:
    base = "https://login.microsoftonline.com/5a6db0c0-0001-4c0a-8f00-c0de00000001"
    return {
        "issuer": f"{base}/v2.0",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        **fields,
    }


def test_without_a_choice_it_is_the_one_that_the_tenant_lives_in(machine: Machine) -> None:
    done = machine("status", "--mailbox", machine.info.mailbox)

    assert done.code == 0, done.err
    assert machine.microsoft.asked[0] == WORLDWIDE[0]
    assert set(machine.microsoft.asked) == set(WORLDWIDE)


@pytest.mark.parametrize("key", ["gcc", "gcc-high", "dod"])
def test_a_government_tenant_is_found_through_the_worldwide_host(machine: Machine, key: str) -> None:
    move_to_cloud(machine.sandbox, key)
    done = machine("whoami", "--output", "json")

    assert done.code == 0, done.err
    assert done.document["cloud"] == key
    row = CLOUDS[key]
    scopes = {
        scope
        for request in machine.microsoft.requests
        if request.method == "POST" and b"scope=" in request.content
        for scope in httpx.QueryParams(request.content.decode())["scope"].split()
    }
    assert row.exchange_scope in scopes
    assert all(name.startswith((row.graph, row.exchange)) for name in scopes if name.startswith("https://"))


def test_a_wrong_choice_is_refused_with_the_right_one_before_anybody_signs_in(machine: Machine) -> None:
    move_to_cloud(machine.sandbox, "gcc-high")
    done = machine("whoami", "--cloud", "global")

    assert done.code == 4
    assert done.err.startswith(
        "mimapp: tenant contoso.onmicrosoft.com lives in US Government GCC High, not in Worldwide\n"
        "  choose --cloud gcc-high\n"
    )
    assert [request.method for request in machine.microsoft.requests] == ["GET"]


def test_a_choice_whose_login_host_does_not_know_the_tenant_is_looked_for_elsewhere(machine: Machine) -> None:
    done = machine("whoami", "--cloud", "china")

    assert done.code == 4
    assert "lives in Worldwide, not in China (21Vianet)\n  choose --cloud global\n" in done.err
    assert all(request.method == "GET" for request in machine.microsoft.requests)


def test_a_cloud_that_does_not_exist_is_usage(machine: Machine) -> None:
    done = machine("whoami", "--cloud", "fairfax")

    assert done.code == 2
    assert done.err.startswith("mimapp: no cloud is called 'fairfax'\n  known clouds: global, gcc, ")
    assert machine.microsoft.requests == []


def test_what_entra_leaves_open_is_asked_for(machine: Machine) -> None:
    machine.microsoft.instead = lambda _: httpx.Response(200, json=metadata(tenant_region_scope="USGov"))
    done = machine("whoami")

    assert done.code == 2
    assert done.err.startswith(
        "mimapp: tenant contoso.onmicrosoft.com may live in US Government GCC High or US Government DoD: Entra does "
        "not say which\n  choose --cloud gcc-high or --cloud dod\n"
    )
    assert len(machine.microsoft.requests) == 1


def test_what_entra_leaves_open_is_open_to_either_choice(machine: Machine) -> None:
    def silent(request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.endswith("openid-configuration"):
            return refusal(400, "invalid_request", "AADSTS90013: Invalid input received from the user.")
        return httpx.Response(200, json=metadata(tenant_region_scope="USGov"))

    machine.microsoft.instead = silent
    done = machine("whoami", "--cloud", "dod")

    assert done.code == 4
    assert "AADSTS90013" in done.err, "the sign-in was begun"


def test_a_tenant_that_no_cloud_knows(machine: Machine) -> None:
    machine.microsoft.knowing = ()
    done = machine("whoami")

    assert done.code == 4
    assert done.err.startswith("mimapp: there is no tenant contoso.onmicrosoft.com in Worldwide, nor in another cloud")
    assert "check --tenant" in done.err
    assert len(machine.microsoft.asked) == 5, "every login host once"


@pytest.mark.parametrize("option", ["login-url", "graph-url", "exchange-url"])
def test_with_a_named_host_nothing_goes_to_one_that_was_not_named(machine: Machine, option: str) -> None:
    machine.microsoft.instead = lambda _: refusal(400, "invalid_tenant", "AADSTS90002: Tenant 'x' not found.")
    done = machine("whoami", f"--{option}", "https://named.example")

    assert done.code == 4
    assert "no tenant contoso.onmicrosoft.com" in done.err
    expected = "named.example" if option == "login-url" else "login.microsoftonline.com"
    assert machine.microsoft.asked == [expected], "and no other cloud's login host"


def test_a_named_login_host_is_believed_about_the_cloud(machine: Machine) -> None:
    machine.microsoft.instead = lambda _: httpx.Response(200, json=metadata(tenant_region_sub_scope="DODCON"))
    done = machine("whoami", "--login-url", "https://named.example")

    assert done.code == 4
    assert "lives in US Government GCC High, not in Worldwide" in done.err
    assert machine.microsoft.asked == ["named.example"]


def test_in_the_sandbox_no_host_is_asked(machine: Machine) -> None:
    def never(request: httpx.Request) -> httpx.Response:
        raise AssertionError(f"{request.url.host} was asked")

    machine.microsoft.instead = never
    done = machine("whoami", "--sandbox")

    assert done.code == 0, done.err
    assert machine.microsoft.requests == []


def test_a_recording_names_the_cloud_that_was_found(machine: Machine, tmp_path: Path) -> None:
    move_to_cloud(machine.sandbox, "gcc")
    path = tmp_path / "recording.json"
    done = machine("whoami", "--record", str(path))

    assert done.code == 0, done.err
    provenance = json.loads(path.read_text(encoding="utf-8"))["provenance"]
    assert provenance["cloud"] == "gcc"
    assert provenance["source"].endswith(", cloud gcc")


def test_the_lookup_is_not_repeated_by_the_sign_in(machine: Machine) -> None:
    machine("whoami")

    lookups = [request for request in machine.microsoft.requests if request.url.path.endswith("openid-configuration")]
    assert len(lookups) == 1
