"""Our client as msal and azure-core use it, by the libraries' own public doors where they have one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
from azure.core import PipelineClient
from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError
from azure.core.rest import HttpRequest, HttpResponse

from mimapp.identity.adapters import LoginSender, MsalHttp
from mimapp.identity.azure_adapter import AzureTransport
from mimapp.transport import Http, Patience, Wait
from support.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "https://login.microsoftonline.com/contoso/oauth2/v2.0/token"


class Stand:
    def __init__(self, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        self.clock = FakeClock()
        self.seen: list[httpx.Request] = []
        self.waits: list[Wait] = []
        self.answer = answer
        patience = Patience(self.clock, limit=timedelta(minutes=1), on_wait=self.waits.append)
        self.sender = LoginSender(Http(patience, transport=httpx.MockTransport(self._handle)))

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        return self.answer(request)


def ok(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"a": "é"}, headers={"X-One": "1"})


def test_msal_gets_and_posts_over_our_client() -> None:
    stand = Stand(ok)
    client = MsalHttp(stand.sender)
    reply = client.get(f"{URL}?x=1", params={"y": "a b"}, headers={"Accept": "application/json"}, timeout=1)
    assert (reply.status_code, reply.text, reply.headers["x-one"]) == (200, '{"a":"é"}', "1")
    client.post(URL, data={"grant_type": "client_credentials", "scope": "a b"}, headers={"User-Agent": "msal"})
    client.post(URL, data="as=it+is", headers={"Content-Type": "text/plain"})
    client.post(URL, params={"y": "1"})
    client.close()
    get, form, text, empty = stand.seen
    assert get.url.query == b"x=1&y=a+b"
    assert form.content == b"grant_type=client_credentials&scope=a+b"
    assert form.headers["content-type"] == "application/x-www-form-urlencoded"
    assert form.headers["user-agent"].startswith("mimapp/")
    assert (text.content, text.headers["content-type"]) == (b"as=it+is", "text/plain")
    assert (empty.url.query, empty.content) == (b"y=1", b"")


def test_a_sign_in_is_waited_for_by_the_runs_own_policy() -> None:
    answers = iter([httpx.Response(429, headers={"Retry-After": "7"}), httpx.Response(503), httpx.Response(200)])
    stand = Stand(lambda _: next(answers))
    assert MsalHttp(stand.sender).post(URL, data={"grant_type": "refresh_token"}).status_code == 200
    assert stand.clock.slept[0] == 7
    assert [wait.what for wait in stand.waits] == ["sign-in at login.microsoftonline.com"] * 2


def test_a_code_is_redeemed_once_only() -> None:
    stand = Stand(lambda _: httpx.Response(503))
    assert MsalHttp(stand.sender).post(URL, data={"grant_type": "authorization_code"}).status_code == 503
    assert len(stand.seen) == 1


def test_the_last_refusal_is_kept_until_something_succeeds() -> None:
    stand = Stand(lambda _: httpx.Response(401, json={"error": "invalid_client"}))
    MsalHttp(stand.sender).get(URL)
    assert stand.sender.refused is not None
    assert stand.sender.refused.status == 401
    stand.answer = ok
    MsalHttp(stand.sender).get(URL)
    assert stand.sender.refused is None


@pytest.mark.parametrize(
    ("date", "skew"),
    [
        ("Sat, 21 Nov 2026 08:50:00 GMT", timedelta(minutes=10)),
        ("Sat, 21 Nov 2026 09:10:00 GMT", timedelta(minutes=-10)),
        ("yesterday", None),
        ("Sat, 21 Nov 2026 08:50:00 -0000", None),
    ],
)
def test_how_far_this_clock_is_off_the_hosts(date: str, skew: timedelta | None) -> None:
    stand = Stand(lambda _: httpx.Response(200, headers={"Date": date}))
    MsalHttp(stand.sender).get(URL)
    assert stand.sender.skew == skew


def ask(stand: Stand, request: HttpRequest) -> HttpResponse:
    client: PipelineClient[HttpRequest, HttpResponse] = PipelineClient("", transport=AzureTransport(stand.sender))
    with client:
        return client.send_request(request)


def test_azure_core_reads_our_replies() -> None:
    stand = Stand(ok)
    response = ask(stand, HttpRequest("POST", URL, data={"a": "b c"}))
    assert stand.seen[0].content == b"a=b+c"
    assert (response.status_code, response.reason, response.url) == (200, "OK", URL)
    assert response.json() == {"a": "é"}
    assert response.headers["X-ONE"] == "1"
    assert response.content_type == "application/json"
    assert response.read() == response.content == b"".join(response.iter_bytes()) == b"".join(response.iter_raw())
    assert response.request.method == "POST"
    assert response.is_closed
    assert response.is_stream_consumed
    response.encoding = "latin-1"
    assert response.encoding == "latin-1"
    assert response.text() == '{"a":"Ã©"}'
    assert response.text("utf-8") == '{"a":"é"}'
    response.raise_for_status()
    with response as same:
        assert same is response
    assert repr(response) == "<HttpResponse: 200 OK, Content-Type: application/json>"


@pytest.mark.parametrize(("content", "sent"), [("text", b"text"), (b"bytes", b"bytes"), (None, b"")])
def test_azure_core_sends_every_kind_of_body(content: str | bytes | None, sent: bytes) -> None:
    stand = Stand(ok)
    ask(stand, HttpRequest("POST", URL, content=content))
    assert stand.seen[0].content == sent


def test_azure_core_sees_an_error_status_as_one() -> None:
    response = ask(Stand(lambda _: httpx.Response(499, text="no")), HttpRequest("GET", URL))
    assert response.reason == ""
    with pytest.raises(HttpResponseError):
        response.raise_for_status()


@pytest.mark.parametrize(
    ("broken", "kind"), [(httpx.ConnectError("x"), ServiceRequestError), (httpx.ReadError("x"), ServiceResponseError)]
)
def test_azure_core_is_told_whether_a_request_was_taken(broken: Exception, kind: type[Exception]) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise broken

    transport = AzureTransport(Stand(answer).sender)
    with transport, pytest.raises(kind, match=r"login\.microsoftonline\.com"):
        transport.send(HttpRequest("GET", URL))


def test_a_pause_that_azure_core_wants_is_announced_and_on_the_runs_clock() -> None:
    stand = Stand(ok)
    transport = AzureTransport(stand.sender)
    transport.open()
    transport.sleep(3.0)
    assert stand.clock.slept == [3.0]
    assert stand.waits[0].what == "sign-in"
