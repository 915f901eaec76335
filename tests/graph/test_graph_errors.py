"""What every kind of refusal becomes: in both recorded layouts, without a body, and from what is not Graph at all."""

from __future__ import annotations

import json

import pytest

from mimapp.errors import (
    BadReplyError,
    BusyError,
    ConflictError,
    DeniedError,
    MimappError,
    NotFoundError,
    ServiceError,
)
from mimapp.graph.errors import NAME_TAKEN, Subject, error_of
from mimapp.transport import Reply
from support.clock import START

SUBJECT = Subject(verb="read", what="application x", needs="Application.Read.All")
# The two layouts of facts: compact of 2024, and pretty-printed with CRLF of 2020.
COMPACT = (
    '{"error":{"code":"Request_ResourceNotFound","message":"Resource \'1\' does not exist or one of its queried '
    'reference-property objects are not present.","innerError":{"date":"2024-09-06T09:30:58","request-id":"r-1",'
    '"client-request-id":"r-1"}}}'
)
PRETTY = (
    '{\r\n  "error": {\r\n    "code": "Request_ResourceNotFound",\r\n    "message": "Resource \'1\' does not exist or '
    'one of its queried reference-property objects are not present.",\r\n    "innerError": {\r\n'
    '      "date": "2020-08-12T06:52:35",\r\n      "request-id": "r-1"\r\n    }\r\n  }\r\n}'
)


def body(code: str, message: str, **more: object) -> str:
    return json.dumps({"error": {"code": code, "message": message, **more}})


def error(status: int, text: str = "", **headers: str) -> MimappError:
    named = {"content-type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return error_of(Reply(status=status, content=text.encode(), headers=named), SUBJECT, START)


@pytest.mark.parametrize("text", [COMPACT, PRETTY], ids=["2024", "2020"])
def test_both_recorded_layouts(text: str) -> None:
    found = error(404, text)
    assert type(found) is NotFoundError
    assert (found.service, found.status, found.code, found.request_id) == (
        "graph",
        404,
        "Request_ResourceNotFound",
        "r-1",
    )
    assert found.message == (
        "Graph did not read application x: Resource '1' does not exist or one of its queried reference-property "
        "objects are not present. (HTTP 404 Request_ResourceNotFound, request id r-1)"
    )


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "Request_BadRequest", ServiceError),
        (401, "InvalidAuthenticationToken", DeniedError),
        (403, "Authorization_RequestDenied", DeniedError),
        (404, "Request_ResourceNotFound", NotFoundError),
        (409, "Directory_ConcurrencyViolation", ConflictError),
        (412, "PreconditionFailed", ServiceError),
        (429, "TooManyRequests", BusyError),
        (500, "InternalServerError", BusyError),
        (503, "Directory_ConcurrencyViolation", BusyError),
        (504, "GatewayTimeout", BusyError),
    ],
)
def test_the_status_decides_the_kind(status: int, code: str, kind: type[ServiceError]) -> None:
    found = error(status, body(code, "words"))
    assert type(found) is kind
    assert found.explain == code


def test_the_header_names_the_request_before_the_body_does() -> None:
    found = error(404, COMPACT, request_id="r-2")
    assert isinstance(found, ServiceError)
    assert found.request_id == "r-2"


def test_retry_after_is_kept() -> None:
    found = error(429, body("TooManyRequests", "slow"), retry_after="17")
    assert isinstance(found, BusyError)
    assert found.retry_after == 17.0


@pytest.mark.parametrize(
    ("status", "code", "text", "hint"),
    [
        (400, "CredentialInvalidLifetimeAsPerAppPolicy", "too long", "--secret-lifetime"),
        (400, "CredentialTypeNotAllowedAsPerAppPolicy", "no", "exempt this application"),
        (400, "SignInAudienceNotAllowedAsPerAppPolicy", "no", "AzureADMyOrg"),
        (400, "InvalidUniqueTenantIdentifierAsPerAppPolicy", "no", "identifier URI"),
        (400, "SomethingNewAsPerAppPolicy", "no", "app management policy"),
        (400, "ServiceTreeValueMissing", "other words", "give --service-management-reference"),
        (400, "ServiceTreeNullValueError", "other words", "give --service-management-reference"),
        (400, "ServiceTreeInvalid", "no", "does not know this service"),
        (
            400,
            "BadRequest",
            "ServiceManagementReference field is required for Create",
            "--service-management-reference",
        ),
        (403, "Directory_QuotaExceeded", "quota", "purge"),
        (403, "Authorization_RequestDenied", "no", "Application.Read.All"),
        (401, "InvalidAuthenticationToken", "no", "sign in again"),
        (409, "Directory_ConcurrencyViolation", "no", "run the same command again"),
        (503, "ServiceUnavailable", "no", "later"),
    ],
)
def test_the_hint_says_what_to_do(status: int, code: str, text: str, hint: str) -> None:
    found = error(status, body(code, text))
    assert found.hint is not None
    assert hint in found.hint


def test_a_taken_unique_name_is_a_conflict_though_graph_answers_400() -> None:
    found = error(
        400,
        body("Request_BadRequest", "Another object with the same value for property uniqueName already exists."),
    )
    assert type(found) is ConflictError
    assert found.explain == NAME_TAKEN
    assert found.status == 400


def test_details_of_a_policy_are_kept() -> None:
    details = [{"code": "InvalidKeyEndDate", "message": "Too  far.", "target": "EndDate"}, {"code": None}]
    found = error(400, body("CredentialInvalidLifetimeAsPerAppPolicy", "no", details=details))
    assert found.details == ("InvalidKeyEndDate (EndDate): Too far.", "detail: ")


def test_a_long_message_is_cut_and_put_on_one_line() -> None:
    found = error(400, body("X", "a\r\nb " + "c" * 5_000))
    assert "a b ccc" in found.message
    assert len(found.message) < 800


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (404, "", NotFoundError),
        (403, "  ", DeniedError),
        (502, "<html>Bad Gateway</html>", BusyError),
        (429, "slow down", BusyError),
        (503, '{"error":', BusyError),
    ],
)
def test_a_status_that_says_enough_needs_no_body(status: int, text: str, kind: type[ServiceError]) -> None:
    assert type(error(status, text)) is kind


@pytest.mark.parametrize(
    ("status", "text", "content_type", "hint"),
    [
        (403, "<html><body>Blocked by policy</body></html>", "text/html; charset=utf-8", "proxy"),
        (407, "<html>proxy authentication</html>", "text/html", "proxy"),
        (404, "<!doctype html>", "application/json", "proxy"),
        (403, '{"error":{"code":"Authorization_Req', "application/json", "--record"),
        (400, '{"error":"invalid_request"}', "application/json", "--record"),
        (400, '{"odata.error":{}}', "application/json", "--record"),
        (400, "[]", "application/json", "--record"),
        (400, '{"error":{"code":5}}', "application/json", "--record"),
        (400, "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("latin-1"), "application/json", "--record"),
        (302, "", "text/plain", "--record"),
    ],
)
def test_what_graph_does_not_send_is_a_bad_reply(status: int, text: str, content_type: str, hint: str) -> None:
    found = error(status, text, content_type=content_type)
    assert type(found) is BadReplyError
    assert f"HTTP {status}" in found.message
    assert "application x" in found.message
    assert found.hint is not None
    assert hint in found.hint
    assert "Blocked" not in found.message
