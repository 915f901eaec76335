"""What a refusal of Graph means: its OData error read, and the error of our tree that it becomes.

Both recorded layouts are read (compact JSON, and the pretty-printed one of 2020 without `client-request-id`), as is
an error without a body. It decides nothing about asking again: that is `consistency`.

https://learn.microsoft.com/graph/errors
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from mimapp.errors import BusyError, ConflictError, DeniedError, MimappError, NotFoundError, ServiceError
from mimapp.graph.wire import bad_reply

if TYPE_CHECKING:
    from datetime import datetime

    from mimapp.transport import Reply

__all__ = ["NAME_TAKEN", "ODataError", "Subject", "error_of", "is_success", "read_error"]

#: `explain` of the ConflictError for a `uniqueName` that another application, perhaps a deleted one, has.
NAME_TAKEN = "unique-name-taken"

_OK = 200
_FIRST_REDIRECT = 300
_FIRST_REFUSAL = 400
_UNAUTHORIZED = 401
_FORBIDDEN = 403
_NOT_FOUND = 404
_CONFLICT = 409
_THROTTLED = 429
_FIRST_SERVER_ERROR = 500
_LONGEST_TEXT = 600
_NAME_TAKEN_TEXT = "same value for property uniquename already exists"
_POLICY_SUFFIX = "AsPerAppPolicy"

_KIND = {
    _UNAUTHORIZED: DeniedError,
    _FORBIDDEN: DeniedError,
    _NOT_FOUND: NotFoundError,
    _CONFLICT: ConflictError,
    _THROTTLED: BusyError,
}

# The codes of app management policies: OfficeDev/TeamsFx#10998 and that repository.
_CODE_HINT = {
    "CredentialInvalidLifetimeAsPerAppPolicy": "the tenant's app management policy lets no client secret live so "
    "long: ask for a shorter one with --secret-lifetime, or have the policy's owner exempt this application",
    "CredentialTypeNotAllowedAsPerAppPolicy": "the tenant's app management policy forbids client secrets, and MIM "
    "takes nothing else: its owner has to exempt this application ('mimapp check' prints the exemption)",
    "SignInAudienceNotAllowedAsPerAppPolicy": "the tenant's app management policy forbids this sign-in audience: its "
    "owner has to allow applications of this tenant only (AzureADMyOrg)",
    "InvalidUniqueTenantIdentifierAsPerAppPolicy": "the tenant's app management policy asks for identifier URIs that "
    "hold the tenant: an application for MIM needs no identifier URI",
    "ServiceTreeInvalid": "the tenant does not know this service: give the id of one that it knows with "
    "--service-management-reference",
    "Directory_QuotaExceeded": "the signed-in account may own no more objects (deleted ones count for 30 days): purge "
    "some, or sign in as an administrator",
    "Directory_ConcurrencyViolation": "somebody else writes to the same object: run the same command again",
}
# What a token says of roles is what was so when it was issued; PIM's activation changes the directory, not the token.
_NEW = "; a role that was activated just now needs a new sign-in"
_NAME_TAKEN_HINT = "a deleted application keeps its uniqueName for 30 days: restore it, or delete it for good"
# Asked for in tenants of Microsoft itself: ServiceTreeValueMissing (MicrosoftDocs/msteams-docs#13077,
# microsoft-foundry/foundry-agent-webapp#3), ServiceTreeNullValueError and ServiceTreeInvalid (Azure/azure-dev#5598).
# Older quotations have the words without such a code.
_REFERENCE_CODE = "ServiceTree"
_REFERENCE_TEXT = "servicemanagementreference field is required"


class ErrorDetail(Struct, frozen=True, kw_only=True, rename="camel"):
    """One line of `error.details`, which policy errors have."""

    code: str | None = None
    message: str | None = None
    target: str | None = None


class InnerError(Struct, frozen=True, kw_only=True, rename="camel"):
    """Graph's own ids of the failed request."""

    request_id: str | None = msgspec.field(default=None, name="request-id")


