"""Owners of an application, a service principal or a group: listed, added by reference, taken away."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mimapp.sandbox.graph import errors
from mimapp.sandbox.graph.objects import as_directory_object, changeable, find_any, readable, reference
from mimapp.sandbox.graph.request import Operation, collection, no_content

if TYPE_CHECKING:
    from mimapp.sandbox.graph.access import Access
    from mimapp.sandbox.graph.request import GraphRequest, Reply

__all__ = ["operations"]


def operations(name: str, kind: str, *, read: Access, write: Access) -> tuple[Operation, ...]:
    """The owner operations of a collection of objects of this kind."""
    base = f"{name}/{{}}/owners"
    return (
        Operation(method="GET", template=base, handler=partial(_list, kind), access=read),
        Operation(method="POST", template=f"{base}/$ref", handler=partial(_add, kind), access=write),
        Operation(method="DELETE", template=f"{base}/{{}}/$ref", handler=partial(_remove, kind), access=write),
    )


def _list(kind: str, request: GraphRequest) -> Reply:
    record = readable(request, kind, request.keys[0])
    found = (find_any(request, id_) for id_ in record.body.get("_owners", ()))
    return collection(
        request, "directoryObjects", (as_directory_object(*known) for known in found if known is not None)
    )


def _add(kind: str, request: GraphRequest) -> Reply:
    record = changeable(request, kind, request.keys[0])
    owner = reference(request)
    held = record.body.get("_owners", [])
    if owner in held:
        raise errors.owner_exists()
    request.tx.put(request.tenant_id, kind, record.id, record.body | {"_owners": [*held, owner]})
    return no_content()


def _remove(kind: str, request: GraphRequest) -> Reply:
    record = changeable(request, kind, request.keys[0])
    owner = request.keys[1].value.lower()
    held = record.body.get("_owners", [])
    if owner not in held:
        raise errors.not_found(owner)
    request.tx.put(request.tenant_id, kind, record.id, record.body | {"_owners": [id_ for id_ in held if id_ != owner]})
    return no_content()
