"""The token endpoint's rules, one function a grant: what comes in, who must have said yes, which tokens go out."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.sandbox.login import codes, consent, device, errors, issue, scopes
from mimapp.sandbox.login.clients import Shown, confidential_client, public_client
from mimapp.sandbox.tenants import find_user
from mimapp.sandbox.tokens import SANDBOX_WIDE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mimapp.sandbox.app import AppContext
    from mimapp.sandbox.login.clients import Client
    from mimapp.sandbox.state import Document, Record, Transaction
    from mimapp.sandbox.tenants import Tenant

__all__ = ["GRANTS", "TokenRequest"]

_REFRESH_KIND = "login.refreshToken"
_REFRESH_SECONDS = 90 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """One POST to the token endpoint, inside its transaction."""

    context: AppContext
    tx: Transaction
    tenant: Tenant
    form: Mapping[str, str]

    def required(self, name: str) -> str:
        """A form member that must be there."""
        value = self.form.get(name)
        if not value:
            raise errors.parameter_missing(name)
        return value

    @property
    def shown(self) -> Shown:
        """What the client shows of itself."""
        return Shown.of(self.form, origin=self.context.origin)


def client_credentials(request: TokenRequest) -> Document:
    """An application signs in as itself."""
    wanted = scopes.parse(
        request.required("scope"), origin=request.context.origin, tenant=request.tenant, client_credentials=True
    )
    client = confidential_client(request.tx, request.tenant, request.required("client_id"), request.shown)
    if not request.tx.seen_all(request.tenant.id, "servicePrincipal", appId=wanted.service.app_id):
        raise errors.resource_unknown(wanted.service.audience, request.tenant)
    token = issue.application_token(request.context, request.tx, request.tenant, client, wanted)
    return {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": token}


def device_code(request: TokenRequest) -> Document:
    """A person has entered the code on another device."""
    client = public_client(request.tx, request.tenant, request.required("client_id"), request.shown)
    code = request.form.get("device_code") or request.required("code")
    user, scope = device.redeem(request.tx, request.tenant, client_id=client.app_id, device_code=code)
    return _tokens_for(request, client, user, scope, interactive=True)


def authorization_code(request: TokenRequest) -> Document:
    """A person has signed in in a browser, which brought a code back."""
    redirect_uri = request.required("redirect_uri")
    client = public_client(
        request.tx, request.tenant, request.required("client_id"), request.shown, redirect=redirect_uri
    )
    grant = codes.redeem(
        request.tx,
        request.required("code"),
        tenant_id=request.tenant.id,
        client_id=client.app_id,
        redirect_uri=redirect_uri,
        verifier=request.form.get("code_verifier"),
    )
    user = find_user(request.tx, request.tenant.id, grant.user_id)
    if user is None:
        raise errors.refresh_token_invalid()
    # Consent was given in the browser; here nobody can be asked.
    scope = request.form.get("scope") or grant.scope
    return _tokens_for(request, client, user, scope, interactive=False, nonce=grant.nonce)


def refresh_token(request: TokenRequest) -> Document:
    """The same person goes on, perhaps with another service; nobody is asked."""
    client = public_client(request.tx, request.tenant, request.required("client_id"), request.shown)
    kept = request.tx.get(SANDBOX_WIDE, _REFRESH_KIND, _digest(request.required("refresh_token")))
    is_good = (
        kept is not None and kept.body["clientId"] == client.app_id and request.tx.now < kept.created + _REFRESH_SECONDS
    )
    user = find_user(request.tx, request.tenant.id, kept.body["user"]) if kept is not None and is_good else None
    if user is None:
        raise errors.refresh_token_invalid()
    return _tokens_for(request, client, user, request.required("scope"), interactive=False)


GRANTS: dict[str, Callable[[TokenRequest], Document]] = {
    "authorization_code": authorization_code,
    "client_credentials": client_credentials,
    "urn:ietf:params:oauth:grant-type:device_code": device_code,
    "device_code": device_code,
    "refresh_token": refresh_token,
}
"""The grants that the token endpoint knows, by `grant_type`."""


def _tokens_for(
    request: TokenRequest, client: Client, user: Record, scope: str, *, interactive: bool, nonce: str | None = None
) -> Document:
    tx, tenant, context = request.tx, request.tenant, request.context
    wanted = scopes.parse(scope, origin=context.origin, tenant=tenant, client_credentials=False)
    sign_in = consent.SignIn(tx=tx, tenant=tenant, client=client, user=user, wanted=wanted, interactive=interactive)
    granted = consent.delegated_scopes(sign_in)
    shown = sorted(f"{wanted.audience}/{name}" for name in granted)
    refresh = f"sandbox-refresh-{secrets.token_urlsafe(48)}"
    tx.put(SANDBOX_WIDE, _REFRESH_KIND, _digest(refresh), {"clientId": client.app_id, "user": user.id}, settled=True)
    return {
        "token_type": "Bearer",
        "scope": " ".join(shown),
        "expires_in": 3599,
        "ext_expires_in": 3599,
        "access_token": issue.user_token(context, sign_in, granted),
        "refresh_token": refresh,
        "id_token": issue.id_token(context, tenant, client, user, nonce=nonce),
        "client_info": issue.client_info(tenant, user),
    }


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
