"""Which replies mean "ask again": each with the reply beside it that must not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from mimapp.graph import consistency as c
from mimapp.transport import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

MISSING = (404, "Request_ResourceNotFound", "Resource 'x' does not exist or one of its queried …")
CONCURRENT = "Error due to concurrent requests being made to the tenant. Please wait briefly and retry."
NO_APP = "The appId '1' of the service principal does not reference a valid application object."
LOCAL = "When using this permission, the backing application of the service principal being created must in the local "
NO_REFERENCE = "Not a valid reference update"
GRANTED = "Permission being assigned already exists on the object"
OWNED = "One or more added object references already exist for the following modified properties: 'owners'."
DENIED = (403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")

TESTS = [
    c.is_concurrency_violation,
    c.is_missing,
    c.is_app_not_replicated,
    c.is_reference_not_replicated,
    c.is_msa_not_replicated,
    c.is_missing_password,
    c.is_duplicate_grant,
    c.is_duplicate_owner,
    c.is_delegated_only,
]


def reply(status: int, code: str, message: str) -> Reply:
    return Reply(status=status, content=json.dumps({"error": {"code": code, "message": message}}).encode())


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((409, "Directory_ConcurrencyViolation", CONCURRENT), {c.is_concurrency_violation}),
        ((503, "Directory_ConcurrencyViolation", CONCURRENT), {c.is_concurrency_violation}),
        ((503, "ServiceUnavailable", CONCURRENT), set()),
        ((409, "Request_MultipleObjectsWithSameKeyValue", "Permission entry already exists."), set()),
        (MISSING, {c.is_missing}),
        ((400, "Request_BadRequest", NO_APP), {c.is_app_not_replicated}),
        ((403, "Authorization_RequestDenied", LOCAL), {c.is_app_not_replicated}),
        (DENIED, set()),
        ((400, "Request_BadRequest", NO_REFERENCE), {c.is_reference_not_replicated}),
        ((400, "Request_BadRequest", f"{NO_REFERENCE}."), {c.is_reference_not_replicated}),
        (
            (409, "Error_MsaAppDoesNotExist", "The corresponding MSA application does not exist."),
            {c.is_msa_not_replicated},
        ),
        ((400, "Request_BadRequest", "No password credential found with keyId 1."), {c.is_missing_password}),
        (
            (404, "Request_ResourceNotFound", "No password credential found with keyId 1"),
            {c.is_missing_password, c.is_missing},
        ),
        ((400, "Request_BadRequest", GRANTED), {c.is_duplicate_grant}),
        ((400, "InvalidUpdate", GRANTED), {c.is_duplicate_grant}),
        ((409, "Conflict", "EntitlementGrant entry already exists."), {c.is_duplicate_grant}),
        ((400, "Request_BadRequest", OWNED), {c.is_duplicate_owner}),
        ((400, "BadRequest", "/me request is only valid with delegated authentication flow."), {c.is_delegated_only}),
        ((400, "Request_BadRequest", "Property x is invalid."), set()),
    ],
)
def test_each_reply_is_what_it_is_and_nothing_else(
    given: tuple[int, str, str], expected: set[Callable[[Reply], bool]]
) -> None:
    assert {test for test in TESTS if test(reply(*given))} == expected


@pytest.mark.parametrize("status", [400, 403, 404, 409, 503])
@pytest.mark.parametrize("text", [b"", b"<html>Directory_ConcurrencyViolation</html>", b'{"error":', b"\xff\xfe"])
def test_what_is_no_error_of_graph_is_never_asked_again(status: int, text: bytes) -> None:
    assert [test for test in TESTS if test(Reply(status=status, content=text))] == []
