"""From what is wanted and what was seen to what is to be done: a pure function, and the plan it makes.

The order of the steps is a safety rule: restrict first, consent last. The application exists without a grant until
the fence stands; the secret comes after it, and what an interrupted run left is looked for at the very end, so that
mail never waits for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from mimapp.errors import UsageError
from mimapp.graph import FULL_ACCESS_AS_APP
from mimapp.provisioning.adoption import check_adoption, user_read_is_sign_in
from mimapp.provisioning.consent import consent_alone_steps, leftover_steps
from mimapp.provisioning.plan_entra import (
    application_steps,
    consent_steps,
    hold_steps,
    recycle_steps,
    secret_steps,
)
from mimapp.provisioning.plan_exchange import ews_steps, fence_steps
from mimapp.provisioning.plan_roles import role_steps
from mimapp.provisioning.planned import Planned
from mimapp.provisioning.scope_kind import resolved_scope, scope_warnings
from mimapp.provisioning.scope_notes import HOLD_NOTE
from mimapp.provisioning.steps import Step, StepKind
from mimapp.spec import Only, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from mimapp.clouds import Cloud
    from mimapp.journal import State
    from mimapp.provisioning.observe import EntraView, ExchangeView, Observed
    from mimapp.spec import Registration

__all__ = ["Plan", "make_plan", "tenant_name"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Planned):
    """What `register` is to do; no steps when the tenant is right.

    Attributes:
        observed: what the plan was made from.
    """

    command: ClassVar[str] = "register"

    observed: Observed

    def raise_if_impossible(self) -> None:
        """Refuse before the first write what would fail in the middle.

        Raises:
            UsageError: a group has to be made and nobody can own it.
        """
        exchange = self.observed.exchange
        owner = None if exchange is None else exchange.group_owner
        if isinstance(owner, UsageError) and any(step.kind is StepKind.CREATE_GROUP for step in self.steps):
            raise owner


def make_plan(
    wanted: Registration,
    observed: Observed,
    now: datetime,
    *,
    tenant_id: str,
    operator: str,
    cloud: Cloud,
    exchange_operator: str | None = None,
    tenant: str | None = None,
) -> Plan:
    """What has to be done for this registration, in order.

    Args:
        wanted: the registration, and which part of it this run is to do.
        observed: the tenant.
        now: the moment.
        tenant_id: the tenant's GUID.
        operator: who is signed in to Entra.
        cloud: the tenant's cloud.
        exchange_operator: who is signed in to Exchange, where that is another account.
        tenant: how the operator called the tenant, for a run that cannot read its name.

    Raises:
        UnsafePlanError: something in the tenant has to be decided by a person first; nothing was changed.
    """
    asked, wanted = wanted.scope, replace(wanted, scope=resolved_scope(wanted, observed))
    return Plan(
        tenant_id=tenant_id,
        tenant_name=tenant_name(observed) or tenant or tenant_id,
        operator=operator,
        exchange_operator=exchange_operator,
        wanted=wanted,
        observed=observed,
        steps=tuple(_steps(wanted, observed, now, cloud)),
        warnings=(*scope_warnings(wanted, observed, asked), *_warnings(wanted, observed)),
    )


def _steps(wanted: Registration, observed: Observed, now: datetime, cloud: Cloud) -> Iterator[Step]:
    entra, exchange, only = observed.entra, observed.exchange, wanted.only
    fence = tuple(_fence(wanted, observed, now))
    if only is Only.CONSENT:
        yield from consent_alone_steps(wanted, observed, fence)
        return
    does_exchange = exchange is not None and only is not Only.ENTRA
    if entra is None or only is Only.EXCHANGE:
        yield from fence if does_exchange else ()
    else:
        yield from _application_part(wanted, entra, exchange, observed.journal, fence=fence if does_exchange else ())
    consents = entra is not None and only is None and exchange is not None
    consent = [*consent_steps(wanted, entra)] if entra is not None and consents else []
    noted = observed.journal.since.get(HOLD_NOTE)
    held = [*hold_steps(wanted, entra, noted, now)] if entra is not None and consent else []
    if not held:
        yield from consent
    if exchange is not None and does_exchange:
        yield from ews_steps(wanted, observed, exchange, cloud)
    if entra is not None and only is not Only.EXCHANGE:
        yield from secret_steps(wanted, observed, entra)
    if held:  # what needs no consent does not wait for it
        yield from held
        yield from consent


def _application_part(
    wanted: Registration, entra: EntraView, exchange: ExchangeView | None, journal: State, *, fence: Iterable[Step]
) -> Iterator[Step]:
    """The application and its fence. A restored one may come back with its grant: a policy stands before that.

    A role needs the service principal, and takes nothing from anybody: it comes after what is restored.
    """
    restores = entra.deleted is not None and not wanted.purge_deleted and wanted.scope is not Scope.RBAC
    if restores:
        yield from fence
    if wanted.scope is Scope.POLICY:
        check_adoption(wanted, entra, exchange)
    yield from recycle_steps(wanted, entra, journal)
    yield from application_steps(wanted, entra)
    yield from leftover_steps(wanted, entra)
    if not restores:
        yield from fence


def _fence(wanted: Registration, observed: Observed, now: datetime) -> Iterator[Step]:
    """What is missing of the fence that is wanted; nothing where none is, or where Exchange is not read."""
    exchange = observed.exchange
    if exchange is None or wanted.scope is Scope.NONE:
        return
    if wanted.scope is Scope.RBAC:
        yield from role_steps(wanted, observed, exchange)
    else:
        yield from fence_steps(wanted, observed, exchange, now)


def tenant_name(observed: Observed) -> str | None:
    """The tenant's initial domain, the one ending in ``onmicrosoft.com`` in the worldwide cloud."""
    domains = () if observed.entra is None else observed.entra.organization.verified_domains or ()
    return next((domain.name for domain in domains if domain.is_initial), None)


def _warnings(wanted: Registration, observed: Observed) -> Iterator[str]:
    entra, exchange = observed.entra, observed.exchange
    if entra is not None and not entra.resource.has_known_role_id:
        yield (
            f"{FULL_ACCESS_AS_APP} has the id {entra.resource.role_id} here, not the one Microsoft's page gives; "
            "it was found by its name"
        )
    if entra is not None and entra.adopting and entra.delegated is None:
        yield (
            "the application's delegated grants may not be read by this account (Directory.Read.All): User.Read in "
            "them was not looked at and stays"
        )
    elif entra is not None and entra.is_adopted and user_read_is_sign_in(entra) and not wanted.remove_user_read:
        yield (
            "User.Read stays: the application has redirect URIs or other delegated permissions, so it is somebody's "
            "sign-in; --remove-user-read takes it away"
        )
    if exchange is not None and exchange.outside is None:
        yield "this tenant has no other mailbox, so nothing can show that the application is denied elsewhere"
    if wanted.scope is Scope.POLICY and exchange is not None and observed.granted and not exchange.fence_stands:
        yield "the application is consented to and its fence does not stand: until it does, it may read every mailbox"
    if wanted.only is Only.CONSENT and exchange is None and wanted.fence_confirmed_by is not None:
        yield f"the fence was not read: {wanted.fence_confirmed_by} says that it stands"
