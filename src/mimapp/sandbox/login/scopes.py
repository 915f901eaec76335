"""What a scope parameter asks for: one of Microsoft's services, and all that is consented or named permissions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.sandbox import catalog
from mimapp.sandbox.login import errors

if TYPE_CHECKING:
    from mimapp.sandbox.catalog import FirstPartyService
    from mimapp.sandbox.tenants import Tenant

__all__ = ["OPENID_SCOPES", "Wanted", "of_resource", "parse"]

OPENID_SCOPES = frozenset({"openid", "profile", "email", "offline_access"})
_DEFAULT = ".default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One service and what is wanted of it.

    Attributes:
        service: whose token.
        audience: the `aud` of that token: the service's address in the cloud that the scope names.
        names: delegated permissions by name; empty when `everything` is wanted.
        everything: ``.default``: all that is consented.
    """

    service: FirstPartyService
    audience: str
    names: frozenset[str]
    everything: bool


def parse(text: str, *, origin: str, tenant: Tenant, client_credentials: bool) -> Wanted:
    """The scopes of a request.

    A scope is ``{resource}/.default`` (one or two slashes), ``{resource}/{permission}``, or a bare permission of Graph.
    The sandbox's own origin stands for Graph, so that clients which derive the scope from the URL get in. The addresses
    of the national clouds are taken as well, so that one tenant serves the rehearsal of every cloud.

    Raises:
        LoginError: a scope makes no sense, names an unknown service, or two services are named.
    """
    found: FirstPartyService | None = None
    audience = catalog.GRAPH.audience
    names: set[str] = set()
    everything = False
    for scope in (part for part in text.split() if part not in OPENID_SCOPES):
        resource, _, permission = scope.rpartition("/")
        if client_credentials and permission != _DEFAULT:
            raise errors.scope_invalid(scope, client_credentials=True)
        service = _service_of(resource.rstrip("/"), origin=origin, tenant=tenant)
        if found is not None and service is not found:
            raise errors.scopes_of_two_resources()
        found, audience = service, _audience(service, resource.rstrip("/"))
        if permission == _DEFAULT:
            everything = True
        elif any(known.value == permission for known in service.scopes):
            names.add(permission)
        else:
            raise errors.scope_invalid(scope, client_credentials=False)
    if client_credentials and found is None:
        raise errors.scope_invalid(text, client_credentials=True)
    return Wanted(service=found or catalog.GRAPH, audience=audience, names=frozenset(names), everything=everything)


def of_resource(resource: str, *, origin: str, tenant: Tenant) -> Wanted:
    """All that is granted on a service, asked for in the older form: by its address alone.

    Raises:
        LoginError: no service has this address.
    """
    service = _service_of(resource.rstrip("/"), origin=origin, tenant=tenant)
    return Wanted(
        service=service, audience=_audience(service, resource.rstrip("/")), names=frozenset(), everything=True
    )


def _service_of(resource: str, *, origin: str, tenant: Tenant) -> FirstPartyService:
    """The service with this address or application id; Graph for none and for the sandbox's own origin.

    Raises:
        LoginError: there is no such service.
    """
    if resource.casefold() in {"", origin.casefold()}:
        return catalog.GRAPH
    for service in catalog.FIRST_PARTY:
        if resource.casefold() in {service.app_id, *service.resource_uris, *service.national_uris}:
            return service
    raise errors.resource_unknown(resource, tenant)


def _audience(service: FirstPartyService, resource: str) -> str:
    return resource.casefold() if resource.casefold() in service.national_uris else service.audience
