"""The admin consent page: an administrator grants what an application asks for, and the browser goes back to it.

Forms of request and answer: "Admin consent on the Microsoft identity platform" (v2.0) and, for the older page without
``v2.0`` in its path, Microsoft Graph's "Get access without a user". The newer page says ``admin_consent=True`` beside
the ``error`` of a refused consent as well.

Nobody has to click here: the tenant's administrator says yes, or no where `login.settings` hold ``declinesConsent``.
What a real page shows where it cannot go back (status and order of its checks) is [unverified], and so is whether the
newer page grants more than what is asked of the service in its ``scope``.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from mimapp.sandbox import catalog, shapes
from mimapp.sandbox.login import errors, scopes
from mimapp.sandbox.login.errors import LoginError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mimapp.sandbox.state import Document, Record, Transaction
    from mimapp.sandbox.tenants import Tenant

__all__ = ["ConsentRequest", "answer"]

#: As the older page was answered in a public thread (learn.microsoft.com/answers/questions/2237594).
_DECLINED = "AADSTS65004: User declined to consent to access the app."


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRequest:
    """A browser that opens the page.

    Attributes:
        tx: the transaction; what is granted is written through it.
        tenant: the tenant that consents.
        named: how the path names the tenant.
        is_v2: whether the path has ``v2.0``.
        query: the parameters.
        origin: scheme, host and port of the sandbox.
    """

    tx: Transaction
    tenant: Tenant
    named: str
    is_v2: bool
    query: Mapping[str, str]
    origin: str

    def required(self, name: str) -> str:
        """A parameter that must be there.

        Raises:
            LoginError: it is not.
        """
        value = self.query.get(name)
        if not value:
            raise errors.parameter_missing(name)
        return value


def answer(request: ConsentRequest) -> str | None:
    """Where the browser is sent; None where the application has no address to go back to.

    Raises:
        LoginError: the page itself says what is wrong, and the browser goes nowhere.
    """
    if request.is_v2 and request.named.casefold() == "common":
        raise LoginError(900144, "invalid_request", "The 'common' endpoint cannot be used for admin consent.")
    app = _application(request)
    back = _redirect_uri(request, app.body)
    only = None
    if request.is_v2:
        wanted = scopes.parse(
            request.required("scope"), origin=request.origin, tenant=request.tenant, client_credentials=False
        )
        only = wanted.service.app_id
    settings = request.tx.get(request.tenant.id, "login.settings", request.tenant.id)
    declines = settings is not None and bool(settings.body.get("declinesConsent"))
    if not declines:
        _grant(request, app.body, only)
    if back is None:
        return None
    return f"{back}?{urlencode(dict(_fields(request, declines=declines)), quote_via=quote)}"


def _fields(request: ConsentRequest, *, declines: bool) -> Iterator[tuple[str, str]]:
    if declines:
        yield from (("error", "access_denied"), ("error_subcode", "cancel"), ("error_description", _DECLINED))
    if request.is_v2 or not declines:
        yield from (("admin_consent", "True"), ("tenant", request.tenant.id))
    if request.is_v2 and not declines:
        yield "scope", request.query["scope"]
    if "state" in request.query:
        yield "state", request.query["state"]


def _application(request: ConsentRequest) -> Record:
    app_id = request.required("client_id")
    found = request.tx.seen_all(request.tenant.id, "application", appId=app_id)
    if not found:
        raise errors.application_unknown(app_id, request.tenant)
    return found[0]


def _redirect_uri(request: ConsentRequest, app: Document) -> str | None:
    """The address that was asked for, which has to be registered to the letter; else the first that is registered."""
    registered: list[str] = [uri for kind in ("web", "spa", "publicClient") for uri in app[kind]["redirectUris"]]
    asked = request.query.get("redirect_uri")
    if asked is None:
        return registered[0] if registered else None
    if asked not in registered:
        raise LoginError(
            50011,
            "invalid_request",
            f"The redirect URI '{asked}' specified in the request does not match the redirect URIs configured for the"
            f" application '{app['appId']}'.",
        )
    return asked


def _grant(request: ConsentRequest, app: Document, only: str | None) -> None:
    """Everything that the application asks for, or what it asks of one service."""
    principal = _principal(request, app)
    for resource in app["requiredResourceAccess"]:
        service = catalog.first_party(resource["resourceAppId"])
        if service is None or only not in {None, service.app_id}:
            continue
        target = request.tx.find(request.tenant.id, "servicePrincipal", appId=service.app_id)[0].body
        asked = {access["id"] for access in resource["resourceAccess"]}
        for role in service.roles:
            if role.id in asked:
                _grant_role(request, principal, target, role.id)
        names = [scope.value for scope in service.scopes if scope.id in asked]
        if names:
            _grant_scopes(request, principal, target, names)


def _grant_role(request: ConsentRequest, principal: Document, resource: Document, role_id: str) -> None:
    tx, tenant = request.tx, request.tenant
    held = tx.find(
        tenant.id, "appRoleAssignment", principalId=principal["id"], resourceId=resource["id"], appRoleId=role_id
    )
    if not held:
        body = shapes.app_role_assignment(principal=principal, resource=resource, role_id=role_id, created=tx.now)
        tx.put(tenant.id, "appRoleAssignment", body["id"], body)


def _grant_scopes(request: ConsentRequest, principal: Document, resource: Document, names: list[str]) -> None:
    tx, tenant = request.tx, request.tenant
    body = shapes.permission_grant(client_id=principal["id"], resource_id=resource["id"], principal_id=None, scope=None)
    own = tx.get(tenant.id, "oauth2PermissionGrant", body["id"])
    held = own.body["scope"].split() if own is not None else []
    body["scope"] = " ".join(dict.fromkeys([*held, *names]))
    tx.put(tenant.id, "oauth2PermissionGrant", body["id"], body)


def _principal(request: ConsentRequest, app: Document) -> Document:
    """The application's service principal; consent makes it where it is missing."""
    found = request.tx.find(request.tenant.id, "servicePrincipal", appId=app["appId"])
    if found:
        return found[0].body
    body = shapes.service_principal(
        id_=str(uuid.uuid4()),
        app_id=app["appId"],
        name=app["displayName"],
        owner_tenant=request.tenant.id,
        created=request.tx.now,
    )
    request.tx.put(request.tenant.id, "servicePrincipal", body["id"], body)
    return body
