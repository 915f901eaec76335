"""What a scope parameter asks for: one of Microsoft's services, and all that is consented or named permissions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.sandbox import catalog
from mimapp.sandbox.login import errors

if TYPE_CHECKING:
    from mimapp.sandbox.catalog import FirstPartyService
    from mimapp.sandbox.tenants import Tenant

__all__ = ["OPENID_SCOPES", "Wanted", "parse"]

OPENID_SCOPES = frozenset({"openid", "profile", "email", "offline_access"})
_DEFAULT = ".default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One service and what is wanted of it.

    Attributes:
        service: whose token.
        names: delegated permissions by name; empty when `everything` is wanted.
        everything: ``.default``: all that is consented.
    """

    service: FirstPartyService
    names: frozenset[str]
    everything: bool


def parse(text: str, *, origin: str, tenant: Tenant, client_credentials: bool) -> Wanted:
    """The scopes of a request.

    A scope is ``{resource}/.default`` (one or two slashes), ``{resource}/{permission}``, or a bare permission of Graph.
    The sandbox's own origin stands for Graph, so that clients which derive the scope from the URL get in.

    Raises:
        LoginError: a scope makes no sense, names an unknown service, or two services are named.
    """
    found: FirstPartyService | None = None
    names: set[str] = set()
    everything = False
    for scope in (part for part in text.split() if part not in OPENID_SCOPES):
        resource, _, permission = scope.rpartition("/")
        if client_credentials and permission != _DEFAULT:
            raise errors.scope_invalid(scope, client_credentials=True)
        service = catalog.GRAPH if not resource else _service(resource.rstrip("/"), origin, tenant)
        if found is not None and service is not found:
            raise errors.scopes_of_two_resources()
        found = service
        if permission == _DEFAULT:
            everything = True
        elif any(known.value == permission for known in service.scopes):
            names.add(permission)
        else:
            raise errors.scope_invalid(scope, client_credentials=False)
    if client_credentials and found is None:
        raise errors.scope_invalid(text, client_credentials=True)
    return Wanted(service=found or catalog.GRAPH, names=frozenset(names), everything=everything)


def _service(resource: str, origin: str, tenant: Tenant) -> FirstPartyService:
    if resource.casefold() == origin.casefold():
        return catalog.GRAPH
    for service in catalog.FIRST_PARTY:
        if resource.casefold() in {service.app_id, *service.resource_uris}:
            return service
    raise errors.resource_unknown(resource, tenant)
