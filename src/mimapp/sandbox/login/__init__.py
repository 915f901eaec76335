"""Microsoft Entra sign-in of the sandbox: metadata, keys, tokens, and the pages that a browser opens.

This module is the wire: forms in, JSON or pages out. Rules are in `grants`, `authorize`, `clients`, `assertions`,
`consent` and `adminconsent`, words in `errors` and `assertion_errors`, HTML in `pages`.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from mimapp.sandbox.errors import json_bytes
from mimapp.sandbox.login import adminconsent, authorize, device, errors, metadata, pages
from mimapp.sandbox.login.activity import note_sign_in
from mimapp.sandbox.login.clients import Shown, public_client
from mimapp.sandbox.login.grants import GRANTS, TokenRequest
from mimapp.sandbox.login.residence import residence_of
from mimapp.sandbox.tenants import all_tenants, find_tenant

if TYPE_CHECKING:
    import falcon

    from mimapp.sandbox.app import App, AppContext
    from mimapp.sandbox.state import Transaction
    from mimapp.sandbox.tenants import Tenant

__all__ = ["add_routes"]

_ANY_TENANT = frozenset({"common", "organizations"})


def add_routes(app: App, context: AppContext) -> None:
    """Register the sign-in endpoints of every tenant."""
    app.add_route("/{tenant}/v2.0/.well-known/openid-configuration", _Metadata(context))
    app.add_route("/{tenant}/discovery/v2.0/keys", _Keys(context))
    app.add_route("/common/discovery/instance", _Instance(context))
    app.add_route("/{tenant}/oauth2/v2.0/authorize", _Authorize(context))
    app.add_route("/{tenant}/oauth2/v2.0/token", _Token(context))
    app.add_route("/{tenant}/oauth2/v2.0/devicecode", _DeviceCode(context))
    app.add_route("/{tenant}/oauth2/deviceauth", _DevicePage(context))
    app.add_route("/{tenant}/adminconsent", _ConsentPage(context))
    app.add_route("/{tenant}/v2.0/adminconsent", _ConsentPage(context))


class _Resource:
    def __init__(self, context: AppContext) -> None:
        self.context = context

    def tenant(self, tx: Transaction, name: str) -> Tenant:
        """The tenant of the path; ``common`` and ``organizations`` mean the first one, where everybody here works."""
        found = all_tenants(tx)[0] if name.casefold() in _ANY_TENANT else find_tenant(tx, name)
        if found is None:
            raise errors.tenant_unknown(name)
        return found

    def refuse(self, request: falcon.Request, error: errors.LoginError) -> errors.LoginError:
        """The same error with what only the request knows."""
        asked = request.get_header("client-request-id") or str(uuid.uuid4())
        error.stamp(now=self.context.clock.now().timestamp(), correlation_id=asked, origin=self.context.origin)
        return error

    def asked_for(self, request: falcon.Request) -> errors.LoginError | None:
        """The refusal that a fault of the weather asks for, if one is due."""
        code = self.context.conditions.sign_in_refusal(request.method, request.path)
        if code is not None:
            return errors.asked_for(code)
        refusal = self.context.conditions.fault(request.method, request.path)
        return None if refusal is None else errors.temporarily_unavailable(refusal)

    def stop_by_weather(self, request: falcon.Request) -> None:
        """End the request where a fault asks for it.

        Raises:
            LoginError: it does.
        """
        asked = self.asked_for(request)
        if asked is not None:
            raise asked

    def show(self, response: falcon.Response, page: str, status: int = 200) -> None:
        response.status = status
        response.content_type = "text/html; charset=utf-8"
        response.text = page

    def send(self, response: falcon.Response, body: object) -> None:
        response.data = json_bytes(body)
        response.content_type = "application/json; charset=utf-8"
        response.set_headers(
            {
                "Cache-Control": "no-store, no-cache",
                "Pragma": "no-cache",
                "x-ms-request-id": str(uuid.uuid4()),
                "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
            }
        )


class _Metadata(_Resource):
    def on_get(self, request: falcon.Request, response: falcon.Response, tenant: str) -> None:
        try:
            self.stop_by_weather(request)
            with self.context.state.transaction(write=False) as tx:
                found = self.tenant(tx, tenant)
                body = metadata.openid_configuration(self.context.origin, found.id, residence_of(tx, found))
        except errors.LoginError as error:
            raise self.refuse(request, error) from None
        self.send(response, body)


class _Keys(_Resource):
    def on_get(self, _request: falcon.Request, response: falcon.Response, tenant: str) -> None:  # noqa: ARG002 - all tenants share the key
        self.send(response, self.context.tokens.key_set())


class _Instance(_Resource):
    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        endpoint = urlsplit(request.get_param("authorization_endpoint", default=""))
        if f"{endpoint.scheme}://{endpoint.netloc}".casefold() != self.context.origin.casefold():
            raise self.refuse(request, errors.LoginError(50049, "invalid_instance", "Unknown or invalid instance."))
        self.send(response, metadata.instance_discovery(self.context.origin, endpoint.path.split("/")[1]))


class _Token(_Resource):
    def on_post(self, request: falcon.Request, response: falcon.Response, tenant: str) -> None:
        form = _form(request)
        try:
            self.stop_by_weather(request)
            grant = form.get("grant_type")
            if not grant:
                raise errors.parameter_missing("grant_type")
            if grant not in GRANTS:
                raise errors.invalid_grant_type(grant)
            with self.context.state.transaction(write=grant != "client_credentials") as tx:
                found = self.tenant(tx, tenant)
                body = GRANTS[grant](TokenRequest(context=self.context, tx=tx, tenant=found, form=form))
            if grant == "client_credentials":
                note_sign_in(self.context, found, form)
        except errors.LoginError as error:
            raise self.refuse(request, error) from None
        self.send(response, body)


class _DeviceCode(_Resource):
    def on_post(self, request: falcon.Request, response: falcon.Response, tenant: str) -> None:
        form = _form(request)
        try:
            self.stop_by_weather(request)
            if not form.get("client_id"):
                raise errors.parameter_missing("client_id")
            with self.context.state.transaction() as tx:
                found = self.tenant(tx, tenant)
                client = public_client(tx, found, form["client_id"], Shown.of(form, origin=self.context.origin))
                body = device.begin(
                    tx, found, client_id=client.app_id, scope=form.get("scope", ""), origin=self.context.origin
                )
        except errors.LoginError as error:
            raise self.refuse(request, error) from None
        self.send(response, body)


class _DevicePage(_Resource):
    """The sandbox's own page in place of microsoft.com/devicelogin: no password, any user of the tenant."""

    def on_get(self, _request: falcon.Request, response: falcon.Response, tenant: str) -> None:
        self.show(response, pages.device_page(tenant))

    def on_post(self, request: falcon.Request, response: falcon.Response, tenant: str) -> None:  # noqa: ARG002 - the code names its tenant
        form = _form(request)
        with self.context.state.transaction() as tx:
            done = device.approve(tx, user_code=form.get("user_code", ""), user_name=form.get("username", ""))
        response.status = 200 if done else 400
        response.content_type = "text/plain; charset=utf-8"
        response.text = "Signed in: go back to the application." if done else "No such code, or no such user."


