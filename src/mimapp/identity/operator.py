"""The operator's sign-in: which credential, for which service, with which client and which scopes.

Graph and Exchange are chosen apart, because a method may reach one and not the other, and because two people may have
to sign in. What each method reaches is in docs/sign-in.md.
"""

from __future__ import annotations

import os
import sys
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mimapp.errors import UsageError
from mimapp.identity.bearer import Bearer
from mimapp.identity.chain import Chain
from mimapp.identity.methods import (
    Built,
    Certificate,
    Method,
    MethodCredential,
    Surroundings,
    azure_cli,
    azure_powershell,
    certificate,
    client_secret,
    environment,
    managed_identity,
    workload_identity,
)
from mimapp.identity.person import BrowserSignIn, Desk, DeviceCode, DeviceCodeSignIn, PersonOptions
from mimapp.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from azure.core.credentials import TokenCredential

    from mimapp.clouds import Cloud
    from mimapp.identity.methods import Builder
    from mimapp.identity.remember import Memory
    from mimapp.transport import Http

__all__ = [
    "AZURE_CLI_CLIENT_ID",
    "EXCHANGE_CLIENT_ID",
    "GRAPH_CLIENT_ID",
    "OperatorSignIn",
    "SignInOptions",
    "person_method",
]

GRAPH_CLIENT_ID = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
"""Microsoft Graph Command Line Tools. ``.default`` gives only what was consented before: ask for named scopes."""
EXCHANGE_CLIENT_ID = "fb78d390-0c51-40cd-8e17-fdbfab77341b"
"""Microsoft Exchange REST API Based Powershell, the client of Connect-ExchangeOnline."""
AZURE_CLI_CLIENT_ID = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
"""Azure CLI; stands in where Microsoft Graph Command Line Tools does not exist. Its permissions are fixed."""

# Graph Command Line Tools is not published in China (tiredithumans' azure_auth, live tests of 2026-09-27); that the
# Azure CLI's client has Graph permissions there is unverified.
_WITHOUT_GRAPH_TOOLS = frozenset({"china"})
_GRAPH = "Microsoft Graph"
_EXCHANGE = "Exchange Online"
_DEFAULT = "/.default"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInOptions:
    """How to sign in to one service.

    Attributes:
        method: the way; `person_method` says how to ask a person on this machine.
        client_id: the client application; None takes Microsoft's own for a person, AZURE_CLIENT_ID for the rest.
        secret: of `Method.CLIENT_SECRET`; None takes AZURE_CLIENT_SECRET.
        certificate: of `Method.CERTIFICATE`; None takes AZURE_CLIENT_CERTIFICATE_PATH and its password variable.
        user: the sign-in name that is expected of a person; None takes whoever comes.
        credential: a credential to use as it is; nothing else then matters.
    """

    method: Method = Method.DEVICE_CODE
    client_id: str | None = None
    secret: Secret | None = None
    certificate: Certificate | None = None
    user: str | None = None
    credential: TokenCredential | None = None


def person_method(environ: Mapping[str, str], platform: str = sys.platform) -> Method:
    """How to ask a person here: `Method.BROWSER` on a desktop, `Method.DEVICE_CODE` without one."""
    if environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"):
        return Method.DEVICE_CODE
    has_desktop = platform in {"win32", "darwin"} or bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))
    return Method.BROWSER if has_desktop else Method.DEVICE_CODE


