"""Replies of InvokeCommand: annotated JSON, pages, errors, and the odd forms that clients have to survive.

Headers, `@odata.context` and the type annotations follow a recorded reply of Get-Mailbox (2024-05); error bodies follow
Microsoft365DSC/Microsoft365DSC#2998 (facts/exchange.md 4).
"""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from mimapp.sandbox.errors import WireError, json_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mimapp.sandbox.exchange.call import Row
    from mimapp.sandbox.exchange.errors import CmdletError

__all__ = [
    "JSON_TYPE",
    "bad_request",
    "cmdlet_failed",
    "collection",
    "empty_forbidden",
    "next_token",
    "nul_forbidden",
    "rate_headers",
    "read_token",
    "select",
    "throttled",
    "unauthorized",
    "wire_value",
]

JSON_TYPE = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
LINK_LIFETIME = timedelta(minutes=5)
"""A page link lives 5 to 10 minutes; the sandbox takes the shorter time."""
_RATE_LIMIT = 30_000
_NUL_BYTES = 64
_STACK = (
    "   at Microsoft.Exchange.AdminApi.CommandInvocation.CommandInvocation.InvokeCommand(QueryContext queryContext, "
    "CmdletInvokeInputType cmdletInvokeInputType)"
)


def collection(
    rows: Sequence[Row], *, context_url: str, warnings: Sequence[str] = (), next_link: str | None = None
) -> bytes:
    """The body of a successful call."""
    body: dict[str, object] = {
        "@odata.context": context_url,
        "adminapi.warnings@odata.type": "#Collection(String)",
        "@adminapi.warnings": list(warnings),
    }
    if next_link is not None:
        body["@odata.nextLink"] = next_link
    body["value"] = [_annotated(row) for row in rows]
    return json_bytes(body)


def select(rows: Iterable[Row], wanted: str | None) -> list[Row]:
    """The rows with only the properties that ``$select`` names; unknown names are ignored (unverified)."""
    if not wanted:
        return list(rows)
    names = {name.strip().casefold() for name in wanted.split(",")}
    return [{name: value for name, value in row.items() if name.casefold() in names} for row in rows]


def _annotated(row: Row) -> dict[str, object]:
    """The members of a row, each after the annotations of its type."""
    members: dict[str, object] = {}
    for name, value in row.items():
        for annotation, type_name in _types(value):
            members[f"{name}@{annotation}"] = type_name
        members[name] = wire_value(value)
    return members


def _types(value: object) -> tuple[tuple[str, str], ...]:
    if isinstance(value, uuid.UUID):
        return (("data.type", "System.Guid"), ("odata.type", "#Guid"))
    if isinstance(value, datetime):
        return (("data.type", "System.DateTime"),)
    if isinstance(value, tuple):
        return (("odata.type", "#Collection(String)"),)
    return ()


def wire_value(value: object) -> object:
    """A property's value as JSON."""
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.0000000+00:00")
    if isinstance(value, tuple):
        return list(value)
    return value


# Pages


def next_token(offset: int, *, body: bytes, now: datetime) -> str:
    """The ``$skiptoken`` of the page that starts at `offset`; it is bound to the request's body and to its time."""
    parts = {"offset": offset, "body": _digest(body), "made": now.timestamp()}
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def read_token(token: str, *, body: bytes, now: datetime) -> int:
    """The offset of a page.

    Raises:
        WireError: the link is made up, too old, or posted with another body; how Exchange says so is unverified.
    """
    try:
        parts = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        offset, digest, made = int(parts["offset"]), str(parts["body"]), float(parts["made"])
    except (ValueError, KeyError, TypeError):
        raise bad_request("The skip token is invalid.") from None
    if digest != _digest(body) or now.timestamp() > made + LINK_LIFETIME.total_seconds():
        raise bad_request("The skip token is invalid or has expired.")
    return offset


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:16]


# Errors


def cmdlet_failed(error: CmdletError) -> WireError:
    """A cmdlet's error as the service wraps it."""
    return _error(error.status, error.code, "Error executing cmdlet", error.detail)


def bad_request(text: str) -> WireError:
    """A request that is no cmdlet call; its wording is unverified."""
    return _error(400, "BadRequest", text, "")


def _error(status: int, code: str, message: str, detail: str) -> WireError:
    details = [{"code": "Context", "target": "", "message": detail}] if detail else []
    error = {
        "code": code,
        "message": message,
        "details": details,
        "innererror": {
            "message": message,
            "type": "Microsoft.Exchange.Admin.OData.Core.ODataServiceException",
            "stacktrace": _STACK,
        },
    }
    body = {
        "error": error,
        "adminapi.warnings@odata.type": "#Collection(String)",
        "@adminapi.warnings": [],
    }
    headers = {"request-id": str(uuid.uuid4())}
    parts = detail.split("|", 2)
    if len(parts) == 3 and parts[1]:  # noqa: PLR2004 - id, type and text
        headers["X-ExceptionType"] = parts[1].rpartition(".")[2]
    return WireError(status, json_bytes(body), content_type=JSON_TYPE, headers=headers)


def unauthorized(reason: str) -> WireError:
    """A token that is refused; the challenge's form is unverified."""
    challenge = f'Bearer client_id="00000002-0000-0ff1-ce00-000000000000", error="invalid_token", reason="{reason}"'
    return WireError(401, headers={"WWW-Authenticate": challenge, "request-id": str(uuid.uuid4())})


def empty_forbidden() -> WireError:
    """403 without body or diagnostics: the wrong kind of token, or a role that has not spread (facts/exchange.md 4)."""
    return WireError(403, headers={"request-id": str(uuid.uuid4())})


def nul_forbidden() -> WireError:
    """403 whose body of NUL bytes claims to be gzip: an unknown cmdlet, or one that this caller may not run."""
    headers = {"Content-Encoding": "gzip", "request-id": str(uuid.uuid4())}
    return WireError(403, b"\0" * _NUL_BYTES, content_type="application/json", headers=headers)


def throttled(wait: timedelta | None, now: datetime) -> WireError:
    """429 in plain text (facts/exchange.md 4); Retry-After only where the weather gives a time."""
    headers = {**rate_headers(now + (wait or timedelta(seconds=30)), remaining=0), "request-id": str(uuid.uuid4())}
    if wait is not None:
        headers["Retry-After"] = str(max(1, round(wait.total_seconds())))
    text = "You have reached the maximum number of concurrent requests per tenant. Please wait and try again"
    return WireError(429, text.encode(), content_type="text/plain; charset=utf-8", headers=headers)


def rate_headers(reset: datetime, *, remaining: int = _RATE_LIMIT - 1) -> Mapping[str, str]:
    """The Rate-Limit headers that every reply has."""
    return {
        "Rate-Limit-Limit": str(_RATE_LIMIT),
        "Rate-Limit-Remaining": str(remaining),
        "Rate-Limit-Reset": reset.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
    }
