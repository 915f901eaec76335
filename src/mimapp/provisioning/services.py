"""The rooms below, as one run of provisioning uses them."""

from __future__ import annotations

import webbrowser
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.credentials import Desk
from mimapp.spec import CONSENT_LIMIT, REPLICATION_WINDOW

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from mimapp.clock import Clock
    from mimapp.clouds import Cloud
    from mimapp.exchange import Exchange
    from mimapp.graph import Graph
    from mimapp.identity import AppSignIn, Operator
    from mimapp.journal import Journal
    from mimapp.secret import SecretStore
    from mimapp.spec import Registration
    from mimapp.transport import Http

__all__ = ["Services"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What a run works with.

    Attributes:
        tenant_id: the tenant's GUID, as the operator's token has it.
        cloud: the tenant's cloud, with the hosts that are used.
        http: the client of the run; its patience is the run's deadline.
        graph: Microsoft Graph.
        exchange: Exchange administration.
        app_sign_in: the application's own sign-in.
        graph_operator: who signed in to Graph.
        exchange_operator: who signed in to Exchange; often, not always, the same person.
        journal: this machine's memory.
        stores: where secrets go and where they may be already.
        window: how long a new secret may be invisible or refused.
        sandbox: whether the tenant is a simulated one.
        open_browser: opens an address in a browser on this machine; False where there is none.
        consent_limit: how long a person at the consent page is waited for.
        change_ref: the change request that every write is recorded with; empty where there is none.
    """

    tenant_id: str
    cloud: Cloud
    http: Http
    graph: Graph
    exchange: Exchange
    app_sign_in: AppSignIn
    graph_operator: Operator
    exchange_operator: Operator
    journal: Journal
    stores: tuple[SecretStore, ...]
    window: timedelta = REPLICATION_WINDOW
    sandbox: bool = False
    open_browser: Callable[[str], bool] = webbrowser.open
    consent_limit: timedelta = CONSENT_LIMIT
    change_ref: str = ""

    @property
    def clock(self) -> Clock:
        """The time."""
        return self.http.clock

    def desk(self, wanted: Registration, application_id: str, object_id: str) -> Desk:
        """The desk at which one application's secrets are worked on."""
        return Desk(
            graph=self.graph,
            app_sign_in=self.app_sign_in,
            journal=self.journal,
            clock=self.clock,
            patience=self.http.patience,
            tenant_id=self.tenant_id,
            key=wanted.key,
            application_id=application_id,
            object_id=object_id,
            scope=self.cloud.exchange_scope,
            stores=self.stores,
            window=self.window,
            sandbox=self.sandbox,
        )