class OperatorSignIn:
    """Makes the senders through which the rooms above talk to Graph and Exchange.

    Nobody is asked anything until the first request is sent. A person who signs in for one service is known when the
    other asks.

    Args:
        http: the client of the run.
        cloud: where to sign in, and what for.
        tenant: the tenant's GUID, or one of its domains.
        tenant_id: the tenant's GUID, where it is known; tokens of another tenant are refused.
        graph: how to sign in to Microsoft Graph.
        exchange: how to sign in to Exchange.
        show_code: tells a person the device code.
        ask_people: whether ``auto`` may end with asking a person.
        open_browser: opens an address; False when no browser could be started.
        environ: the environment variables.
        memory: where sign-ins of persons are kept between runs; None keeps them in memory.
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
        ask_people: bool = True,
        open_browser: Callable[[str], bool] = webbrowser.open,
        environ: Mapping[str, str] = os.environ,
        memory: Memory | None = None,
    ) -> None:
        self._around = Surroundings(http=http, cloud=cloud, tenant=tenant, environ=environ)
        self._tenant_id = tenant_id
        self._options = {_GRAPH: graph, _EXCHANGE: exchange}
        self._show_code = show_code
        self._ask_people = ask_people
        self._open_browser = open_browser
        self._memory = memory
        self._desk = Desk()
        self._shared: dict[Method, Built] = {}

    def graph(self, permissions: Sequence[str] = ()) -> Bearer:
        """Sends to Microsoft Graph.

        Args:
            permissions: names of the delegated permissions that the work needs, such as
                ``Application.ReadWrite.All``; only a person's sign-in asks for them by name.

        Raises:
            UsageError: the chosen method lacks something that only an option or a variable can give.
        """
        cloud = self._around.cloud
        credential = self._credential(_GRAPH)
        scopes: tuple[str, ...] = (cloud.graph_scope,)
        if self.consent_notice(permissions) is not None:
            resource = cloud.graph_scope.removesuffix(_DEFAULT)
            scopes = tuple(f"{resource}/{name}" for name in permissions)
        return Bearer(self._around.http, credential, scopes, tenant_id=self._tenant_id, what=_GRAPH)

    def exchange(self) -> Bearer:
        """Sends to Exchange Online's admin REST.

        Raises:
            UsageError: as `graph`; or the chosen method counts as reaching Microsoft Graph only.
        """
        credential = self._credential(_EXCHANGE)
        scopes = (self._around.cloud.exchange_scope,)
        return Bearer(self._around.http, credential, scopes, tenant_id=self._tenant_id, what=_EXCHANGE)

    def cancel(self) -> None:
        """Stop waiting for a person, in whichever thread: what waits ends with `CancelledError` within a second."""
        self._desk.closed.set()

    def consent_notice(self, permissions: Sequence[str]) -> str | None:
        """What a person should know before signing in to Graph, or None where no lasting consent is left.

        Microsoft Graph Command Line Tools asks for permissions by name, and what is consented stays in the tenant.
        """
        options = self._options[_GRAPH]
        if options.credential is not None or not options.method.is_person or not permissions:
            return None
        if (options.client_id or self._person_client(_GRAPH)) != GRAPH_CLIENT_ID:
            return None
        return (
            f"Microsoft Graph Command Line Tools asks for {', '.join(permissions)}. A consent that is given now stays "
            "in the tenant after this command (Enterprise applications, Permissions)."
        )

    def _credential(self, what: str) -> TokenCredential:
        options = self._options[what]
        if options.credential is not None:
            return options.credential
        method = options.method
        if method is Method.AUTO:
            return self._chain(what, options)
        if what == _EXCHANGE and method.is_graph_only:
            raise UsageError(
                f"{method} counts as reaching Microsoft Graph only: nobody has proven it for Exchange",
                hint=f"--graph-auth {method} --exchange-auth {person_method(self._around.environ)}",
            )
        return self._by(method, what, options)

    def _chain(self, what: str, options: SignInOptions) -> Chain:
        """Every method that needs nobody, then a person where one may be asked."""
        order = [Method.ENVIRONMENT, Method.WORKLOAD_IDENTITY, Method.MANAGED_IDENTITY]
        order += [Method.AZURE_CLI, Method.AZURE_POWERSHELL]
        left_out: list[tuple[Method, str]] = []
        if what == _EXCHANGE:
            left_out = [(method, "reaches Microsoft Graph only") for method in order if method.is_graph_only]
            order = [method for method in order if not method.is_graph_only]
        asking = person_method(self._around.environ)
        if self._ask_people:
            order.append(asking)
        else:
            left_out.append((asking, "nobody can be asked here"))
        return Chain(what, [(method, self._by(method, what, options)) for method in order], left_out=left_out)

    def _by(self, method: Method, what: str, options: SignInOptions) -> TokenCredential:
        if method.is_person:
            return self._person(method, what, options)
        if self._options[_GRAPH] == self._options[_EXCHANGE]:
            # One credential serves both services, so that Entra is asked about the tenant once.
            shared = self._shared.setdefault(method, Built(self._around.http, self._builder(method, what, options)))
            return MethodCredential(method, what, shared)
        return MethodCredential(method, what, Built(self._around.http, self._builder(method, what, options)))

    def _person(self, method: Method, what: str, options: SignInOptions) -> TokenCredential:
        around = self._around
        asking = PersonOptions(
            authority=around.cloud.authority(around.tenant),
            client_id=options.client_id or self._person_client(what),
            what=what,
            user=options.user,
            desk=self._desk,
            cache=self._memory.cache() if self._memory is not None else None,
        )
        if method is Method.BROWSER:
            return BrowserSignIn(around.http, asking, open_browser=self._open_browser)
        return DeviceCodeSignIn(around.http, asking, show=self._show_code)

    def _person_client(self, what: str) -> str:
        if what == _EXCHANGE:
            return EXCHANGE_CLIENT_ID
        return AZURE_CLI_CLIENT_ID if self._around.cloud.key in _WITHOUT_GRAPH_TOOLS else GRAPH_CLIENT_ID

    def _builder(self, method: Method, what: str, options: SignInOptions) -> Builder:
        around = self._around
        if method is Method.CLIENT_SECRET:
            return client_secret(around, self._client_id(what, options), self._secret(what, options))
        if method is Method.CERTIFICATE:
            return certificate(around, self._client_id(what, options), self._certificate(what, options))
        plain: dict[Method, Builder] = {
            Method.MANAGED_IDENTITY: managed_identity(options.client_id),
            Method.WORKLOAD_IDENTITY: workload_identity(around, options.client_id),
            Method.ENVIRONMENT: environment(around),
            Method.AZURE_CLI: azure_cli(around),
            Method.AZURE_POWERSHELL: azure_powershell(around),
        }
        return plain[method]

    def _client_id(self, what: str, options: SignInOptions) -> str:
        found = options.client_id or self._around.environ.get("AZURE_CLIENT_ID")
        if not found:
            raise UsageError(
                f"sign-in to {what} as an application needs its client id",
                hint="give --client-id, or set AZURE_CLIENT_ID",
            )
        return found

    def _secret(self, what: str, options: SignInOptions) -> Secret:
        found = options.secret or Secret(self._around.environ.get("AZURE_CLIENT_SECRET", ""))
        if not found:
            raise UsageError(
                f"sign-in to {what} with client-secret needs the secret",
                hint="set AZURE_CLIENT_SECRET, or name a file that holds it",
            )
        return found

    def _certificate(self, what: str, options: SignInOptions) -> Certificate:
        if options.certificate is not None:
            return options.certificate
        environ = self._around.environ
        path = environ.get("AZURE_CLIENT_CERTIFICATE_PATH")
        if not path:
            raise UsageError(
                f"sign-in to {what} with certificate needs a certificate with its private key",
                hint="name a PEM or PFX file, or set AZURE_CLIENT_CERTIFICATE_PATH",
            )
        password = environ.get("AZURE_CLIENT_CERTIFICATE_PASSWORD")
        return Certificate(path=Path(path), password=Secret(password) if password else None)
