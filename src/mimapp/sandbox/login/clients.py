"""Who asks for a token: an application of the tenant with a secret, or one of Microsoft's public clients.

A secret is checked as Entra does it: by its value alone, whichever credential it belongs to. Only a digest
of it is kept.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.sandbox import catalog
from mimapp.sandbox.clock import parse_iso
from mimapp.sandbox.login import errors

if TYPE_CHECKING:
    from mimapp.sandbox.state import Record, Transaction
    from mimapp.sandbox.tenants import Tenant

__all__ = ["PREAUTHORIZED", "Client", "confidential_client", "public_client", "secret_digest"]

AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
GRAPH_COMMAND_LINE = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
EXCHANGE_POWERSHELL = "fb78d390-0c51-40cd-8e17-fdbfab77341b"

_MICROSOFT_CLIENTS = {
    AZURE_CLI: "Microsoft Azure CLI",
    GRAPH_COMMAND_LINE: "Microsoft Graph Command Line Tools",
    EXCHANGE_POWERSHELL: "Microsoft Exchange REST API Based Powershell",
}
PREAUTHORIZED: dict[tuple[str, str], frozenset[str]] = {
    (AZURE_CLI, catalog.GRAPH.app_id): frozenset(
        {
            "Application.ReadWrite.All",
            "AppRoleAssignment.ReadWrite.All",
            "AuditLog.Read.All",
            "DelegatedPermissionGrant.ReadWrite.All",
            "Directory.AccessAsUser.All",
            "Group.ReadWrite.All",
            "User.ReadWrite.All",
        }
    ),
    (AZURE_CLI, catalog.AZURE_MANAGEMENT.app_id): frozenset({"user_impersonation"}),
    (GRAPH_COMMAND_LINE, catalog.GRAPH.app_id): frozenset({"User.Read"}),
    (EXCHANGE_POWERSHELL, catalog.EXCHANGE.app_id): frozenset({"AdminApi.AccessAsUser.All"}),
}
"""What Microsoft's clients may do without any consent, by (client, service); a pair that is missing is refused with
AADSTS65002. The Azure CLI's scopes are those its Graph tokens hold [unverified]; of the Exchange client's six scopes
only the one that matters is known by name (tiredithumans/azapptoolkit)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A client that has shown what it must show.

    Attributes:
        app_id: its client id.
        name: its display name.
        service_principal: its object in this tenant; None for one of Microsoft's that was never consented to here.
        proof: ``appidacr``: ``0`` public, ``1`` secret, ``2`` certificate.
        is_microsofts: whether it is one of Microsoft's own.
    """

    app_id: str
    name: str
    service_principal: Record | None
    proof: str
    is_microsofts: bool


def secret_digest(secret: str) -> str:
    """What is kept of a secret: it has 40 random characters, so a plain digest cannot be turned back."""
    return hashlib.sha256(secret.encode()).hexdigest()


def confidential_client(tx: Transaction, tenant: Tenant, app_id: str, secret: str | None) -> Client:
    """The application with this id, its secret proven.

    Raises:
        LoginError: it is unknown or disabled, or the secret is missing, wrong, expired or not usable yet.
    """
    app = _application(tx, tenant, app_id)
    if secret is None:
        raise errors.secret_missing()
    _prove(app, secret, tx.now)
    _check_policy(tx, tenant, app_id)
    principal = _service_principal(tx, tenant, app_id)
    if principal is None:
        raise errors.service_principal_missing(app_id, tenant)
    return _own(app, principal, proof="1")


def public_client(tx: Transaction, tenant: Tenant, app_id: str, secret: str | None = None) -> Client:
    """The client of a flow with a person in it; one with a secret must be an application of the tenant.

    Raises:
        LoginError: it is unknown or disabled, or its secret is wrong.
    """
    name = _MICROSOFT_CLIENTS.get(app_id)
    if name is not None:
        principal = _service_principal(tx, tenant, app_id)
        return Client(app_id=app_id, name=name, service_principal=principal, proof="0", is_microsofts=True)
    if secret is not None:
        return confidential_client(tx, tenant, app_id, secret)
    app = _application(tx, tenant, app_id)
    if not app.body["isFallbackPublicClient"]:
        raise errors.LoginError(
            7000218,
            "invalid_client",
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
            status=401,
        )
    principal = _service_principal(tx, tenant, app_id)
    if principal is None:
        raise errors.service_principal_missing(app_id, tenant)
    return _own(app, principal, proof="0")


def _application(tx: Transaction, tenant: Tenant, app_id: str) -> Record:
    found = tx.seen_all(tenant.id, "application", appId=app_id)
    if not found:
        raise errors.application_unknown(app_id, tenant)
    return found[0]


def _service_principal(tx: Transaction, tenant: Tenant, app_id: str) -> Record | None:
    return next(iter(tx.seen_all(tenant.id, "servicePrincipal", appId=app_id)), None)


def _check_policy(tx: Transaction, tenant: Tenant, app_id: str) -> None:
    """Conditional Access comes after the secret was found right, so its refusal proves the secret."""
    settings = tx.get(tenant.id, "login.settings", tenant.id)
    if settings is not None and app_id in settings.body.get("blocked", ()):
        raise errors.blocked_by_policy()


def _own(app: Record, principal: Record, *, proof: str) -> Client:
    app_id, name = app.body["appId"], app.body["displayName"]
    if app.body["isDisabled"] or not principal.body["accountEnabled"]:
        raise errors.application_disabled(app_id, name)
    return Client(app_id=app_id, name=name, service_principal=principal, proof=proof, is_microsofts=False)


def _prove(app: Record, secret: str, now: float) -> None:
    kept = app.body.get("_secrets", {})
    digest = secret_digest(secret)
    expired = False
    for credential in app.body["passwordCredentials"]:
        held = kept.get(credential["keyId"])
        if held is None or not hmac.compare_digest(held["digest"], digest) or now < held["usableFrom"]:
            continue
        if now < parse_iso(credential["endDateTime"]):
            return
        expired = True
    raise errors.secret_expired(app.body["appId"]) if expired else errors.secret_invalid(app.body["appId"])
