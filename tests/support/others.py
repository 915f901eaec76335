"""What a tenant holds that is none of a registration's: it has to be the same afterwards as it was before."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from support.tenants import Place

_KINDS = (
    "application",
    "servicePrincipal",
    "appRoleAssignment",
    "oauth2PermissionGrant",
    "group",
    "exo.policy",
    "exo.recipient",
    "mailbox",
    "directoryRole",
    "user",
)


def belongings(place: Place) -> dict[str, str]:
    """Every object of the tenant as JSON, by kind and id; the organisation's allow list entry by entry."""
    tenant = place.info.tenant_id
    with place.sandbox.state.transaction(write=False) as tx:
        found = {
            f"{kind} {record.id}": json.dumps(record.body, sort_keys=True)
            for kind in _KINDS
            for record in tx.find(tenant, kind)
        }
        (organization,) = tx.find(tenant, "exo.organization")
    listed = str(organization.body["EwsAllowedAppIDs"] or "").split(",")
    return found | {f"allowed {entry}": "" for entry in listed} | {"switch": str(organization.body["EwsEnabled"])}


def taken_away(before: dict[str, str], after: dict[str, str], *, changes: tuple[str, ...] = ()) -> list[str]:
    """What was there and is gone, or is another thing; without the objects whose ids are in `changes`."""
    return [
        f"{name}: {body[:400]} -> {after.get(name, 'gone')[:400]}"
        for name, body in before.items()
        if after.get(name) != body and not any(name.endswith(id_) for id_ in changes)
    ]
