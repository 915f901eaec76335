"""Directory objects as every resource needs them: found by any key, owned by somebody, given new ids."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from mimapp.sandbox.directory_roles import (
    APPLICATION_ADMINISTRATOR,
    CLOUD_APPLICATION_ADMINISTRATOR,
    GLOBAL_ADMINISTRATOR,
)
from mimapp.sandbox.graph import errors
from mimapp.sandbox.shapes import wire

if TYPE_CHECKING:
    from mimapp.sandbox.graph.path import Key
    from mimapp.sandbox.graph.request import GraphRequest
    from mimapp.sandbox.state import Document, Record

__all__ = [
    "TYPES",
    "as_directory_object",
    "changeable",
    "find_any",
    "first_owners",
    "is_owner",
    "new_id",
    "readable",
    "reference",
]

TYPES = {
    "user": "#microsoft.graph.user",
    "servicePrincipal": "#microsoft.graph.servicePrincipal",
    "group": "#microsoft.graph.group",
    "application": "#microsoft.graph.application",
}
"""The directory objects that others may refer to: kind of document and `@odata.type`."""


def new_id() -> str:
    """A fresh object, application or key id."""
    return str(uuid.uuid4())


def readable(request: GraphRequest, kind: str, key: Key) -> Record:
    """The object as the replica that answers knows it.

    Raises:
        GraphError: 404; it is not there, or not there yet.
    """
    if key.name is None:
        found = request.tx.seen(request.tenant_id, kind, key.value)
    else:
        found = next(iter(request.tx.seen_all(request.tenant_id, kind, where={key.name: key.value})), None)
    if found is None:
        raise errors.not_found(key.value)
    return found


def changeable(request: GraphRequest, kind: str, key: Key) -> Record:
    """The object as it really is, for a caller that may change it.

    Raises:
        GraphError: 404 as in `readable`; 403 when the caller may change only what it owns, and does not own this.
    """
    seen = readable(request, kind, key)
    current = request.tx.get(request.tenant_id, kind, seen.id)
    if current is None:
        raise errors.not_found(key.value)
    if request.owned_only and not is_owner(request, current):
        raise errors.denied()
    return current


def is_owner(request: GraphRequest, record: Record) -> bool:
    """Whether the caller is among the object's owners."""
    return request.claims.object_id in record.body.get("_owners", ())


def first_owners(request: GraphRequest) -> list[str]:
    """Who owns an object that this caller makes (all of it [unverified]).

    A person does, unless an application administrator only; an application only when OwnedBy is all it has.
    """
    claims = request.claims
    if claims.is_app_only:
        return [claims.object_id] if request.owned_only else []
    administrators = {APPLICATION_ADMINISTRATOR, CLOUD_APPLICATION_ADMINISTRATOR}
    if GLOBAL_ADMINISTRATOR not in claims.directory_roles and claims.directory_roles & administrators:
        return []
    return [claims.object_id]


def find_any(request: GraphRequest, id_: str) -> tuple[str, Record] | None:
    """The object with this id, of any kind that others may refer to."""
    for kind in TYPES:
        found = request.tx.seen(request.tenant_id, kind, id_)
        if found is not None:
            return kind, found
    return None


def as_directory_object(kind: str, record: Record) -> Document:
    """An object in a list of mixed ones: its type first."""
    return {"@odata.type": TYPES[kind]} | wire(record.body)


def reference(request: GraphRequest) -> str:
    """The id that a `$ref` body points at.

    Raises:
        GraphError: 400 without such a body, 404 when the object is not there.
    """
    target = request.body.get("@odata.id")
    if not isinstance(target, str) or "/" not in target:
        raise errors.bad_request("An invalid object reference was sent.")
    id_ = target.rstrip("/").rsplit("/", 1)[1]
    if find_any(request, id_) is None:
        raise errors.not_found(id_)
    return id_
