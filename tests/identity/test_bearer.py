from __future__ import annotations

import base64
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CredentialUnavailableError

from mimapp.errors import SignInError, UnreachableError
from mimapp.identity import Bearer
from mimapp.identity.bearer import claims_challenge
from mimapp.transport import Http, Patience, Request
from support.clock import FakeClock
from support.player import unsigned_token

TENANT = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
OTHER = "bbbbcccc-1111-dddd-2222-eeee3333ffff"
READ = Request(method="GET", url="https://graph.microsoft.com/v1.0/organization", repeatable=True)
CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1795251600"}}}'


class Credential:
    """Hands out numbered tokens of an hour; `failing` is raised instead while it is set."""

    def __init__(self, clock: FakeClock, *, tid: str = TENANT, failing: Exception | None = None) -> None:
        self.clock = clock
        self.tid = tid
        self.failing = failing
        self.asked: list[dict[str, Any]] = []

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        self.asked.append({"scopes": scopes, **options})
        if self.failing is not None:
            raise self.failing
        token = unsigned_token({"tid": self.tid, "upn": "admin@contoso.com", "jti": len(self.asked)})
        return AccessToken(token, int((self.clock.now() + timedelta(hours=1)).timestamp()))


class Service:
    """Refuses the tokens it is told to refuse, with the header it is told to send."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.refuse = 0
        self.header = ""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request.headers["authorization"])
        if self.refuse:
            self.refuse -= 1
            return httpx.Response(401, headers={"WWW-Authenticate": self.header})
        return httpx.Response(200, json={})


class Stand:
    def __init__(self, **options: Any) -> None:
        self.clock = FakeClock()
        self.service = Service()
        self.http = Http(Patience(self.clock), transport=httpx.MockTransport(self.service))
        self.credential = Credential(self.clock, **options)
        self.bearer = Bearer(self.http, self.credential, ["scope"], tenant_id=TENANT, what="Microsoft Graph")


def challenge(claims: str = CLAIMS) -> str:
    return f'Bearer realm="", error="insufficient_claims", claims="{base64.b64encode(claims.encode()).decode()}"'


def test_one_token_serves_many_requests_until_it_is_nearly_over() -> None:
    stand = Stand()
    for _ in range(3):
        assert stand.bearer.send(READ).status == 200
    assert len(stand.credential.asked) == 1
    assert stand.credential.asked[0]["scopes"] == ("scope",)
    stand.clock.advance(timedelta(minutes=56))
    stand.bearer.send(READ)
    assert len(stand.credential.asked) == 2
    assert len(set(stand.service.seen)) == 2


def test_a_claims_challenge_is_answered_once_with_its_claims() -> None:
    stand = Stand()
    stand.service.refuse, stand.service.header = 1, challenge()
    assert stand.bearer.send(READ).status == 200
    assert [asked.get("claims") for asked in stand.credential.asked] == [None, CLAIMS]
    assert len(set(stand.service.seen)) == 2


def test_a_service_that_refuses_again_is_believed() -> None:
    stand = Stand()
    stand.service.refuse, stand.service.header = 9, challenge()
    assert stand.bearer.send(READ).status == 401
    assert len(stand.service.seen) == 2


def test_a_plain_401_is_answered_once_with_a_token_that_is_not_from_a_cache() -> None:
    stand = Stand()
    stand.service.refuse = 1
    assert stand.bearer.send(READ).status == 200
    assert stand.credential.asked[1]["claims"] == '{"access_token":{"xms_cc":{"values":["CP1"]}}}'


class Cached(Credential):
    """Like a child process's sign-in: knows one token, and refuses to be asked for claims."""

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        if options.get("claims"):
            raise CredentialUnavailableError(message="This credential doesn't support claims challenges")
        return super().get_token(*scopes, **options)


def test_a_plain_401_stands_where_nobody_has_a_newer_token() -> None:
    stand = Stand()
    stand.service.refuse = 9
    bearer = Bearer(stand.http, Cached(stand.clock), ["scope"])
    assert bearer.send(READ).status == 401
    assert len(stand.service.seen) == 1


def test_a_challenge_that_cannot_be_answered_says_why() -> None:
    stand = Stand()
    stand.service.refuse, stand.service.header = 9, challenge()
    bearer = Bearer(stand.http, Cached(stand.clock), ["scope"])
    with pytest.raises(SignInError, match="claims challenges"):
        bearer.send(READ)


def test_a_token_of_another_tenant_is_refused_before_any_request() -> None:
    stand = Stand(tid=OTHER)
    with pytest.raises(SignInError) as caught:
        stand.bearer.send(READ)
    assert OTHER in caught.value.message
    assert TENANT in caught.value.message
    assert stand.service.seen == []


