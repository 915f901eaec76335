from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from azure.core.credentials import AccessToken

from mimapp.clouds import cloud
from mimapp.errors import SignInError, UnreachableError, UsageError
from mimapp.identity import Method, MethodUnavailableError, OperatorSignIn, SignInOptions
from mimapp.identity.chain import Chain
from mimapp.transport import Http, Patience
from support.clock import FakeClock
from support.player import unsigned_token

if TYPE_CHECKING:
    from pathlib import Path

TENANT = "aaaabbbb-0000-cccc-1111-dddd2222eeee"


class Fake:
    def __init__(self, outcome: Exception | str) -> None:
        self.outcome = outcome
        self.asked: list[dict[str, Any]] = []

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        self.asked.append({"scopes": scopes, **options})
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return AccessToken(self.outcome, 0)


def chain(*links: Fake, **options: Any) -> Chain:
    order = (Method.ENVIRONMENT, Method.MANAGED_IDENTITY, Method.AZURE_CLI)
    return Chain("Microsoft Graph", list(zip(order, links, strict=False)), **options)


def test_unavailable_means_the_next() -> None:
    first, second, third = Fake(MethodUnavailableError("not set")), Fake(UsageError("no file")), Fake("token")
    made = chain(first, second, third)
    assert made.get_token("scope").token == "token"
    assert made.get_token("scope", claims="{}", enable_cae=True).token == "token"
    assert (len(first.asked), len(second.asked), len(third.asked)) == (1, 1, 2)
    assert third.asked[1] == {"scopes": ("scope",), "claims": "{}", "enable_cae": True}


def test_failed_means_stop_and_tells_what_was_tried_before() -> None:
    refused = SignInError("the secret has expired", hint="rotate", details=("trace id: x",), explain="AADSTS7000222")
    last = Fake("token")
    with pytest.raises(SignInError) as caught:
        chain(Fake(MethodUnavailableError("not set")), Fake(refused), last).get_token("scope")
    error = caught.value
    assert error.message == "the secret has expired (with managed-identity, which auto had reached)"
    assert (error.hint, error.explain) == ("rotate", "AADSTS7000222")
    assert error.details == ("environment: not set", "trace id: x")
    assert last.asked == []


def test_no_network_is_no_reason_to_try_the_next() -> None:
    last = Fake("token")
    with pytest.raises(UnreachableError):
        chain(Fake(UnreachableError("cannot reach login")), last).get_token("scope")
    assert last.asked == []


def test_when_none_is_available_every_attempt_is_listed_with_its_reason() -> None:
    with pytest.raises(SignInError, match="no way to sign in to Microsoft Graph") as caught:
        chain(
            Fake(MethodUnavailableError("not set")),
            Fake(MethodUnavailableError("no answer")),
            left_out=[(Method.DEVICE_CODE, "nobody can be asked here")],
        ).get_token("scope")
    assert caught.value.details == (
        "environment: not set",
        "managed-identity: no answer",
        "device-code: nobody can be asked here",
    )


def auto(ask_people: bool, answer: httpx.MockTransport) -> OperatorSignIn:  # noqa: FBT001 - the one thing that differs
    both = SignInOptions(method=Method.AUTO)
    return OperatorSignIn(
        Http(Patience(FakeClock()), transport=answer),
        cloud("global"),
        tenant=TENANT,
        graph=both,
        exchange=both,
        show_code=lambda _: None,
        ask_people=ask_people,
        environ={},
    )


def nobody(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("nobody there", request=request)


@pytest.fixture
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable, no Azure, no child process to sign in with."""
    for name in ("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID", "IDENTITY_ENDPOINT", "MSI_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("bare_machine")
@pytest.mark.skipif(sys.platform == "win32", reason="a bare PATH does not hide PowerShell there")
def test_auto_on_a_bare_machine_lists_everything_it_tried() -> None:
    with pytest.raises(SignInError) as caught:
        auto(ask_people=False, answer=httpx.MockTransport(nobody)).graph().operator()
    tried = [line.partition(":")[0] for line in caught.value.details]
    assert tried == [
        "environment",
        "workload-identity",
        "managed-identity",
        "azure-cli",
        "azure-powershell",
        "device-code",
    ]
    with pytest.raises(SignInError) as caught:
        auto(ask_people=False, answer=httpx.MockTransport(nobody)).exchange().operator()
    assert "azure-cli: reaches Microsoft Graph only" in caught.value.details


@pytest.mark.usefixtures("bare_machine")
def test_auto_ends_with_asking_a_person() -> None:
    def entra(request: httpx.Request) -> httpx.Response:
        if request.url.host != "login.microsoftonline.com":
            raise httpx.ConnectError("nobody there", request=request)
        base = f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0"
        if request.url.path.endswith("openid-configuration"):
            return httpx.Response(
                200,
                json={
                    "issuer": f"https://login.microsoftonline.com/{TENANT}/v2.0",
                    "authorization_endpoint": f"{base}/authorize",
                    "token_endpoint": f"{base}/token",
                    "device_authorization_endpoint": f"{base}/devicecode",
                },
            )
        if request.url.path.endswith("/devicecode"):
            return httpx.Response(200, json={"user_code": "A", "device_code": "d", "expires_in": 60, "interval": 1})
        token = unsigned_token({"tid": TENANT, "upn": "admin@contoso.com"})
        return httpx.Response(200, json={"token_type": "Bearer", "expires_in": 3600, "access_token": token})

    who = auto(ask_people=True, answer=httpx.MockTransport(entra)).exchange().operator()
    assert who.name == "admin@contoso.com"
