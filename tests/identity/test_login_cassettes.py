"""The application's own sign-in and every cloud's first calls, on cassettes in strict order per host."""

from __future__ import annotations

import json

import pytest

from mimapp.clouds import CLOUDS, Cloud, cloud
from mimapp.identity import (
    AppSignIn,
    AppToken,
    DeviceCode,
    Method,
    OperatorSignIn,
    Refusal,
    RefusalKind,
    SignInOptions,
    discover,
)
from mimapp.secret import Secret
from mimapp.transport import Http, Patience, Request
from support.clock import FakeClock
from support.player import playing

TENANT = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
APP = "00001111-aaaa-2222-bbbb-3333cccc4444"
SCOPE = "https://outlook.office365.com/.default"


def sign_in(cassette: str, clock: FakeClock | None = None) -> AppToken | Refusal:
    with playing(f"login/{cassette}") as player:
        http = Http(Patience(clock or FakeClock()), transport=player.transport)
        return AppSignIn(http, cloud("global")).token(TENANT, APP, Secret("replaced-secret"), SCOPE)


def test_a_good_secret() -> None:
    token = sign_in("app-token.ok")
    assert isinstance(token, AppToken)
    assert token.claims.aud == "https://outlook.office365.com"
    assert token.claims.roles == {"full_access_as_app"}
    assert token.claims.is_app_only


def test_a_busy_entra_is_waited_for() -> None:
    clock = FakeClock()
    assert isinstance(sign_in("app-token.busy", clock), AppToken)
    assert len(clock.slept) == 1


@pytest.mark.parametrize(
    ("cassette", "kind"),
    [
        ("7000215-401", RefusalKind.WRONG_SECRET),
        ("7000215-400", RefusalKind.WRONG_SECRET),
        ("7000222", RefusalKind.EXPIRED),
        ("700016", RefusalKind.APP_UNKNOWN),
        ("7000229", RefusalKind.PRINCIPAL_MISSING),
        ("7000112", RefusalKind.DISABLED),
        ("53003", RefusalKind.BLOCKED),
        ("90002", RefusalKind.TENANT_UNKNOWN),
        ("500011", RefusalKind.OTHER),
        ("900382", RefusalKind.OTHER),
    ],
)
def test_each_refusal_by_its_code(cassette: str, kind: RefusalKind) -> None:
    refusal = sign_in(f"app-token.{cassette}")
    assert isinstance(refusal, Refusal)
    assert refusal.kind is kind
    assert refusal.code == cassette.partition("-")[0]
    assert refusal.text.startswith(f"AADSTS{refusal.code}: ")
    assert "Trace ID" not in refusal.text
    assert refusal.hint
    assert "correlation id: aaaa0000-bb11-2222-33cc-444444dddddd" in refusal.details


def nobody(_: DeviceCode) -> None:
    raise AssertionError("a client secret asks nobody")


@pytest.mark.parametrize("row", CLOUDS.values(), ids=lambda row: row.key)
def test_every_cloud_signs_in_and_answers_on_its_own_hosts(row: Cloud) -> None:
    with playing(f"login/cloud.{row.key}") as player:
        http = Http(Patience(FakeClock()), transport=player.transport)
        facts = discover(http, row, "contoso.example")
        assert facts.tenant_id == TENANT
        options = SignInOptions(method=Method.CLIENT_SECRET, client_id=APP, secret=Secret("replaced-secret"))
        operator = OperatorSignIn(
            http, row, tenant=TENANT, facts=facts, graph=options, exchange=options, show_code=nobody
        )
        organization = Request(method="GET", url=f"{row.graph}/v1.0/organization?$select=id,displayName")
        assert json.loads(operator.graph().send(organization).content)["value"][0]["id"] == TENANT
        cmdlet = {
            "CmdletInput": {
                "CmdletName": "Get-OrganizationConfig",
                "Parameters": {"RetrieveEwsOperationAccessPolicy": True},
            }
        }
        invoke = Request(
            method="POST",
            url=f"{row.exchange}/adminapi/beta/{TENANT}/InvokeCommand",
            headers={"Content-Type": "application/json"},
            content=json.dumps(cmdlet).encode(),
        )
        assert operator.exchange().send(invoke).status == 200
