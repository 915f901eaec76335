"""Who asks for a token: an application of the tenant with a secret or an assertion, or one of Microsoft's clients.

A secret is checked as Entra does it: by its value alone, whichever credential it belongs to. Only a digest
of it is kept. Assertions are proven in `assertions`.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mimapp.sandbox import catalog
from mimapp.sandbox.clock import parse_iso
from mimapp.sandbox.login import errors
from mimapp.sandbox.login.assertions import ASSERTION_TYPE, prove_by_assertion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mimapp.sandbox.state import Record, Transaction
    from mimapp.sandbox.tenants import Tenant

__all__ = [
    "PREAUTHORIZED",
    "Client",
    "Shown",
    "confidential_client",
    "matches_redirect",
    "named_client",
    "public_client",
    "redirect_uris",
    "secret_digest",
]

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
    (AZURE_CLI, catalog.KEY_VAULT.app_id): frozenset({"user_impersonation"}),
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a client shows beside its id.

    Attributes:
        secret: a client secret.
        assertion: a JWT in place of one.
        origin: the origin that the client knows the sandbox by, which an assertion is made for.
    """

    secret: str | None = None
    assertion: str | None = None
    origin: str

    @classmethod
    def of(cls, form: Mapping[str, str], *, origin: str) -> Shown:
        """What a form shows.

        Raises:
            LoginError: an assertion comes without its type.
        """
        assertion = form.get("client_assertion")
        if assertion is not None and form.get("client_assertion_type") != ASSERTION_TYPE:
            raise errors.parameter_missing("client_assertion_type")
        return cls(secret=form.get("client_secret"), assertion=assertion, origin=origin)

    @property
    def is_nothing(self) -> bool:
        """Whether the client shows only its id."""
        return self.secret is None and self.assertion is None


def secret_digest(secret: str) -> str:
    """What is kept of a secret: it has 40 random characters, so a plain digest cannot be turned back."""
    return hashlib.sha256(secret.encode()).hexdigest()


def confidential_client(tx: Transaction, tenant: Tenant, app_id: str, shown: Shown) -> Client:
    """The application with this id, its secret or assertion proven.

    Raises:
        LoginError: it is unknown or disabled, or what it shows is missing, wrong, expired or not usable yet.
    """
    app = _application(tx, tenant, app_id)
    if shown.assertion is not None:
        prove_by_assertion(tx, tenant, app, shown.assertion, origin=shown.origin)
    elif shown.secret is not None:
        _prove(app, shown.secret, tx.now)
    else:
        raise errors.secret_missing()
    _check_policy(tx, tenant, app_id)
    return _own(tx, tenant, app, proof="2" if shown.assertion is not None else "1")


def public_client(tx: Transaction, tenant: Tenant, app_id: str, shown: Shown, *, redirect: str = "") -> Client:
    """The client of a flow with a person in it; one that shows something must be an application of the tenant.

    Args:
        tx: the transaction.
        tenant: the tenant signed in to.
        app_id: the client id.
        shown: what it shows.
        redirect: where the browser was sent back to, in the flow that has one: an address that is registered for
            mobile and desktop applications, or for a single page, is proof enough that the client is public.

    Raises:
        LoginError: it is unknown or disabled, it is no public client, or what it shows is wrong.
    """
    if app_id in _MICROSOFT_CLIENTS:
        if not shown.is_nothing:
            raise errors.client_is_public()
        return named_client(tx, tenant, app_id)
    if not shown.is_nothing:
        return confidential_client(tx, tenant, app_id, shown)
    app = _application(tx, tenant, app_id)
    public = [*app.body["publicClient"]["redirectUris"], *app.body["spa"]["redirectUris"]]
    if not app.body["isFallbackPublicClient"] and not matches_redirect(redirect, public):
        raise errors.LoginError(
            7000218,
            "invalid_client",
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
            status=401,
        )
    return _own(tx, tenant, app, proof="0")


def named_client(tx: Transaction, tenant: Tenant, app_id: str) -> Client:
    """The client that a browser names, which has nothing to show yet.

    Raises:
        LoginError: it is unknown or disabled.
    """
    name = _MICROSOFT_CLIENTS.get(app_id)
    if name is None:
        return _own(tx, tenant, _application(tx, tenant, app_id), proof="0")
    principal = _service_principal(tx, tenant, app_id)
    return Client(app_id=app_id, name=name, service_principal=principal, proof="0", is_microsofts=True)


def redirect_uris(tx: Transaction, tenant: Tenant, app_id: str) -> list[str]:
    """Where a browser may be sent back to.

    Raises:
        LoginError: there is no such application.
    """
    if app_id in _MICROSOFT_CLIENTS:
        # Those of Microsoft's clients that sign in on a desktop (tiredithumans/azapptoolkit; msal, azure-identity).
        return ["http://localhost", "https://login.microsoftonline.com/common/oauth2/nativeclient"]
    body = _application(tx, tenant, app_id).body
    return [uri for kind in ("web", "spa", "publicClient") for uri in body[kind]["redirectUris"]]


def matches_redirect(asked: str, registered: list[str]) -> bool:
    """Whether an address is one of those registered: to the letter, but for the port of this machine.

    "Redirect URI (reply URL) restrictions and limitations", localhost exceptions: the port of ``http://localhost`` is
    not compared. That the path of it is, and that 127.0.0.1 is treated alike, is [unverified].
    """
    return asked in registered or _without_port(asked) in {_without_port(uri) for uri in registered}


def _without_port(uri: str) -> str:
    parts = urlsplit(uri)
    if parts.scheme != "http" or parts.hostname not in {"localhost", "127.0.0.1"}:
        return uri
    return f"http://{parts.hostname}{parts.path.rstrip('/')}?{parts.query}"


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


def _own(tx: Transaction, tenant: Tenant, app: Record, *, proof: str) -> Client:
    app_id, name = app.body["appId"], app.body["displayName"]
    principal = _service_principal(tx, tenant, app_id)
    if principal is None:
        raise errors.service_principal_missing(app_id, tenant)
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
