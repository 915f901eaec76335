"""How calls go out and replies come in: URLs, pages, asking again and its end, and what is never logged."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from mimapp.errors import (
    BadReplyError,
    BusyError,
    ConflictError,
    DeadlineError,
    DeniedError,
    NotFoundError,
    ReplyLostError,
)
from mimapp.graph import ApplicationPatch, Graph, ServicePrincipalPatch
from mimapp.transport import Http, Patience
from support.clock import START, FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

BASE = "https://graph.example:8443"
SECRET_TEXT = "fake-secret-value"


def said(code: str, message: str = "words", status: int = 400) -> httpx.Response:
    return httpx.Response(status, json={"error": {"code": code, "message": message}})


MISSING = said("Request_ResourceNotFound", status=404)
CONCURRENT = said("Directory_ConcurrencyViolation", status=409)
NO_PASSWORD = said("Request_BadRequest", "No password credential found with keyId k.")
PASSWORD = httpx.Response(200, json={"keyId": "k", "secretText": SECRET_TEXT, "displayName": "label"})
APPLICATION = httpx.Response(200, json={"id": "1", "appId": "2"})
DONE = httpx.Response(204)
LOST = httpx.ReadTimeout("gone")


class Service:
    """Answers from a list, whose last answer stays, and keeps the requests."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.clock = FakeClock()
        self.patience = Patience(self.clock, limit=timedelta(minutes=10))
        http = Http(self.patience, transport=httpx.MockTransport(self))
        self.graph = Graph(http, f"{BASE}/", self.clock)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    @property
    def sent(self) -> list[str]:
        return [f"{one.method} {one.url.raw_path.decode()}" for one in self.requests]

    def add_password(self, *, fresh: bool = False) -> Any:
        return self.graph.credentials.add_password(
            "1", label="label", start=START, end=START + timedelta(days=1), fresh=fresh
        )


def page(ids: Iterable[str], next_link: str | None = None) -> httpx.Response:
    body: dict[str, Any] = {"value": [{"id": one, "appId": one} for one in ids]}
    if next_link is not None:
        body["@odata.nextLink"] = next_link
    return httpx.Response(200, json=body)


def test_paths_and_literals_are_quoted() -> None:
    service = Service(page([]), page([]), APPLICATION)
    service.graph.applications.by_display_name("Bob's & Co? #1+1%")
    service.graph.applications.by_tag("a'b")
    service.graph.directory.user("o'neil+x@contoso.com/../me")
    select = "id,displayName,userPrincipalName,mail,userType,accountEnabled"
    assert service.sent == [
        "GET /v1.0/applications?$filter=displayName%20eq%20%27Bob%27%27s%20%26%20Co%3F%20%231%2B1%25%27",
        "GET /v1.0/applications?$filter=tags%2Fany%28t%3At%20eq%20%27a%27%27b%27%29",
        f"GET /v1.0/users/o%27neil%2Bx@contoso.com%2F..%2Fme?$select={select}",
    ]


def test_a_key_in_a_path_is_quoted() -> None:
    service = Service(APPLICATION)
    service.graph.applications.by_unique_name("it's/a b")
    assert service.sent == ["GET /v1.0/applications(uniqueName='it%27%27s%2Fa%20b')"]


def test_requests_say_what_they_send_and_carry_no_token_of_their_own() -> None:
    service = Service(DONE)
    service.graph.applications.change("1", ApplicationPatch(notes="n"))
    service.graph.applications.delete("1")
    change, delete = service.requests
    assert change.headers["content-type"] == "application/json"
    assert change.headers["accept"] == "application/json"
    assert "authorization" not in change.headers
    assert "content-type" not in delete.headers
    assert delete.content == b""


def test_an_upsert_prefers_to_create() -> None:
    service = Service(DONE)
    service.graph.applications.upsert("n", ApplicationPatch(display_name="d"))
    service.graph.service_principals.upsert("a", ServicePrincipalPatch())
    assert [one.headers["prefer"] for one in service.requests] == ["create-if-missing"] * 2
    assert [one.content for one in service.requests] == [b'{"displayName":"d"}', b"{}"]


def test_an_owner_is_named_by_a_link_to_the_same_host() -> None:
    service = Service(DONE)
    service.graph.applications.add_owner("1", "2")
    assert json.loads(service.requests[0].content) == {"@odata.id": f"{BASE}/v1.0/directoryObjects/2"}


def test_a_location_is_never_followed() -> None:
    made = httpx.Response(201, json={"id": "1", "appId": "2"}, headers={"location": f"{BASE}/v2/tenant/x"})
    service = Service(made)
    assert service.graph.applications.upsert("n", ApplicationPatch(display_name="d")) is not None
    assert len(service.requests) == 1


