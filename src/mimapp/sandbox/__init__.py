"""A simulated Microsoft tenant: sign-in, Microsoft Graph, Exchange administration and EWS, for practice and for tests.

    sandbox = open_sandbox(home)
    client = httpx.Client(transport=sandbox.transport(), base_url=sandbox.origin)

State lives under ``home/sandbox`` and survives. The same application is served over TLS by `mimapp.sandbox.server`.
It imports nothing of the rest of mimapp: ids and texts stand here a second time on purpose, and a test compares them.
Needs the extra ``mimapp[sandbox]``.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from mimapp.sandbox.clock import Clock, SystemClock
from mimapp.sandbox.conditions import Conditions
from mimapp.sandbox.errors import SandboxError
from mimapp.sandbox.seed import CONTOSO, TenantInfo, seed_tenant, tenant_info
from mimapp.sandbox.state import State
from mimapp.sandbox.tenants import all_tenants, find_tenant
from mimapp.sandbox.weather import CALM, Weather

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from mimapp.sandbox.app import App

__all__ = [
    "EMBEDDED_ORIGIN",
    "Clock",
    "Sandbox",
    "SandboxError",
    "SystemClock",
    "TenantInfo",
    "Weather",
    "open_sandbox",
]

EMBEDDED_ORIGIN = "https://sandbox.invalid"
"""Where the embedded tenant seems to be: a host name that can never resolve (RFC 2606)."""


class Sandbox:
    """An open sandbox.

    Attributes:
        home: the folder given to `open_sandbox`.
        state: what its tenants hold.
        clock: the time it goes by.
        origin: the URL that its services believe they answer on.
        conditions: its weather.
    """

    def __init__(self, *, home: Path, state: State, clock: Clock, origin: str, conditions: Conditions) -> None:
        self.home = home
        self.state = state
        self.clock = clock
        self.origin = origin
        self.conditions = conditions

    @cached_property
    def app(self) -> App:
        """The WSGI application; made when it is first asked for."""
        from mimapp.sandbox.app import create_app  # noqa: PLC0415 - falcon and cryptography are paid for by use only

        return create_app(self.state, clock=self.clock, origin=self.origin, conditions=self.conditions)

    def transport(self) -> httpx.BaseTransport:
        """The way to the app in this process, through the weather; for an httpx client of any kind."""
        import httpx  # noqa: PLC0415 - only a client in process needs it

        from mimapp.sandbox.losses import WeatherTransport  # noqa: PLC0415 - the same

        inner = httpx.WSGITransport(app=self.app)
        if self.conditions.weather.is_calm:
            return inner
        return WeatherTransport(inner, conditions=self.conditions, clock=self.clock)

    def info(self, tenant: str = CONTOSO) -> TenantInfo:
        """How to use a tenant, given by id or domain.

        Raises:
            SandboxError: there is no such tenant.
        """
        with self.state.transaction(write=False) as tx:
            found = find_tenant(tx, tenant)
        if found is None:
            raise SandboxError(f"the sandbox has no tenant {tenant}")
        return tenant_info(found.id, found.domain)

    def close(self) -> None:
        """Close the state's file."""
        self.state.close()


def open_sandbox(
    home: Path, *, clock: Clock | None = None, origin: str = EMBEDDED_ORIGIN, weather: Weather = CALM
) -> Sandbox:
    """Open the sandbox under a folder, and fill it with the contoso tenant when it is new.

    Args:
        home: the folder that holds all local state; the sandbox keeps to ``sandbox/`` below it.
        clock: the time it goes by; none means the machine's.
        origin: the URL that clients use.
        weather: how badly it behaves; calm without it.

    Raises:
        SandboxError: what is kept there cannot be used.
    """
    used = clock or SystemClock()
    conditions = Conditions(weather)
    state = State(home / "sandbox" / "tenants.sqlite3", clock=used, lag=conditions)
    with state.transaction() as tx:
        if not all_tenants(tx):
            seed_tenant(tx)
    return Sandbox(home=home, state=state, clock=used, origin=origin, conditions=conditions)