class _Authorize(_Resource):
    """A browser signs a person in, and goes back to the client that sent it."""

    def on_get(self, request: falcon.Request, response: falcon.Response, tenant: str) -> None:
        self._answer(request, response, tenant, {})

    def on_post(self, request: falcon.Request, response: falcon.Response, tenant: str) -> None:
        self._answer(request, response, tenant, _form(request))

    def _answer(self, request: falcon.Request, response: falcon.Response, tenant: str, person: dict[str, str]) -> None:
        try:
            with self.context.state.transaction() as tx:
                found = self.tenant(tx, tenant)
                asked = authorize.AuthorizeRequest(
                    tx=tx,
                    tenant=found,
                    query=_query(request),
                    origin=self.context.origin,
                    asked_for=self.asked_for(request),
                    person=person,
                )
                outcome = authorize.answer(asked)
        except errors.LoginError as error:
            self.show(response, pages.message(self.refuse(request, error).description), error.status)
            return
        if isinstance(outcome, authorize.AskPerson):
            page = pages.sign_in_page(
                client=outcome.client,
                tenant=found.display_name,
                user=outcome.user,
                scope=outcome.scope,
                problem=outcome.problem,
            )
            self.show(response, page)
            return
        self._send_back(request, response, outcome)

    def _send_back(self, request: falcon.Request, response: falcon.Response, outcome: authorize.SendBack) -> None:
        if outcome.refusal is not None:
            refusal = self.refuse(request, outcome.refusal)
            said = {"error": refusal.error, "error_description": refusal.description}
            outcome = replace(outcome, fields={**said, **outcome.fields})
        if outcome.mode == "form_post":
            self.show(response, pages.form_post(outcome.address, outcome.fields))
            return
        response.status = 302
        response.set_header("Location", outcome.location)


class _ConsentPage(_Resource):
    """Admin consent: a browser is sent back, or stays on a page that says why not."""

    def on_get(self, request: falcon.Request, response: falcon.Response, tenant: str) -> None:
        try:
            with self.context.state.transaction() as tx:
                asked = adminconsent.ConsentRequest(
                    tx=tx,
                    tenant=self.tenant(tx, tenant),
                    named=tenant,
                    is_v2="/v2.0/" in request.path,
                    query=_query(request),
                    origin=self.context.origin,
                )
                back = adminconsent.answer(asked)
        except errors.LoginError as error:
            self.show(response, pages.message(error.description), error.status)
            return
        if back is None:
            # The consent is given; that this page comes after it, and not before, is [unverified].
            self.show(response, pages.message("AADSTS500113: No reply address is registered for the application."), 400)
            return
        response.status = 302
        response.set_header("Location", back)


def _query(request: falcon.Request) -> dict[str, str]:
    return dict(parse_qsl(request.query_string, keep_blank_values=True))


def _form(request: falcon.Request) -> dict[str, str]:
    text = request.bounded_stream.read().decode("utf-8", errors="replace")
    return dict(parse_qsl(text, keep_blank_values=True))
