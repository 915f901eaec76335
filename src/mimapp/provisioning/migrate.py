"""From an access policy to a role in Exchange, in two runs: a pure decision, and the plan it makes.

The first run makes the role beside the grant, which adds nothing to what the application reaches, and notes the time.
The second, two hours later at the least, takes the grant away, proves with a token that no longer carries it that the
mailbox opens and others do not, and only then removes the policy. The order is Microsoft's: first the grant, then the
policy (https://learn.microsoft.com/exchange/permissions-exo/application-rbac). Which run is due follows from what
stands in the tenant, so a run that died goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mimapp.errors import DeadlineError, UnsafePlanError, UsageError
from mimapp.graph import FULL_ACCESS_AS_APP
from mimapp.provisioning.plan_exchange import group_problem, stand_step
from mimapp.provisioning.plan_roles import assignment_steps, pointer_step
from mimapp.provisioning.planned import Planned
from mimapp.provisioning.rbac_view import role_problem
from mimapp.provisioning.scope_notes import BACK_NOTE, POLICY_NOTE, ROLE_NOTE, ROLE_TAKES, TAKEN_NOTE, unlisted_until
from mimapp.provisioning.steps import Step, StepKind
from mimapp.provisioning.unregister_plan import consent_target, policy_target
from mimapp.spec import ADOPTED_TAG, REPLICATION_WINDOW, Scope, scope_of_tags

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from mimapp.provisioning.migrate_observe import Migration
    from mimapp.spec import Registration

__all__ = ["MigratePlan", "grant_back", "make_migrate_plan"]

_UNDOCUMENTED = (
    "Microsoft documents no MIM Service with a role in Exchange alone: EWS decides on the server, so it should work; "
    "MIM may look for its mailbox by Autodiscover, which these roles do not open: watch its mail after the second run"
)
_OLD_TOKENS = (
    "tokens that were issued before carry full_access_as_app until they expire, within 90 minutes or so, and for that "
    "long nothing restricts them once the policy is gone: --keep-policy leaves it to a later run"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MigratePlan(Planned):
    """What `scope migrate` is to do now.

    Attributes:
        seen: what the plan was made from.
        keep_policy: whether the policy is left to a later run.
        outside: the mailbox outside that EWS itself may be asked about; None: nobody's.
        until: when the next run can go on, where this one has to wait; None where it need not.
        is_over: whether nothing is left to migrate.
    """

    command: ClassVar[str] = "scope migrate"

    seen: Migration
    keep_policy: bool
    until: datetime | None
    is_over: bool

    @property
    def choices(self) -> frozenset[str]:
        """As the command has them."""
        return frozenset({"keep-policy"} if self.keep_policy else ())


def make_migrate_plan(
    wanted: Registration,
    seen: Migration,
    *,
    outside: str | None,
    keep_policy: bool,
    tenant_id: str,
    operator: str,
    exchange_operator: str | None = None,
    tenant: str | None = None,
) -> MigratePlan:
    """What has to be done next, in order.

    Args:
        wanted: the registration.
        seen: the tenant.
        outside: a mailbox outside that somebody named: EWS itself is asked about it.
        keep_policy: leave the policy to a later run.
        tenant_id: the tenant's GUID.
        operator: who is signed in to Entra.
        exchange_operator: who is signed in to Exchange, where that is another account.
        tenant: how the operator called the tenant, where it does not tell its name.

    Raises:
        UsageError: there is nothing to migrate.
        UnsafePlanError: something in the tenant has to be decided by a person first.
        DeadlineError: the policy is not listed yet, so nothing can be said of it.
    """
    _check(wanted, seen)
    until = _waits_until(seen)
    steps: tuple[Step, ...] = ()
    if until is None:
        steps = tuple(_steps(wanted, seen, outside=outside, keep_policy=keep_policy))
    return MigratePlan(
        tenant_id=tenant_id,
        tenant_name=seen.tenant_name or tenant or tenant_id,
        operator=operator,
        exchange_operator=exchange_operator,
        wanted=wanted,
        steps=steps,
        warnings=tuple(_warnings(seen, steps, until=until, outside=outside)),
        seen=seen,
        keep_policy=keep_policy,
        outside=outside,
        until=until,
        is_over=until is None and not steps,
    )


def _check(wanted: Registration, seen: Migration) -> None:
    """Refuse what a migration would make worse, or could not prove."""
    if not seen.has_mailbox:
        raise UsageError(
            f"mailbox: Exchange Online has no mailbox {wanted.mailbox}", hint="mimapp check says what the address is"
        )
    if _is_without_right(seen):
        return
    if not seen.grants and not seen.roles.assignments:
        raise UsageError(
            f"the application holds neither {FULL_ACCESS_AS_APP} nor a role in Exchange: there is nothing to migrate",
            hint=f"mimapp register --scope rbac --mailbox {wanted.mailbox} gives it the role",
        )
    group = None if seen.group is None else seen.group.group
    if seen.roles.assignments and (problem := role_problem(wanted, seen.roles, group)) is not None:
        raise problem
    if not seen.grants:
        return
    if seen.group is None or not seen.group.members:
        raise UnsafePlanError(
            f"the group {seen.group_address} {'does not exist' if seen.group is None else 'is empty'}: its members "
            "would be the limit of the role",
            hint=f"mimapp register --mailbox {wanted.mailbox} mends it",
        )
    if (problem := group_problem(wanted, seen.group)) is not None:
        raise problem
    _check_policies(wanted, seen)


def _check_policies(wanted: Registration, seen: Migration) -> None:
    if not seen.fence:
        made, until = seen.journal.since.get(POLICY_NOTE), unlisted_until(seen.journal)
        if made is not None and until is not None and seen.at < until:
            raise DeadlineError(
                f"the access policy was acknowledged on {made:%Y-%m-%d %H:%M} UTC and is not listed yet, so it could "
                "not be removed",
                hint=f"a new policy may stay unlisted for hours: run the same command again, at the latest after "
                f"{until:%Y-%m-%d %H:%M} UTC",
            )
        raise UnsafePlanError(
            f"the application holds {FULL_ACCESS_AS_APP}, and no access policy restricts it to {seen.group_address}: "
            "it may read every mailbox",
            hint=f"mimapp register --scope policy --mailbox {wanted.mailbox} builds the fence; migrate after that",
        )
    further = [one for one in seen.others if one.access_right.casefold() == "restrictaccess"]
    if further:
        raise UnsafePlanError(
            "further access policies let the application into mailboxes that the role would not reach",
            hint="look at what they are for; remove them, or leave this application as it is",
            details=[f"RestrictAccess on {one.scope_name or one.scope_identity}" for one in further],
        )


def _is_without_right(seen: Migration) -> bool:
    """Whether mimapp took the grant away, and the role that was to stand in for it is gone, by somebody's hand."""
    return TAKEN_NOTE in seen.journal.since and not seen.grants and not seen.roles.assignments and bool(seen.fence)


