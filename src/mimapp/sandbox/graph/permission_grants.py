"""Delegated permissions that were consented to (`oauth2PermissionGrants`)."""

from __future__ import annotations

from mimapp.sandbox import shapes
from mimapp.sandbox.graph import errors
from mimapp.sandbox.graph.access import GRANT_READ, GRANT_WRITE
from mimapp.sandbox.graph.objects import readable
from mimapp.sandbox.graph.request import GraphRequest, Operation, Reply, collection, created, entity, no_content

__all__ = ["OPERATIONS"]

_KIND = "oauth2PermissionGrant"
_NAME = "oauth2PermissionGrants"


def _list(request: GraphRequest) -> Reply:
    return collection(request, _NAME, (record.body for record in request.tx.seen_all(request.tenant_id, _KIND)))


def _list_of_client(request: GraphRequest) -> Reply:
    client = readable(request, "servicePrincipal", request.keys[0])
    found = request.tx.seen_all(request.tenant_id, _KIND, clientId=client.id)
    return collection(request, _NAME, (record.body for record in found))


def _get(request: GraphRequest) -> Reply:
    return entity(request, _NAME, readable(request, _KIND, request.keys[0]).body)


def _create(request: GraphRequest) -> Reply:
    body = request.body
    for name in ("clientId", "resourceId", "consentType"):
        if not isinstance(body.get(name), str):
            raise errors.value_missing(name, "OAuth2PermissionGrant")
    for name in ("clientId", "resourceId"):
        if request.tx.seen(request.tenant_id, "servicePrincipal", body[name]) is None:
            raise errors.not_found(body[name])
    if body.get("principalId") and request.tx.seen(request.tenant_id, "user", str(body["principalId"])) is None:
        raise errors.not_found(str(body["principalId"]))
    is_for_all = body["consentType"] == "AllPrincipals"
    if is_for_all == bool(body.get("principalId")):
        raise errors.bad_request("Invalid principalId for the consentType specified.")
    document = shapes.permission_grant(
        client_id=body["clientId"].lower(),
        resource_id=body["resourceId"].lower(),
        principal_id=body.get("principalId"),
        scope=body.get("scope"),
    )
    if request.tx.get(request.tenant_id, _KIND, document["id"]) is not None:
        raise errors.grant_exists()
    request.tx.put(request.tenant_id, _KIND, document["id"], document)
    return created(request, _NAME, document)


def _change(request: GraphRequest) -> Reply:
    record = readable(request, _KIND, request.keys[0])
    unknown = request.body.keys() - {"scope"}
    if unknown:
        raise errors.read_only(min(unknown))
    request.tx.put(request.tenant_id, _KIND, record.id, record.body | {"scope": request.body.get("scope")})
    return no_content()


def _delete(request: GraphRequest) -> Reply:
    record = readable(request, _KIND, request.keys[0])
    request.tx.delete(request.tenant_id, _KIND, record.id)
    return no_content()


OPERATIONS = (
    Operation(method="GET", template=_NAME, handler=_list, access=GRANT_READ, units=2),
    Operation(
        method="GET", template="servicePrincipals/{}/oauth2PermissionGrants", handler=_list_of_client, access=GRANT_READ
    ),
    Operation(method="POST", template=_NAME, handler=_create, access=GRANT_WRITE),
    Operation(method="GET", template=f"{_NAME}/{{}}", handler=_get, access=GRANT_READ, units=2),
    Operation(method="PATCH", template=f"{_NAME}/{{}}", handler=_change, access=GRANT_WRITE),
    Operation(method="DELETE", template=f"{_NAME}/{{}}", handler=_delete, access=GRANT_WRITE),
)
