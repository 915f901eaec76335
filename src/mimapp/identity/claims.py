"""What a token says, read without trusting it: for diagnosis, for the check of the tenant, and for ``whoami``.

The service that takes a token verifies it; here nothing is verified, and a token that is no JWT simply says nothing.
Claims: https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime

__all__ = ["Operator", "TokenClaims"]

_JWT_PARTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenClaims:
    """The claims this product reads; empty or None where the token does not say.

    Attributes:
        aud: for whom the token is: a URL in version 1 tokens, an application id in version 2.
        tid: the tenant's GUID, in lower case.
        app_id: the client application (``appid``, or ``azp`` in version 2 tokens).
        oid: the object id of the user or service principal, in lower case.
        upn: the user's sign-in name (``upn``, else ``preferred_username``, else ``unique_name``).
        roles: application permissions.
        scopes: delegated permissions (``scp``).
        wids: template ids of the directory roles.
        idtyp: ``app`` or ``user`` where the tenant's tokens carry it.
        idp: who authenticated the user, as a URL, where the token says so; it names the user's own tenant.
        expires: when the token ends.
    """

    aud: str = ""
    tid: str = ""
    app_id: str = ""
    oid: str = ""
    upn: str = ""
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    wids: frozenset[str] = frozenset()
    idtyp: str = ""
    idp: str = ""
    expires: datetime | None = None

    @property
    def is_app_only(self) -> bool:
        """Whether an application signed in by itself: such a token has no delegated scope and no user."""
        if self.idtyp:
            return self.idtyp == "app"
        return not self.scopes and not self.upn

    @property
    def is_from_elsewhere(self) -> bool:
        """Whether a person of another tenant signed in: a partner's administrator (GDAP), or a guest.

        ``idp`` differs from the issuer then ("Access token claims reference"); that a partner's token carries it is
        unverified.
        """
        return bool(self.idp) and bool(self.tid) and not self.is_app_only and self.tid not in self.idp.lower()

    @classmethod
    def of(cls, token: str) -> TokenClaims:
        """The claims of a token; all empty where the token is opaque."""
        body = _payload(token)
        return cls(
            aud=_text(body, "aud"),
            tid=_text(body, "tid").lower(),
            app_id=(_text(body, "appid") or _text(body, "azp")).lower(),
            oid=_text(body, "oid").lower(),
            upn=_text(body, "upn") or _text(body, "preferred_username") or _text(body, "unique_name"),
            roles=_texts(body, "roles"),
            scopes=frozenset(_text(body, "scp").split()),
            wids=frozenset(wid.lower() for wid in _texts(body, "wids")),
            idtyp=_text(body, "idtyp"),
            idp=_text(body, "idp"),
            expires=_moment(body, "exp"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Who signed in to one service, and what the token allows there.

    Attributes:
        name: the user's sign-in name, or ``application <id>``; never empty.
        tenant_id: the tenant that issued the token, lower-case GUID; empty for an opaque token.
        oid: the object id of the user or of the service principal; empty for an opaque token.
        app_id: the client application that was used.
        is_app_only: no person is behind it.
        is_from_elsewhere: a person of another tenant is: a partner's administrator, or a guest.
        roles: application permissions.
        scopes: delegated permissions.
        directory_roles: names of the directory roles the token carries, or their template ids where not known here.
        expires: when the token ends, or None.
    """

    name: str
    tenant_id: str
    oid: str
    app_id: str
    is_app_only: bool
    is_from_elsewhere: bool
    roles: frozenset[str]
    scopes: frozenset[str]
    directory_roles: tuple[str, ...]
    expires: datetime | None

    @classmethod
    def of(cls, claims: TokenClaims) -> Operator:
        """The operator that a token speaks of."""
        return cls(
            name=claims.upn or (f"application {claims.app_id}" if claims.app_id else "somebody (an opaque token)"),
            tenant_id=claims.tid,
            oid=claims.oid,
            app_id=claims.app_id,
            is_app_only=claims.is_app_only,
            is_from_elsewhere=claims.is_from_elsewhere,
            roles=claims.roles,
            scopes=claims.scopes,
            directory_roles=tuple(sorted(DIRECTORY_ROLES.get(wid, wid) for wid in claims.wids if wid != _EVERY_USER)),
            expires=claims.expires,
        )


# Template ids: https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference
DIRECTORY_ROLES = {
    "62e90394-69f5-4237-9190-012177145e10": "Global Administrator",
    "e8611ab8-c189-46e8-94e1-60213ab1f814": "Privileged Role Administrator",
    "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3": "Application Administrator",
    "158c047a-c907-4556-b7ef-446551a6b5f7": "Cloud Application Administrator",
    "29232cdf-9323-42fd-ade2-1d097af3e4de": "Exchange Administrator",
    "f2ef992c-3afb-46b9-b7cf-a126ee74c451": "Global Reader",
}
# "wids" of every user's token holds this one; it names no role.
_EVERY_USER = "b79fbf4d-3ef9-4689-8143-76b194e85509"


def _payload(token: str) -> dict[str, object]:
    parts = token.split(".")
    if len(parts) != _JWT_PARTS:
        return {}
    try:
        raw = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        body: object = json.loads(raw)
    except (binascii.Error, ValueError):
        return {}
    return body if isinstance(body, dict) else {}


def _text(body: dict[str, object], name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else ""


def _texts(body: dict[str, object], name: str) -> frozenset[str]:
    value = body.get(name)
    return frozenset(item for item in value if isinstance(item, str)) if isinstance(value, list) else frozenset()


def _moment(body: dict[str, object], name: str) -> datetime | None:
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, OSError, ValueError):
        return None
