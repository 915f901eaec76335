"""``POST /EWS/Exchange.asmx``: the token is checked, the rules of access asked, the operation run.

In this order, as far as facts/ews.md tells it: the token (401), whether EWS answers at all (403 with a policy
reason), what the token may do (403 with diagnostics), whom it acts as (fault), which mailbox it may open (bare 403 or
fault). Only app-only access is known here: a delegated token finds no right.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

import falcon

from mimapp.sandbox.errors import TokenRefused, WireError
from mimapp.sandbox.ews import errors, soap
from mimapp.sandbox.ews.folders import get_folder
from mimapp.sandbox.ews.items import create_item, delete_item, find_item
from mimapp.sandbox.ews.mailstore import MailStore
from mimapp.sandbox.ews.session import Session
from mimapp.sandbox.exchange import store
from mimapp.sandbox.exchange.access import AccessRequest, Verdict, VerdictKind, ews_gate, mailbox_of, may_access
from mimapp.sandbox.exchange.weather import RefusalKind
from mimapp.sandbox.tokens import EXCHANGE_AUDIENCES

if TYPE_CHECKING:
    from collections.abc import Callable
    from xml.etree import ElementTree as ET

    from mimapp.sandbox.app import AppContext
    from mimapp.sandbox.exchange.models import Directory
    from mimapp.sandbox.exchange.weather import Weather
    from mimapp.sandbox.state import Transaction
    from mimapp.sandbox.tokens import Claims

__all__ = ["ExchangeAsmxResource"]

_XML = "text/xml; charset=utf-8"
_BACK_OFF = timedelta(minutes=5)
_OPERATIONS: dict[str, Callable[[ET.Element, Session], list[ET.Element]]] = {
    "GetFolder": get_folder,
    "CreateItem": create_item,
    "FindItem": find_item,
    "DeleteItem": delete_item,
}


class ExchangeAsmxResource:
    """The one address of EWS."""

    def __init__(self, context: AppContext, weather: Weather) -> None:
        self._context = context
        self._weather = weather

    def on_post(self, request: falcon.Request, response: falcon.Response) -> None:
        """Answer one SOAP request."""
        response.content_type = _XML
        response.set_header("request-id", str(uuid.uuid4()))
        try:
            response.data = self._answer(request)
        except errors.SoapFault as problem:
            response.status = falcon.HTTP_500
            response.data = soap.fault(problem)

    def _answer(self, request: falcon.Request) -> bytes:
        try:
            claims = self._context.tokens.verify(request.get_header("Authorization"), audiences=EXCHANGE_AUDIENCES)
        except TokenRefused as refused:
            raise errors.unauthorized() from refused
        call = soap.read(request.bounded_stream.read())
        self._refuse_by_weather(call.operation)
        with self._context.state.transaction() as tx:
            directory = store.load(tx, claims.tenant_id)
            if directory is None:
                raise errors.unauthorized()
            session = self._opened(tx, directory, claims, call, request.get_header("User-Agent") or "")
            operation = _OPERATIONS.get(call.operation)
            if operation is None:
                # Exchange knows many more; the sandbox refuses them as it would a misspelt one.
                raise errors.SoapFault("ErrorSchemaValidation", "The request failed schema validation.")
            messages = soap.element("m:ResponseMessages", *operation(call.body, session))
            return soap.envelope(soap.element(f"m:{call.operation}Response", messages))

    def _opened(
        self, tx: Transaction, directory: Directory, claims: Claims, call: soap.SoapCall, agent: str
    ) -> Session:
        """The mailbox that the request may open; the refusal otherwise."""
        named = call.impersonated
        address = _address(directory, named) if named is not None else ""
        asked = AccessRequest(
            app_id=claims.app_id,
            mailbox=address,
            moment=self._context.clock.now(),
            roles=claims.roles if claims.is_app_only else frozenset(),
            user_agent=agent,
        )
        verdict = _without_mailbox(directory, asked) if named is None else may_access(directory, asked)
        if not verdict.granted:
            shown = named.value if named is not None else ""
            raise errors.refused(verdict.kind, shown)
        mailbox = mailbox_of(directory, address)
        if mailbox is None:
            raise errors.missing_impersonation()
        return Session(
            operation=call.operation,
            mailbox=mailbox,
            directory=directory,
            mail=MailStore(tx, claims.tenant_id),
            now=asked.moment,
        )

    def _refuse_by_weather(self, operation: str) -> None:
        refusal = self._weather.refusal(f"EWS {operation}")
        if refusal is None:
            return
        if refusal.kind in {RefusalKind.SERVER_BUSY, RefusalKind.THROTTLED}:
            raise errors.server_busy(refusal.wait or _BACK_OFF)
        if refusal.kind is RefusalKind.UNAVAILABLE:
            raise WireError(503)
        raise WireError(403)


def _without_mailbox(directory: Directory, asked: AccessRequest) -> Verdict:
    """What is decided before anybody looks at the impersonation: whether EWS answers, and whether there is a right."""
    closed = ews_gate(directory, asked, None)
    if closed is not None:
        return Verdict(kind=closed)
    anybody = may_access(directory, asked)
    return anybody if anybody.kind is VerdictKind.NO_RIGHT else Verdict(kind=VerdictKind.GRANTED)


def _address(directory: Directory, named: soap.Impersonated) -> str:
    """The address to look for; empty where the form does not fit: a primary address must be one, a UPN must be one."""
    found = mailbox_of(directory, named.value)
    if found is None:
        return ""
    value = named.value.casefold()
    fits = {
        "SmtpAddress": value in {address.casefold() for address in found.addresses},
        "PrimarySmtpAddress": value == found.primary.casefold(),
        "PrincipalName": value == found.upn.casefold(),
    }
    return named.value if fits[named.form] else ""
