"""Graph without HTTP: a call goes in, the operation is found, the caller checked, the rule run in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.sandbox.graph import (
    applications,
    assignments,
    credentials,
    deleted_items,
    directory,
    errors,
    federated,
    groups,
    permission_grants,
    policies,
    reports,
    service_principals,
)
from mimapp.sandbox.graph.path import Key, matches, parse_path
from mimapp.sandbox.graph.query import parse_query
from mimapp.sandbox.graph.request import GraphRequest, Operation, Reply
from mimapp.sandbox.tenants import find_tenant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mimapp.sandbox.app import AppContext
    from mimapp.sandbox.state import Document, Transaction
    from mimapp.sandbox.tenants import Tenant
    from mimapp.sandbox.tokens import Claims

__all__ = ["OPERATIONS", "Call", "find_operation", "run"]

OPERATIONS: tuple[Operation, ...] = (
    *applications.OPERATIONS,
    *credentials.OPERATIONS,
    *service_principals.OPERATIONS,
    *assignments.OPERATIONS,
    *permission_grants.OPERATIONS,
    *federated.OPERATIONS,
    # Deleted items of one type come before the one with an id.
    *deleted_items.OPERATIONS,
    *policies.OPERATIONS,
    *reports.OPERATIONS,
    *directory.OPERATIONS,
    *groups.OPERATIONS,
)
"""Every operation that this Graph knows, apart from ``$batch``, which is made of these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to Graph, alone or inside a batch.

    Attributes:
        method: the HTTP method.
        path: below the version, percent-encoding taken off, such as ``/applications``.
        query: the raw query string.
        url: path and query as sent, from the version on, for links to the next page.
        headers: names in lower case.
        body: the JSON object sent, empty when none was.
    """

    method: str
    path: str
    query: str
    url: str
    headers: Mapping[str, str]
    body: Document


def find_operation(method: str, path: str) -> tuple[Operation, tuple[Key, ...]]:
    """The operation of a request and the keys in its path.

    Raises:
        GraphError: nothing is known by that path, or not by that method.
    """
    parts = parse_path(path)
    found = [(operation, keys) for operation in OPERATIONS if (keys := matches(operation.template, parts)) is not None]
    if not found:
        name = next((str(part) for part in parts if isinstance(part, str)), "")
        raise errors.segment_unknown(name)
    for operation, keys in found:
        if operation.method == method:
            return operation, keys
    raise errors.GraphError(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")


def run(context: AppContext, call: Call, claims: Claims) -> tuple[Operation, Reply]:
    """Do what is asked, if the caller may.

    Raises:
        GraphError: any refusal; nothing was changed then.
    """
    operation, keys = find_operation(call.method, call.path)
    owned_only = operation.access.check(claims)
    query = parse_query(call.query, consistency_level=call.headers.get("consistencylevel"))
    with context.state.transaction(write=operation.writes and call.method != "GET") as tx:
        request = GraphRequest(
            context=context,
            tx=tx,
            tenant=_tenant(tx, claims),
            claims=claims,
            owned_only=owned_only,
            url=call.url,
            keys=keys,
            query=query,
            prefer=call.headers.get("prefer", "").casefold(),
            body=call.body,
        )
        return operation, operation.handler(request)


def _tenant(tx: Transaction, claims: Claims) -> Tenant:
    found = find_tenant(tx, claims.tenant_id)
    if found is None:
        raise errors.token_refused("audience")
    return found
