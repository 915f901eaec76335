"""A person signs in: device codes on cassettes, the browser by a stand-in that really comes back to the listener."""

from __future__ import annotations

import socket
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from mimapp.clouds import cloud
from mimapp.errors import CancelledError, SignInError, UsageError
from mimapp.identity import (
    DeviceCode,
    Method,
    MethodUnavailableError,
    OperatorSignIn,
    SignInOptions,
    TenantFacts,
    person_method,
)
from mimapp.identity.browser import Listener
from mimapp.identity.desk import Desk
from mimapp.identity.operator import GRAPH_CLIENT_ID
from mimapp.identity.person import BrowserSignIn, PersonOptions, tell_nobody
from mimapp.transport import Http, Patience
from support.clock import FakeClock
from support.player import playing, unsigned_token

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.core.credentials import AccessToken

TENANT = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
TENANT_FACTS = TenantFacts(
    tenant_id=TENANT, cloud_keys=frozenset({"global"}), region_scope="", region_sub_scope="", instance=""
)
ADMIN = "admin@contoso.onmicrosoft.com"
PERMISSIONS = ("Application.ReadWrite.All", "User.Read")


def by_device_code(
    transport: httpx.BaseTransport,
    clock: FakeClock,
    shown: list[DeviceCode],
    tell: Callable[[str], None] = tell_nobody,
    **options: Any,
) -> OperatorSignIn:
    both = SignInOptions(method=Method.DEVICE_CODE, **options)
    return OperatorSignIn(
        Http(Patience(clock), transport=transport),
        cloud("global"),
        tenant=TENANT,
        facts=TENANT_FACTS,
        graph=both,
        exchange=both,
        show_code=shown.append,
        environ={},
        tell=tell,
    )


def test_a_device_code() -> None:
    clock, shown = FakeClock(), list[DeviceCode]()
    with playing("login/cloud.global.device-code.ok") as player:
        who = by_device_code(player.transport, clock, shown).graph(PERMISSIONS).operator()
    assert who.name == ADMIN
    assert who.directory_roles == ("Global Administrator",)
    assert not who.is_app_only
    assert [(code.url, code.code, code.what) for code in shown] == [
        ("https://microsoft.com/devicelogin", "ABCD1234E", "Microsoft Graph")
    ]
    assert sum(clock.slept) == 5 + 5


@pytest.mark.parametrize(
    ("cassette", "code", "said", "advice"),
    [
        ("expired", "70019", "not used in time", "again"),
        ("declined", "65004", "consent was declined", "accept"),
        ("mfa", "50076", "more authentication is needed", "--auth browser"),
        ("blocked", "53003", "Conditional Access", "--auth browser"),
        ("not-consented", "65001", "nobody has consented", "consent"),
    ],
)
def test_each_refusal_has_its_line_and_its_hint(cassette: str, code: str, said: str, advice: str) -> None:
    with playing(f"login/cloud.global.device-code.{cassette}") as player:
        bearer = by_device_code(player.transport, FakeClock(), []).graph(PERMISSIONS)
        with pytest.raises(SignInError, match=said) as caught:
            bearer.operator()
    error = caught.value
    assert error.explain == f"AADSTS{code}"
    assert error.hint is not None
    assert advice in error.hint
    assert error.message.startswith("sign-in to Microsoft Graph failed: ")
    assert any(line.startswith(f"Entra said: AADSTS{code}: ") for line in error.details)


def test_a_client_that_exchange_does_not_preauthorise() -> None:
    with playing("login/cloud.global.device-code.not-preauthorised") as player:
        graph_tools = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
        bearer = by_device_code(player.transport, FakeClock(), [], client_id=graph_tools).exchange()
        with pytest.raises(SignInError, match="not preauthorised") as caught:
            bearer.operator()
    assert caught.value.explain == "AADSTS65002"


def test_the_lasting_consent_is_said_before_graph_tools_ask_for_it() -> None:
    told, shown = list[str](), list[DeviceCode]()
    with playing("login/cloud.global.device-code.ok") as player:
        operator = by_device_code(player.transport, FakeClock(), shown, tell=lambda text: told.append(f"{text}{shown}"))
        assert told == [], "nobody is told anything before anybody is asked"
        graph = operator.graph(PERMISSIONS)
        graph.operator()
        graph.operator()
    assert len(told) == 1
    assert told[0].startswith("Microsoft Graph Command Line Tools asks for Application.ReadWrite.All, User.Read.")
    assert "stays in the tenant" in told[0]
    assert told[0].endswith("[]"), "before the code"


def test_an_own_client_leaves_no_consent_that_would_have_to_be_said() -> None:
    told: list[str] = []
    with playing("login/cloud.global.device-code.declined") as player:
        own = by_device_code(player.transport, FakeClock(), [], tell=told.append, client_id=GRAPH_CLIENT_ID)
        with pytest.raises(SignInError):
            own.graph(PERMISSIONS).operator()
    assert len(told) == 1
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(400, json={"error": "invalid_client", "error_description": "AADSTS7000218: no"})

    own = by_device_code(
        httpx.MockTransport(answer), FakeClock(), [], tell=told.append, client_id="00001111-aaaa-2222-bbbb-3333cccc4444"
    )
    with pytest.raises(SignInError):
        own.graph(PERMISSIONS).operator()
    assert asked
    assert len(told) == 1


