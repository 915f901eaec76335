"""A tenant that is signed in to: its services, who signed in, and where a run's events and waits go.

`mimapp.tenant` adds what can be done in it. The names of permissions are what each command asks a person's sign-in to
Microsoft Graph for.
"""

from __future__ import annotations

import os
import webbrowser
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

import platformdirs

from mimapp.clock import SystemClock
from mimapp.errors import UsageError
from mimapp.exchange import Exchange, anchor_for_app, anchor_for_user
from mimapp.graph import Graph
from mimapp.identity import (
    EXCHANGE,
    GRAPH,
    AppSignIn,
    OperatorSignIn,
    SignInOptions,
    complete,
    find_tenant,
    sign_in_to,
    tell_nobody,
)
from mimapp.journal import Journal
from mimapp.provisioning.events import StepDone, StepStarted, Waiting
from mimapp.provisioning.services import Services
from mimapp.provisioning.steps import EVERY_PART, Part
from mimapp.spec import REPLICATION_WINDOW
from mimapp.transport import DEFAULT_DEADLINE, Http, Patience
from mimapp.transport.network import Network, network_transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import timedelta
    from pathlib import Path
    from types import TracebackType

    import httpx
    from azure.core.credentials import TokenCredential

    from mimapp.clock import Clock
    from mimapp.clouds import Cloud
    from mimapp.identity import DeviceCode, Memory, Operator
    from mimapp.provisioning.events import Event
    from mimapp.spec import Registration

__all__ = [
    "ADOPTION_PERMISSIONS",
    "LOCKDOWN_PERMISSIONS",
    "MIGRATE_PERMISSIONS",
    "REGISTER_PERMISSIONS",
    "ROTATION_PERMISSIONS",
    "UNREGISTER_PERMISSIONS",
    "VERIFY_PERMISSIONS",
    "Session",
]

_SERVICES = {Part.ENTRA: GRAPH, Part.EXCHANGE: EXCHANGE}

