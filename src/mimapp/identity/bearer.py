"""Requests with the operator's token: one token for many requests and threads, fresh when the service asks for it.

Claims challenges: https://learn.microsoft.com/entra/identity-platform/claims-challenge.
"""

from __future__ import annotations

import base64
import binascii
import re
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from mimapp.errors import MimappError, SignInError
from mimapp.identity.claims import Operator, TokenClaims
from mimapp.identity.failures import as_mimapp_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azure.core.credentials import TokenCredential

    from mimapp.transport import Http, Reply, Request

__all__ = ["Bearer", "Closed", "claims_challenge"]

_UNAUTHORIZED = 401
_EARLY = timedelta(minutes=5)
# What azure-identity sends anyway with continuous access evaluation; asked for on purpose it makes the libraries
# leave their cached token alone.
_FRESH = '{"access_token":{"xms_cc":{"values":["CP1"]}}}'
_CLAIMS = re.compile(r'\bclaims="([^"]*)"')


@dataclass(frozen=True, slots=True)
class _Held:
    token: str
    expires: datetime
    claims: TokenClaims

    def __repr__(self) -> str:
        return "_Held(***)"


class Bearer:
    """Sends requests with a token; safe for several threads, of which only one asks for a token at a time.

    Args:
        http: the client of the run.
        credential: who signs in.
        scopes: what the token is asked for with; of one service only.
        tenant_id: the GUID of the tenant that is meant; a token of another is refused before anything is sent.
        what: the service in words, for errors.
    """

    def __init__(
        self,
        http: Http,
        credential: TokenCredential,
        scopes: Sequence[str],
        *,
        tenant_id: str | None = None,
        what: str = "the service",
    ) -> None:
        self._http = http
        self._credential = credential
        self._scopes = tuple(scopes)
        self._tenant_id = tenant_id.lower() if tenant_id else None
        self._what = what
        self._lock = threading.Lock()
        self._held: _Held | None = None
        self._tries = 0
        self._failure: MimappError | None = None

    def send(self, request: Request) -> Reply:
        """Send a request with a token; a 401 is answered once, with the claims asked for or a fresh token.

        Raises:
            SignInError: no token could be had, or it is one of another tenant.
            TransportError: no reply came that could be read.
        """
        held = self._token()
        reply = self._send(request, held)
        if reply.status == _UNAUTHORIZED:
            # Nothing was carried out, so any request may go again.
            claims = claims_challenge(reply.headers.get("www-authenticate", ""))
            try:
                fresh = self._token(instead_of=held, claims=claims or _FRESH)
            except SignInError:
                if claims:
                    raise
                # The service's own "no" says more than that nobody has a newer token (Azure CLI never has).
                return reply
            reply = self._send(request, fresh)
        return reply

    def operator(self) -> Operator:
        """Who signed in, by the token; signs in where nobody has yet.

        Raises:
            SignInError: as `send`.
        """
        return Operator.of(self.claims())

    def claims(self) -> TokenClaims:
        """What the token says; signs in where nobody has yet.

        Raises:
            SignInError: as `send`.
        """
        return self._token().claims

    def _send(self, request: Request, held: _Held) -> Reply:
        headers = {**request.headers, "Authorization": f"Bearer {held.token}"}
        return self._http.send(replace(request, headers=headers))

    def _token(self, *, instead_of: _Held | None = None, claims: str | None = None) -> _Held:
        tries = self._tries
        with self._lock:
            held = self._held
            if held is not None and held is not instead_of and self._is_good(held):
                return held
            if self._failure is not None and self._tries != tries:
                # Somebody else asked while this thread waited, and was refused: a person is not asked twice.
                raise self._failure
            self._failure = None
            try:
                self._held = self._ask(claims)
            except MimappError as error:
                self._failure = error
                raise
            finally:
                self._tries += 1
            return self._held

    def _is_good(self, held: _Held) -> bool:
        return held.expires - _EARLY > self._http.clock.now()

    def _ask(self, claims: str | None) -> _Held:
        wanted = {"claims": claims} if claims else {}
        try:
            given = self._credential.get_token(*self._scopes, enable_cae=True, **wanted)
        except Exception as error:
            raise as_mimapp_error(error, self._what) from error
        held = _Held(given.token, datetime.fromtimestamp(given.expires_on, UTC), TokenClaims.of(given.token))
        tid = held.claims.tid
        if self._tenant_id and tid and tid != self._tenant_id:
            raise SignInError(
                f"the sign-in to {self._what} is of tenant {tid}, and this command is for tenant {self._tenant_id}",
                hint="sign in with an account of the tenant that is meant, or check --tenant",
            )
        return held


class Closed:
    """Stands for a service that this run does not sign in to, and could not: who asks it something is told why.

    Args:
        error: why.
    """

    def __init__(self, error: MimappError) -> None:
        self._error = error

    def send(self, _: Request) -> Reply:
        """Send nothing.

        Raises:
            MimappError: always.
        """
        raise self._error


def claims_challenge(header: str) -> str | None:
    """The claims that a ``WWW-Authenticate`` header asks for, as JSON text, or None."""
    match = _CLAIMS.search(header)
    if match is None:
        return None
    try:
        text = base64.b64decode(match[1] + "=" * (-len(match[1]) % 4), altchars=b"-_").decode()
    except (binascii.Error, ValueError):
        return None
    return text if text.startswith("{") else None
