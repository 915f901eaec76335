from __future__ import annotations

import json
from urllib.parse import parse_qs

import httpx
import pytest

from mimapp.clouds import cloud
from mimapp.errors import UnreachableError, UsageError
from mimapp.identity import AppSignIn, AppToken, Refusal, RefusalKind
from mimapp.secret import Secret
from mimapp.transport import Http, Patience
from support.clock import FakeClock
from support.player import unsigned_token

TENANT = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
APP = "00001111-aaaa-2222-bbbb-3333cccc4444"
SCOPE = "https://outlook.office365.com/.default"
SECRET = Secret("replaced-secret")


def configuration(tenant: str = TENANT) -> httpx.Response:
    base = f"https://login.microsoftonline.com/{tenant}"
    return httpx.Response(
        200,
        json={
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        },
    )


def refusal(status: int, error: str, code: str, text: str) -> httpx.Response:
    return httpx.Response(
        status,
        json={
            "error": error,
            "error_description": f"AADSTS{code}: {text}\r\nTrace ID: 0000aaaa-11bb-cccc-dd22-eeeeee333333\r\n"
            "Correlation ID: aaaa0000-bb11-2222-33cc-444444dddddd\r\nTimestamp: 2026-11-21 09:00:00Z",
            "error_codes": [int(code)],
        },
    )


class Login:
    """Answers the token endpoint from a list; the last answer stays."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.tokens: list[dict[str, list[str]]] = []
        self.clock = FakeClock()
        self.http = Http(Patience(self.clock), transport=httpx.MockTransport(self))

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return configuration()
        self.tokens.append(parse_qs(request.content.decode()))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def sign_in(self) -> AppToken | Refusal:
        return AppSignIn(self.http, cloud("global")).token(TENANT, APP, SECRET, SCOPE)


def good(**claims: object) -> httpx.Response:
    token = unsigned_token({"tid": TENANT, "appid": APP, "roles": ["full_access_as_app"], **claims})
    return httpx.Response(200, json={"token_type": "Bearer", "expires_in": 3599, "access_token": token})


def test_a_good_secret_gives_a_token_and_what_it_says() -> None:
    login = Login(good(aud="https://outlook.office365.com"))
    token = login.sign_in()
    assert isinstance(token, AppToken)
    assert token.claims.tid == TENANT
    assert token.claims.app_id == APP
    assert token.claims.roles == {"full_access_as_app"}
    assert (token.expires - login.clock.now()).total_seconds() == 3599
    sent = login.tokens[0]
    assert sent["grant_type"] == ["client_credentials"]
    assert sent["client_secret"] == ["replaced-secret"]
    assert sent["scope"] == [SCOPE]


def test_neither_repr_nor_error_shows_the_token_or_the_secret() -> None:
    token = Login(good()).sign_in()
    assert "eyJ" not in repr(token)
    assert "replaced-secret" not in repr(token)


@pytest.mark.parametrize("status", [400, 401])
def test_a_wrong_secret_is_asked_about_again_at_once_although_msal_remembers_a_400(status: int) -> None:
    login = Login(refusal(status, "invalid_client", "7000215", "Invalid client secret provided."), good())
    first, second = login.sign_in(), login.sign_in()
    assert isinstance(first, Refusal)
    assert first.kind is RefusalKind.WRONG_SECRET
    assert first.may_be_too_early
    assert first.text == "AADSTS7000215: Invalid client secret provided."
    assert "trace id: 0000aaaa-11bb-cccc-dd22-eeeeee333333" in first.details
    assert isinstance(second, AppToken)
    assert len(login.tokens) == 2
    assert login.clock.slept == []


@pytest.mark.parametrize(
    ("code", "error", "kind", "early"),
    [
        ("7000222", "invalid_client", RefusalKind.EXPIRED, False),
        ("700016", "unauthorized_client", RefusalKind.APP_UNKNOWN, True),
        ("7000229", "unauthorized_client", RefusalKind.PRINCIPAL_MISSING, True),
        ("7000112", "unauthorized_client", RefusalKind.DISABLED, False),
        ("53003", "access_denied", RefusalKind.BLOCKED, False),
        ("50105", "invalid_grant", RefusalKind.BLOCKED, False),
        ("500011", "invalid_resource", RefusalKind.OTHER, False),
    ],
)
def test_what_a_refusal_means(code: str, error: str, kind: RefusalKind, early: bool) -> None:  # noqa: FBT001 - a column of the table
    refused = Login(refusal(400, error, code, "No.")).sign_in()
    assert isinstance(refused, Refusal)
    assert (refused.code, refused.kind, refused.may_be_too_early) == (code, kind, early)
    assert refused.hint


def test_the_id_of_a_secret_is_refused_before_anything_is_sent() -> None:
    login = Login(good())
    with pytest.raises(UsageError, match="secret's id, not its value"):
        AppSignIn(login.http, cloud("global")).token(TENANT, APP, Secret("5f3b1a2c-0000-4444-8888-aaaabbbbcccc"), SCOPE)
    assert login.tokens == []


def test_a_busy_entra_is_asked_again_before_msal_hears_of_it() -> None:
    login = Login(refusal(400, "temporarily_unavailable", "90033", "Busy."), httpx.Response(503), good())
    assert isinstance(login.sign_in(), AppToken)
    assert len(login.clock.slept) == 2


def test_an_entra_that_stays_busy_is_temporary_at_the_deadline() -> None:
    refused = Login(httpx.Response(503)).sign_in()
    assert isinstance(refused, Refusal)
    assert refused.kind is RefusalKind.TEMPORARY


def test_an_unknown_tenant_is_told_by_its_code_although_msal_drops_it() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return refusal(400, "invalid_tenant", "90002", "Tenant 'nowhere' not found.")

    http = Http(Patience(FakeClock()), transport=httpx.MockTransport(answer))
    refused = AppSignIn(http, cloud("global")).token(TENANT, APP, SECRET, SCOPE)
    assert isinstance(refused, Refusal)
    assert (refused.code, refused.kind) == ("90002", RefusalKind.TENANT_UNKNOWN)


def test_no_network_is_a_transport_error() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route to host")

    http = Http(Patience(FakeClock()), transport=httpx.MockTransport(answer))
    with pytest.raises(UnreachableError, match=r"login\.microsoftonline\.com"):
        AppSignIn(http, cloud("global")).token(TENANT, APP, SECRET, SCOPE)


def test_requests_go_to_the_overridden_host_and_nowhere_else() -> None:
    hosts: set[str] = set()

    def answer(request: httpx.Request) -> httpx.Response:
        hosts.add(request.url.netloc.decode())
        body = json.loads(configuration().content)
        moved = {name: value.replace("login.microsoftonline.com", "127.0.0.1:8443") for name, value in body.items()}
        return httpx.Response(200, json=moved) if request.method == "GET" else good()

    http = Http(Patience(FakeClock()), transport=httpx.MockTransport(answer))
    moved_cloud = cloud("global").with_hosts(login="127.0.0.1:8443")
    assert isinstance(AppSignIn(http, moved_cloud).token(TENANT, APP, SECRET, SCOPE), AppToken)
    assert hosts == {"127.0.0.1:8443"}