#: What `register` asks a person's Graph sign-in for; least-privileged per call (Microsoft Graph permissions reference).
REGISTER_PERMISSIONS = (
    "Application.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "Organization.Read.All",
    "User.Read.All",
)
#: What taking over an application needs besides, to find and narrow its delegated grants.
ADOPTION_PERMISSIONS = ("DelegatedPermissionGrant.ReadWrite.All", "Directory.Read.All")
#: What `unregister` and `lockdown` ask for.
UNREGISTER_PERMISSIONS = ("Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "Organization.Read.All")
LOCKDOWN_PERMISSIONS = ("Application.ReadWrite.All", "Organization.Read.All")
#: What `migrate` asks for: it takes the grant away, gives it back where the proof fails, and notes the new scope.
MIGRATE_PERMISSIONS = ("Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "Organization.Read.All")
#: What `rotation` asks for.
ROTATION_PERMISSIONS = ("Application.ReadWrite.All",)
#: What `verify` asks for: it reads the application and its grants.
VERIFY_PERMISSIONS = ("Application.Read.All",)


class Session:
    """One tenant, signed in to; made by `connect` and used in a ``with`` block."""

    def __init__(
        self,
        *,
        http: Http,
        cloud: Cloud,
        graph: Graph,
        exchange: Exchange,
        operators: tuple[Operator, Operator],
        home: Path,
        window: timedelta = REPLICATION_WINDOW,
        name: str | None = None,
        sandbox: bool = False,
        open_browser: Callable[[str], bool] = webbrowser.open,
    ) -> None:
        self._name = name
        self.tenant_id = operators[0].tenant_id
        self.graph_operator, self.exchange_operator = operators
        self.cloud = cloud
        self._http = http
        self._graph = graph
        self._exchange = exchange
        self._journal = Journal(home)
        self._window = window
        self._sandbox = sandbox
        self._open_browser = open_browser

    @classmethod
    def connect(
        cls,
        tenant: str,
        *,
        credential: TokenCredential | None = None,
        graph: TokenCredential | SignInOptions | None = None,
        exchange: TokenCredential | SignInOptions | None = None,
        cloud: Cloud | None = None,
        home: Path | None = None,
        transport: httpx.BaseTransport | None = None,
        clock: Clock | None = None,
        deadline: timedelta = DEFAULT_DEADLINE,
        window: timedelta = REPLICATION_WINDOW,
        show_code: Callable[[DeviceCode], None] | None = None,
        open_browser: Callable[[str], bool] = webbrowser.open,
        tell: Callable[[str], None] = tell_nobody,
        ask_people: bool = True,
        environ: Mapping[str, str] = os.environ,
        memory: Memory | None = None,
        on_cloud: Callable[[Cloud], None] | None = None,
        sandbox: bool = False,
        parts: frozenset[Part] = EVERY_PART,
        permissions: tuple[str, ...] = REGISTER_PERMISSIONS,
    ) -> Self:
        """Find the tenant, and sign in to Graph and Exchange, side by side.

        Args:
            tenant: the tenant's GUID or one of its domains.
            credential: signs in to both services; any credential of azure-identity or one's own.
            graph: signs in to Graph, where it is not `credential`: a credential, or how to get one.
            exchange: signs in to Exchange, the same way.
            cloud: the tenant's cloud, which is checked; None: the one that the tenant lives in.
            home: the folder of all local state; None: the platform's own for this user.
            transport: where requests go; None: the network, by the system's trust and proxy.
            clock: the time; None: the machine's.
            deadline: how long one run may wait in all.
            window: how long a new secret may be invisible or refused.
            show_code: tells a person the code of a device-code sign-in.
            open_browser: opens an address in a person's browser; False when none could be started.
            tell: tells a person what a sign-in leaves behind, and that a browser opens.
            ask_people: whether ``auto`` may end with asking a person.
            environ: where azure-identity's variables come from.
            memory: where a person's sign-in is kept between runs; None keeps it nowhere.
            on_cloud: told the tenant's cloud before anybody signs in.
            sandbox: whether the tenant is a simulated one.
            parts: which services to sign in to now; the other is signed in to when something is asked of it.
            permissions: the delegated permissions that a person's Graph sign-in asks for.

        Raises:
            UsageError: a way to sign in lacks something, or nobody but the caller knows the tenant's cloud.
            SignInError: a sign-in failed or is of another tenant, or the tenant does not live in that cloud.
            TransportError: a service cannot be reached.
        """
        ways = (_way(graph, credential), _way(exchange, credential))
        for (part, what), way in zip(_SERVICES.items(), ways, strict=True):
            if part in parts:
                complete(way, what, environ)
        if memory is not None:
            memory.check()
        network = network_transport(Network()) if transport is None else None
        http = Http(Patience(clock or SystemClock(), limit=deadline), transport=network or transport)
        try:
            found, facts = find_tenant(http, tenant, cloud, ways)
            if network is not None:
                network.hosts = found.hosts
            if on_cloud is not None:
                on_cloud(found)
            sign_in = OperatorSignIn(
                http,
                found,
                tenant=tenant,
                facts=facts,
                graph=ways[0],
                exchange=ways[1],
                show_code=show_code or _nobody_to_show,
                ask_people=ask_people,
                open_browser=open_browser,
                environ=environ,
                memory=memory,
                tell=tell,
            )
            services = frozenset(what for part, what in _SERVICES.items() if part in parts)
            signed_in = sign_in_to(services, sign_in, permissions)
        except BaseException:
            http.close()
            raise
        on_exchange = signed_in.operators[1]
        is_one_of_them = Part.EXCHANGE in parts and not (on_exchange.is_app_only or on_exchange.is_from_elsewhere)
        anchor = anchor_for_user(on_exchange.name) if is_one_of_them else anchor_for_app(facts.tenant_id)
        return cls(
            http=http,
            cloud=found,
            graph=Graph(signed_in.graph, found.graph, http.clock),
            exchange=Exchange(signed_in.exchange, found.exchange, facts.tenant_id, anchor=anchor, clock=http.clock),
            operators=signed_in.operators,
            home=home or platformdirs.user_data_path("mimapp", appauthor=False),
            window=window,
            name=tenant,
            sandbox=sandbox,
            open_browser=open_browser,
        )

    def cancel(self) -> None:
        """Ask a run in another thread to stop where stopping loses nothing."""
        self._http.patience.cancel()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _reading(self, wanted: Registration, tell: Callable[[Event], None]) -> Iterator[None]:
        title = f"Read {wanted.mailbox} and what belongs to it"
        begun = self._http.clock.monotonic()
        tell(StepStarted(number=0, total=0, title=title))
        yield
        tell(StepDone(number=0, title=title, seconds=self._http.clock.monotonic() - begun))

    def _services(self, wanted: Registration) -> Services:
        return Services(
            tenant_id=self.tenant_id,
            cloud=self.cloud,
            http=self._http,
            graph=self._graph,
            exchange=self._exchange,
            app_sign_in=AppSignIn(self._http, self.cloud),
            graph_operator=self.graph_operator,
            exchange_operator=self.exchange_operator,
            journal=self._journal,
            stores=wanted.stores,
            window=self._window,
            sandbox=self._sandbox,
            open_browser=self._open_browser,
            change_ref=wanted.change_ref or "",
        )

    @property
    def _other_operator(self) -> str | None:
        """Who is signed in to Exchange, where it is not the account that is signed in to Entra."""
        name = self.exchange_operator.name
        return None if name == self.graph_operator.name else name

    @contextmanager
    def _telling(self, on_event: Callable[[Event], None] | None) -> Iterator[Callable[[Event], None]]:
        """Events and waits of one run go to one listener."""
        tell = on_event or _ignore
        patience = self._http.patience
        former, patience.on_wait = patience.on_wait, lambda wait: tell(Waiting(wait=wait))
        try:
            yield tell
        finally:
            patience.on_wait = former


def _ignore(event: Event) -> None:
    """What happens to events that nobody asked for."""


def _way(given: TokenCredential | SignInOptions | None, both: TokenCredential | None) -> SignInOptions:
    return given if isinstance(given, SignInOptions) else SignInOptions(credential=given or both)


def _nobody_to_show(code: DeviceCode) -> None:
    raise UsageError(f"sign-in to {code.what} needs a person to enter a code, and nobody was named to show it to")