def test_the_operator_is_who_the_token_says() -> None:
    operator = Stand().bearer.operator()
    assert (operator.name, operator.tenant_id) == ("admin@contoso.com", TENANT)


def test_an_entra_error_keeps_its_code_its_advice_and_its_ids() -> None:
    text = (
        "Authentication failed: AADSTS53003: Access has been blocked by Conditional Access policies.\r\n"
        "Trace ID: 0000aaaa-11bb-cccc-dd22-eeeeee333333\r\nCorrelation ID: aaaa0000-bb11-2222-33cc-444444dddddd\r\n"
        "Timestamp: 2026-11-21 09:00:00Z"
    )
    with pytest.raises(SignInError) as caught:
        Stand(failing=ClientAuthenticationError(message=text)).bearer.send(READ)
    error = caught.value
    assert error.explain == "AADSTS53003"
    assert error.message.startswith("sign-in to Microsoft Graph failed: a Conditional Access")
    assert error.hint is not None
    assert error.details == (
        "Entra said: AADSTS53003: Access has been blocked by Conditional Access policies.",
        "trace id: 0000aaaa-11bb-cccc-dd22-eeeeee333333",
        "correlation id: aaaa0000-bb11-2222-33cc-444444dddddd",
        "time: 2026-11-21 09:00:00Z",
    )


def test_an_error_without_a_code_is_told_in_its_own_words() -> None:
    with pytest.raises(SignInError, match="Azure CLI not found on path") as caught:
        Stand(failing=CredentialUnavailableError(message="Azure CLI not found on path")).bearer.send(READ)
    assert caught.value.explain is None


def test_our_own_error_from_below_a_library_comes_back_as_it_was() -> None:
    ours = UnreachableError("cannot reach login.microsoftonline.com: no route", hint="look at the network")
    wrapped = ClientAuthenticationError(message="Authentication failed")
    wrapped.__cause__ = ours
    with pytest.raises(UnreachableError) as caught:
        Stand(failing=wrapped).bearer.send(READ)
    assert caught.value is ours


def test_a_ring_of_causes_is_walked_once() -> None:
    first, second = ClientAuthenticationError(message="AADSTS65004: declined"), ValueError("low")
    first.__cause__, second.__cause__ = second, first
    with pytest.raises(SignInError) as caught:
        Stand(failing=first).bearer.send(READ)
    assert caught.value.explain == "AADSTS65004"


def test_threads_share_one_token_request() -> None:
    stand = Stand()
    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(lambda _: stand.bearer.send(READ).status, range(16)))
    assert statuses == [200] * 16
    assert len(stand.credential.asked) == 1


class Door:
    """A lock that says when a second thread has come to it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.come = 0
        self.second = threading.Event()

    def __enter__(self) -> None:
        self.come += 1
        if self.come == 2:
            self.second.set()
        self.lock.acquire()

    def __exit__(self, *_: object) -> None:
        self.lock.release()


def test_who_waited_while_another_was_refused_is_refused_too_and_nobody_is_asked_twice() -> None:
    stand = Stand()
    entered, leave = threading.Event(), threading.Event()

    class Slow(Credential):
        def get_token(self, *scopes: str, **options: Any) -> AccessToken:
            entered.set()
            leave.wait(120)
            return super().get_token(*scopes, **options)

    slow = Slow(stand.clock, failing=ClientAuthenticationError(message="AADSTS65004: declined"))
    bearer = Bearer(stand.http, slow, ["scope"])
    bearer._lock = door = Door()  # type: ignore[assignment]  # a lock that says who stands before it
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(bearer.send, READ)
        assert entered.wait(120)
        second = threads.submit(bearer.send, READ)
        assert door.second.wait(120)
        leave.set()
        errors = [first.exception(), second.exception()]
    assert all(isinstance(error, SignInError) for error in errors)
    assert len(slow.asked) == 1
    with pytest.raises(SignInError):
        bearer.send(READ)
    assert len(slow.asked) == 2, "a later request asks again"


def test_no_repr_shows_a_token() -> None:
    stand = Stand()
    stand.bearer.send(READ)
    assert "eyJ" not in repr(stand.bearer._held)


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        (challenge(), CLAIMS),
        ('Bearer authorization_uri="https://login.microsoftonline.com/common", error="invalid_token"', None),
        ('Bearer claims="%%%"', None),
        ("", None),
    ],
)
def test_the_claims_of_a_header(header: str, claims: str | None) -> None:
    assert claims_challenge(header) == claims
