"""What an operation is given and what it gives back, without HTTP: the resources speak these types only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mimapp.sandbox.graph.query import skip_token
from mimapp.sandbox.shapes import wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mimapp.sandbox.app import AppContext
    from mimapp.sandbox.graph.access import Access
    from mimapp.sandbox.graph.path import Key
    from mimapp.sandbox.graph.query import Query
    from mimapp.sandbox.state import Document, Transaction
    from mimapp.sandbox.tenants import Tenant
    from mimapp.sandbox.tokens import Claims

__all__ = ["GraphRequest", "Operation", "Reply", "collection", "created", "entity", "no_content"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphRequest:
    """One call, its caller verified, inside its transaction.

    Attributes:
        context: the app's.
        tx: the transaction.
        tenant: the caller's tenant.
        claims: the caller.
        owned_only: the caller may touch only what it owns (`Application.ReadWrite.OwnedBy` and nothing more).
        url: the path and query below the origin, for links to the next page.
        keys: the keys of the path, in order.
        query: the query options.
        prefer: the `Prefer` header, lower case.
        body: the JSON object sent, empty when there was none.
    """

    context: AppContext
    tx: Transaction
    tenant: Tenant
    claims: Claims
    owned_only: bool
    url: str
    keys: tuple[Key, ...]
    query: Query
    prefer: str
    body: Document

    @property
    def tenant_id(self) -> str:
        """The tenant's GUID."""
        return self.tenant.id

    @property
    def metadata(self) -> str:
        """The start of every `@odata.context`."""
        return f"{self.context.origin}/v1.0/$metadata"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A status, a body (None for none) and further headers."""

    status: int
    body: Document | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path.

    Attributes:
        method: the HTTP method.
        template: the path, keys written ``{}``.
        handler: the rule behind it.
        access: who may call it.
        units: what it costs (`x-ms-resource-unit`; "Microsoft Graph service-specific throttling limits").
        writes: whether it changes anything; all but GET do, apart from the few that say otherwise.
    """

    method: str
    template: str
    handler: Callable[[GraphRequest], Reply]
    access: Access
    units: int = 1
    writes: bool = True


def no_content() -> Reply:
    """Done, nothing to say."""
    return Reply(status=204)


def entity(request: GraphRequest, name: str, document: Document, *, status: int = 200) -> Reply:
    """One object, with the properties that were asked for."""
    shown = _selected(document, request.query.select)
    chosen = f"({','.join(request.query.select)})" if request.query.select else ""
    return Reply(status=status, body={"@odata.context": f"{request.metadata}#{name}{chosen}/$entity"} | shown)


def created(request: GraphRequest, name: str, document: Document, *, kind: str | None = None) -> Reply:
    """A new object; `kind` names it in a `Location` that no client should follow (recorded: another API's address)."""
    body = {"@odata.context": f"{request.metadata}#{name}/$entity"} | wire(document)
    headers = {}
    if kind is not None:
        base = f"https://graph.microsoft.com/v2/{request.tenant_id}/directoryObjects"
        headers["Location"] = f"{base}/{document['id']}/Microsoft.DirectoryServices.{kind}"
    return Reply(status=201, body=body, headers=headers)


def collection(request: GraphRequest, name: str, documents: Iterable[Document]) -> Reply:
    """A page of the objects that the query wants."""
    query = request.query
    found = [document for document in documents if query.test(document)]
    if query.order is not None:
        member, is_descending = query.order
        found.sort(key=lambda document: str(document.get(member) or "").casefold(), reverse=is_descending)
    total = len(found)
    if query.after is not None:
        ids = [document["id"] for document in found]
        found = found[ids.index(query.after) + 1 :] if query.after in ids else []
    page = found[: query.top]
    chosen = f"({','.join(query.select)})" if query.select else ""
    body: Document = {"@odata.context": f"{request.metadata}#{name}{chosen}"}
    if query.count:
        body["@odata.count"] = total
    if len(found) > len(page):
        body["@odata.nextLink"] = _next_link(request, skip_token(page[-1]["id"]))
    body["value"] = [_selected(document, query.select) for document in page]
    return Reply(status=200, body=body)


def _next_link(request: GraphRequest, token: str) -> str:
    path, _, query = request.url.partition("?")
    kept = [part for part in query.split("&") if part and not part.startswith(("$skiptoken=", "%24skiptoken="))]
    return f"{request.context.origin}{path}?{'&'.join([*kept, f'$skiptoken={token}'])}"


def _selected(document: Document, select: tuple[str, ...] | None) -> Document:
    if select is None:
        return wire(document)
    names = {name.casefold() for name in select}
    # A hidden member is one that Graph returns only when it is asked for by name.
    shown = {name.removeprefix("_"): value for name, value in document.items()}
    kept = {name: value for name, value in shown.items() if name.casefold() in names or name.startswith("@odata")}
    return {name: value for name, value in kept.items() if name not in _NEVER_SHOWN}


_NEVER_SHOWN = frozenset({"secrets", "owners"})
