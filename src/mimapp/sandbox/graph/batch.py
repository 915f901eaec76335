"""``$batch``: up to 20 calls in one, each with its own transaction and status ("JSON batching").

Members that depend on a failed one answer 424. No transaction spans the members and no value passes between them.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING
from urllib.parse import unquote

from mimapp.sandbox.graph import errors
from mimapp.sandbox.graph.request import Reply
from mimapp.sandbox.graph.service import Call, run

if TYPE_CHECKING:
    from mimapp.sandbox.app import AppContext
    from mimapp.sandbox.state import Document
    from mimapp.sandbox.tokens import Claims

__all__ = ["run_all"]

_LARGEST = 20
_FAILED = 400
_JSON = {"Content-Type": "application/json"}


def run_all(context: AppContext, body: Document, claims: Claims) -> Reply:
    """Run every member in order; the outer reply is 200 even when members fail.

    Raises:
        GraphError: the batch itself makes no sense.
    """
    members = body.get("requests")
    if not isinstance(members, list) or not members or len(members) > _LARGEST:
        raise errors.GraphError(400, "BadRequest", "Number of batch request steps exceeds the maximum value of 20.")
    ids = [str(member.get("id", "")) for member in members]
    if "" in ids or len(set(ids)) != len(ids):
        raise errors.GraphError(400, "BadRequest", "Each batch request must have a unique, non-empty id.")
    responses: list[Document] = []
    for member in members:
        failed = {answer["id"] for answer in responses if answer["status"] >= _FAILED}
        if failed & set(member.get("dependsOn") or ()):
            error = errors.GraphError(424, "FailedDependency", "One of the requests it depends on failed.")
            responses.append(_refusal(context, member, error))
        else:
            responses.append(_run_one(context, member, claims))
    return Reply(status=200, body={"responses": responses})


def _run_one(context: AppContext, member: Document, claims: Claims) -> Document:
    try:
        _operation, reply = run(context, _call(member), claims)
    except errors.GraphError as error:
        return _refusal(context, member, error)
    answer: Document = {"id": str(member["id"]), "status": reply.status, "headers": dict(reply.headers)}
    if reply.body is not None:
        answer |= {"headers": _JSON | dict(reply.headers), "body": reply.body}
    return answer


def _call(member: Document) -> Call:
    url = str(member.get("url", ""))
    if not url.startswith("/"):
        url = f"/{url}"
    path, _, query = url.partition("?")
    headers = {str(name).casefold(): str(value) for name, value in (member.get("headers") or {}).items()}
    body = member.get("body") or {}
    if body and "content-type" not in headers:
        raise errors.GraphError(400, "BadRequest", "Write request id : missing Content-Type header.")
    return Call(
        method=str(member.get("method", "GET")).upper(),
        path=unquote(path),
        query=query,
        url=f"/v1.0{url}",
        headers=headers,
        body=body,
    )


def _refusal(context: AppContext, member: Document, error: errors.GraphError) -> Document:
    request_id = str(uuid.uuid4())
    body = error.document(now=context.clock.now().timestamp(), request_id=request_id, client_request_id=request_id)
    return {"id": str(member["id"]), "status": error.status, "headers": _JSON | error.headers, "body": body}
