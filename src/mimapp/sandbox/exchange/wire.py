"""InvokeCommand and EXOModuleFile over HTTP: the caller is checked, the cmdlet run, its outcome worded.

``POST /adminapi/beta/{tenant}/InvokeCommand`` and ``GET /adminapi/v1.0/{tenant}/EXOModuleFile``, as facts/exchange.md
1-4 describe them. What a cmdlet does is in cmdlets/, how replies look in replies.py.
"""

from __future__ import annotations

import json
import re
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import falcon

from mimapp.sandbox.errors import TokenRefused, WireError
from mimapp.sandbox.exchange import replies, rights, store
from mimapp.sandbox.exchange.call import Call, Caller, Outcome
from mimapp.sandbox.exchange.cmdlets import CMDLETS
from mimapp.sandbox.exchange.errors import CmdletError
from mimapp.sandbox.exchange.parameters import bind
from mimapp.sandbox.exchange.weather import RefusalKind, Weather
from mimapp.sandbox.tokens import EXCHANGE_AUDIENCES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mimapp.sandbox.app import AppContext
    from mimapp.sandbox.exchange.call import Cmdlet, Row
    from mimapp.sandbox.exchange.models import Directory
    from mimapp.sandbox.state import Transaction
    from mimapp.sandbox.tokens import Claims

__all__ = ["InvokeCommandResource", "ModuleFileResource"]

_PAGE = re.compile(r"odata\.maxpagesize\s*=\s*(\d+)", re.IGNORECASE)
_DEFAULT_PAGE = 1000
_ANCHOR = re.compile(r"(?P<form>UPN|APP|SMTP|MBX):(?P<name>[^@\s]+)@(?P<where>[^@\s]+)", re.IGNORECASE)


class _Input(NamedTuple):
    """The JSON body of a call."""

    name: str
    parameters: Mapping[str, object]


class _Administration:
    """What both resources share: the context, and who may come in."""

    def __init__(self, context: AppContext, weather: Weather) -> None:
        self._context = context
        self._weather = weather

    def _claims(self, request: falcon.Request, tenant: str) -> Claims:
        """The caller's token, good for administration of this tenant."""
        try:
            claims = self._context.tokens.verify(request.get_header("Authorization"), audiences=EXCHANGE_AUDIENCES)
        except TokenRefused as refused:
            raise replies.unauthorized(refused.reason) from refused
        if claims.tenant_id.casefold() != tenant.casefold():
            raise replies.unauthorized("tenant")
        if not rights.may_administer(claims):
            # Also what a token with the scope Exchange.ManageV2 gets (facts/login.md 3).
            raise replies.empty_forbidden()
        return claims

    def _directory(self, tx: Transaction, tenant: str) -> Directory:
        directory = store.load(tx, tenant)
        if directory is None:
            # A tenant without Exchange; what the service answers then is unverified.
            raise replies.unauthorized("organization")
        return directory


class InvokeCommandResource(_Administration):
    """One cmdlet call."""

    def on_post(self, request: falcon.Request, response: falcon.Response, version: str, tenant: str) -> None:
        """Run the cmdlet that the body names; only ``beta`` answers."""
        if version.casefold() != "beta":
            raise WireError(405, headers={"Allow": "GET"})
        claims = self._claims(request, tenant)
        raw = request.bounded_stream.read()
        given = _input(raw)
        self._refuse_by_weather(given.name)
        now = self._context.clock.now()
        cmdlet = CMDLETS.get(given.name.casefold())
        with self._context.state.transaction() as tx:
            directory = self._directory(tx, tenant)
            _check_anchor(request.get_header("X-AnchorMailbox"), directory)
            caller = _caller(claims, directory)
            if not caller.rights:
                raise replies.empty_forbidden()
            if cmdlet is None or cmdlet.right not in caller.rights:
                raise replies.nul_forbidden()
            outcome = self._run(cmdlet, given, directory, caller, now)
            store.apply(tx, directory.organization.tenant_id, outcome)
        self._answer(request, response, cmdlet, outcome, raw=raw, now=now)

    def _run(self, cmdlet: Cmdlet, given: _Input, directory: Directory, caller: Caller, now: datetime) -> Outcome:
        try:
            bound = bind(cmdlet.parameters, given.parameters)
            outcome = cmdlet.run(
                Call(
                    cmdlet=cmdlet.name,
                    parameters=bound,
                    directory=directory,
                    caller=caller,
                    now=now,
                    weather=self._weather,
                )
            )
        except CmdletError as error:
            raise replies.cmdlet_failed(error) from error
        return Outcome() if bound.what_if else outcome

    def _refuse_by_weather(self, operation: str) -> None:
        refusal = self._weather.refusal(operation)
        if refusal is None:
            return
        if refusal.kind is RefusalKind.NUL_BODY:
            raise replies.nul_forbidden()
        if refusal.kind is RefusalKind.EMPTY_FORBIDDEN:
            raise replies.empty_forbidden()
        if refusal.kind is RefusalKind.THROTTLED:
            raise replies.throttled(refusal.wait, self._context.clock.now())
        seconds = {} if refusal.wait is None else {"Retry-After": str(max(1, round(refusal.wait.total_seconds())))}
        raise WireError(503, headers={"request-id": str(uuid.uuid4()), **seconds})

    def _answer(
        self,
        request: falcon.Request,
        response: falcon.Response,
        cmdlet: Cmdlet,
        outcome: Outcome,
        *,
        raw: bytes,
        now: datetime,
    ) -> None:
        _common_headers(request, response, now)
        verb = cmdlet.name.partition("-")[0]
        # A success without output comes in three forms (facts/exchange.md 2); each verb shows one of them.
        if verb == "Remove":
            response.status = falcon.HTTP_204
            return
        response.content_type = replies.JSON_TYPE
        if verb == "Add":
            response.data = b""
            return
        rows = replies.select(outcome.rows, request.get_param("$select"))
        page, link = _page(request, rows, raw=raw, now=now)
        root = f"{request.prefix}{request.path.rpartition('/')[0]}"
        response.data = replies.collection(
            page,
            context_url=f"{root}/$metadata#Collection(Exchange.GenericHashTable)",
            warnings=outcome.warnings,
            next_link=link,
        )
        if outcome.warnings:
            response.set_header("X-Warnings", ";".join(outcome.warnings))


