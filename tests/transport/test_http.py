"""What is sent again, what is not, how long is waited, and what is told about it."""

from __future__ import annotations

import gzip
import logging
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from mimapp.errors import DeadlineError, ReplyLostError, UnreachableError
from mimapp.transport import Http, Patience, Reply, Request, Wait
from support.clock import FakeClock

URL = "https://graph.microsoft.com/v1.0/applications?$filter=secret"


class Service:
    """Answers from a list; the last answer stays."""

    def __init__(self, *answers: httpx.Response | Exception, limit: timedelta = timedelta(minutes=10)) -> None:
        self.answers = list(answers)
        self.seen: list[httpx.Request] = []
        self.waits: list[Wait] = []
        self.clock = FakeClock()
        patience = Patience(self.clock, limit=limit, on_wait=self.waits.append, jitter=random.Random(1))
        self.http = Http(patience, transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def send(self, **options: Any) -> Reply:
        return self.http.send(Request(**{"method": "GET", "url": URL, **options}))


def test_a_request_names_mimapp_and_can_be_found_again() -> None:
    service = Service(httpx.Response(200, headers={"request-id": "service-id"}))
    reply = service.send(headers={"X-Own": "1"})
    sent = service.seen[0].headers
    assert sent["user-agent"].startswith("mimapp/")
    assert len(sent["client-request-id"]) == 36
    assert (sent["x-own"], sent["accept-encoding"]) == ("1", "identity")
    assert reply.request_id == service.http.last_request_id == "service-id"


def test_a_callers_own_request_id_is_kept() -> None:
    service = Service(httpx.Response(200))
    service.send(headers={"client-request-id": "mine"})
    assert service.seen[0].headers["client-request-id"] == "mine"
    assert service.http.last_request_id == ""


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_transient_status_is_asked_again_where_that_does_no_harm(status: int) -> None:
    service = Service(httpx.Response(status), httpx.Response(200))
    assert service.send(repeatable=True).status == 200
    service = Service(httpx.Response(status), httpx.Response(200))
    assert service.send(method="POST").status == status


def test_a_throttled_request_was_not_carried_out_and_goes_again_whatever_it_is() -> None:
    service = Service(httpx.Response(429, headers={"Retry-After": "17"}), httpx.Response(201))
    assert service.send(method="POST", what="secret of x").status == 201
    assert service.clock.slept == [17]
    assert service.waits == [Wait(what="secret of x", reason="HTTP 429", seconds=17, waited=0)]


def test_a_service_may_say_not_yet_in_its_own_way() -> None:
    service = Service(httpx.Response(404), httpx.Response(200))
    assert service.send(again_when=lambda reply: reply.status == 404).status == 200


def test_a_status_that_is_the_services_answer_is_not_asked_for_again() -> None:
    service = Service(httpx.Response(500), httpx.Response(200))
    assert service.send(repeatable=True, answers=frozenset({500})).status == 500


def test_an_impatient_request_is_sent_once_whatever_comes() -> None:
    for answer in (httpx.Response(429), httpx.Response(503)):
        service = Service(answer, httpx.Response(200))
        assert service.send(repeatable=True, patient=False).status == answer.status_code
    service = Service(httpx.ConnectError("no route"), httpx.Response(200))
    with pytest.raises(UnreachableError):
        service.send(repeatable=True, patient=False)
    assert len(service.seen) == 1


def test_pauses_double_until_the_longest_with_a_little_jitter() -> None:
    service = Service(httpx.Response(503), limit=timedelta(minutes=3))
    assert service.send(repeatable=True).status == 503
    pauses = service.clock.slept
    assert len(pauses) > 6
    assert all(base <= pause <= base * 1.1 for base, pause in zip([1, 2, 4, 8, 16, *[30] * 9], pauses, strict=False))
    assert service.clock.monotonic() <= 180


def test_a_wait_that_would_pass_the_deadline_is_not_begun() -> None:
    service = Service(httpx.Response(503, headers={"Retry-After": "601"}))
    assert service.send(repeatable=True).status == 503
    assert service.clock.slept == []


def test_a_lost_reply_is_asked_for_again_only_where_that_does_no_harm() -> None:
    service = Service(httpx.ReadTimeout("silence"), httpx.Response(200))
    assert service.send(repeatable=True).status == 200
    assert service.waits[0].reason == "did not answer"
    service = Service(httpx.ReadTimeout("silence"), httpx.Response(200))
    with pytest.raises(ReplyLostError, match=r"did not answer POST /v1\.0/applications: silence") as caught:
        service.send(method="POST")
    assert "filter" not in caught.value.message
    assert len(service.seen) == 1


def test_what_was_never_taken_goes_again_a_few_times_and_then_says_so() -> None:
    service = Service(httpx.ConnectError("no route to host"))
    with pytest.raises(UnreachableError, match=r"cannot reach graph\.microsoft\.com: no route to host") as caught:
        service.send(method="POST")
    assert len(service.seen) == 4
    assert caught.value.hint is not None
    assert "HTTPS_PROXY" in caught.value.hint


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] unable to get issuer"), "--ca-bundle"),
        (httpx.ProxyError("407 Proxy Authentication Required"), "the proxy refused"),
        (httpx.ConnectTimeout(""), "look at the network"),
    ],
)
def test_each_way_of_not_arriving_has_its_advice(error: Exception, advice: str) -> None:
    with pytest.raises(UnreachableError) as caught:
        Service(error).http.once(Request(method="GET", url=URL))
    assert caught.value.hint is not None
    assert advice in caught.value.hint
    assert not caught.value.message.endswith(": ")


