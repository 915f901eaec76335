"""The simulated tenant as one WSGI application: login, Graph, Exchange administration and EWS on one origin.

It owns what the services share: the context they are given, who gets which path, and how a `WireError` becomes a reply.

A service is a package with ``add_routes(app: App, context: AppContext)``; Exchange's two take their weather as well.
It may

- add falcon resources: ``app.add_route("/EWS/Exchange.asmx", MailResource(context))``, or a sink for paths that are no
  URI templates;
- read and write state, one transaction a request: ``with context.state.transaction() as tx`` (``write=False`` for a
  request that only reads). Never open a second one inside it;
- check the caller before that: ``claims = context.tokens.verify(req.get_header("Authorization"), audiences=...)``,
  with its own 401 for `TokenRefused`;
- end the request from anywhere with a `WireError`.

Paths: ``/{tenant}/oauth2/...`` and ``/{tenant}/v2.0/...`` are login's, ``/v1.0`` and ``/beta`` Graph's,
``/adminapi`` and ``/EWS`` Exchange's; ``/metadata/identity`` and ``/msi`` are the identity endpoints of
an Azure machine, ``/metadata/endpoints``, ``/tenants`` and ``/subscriptions`` Azure Resource Manager's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from email.utils import format_datetime
from typing import TYPE_CHECKING

import falcon

from mimapp.sandbox import ews, exchange, graph, login, managed_identity, resource_manager
from mimapp.sandbox.conditions import Conditions
from mimapp.sandbox.errors import WireError
from mimapp.sandbox.tokens import TokenService

if TYPE_CHECKING:
    from mimapp.sandbox.clock import Clock
    from mimapp.sandbox.state import State

__all__ = ["App", "AppContext", "create_app"]

App = falcon.App[falcon.Request, falcon.Response]
"""The WSGI application's type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppContext:
    """What every service is given.

    Attributes:
        state: the documents of the tenants.
        clock: the time.
        tokens: issues and verifies access tokens.
        conditions: how the services behave: calm, or with faults and delays.
        origin: scheme, host and port under which clients reach the app, without a final slash.
    """

    state: State
    clock: Clock
    tokens: TokenService
    origin: str
    conditions: Conditions = field(default_factory=Conditions)


def create_app(state: State, *, clock: Clock, origin: str, conditions: Conditions | None = None) -> App:
    """The WSGI application over this state.

    Args:
        state: what the tenants hold; seeded already.
        clock: the time that the services go by.
        origin: the URL that clients use, such as ``https://127.0.0.1:8443``.
        conditions: the weather; calm without it. The state should have the same ones as its lag.
    """
    used = conditions or Conditions()
    context = AppContext(
        state=state,
        clock=clock,
        tokens=TokenService(state, clock=clock),
        origin=origin.rstrip("/"),
        conditions=used,
    )
    app = falcon.App()
    app.req_options.strip_url_path_trailing_slash = True
    app.add_error_handler(WireError, _send)
    app.add_middleware(_Dated(clock))
    app.add_middleware(_Announced(used))
    login.add_routes(app, context)
    managed_identity.add_routes(app, context)
    resource_manager.add_routes(app, context)
    graph.add_routes(app, context)
    exchange.add_routes(app, context, used.exchange)
    ews.add_routes(app, context, used.exchange)
    return app


class _Dated:
    """Every reply says when it was made, as all recorded ones do."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def process_response(
        self, _request: falcon.Request, response: falcon.Response, _resource: object, _succeeded: object
    ) -> None:
        """Falcon's form of a middleware; the name is its own."""
        response.set_header("Date", format_datetime(self._clock.now(), usegmt=True))


class _Announced:
    """The weather hears of every request before a service does."""

    def __init__(self, conditions: Conditions) -> None:
        self._conditions = conditions

    def process_request(self, request: falcon.Request, _response: falcon.Response) -> None:
        """Falcon's form of a middleware; the name is its own."""
        self._conditions.begin(f"{request.method} {request.relative_uri}")


def _send(_request: falcon.Request, response: falcon.Response, error: Exception, _params: dict[str, object]) -> None:
    if not isinstance(error, WireError):
        raise error
    response.status = falcon.code_to_http_status(error.status)
    response.data = error.body
    response.content_type = error.content_type or ("application/json" if error.body else "")
    response.set_headers(error.headers)
