"""The browser's part of a sign-in: what the authorization endpoint answers, and what becomes of its codes."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
from browser_world import ASKED, BACK, VERIFIER, opened, redeemed, registered, sent_back
from sandbox_world import AZURE_CLI, EXCHANGE, EXCHANGE_POWERSHELL, GRAPH, GRAPH_COMMAND_LINE, World

from mimapp.sandbox import Weather
from mimapp.sandbox.sign_in_scenarios import ask_people

if TYPE_CHECKING:
    from pathlib import Path

    import httpx
FIELD = re.compile(r'<input type=hidden name="([^"]+)" value="([^"]*)">')


def code_of(world: World, **query: str | None) -> str:
    return sent_back(opened(world, **query))["code"]


def claims_of(token: str) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found


def refusal(reply: httpx.Response) -> tuple[int, str, int]:
    body = reply.json()
    return reply.status_code, body["error"], body["error_codes"][0]


# The way back


def test_the_administrator_approves_at_once_and_the_browser_goes_back(world: World) -> None:
    fields = sent_back(opened(world))
    assert fields.keys() == {"code", "state", "session_state"}
    assert fields["state"] == "s 1/ü"


def test_a_form_that_sends_itself(world: World) -> None:
    reply = opened(world, response_mode="form_post", state='"><script>')
    assert reply.status_code == 200
    assert f'method=post action="{BACK}"' in reply.text
    assert "<script>" not in reply.text
    fields = dict(FIELD.findall(reply.text))
    assert fields.keys() == {"code", "state", "session_state"}
    assert redeemed(world, fields["code"]).status_code == 200


def test_a_fragment(world: World) -> None:
    location = urlsplit(opened(world, response_mode="fragment").headers["location"])
    assert not location.query
    assert "code" in dict(parse_qsl(location.fragment))


@pytest.mark.parametrize("name", ["common", "organizations", "contoso.onmicrosoft.com"])
def test_the_tenant_by_its_other_names(world: World, name: str) -> None:
    assert "code" in sent_back(opened(world, tenant=name))


@pytest.mark.parametrize(
    ("query", "error", "code"),
    [
        ({"response_type": "token"}, "unsupported_response_type", 70005),
        ({"response_type": None}, "invalid_request", 900144),
        ({"response_mode": "cookie"}, "unsupported_response_mode", 70007),
        ({"prompt": "maybe"}, "invalid_request", 90023),
        ({"scope": None}, "invalid_request", 900144),
        ({"scope": f"{GRAPH}/No.Such.Permission"}, "invalid_scope", 70011),
        ({"scope": f"{GRAPH}/User.Read {EXCHANGE}/Mail.Send"}, "invalid_scope", 700022),
        ({"scope": f"{EXCHANGE}/.default"}, "invalid_client", 65002),
        ({"code_challenge": "short"}, "invalid_request", 501491),
        ({"code_challenge_method": "S512"}, "invalid_request", 50149),
    ],
)
def test_what_is_refused_goes_back_with_the_state(
    world: World, query: dict[str, str | None], error: str, code: int
) -> None:
    fields = sent_back(opened(world, **query))
    assert (fields["error"], fields["state"]) == (error, "s 1/ü")
    assert fields["error_description"].startswith(f"AADSTS{code}: ")
    assert "\r\nCorrelation ID: " in fields["error_description"]
    assert "code" not in fields


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"client_id": "00001111-aaaa-2222-bbbb-3333cccc4444"}, 700016),
        ({"client_id": None}, 900144),
        ({"redirect_uri": "https://elsewhere.example/"}, 50011),
        ({"redirect_uri": "http://localhost.example:53124"}, 50011),
        ({"redirect_uri": None}, 900144),
    ],
)
def test_a_bad_client_or_address_keeps_the_browser(world: World, query: dict[str, str | None], code: int) -> None:
    reply = opened(world, **query)
    assert reply.status_code == 400
    assert f"AADSTS{code}: " in reply.text
    assert "location" not in reply.headers


def test_an_unknown_tenant_keeps_the_browser(world: World) -> None:
    assert "AADSTS90002: " in opened(world, tenant="nowhere.onmicrosoft.com").text


@pytest.mark.parametrize(
    ("registered", "asked", "fits"),
    [
        ("http://localhost", "http://localhost:8400", True),
        ("http://localhost", "http://localhost:8400/", True),
        ("http://localhost:5000/back", "http://localhost:6000/back", True),
        ("http://localhost/back", "http://localhost/other", False),
        ("https://app.example/back", "https://app.example/back", True),
        ("https://app.example/back", "https://app.example/back/", False),
        ("https://app.example/back", "https://app.example:8443/back", False),
        ("https://localhost/back", "https://localhost:8443/back", False),
    ],
)
def test_the_port_of_this_machine_alone_is_not_compared(
    world: World, registered: str, asked: str, *, fits: bool
) -> None:
    app = world.application(publicClient={"redirectUris": [registered]})
    world.service_principal(app["appId"])
    reply = opened(world, client_id=app["appId"], redirect_uri=asked, scope=f"{GRAPH}/User.Read")
    assert (reply.status_code == 302) is fits


# The person


def test_who_is_hinted_at_signs_in(world: World) -> None:
    name = world.info.outside_mailbox
    tokens = redeemed(world, code_of(world, login_hint=name)).json()
    assert claims_of(tokens["id_token"])["preferred_username"] == name


def asking(world: World) -> World:
    ask_people(world.sandbox)
    return world


def entered(world: World, **form: str) -> httpx.Response:
    return world.http.post(f"/{world.info.tenant_id}/oauth2/v2.0/authorize", params=ASKED, data=form)


def test_a_person_is_asked_where_nobody_answers_by_himself(world: World) -> None:
    page = opened(asking(world), login_hint="other@contoso.onmicrosoft.com")
    assert page.status_code == 200
    assert 'value="other@contoso.onmicrosoft.com"' in page.text
    assert "Microsoft Azure CLI" in page.text
    again = entered(world, username="nobody@x", answer="accept")
    assert "has no user nobody@x" in again.text
    fields = sent_back(entered(world, username=world.info.administrator, answer="accept"))
    tokens = redeemed(world, fields["code"]).json()
    assert claims_of(tokens["access_token"])["upn"] == world.info.administrator


def test_a_person_may_say_no(world: World) -> None:
    fields = sent_back(entered(asking(world), username=world.info.administrator, answer="cancel"))
    assert fields["error"] == "access_denied"
    assert fields["error_description"].startswith("AADSTS65004: ")


def test_nobody_can_be_asked_silently(world: World) -> None:
    assert sent_back(opened(asking(world), prompt="none"))["error"] == "login_required"
    ask_people(world.sandbox, asks=False)
    assert "code" in sent_back(opened(world, prompt="none"))


def test_a_person_who_may_not_consent_is_sent_back(world: World) -> None:
    fields = sent_back(
        opened(
            world,
            client_id=GRAPH_COMMAND_LINE,
            login_hint=world.info.outside_mailbox,
            scope=f"{GRAPH}/Application.ReadWrite.All",
        )
    )
    assert fields["error_description"].startswith("AADSTS65001: ")


# The code


def test_tokens_for_a_code(world: World) -> None:
    tokens = redeemed(world, code_of(world)).json()
    access, identity = claims_of(tokens["access_token"]), claims_of(tokens["id_token"])
    assert (access["aud"], access["upn"]) == (GRAPH, world.info.administrator)
    assert "Application.ReadWrite.All" in access["scp"].split()
    assert (identity["aud"], identity["nonce"]) == (AZURE_CLI, "n-1")
    assert tokens["refresh_token"]
    silent = {"grant_type": "refresh_token", "client_id": AZURE_CLI, "refresh_token": tokens["refresh_token"]}
    scope = "https://management.azure.com/.default"
    again = world.http.post(f"/{world.info.tenant_id}/oauth2/v2.0/token", data=silent | {"scope": scope})
    assert claims_of(again.json()["access_token"])["aud"] == "https://management.azure.com"


def test_named_permissions_that_were_accepted_are_in_the_token(world: World) -> None:
    code = code_of(world, client_id=GRAPH_COMMAND_LINE, scope=f"{GRAPH}/Application.ReadWrite.All offline_access")
    tokens = redeemed(world, code, client_id=GRAPH_COMMAND_LINE).json()
    assert "Application.ReadWrite.All" in claims_of(tokens["access_token"])["scp"].split()


def test_the_exchange_client_signs_in_by_browser(world: World) -> None:
    code = code_of(world, client_id=EXCHANGE_POWERSHELL, scope=f"{EXCHANGE}/.default")
    tokens = redeemed(world, code, client_id=EXCHANGE_POWERSHELL).json()
    assert claims_of(tokens["access_token"])["scp"] == "AdminApi.AccessAsUser.All"


def test_no_nonce_and_no_challenge_are_asked_for(world: World) -> None:
    code = code_of(world, nonce=None, code_challenge=None, code_challenge_method=None)
    tokens = redeemed(world, code, code_verifier=None).json()
    assert "nonce" not in claims_of(tokens["id_token"])


def test_a_plain_challenge(world: World) -> None:
    code = code_of(world, code_challenge=VERIFIER, code_challenge_method=None)
    assert redeemed(world, code).status_code == 200


@pytest.mark.parametrize(
    ("form", "status", "error", "code"),
    [
        ({"code_verifier": VERIFIER + "x"}, 400, "invalid_grant", 501481),
        ({"code_verifier": None}, 400, "invalid_grant", 50148),
        ({"redirect_uri": "http://localhost:1"}, 400, "invalid_client", 500112),
        ({"client_id": GRAPH_COMMAND_LINE}, 400, "invalid_grant", 70000),
        ({"code": "sandbox-code-of-nobody"}, 400, "invalid_grant", 70000),
        ({"client_secret": "replaced-secret"}, 401, "invalid_client", 700025),
    ],
)
def test_a_code_in_other_hands_is_worth_nothing(
    world: World, form: dict[str, str | None], status: int, error: str, code: int
) -> None:
    mine = code_of(world)
    assert refusal(redeemed(world, mine, **form)) == (status, error, code)
    assert redeemed(world, mine).status_code == 200


def test_a_code_of_another_tenant(world: World) -> None:
    from mimapp.sandbox.seed import seed_tenant  # noqa: PLC0415 - only here is a second tenant

    with world.sandbox.state.transaction() as tx:
        other = seed_tenant(tx, "fabrikam.onmicrosoft.com", name="Fabrikam")
    code = sent_back(opened(world, tenant=other))["code"]
    assert refusal(redeemed(world, code))[2] == 70000


def test_a_code_works_once_and_for_ten_minutes(world: World) -> None:
    first, second = code_of(world), code_of(world)
    assert redeemed(world, first).status_code == 200
    assert refusal(redeemed(world, first)) == (400, "invalid_grant", 54005)
    world.clock.advance(timedelta(minutes=10))
    assert refusal(redeemed(world, second)) == (400, "invalid_grant", 70008)


@pytest.mark.parametrize(("platform", "public"), [("publicClient", True), ("spa", True), ("web", False)])
def test_an_own_application_is_as_public_as_its_address(world: World, platform: str, *, public: bool) -> None:
    client = registered(world, platform)
    code = code_of(world, client_id=client, scope=f"{GRAPH}/User.Read")
    reply = redeemed(world, code, client_id=client)
    if public:
        assert claims_of(reply.json()["access_token"])["scp"] == "User.Read"
    else:
        assert refusal(reply) == (401, "invalid_client", 7000218)


# Faults


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        (50076, 400, "interaction_required"),
        (53003, 400, "invalid_grant"),
        (65001, 400, "invalid_grant"),
        (65002, 400, "invalid_client"),
        (90002, 400, "invalid_request"),
        (700016, 400, "unauthorized_client"),
        (900382, 400, "invalid_request"),
        (7000215, 401, "invalid_client"),
        (7000222, 401, "invalid_client"),
    ],
)
def test_a_fault_asks_for_a_refusal_by_its_code(tmp_path: Path, code: int, status: int, error: str) -> None:
    world = World(tmp_path, weather=Weather.parse(faults=[f"POST */oauth2/v2.0/token AADSTS{code}"]))
    reply = world.sign_in()
    assert refusal(reply) == (status, error, code)
    assert reply.json()["error_description"].startswith(f"AADSTS{code}: ")
    assert world.sign_in().status_code == 200
    world.close()


def test_every_part_of_a_sign_in_can_be_refused(tmp_path: Path) -> None:
    faults = [
        "GET */openid-configuration AADSTS90002",
        "GET */authorize AADSTS50076",
        "POST */devicecode AADSTS53003",
    ]
    world = World(tmp_path, weather=Weather.parse(faults=faults))
    tenant = world.info.tenant_id
    metadata = world.http.get(f"/{tenant}/v2.0/.well-known/openid-configuration")
    assert refusal(metadata) == (400, "invalid_request", 90002)
    fields = sent_back(opened(world))
    assert fields["error"] == "interaction_required"
    begun = {"client_id": AZURE_CLI, "scope": f"{GRAPH}/.default"}
    assert refusal(world.http.post(f"/{tenant}/oauth2/v2.0/devicecode", data=begun))[2] == 53003
    assert "code" in sent_back(opened(world))
    world.close()
