"""What was deleted in the last 30 days: listed, looked at, restored, purged."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mimapp.sandbox.clock import iso
from mimapp.sandbox.graph import errors
from mimapp.sandbox.graph.access import APPLICATION_READ, APPLICATION_WRITE, GROUP_READ
from mimapp.sandbox.graph.objects import TYPES, is_owner
from mimapp.sandbox.graph.request import GraphRequest, Operation, Reply, collection, entity, no_content
from mimapp.sandbox.graph.service_principals import full

if TYPE_CHECKING:
    from mimapp.sandbox.state import Document, Record

__all__ = ["OPERATIONS"]

_KEPT_SECONDS = 30 * 86_400
_COLLECTIONS = {"application": "applications", "group": "groups", "servicePrincipal": "servicePrincipals"}
_KINDS = tuple(_COLLECTIONS)


def _list(kind: str, request: GraphRequest) -> Reply:
    found = request.tx.seen_all(request.tenant_id, kind, deleted=True)
    return collection(request, _COLLECTIONS[kind], (_shown(kind, record) for record in found if _kept(request, record)))


def _get(request: GraphRequest) -> Reply:
    kind, record = _find(request)
    return entity(request, "directoryObjects", {"@odata.type": TYPES[kind]} | _shown(kind, record))


def _restore(request: GraphRequest) -> Reply:
    kind, record = _find(request)
    _check_owner(request, record)
    if kind == "servicePrincipal":
        _check_free(request, record)
    restored = request.tx.put(request.tenant_id, kind, record.id, record.body)
    if kind == "application":
        for principal in request.tx.find(
            request.tenant_id, "servicePrincipal", deleted=True, appId=record.body["appId"]
        ):
            request.tx.put(request.tenant_id, "servicePrincipal", principal.id, principal.body)
    document = full(restored.body) if kind == "servicePrincipal" else restored.body
    return entity(request, "directoryObjects", {"@odata.type": TYPES[kind]} | document)


def _purge(request: GraphRequest) -> Reply:
    kind, record = _find(request)
    _check_owner(request, record)
    request.tx.delete(request.tenant_id, kind, record.id)
    if kind == "application":
        for principal in request.tx.find(
            request.tenant_id, "servicePrincipal", deleted=True, appId=record.body["appId"]
        ):
            request.tx.delete(request.tenant_id, "servicePrincipal", principal.id)
    return no_content()


def _find(request: GraphRequest) -> tuple[str, Record]:
    id_ = request.keys[0].value
    for kind in _KINDS:
        found = request.tx.seen(request.tenant_id, kind, id_, deleted=True)
        current = request.tx.get(request.tenant_id, kind, id_, deleted=True)
        if found is not None and current is not None and _kept(request, current):
            return kind, current
    raise errors.not_found(id_)


def _kept(request: GraphRequest, record: Record) -> bool:
    return record.deleted is not None and request.tx.now < record.deleted + _KEPT_SECONDS


def _shown(kind: str, record: Record) -> Document:
    document = full(record.body) if kind == "servicePrincipal" else record.body
    return document | {"deletedDateTime": iso(record.deleted or 0.0)}


def _check_owner(request: GraphRequest, record: Record) -> None:
    if request.owned_only and not is_owner(request, record):
        raise errors.denied()


def _check_free(request: GraphRequest, record: Record) -> None:
    app_id = record.body["appId"]
    if request.tx.find(request.tenant_id, "servicePrincipal", appId=app_id):
        raise errors.service_principal_exists(app_id)


_BASE = "directory/deletedItems"
OPERATIONS = (
    *(
        Operation(
            method="GET",
            template=f"{_BASE}/microsoft.graph.{kind}",
            handler=partial(_list, kind),
            access=GROUP_READ if kind == "group" else APPLICATION_READ,
        )
        for kind in _KINDS
    ),
    Operation(method="GET", template=f"{_BASE}/{{}}", handler=_get, access=APPLICATION_READ),
    Operation(method="POST", template=f"{_BASE}/{{}}/restore", handler=_restore, access=APPLICATION_WRITE),
    Operation(method="DELETE", template=f"{_BASE}/{{}}", handler=_purge, access=APPLICATION_WRITE),
)