def test_a_redirect_is_no_answer() -> None:
    service = Service(httpx.Response(302, headers={"location": "https://portal.example/login"}))
    with pytest.raises(BadReplyError, match="HTTP 302"):
        service.graph.applications.get("1")
    assert len(service.requests) == 1


def test_all_pages_of_a_list_are_read_by_their_links_as_given() -> None:
    link = f"{BASE}/v1.0/applications?$skiptoken=a%2Bb"
    service = Service(page(["1", "2"], link), page([], f"{BASE.upper()}/v1.0/applications?$skiptoken=c"), page(["3"]))
    assert [one.id for one in service.graph.deleted.applications()] == ["1", "2", "3"]
    assert service.sent[1:] == ["GET /v1.0/applications?$skiptoken=a%2Bb", "GET /v1.0/applications?$skiptoken=c"]


@pytest.mark.parametrize(
    "link",
    [
        "https://graph.example/v1.0/applications?$skiptoken=1",
        "http://graph.example:8443/v1.0/applications?$skiptoken=1",
        "https://graph.example:8443@evil.example/v1.0/applications",
        "https://evil.example:8443/v1.0/applications",
        "/v1.0/applications?$skiptoken=1",
        "//evil.example/v1.0/applications",
        "",
    ],
)
def test_a_link_away_from_the_host_is_not_followed(link: str) -> None:
    service = Service(page(["1"], link))
    with pytest.raises(BadReplyError, match="next page"):
        service.graph.deleted.applications()
    assert len(service.requests) == 1


def test_a_link_that_leads_back_ends() -> None:
    service = Service(page(["1"], f"{BASE}/v1.0/applications?$skiptoken=1"))
    with pytest.raises(BadReplyError, match="next page"):
        service.graph.deleted.applications()
    assert len(service.requests) == 2