class ODataError(Struct, frozen=True, kw_only=True, rename="camel"):
    """The `error` object of a refusal."""

    code: str | None = None
    message: str | None = None
    target: str | None = None
    details: tuple[ErrorDetail, ...] | None = None
    inner_error: InnerError | None = None

    @property
    def text(self) -> str:
        """The message on one line, cut where somebody else's text would fill a screen."""
        line = " ".join((self.message or "").split())
        return line if len(line) <= _LONGEST_TEXT else f"{line[:_LONGEST_TEXT]}…"


class _Envelope(Struct, frozen=True, kw_only=True, rename="camel"):
    error: ODataError


# Made here, by one thread: see mimapp.transport.models.
_ENVELOPE = msgspec.json.Decoder(_Envelope)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a call is about, for the words of an error.

    Attributes:
        verb: what was asked for, such as ``read``.
        what: of which object, such as ``application mimapp-mimservice``.
        needs: the permission that the call needs at least, as Microsoft names it; empty where a sign-in is enough.
    """

    verb: str
    what: str
    needs: str = ""


def is_success(reply: Reply) -> bool:
    """Whether the status says that the call was carried out."""
    return _OK <= reply.status < _FIRST_REDIRECT


def read_error(reply: Reply) -> ODataError | None:
    """The OData error of a refusal; None when its body is none."""
    try:
        return _ENVELOPE.decode(reply.content).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def error_of(reply: Reply, subject: Subject, now: datetime) -> MimappError:
    """The error that a reply means which is no success.

    A body that cannot be read is a `BadReplyError`, unless the status alone says enough: an empty body, 429 and 5xx,
    which gateways before Graph send too.
    """
    error = read_error(reply)
    says_enough = not reply.content.strip() or reply.status == _THROTTLED or reply.status >= _FIRST_SERVER_ERROR
    if reply.status < _FIRST_REFUSAL or (error is None and not says_enough):
        return bad_reply(reply, subject.what, "it is neither the answer nor an error of Graph")
    error = error or ODataError()
    kind = _kind(reply, error)
    inner = error.inner_error.request_id if error.inner_error is not None else None
    request_id = reply.request_id or inner
    code = error.code or ""
    return kind(
        f"Graph did not {subject.verb} {subject.what}: {error.text or 'it gave no reason'} "
        f"(HTTP {reply.status}{f' {code}' if code else ''}, request id {request_id or 'none'})",
        service="graph",
        status=reply.status,
        code=code,
        request_id=request_id,
        client_request_id=reply.client_request_id,
        retry_after=reply.retry_after(now),
        hint=_hint(kind, reply, error, subject),
        details=[_line(detail) for detail in error.details or ()],
        explain=NAME_TAKEN if _is_name_taken(error) else code or None,
    )


def _kind(reply: Reply, error: ODataError) -> type[ServiceError]:
    if _is_name_taken(error):
        return ConflictError  # Graph answers 400, not 409: byte5ai/omadia#916
    if reply.status >= _FIRST_SERVER_ERROR:
        return BusyError
    return _KIND.get(reply.status, ServiceError)


def _is_name_taken(error: ODataError) -> bool:
    return _NAME_TAKEN_TEXT in error.text.lower()


def _line(detail: ErrorDetail) -> str:
    where = f" ({detail.target})" if detail.target else ""
    return f"{detail.code or 'detail'}{where}: {' '.join((detail.message or '').split())}"


def _hint(kind: type[ServiceError], reply: Reply, error: ODataError, subject: Subject) -> str | None:
    """What to do next: the most telling thing first."""
    code = error.code or ""
    wants_reference = code.startswith(_REFERENCE_CODE) or _REFERENCE_TEXT in error.text.lower()
    lacks_right = kind is DeniedError and bool(subject.needs)
    hints = (
        (_is_name_taken(error), _NAME_TAKEN_HINT),
        (code in _CODE_HINT, _CODE_HINT.get(code)),
        (wants_reference, "this tenant wants applications to name their service: give --service-management-reference"),
        (code.endswith(_POLICY_SUFFIX), "an app management policy forbids it: ask its owner for an exemption"),
        (reply.status == _UNAUTHORIZED, "Graph did not take the token: sign in again, to the tenant that is meant"),
        (lacks_right, f"the sign-in needs {subject.needs}, and a person a directory role that allows it besides{_NEW}"),
        (kind is BusyError, "Graph is busy or not well: run the same command again later"),
    )
    return next((hint for applies, hint in hints if applies), None)
