from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import httpx
import pytest
from azure.core.credentials import AccessToken

from mimapp.clouds import cloud
from mimapp.errors import CancelledError, SignInError, UsageError
from mimapp.identity import DeviceCode, Method, OperatorSignIn, SignInOptions, TenantFacts, discover
from mimapp.identity.aadsts import ADVICE, LoginError
from mimapp.secret import Secret
from mimapp.transport import Http, Patience, Request
from support.clock import FakeClock
from support.player import unsigned_token

if TYPE_CHECKING:
    from pathlib import Path

TENANT = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
TENANT_FACTS = TenantFacts(
    tenant_id=TENANT, cloud_keys=frozenset({"global"}), region_scope="", region_sub_scope="", instance=""
)
APP = "00001111-aaaa-2222-bbbb-3333cccc4444"
ORGANIZATION = Request(method="GET", url="https://graph.microsoft.com/v1.0/organization", repeatable=True)


class Entra:
    """The three endpoints of a sign-in and a service behind it; `pending` polls are answered "not yet"."""

    def __init__(self, *, pending: list[str] | None = None, last: dict[str, Any] | None = None) -> None:
        self.pending = list(pending or [])
        self.last = last
        self.sent: list[tuple[str, dict[str, str]]] = []
        self.clock = FakeClock()
        self.http = Http(Patience(self.clock), transport=httpx.MockTransport(self))
        self.shown: list[DeviceCode] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        base = f"https://login.microsoftonline.com/{TENANT}"
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        self.sent.append((f"{request.method} {request.url.host}{request.url.path}", form))
        if request.url.path.endswith("openid-configuration"):
            return httpx.Response(
                200,
                json={
                    "issuer": f"{base}/v2.0",
                    "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                    "token_endpoint": f"{base}/oauth2/v2.0/token",
                    "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
                },
            )
        if request.url.path.endswith("/devicecode"):
            return httpx.Response(
                200,
                json={
                    "user_code": "ABCD1234",
                    "device_code": "replaced-device-code",
                    "verification_uri": "https://login.microsoft.com/device",
                    "expires_in": 60,
                    "interval": 5,
                },
            )
        if request.url.path.endswith("/token"):
            return self._token(form)
        return httpx.Response(200, json={})

    def _token(self, form: dict[str, str]) -> httpx.Response:
        if self.pending:
            error = self.pending.pop(0)
            return httpx.Response(400, json={"error": error, "error_description": "AADSTS70016: pending"})
        if self.last is not None:
            return httpx.Response(400, json=self.last)
        person = {} if form["grant_type"] == "client_credentials" else {"upn": "admin@contoso.com"}
        body = {
            "token_type": "Bearer",
            "expires_in": 3600,
            "access_token": unsigned_token({"tid": TENANT, **person}),
        }
        if person:
            body |= {
                "refresh_token": "replaced-refresh-token",
                "id_token": unsigned_token({"sub": "s", "oid": "o", "tid": TENANT, "preferred_username": "admin"}),
                "client_info": "eyJ1aWQiOiJvIiwidXRpZCI6InQifQ",
                "scope": form.get("scope", ""),
            }
        return httpx.Response(200, json=body)

    def sign_in(self, **options: Any) -> OperatorSignIn:
        both = SignInOptions(**options)
        return OperatorSignIn(
            self.http,
            cloud("global"),
            tenant=TENANT,
            facts=TENANT_FACTS,
            graph=both,
            exchange=both,
            show_code=self.shown.append,
            environ={},
        )

    def paths(self) -> list[str]:
        return [line.rsplit("/", 1)[-1] for line, _ in self.sent]


