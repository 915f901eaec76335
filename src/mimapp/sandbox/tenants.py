"""The tenants of a sandbox: found by id or by any of their domains, and what the services ask about them.

Kinds of document kept here: ``tenant`` (id is the tenant's GUID), ``acceptedDomain`` (id is the domain), ``user`` (a
Graph user, id is its object id), ``mailbox`` (same id as its user), ``directoryRole`` (id is the role template's,
``members`` are the object ids that hold it).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mimapp.sandbox.state import Record, Transaction

__all__ = ["Tenant", "all_tenants", "directory_roles_of", "find_tenant", "find_user"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """One tenant: its GUID, its initial domain and the name people see."""

    id: str
    domain: str
    display_name: str


def find_tenant(tx: Transaction, name: str) -> Tenant | None:
    """The tenant with this GUID or (accepted) domain; case does not matter."""
    for tenant in all_tenants(tx):
        if tenant.id.casefold() == name.casefold() or tx.get(tenant.id, "acceptedDomain", name) is not None:
            return tenant
    return None


def all_tenants(tx: Transaction) -> list[Tenant]:
    """Every tenant of the sandbox."""
    found = []
    for tenant_id in tx.tenants():
        record = tx.get(tenant_id, "tenant", tenant_id)
        if record is not None:
            found.append(
                Tenant(id=record.id, domain=record.body["domain"], display_name=record.body["displayName"]),
            )
    return found


def find_user(tx: Transaction, tenant_id: str, name: str) -> Record | None:
    """The user with this object id or user principal name."""
    found = tx.get(tenant_id, "user", name)
    return found or next(iter(tx.find(tenant_id, "user", userPrincipalName=name)), None)


def directory_roles_of(tx: Transaction, tenant_id: str, object_id: str) -> frozenset[str]:
    """The role template ids that a user or service principal holds."""
    roles = tx.find(tenant_id, "directoryRole")
    return frozenset(role.id for role in roles if object_id in role.body["members"])
