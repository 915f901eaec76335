"""Which delegated permissions a token carries: what is consented, and what an administrator consents to on the way."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.sandbox import catalog, shapes
from mimapp.sandbox.directory_roles import GLOBAL_ADMINISTRATOR
from mimapp.sandbox.login import errors
from mimapp.sandbox.login.clients import PREAUTHORIZED
from mimapp.sandbox.tenants import directory_roles_of

if TYPE_CHECKING:
    from mimapp.sandbox.login.clients import Client
    from mimapp.sandbox.login.scopes import Wanted
    from mimapp.sandbox.state import Record, Transaction
    from mimapp.sandbox.tenants import Tenant

__all__ = ["SignIn", "delegated_scopes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A person signing in to a client, inside one transaction.

    Attributes:
        tx: the transaction; a consent is written through it and stays in the tenant.
        tenant: the tenant signed in to.
        client: who asks.
        user: who signs in.
        wanted: the service and the permissions.
        interactive: whether the person is there to be asked; a refresh token asks nobody.
    """

    tx: Transaction
    tenant: Tenant
    client: Client
    user: Record
    wanted: Wanted
    interactive: bool


def delegated_scopes(sign_in: SignIn) -> frozenset[str]:
    """The `scp` of a token, consenting on the way where the person may and is asked.

    Raises:
        LoginError: the pair of client and service is refused, or consent is missing.
    """
    client, wanted = sign_in.client, sign_in.wanted
    granted = PREAUTHORIZED.get((client.app_id, wanted.service.app_id), frozenset())
    if client.is_microsofts and not granted:
        raise errors.not_preauthorized(client.app_id, wanted.service.app_id)
    resource = _resource(sign_in)
    held = granted | _consented(sign_in, resource)
    missing = wanted.names - held
    if missing:
        # AdminApi.AccessAsUser.All can be given to Microsoft's own client only (tiredithumans/azapptoolkit).
        is_closed = "AdminApi.AccessAsUser.All" in missing
        roles = directory_roles_of(sign_in.tx, sign_in.tenant.id, sign_in.user.id)
        if not sign_in.interactive or GLOBAL_ADMINISTRATOR not in roles or is_closed:
            raise errors.consent_missing(client.app_id, client.name)
        _consent(sign_in, resource, missing)
    scopes = held | missing
    if not scopes:
        raise errors.consent_missing(client.app_id, client.name)
    return scopes


def _resource(sign_in: SignIn) -> Record:
    service = sign_in.wanted.service
    found = sign_in.tx.seen_all(sign_in.tenant.id, "servicePrincipal", appId=service.app_id)
    if not found:
        raise errors.resource_unknown(service.audience, sign_in.tenant)
    return found[0]


def _consented(sign_in: SignIn, resource: Record) -> frozenset[str]:
    principal = sign_in.client.service_principal
    if principal is None:
        return frozenset()
    grants = sign_in.tx.seen_all(
        sign_in.tenant.id, "oauth2PermissionGrant", clientId=principal.id, resourceId=resource.id
    )
    mine = (grant.body["scope"].split() for grant in grants if grant.body["principalId"] in (None, sign_in.user.id))
    return frozenset(scope for part in mine for scope in part)


def _consent(sign_in: SignIn, resource: Record, missing: frozenset[str]) -> None:
    tx, tenant, client = sign_in.tx, sign_in.tenant, sign_in.client
    client_id = client.service_principal.id if client.service_principal else _install(sign_in)
    body = shapes.permission_grant(
        client_id=client_id, resource_id=resource.id, principal_id=sign_in.user.id, scope=None
    )
    own = tx.get(tenant.id, "oauth2PermissionGrant", body["id"])
    held = own.body["scope"].split() if own is not None else []
    body["scope"] = " ".join(sorted({*held, *missing}))
    tx.put(tenant.id, "oauth2PermissionGrant", body["id"], body)


def _install(sign_in: SignIn) -> str:
    """The first consent to one of Microsoft's clients leaves its service principal in the tenant."""
    id_ = str(uuid.uuid4())
    body = shapes.service_principal(
        id_=id_,
        app_id=sign_in.client.app_id,
        name=sign_in.client.name,
        owner_tenant=catalog.MICROSOFT_TENANT_ID,
        created=sign_in.tx.now,
    )
    body["signInAudience"] = "AzureADandPersonalMicrosoftAccount"
    sign_in.tx.put(sign_in.tenant.id, "servicePrincipal", id_, body)
    return id_