def test_a_device_code_is_shown_and_polled_on_the_runs_clock() -> None:
    entra = Entra(pending=["authorization_pending", "slow_down", "authorization_pending"])
    graph = entra.sign_in().graph(["Application.ReadWrite.All", "User.Read"])
    assert entra.sent == [], "nobody is asked before the first request"
    assert graph.send(ORGANIZATION).status == 200
    assert [shown.code for shown in entra.shown] == ["ABCD1234"]
    assert (entra.shown[0].expires - FakeClock().now()).total_seconds() == 60
    assert sum(entra.clock.slept) == 5 + 10 + 10
    assert graph.operator().name == "admin@contoso.com"
    asked = entra.sent[1][1]
    assert asked["client_id"] == "14d82eec-204b-4c2f-b7e8-296a70dab67e"
    assert "https://graph.microsoft.com/Application.ReadWrite.All" in asked["scope"].split()
    assert ".default" not in asked["scope"]


def test_exchange_has_its_own_client_and_asks_for_default() -> None:
    entra = Entra()
    entra.sign_in().exchange().operator()
    asked = entra.sent[1][1]
    assert asked["client_id"] == "fb78d390-0c51-40cd-8e17-fdbfab77341b"
    assert "https://outlook.office365.com/.default" in asked["scope"].split()


def test_a_second_token_of_the_same_person_is_silent() -> None:
    entra = Entra()
    graph = entra.sign_in().graph(["User.Read"])
    graph.send(ORGANIZATION)
    graph._token(instead_of=graph._held, claims='{"access_token":{}}')
    assert len(entra.shown) == 1
    assert entra.sent[-1][1]["grant_type"] == "refresh_token"


def test_a_code_that_nobody_enters_ends_the_sign_in() -> None:
    entra = Entra(pending=["authorization_pending"] * 100)
    with pytest.raises(SignInError, match="nobody entered the code in 1 min") as caught:
        entra.sign_in().graph(["User.Read"]).send(ORGANIZATION)
    assert caught.value.explain == "AADSTS70019"
    assert entra.clock.monotonic() == 60


def test_an_interrupted_sign_in_stops_waiting() -> None:
    entra = Entra(pending=["authorization_pending"] * 100)
    sign_in = entra.sign_in()

    class Interrupted(FakeClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if len(self.slept) == 7:
                sign_in.desk.close()

    entra.http.patience.clock = Interrupted()
    with pytest.raises(CancelledError):
        sign_in.graph(["User.Read"]).send(ORGANIZATION)
    with pytest.raises(CancelledError):
        sign_in.exchange().operator()
    assert len(entra.shown) == 1, "nobody is asked any more"
    assert entra.http.clock.monotonic() < 2, "nobody waits for the next question to Entra"


def test_a_declined_code_says_why() -> None:
    entra = Entra(last={"error": "authorization_declined", "error_description": "AADSTS65004: User declined."})
    with pytest.raises(SignInError, match="the consent was declined") as caught:
        entra.sign_in().graph(["User.Read"]).send(ORGANIZATION)
    assert caught.value.explain == "AADSTS65004"


def test_a_client_secret_reaches_both_services_over_our_client() -> None:
    entra = Entra()
    sign_in = entra.sign_in(method=Method.CLIENT_SECRET, client_id=APP, secret=Secret("replaced-secret"))
    assert sign_in.graph(["User.Read"]).send(ORGANIZATION).status == 200
    assert sign_in.exchange().operator().is_app_only
    asked = [form["scope"] for line, form in entra.sent if line.endswith("/token")]
    assert asked == ["https://graph.microsoft.com/.default", "https://outlook.office365.com/.default"]


def test_a_client_secret_without_its_parts_is_refused() -> None:
    with pytest.raises(UsageError, match="needs the secret"):
        Entra().sign_in(method=Method.CLIENT_SECRET, client_id=APP).graph()


def test_azure_core_takes_no_pause_of_its_own() -> None:
    entra = Entra(last={"error": "invalid_client", "error_description": "AADSTS7000222: expired"})
    sign_in = entra.sign_in(method=Method.CLIENT_SECRET, client_id=APP, secret=Secret("replaced-secret"))
    with pytest.raises(SignInError, match="the client secret has expired"):
        sign_in.graph().send(ORGANIZATION)
    assert entra.clock.slept == []
    assert entra.paths() == ["openid-configuration", "token"]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("7000215", "its id instead of its value"),
        ("7000222", "has expired"),
        ("700016", "not known in this tenant"),
        ("900382", "another cloud"),
        ("90002", "the tenant was not found"),
    ],
)
def test_each_refusal_of_an_application_has_its_line_and_its_hint(code: str, said: str) -> None:
    entra = Entra(last={"error": "invalid_client", "error_description": f"AADSTS{code}: what Entra said."})
    sign_in = entra.sign_in(method=Method.CLIENT_SECRET, client_id=APP, secret=Secret("replaced-secret"))
    with pytest.raises(SignInError, match=said) as caught:
        sign_in.graph().send(ORGANIZATION)
    assert caught.value.explain == f"AADSTS{code}"
    assert caught.value.hint
    assert caught.value.details[0] == f"Entra said: AADSTS{code}: what Entra said."
    assert "replaced-secret" not in f"{caught.value.message}{caught.value.details}"


