"""App management policies: the tenant's default, those for single applications, and what they forbid of a secret.

Off by default; a policy assigned to the application beats the tenant's; existing secrets are left alone.
Source: "appManagementPolicy resource type" and "tenantAppManagementPolicy resource type", Microsoft Graph v1.0.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from mimapp.sandbox.clock import parse_iso
from mimapp.sandbox.graph import errors
from mimapp.sandbox.graph.access import APPLICATION_READ, POLICY_READ, POLICY_WRITE
from mimapp.sandbox.graph.objects import changeable, new_id, readable
from mimapp.sandbox.graph.properties import without_annotations
from mimapp.sandbox.graph.request import GraphRequest, Operation, Reply, collection, created, entity, no_content

if TYPE_CHECKING:
    from mimapp.sandbox.state import Document

__all__ = ["OPERATIONS", "allow_password"]

_KIND = "appManagementPolicy"
_NAME = "policies/appManagementPolicies"
_DEFAULT_KIND = "defaultAppManagementPolicy"
_DEFAULT_ID = "00000000-0000-0000-0000-000000000000"
_DURATION = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


def allow_password(request: GraphRequest, app: Document, *, start: float, end: float) -> None:
    """Let a new secret of this application through, or not.

    Raises:
        GraphError: the policy that applies forbids secrets, or one that lives so long.
    """
    name, restrictions = _applying(request, app)
    for restriction in restrictions:
        if restriction.get("state", "enabled") != "enabled" or not _covers(restriction, app):
            continue
        kind = restriction.get("restrictionType")
        if kind == "passwordAddition":
            raise errors.credential_type_refused(name)
        limit = restriction.get("maxLifetime")
        if kind == "passwordLifetime" and limit and end - start > _duration(limit).total_seconds():
            raise errors.credential_lifetime_refused(name)


def _applying(request: GraphRequest, app: Document) -> tuple[str, list[Document]]:
    """The name and the password rules of the policy that counts for this application."""
    for policy_id in app.get("_policies", ()):
        policy = request.tx.get(request.tenant_id, _KIND, policy_id)
        if policy is not None and policy.body["isEnabled"]:
            return policy.body["displayName"], (policy.body["restrictions"] or {}).get("passwordCredentials", [])
    default = _default(request)
    if not default["isEnabled"]:
        return default["displayName"], []
    return default["displayName"], default["applicationRestrictions"].get("passwordCredentials", [])


def _covers(restriction: Document, app: Document) -> bool:
    since = restriction.get("restrictForAppsCreatedAfterDateTime")
    return since is None or parse_iso(app["createdDateTime"]) >= parse_iso(since)


def _duration(text: str) -> timedelta:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise errors.bad_request(f"Invalid duration '{text}'.")
    years, months, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=365 * years + 30 * months + days, hours=hours, minutes=minutes, seconds=seconds)


def _default(request: GraphRequest) -> Document:
    kept = request.tx.seen(request.tenant_id, _DEFAULT_KIND, _DEFAULT_ID)
    if kept is not None:
        return kept.body
    return {
        "id": _DEFAULT_ID,
        "deletedDateTime": None,
        "description": "Default tenant policy that enforces app management restrictions on applications and service"
        " principals. To apply policy to targeted resources, create a new policy under appManagementPolicies"
        " collection.",
        "displayName": "Default app management tenant policy",
        "isEnabled": False,
        "applicationRestrictions": {"passwordCredentials": [], "keyCredentials": []},
        "servicePrincipalRestrictions": {"passwordCredentials": [], "keyCredentials": []},
    }


def _get_default(request: GraphRequest) -> Reply:
    return entity(request, "policies/defaultAppManagementPolicy", _default(request))


def _change_default(request: GraphRequest) -> Reply:
    current = _default(request)
    changes = without_annotations(request.body)
    unknown = changes.keys() - (current.keys() - {"id"})
    if unknown:
        raise errors.bad_request(f"Invalid property '{min(unknown)}'.")
    request.tx.put(request.tenant_id, _DEFAULT_KIND, _DEFAULT_ID, current | changes)
    return no_content()


def _list(request: GraphRequest) -> Reply:
    return collection(request, _NAME, (record.body for record in request.tx.seen_all(request.tenant_id, _KIND)))


def _get(request: GraphRequest) -> Reply:
    return entity(request, _NAME, readable(request, _KIND, request.keys[0]).body)


def _create(request: GraphRequest) -> Reply:
    wanted = without_annotations(request.body)
    if not wanted.get("displayName"):
        raise errors.value_missing("displayName", "AppManagementPolicy")
    body = {
        "id": new_id(),
        "deletedDateTime": None,
        "description": wanted.get("description"),
        "displayName": wanted["displayName"],
        "isEnabled": wanted.get("isEnabled", False),
        "restrictions": wanted.get("restrictions") or {"passwordCredentials": [], "keyCredentials": []},
    }
    request.tx.put(request.tenant_id, _KIND, body["id"], body)
    return created(request, _NAME, body)


def _list_of_application(request: GraphRequest) -> Reply:
    app = readable(request, "application", request.keys[0])
    found = (request.tx.seen(request.tenant_id, _KIND, id_) for id_ in app.body.get("_policies", ()))
    return collection(request, "appManagementPolicies", (record.body for record in found if record is not None))


def _assign(request: GraphRequest) -> Reply:
    app = changeable(request, "application", request.keys[0])
    policy_id = str(request.body.get("@odata.id", "")).rsplit("/", 1)[-1]
    if request.tx.get(request.tenant_id, _KIND, policy_id) is None:
        raise errors.not_found(policy_id)
    # An application follows one policy: the last one assigned.
    request.tx.put(request.tenant_id, "application", app.id, app.body | {"_policies": [policy_id]})
    return no_content()


OPERATIONS = (
    Operation(method="GET", template="policies/defaultAppManagementPolicy", handler=_get_default, access=POLICY_READ),
    Operation(
        method="PATCH", template="policies/defaultAppManagementPolicy", handler=_change_default, access=POLICY_WRITE
    ),
    Operation(method="GET", template=_NAME, handler=_list, access=POLICY_READ),
    Operation(method="POST", template=_NAME, handler=_create, access=POLICY_WRITE),
    Operation(method="GET", template=f"{_NAME}/{{}}", handler=_get, access=POLICY_READ),
    Operation(
        method="GET",
        template="applications/{}/appManagementPolicies",
        handler=_list_of_application,
        access=APPLICATION_READ,
    ),
    Operation(
        method="POST", template="applications/{}/appManagementPolicies/$ref", handler=_assign, access=POLICY_WRITE
    ),
)
