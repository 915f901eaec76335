"""The application's own sign-in with its client secret, through msal, as MIM Service itself does it.

msal keeps a token request that was answered with 400 and replays the answer for 60 seconds from memory (msal 1.39.0,
throttled_http_client.py), so every try here is a fresh msal application: "is my new secret alive yet?" is asked of
Entra, not of msal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from mimapp.errors import BadReplyError
from mimapp.identity.aadsts import LoginError
from mimapp.identity.adapters import LoginSender, MsalHttp
from mimapp.identity.claims import TokenClaims
from mimapp.identity.options import refuse_secret_id
from mimapp.secret import Secret

if TYPE_CHECKING:
    from mimapp.clouds import Cloud
    from mimapp.transport import Http, Reply, Request

__all__ = ["AppSignIn", "AppToken", "AsApplication", "Refusal", "RefusalKind"]


class RefusalKind(StrEnum):
    """What a refused sign-in of the application means to somebody who has just made it or its secret."""

    WRONG_SECRET = "wrong_secret"  # noqa: S105 - the name of an outcome
    """7000215: wrong, or made moments ago and not on every server yet; it does not mean expired."""
    EXPIRED = "expired"
    """7000222: the secret was right, and its time is over."""
    APP_UNKNOWN = "app_unknown"
    """700016: wrong id or tenant, or made moments ago."""
    PRINCIPAL_MISSING = "principal_missing"
    """7000229: the application is there, its service principal is not, or not yet."""
    BLOCKED = "blocked"
    """A Conditional Access or assignment rule refuses this machine: the secret may be good, here nobody can tell."""
    DISABLED = "disabled"
    """7000112: the application is switched off."""
    TENANT_UNKNOWN = "tenant_unknown"
    """90002: no such tenant in this cloud."""
    TEMPORARY = "temporary"
    """Entra asks to come back later, and the time of the run is over."""
    OTHER = "other"
    """Anything else: read the text."""


_KINDS = {
    "7000215": RefusalKind.WRONG_SECRET,
    "7000222": RefusalKind.EXPIRED,
    "700016": RefusalKind.APP_UNKNOWN,
    "7000229": RefusalKind.PRINCIPAL_MISSING,
    "53000": RefusalKind.BLOCKED,
    "53001": RefusalKind.BLOCKED,
    "53003": RefusalKind.BLOCKED,
    "530032": RefusalKind.BLOCKED,
    "50105": RefusalKind.BLOCKED,
    "7000112": RefusalKind.DISABLED,
    "90002": RefusalKind.TENANT_UNKNOWN,
    "50033": RefusalKind.TEMPORARY,
    "90006": RefusalKind.TEMPORARY,
    "90012": RefusalKind.TEMPORARY,
    "90024": RefusalKind.TEMPORARY,
    "90033": RefusalKind.TEMPORARY,
    "90090": RefusalKind.TEMPORARY,
}
_NOT_REPLICATED = frozenset({RefusalKind.WRONG_SECRET, RefusalKind.APP_UNKNOWN, RefusalKind.PRINCIPAL_MISSING})
_THROTTLED = 429
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class AppToken:
    """A token that the application got with its secret.

    Attributes:
        claims: what it says.
        token: the token itself.
        expires: when it ends, by this machine's clock.
    """

    claims: TokenClaims
    token: Secret
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why the application got no token.

    Attributes:
        kind: what that means.
        code: the AADSTS number without its prefix; empty where Entra gave none.
        text: what Entra said, one line.
        hint: what to do, or None.
        details: the ids that Microsoft's support asks for.
    """

    kind: RefusalKind
    code: str
    text: str
    hint: str | None = None
    details: tuple[str, ...] = ()

    @property
    def may_be_too_early(self) -> bool:
        """Whether a secret or application made moments ago is refused in this way until it is on every server."""
        return self.kind in _NOT_REPLICATED


class AppSignIn:
    """Asks Entra for tokens as the application; safe for several threads."""

    def __init__(self, http: Http, cloud: Cloud) -> None:
        self._http = http
        self._cloud = cloud

    def token(self, tenant_id: str, client_id: str, secret: Secret, scope: str) -> AppToken | Refusal:
        """One try to get a token; the answer is always Entra's own of this moment.

        Args:
            tenant_id: the tenant's GUID.
            client_id: the application's id.
            secret: its client secret.
            scope: what for, such as the cloud's `exchange_scope`.

        Raises:
            UsageError: the secret is a GUID, so it is almost surely the secret's id; nothing was sent.
            TransportError: Entra gave no readable answer.
        """
        refuse_secret_id(secret)
        # Late: msal brings requests, a tenth of a second that most commands never need.
        import msal  # type: ignore[import-untyped]  # noqa: PLC0415 - see above; msal ships no types

        sender = LoginSender(self._http)
        try:
            application = msal.ConfidentialClientApplication(
                client_id,
                client_credential=secret.reveal(),
                authority=self._cloud.authority(tenant_id),
                http_client=MsalHttp(sender),
                # The cloud table is the authority on login hosts; discovery would ask the worldwide cloud's.
                instance_discovery=False,
            )
            answer: object = application.acquire_token_for_client([scope])
        except (msal.exceptions.MsalError, ValueError, KeyError, AttributeError, TypeError) as error:
            # msal drops the body of a refused openid-configuration and of a 5xx; a 200 that is no JSON, or no object,
            # ends here too.
            if sender.refused is None:
                raise BadReplyError(f"{self._cloud.login} sent a sign-in reply that cannot be read") from error
            answer = None
        if isinstance(answer, dict) and isinstance(answer.get("access_token"), str):
            return self._taken(answer["access_token"], answer.get("expires_in"))
        return self._refused(sender)

    def _taken(self, token: str, expires_in: object) -> AppToken:
        seconds = expires_in if isinstance(expires_in, int) else 0
        expires = self._http.clock.now() + timedelta(seconds=seconds)
        return AppToken(claims=TokenClaims.of(token), token=Secret(token), expires=expires)

    def _refused(self, sender: LoginSender) -> Refusal:
        if sender.refused is None:
            raise BadReplyError(f"{self._cloud.login} sent neither a token nor an error")
        said = LoginError.of_reply(sender.refused)
        kind = _KINDS.get(said.code, RefusalKind.OTHER)
        status = sender.refused.status
        if kind is RefusalKind.OTHER and (
            status == _THROTTLED or status >= _SERVER_ERROR or said.error == "temporarily_unavailable"
        ):
            kind = RefusalKind.TEMPORARY
        advice = said.advice
        return Refusal(
            kind=kind, code=said.code, text=said.text, hint=advice.do if advice else None, details=said.details
        )


class AsApplication:
    """Sends requests with a token that the application got."""

    def __init__(self, http: Http, token: Secret) -> None:
        self._http = http
        self._token = token

    def send(self, request: Request) -> Reply:
        """Send a request, once or as often as it may be sent again.

        Raises:
            MimappError: as `Http.send`.
        """
        headers = {**request.headers, "Authorization": f"Bearer {self._token.reveal()}"}
        return self._http.send(replace(request, headers=headers))