def test_a_handed_in_credential_is_used_as_it_is() -> None:
    class Own:
        def get_token(self, *scopes: str, **_: object) -> AccessToken:
            asked.append(scopes)
            return AccessToken(unsigned_token({"tid": TENANT, "upn": "own@contoso.com"}), 2**31)

    asked: list[tuple[str, ...]] = []
    sign_in = Entra().sign_in(credential=Own())
    assert sign_in.graph(["User.Read"]).operator().name == "own@contoso.com"
    assert sign_in.exchange().operator().name == "own@contoso.com"
    assert asked == [("https://graph.microsoft.com/.default",), ("https://outlook.office365.com/.default",)]


@pytest.mark.parametrize("code", ADVICE)
def test_every_code_that_is_known_has_words_for_a_person(code: str) -> None:
    error = LoginError.of_text(f"AADSTS{code}: x").as_sign_in_error("sign-in to Microsoft Graph")
    assert error.explain == f"AADSTS{code}"
    assert error.hint
    assert not error.message.endswith(".")
    assert len(error.message) < 250


def test_what_the_lookup_of_the_tenant_was_told_is_not_asked_again() -> None:
    entra = Entra()
    facts = discover(entra.http, cloud("global"), TENANT)
    both = SignInOptions(method=Method.CLIENT_SECRET, client_id=APP, secret=Secret("replaced-secret"))
    sign_in = OperatorSignIn(
        entra.http, cloud("global"), tenant=TENANT, facts=facts, graph=both, exchange=both, show_code=entra.shown.append
    )
    assert sign_in.graph().operator().is_app_only
    assert sign_in.exchange().operator().is_app_only
    assert entra.paths() == ["openid-configuration", "token", "token"]


def test_a_person_that_auto_comes_to_is_asked_by_name_and_for_microsofts_client(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    entra = Entra()
    told: list[str] = []
    both = SignInOptions(method=Method.AUTO, client_id=APP)
    sign_in = OperatorSignIn(
        entra.http,
        cloud("global"),
        tenant=TENANT,
        graph=both,
        exchange=both,
        show_code=entra.shown.append,
        environ={},
        tell=told.append,
    )
    assert sign_in.graph(["User.Read"]).operator().name == "admin@contoso.com"
    asked = next(form for line, form in entra.sent if line.endswith("/devicecode"))
    assert asked["client_id"] == "14d82eec-204b-4c2f-b7e8-296a70dab67e"
    assert "https://graph.microsoft.com/User.Read" in asked["scope"].split()
    assert ".default" not in asked["scope"]
    assert len(told) == 1


def test_a_secret_that_is_a_secrets_id_is_refused_before_it_is_sent() -> None:
    entra = Entra()
    with pytest.raises(UsageError, match="the secret's id, not its value"):
        entra.sign_in(method=Method.CLIENT_SECRET, client_id=APP, secret=Secret(TENANT)).graph()
    assert entra.sent == []
