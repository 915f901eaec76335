"""The managed identity of a simulated Azure machine: the endpoints that only programs on that machine reach.

- a virtual machine's, ``/metadata/identity/oauth2/token`` ("How to use managed identities for Azure resources on an
  Azure VM to acquire an access token"), which wants the header ``Metadata: true``;
- App Service's, ``/msi/token`` ("How to use managed identities for App Service and Azure Functions", REST endpoint
  reference), which wants the secret of ``IDENTITY_HEADER`` in ``X-IDENTITY-HEADER``.

The real ones speak plain http on an address of the machine alone. Here they answer on the sandbox's own origin, for
the one identity that `seed` gives the tenant; sandboxes that were made before have none, and say so. Tokens last an
hour and not a day. Statuses and words of the refusals are [unverified], but for those that the pages above list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.sandbox.errors import WireError, json_bytes
from mimapp.sandbox.login import issue, scopes
from mimapp.sandbox.login.clients import Client
from mimapp.sandbox.login.errors import LoginError
from mimapp.sandbox.shapes import MANAGED_IDENTITY
from mimapp.sandbox.tenants import all_tenants

if TYPE_CHECKING:
    import falcon

    from mimapp.sandbox.app import App, AppContext
    from mimapp.sandbox.state import Document, Record, Transaction
    from mimapp.sandbox.tenants import Tenant

__all__ = ["APP_SERVICE_PATH", "IDENTITY_HEADER", "MACHINE_PATH", "add_routes"]

MACHINE_PATH = "/metadata/identity/oauth2/token"
APP_SERVICE_PATH = "/msi/token"
IDENTITY_HEADER = "sandbox-identity-header"
"""What ``IDENTITY_HEADER`` holds; public, as the operator's secret is."""

_LIFETIME_SECONDS = 3599
_NAMES = ("client_id", "object_id", "msi_res_id", "mi_res_id", "principal_id")


def add_routes(app: App, context: AppContext) -> None:
    """Register both endpoints."""
    app.add_route(MACHINE_PATH, _Machine(context))
    app.add_route(APP_SERVICE_PATH, _AppService(context))


class _Endpoint:
    """What both have in common.

    Attributes:
        version: the ``api-version`` that is answered.
    """

    version: str

    def __init__(self, context: AppContext) -> None:
        self.context = context

    def refuse_stranger(self, request: falcon.Request) -> None:
        """End a request that does not show what only programs on the machine know."""
        raise NotImplementedError

    def body(self, token: str, resource: str, client_id: str, expires: int) -> Document:
        """The reply."""
        raise NotImplementedError

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        self.refuse_stranger(request)
        if request.get_param("api-version") != self.version:
            raise _refusal(400, "invalid_request", f"The api-version has to be {self.version}")
        resource = request.get_param("resource", default="")
        if not resource:
            raise _refusal(400, "invalid_request", "Required query variable 'resource' is missing")
        with self.context.state.transaction(write=False) as tx:
            tenant = all_tenants(tx)[0]
            token, client_id = self._token(tx, tenant, request, resource)
        _, expires = self.context.tokens.lifetime()
        response.data = json_bytes(self.body(token, resource, client_id, expires))
        response.content_type = "application/json; charset=utf-8"

    def _token(self, tx: Transaction, tenant: Tenant, request: falcon.Request, resource: str) -> tuple[str, str]:
        principal = _identity(tx, tenant, request)
        try:
            wanted = scopes.of_resource(resource, origin=self.context.origin, tenant=tenant)
        except LoginError as error:
            raise _refusal(400, "invalid_resource", f"AADSTS{error.code}: {error.text}") from error
        client = Client(
            app_id=principal.body["appId"],
            name=principal.body["displayName"],
            service_principal=principal,
            proof="2",
            is_microsofts=False,
        )
        return issue.application_token(self.context, tx, tenant, client, wanted), client.app_id


class _Machine(_Endpoint):
    version = "2018-02-01"

    def refuse_stranger(self, request: falcon.Request) -> None:
        """Without the header a forwarded request could steal a token."""
        if (request.get_header("Metadata") or "").casefold() != "true":
            raise _refusal(400, "invalid_request", "Required metadata header not specified")
        if request.get_header("X-Forwarded-For"):
            raise _refusal(400, "invalid_request", "A request with X-Forwarded-For is not answered")

    def body(self, token: str, resource: str, client_id: str, expires: int) -> Document:
        """All values are text here."""
        return {
            "access_token": token,
            "client_id": client_id,
            "expires_in": str(_LIFETIME_SECONDS),
            "expires_on": str(expires),
            "ext_expires_in": str(_LIFETIME_SECONDS),
            "not_before": str(expires - _LIFETIME_SECONDS),
            "resource": resource,
            "token_type": "Bearer",
        }


class _AppService(_Endpoint):
    version = "2019-08-01"

    def refuse_stranger(self, request: falcon.Request) -> None:
        """Only the application's own processes know the header."""
        if request.get_header("X-IDENTITY-HEADER") != IDENTITY_HEADER:
            raise _refusal(401, "invalid_request", "The X-IDENTITY-HEADER is missing or wrong")

    def body(self, token: str, resource: str, client_id: str, expires: int) -> Document:
        """As text too, and less of it."""
        return {
            "access_token": token,
            "expires_on": str(expires),
            "resource": resource,
            "token_type": "Bearer",
            "client_id": client_id.upper(),
        }


def _identity(tx: Transaction, tenant: Tenant, request: falcon.Request) -> Record:
    """The machine's own identity; one that is named has to be that one."""
    for principal in tx.find(tenant.id, "servicePrincipal", servicePrincipalType=MANAGED_IDENTITY):
        known = {principal.body["appId"], principal.id, *principal.body["alternativeNames"]}
        named = [value for name in _NAMES if (value := request.get_param(name))]
        if all(value.casefold() in {one.casefold() for one in known} for value in named):
            return principal
    raise _refusal(400, "invalid_request", "Identity not found")


def _refusal(status: int, error: str, text: str) -> WireError:
    body = {"error": error, "error_description": text}
    return WireError(status, json_bytes(body), content_type="application/json; charset=utf-8")