def test_a_body_whose_claimed_encoding_is_false_still_has_its_status() -> None:
    false = httpx.Response(403, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"\0\0"))
    assert Service(false).send().content == b"\0\0"
    true = httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(gzip.compress(b"text")))
    assert Service(true).send().content == b"text"


def test_the_log_has_the_path_and_the_ids_and_no_query(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="mimapp"):
        Service(httpx.Response(200, headers={"request-id": "service-id"})).send(headers={"client-request-id": "mine"})
    (line,) = [record.getMessage() for record in caplog.records if record.name.startswith("mimapp")]
    assert "GET graph.microsoft.com/v1.0/applications -> 200" in line
    assert "client-request-id mine, request-id service-id" in line
    assert "filter" not in line


def test_a_client_is_closed_at_the_end_of_its_block() -> None:
    service = Service(httpx.Response(200))
    with service.http as client:
        assert client.clock is service.clock
    with pytest.raises(RuntimeError):
        service.send()


NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        ("Sat, 21 Nov 2026 09:01:00 GMT", 60),
        ("Sat, 21 Nov 2026 09:01:00 -0000", 60),
        ("Sat, 21 Nov 2026 08:00:00 GMT", 0),
        ("soon", None),
        ("-1", None),
        ("²", None),
        ("", None),
    ],
)
def test_retry_after_is_a_count_or_a_date(text: str, seconds: float | None) -> None:
    assert Reply(status=429, headers={"retry-after": text}).retry_after(NOW) == seconds


def test_a_reply_without_retry_after_says_nothing() -> None:
    assert Reply(status=429).retry_after(NOW) is None
    assert Reply(status=200, headers={"x-ms-request-id": "id"}).request_id == "id"


def test_patience_asks_until_there_is_an_answer() -> None:
    clock, waits = FakeClock(), list[Wait]()
    patience = Patience(clock, on_wait=waits.append)
    answers = iter([None, None, "here"])
    assert patience.until("group x", "not listed yet", lambda: next(answers), every=5) == "here"
    assert clock.slept == [5, 5]
    assert [(wait.what, wait.reason, wait.waited) for wait in waits] == [
        ("group x", "not listed yet", 0),
        ("group x", "not listed yet", 5),
    ]


def test_patience_ends_at_the_deadline_of_the_run_and_a_new_run_has_all_of_it() -> None:
    clock = FakeClock()
    patience = Patience(clock, limit=timedelta(seconds=12))
    with pytest.raises(DeadlineError, match=r"not listed yet, and the time for it is over \(10 s waited\)"):
        patience.until("group x", "not listed yet", lambda: None, every=5)
    assert patience.left == 2
    assert not patience.allows(5)
    patience.start()
    assert patience.allows(12)


def test_what_the_service_asks_for_is_waited_for() -> None:
    patience = Patience(FakeClock())
    assert patience.pause_before(3, asked=0) == 0
    assert 4 <= patience.pause_before(3) <= 4.4
    assert patience.pause_before(10_000) <= 33
