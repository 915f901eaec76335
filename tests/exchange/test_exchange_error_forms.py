"""The forms in which Exchange words a refusal, and which error each becomes."""

from __future__ import annotations

import json

import pytest
from exchange_stage import GROUP, scripted

from mimapp.errors import BadReplyError, BusyError, DeniedError, MimappError, NotFoundError, ServiceError
from mimapp.transport import Reply


def refusal(status: int, message: str, code: str = "BadRequest") -> Reply:
    body = {"error": {"code": code, "message": "Error executing cmdlet", "details": [{"message": message}]}}
    return Reply(status=status, content=json.dumps(body).encode())


REFUSED: dict[str, tuple[Reply, type[MimappError], str]] = {
    "an error of a cmdlet that comes as 500": (
        refusal(500, "Ex1|Some.ManagementObjectNotFoundException|object 'x' couldn't be found on 'y'."),
        NotFoundError,
        "Ex1",
    ),
    "an inner exception": (
        Reply(
            status=400,
            content=json.dumps(
                {"error": {"message": "outer", "innerError": {"internalException": {"message": "Ex2|A.B|the inner"}}}}
            ).encode(),
        ),
        ServiceError,
        "the inner",
    ),
    "the error's own message": (
        Reply(status=400, content=b'{"error": {"message": "the outer"}}'),
        ServiceError,
        "the outer",
    ),
    "raw text": (Reply(status=400, content=b"something   raw"), ServiceError, "something raw"),
    "a JSON text": (Reply(status=400, content=b'"quoted"'), ServiceError, "quoted"),
    "the header's exception type": (
        Reply(status=400, headers={"x-exceptiontype": "Some.FooExistsException"}, content=b"text"),
        MimappError,
        "FooExistsException",
    ),
    "the header's type beside a text without one": (
        Reply(
            status=400,
            headers={"x-exceptiontype": "UnableToWriteToAadException"},
            content=b'{"error": {"message": "later"}}',
        ),
        ServiceError,
        "UnableToWriteToAadException",
    ),
    "a 500 without words": (Reply(status=500), BusyError, "HTTP 500"),
    "a gateway's page": (Reply(status=502, headers={"content-type": "text/html"}, content=b"<html>"), BusyError, "502"),
    "a proxy's page": (Reply(status=403, content=b"\n<!DOCTYPE html>"), BadReplyError, "a web page (HTTP 403)"),
    "NUL bytes as they are": (Reply(status=403, content=b"\0\0\0"), DeniedError, "does not let this account run"),
    "a reason and a diagnosis": (
        Reply(
            status=403,
            headers={"x-ms-diagnostics": "2000003"},
            content=b'{"error": {"message": "no role"}}',
        ),
        DeniedError,
        "no role (2000003)",
    ),
    "a throttle with a wait": (Reply(status=429, headers={"retry-after": "9"}), BusyError, "429"),
    "a method that is not allowed": (Reply(status=405), ServiceError, "405"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_in_another_form_is_read_too(name: str) -> None:
    reply, kind, words = REFUSED[name]
    exchange, _ = scripted(reply)
    with pytest.raises(kind) as caught:
        exchange.groups.members(GROUP)
    assert words in caught.value.message


def test_a_refusal_says_how_long_to_wait() -> None:
    exchange, _ = scripted(Reply(status=429, headers={"retry-after": "9"}))
    with pytest.raises(BusyError) as caught:
        exchange.groups.members(GROUP)
    assert caught.value.retry_after == 9.0


def test_a_long_text_is_cut() -> None:
    exchange, _ = scripted(Reply(status=400, content=b"x" * 5000))
    with pytest.raises(ServiceError) as caught:
        exchange.groups.members(GROUP)
    assert len(caught.value.message) < 1000
