"""Microsoft Graph v1.0 of the sandbox: applications, service principals, credentials, grants and the directory.

This module is the wire: it reads requests, adds the headers that every recorded reply has, and stamps errors.
`service` finds and runs the operation; one module a resource owns the rules. ``/beta`` answers the same operations, for
clients that use it for what v1.0 has as well.
"""

from __future__ import annotations

import json
import re
import uuid
from typing import TYPE_CHECKING

from mimapp.sandbox.errors import TokenRefused, json_bytes
from mimapp.sandbox.graph import batch, errors
from mimapp.sandbox.graph.service import Call, run
from mimapp.sandbox.tokens import GRAPH_AUDIENCES

if TYPE_CHECKING:
    import falcon

    from mimapp.sandbox.app import App, AppContext
    from mimapp.sandbox.graph.request import Reply
    from mimapp.sandbox.state import Document
    from mimapp.sandbox.tokens import Claims

__all__ = ["add_routes"]

_SUCCESS_TYPE = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
_DIAGNOSTIC = (
    '{"ServerInfo":{"DataCenter":"Sandbox","Slice":"E","Ring":"5","ScaleUnit":"000","RoleInstance":"SANDBOX0000"}}'
)


def add_routes(app: App, context: AppContext) -> None:
    """Register Graph: a sink, because OData's keys in parentheses are no URI templates."""
    app.add_sink(_Graph(context), prefix=re.compile(r"/(?:v1\.0|beta)(?P<path>/.*)"))


class _Graph:
    def __init__(self, context: AppContext) -> None:
        self._context = context

    def __call__(self, req: falcon.Request, resp: falcon.Response, **groups: str) -> None:
        """Falcon's form of a sink; the names are its own."""
        self._serve(req, resp, groups["path"])

    def _serve(self, request: falcon.Request, response: falcon.Response, path: str) -> None:
        request_id = str(uuid.uuid4())
        client_id = request.get_header("client-request-id") or request_id
        headers = {
            "Cache-Control": "no-cache",
            "client-request-id": client_id,
            "request-id": request_id,
            "Strict-Transport-Security": "max-age=31536000",
            "x-ms-ags-diagnostic": _DIAGNOSTIC,
        }
        try:
            errors.turn_away(self._context.conditions.refusal(request.method, request.path))
            reply, units = self._answer(request, path)
        except errors.GraphError as error:
            error.stamp(now=self._context.clock.now().timestamp(), request_id=request_id, client_request_id=client_id)
            error.headers = headers | error.headers
            raise
        response.status = reply.status
        response.set_headers(headers | {"x-ms-resource-unit": str(units)} | dict(reply.headers))
        if reply.body is not None:
            response.data = json_bytes(reply.body)
            response.set_headers({"Content-Type": _SUCCESS_TYPE, "OData-Version": "4.0", "Vary": "Accept-Encoding"})

    def _answer(self, request: falcon.Request, path: str) -> tuple[Reply, int]:
        claims = self._caller(request)
        body = _body(request)
        if path.casefold() == "/$batch":
            return batch.run_all(self._context, body, claims), 1
        call = Call(
            method=request.method,
            path=path,
            query=request.query_string,
            url=request.relative_uri,
            headers={name.casefold(): value for name, value in request.headers.items()},
            body=body,
        )
        operation, reply = run(self._context, call, claims)
        return reply, _units(operation.units, request.query_string)

    def _caller(self, request: falcon.Request) -> Claims:
        try:
            return self._context.tokens.verify(request.get_header("Authorization"), audiences=GRAPH_AUDIENCES)
        except TokenRefused as refused:
            raise errors.token_refused(refused.reason) from None


def _body(request: falcon.Request) -> Document:
    raw = request.bounded_stream.read()
    if not raw.strip():
        return {}
    try:
        found = json.loads(raw)
    except ValueError:
        raise errors.GraphError(400, "BadRequest", "Unable to read JSON request payload.") from None
    if not isinstance(found, dict):
        raise errors.GraphError(400, "BadRequest", "Unable to read JSON request payload.")
    return found


def _units(cost: int, query: str) -> int:
    """What a call costs: `$select` one less, `$expand` one more, a small `$top` one less, never below one."""
    change = -("select=" in query) + ("expand=" in query) - bool(re.search(r"top=1?\d(?:&|$)", query))
    return max(1, cost + change)