def test_in_china_another_client_stands_in_for_graph_tools() -> None:
    asked: list[dict[str, list[str]]] = []
    told: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            asked.append(parse_qs(request.content.decode()))
            return httpx.Response(400, json={"error": "invalid_client", "error_description": "AADSTS7000218: no"})
        base = f"https://login.partner.microsoftonline.cn/{TENANT}/oauth2/v2.0"
        return httpx.Response(
            200,
            json={
                "issuer": f"https://login.partner.microsoftonline.cn/{TENANT}/v2.0",
                "authorization_endpoint": f"{base}/authorize",
                "token_endpoint": f"{base}/token",
                "device_authorization_endpoint": f"{base}/devicecode",
            },
        )

    both = SignInOptions(method=Method.DEVICE_CODE)
    operator = OperatorSignIn(
        Http(Patience(FakeClock()), transport=httpx.MockTransport(answer)),
        cloud("china"),
        tenant=TENANT,
        graph=both,
        exchange=both,
        show_code=lambda _: None,
        environ={},
        tell=told.append,
    )
    with pytest.raises(SignInError):
        operator.graph(PERMISSIONS).operator()
    assert asked[0]["client_id"] == ["04b07795-8ddb-461a-bbee-02f9e1bf7b46"]
    assert "https://microsoftgraph.chinacloudapi.cn/.default" in asked[0]["scope"][0].split()
    assert told == []


class Entra:
    """Signs whoever comes in by code; `asked` holds the queries of the pages that were opened."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.redeemed: list[dict[str, str]] = []
        self.browsers: list[threading.Thread] = []
        self.answer: Callable[[dict[str, str]], dict[str, str]] = lambda asked: {
            "code": "replaced-code",
            "state": asked["state"],
        }
        self.http = Http(Patience(FakeClock()), transport=httpx.MockTransport(self._handle))
        self.desk = Desk()
        self.nonce = ""

    def _handle(self, request: httpx.Request) -> httpx.Response:
        base = f"https://login.microsoftonline.com/{TENANT}"
        if request.method == "GET":
            return httpx.Response(
                200,
                json={
                    "issuer": f"{base}/v2.0",
                    "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                    "token_endpoint": f"{base}/oauth2/v2.0/token",
                },
            )
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        self.redeemed.append(form)
        return httpx.Response(
            200,
            json={
                "token_type": "Bearer",
                "expires_in": 3600,
                "access_token": unsigned_token({"tid": TENANT, "upn": ADMIN}),
                "refresh_token": "replaced-refresh-token",
                "id_token": unsigned_token(
                    {
                        "sub": "s",
                        "oid": "o",
                        "tid": TENANT,
                        "preferred_username": ADMIN,
                        "nonce": self.nonce or self.asked[-1]["nonce"],
                    }
                ),
                "client_info": "eyJ1aWQiOiJvIiwidXRpZCI6InQifQ",
                "scope": form.get("scope", ""),
            },
        )

    def open_browser(self, url: str) -> bool:
        """A person who agrees at once, in a browser that posts the answer as Entra's page makes it."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        self.asked.append(asked)
        comes = threading.Thread(
            target=httpx.post,
            args=(asked["redirect_uri"],),
            kwargs={"data": self.answer(asked), "trust_env": False},
            daemon=True,
        )
        self.browsers.append(comes)
        comes.start()
        return True

    def sign_in(self, what: str = "Microsoft Graph", **options: Any) -> BrowserSignIn:
        return BrowserSignIn(
            self.http,
            PersonOptions(
                authority=f"https://login.microsoftonline.com/{TENANT}",
                client_id="14d82eec-204b-4c2f-b7e8-296a70dab67e",
                what=what,
                user=options.get("user"),
                desk=self.desk,
            ),
            open_browser=options.get("open_browser", self.open_browser),
            limit=options.get("limit", timedelta(seconds=120)),
        )

    def token(self, **options: Any) -> AccessToken:
        return self.sign_in(**options).get_token("https://graph.microsoft.com/User.Read")


@pytest.fixture
def entra() -> Entra:
    return Entra()


def test_a_browser_comes_back_with_a_code_that_is_redeemed_with_its_verifier(entra: Entra) -> None:
    assert entra.token().token
    entra.browsers[0].join(120)
    asked = entra.asked[0]
    assert asked["response_mode"] == "form_post"
    assert asked["code_challenge_method"] == "S256"
    assert asked["prompt"] == "select_account"
    redeemed = entra.redeemed[0]
    assert redeemed["grant_type"] == "authorization_code"
    assert redeemed["code"] == "replaced-code"
    assert redeemed["code_verifier"]
    assert redeemed["redirect_uri"] == asked["redirect_uri"]
    assert urlsplit(asked["redirect_uri"]).hostname == "localhost"


