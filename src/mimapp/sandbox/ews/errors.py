"""How EWS refuses: SOAP faults, errors inside a successful reply, and the 403s that only a header explains.

Texts and headers are those of facts/ews.md 6-8; what they mean to a caller stands there.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from mimapp.sandbox.errors import WireError
from mimapp.sandbox.exchange.access import VerdictKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

__all__ = ["OperationError", "SoapFault", "missing_impersonation", "refused", "server_busy", "unauthorized"]

_DISABLED = "EWS is disabled for this user or tenant"
_BLOCKED = "EWS is blocked by policy for this user or tenant"
_NO_SCOPE = '2000008;reason="The token contains not enough scope to make this call.";error_category="invalid_grant"'


class SoapFault(Exception):  # noqa: N818 - SOAP's own word for it
    """A request that fails as a whole: HTTP 500 with a fault.

    Attributes:
        code: EWS's response code.
        text: its words, in English here and in the mailbox's language in reality.
        values: the members of ``MessageXml``.
    """

    def __init__(self, code: str, text: str, values: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.values = dict(values or {})


class OperationError(Exception):
    """One part of a request that fails: an error message inside HTTP 200."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def refused(kind: VerdictKind, address: str) -> WireError | SoapFault:
    """The refusal that a verdict becomes; 403 and not 401 for a token without rights, where both were seen."""
    if kind is VerdictKind.EWS_DISABLED:
        return _forbidden({"X-EWS-Policy-Reason": _DISABLED})
    if kind is VerdictKind.EWS_BLOCKED:
        return _forbidden({"X-EWS-Policy-Reason": _BLOCKED})
    if kind is VerdictKind.NO_RIGHT:
        return _forbidden({"x-ms-diagnostics": _NO_SCOPE})
    if kind is VerdictKind.POLICY_DENIED:
        # The verbatim answer is not known; exchangelib#1199 and others report a 403 without anything.
        return _forbidden({})
    if kind is VerdictKind.NO_MAILBOX:
        text = "The SMTP address has no mailbox associated with it."
        return SoapFault("ErrorNonExistentMailbox", text, {"SmtpAddress": address})
    # A role that does not reach the mailbox; that EWS words it so is unverified.
    return SoapFault("ErrorAccessDenied", "Access is denied. Check credentials and try again.")


def _forbidden(headers: Mapping[str, str]) -> WireError:
    return WireError(403, headers={"request-id": str(uuid.uuid4()), **headers})


def unauthorized() -> WireError:
    """A token that is refused; that nothing but the challenge comes with it is unverified."""
    challenge = 'Bearer client_id="00000002-0000-0ff1-ce00-000000000000", token_types="app_asserted_user_v1"'
    return WireError(401, headers={"WWW-Authenticate": challenge, "request-id": str(uuid.uuid4())})


def missing_impersonation() -> SoapFault:
    """App-only EWS must impersonate; code and text as several public clients log them."""
    return SoapFault(
        "ErrorInvalidExchangeImpersonationHeaderData",
        "ExchangeImpersonation SOAP header must be present for this type of OAuth token.",
    )


def server_busy(wait: timedelta) -> SoapFault:
    """Throttling (ecederstrand/exchangelib's tests)."""
    return SoapFault(
        "ErrorServerBusy",
        "The server cannot service this request right now. Try again later.",
        {"BackOffMilliseconds": str(round(wait.total_seconds() * 1000))},
    )
