"""What goes side by side: finding the tenant while libraries load, and two sign-ins of which one may fail."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from azure.core.credentials import AccessToken

from mimapp.clouds import cloud
from mimapp.errors import CancelledError, SignInError, UnreachableError, UsageError
from mimapp.identity import EXCHANGE, GRAPH, Closed, Method, OperatorSignIn, SignInOptions, find_tenant, sign_in_to
from mimapp.transport import Http, Patience, Request
from support.clock import FakeClock
from support.player import unsigned_token

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.core.credentials import TokenCredential

TENANT = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
BOTH = frozenset({GRAPH, EXCHANGE})


class Own:
    """A credential of somebody's own: gives a token, or does what a test wants."""

    def __init__(self, name: str, does: Callable[[], object] = lambda: None, **claims: Any) -> None:
        self.name = name
        self.does = does
        self.claims = {"tid": TENANT, "upn": name, **claims}
        self.asked: list[str] = []

    def get_token(self, *scopes: str, **_: object) -> AccessToken:
        self.asked += scopes
        self.does()
        return AccessToken(unsigned_token(self.claims), 2**31)


def nobody(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("nobody there", request=request)


def signing_in(graph: TokenCredential | Method, exchange: TokenCredential | Method) -> OperatorSignIn:
    def way(given: TokenCredential | Method) -> SignInOptions:
        return SignInOptions(method=given) if isinstance(given, Method) else SignInOptions(credential=given)

    return OperatorSignIn(
        Http(Patience(FakeClock()), transport=httpx.MockTransport(nobody)),
        cloud("global"),
        tenant=TENANT,
        graph=way(graph),
        exchange=way(exchange),
        show_code=lambda _: None,
        environ={},
    )


def test_each_service_is_signed_in_to_by_its_own_credential_side_by_side() -> None:
    meeting = threading.Barrier(2, timeout=120)
    graph, exchange = Own("graph@contoso.com", meeting.wait), Own("exchange@contoso.com", meeting.wait)
    found = sign_in_to(BOTH, signing_in(graph, exchange), ("User.Read",))

    assert [operator.name for operator in found.operators] == ["graph@contoso.com", "exchange@contoso.com"]
    assert graph.asked == ["https://graph.microsoft.com/.default"], "only a person is asked by name"
    assert exchange.asked == ["https://outlook.office365.com/.default"]


def test_when_one_fails_who_waits_for_a_person_is_told_to_stop() -> None:
    begun = threading.Event()

    def fails() -> None:
        begun.wait(120)
        raise SignInError("the secret has expired")

    waits: list[OperatorSignIn] = []

    def waits_for_a_person() -> None:
        begun.set()
        assert waits[0].desk.closed.wait(120), "nobody told it to stop"
        raise CancelledError("the sign-in was interrupted")

    for first, second in ((waits_for_a_person, fails), (fails, waits_for_a_person)):
        begun.clear()
        waits[:] = [signing_in(Own("a", first), Own("b", second))]
        with pytest.raises(SignInError, match="the secret has expired"):
            sign_in_to(BOTH, waits[0], ())


def test_a_service_that_is_not_needed_is_not_signed_in_to() -> None:
    graph, exchange = Own("a"), Own("b")
    found = sign_in_to(frozenset({EXCHANGE}), signing_in(graph, exchange), ())

    assert [operator.name for operator in found.operators] == ["b", "b"]
    assert graph.asked == []


def test_a_service_that_could_not_be_signed_in_to_says_why_when_it_is_asked() -> None:
    found = sign_in_to(frozenset({GRAPH}), signing_in(Own("a"), Method.AZURE_CLI), ())

    assert isinstance(found.exchange, Closed)
    with pytest.raises(UsageError, match="azure-cli counts as reaching Microsoft Graph only"):
        found.exchange.send(Request(method="GET", url="https://outlook.office365.com/"))
    with pytest.raises(UsageError, match="Microsoft Graph only"):
        sign_in_to(BOTH, signing_in(Own("a"), Method.AZURE_CLI), ())


def test_a_token_that_tells_no_tenant_is_refused() -> None:
    with pytest.raises(SignInError, match="does not say which tenant"):
        sign_in_to(BOTH, signing_in(Own("a"), Own("b", tid="")), ())


def test_a_tenant_that_cannot_be_looked_up_ends_the_run() -> None:
    http = Http(Patience(FakeClock()), transport=httpx.MockTransport(nobody))
    with pytest.raises(UnreachableError, match="cannot reach login"):
        find_tenant(http, "contoso.com", None, [SignInOptions()])


@pytest.mark.parametrize(
    ("method", "loaded"),
    [("DEVICE_CODE", ["msal"]), ("CLIENT_SECRET", ["msal", "azure.identity"])],
)
def test_what_the_sign_in_needs_is_loaded_while_the_tenant_is_looked_up(method: str, loaded: list[str]) -> None:
    program = f"""
import sys
import httpx
from mimapp.clock import SystemClock
from mimapp.errors import MimappError
from mimapp.identity import Method, SignInOptions, find_tenant
from mimapp.transport import Http, Patience

refuses = httpx.MockTransport(lambda _: httpx.Response(400, json={{"error": "x"}}))
http = Http(Patience(SystemClock()), transport=refuses)
try:
    find_tenant(http, "contoso.com", None, [SignInOptions(method=Method.{method})])
except MimappError:
    print([name for name in ("msal", "azure.identity") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == str(loaded)