def test_the_second_service_knows_who_came_and_does_not_ask_again_who_it_is(entra: Entra) -> None:
    entra.token()
    entra.token(what="Exchange Online")
    assert "prompt" not in entra.asked[1]
    assert entra.asked[1]["login_hint"] == ADMIN


def test_another_person_may_be_named_for_a_service(entra: Entra) -> None:
    entra.token()
    entra.token(what="Exchange Online", user="exchange@contoso.onmicrosoft.com")
    assert entra.asked[1]["login_hint"] == "exchange@contoso.onmicrosoft.com"


def test_the_same_sign_in_answers_again_without_a_browser(entra: Entra) -> None:
    sign_in = entra.sign_in()
    sign_in.get_token("https://graph.microsoft.com/User.Read")
    sign_in.get_token("https://graph.microsoft.com/User.Read", claims='{"access_token":{}}')
    assert len(entra.asked) == 1
    assert entra.redeemed[-1]["grant_type"] == "refresh_token"


def test_a_person_who_cancels(entra: Entra) -> None:
    entra.answer = lambda asked: {
        "error": "access_denied",
        "error_description": "AADSTS65004: User declined to consent to access the app.",
        "state": asked["state"],
    }
    with pytest.raises(SignInError, match="the consent was declined") as caught:
        entra.token()
    assert caught.value.explain == "AADSTS65004"
    assert entra.redeemed == []


def test_a_browser_that_is_closed(entra: Entra) -> None:
    with pytest.raises(SignInError, match="the browser did not come back") as caught:
        entra.token(open_browser=lambda _: True, limit=timedelta(milliseconds=50))
    assert caught.value.hint is not None
    assert "--auth device-code" in caught.value.hint


def test_a_run_that_is_interrupted_while_the_browser_is_open(entra: Entra) -> None:
    def open_and_interrupt(_: str) -> bool:
        entra.desk.close()
        return True

    with pytest.raises(CancelledError):
        entra.token(open_browser=open_and_interrupt)


def test_a_connection_that_says_nothing_keeps_nobody_waiting(entra: Entra) -> None:
    """Browsers open connections before they need them."""
    silent: list[socket.socket] = []

    def opens_two(url: str) -> bool:
        port = urlsplit(parse_qs(urlsplit(url).query)["redirect_uri"][0]).port
        silent.append(socket.create_connection(("localhost", port or 0)))
        return entra.open_browser(url)

    assert entra.token(open_browser=opens_two, limit=timedelta(seconds=120)).token
    silent[0].close()


def test_a_machine_without_a_browser(entra: Entra) -> None:
    with pytest.raises(MethodUnavailableError, match="no browser could be opened"):
        entra.token(open_browser=lambda _: False)


def test_an_answer_to_another_question_is_refused(entra: Entra) -> None:
    entra.answer = lambda _: {"code": "replaced-code", "state": "somebody-elses"}
    with pytest.raises(SignInError, match="another question"):
        entra.token()
    assert entra.redeemed == []


def test_a_token_that_was_made_for_another_question_is_refused(entra: Entra) -> None:
    entra.nonce = "somebody-elses"
    with pytest.raises(SignInError, match="another question"):
        entra.token()


def test_what_is_no_answer_leaves_the_listener_waiting() -> None:
    statuses: list[int] = []

    def knocks(address: str) -> None:
        with httpx.Client(trust_env=False) as client:
            statuses.append(client.get(f"{address}/favicon.ico").status_code)
            statuses.append(client.post(address, data={"code": "x"}).status_code)
            statuses.append(client.post(address, content=b"x" * (1 << 17)).status_code)
            statuses.append(client.post(address, data={"code": "x", "state": "y"}).status_code)

    with Listener() as listener:
        visitor = threading.Thread(target=knocks, args=(listener.redirect_uri,), daemon=True)
        visitor.start()
        assert listener.wait(timedelta(seconds=120), threading.Event()) == {"code": "x", "state": "y"}
        visitor.join(120)
    assert statuses == [404, 400, 400, 200]


@pytest.mark.parametrize(
    ("environ", "platform", "method"),
    [
        ({}, "win32", Method.BROWSER),
        ({}, "darwin", Method.BROWSER),
        ({}, "linux", Method.DEVICE_CODE),
        ({"DISPLAY": ":0"}, "linux", Method.BROWSER),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", Method.BROWSER),
        ({"SSH_CONNECTION": "1 2 3 4", "DISPLAY": ":10"}, "linux", Method.DEVICE_CODE),
        ({"SSH_CONNECTION": "1 2 3 4"}, "win32", Method.DEVICE_CODE),
    ],
)
def test_a_browser_on_a_desktop_and_a_code_without_one(environ: dict[str, str], platform: str, method: Method) -> None:
    assert person_method(environ, platform) is method


def test_an_unknown_tenant_is_told_by_its_code_although_msal_drops_it() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(400, json={"error": "invalid_tenant", "error_description": "AADSTS90002: not found."})

    operator = by_device_code(httpx.MockTransport(answer), FakeClock(), [])
    with pytest.raises(SignInError, match="the tenant was not found") as caught:
        operator.graph(PERMISSIONS).operator()
    assert caught.value.explain == "AADSTS90002"
    assert not isinstance(caught.value, UsageError)
