"""Application permissions that were granted (app role assignments), seen from the client and from the resource.

A grant needs both service principals and a role that the resource has; a second one is refused with 400. Who may grant
roles of Microsoft Graph itself is narrower than who may grant all others [unverified].
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.sandbox import catalog, shapes
from mimapp.sandbox.clock import iso_fraction
from mimapp.sandbox.graph import errors
from mimapp.sandbox.graph.access import ASSIGNMENT_READ, ASSIGNMENT_WRITE, CONSENT_ROLES
from mimapp.sandbox.graph.objects import readable
from mimapp.sandbox.graph.request import GraphRequest, Operation, Reply, collection, created, entity, no_content
from mimapp.sandbox.graph.service_principals import full

if TYPE_CHECKING:
    from mimapp.sandbox.state import Document, Record

__all__ = ["OPERATIONS"]

_KIND = "appRoleAssignment"
_NO_ROLE = "00000000-0000-0000-0000-000000000000"
_SIDES = {"appRoleAssignments": "principalId", "appRoleAssignedTo": "resourceId"}


def _side(request: GraphRequest) -> str:
    """Which of the two lists the path names."""
    path = request.url.partition("?")[0]
    return next(name for name in _SIDES if f"/{name.casefold()}" in path.casefold())


def _list(request: GraphRequest) -> Reply:
    principal = readable(request, "servicePrincipal", request.keys[0])
    found = request.tx.seen_all(request.tenant_id, _KIND, where={_SIDES[_side(request)]: principal.id})
    return collection(request, _name(request, principal), (record.body for record in found))


def _get(request: GraphRequest) -> Reply:
    principal, record = _one(request)
    return entity(request, _name(request, principal), record.body)


def _delete(request: GraphRequest) -> Reply:
    _principal_of_path, record = _one(request)
    request.tx.delete(request.tenant_id, _KIND, record.id)
    return no_content()


def _create(request: GraphRequest) -> Reply:
    side = _side(request)
    owner = readable(request, "servicePrincipal", request.keys[0])
    ids = {name: request.body.get(name) for name in ("principalId", "resourceId", "appRoleId")}
    for name, value in ids.items():
        if not isinstance(value, str):
            raise errors.value_missing(name, "AppRoleAssignment")
    principal = _principal(request, str(ids["principalId"]))
    resource = request.tx.seen(request.tenant_id, "servicePrincipal", str(ids["resourceId"]))
    if principal is None or resource is None or owner.id not in (principal.id, resource.id):
        raise errors.reference_refused()
    if {"principalId": principal.id, "resourceId": resource.id}[_SIDES[side]] != owner.id:
        raise errors.reference_refused()
    role = _role(full(resource.body), str(ids["appRoleId"]))
    if role != _NO_ROLE:
        _check_consent(request, resource)
    if request.tx.find(request.tenant_id, _KIND, principalId=principal.id, resourceId=resource.id, appRoleId=role):
        raise errors.already_assigned()
    body = shapes.app_role_assignment(
        principal=principal.body, resource=resource.body, role_id=role, created=request.tx.now
    )
    request.tx.put(request.tenant_id, _KIND, body["id"], body)
    answer = body | {"createdDateTime": iso_fraction(request.tx.now)}
    return created(request, _name(request, owner), answer)


def _name(request: GraphRequest, principal: Record) -> str:
    return f"servicePrincipals('{principal.id}')/{_side(request)}"


def _one(request: GraphRequest) -> tuple[Record, Record]:
    principal = readable(request, "servicePrincipal", request.keys[0])
    record = readable(request, _KIND, request.keys[1])
    if record.body[_SIDES[_side(request)]] != principal.id:
        raise errors.not_found(request.keys[1].value)
    return principal, record


def _principal(request: GraphRequest, id_: str) -> Record | None:
    kinds = ("servicePrincipal", "user", "group")
    found = (request.tx.seen(request.tenant_id, kind, id_) for kind in kinds)
    return next((record for record in found if record is not None), None)


def _role(resource: Document, role_id: str) -> str:
    roles = [role["id"] for role in resource["appRoles"]]
    if role_id.lower() in roles or (not roles and role_id == _NO_ROLE):
        return role_id.lower()
    raise errors.bad_request(f"Permission being assigned was not found on application '{resource['appId']}'.")


def _check_consent(request: GraphRequest, resource: Record) -> None:
    claims = request.claims
    is_graph = resource.body["appId"] == catalog.GRAPH.app_id
    if is_graph and not claims.is_app_only and not claims.directory_roles & CONSENT_ROLES:
        raise errors.denied()


def _operations(side: str) -> tuple[Operation, ...]:
    base = f"servicePrincipals/{{}}/{side}"
    return (
        Operation(method="GET", template=base, handler=_list, access=ASSIGNMENT_READ, units=2),
        Operation(method="POST", template=base, handler=_create, access=ASSIGNMENT_WRITE),
        Operation(method="GET", template=f"{base}/{{}}", handler=_get, access=ASSIGNMENT_READ, units=2),
        Operation(method="DELETE", template=f"{base}/{{}}", handler=_delete, access=ASSIGNMENT_WRITE),
    )


OPERATIONS = tuple(operation for side in _SIDES for operation in _operations(side))
