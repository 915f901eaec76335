"""Federated identity credentials of an application: trust in another issuer's tokens.

Recorded (Azure/azure-cli, test_app_federated_credential): six members, found by id or by name; up to 20 an application.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.sandbox.graph import errors
from mimapp.sandbox.graph.access import APPLICATION_READ, APPLICATION_WRITE
from mimapp.sandbox.graph.objects import changeable, new_id, readable
from mimapp.sandbox.graph.properties import without_annotations
from mimapp.sandbox.graph.request import GraphRequest, Operation, Reply, collection, created, entity, no_content

if TYPE_CHECKING:
    from mimapp.sandbox.state import Document, Record

__all__ = ["OPERATIONS"]

_BASE = "applications/{}/federatedIdentityCredentials"
_LARGEST = 20
_REQUIRED = ("name", "issuer", "subject", "audiences")


def _name(app: Record) -> str:
    return f"applications('{app.id}')/federatedIdentityCredentials"


def _held(app: Record) -> list[Document]:
    held: list[Document] = app.body.get("_federated", [])
    return held


def _list(request: GraphRequest) -> Reply:
    app = readable(request, "application", request.keys[0])
    return collection(request, _name(app), _held(app))


def _get(request: GraphRequest) -> Reply:
    app = readable(request, "application", request.keys[0])
    return entity(request, _name(app), _one(request, app))


def _create(request: GraphRequest) -> Reply:
    app = changeable(request, "application", request.keys[0])
    wanted = without_annotations(request.body)
    for name in _REQUIRED:
        if not wanted.get(name):
            raise errors.value_missing(name, "FederatedIdentityCredential")
    held = _held(app)
    if any(credential["name"] == wanted["name"] for credential in held):
        raise errors.GraphError(
            409,
            "Request_MultipleObjectsWithSameKeyValue",
            "FederatedIdentityCredential with same value for name already exists.",
        )
    if len(held) >= _LARGEST:
        raise errors.bad_request("The number of federated identity credentials exceeds the limit of 20.")
    names = ("name", "issuer", "subject", "description", "audiences")
    body = {"id": new_id()} | {name: wanted.get(name) for name in names}
    _keep(request, app, [*held, body])
    return created(request, _name(app), body)


def _change(request: GraphRequest) -> Reply:
    app = changeable(request, "application", request.keys[0])
    found = _one(request, app)
    changes = without_annotations(request.body)
    unknown = changes.keys() - {"issuer", "subject", "description", "audiences"}
    if unknown:
        raise errors.read_only(min(unknown))
    _keep(request, app, [held | changes if held["id"] == found["id"] else held for held in _held(app)])
    return no_content()


def _delete(request: GraphRequest) -> Reply:
    app = changeable(request, "application", request.keys[0])
    found = _one(request, app)
    _keep(request, app, [held for held in _held(app) if held["id"] != found["id"]])
    return no_content()


def _one(request: GraphRequest, app: Record) -> Document:
    wanted = request.keys[1].value.casefold()
    for credential in _held(app):
        if wanted in (credential["id"], credential["name"].casefold()):
            return credential
    raise errors.not_found(request.keys[1].value)


def _keep(request: GraphRequest, app: Record, credentials: list[Document]) -> None:
    request.tx.put(request.tenant_id, "application", app.id, app.body | {"_federated": credentials})


OPERATIONS = (
    Operation(method="GET", template=_BASE, handler=_list, access=APPLICATION_READ),
    Operation(method="POST", template=_BASE, handler=_create, access=APPLICATION_WRITE),
    Operation(method="GET", template=f"{_BASE}/{{}}", handler=_get, access=APPLICATION_READ),
    Operation(method="PATCH", template=f"{_BASE}/{{}}", handler=_change, access=APPLICATION_WRITE),
    Operation(method="DELETE", template=f"{_BASE}/{{}}", handler=_delete, access=APPLICATION_WRITE),
)
