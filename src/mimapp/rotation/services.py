"""What rotation needs of the rooms below, as a run of mimapp has it; `mimapp.provisioning.services.Services` fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import timedelta

    from mimapp.clock import Clock
    from mimapp.clouds import Cloud
    from mimapp.credentials import Desk
    from mimapp.graph import Graph
    from mimapp.identity import Operator
    from mimapp.journal import Journal
    from mimapp.secret import SecretStore
    from mimapp.spec import Registration
    from mimapp.transport import Http

__all__ = ["Services"]


class Services(Protocol):
    """The rooms below; the attributes mean what they mean in provisioning."""

    @property
    def tenant_id(self) -> str:
        """The tenant's GUID."""
        ...

    @property
    def cloud(self) -> Cloud:
        """The tenant's cloud."""
        ...

    @property
    def http(self) -> Http:
        """The client of the run, with its patience."""
        ...

    @property
    def graph(self) -> Graph:
        """Microsoft Graph."""
        ...

    @property
    def graph_operator(self) -> Operator:
        """Who is signed in."""
        ...

    @property
    def journal(self) -> Journal:
        """This machine's memory."""
        ...

    @property
    def stores(self) -> tuple[SecretStore, ...]:
        """Where secrets go and where they may be already."""
        ...

    @property
    def window(self) -> timedelta:
        """How long a new secret may be invisible or refused."""
        ...

    @property
    def sandbox(self) -> bool:
        """Whether the tenant is a simulated one."""
        ...

    @property
    def change_ref(self) -> str:
        """The change request that every write is recorded with."""
        ...

    @property
    def clock(self) -> Clock:
        """The time."""
        ...

    def desk(self, wanted: Registration, application_id: str, object_id: str) -> Desk:
        """The desk at which one application's secrets are worked on."""
        ...
