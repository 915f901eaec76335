"""Service principals: an application's presence in the tenant, which follows its registration; and Microsoft's own.

Roles and scopes of Microsoft's services are not stored: they come from the catalogue whenever such an object is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.sandbox import catalog, shapes
from mimapp.sandbox.graph import errors, owners
from mimapp.sandbox.graph.access import APPLICATION_READ, APPLICATION_WRITE, OWNED_BY
from mimapp.sandbox.graph.objects import changeable, first_owners, new_id, readable
from mimapp.sandbox.graph.properties import key_credentials, merged, without_annotations
from mimapp.sandbox.graph.request import GraphRequest, Operation, Reply, collection, created, entity, no_content

if TYPE_CHECKING:
    from mimapp.sandbox.state import Document, Record

__all__ = ["OPERATIONS", "following", "full", "remove"]

_KIND = "servicePrincipal"
_NAME = "servicePrincipals"


def following(principal: Document, app: Document) -> Document:
    """The service principal's document with what it takes from its registration."""
    names = [*app["identifierUris"], app["appId"]]
    return principal | {
        "appDisplayName": app["displayName"],
        "appDescription": app["description"],
        "appRoles": app["appRoles"],
        "displayName": app["displayName"],
        "homepage": app["web"]["homePageUrl"],
        "info": app["info"],
        "logoutUrl": app["web"]["logoutUrl"],
        "oauth2PermissionScopes": app["api"]["oauth2PermissionScopes"],
        "replyUrls": [*app["web"]["redirectUris"], *app["publicClient"]["redirectUris"], *app["spa"]["redirectUris"]],
        "servicePrincipalNames": names,
        "signInAudience": app["signInAudience"],
    }


def full(principal: Document) -> Document:
    """The document as callers see it: with the roles and scopes of the service, where it is one of Microsoft's."""
    service = catalog.first_party(principal["appId"])
    if service is None:
        return principal
    return principal | {
        "appRoles": shapes.service_roles(service),
        "oauth2PermissionScopes": shapes.service_scopes(service),
    }


def remove(request: GraphRequest, principal: Record) -> None:
    """Softly delete one; what was granted to it goes for good, so that a restored one needs consent again.

    Whether Entra keeps the grants is not known [unverified]: the harder case is simulated.
    """
    tx, tenant = request.tx, request.tenant_id
    tx.put(tenant, _KIND, principal.id, principal.body, deleted=tx.now)
    for kind, member in (
        ("appRoleAssignment", "principalId"),
        ("appRoleAssignment", "resourceId"),
        ("oauth2PermissionGrant", "clientId"),
        ("oauth2PermissionGrant", "resourceId"),
    ):
        for grant in tx.find(tenant, kind, where={member: principal.id}):
            tx.delete(tenant, kind, grant.id)


def _list(request: GraphRequest) -> Reply:
    found = request.tx.seen_all(request.tenant_id, _KIND)
    return collection(request, _NAME, (full(record.body) for record in found))


def _get(request: GraphRequest) -> Reply:
    return entity(request, _NAME, full(readable(request, _KIND, request.keys[0]).body))


def _create(request: GraphRequest) -> Reply:
    app_id = request.body.get("appId")
    if not isinstance(app_id, str):
        raise errors.value_missing("appId", "ServicePrincipal")
    return _made(request, app_id)


def _upsert_or_change(request: GraphRequest) -> Reply:
    key = request.keys[0]
    if key.name == "appId" and "create-if-missing" in request.prefer:
        found = request.tx.find(request.tenant_id, _KIND, appId=key.value)
        if not found:
            return _made(request, key.value)
        record = found[0]
        if request.owned_only and request.claims.object_id not in record.body.get("_owners", ()):
            raise errors.denied()
    else:
        record = changeable(request, _KIND, key)
    changes = {name: value for name, value in without_annotations(request.body).items() if name != "appId"}
    if "passwordCredentials" in changes:
        raise errors.read_only("passwordCredentials")
    body = merged(record.body, changes)
    if "keyCredentials" in changes:
        body["keyCredentials"] = key_credentials(
            changes["keyCredentials"] or [], record.body["keyCredentials"], now=request.tx.now
        )
    request.tx.put(request.tenant_id, _KIND, record.id, body)
    return no_content()


def _delete(request: GraphRequest) -> Reply:
    remove(request, changeable(request, _KIND, request.keys[0]))
    return no_content()


def _made(request: GraphRequest, app_id: str) -> Reply:
    if request.tx.find(request.tenant_id, _KIND, appId=app_id):
        raise errors.service_principal_exists(app_id)
    body = _fresh(request, app_id)
    wanted = {name: value for name, value in without_annotations(request.body).items() if name != "appId"}
    body = merged(body, wanted)
    body["_owners"] = first_owners(request)
    request.tx.put(request.tenant_id, _KIND, body["id"], body)
    return created(request, _NAME, full(body), kind="ServicePrincipal")


def _fresh(request: GraphRequest, app_id: str) -> Document:
    service = catalog.first_party(app_id)
    if service is not None:
        body = shapes.service_principal(
            id_=new_id(),
            app_id=service.app_id,
            name=service.name,
            owner_tenant=catalog.MICROSOFT_TENANT_ID,
            created=request.tx.now,
        )
        names = [*sorted(service.resource_uris), service.app_id]
        return body | {"signInAudience": "AzureADMultipleOrgs", "servicePrincipalNames": names}
    apps = request.tx.seen_all(request.tenant_id, "application", appId=app_id)
    if not apps:
        is_owned_by = request.claims.is_app_only and request.owned_only and OWNED_BY in request.claims.roles
        if is_owned_by and request.tx.find(request.tenant_id, "application", appId=app_id):
            raise errors.not_yet_in_tenant()
        raise errors.no_backing_application(app_id)
    app = apps[0].body
    if request.owned_only and request.claims.object_id not in app.get("_owners", ()):
        raise errors.denied()
    body = shapes.service_principal(
        id_=new_id(),
        app_id=app["appId"],
        name=app["displayName"],
        owner_tenant=request.tenant_id,
        created=request.tx.now,
    )
    return following(body, app)


OPERATIONS = (
    Operation(method="GET", template="servicePrincipals", handler=_list, access=APPLICATION_READ),
    Operation(method="POST", template="servicePrincipals", handler=_create, access=APPLICATION_WRITE),
    Operation(method="GET", template="servicePrincipals/{}", handler=_get, access=APPLICATION_READ),
    Operation(method="PATCH", template="servicePrincipals/{}", handler=_upsert_or_change, access=APPLICATION_WRITE),
    Operation(method="DELETE", template="servicePrincipals/{}", handler=_delete, access=APPLICATION_WRITE),
    *owners.operations("servicePrincipals", _KIND, read=APPLICATION_READ, write=APPLICATION_WRITE),
)