class ModuleFileResource(_Administration):
    """The caller's own cmdlet list (facts/exchange.md 3)."""

    def on_get(self, request: falcon.Request, response: falcon.Response, version: str, tenant: str) -> None:
        """The names that the caller may run, comma-separated; asked with the header ``CommandName: *``."""
        if version.casefold() != "v1.0":
            raise WireError(404)
        claims = self._claims(request, tenant)
        if not request.get_param("Version") or request.get_header("CommandName") != "*":
            raise replies.bad_request("The module file is asked by Version and CommandName.")
        with self._context.state.transaction(write=False) as tx:
            caller = _caller(claims, self._directory(tx, tenant))
        if not caller.rights:
            raise replies.empty_forbidden()
        names = sorted(cmdlet.name for cmdlet in CMDLETS.values() if cmdlet.right in caller.rights)
        _common_headers(request, response, self._context.clock.now())
        response.content_type = replies.JSON_TYPE
        root = f"{request.prefix}{request.path.rpartition('/')[0]}"
        response.data = replies.collection(
            [{"exportedCmdlets": ",".join(names)}], context_url=f"{root}/$metadata#EXOModuleFile"
        )


def _input(raw: bytes) -> _Input:
    try:
        body = json.loads(raw)
        given = body["CmdletInput"]
        name, parameters = given["CmdletName"], given.get("Parameters") or {}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise replies.bad_request("The request has no CmdletInput.") from None
    if not isinstance(name, str) or not isinstance(parameters, dict):
        raise replies.bad_request("CmdletName must be text and Parameters an object.")
    return _Input(name=name, parameters=parameters)


def _caller(claims: Claims, directory: Directory) -> Caller:
    return Caller(
        app_only=claims.is_app_only,
        object_id=claims.object_id,
        upn=claims.user_principal_name or "",
        rights=rights.rights_of(claims, directory.organization.administrators),
    )


def _check_anchor(anchor: str | None, directory: Directory) -> None:
    """The routing hint is optional, but where there is one it must be of a known form and lead into this tenant.

    That Exchange refuses a foreign anchor, and how, is unverified; a client that sends one is wrong either way.
    """
    if not anchor:
        return
    match = _ANCHOR.fullmatch(anchor.strip())
    organization = directory.organization
    homes = {domain.casefold() for domain in (organization.tenant_id, *organization.domains)}
    if match is None or match["where"].casefold() not in homes:
        raise replies.bad_request("The anchor mailbox can't be found in this organization.")


def _page(request: falcon.Request, rows: list[Row], *, raw: bytes, now: datetime) -> tuple[list[Row], str | None]:
    """The rows of one page and the link to the next one."""
    prefer = _PAGE.search(request.get_header("Prefer") or "")
    size = max(1, int(prefer[1])) if prefer else _DEFAULT_PAGE
    token = request.get_param("$skiptoken")
    start = replies.read_token(token, body=raw, now=now) if token else 0
    end = start + size
    if end >= len(rows):
        return rows[start:], None
    chosen = request.get_param("$select")
    query = f"%24skiptoken={replies.next_token(end, body=raw, now=now)}" + (f"&%24select={chosen}" if chosen else "")
    return rows[start:end], f"{request.prefix}{request.path}?{query}"


def _common_headers(request: falcon.Request, response: falcon.Response, now: datetime) -> None:
    response.set_header("OData-Version", "4.0")
    response.set_header("request-id", str(uuid.uuid4()))
    sent = request.get_header("client-request-id")
    if sent:
        response.set_header("client-request-id", sent)
    for name, value in replies.rate_headers(now + timedelta(seconds=15)).items():
        response.set_header(name, value)