def _waits_until(seen: Migration) -> datetime | None:
    """When the second run may begin; None where it may, or where the first has something to do."""
    acknowledged = seen.journal.since.get(ROLE_NOTE)
    is_done = not seen.grants and not seen.fence
    if is_done or not seen.roles.stands or acknowledged is None:
        return None
    ready = acknowledged + ROLE_TAKES
    back = seen.journal.since.get(BACK_NOTE)
    if back is not None:  # a replica may still show the grant as gone
        ready = max(ready, back + REPLICATION_WINDOW)
    return ready if seen.at < ready else None


def _steps(wanted: Registration, seen: Migration, *, outside: str | None, keep_policy: bool) -> Iterator[Step]:
    app_id = seen.application.app_id
    if _is_without_right(seen):
        yield grant_back(app_id)
        return
    if not seen.grants and not seen.fence:
        return
    if not seen.roles.stands or ROLE_NOTE not in seen.journal.since:
        yield from _first_run(wanted, seen)
        return
    if seen.grants:
        yield Step(
            kind=StepKind.PROVE_MAIL,
            target=f"mailbox {wanted.mailbox.lower()}",
            desired="opens by EWS",
            title=f"See that EWS opens {wanted.mailbox} for the application now",
        )
        yield Step(
            kind=StepKind.REVOKE_CONSENT,
            target=consent_target(app_id),
            desired=f"without {FULL_ACCESS_AS_APP}",
            title=f"Take {FULL_ACCESS_AS_APP} away from application {app_id}",
        )
    refused = "" if outside is None else f", refuses {outside.lower()}"
    yield Step(
        kind=StepKind.PROVE_ROLE,
        target=f"role of {wanted.unique_name}",
        desired=f"opens {wanted.mailbox.lower()} without {FULL_ACCESS_AS_APP}{refused}",
        title=f"Prove with a fresh token, without {FULL_ACCESS_AS_APP}, that {wanted.mailbox} opens"
        + (" and another is out of scope" if outside is None else f" and {outside} does not")
        + "; if it fails, the grant goes back",
    )
    if keep_policy:
        return
    if _differs_by_scope(seen):
        yield Step(
            kind=StepKind.CORRECT_APPLICATION,
            target=f"application {wanted.unique_name}",
            desired=f"scope {Scope.RBAC}",
            title="Note on the application that a role restricts it, and that it asks for no permission",
        )
    for policy in seen.fence:
        yield Step(
            kind=StepKind.REMOVE_POLICY,
            target=policy_target(policy),
            desired="removed",
            title=f"Remove the access policy on {seen.group_address}, which restricts nothing any more",
        )


