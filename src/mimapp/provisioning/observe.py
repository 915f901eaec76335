"""Read the tenant: everything a plan needs, in two rounds of requests that go side by side, and nothing written.

What Graph knows and what Exchange knows are two views, since the administrators of the two may be different people:
a run may read one without the other. The first round needs no ids; the second asks about the application that the
first one found.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.credentials import unfinished
from mimapp.provisioning.observe_entra import EntraReader, EntraView, ObservedSecret, Resource
from mimapp.provisioning.observe_exchange import ExchangeReader, ExchangeView, ObservedGroup, group_address
from mimapp.provisioning.steps import EVERY_PART, Part
from mimapp.spec import Only, Scope, scope_of_tags

if TYPE_CHECKING:
    from datetime import datetime

    from mimapp.journal import SecretEntry, State
    from mimapp.provisioning.services import Services
    from mimapp.spec import Registration

__all__ = [
    "EntraView",
    "ExchangeView",
    "Observed",
    "ObservedGroup",
    "ObservedSecret",
    "Resource",
    "group_address",
    "observe",
    "parts_of",
]

_SIDE_BY_SIDE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A tenant as one run saw it.

    Attributes:
        at: when the reading was done.
        entra: what Graph says; None where the run does not read it.
        exchange: what Exchange says; None where the run does not read it.
        journal: what this machine remembers of the registration.
        stale_labels: labels of secrets that were begun here and never stored.
        named_app_id: the client id that the operator named, for a run that cannot look it up.
    """

    at: datetime
    entra: EntraView | None
    exchange: ExchangeView | None
    journal: State
    stale_labels: tuple[str, ...]
    named_app_id: str | None = None

    @property
    def application_id(self) -> str | None:
        """The client id, where the application exists or was named."""
        if self.entra is not None and self.entra.application is not None:
            return self.entra.application.app_id
        return self.named_app_id if self.entra is None else None

    def stands(self, scope: Scope) -> bool:
        """Whether Exchange was read, and its own test shows the fence of this kind."""
        if self.exchange is None:
            return False
        if scope is Scope.RBAC:
            return self.exchange.roles is not None and self.exchange.roles.stands
        return scope is Scope.POLICY and self.exchange.fence_stands

    @property
    def granted(self) -> bool:
        """Whether Graph was read, and the application holds full_access_as_app."""
        return self.entra is not None and self.entra.granted


def observe(services: Services, wanted: Registration, parts: frozenset[Part] = EVERY_PART) -> Observed:
    """Read all that a plan for this registration needs.

    Args:
        services: the rooms below.
        wanted: the registration.
        parts: which services are read.

    Raises:
        UsageError: the mailbox, or the application that was named, is not there.
        UnsafePlanError: there is no Exchange Online to grant a role on, or a person has to choose an application.
        ServiceError, TransportError, SignInError: a read failed.
    """
    state = services.journal.state(services.tenant_id, wanted.key)
    with ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="observe") as pool:
        read_entra = EntraReader(services, wanted, state, pool) if Part.ENTRA in parts else None
        read_exchange = ExchangeReader(services, wanted, pool) if Part.EXCHANGE in parts else None
        app_id = wanted.app_id if read_entra is None else read_entra.application_id()
        # Both second rounds begin before either is waited for.
        entra_ends = None if read_entra is None else read_entra.second_round()
        has_role = read_entra is not None and scope_of_tags(read_entra.tags()) is Scope.RBAC
        exchange_ends = None if read_exchange is None else read_exchange.second_round(app_id, has_role=has_role)
        return Observed(
            entra=None if entra_ends is None else entra_ends(),
            exchange=None if exchange_ends is None else exchange_ends(),
            at=services.clock.now(),
            journal=state,
            stale_labels=tuple(sorted(e.label for e in unfinished(state.secrets) if _concerns(e, app_id))),
            named_app_id=wanted.app_id,
        )


def parts_of(wanted: Registration) -> frozenset[Part]:
    """Which services a run has to read, by the part that it does."""
    if wanted.only is Only.ENTRA or wanted.fence_confirmed_by is not None:
        return frozenset({Part.ENTRA})
    if wanted.only is Only.EXCHANGE and wanted.app_id is not None:
        return frozenset({Part.EXCHANGE})
    return EVERY_PART


def _concerns(entry: SecretEntry, app_id: str | None) -> bool:
    return app_id is not None and entry.application_id.lower() == app_id.lower()
