"""Authorization codes: what a browser brings back from the sign-in page, and an application turns into tokens once.

Kind of document: ``login.authorizationCode``, sandbox-wide. "Microsoft identity platform and OAuth 2.0 authorization
code flow" says what a code is bound to (client, redirect address, PKCE challenge) and that it lasts about ten minutes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from mimapp.sandbox.login.errors import LoginError
from mimapp.sandbox.tokens import SANDBOX_WIDE

if TYPE_CHECKING:
    from mimapp.sandbox.state import Transaction

__all__ = ["CodeGrant", "check_challenge", "issue", "redeem"]

_KIND = "login.authorizationCode"
_LIFETIME_SECONDS = 600
_CHALLENGE_LENGTHS = range(43, 129)
_METHODS = frozenset({"plain", "S256"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeGrant:
    """What a person said yes to.

    Attributes:
        tenant_id: where the person signed in.
        client_id: the client that asked.
        redirect_uri: where the browser was sent.
        scope: what was asked for.
        user_id: the object id of the person.
        nonce: what the id token has to repeat, None when nothing was asked.
        challenge: the PKCE challenge, None when the client sent none.
        method: ``S256`` or ``plain``.
    """

    tenant_id: str
    client_id: str
    redirect_uri: str
    scope: str
    user_id: str
    nonce: str | None
    challenge: str | None
    method: str


def check_challenge(challenge: str | None, method: str) -> None:
    """See that a challenge can be answered.

    Raises:
        LoginError: its method or size is none that RFC 7636 knows.
    """
    if method not in _METHODS:
        raise LoginError(50149, "invalid_request", "Invalid Code_Challenge_method parameter.")
    if challenge is not None and len(challenge) not in _CHALLENGE_LENGTHS:
        raise LoginError(501491, "invalid_request", "Invalid size of Code_Challenge parameter.")


def issue(tx: Transaction, grant: CodeGrant) -> str:
    """A code for this grant."""
    code = f"sandbox-code-{secrets.token_urlsafe(48)}"
    body = asdict(grant) | {"expires": tx.now + _LIFETIME_SECONDS, "redeemed": False}
    tx.put(SANDBOX_WIDE, _KIND, _digest(code), body, settled=True)
    return code


def redeem(
    tx: Transaction, code: str, *, tenant_id: str, client_id: str, redirect_uri: str, verifier: str | None
) -> CodeGrant:
    """The grant behind a code, which is used up by this.

    Raises:
        LoginError: the code is unknown, old, used or another's (client or tenant), or the verifier is not its own.
    """
    found = tx.get(SANDBOX_WIDE, _KIND, _digest(code))
    is_theirs = (
        found is not None
        and found.body["client_id"].casefold() == client_id.casefold()
        and found.body["tenant_id"] == tenant_id
    )
    if found is None or not is_theirs:
        raise LoginError(70000, "invalid_grant", "The provided value for the input parameter 'code' is not valid.")
    body = dict(found.body)
    expires, redeemed = body.pop("expires"), body.pop("redeemed")
    if redeemed:
        # Text: AzureAD/microsoft-identity-web#2612.
        raise LoginError(
            54005,
            "invalid_grant",
            "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing"
            " refresh token.",
        )
    if tx.now >= expires:
        raise LoginError(
            70008,
            "invalid_grant",
            "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive"
            " authorization request for this user and resource.",
        )
    grant = CodeGrant(**body)
    if redirect_uri != grant.redirect_uri:
        raise LoginError(
            500112,
            "invalid_client",
            f"The reply address '{redirect_uri}' does not match the reply address '{grant.redirect_uri}' provided when"
            " requesting Authorization code.",
        )
    _check_verifier(grant, verifier)
    tx.put(SANDBOX_WIDE, _KIND, found.id, found.body | {"redeemed": True}, settled=True)
    return grant


def _check_verifier(grant: CodeGrant, verifier: str | None) -> None:
    if grant.challenge is None:
        return
    if verifier is None:
        # pennersr/django-allauth#2916: a client that sent no verifier.
        raise LoginError(
            50148,
            "invalid_grant",
            "The code_verifier does not match the code_challenge supplied in the authorization request for PKCE.",
        )
    answered = verifier if grant.method == "plain" else _s256(verifier)
    if not hmac.compare_digest(answered.encode(), grant.challenge.encode()):
        raise LoginError(
            501481,
            "invalid_grant",
            "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
        )


def _s256(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
