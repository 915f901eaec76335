"""Azure Resource Manager, as far as Azure CLI asks it on the way to Graph: where everything is, and whose tenants.

- ``/metadata/endpoints``, which ``az cloud register --endpoint-resource-manager URL`` reads. Members: what azure-cli's
  ``core/cloud.py`` takes from it; only those that this tenant has a service for are there.
- ``/tenants`` and ``/subscriptions`` ("Tenants - List", "Subscriptions - List"), which ``az login`` asks. A simulated
  tenant has no subscription, so the CLI has to be content with the tenant: ``--allow-no-subscriptions``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.sandbox import catalog
from mimapp.sandbox.errors import TokenRefused, WireError, json_bytes
from mimapp.sandbox.tenants import find_tenant

if TYPE_CHECKING:
    import falcon

    from mimapp.sandbox.app import App, AppContext
    from mimapp.sandbox.state import Document
    from mimapp.sandbox.tokens import Claims

__all__ = ["add_routes"]

_AUDIENCE = "https://management.core.windows.net/"
_AUDIENCES = frozenset(
    {catalog.AZURE_MANAGEMENT.audience, f"{catalog.AZURE_MANAGEMENT.audience}/", catalog.AZURE_MANAGEMENT.app_id}
)


def add_routes(app: App, context: AppContext) -> None:
    """Register what Azure CLI asks."""
    app.add_route("/metadata/endpoints", _Endpoints(context))
    app.add_route("/tenants", _Tenants(context))
    app.add_route("/subscriptions", _Subscriptions(context))


class _Resource:
    def __init__(self, context: AppContext) -> None:
        self.context = context

    def caller(self, request: falcon.Request) -> Claims:
        try:
            return self.context.tokens.verify(request.get_header("Authorization"), audiences=_AUDIENCES)
        except TokenRefused as refused:
            raise _unauthorized(refused.reason) from None

    def send(self, response: falcon.Response, body: Document) -> None:
        response.data = json_bytes(body)
        response.content_type = "application/json; charset=utf-8"


class _Endpoints(_Resource):
    def on_get(self, _request: falcon.Request, response: falcon.Response) -> None:
        origin = self.context.origin
        self.send(
            response,
            {
                "name": "MimappSandbox",
                "authentication": {
                    "loginEndpoint": origin,
                    "audiences": [_AUDIENCE, f"{catalog.AZURE_MANAGEMENT.audience}/"],
                    "tenant": "common",
                    "identityProvider": "AAD",
                },
                "resourceManager": origin,
                "microsoftGraphResourceId": f"{origin}/",
                "suffixes": {},
            },
        )


class _Tenants(_Resource):
    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        claims = self.caller(request)
        with self.context.state.transaction(write=False) as tx:
            found = find_tenant(tx, claims.tenant_id)
        if found is None:
            raise _unauthorized("audience")
        tenant = {
            "id": f"/tenants/{found.id}",
            "tenantId": found.id,
            "displayName": found.display_name,
            "defaultDomain": found.domain,
            "domains": [found.domain],
            "tenantCategory": "Home",
            "tenantType": "AAD",
        }
        self.send(response, {"value": [tenant]})


class _Subscriptions(_Resource):
    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        self.caller(request)
        self.send(response, {"value": [], "count": {"type": "Total", "value": 0}})


def _unauthorized(reason: str) -> WireError:
    """Code as documented ("Common Azure deployment errors"); the words [unverified]."""
    missing = reason == "missing"
    error = {
        "code": "AuthenticationFailed" if missing else "InvalidAuthenticationToken",
        "message": "Authentication failed. The 'Authorization' header is missing."
        if missing
        else f"The access token is invalid: {reason}.",
    }
    return WireError(
        401,
        json_bytes({"error": error}),
        content_type="application/json; charset=utf-8",
        headers={"WWW-Authenticate": 'Bearer authorization_uri="https://login.microsoftonline.com/common"'},
    )
