"""The tokens themselves: claims of an application, claims of a person, and the reply around them.

Both services of the sandbox take v1.0 access tokens, as Graph and Exchange Online do; id tokens are v2.0.
Claim names: "Access token claims reference" and "ID token claims reference", Microsoft identity platform.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from mimapp.sandbox.tenants import directory_roles_of
from mimapp.sandbox.tokens import new_unique_token_id

if TYPE_CHECKING:
    from mimapp.sandbox.app import AppContext
    from mimapp.sandbox.catalog import FirstPartyService
    from mimapp.sandbox.login.clients import Client
    from mimapp.sandbox.login.consent import SignIn
    from mimapp.sandbox.login.scopes import Wanted
    from mimapp.sandbox.state import Document, Record, Transaction
    from mimapp.sandbox.tenants import Tenant

__all__ = ["application_token", "client_info", "id_token", "user_token"]


def application_token(context: AppContext, tx: Transaction, tenant: Tenant, client: Client, wanted: Wanted) -> str:
    """An app-only token; its `roles` are the grants that this request's replica knows, and no others."""
    principal = client.service_principal
    if principal is None:
        raise ValueError("an app-only token needs a service principal")
    claims = _common(context, tenant, client, wanted) | {
        "idtyp": "app",
        "oid": principal.id,
        "sub": principal.id,
        "wids": _directory_roles(tx, tenant, principal.id),
    }
    roles = _granted_roles(tx, tenant, principal, wanted.service)
    if roles:
        claims["roles"] = roles
    return context.tokens.sign(claims)


def user_token(context: AppContext, sign_in: SignIn, scopes: frozenset[str]) -> str:
    """A delegated token with these permissions."""
    user = sign_in.user
    claims = _common(context, sign_in.tenant, sign_in.client, sign_in.wanted) | {
        "acr": "1",
        "amr": ["pwd", "mfa"],
        "idtyp": "user",
        "name": user.body["displayName"],
        "oid": user.id,
        "scp": " ".join(sorted(scopes)),
        "sub": user.id,
        "unique_name": user.body["userPrincipalName"],
        "upn": user.body["userPrincipalName"],
        "wids": _directory_roles(sign_in.tx, sign_in.tenant, user.id),
    }
    return context.tokens.sign(claims)


def id_token(context: AppContext, tenant: Tenant, client: Client, user: Record, *, nonce: str | None = None) -> str:
    """Who signed in, for the client's own eyes; with the nonce that the client asked with."""
    issued, expires = context.tokens.lifetime()
    return context.tokens.sign(
        ({} if nonce is None else {"nonce": nonce})
        | {
            "aud": client.app_id,
            "iss": f"{context.origin}/{tenant.id}/v2.0",
            "iat": issued,
            "nbf": issued,
            "exp": expires,
            "name": user.body["displayName"],
            "oid": user.id,
            "preferred_username": user.body["userPrincipalName"],
            "sub": user.id,
            "tid": tenant.id,
            "uti": new_unique_token_id(),
            "ver": "2.0",
        }
    )


def client_info(tenant: Tenant, user: Record) -> str:
    """The account as msal keeps it: user and tenant, base64url."""
    raw = json.dumps({"uid": user.id, "utid": tenant.id}).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _common(context: AppContext, tenant: Tenant, client: Client, wanted: Wanted) -> Document:
    issued, expires = context.tokens.lifetime()
    return {
        "aud": wanted.audience,
        "iss": f"https://sts.windows.net/{tenant.id}/",
        "iat": issued,
        "nbf": issued,
        "exp": expires,
        "app_displayname": client.name,
        "appid": client.app_id,
        "appidacr": client.proof,
        "idp": f"https://sts.windows.net/{tenant.id}/",
        "tenant_region_scope": "EU",
        "tid": tenant.id,
        "uti": new_unique_token_id(),
        "ver": "1.0",
    }


def _directory_roles(tx: Transaction, tenant: Tenant, object_id: str) -> list[str]:
    return sorted(directory_roles_of(tx, tenant.id, object_id))


def _granted_roles(tx: Transaction, tenant: Tenant, principal: Record, service: FirstPartyService) -> list[str]:
    resources = tx.seen_all(tenant.id, "servicePrincipal", appId=service.app_id)
    names = {role.id: role.value for role in service.roles}
    return sorted(
        {
            names[grant.body["appRoleId"]]
            for resource in resources
            for grant in tx.seen_all(tenant.id, "appRoleAssignment", principalId=principal.id, resourceId=resource.id)
            if grant.body["appRoleId"] in names
        }
    )