def _differs_by_scope(seen: Migration) -> bool:
    """Whether the application still says that a policy restricts it, or asks for the permission."""
    application = seen.application
    tags = application.tags or ()
    asks = any(
        one.id == seen.resource.role_id
        for resource in application.required_resource_access or ()
        for one in resource.resource_access
    )
    return scope_of_tags(tags) is not Scope.RBAC or (asks and ADOPTED_TAG not in tags)


def grant_back(app_id: str) -> Step:
    """The step that puts the grant back; the policy stands then."""
    return Step(
        kind=StepKind.GRANT_CONSENT,
        target=consent_target(app_id),
        desired=f"with {FULL_ACCESS_AS_APP}",
        title=f"Give {FULL_ACCESS_AS_APP} back to application {app_id}, which its policy restricts",
    )


def _first_run(wanted: Registration, seen: Migration) -> Iterator[Step]:
    if seen.roles.pointer is None:
        yield pointer_step(wanted)
    if not seen.roles.assignments:
        yield from assignment_steps(wanted, seen.roles)
    yield stand_step(wanted)


def _warnings(
    seen: Migration, steps: tuple[Step, ...], *, until: datetime | None, outside: str | None
) -> Iterator[str]:
    kinds = {step.kind for step in steps}
    if until is not None:
        yield (
            "Exchange takes a role in within two hours, whatever its test says: the second run can begin after "
            f"{until:%Y-%m-%d %H:%M} UTC"
        )
    if StepKind.GRANT_CONSENT in kinds:
        yield "the role in Exchange is gone, and the grant was taken away for it: the application opens no mailbox now"
    elif steps:
        yield _UNDOCUMENTED
    if StepKind.REMOVE_POLICY in kinds and StepKind.REVOKE_CONSENT in kinds:
        yield _OLD_TOKENS
    if StepKind.PROVE_ROLE in kinds and outside is None:
        yield "no mailbox outside is named, so EWS itself is not asked about one: --outside ADDRESS"
    if steps and seen.outside is None:
        yield "this tenant has no other mailbox, so nothing can show that the application is denied elsewhere"
    for one in seen.others:
        if one.access_right.casefold() != "restrictaccess":
            yield (
                f"{one.access_right} on {one.scope_name or one.scope_identity} is not mimapp's and stays; it does not "
                "restrict a role"
            )
