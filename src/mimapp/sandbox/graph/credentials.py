"""Client secrets of applications and service principals: made by the service, shown once, kept as a digest.

Values begin with ``sandbox-``, unlike Entra's: a real one's form would trip every leak check that looks for it. The
rest is 43 random characters of base64url.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from mimapp.sandbox.clock import from_epoch, iso, iso_fraction, parse_iso
from mimapp.sandbox.graph import errors, policies
from mimapp.sandbox.graph.access import APPLICATION_WRITE
from mimapp.sandbox.graph.objects import changeable, new_id
from mimapp.sandbox.graph.request import GraphRequest, Operation, Reply, no_content
from mimapp.sandbox.login.clients import secret_digest

if TYPE_CHECKING:
    from mimapp.sandbox.state import Document, Record

__all__ = ["OPERATIONS", "issue_password"]

_PREFIX = "sandbox-"
_HINT_LENGTH = 3
_DEFAULT_YEARS = 2


def issue_password(request: GraphRequest, kind: str, body: Document, wanted: Document) -> tuple[Document, Document]:
    """Add a secret to an object.

    Args:
        request: the call.
        kind: ``application`` or ``servicePrincipal``.
        body: the object's document.
        wanted: the `passwordCredential` that was sent.

    Returns:
        The new document, and the credential with its `secretText`.

    Raises:
        GraphError: a date makes no sense, or an app management policy forbids it.
    """
    now = request.tx.now
    starts = _date(wanted.get("startDateTime"))
    ends = _date(wanted.get("endDateTime"))
    start = now if starts is None else starts
    end = _two_years_after(start) if ends is None else ends
    if end <= start:
        raise errors.bad_request("Credential end date must be after its start date.")
    policies.allow_password(request, body, start=start, end=end)
    text = _PREFIX + secrets.token_urlsafe(32)
    credential: Document = {
        "customKeyIdentifier": None,
        "displayName": wanted.get("displayName"),
        "endDateTime": iso(end) if ends is not None else iso_fraction(end),
        # Recorded: a service principal's secret has no hint.
        "hint": text[:_HINT_LENGTH] if kind == "application" else None,
        "keyId": new_id(),
        "secretText": text,
        "startDateTime": iso(start) if starts is not None else iso_fraction(start),
    }
    kept = body.get("_secrets", {}) | {
        credential["keyId"]: {
            "digest": secret_digest(text),
            "usableFrom": now + request.context.conditions.secret_delay(),
        }
    }
    held = [credential | {"secretText": None}, *body["passwordCredentials"]]
    return body | {"passwordCredentials": held, "_secrets": kept}, credential


def _add(kind: str, request: GraphRequest) -> Reply:
    record = changeable(request, kind, request.keys[0])
    wanted = request.body.get("passwordCredential") or {}
    body, credential = issue_password(request, kind, record.body, wanted)
    request.tx.put(request.tenant_id, kind, record.id, body)
    context = f"{request.metadata}#microsoft.graph.passwordCredential"
    return Reply(status=200, body={"@odata.context": context} | credential)


def _remove(kind: str, request: GraphRequest) -> Reply:
    record = changeable(request, kind, request.keys[0])
    key_id = request.body.get("keyId")
    if not isinstance(key_id, str):
        raise errors.value_missing("keyId", "passwordCredential")
    request.tx.put(request.tenant_id, kind, record.id, _without(record, key_id.lower()))
    return no_content()


def _without(record: Record, key_id: str) -> Document:
    held = record.body["passwordCredentials"]
    left = [credential for credential in held if credential["keyId"].lower() != key_id]
    if len(left) == len(held):
        raise errors.bad_request("No password credential found with keyId.")
    kept = {key: value for key, value in record.body.get("_secrets", {}).items() if key.lower() != key_id}
    return record.body | {"passwordCredentials": left, "_secrets": kept}


def _date(text: object) -> float | None:
    if text is None:
        return None
    try:
        return parse_iso(str(text))
    except ValueError:
        raise errors.GraphError(
            400, "BadRequest", f"Cannot convert the literal '{text}' to the expected type 'Edm.DateTimeOffset'."
        ) from None


def _two_years_after(moment: float) -> float:
    """Entra's default end, on the same day of the year (29 February gives 1 March)."""
    start = from_epoch(moment)
    try:
        return start.replace(year=start.year + _DEFAULT_YEARS).timestamp()
    except ValueError:
        return (start.replace(year=start.year + _DEFAULT_YEARS, day=28) + timedelta(days=1)).timestamp()


def _add_to_application(request: GraphRequest) -> Reply:
    return _add("application", request)


def _remove_from_application(request: GraphRequest) -> Reply:
    return _remove("application", request)


def _add_to_principal(request: GraphRequest) -> Reply:
    return _add("servicePrincipal", request)


def _remove_from_principal(request: GraphRequest) -> Reply:
    return _remove("servicePrincipal", request)


OPERATIONS = (
    Operation(
        method="POST", template="applications/{}/addPassword", handler=_add_to_application, access=APPLICATION_WRITE
    ),
    Operation(
        method="POST",
        template="applications/{}/removePassword",
        handler=_remove_from_application,
        access=APPLICATION_WRITE,
    ),
    Operation(
        method="POST", template="servicePrincipals/{}/addPassword", handler=_add_to_principal, access=APPLICATION_WRITE
    ),
    Operation(
        method="POST",
        template="servicePrincipals/{}/removePassword",
        handler=_remove_from_principal,
        access=APPLICATION_WRITE,
    ),
)