def test_an_error_on_a_later_page_is_an_error() -> None:
    denied = said("Authorization_RequestDenied", status=403)
    service = Service(page(["1"], f"{BASE}/v1.0/applications?$skiptoken=1"), denied)
    with pytest.raises(DeniedError):
        service.graph.applications.by_tag("x")


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"value":null}', b'{"value":[{"id":"1"', b"<html></html>", b'{"value":[{}]}']
)
def test_a_list_that_is_none_is_a_bad_reply(content: bytes) -> None:
    service = Service(httpx.Response(200, content=content, headers={"content-type": "application/json"}))
    with pytest.raises(BadReplyError, match="applications tagged x"):
        service.graph.applications.by_tag("x")


def test_an_html_404_does_not_mean_that_the_object_is_missing() -> None:
    service = Service(httpx.Response(404, html="<html>no such site</html>"))
    with pytest.raises(BadReplyError, match="text/html"):
        service.graph.applications.by_unique_name("n")
    with pytest.raises(BadReplyError):
        service.graph.applications.delete("1")


def test_missing_means_none_unless_the_object_is_fresh() -> None:
    service = Service(MISSING)
    assert service.graph.applications.by_unique_name("n") is None
    assert service.clock.slept == []
    with pytest.raises(NotFoundError):
        service.graph.applications.get("1")


def test_lag_that_outlasts_the_run_is_a_deadline_and_says_what_graph_said() -> None:
    service = Service(MISSING)
    for ask in (
        lambda: service.graph.applications.by_unique_name("n", fresh=True),
        lambda: service.graph.applications.get("1", fresh=True),
        lambda: service.graph.applications.change("1", ApplicationPatch(notes="n"), fresh=True),
        lambda: service.graph.service_principals.by_app_id("a", fresh=True),
        lambda: service.graph.role_grants.held_by("a", fresh=True),
        lambda: service.add_password(fresh=True),
    ):
        service.patience.start()
        before = len(service.requests)
        with pytest.raises(DeadlineError, match="min") as caught:
            ask()
        assert "Request_ResourceNotFound" in caught.value.details[0]
        assert caught.value.hint is not None
        assert len(service.requests) - before > 10


def test_a_grant_whose_reference_stays_invalid_ends_too() -> None:
    service = Service(said("Request_BadRequest", "Not a valid reference update"))
    with pytest.raises(DeadlineError, match="role r to service principal p"):
        service.graph.role_grants.grant(principal_id="p", resource_id="x", role_id="r", fresh=True)
    service = Service(said("Request_BadRequest", "Not a valid reference update"))
    with pytest.raises(Exception, match="HTTP 400"):
        service.graph.role_grants.grant(principal_id="p", resource_id="x", role_id="r")
    assert len(service.requests) == 1


def test_a_concurrency_violation_is_asked_again_for_every_kind_of_call() -> None:
    service = Service(CONCURRENT, PASSWORD)
    assert service.add_password().secret.reveal() == SECRET_TEXT
    unavailable = said("Directory_ConcurrencyViolation", status=503)
    service = Service(unavailable, CONCURRENT, DONE)
    assert service.graph.credentials.remove_password("1", "k") is True
    service = Service(CONCURRENT)
    with pytest.raises(ConflictError):
        service.graph.applications.delete("1")


def test_a_secret_is_never_issued_twice_blindly() -> None:
    service = Service(LOST, PASSWORD)
    with pytest.raises(ReplyLostError):
        service.add_password(fresh=True)
    assert len(service.requests) == 1
    service = Service(httpx.Response(502, html="<html>"), PASSWORD)
    with pytest.raises(BusyError):
        service.add_password()
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    "body",
    [{"keyId": "k"}, {"secretText": SECRET_TEXT}, {"keyId": "k", "secretText": ""}, {"keyId": None, "secretText": "x"}],
)
def test_a_secret_without_value_or_id_is_a_bad_reply_that_does_not_quote_it(body: dict[str, Any]) -> None:
    with pytest.raises(BadReplyError) as caught:
        Service(httpx.Response(200, json=body)).add_password()
    assert SECRET_TEXT not in str(caught.value)
    assert "client secret label" in str(caught.value)


def test_a_secret_that_graph_dates_otherwise_has_the_dates_of_graph() -> None:
    body = {"keyId": "k", "secretText": "x", "endDateTime": "2026-12-01T00:00:00Z"}
    password = Service(httpx.Response(200, json=body)).add_password()
    assert password.end.isoformat() == "2026-12-01T00:00:00+00:00"
    assert password.start == START
    assert password.label == "label"


def test_a_fresh_secret_that_stays_unknown_is_not_taken_for_removed() -> None:
    service = Service(NO_PASSWORD)
    with pytest.raises(DeadlineError, match="client secret k"):
        service.graph.credentials.remove_password("1", "k", fresh=True)


@pytest.mark.parametrize("trouble", [LOST, httpx.Response(504)], ids=["lost", "504"])
@pytest.mark.parametrize("fresh", [True, False])
def test_a_removal_whose_reply_was_lost_is_repeated_and_then_believed(
    *, trouble: httpx.Response | Exception, fresh: bool
) -> None:
    service = Service(trouble, NO_PASSWORD)
    assert service.graph.credentials.remove_password("1", "k", fresh=fresh) is False
    assert len(service.requests) == (6 if fresh else 2)
    service = Service(trouble, DONE)
    assert service.graph.credentials.remove_password("1", "k", fresh=fresh) is True


def test_removing_a_secret_of_an_application_that_is_gone_says_so() -> None:
    with pytest.raises(NotFoundError):
        Service(MISSING).graph.credentials.remove_password("1", "k")


@pytest.mark.parametrize(
    ("answer", "call"),
    [
        (APPLICATION, lambda g: g.applications.get("1")),
        (DONE, lambda g: g.applications.upsert("n", ApplicationPatch(display_name="d"))),
        (DONE, lambda g: g.service_principals.delete("1")),
        (DONE, lambda g: g.delegated_grants.delete("1")),
    ],
    ids=["read", "upsert", "delete", "delete a grant"],
)
def test_what_may_be_repeated_is_repeated_after_a_lost_reply(
    answer: httpx.Response, call: Callable[[Graph], object]
) -> None:
    service = Service(LOST, httpx.Response(503), answer)
    call(service.graph)
    assert len(service.requests) == 3


def test_a_restore_is_not_repeated() -> None:
    service = Service(LOST)
    with pytest.raises(ReplyLostError):
        service.graph.deleted.restore("1")
    assert len(service.requests) == 1


@pytest.mark.parametrize("count", [0, 2])
def test_a_tenant_is_one_organization(count: int) -> None:
    service = Service(page([str(n) for n in range(count)]))
    with pytest.raises(BadReplyError, match=f"{count} organizations"):
        service.graph.directory.organization()


def test_my_roles_are_read_over_pages_too() -> None:
    role = {"@odata.type": "#microsoft.graph.directoryRole", "id": "1", "roleTemplateId": "t"}
    first = httpx.Response(200, json={"value": [role], "@odata.nextLink": f"{BASE}/v1.0/me/memberOf?$skiptoken=1"})
    service = Service(first, httpx.Response(200, json={"value": [{"id": "2"}, role]}))
    assert [one.role_template_id for one in service.graph.directory.my_roles()] == ["t", "t"]


def test_no_body_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    service = Service(PASSWORD)
    service.add_password()
    assert caplog.records
    assert SECRET_TEXT not in caplog.text
    assert "secretText" not in caplog.text
    assert "passwordCredential" not in caplog.text
