"""Who the application reaches, by which right, proven when and how; and the test cmdlets inside and outside.

Reading only. The test cmdlets ask what the rules say and send nothing to a mailbox, so a mailbox outside may be picked
from the directory for them; a real EWS request is `mimapp.checks.verify`'s, and goes to a named address alone.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.checks.scope_oddities import Oddity, oddities_of
from mimapp.errors import NotFoundError, UsageError
from mimapp.graph import EXCHANGE_ONLINE_APP_ID, FULL_ACCESS_AS_APP, FULL_ACCESS_AS_APP_ID
from mimapp.provisioning.observe_exchange import group_address, read_group
from mimapp.provisioning.scope_kind import scope_that_stands
from mimapp.provisioning.scope_notes import FENCE_NOTE, POLICY_NOTE, POLICY_TAKES, ROLE_NOTE, ROLE_TAKES
from mimapp.provisioning.scope_proof import proof_of
from mimapp.provisioning.scope_view import reach, read_rights, see_mailbox
from mimapp.provisioning.unregister_observe import find_application

if TYPE_CHECKING:
    from datetime import datetime

    from mimapp.graph import Application
    from mimapp.provisioning.observe_exchange import ObservedGroup
    from mimapp.provisioning.scope_proof import Proof
    from mimapp.provisioning.scope_view import MailboxSeen, Reach, Rights
    from mimapp.provisioning.services import Services
    from mimapp.spec import Registration, Scope

__all__ = ["Probed", "ScopeReport", "scope_report"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """One mailbox: what the rules say, and what the test cmdlets say.

    Attributes:
        seen: the mailbox and the cmdlets' answers.
        reach: whether the application reaches it, by what is written.
        is_inside: whether it is the registration's own.
        was_picked: whether it was picked from the directory, for the cmdlets alone.
    """

    seen: MailboxSeen
    reach: Reach
    is_inside: bool
    was_picked: bool

    @property
    def is_right(self) -> bool:
        """Whether the own mailbox is reached, or another is not."""
        return self.reach.reaches is self.is_inside and not self.reach.test_differs


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeReport:
    """A registration's scope.

    Attributes:
        application_id: the client id.
        kind: what keeps it to its mailbox, as `register` takes it; None where nothing is there to be kept.
        rights: what it holds.
        group: the scoping group, or None.
        group_address: where the group is, or would be.
        probed: the own mailbox, and one outside where there is one.
        oddities: what is not as register leaves it, each with what it means.
        proof: the latest real EWS refusal outside; None where there is none.
        expected: when the restriction is to be enforced everywhere; None when that time is over, or not known here.
        at: when it was read.
    """

    application_id: str
    kind: Scope | None
    rights: Rights
    group: ObservedGroup | None
    group_address: str
    probed: tuple[Probed, ...]
    oddities: tuple[Oddity, ...]
    proof: Proof | None
    expected: datetime | None
    at: datetime

    @property
    def is_right(self) -> bool:
        """Whether the own mailbox is reached, no other one that was asked about is, and nothing needs a person."""
        return all(one.is_right for one in self.probed) and not any(one.needs_person for one in self.oddities)


def scope_report(services: Services, wanted: Registration, *, outside: str | None = None) -> ScopeReport:
    """Read who an application reaches, and ask the test cmdlets.

    Args:
        services: the rooms below.
        wanted: the registration.
        outside: the mailbox outside to ask the cmdlets about; None picks one.

    Raises:
        UsageError: there is no application, or `outside` is the registration's own mailbox or no mailbox.
        UnsafePlanError: a person has to say which application.
        ServiceError, TransportError, SignInError: a read failed.
    """
    exchange = services.exchange
    address = group_address(wanted, wanted.mailbox)
    with ThreadPoolExecutor(6, thread_name_prefix="observe") as pool:
        group = pool.submit(read_group, services, address)
        resource = pool.submit(services.graph.service_principals.by_app_id, EXCHANGE_ONLINE_APP_ID)
        application = find_application(services.graph, wanted, pool)
        if application is None:
            raise UsageError(
                f"this tenant has no application of registration {wanted.key!r}: nothing is scoped",
                hint=f"register it first: mimapp register --mailbox {wanted.mailbox}",
            )
        offered = resource.result()
        ids = {role.id for role in (offered.app_roles or () if offered else ()) if role.value == FULL_ACCESS_AS_APP}
        granted = pool.submit(_is_granted, services, application, frozenset({FULL_ACCESS_AS_APP_ID, *ids}))
        app_id = application.app_id
        inside = pool.submit(see_mailbox, exchange, app_id, wanted.mailbox)
        rights = read_rights(exchange, app_id, granted=granted.result())
        own = inside.result()
        elsewhere = _outside(services, wanted, own, outside)
        seen = [own] if elsewhere is None else [own, see_mailbox(exchange, app_id, elsewhere)]
        found = group.result()
    if outside is not None and seen[-1].mailbox is None:
        raise UsageError(f"outside: Exchange Online has no mailbox {outside}", hint="name a mailbox of this tenant")
    probed = tuple(
        Probed(seen=one, reach=reach(rights, one), is_inside=one is own, was_picked=one is not own and outside is None)
        for one in seen
    )
    now = services.clock.now()
    state = services.journal.state(services.tenant_id, wanted.key)
    # A policy's note, or a role's; the fence's own goes with the kind that stands.
    takes = {
        POLICY_NOTE: POLICY_TAKES,
        FENCE_NOTE: POLICY_TAKES if rights.policies else ROLE_TAKES,
        ROLE_NOTE: ROLE_TAKES,
    }
    expected = max((state.since[note] + span for note, span in takes.items() if note in state.since), default=None)
    return ScopeReport(
        application_id=app_id,
        kind=scope_that_stands(
            tags=application.tags or (),
            granted=bool(rights.granted),
            holds_role=bool(rights.roles),
            has_policy=any(policy.restricts for policy in rights.policies),
        ),
        rights=rights,
        group=found,
        group_address=address,
        probed=probed,
        oddities=tuple(oddities_of(wanted, rights, found, own, state=state, now=now)),
        proof=proof_of(state),
        expected=expected if expected is not None and now < expected else None,
        at=now,
    )


def _is_granted(services: Services, application: Application, role_ids: frozenset[str]) -> bool:
    try:
        grants = services.graph.role_grants.held_by(application.app_id)
    except NotFoundError:
        return False
    return any(grant.app_role_id in role_ids for grant in grants)


def _outside(services: Services, wanted: Registration, own: MailboxSeen, named: str | None) -> str | None:
    """The mailbox outside: the one that was named, else any that is not the registration's own.

    Raises:
        UsageError: the one that was named is the registration's own.
    """
    addresses = (wanted.mailbox,) if own.mailbox is None else (wanted.mailbox, *own.mailbox.addresses)
    if named is None:
        other = services.exchange.mailboxes.some_other_than(addresses)
        return None if other is None else other.primary_smtp_address
    if named.lower() in {address.lower() for address in addresses}:
        raise UsageError(
            f"outside: {named} is the registration's own mailbox",
            hint="name a mailbox that the application must not reach",
        )
    return named
