"""The operator's sign-in: which credential, for which service, with which client and which scopes.

Graph and Exchange are chosen apart, because a method may reach one and not the other, and because two people may have
to sign in. What each method reaches is in docs/sign-in.md.
"""

from __future__ import annotations

import os
import webbrowser
from typing import TYPE_CHECKING

from mimapp.identity.bearer import Bearer
from mimapp.identity.chain import Chain
from mimapp.identity.desk import Desk
from mimapp.identity.methods import (
    Built,
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
from mimapp.identity.options import EXCHANGE, GRAPH, KEY_VAULT, SignInOptions, complete, person_method
from mimapp.identity.person import (
    BROWSER_LIMIT,
    BrowserSignIn,
    DeviceCode,
    DeviceCodeSignIn,
    PersonOptions,
    tell_nobody,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from azure.core.credentials import TokenCredential

    from mimapp.clouds import Cloud
    from mimapp.identity.discovery import TenantFacts
    from mimapp.identity.methods import Builder
    from mimapp.identity.remember import Memory
    from mimapp.transport import Http

__all__ = [
    "AZURE_CLI_CLIENT_ID",
    "EXCHANGE_CLIENT_ID",
    "GRAPH_CLIENT_ID",
    "OperatorSignIn",
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
_DEFAULT = "/.default"
_LASTING = (
    "Microsoft Graph Command Line Tools asks for {}. A consent that is given now stays in the tenant after this "
    "command (Entra: Enterprise applications, Permissions)."
)


class OperatorSignIn:
    """Makes the senders through which the rooms above talk to Graph and Exchange.

    Nobody is asked anything until the first request is sent. A person who signs in for one service is known when the
    other asks.

    Args:
        http: the client of the run.
        cloud: where to sign in, and what for.
        tenant: the tenant's GUID, or one of its domains.
        facts: what is known of the tenant; tokens of another tenant are then refused.
        graph: how to sign in to Microsoft Graph.
        exchange: how to sign in to Exchange.
        show_code: tells a person the device code.
        ask_people: whether ``auto`` may end with asking a person.
        open_browser: opens an address; False when no browser could be started.
        environ: the environment variables.
        memory: where sign-ins of persons are kept between runs; None keeps them in memory.
        tell: tells a person, before being asked, what the sign-in leaves behind and that a browser opens.

    Attributes:
        desk: where persons are asked, of whom only one is at a time.
    """

    def __init__(
        self,
        http: Http,
        cloud: Cloud,
        *,
        tenant: str,
        facts: TenantFacts | None = None,
        graph: SignInOptions,
        exchange: SignInOptions,
        show_code: Callable[[DeviceCode], None],
        ask_people: bool = True,
        open_browser: Callable[[str], bool] = webbrowser.open,
        environ: Mapping[str, str] = os.environ,
        memory: Memory | None = None,
        tell: Callable[[str], None] = tell_nobody,
    ) -> None:
        known = facts.documents if facts is not None else {}
        self._around = Surroundings(http=http, cloud=cloud, tenant=tenant, environ=environ, known=known)
        self._tenant_id = facts.tenant_id if facts is not None else None
        self._options = {GRAPH: graph, EXCHANGE: exchange, KEY_VAULT: graph}
        self._tell = tell
        self._show_code = show_code
        self._ask_people = ask_people
        self._open_browser = open_browser
        self._memory = memory
        self.desk = Desk()
        self._shared: dict[Method, Built] = {}

    def graph(self, permissions: Sequence[str] = ()) -> Bearer:
        """Sends to Microsoft Graph.

        Args:
            permissions: names of the delegated permissions that the work needs, such as
                ``Application.ReadWrite.All``; only a person's sign-in asks for them by name.

        Raises:
            UsageError: the chosen method lacks something that only an option or a variable can give; or a person's
                sign-in is to be remembered, and this machine has no protected storage.
        """
        return self._bearer(GRAPH, self._around.cloud.graph_scope, tuple(permissions))

    def exchange(self) -> Bearer:
        """Sends to Exchange Online's admin REST.

        Raises:
            UsageError: as `graph`; or the chosen method counts as reaching Microsoft Graph only.
        """
        return self._bearer(EXCHANGE, self._around.cloud.exchange_scope, ())

    def key_vault(self) -> TokenCredential:
        """Signs in to Azure Key Vault in the way chosen for Microsoft Graph.

        A person is asked by Azure CLI's client, whose rights cover Key Vault; Microsoft Graph Command Line Tools' do
        not. The credential is for Key Vault's own library, which takes the scope from the vault's challenge.

        Raises:
            UsageError: as `graph`.
        """
        return self._credential(KEY_VAULT, ())

    def _bearer(self, what: str, scope: str, permissions: tuple[str, ...]) -> Bearer:
        credential = self._credential(what, permissions)
        return Bearer(self._around.http, credential, (scope,), tenant_id=self._tenant_id, what=what)

    def _credential(self, what: str, permissions: tuple[str, ...]) -> TokenCredential:
        options = complete(self._options[what], what, self._around.environ)
        if options.credential is not None:
            return options.credential
        if options.method is Method.AUTO:
            return self._chain(what, options, permissions)
        if options.method.is_person:
            return self._person(what, options, permissions)
        return self._unasked(options.method, what, options)

    def _chain(self, what: str, options: SignInOptions, permissions: tuple[str, ...]) -> Chain:
        """Every method that needs nobody, then a person where one may be asked."""
        order = [Method.ENVIRONMENT, Method.WORKLOAD_IDENTITY, Method.MANAGED_IDENTITY]
        order += [Method.AZURE_CLI, Method.AZURE_POWERSHELL]
        left_out: list[tuple[Method, str]] = []
        if what == EXCHANGE:
            left_out = [(method, "reaches Microsoft Graph only") for method in order if method.is_graph_only]
            order = [method for method in order if not method.is_graph_only]
        links = [(method, self._unasked(method, what, options)) for method in order]
        asking = person_method(self._around.environ)
        if self._ask_people:
            # A client id that is given along with `auto` is a workload's or an identity's, not a person's client.
            links.append((asking, self._person(what, SignInOptions(method=asking, user=options.user), permissions)))
        else:
            left_out.append((asking, "nobody can be asked here"))
        return Chain(what, links, left_out=left_out)

    def _unasked(self, method: Method, what: str, options: SignInOptions) -> TokenCredential:
        built = Built(self._around, self._builder(method, options))
        if self._options[GRAPH] == self._options[EXCHANGE]:
            # One credential serves both services, so that Entra is asked about the tenant once.
            built = self._shared.setdefault(method, built)
        return MethodCredential(method, what, built)

    def _person(self, what: str, options: SignInOptions, permissions: tuple[str, ...]) -> TokenCredential:
        around = self._around
        client_id = options.client_id or self._person_client(what)
        # Other clients have what was consented to them before; this one would get nothing by ".default".
        named = permissions if client_id == GRAPH_CLIENT_ID else ()
        resource = around.cloud.graph_scope.removesuffix(_DEFAULT)
        asking = PersonOptions(
            authority=around.cloud.authority(around.tenant),
            client_id=client_id,
            what=what,
            user=options.user,
            desk=self.desk,
            cache=self._memory.cache() if self._memory is not None else None,
            scopes=tuple(f"{resource}/{name}" for name in named),
            notice=_LASTING.format(", ".join(named)) if named else "",
            tell=self._tell,
            known=around.known,
        )
        if options.method is Method.BROWSER:
            limit = min(BROWSER_LIMIT, around.http.patience.limit)
            return BrowserSignIn(around.http, asking, open_browser=self._open_browser, limit=limit)
        return DeviceCodeSignIn(around.http, asking, show=self._show_code)

    def _person_client(self, what: str) -> str:
        if what == EXCHANGE:
            return EXCHANGE_CLIENT_ID
        if what == KEY_VAULT:
            return AZURE_CLI_CLIENT_ID
        return AZURE_CLI_CLIENT_ID if self._around.cloud.key in _WITHOUT_GRAPH_TOOLS else GRAPH_CLIENT_ID

    def _builder(self, method: Method, options: SignInOptions) -> Builder:
        around = self._around
        if method is Method.CLIENT_SECRET and options.client_id and options.secret:
            return client_secret(around, options.client_id, options.secret)
        if method is Method.CERTIFICATE and options.client_id and options.certificate:
            return certificate(around, options.client_id, options.certificate)
        plain: dict[Method, Builder] = {
            Method.MANAGED_IDENTITY: managed_identity(options.client_id),
            Method.WORKLOAD_IDENTITY: workload_identity(around, options.client_id),
            Method.ENVIRONMENT: environment(around),
            Method.AZURE_CLI: azure_cli(around),
            Method.AZURE_POWERSHELL: azure_powershell(around),
        }
        return plain[method]
