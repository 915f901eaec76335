"""The operator's sign-in: which credential, for which service, with which client and which scopes.

Graph and Exchange are chosen apart, because a method may reach one and not the other, and because two people may have
to sign in. What each method reaches is in docs/sign-in.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from mimapp.errors import UsageError
from mimapp.identity.adapters import LoginSender
from mimapp.identity.bearer import Bearer
from mimapp.identity.person import DeviceCode, DeviceCodeSignIn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from azure.core.credentials import TokenCredential

    from mimapp.clouds import Cloud
    from mimapp.secret import Secret
    from mimapp.transport import Http

__all__ = ["EXCHANGE_CLIENT_ID", "GRAPH_CLIENT_ID", "Method", "OperatorSignIn", "SignInOptions"]

GRAPH_CLIENT_ID = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
"""Microsoft Graph Command Line Tools. ``.default`` gives only what was consented before: ask for named scopes."""
EXCHANGE_CLIENT_ID = "fb78d390-0c51-40cd-8e17-fdbfab77341b"
"""Microsoft Exchange REST API Based Powershell, the client of Connect-ExchangeOnline."""

_DEFAULT = "/.default"


class Method(StrEnum):
    """How an operator signs in; the values are what ``--auth`` takes."""

    DEVICE_CODE = "device-code"
    CLIENT_SECRET = "client-secret"  # noqa: S105 - the name of a method


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInOptions:
    """How to sign in to one service.

    Attributes:
        method: the way.
        client_id: the client application; None takes Microsoft's own, where the method allows it.
        secret: the client secret of `Method.CLIENT_SECRET`.
        credential: a credential to use as it is; `method` then does not matter.
    """

    method: Method = Method.DEVICE_CODE
    client_id: str | None = None
    secret: Secret | None = None
    credential: TokenCredential | None = None


class OperatorSignIn:
    """Makes the senders through which the rooms above talk to Graph and Exchange.

    Nobody is asked anything until the first request is sent.

    Args:
        http: the client of the run.
        cloud: where to sign in, and what for.
        tenant: the tenant's GUID, or one of its domains.
        tenant_id: the tenant's GUID, where it is known; tokens of another tenant are refused.
        graph: how to sign in to Microsoft Graph.
        exchange: how to sign in to Exchange.
        show_code: tells a person the device code.
    """

    def __init__(
        self,
        http: Http,
        cloud: Cloud,
        *,
        tenant: str,
        tenant_id: str | None = None,
        graph: SignInOptions,
        exchange: SignInOptions,
        show_code: Callable[[DeviceCode], None],
    ) -> None:
        self._http = http
        self._cloud = cloud
        self._tenant = tenant
        self._tenant_id = tenant_id
        self._graph = graph
        self._exchange = exchange
        self._show_code = show_code

    def graph(self, permissions: Sequence[str] = ()) -> Bearer:
        """Sends to Microsoft Graph.

        Args:
            permissions: names of the delegated permissions that the work needs, such as
                ``Application.ReadWrite.All``; only a person's sign-in asks for them by name.
        """
        what = "Microsoft Graph"
        scopes: tuple[str, ...] = (self._cloud.graph_scope,)
        if self._graph.credential is None and self._graph.method is Method.DEVICE_CODE and permissions:
            resource = self._cloud.graph_scope.removesuffix(_DEFAULT)
            scopes = tuple(f"{resource}/{name}" for name in permissions)
        credential = self._credential(self._graph, GRAPH_CLIENT_ID, what)
        return Bearer(self._http, credential, scopes, tenant_id=self._tenant_id, what=what)

    def exchange(self) -> Bearer:
        """Sends to Exchange Online's admin REST."""
        what = "Exchange Online"
        credential = self._credential(self._exchange, EXCHANGE_CLIENT_ID, what)
        return Bearer(self._http, credential, (self._cloud.exchange_scope,), tenant_id=self._tenant_id, what=what)

    def _credential(self, options: SignInOptions, default_client: str, what: str) -> TokenCredential:
        if options.credential is not None:
            return options.credential
        if options.method is Method.DEVICE_CODE:
            return DeviceCodeSignIn(
                self._http,
                authority=self._cloud.authority(self._tenant),
                client_id=options.client_id or default_client,
                what=what,
                show=self._show_code,
            )
        if options.client_id is None or options.secret is None:
            raise UsageError(f"sign-in to {what} with a client secret needs the client id and the secret")
        from azure.identity import ClientSecretCredential  # noqa: PLC0415 - late, see the package

        return ClientSecretCredential(self._tenant, options.client_id, options.secret.reveal(), **self._azure_options())

    def _azure_options(self) -> dict[str, Any]:
        from mimapp.identity.azure_adapter import OPTIONS, AzureTransport  # noqa: PLC0415 - imports azure-core

        return {
            **OPTIONS,
            "authority": self._cloud.login,
            # The cloud table is the authority on login hosts; discovery would ask the worldwide cloud's.
            "disable_instance_discovery": True,
            "transport": AzureTransport(LoginSender(self._http)),
        }
