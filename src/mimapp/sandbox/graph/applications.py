"""Application registrations: made, found by id, `appId` or `uniqueName`, changed, softly deleted; and their owners.

`uniqueName` is the tenant's own key: unique, immutable once set, and kept by a deleted application
(msgraph-bicep-types#137, #202).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.sandbox import shapes
from mimapp.sandbox.clock import iso_fraction
from mimapp.sandbox.graph import credentials, errors, owners, service_principals
from mimapp.sandbox.graph.access import APPLICATION_READ, APPLICATION_WRITE
from mimapp.sandbox.graph.objects import changeable, first_owners, new_id, readable
from mimapp.sandbox.graph.properties import kept_certificates, key_credentials, merged, without_annotations
from mimapp.sandbox.graph.request import GraphRequest, Operation, Reply, collection, created, entity, no_content

if TYPE_CHECKING:
    from mimapp.sandbox.state import Document, Record

__all__ = ["OPERATIONS"]

_KIND = "application"
_NAME = "applications"


def _list(request: GraphRequest) -> Reply:
    return collection(request, _NAME, (record.body for record in request.tx.seen_all(request.tenant_id, _KIND)))


def _get(request: GraphRequest) -> Reply:
    return entity(request, _NAME, readable(request, _KIND, request.keys[0]).body)


def _create(request: GraphRequest) -> Reply:
    return _made(request, request.body)


def _upsert_or_change(request: GraphRequest) -> Reply:
    key = request.keys[0]
    if key.name == "uniqueName" and "create-if-missing" in request.prefer:
        # The key is decided where it is unique, not on a replica: so the call may be repeated.
        found = request.tx.find(request.tenant_id, _KIND, uniqueName=key.value)
        if not found:
            return _made(request, {"uniqueName": key.value} | request.body)
        record = found[0]
        if request.owned_only and request.claims.object_id not in record.body.get("_owners", ()):
            raise errors.denied()
    else:
        record = changeable(request, _KIND, key)
    _change(request, record)
    return no_content()


def _delete(request: GraphRequest) -> Reply:
    record = changeable(request, _KIND, request.keys[0])
    request.tx.put(request.tenant_id, _KIND, record.id, record.body, deleted=request.tx.now)
    # The service principal goes with its application ("Delete application").
    for principal in request.tx.find(request.tenant_id, "servicePrincipal", appId=record.body["appId"]):
        service_principals.remove(request, principal)
    return no_content()


def _made(request: GraphRequest, wanted: Document) -> Reply:
    if not wanted.get("displayName"):
        raise errors.value_missing("displayName", "Application")
    tenant = request.tx.get(request.tenant_id, "tenant", request.tenant_id)
    if tenant is not None and tenant.body.get("wantsServiceReference") and not wanted.get("serviceManagementReference"):
        raise errors.service_reference_missing()
    app = shapes.application(id_=new_id(), app_id=new_id(), created=request.tx.now, domain=request.tenant.domain)
    passwords = wanted.get("passwordCredentials") or []
    body = merged(app, {name: value for name, value in wanted.items() if name != "passwordCredentials"})
    _check_unique_name(request, body["uniqueName"])
    if "AndPersonal" in body["signInAudience"].replace("and", "And"):
        body["api"] = body["api"] | {"requestedAccessTokenVersion": 2}
    keys = body["keyCredentials"]
    body["keyCredentials"] = key_credentials(keys, [], now=request.tx.now)
    body["_certificates"] = kept_certificates(keys, body["keyCredentials"], {})
    body["_owners"] = first_owners(request)
    shown: list[Document] = []
    for password in passwords:
        body, credential = credentials.issue_password(request, _KIND, body, without_annotations(password))
        shown.insert(0, credential)
    request.tx.put(request.tenant_id, _KIND, body["id"], body)
    # Recorded: the reply of the POST alone has a fraction in the date, and its secrets their text.
    answer = body | {"createdDateTime": iso_fraction(request.tx.now), "passwordCredentials": shown}
    return created(request, _NAME, answer, kind="Application")


def _change(request: GraphRequest, record: Record) -> None:
    changes = without_annotations(request.body)
    if "passwordCredentials" in changes:
        raise errors.read_only("passwordCredentials")
    body = merged(record.body, changes)
    if body["uniqueName"] != record.body["uniqueName"]:
        if record.body["uniqueName"] is not None:
            raise errors.bad_request("Property 'uniqueName' is immutable and cannot be changed.")
        _check_unique_name(request, body["uniqueName"])
    if "keyCredentials" in changes:
        keys = changes["keyCredentials"] or []
        body["keyCredentials"] = key_credentials(keys, record.body["keyCredentials"], now=request.tx.now)
        body["_certificates"] = kept_certificates(keys, body["keyCredentials"], record.body.get("_certificates", {}))
    request.tx.put(request.tenant_id, _KIND, record.id, body)
    for principal in request.tx.find(request.tenant_id, "servicePrincipal", appId=body["appId"]):
        request.tx.put(
            request.tenant_id, "servicePrincipal", principal.id, service_principals.following(principal.body, body)
        )


def _check_unique_name(request: GraphRequest, name: str | None) -> None:
    if name is None:
        return
    taken = request.tx.find(request.tenant_id, _KIND, uniqueName=name)
    if taken or request.tx.find(request.tenant_id, _KIND, deleted=True, uniqueName=name):
        raise errors.unique_name_taken()


OPERATIONS = (
    Operation(method="GET", template="applications", handler=_list, access=APPLICATION_READ, units=2),
    Operation(method="POST", template="applications", handler=_create, access=APPLICATION_WRITE),
    Operation(method="GET", template="applications/{}", handler=_get, access=APPLICATION_READ),
    Operation(method="PATCH", template="applications/{}", handler=_upsert_or_change, access=APPLICATION_WRITE),
    Operation(method="DELETE", template="applications/{}", handler=_delete, access=APPLICATION_WRITE),
    *owners.operations("applications", _KIND, read=APPLICATION_READ, write=APPLICATION_WRITE),
)
