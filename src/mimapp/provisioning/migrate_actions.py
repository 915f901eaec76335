"""Carry out what `scope migrate` shows. Whatever ends the second run before the role is proven, the grant goes back.

The journal says that the grant was taken away before the request is sent, and that it goes back before that request
is: a run that died in between is finished by the next one, and only what mimapp took is put back. The policy is
removed after the proof alone, so that the grant never stands without it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mimapp.credentials.stored import stored_secret
from mimapp.errors import UnsafePlanError
from mimapp.exchange import EwsKind
from mimapp.graph import FULL_ACCESS_AS_APP, ApplicationPatch
from mimapp.provisioning.entra_actions import merged_access
from mimapp.provisioning.migrate import grant_back
from mimapp.provisioning.migrate_observe import grants_of
from mimapp.provisioning.migrate_proof import open_mailbox, prove_without_grant, sign_in
from mimapp.provisioning.pace import Pace
from mimapp.provisioning.rbac_actions import RoleWork, assign_role, make_pointer, stand_role
from mimapp.provisioning.run import Done
from mimapp.provisioning.scope_notes import BACK_NOTE, FENCE_NOTE, POLICY_NOTE, ROLE_NOTE, ROLE_TAKES, TAKEN_NOTE
from mimapp.provisioning.scope_proof import Proof, note_proof
from mimapp.provisioning.steps import StepKind
from mimapp.provisioning.taking_away import policy_undo, revoke_grant
from mimapp.provisioning.unregister_fence import TOKENS_LIVE
from mimapp.provisioning.unregister_plan import policy_target
from mimapp.spec import ADOPTED_TAG, Scope, scope_of_tags

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from mimapp.credentials.stored import Held
    from mimapp.exchange import AccessPolicy
    from mimapp.provisioning.events import Event
    from mimapp.provisioning.migrate import MigratePlan
    from mimapp.provisioning.migrate_proof import Shown
    from mimapp.provisioning.outcome import Change, Failure
    from mimapp.provisioning.services import Services
    from mimapp.provisioning.steps import Step

__all__ = ["MigrateOutcome", "apply_migrate"]

_PROOFS = frozenset({StepKind.PROVE_MAIL, StepKind.PROVE_ROLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrateOutcome:
    """What a run of `scope migrate` came to.

    Attributes:
        tenant_id, tenant_name: the tenant.
        registration, mailbox, application_id: what is migrated.
        granted: whether the application holds full_access_as_app now.
        role_since: since when its role is acknowledged, as far as this machine knows.
        policies: the access policies of this registration that are left.
        shown: what this run proved.
        next_at: when the next run can go on; None where nothing is left, or it can at once.
        finish: the command that goes on; empty where nothing is left.
        changes: what this run wrote.
        warnings: what is worth knowing.
        failed: the step that stopped the run, or None.
        not_tried: the steps after it.
        sandbox: whether the tenant is a simulated one.
    """

    tenant_id: str
    tenant_name: str
    registration: str
    mailbox: str
    application_id: str
    granted: bool
    role_since: datetime | None
    policies: tuple[AccessPolicy, ...]
    shown: tuple[Shown, ...]
    next_at: datetime | None
    finish: str
    changes: tuple[Change, ...]
    warnings: tuple[str, ...]
    failed: Failure | None
    not_tried: tuple[Step, ...]
    sandbox: bool

    @property
    def is_complete(self) -> bool:
        """Whether the role alone is left."""
        return self.failed is None and not self.finish


@dataclass(slots=True, kw_only=True)
class _Migrating:
    """One run while it is under way; `held` is the secret of a run that proves something."""

    plan: MigratePlan
    services: Services
    work: RoleWork
    held: Held | None = None
    granted: bool = True
    policies: tuple[AccessPolicy, ...] = ()
    shown: tuple[Shown, ...] = ()
    is_proven: bool = False

    @property
    def app_id(self) -> str:
        return self.plan.seen.application.app_id

    @property
    def owes_the_grant(self) -> bool:
        """Whether mimapp took the grant away, here or in a run that died, and the role is not proven."""
        state = self.services.journal.state(self.services.tenant_id, self.plan.wanted.key)
        return not self.is_proven and TAKEN_NOTE in state.since

    def act(self, step: Step) -> Done:
        return _ACTIONS[step.kind](self, step)

    def secret(self) -> Held:
        if self.held is None:
            raise AssertionError("a proof in a run that has no secret")
        return self.held


def apply_migrate(plan: MigratePlan, services: Services, on_event: Callable[[Event], None]) -> MigrateOutcome:
    """Carry a plan out, as far as it goes.

    Args:
        plan: what to do; made from the tenant as it is now.
        services: the rooms below.
        on_event: told of every step as it begins and ends.

    Raises:
        StoreError: something is to be proven, and no store has the client secret; nothing was written.
    """
    seen, wanted = plan.seen, replace(plan.wanted, scope=Scope.RBAC)
    app = seen.application
    work = RoleWork(
        services=services,
        wanted=wanted,
        app_id=app.app_id,
        principal_id=seen.principal.id,
        group=seen.group_address,
        outside=seen.outside,
    )
    run = _Migrating(plan=plan, services=services, work=work, granted=bool(seen.grants), policies=seen.fence)
    if any(step.kind in _PROOFS for step in plan.steps):
        run.held = stored_secret(services.desk(wanted, app.app_id, app.id), app)
    pace = Pace(services, wanted.key, run.act, on_event, total=len(plan.steps))
    failed: Failure | None = None
    left: tuple[Step, ...] = ()
    try:
        for number, step in enumerate(plan.steps, 1):
            if (failed := pace.take(step, number)) is not None:
                left = plan.steps[number:]
                break
    except BaseException:
        _put_back(run, pace, None)
        raise
    if failed is not None:
        _put_back(run, pace, failed)
    return _outcome(run, changes=tuple(pace.changes), failed=failed, not_tried=left)


def _put_back(run: _Migrating, pace: Pace, failed: Failure | None) -> None:
    """Give the grant back after a proof that did not come; what the run stopped for says whether that worked."""
    if not run.owes_the_grant:
        return
    run.services.http.patience.start()  # the time of the run may be over, and this has to be done all the same
    pace.total += 1
    back = pace.take(grant_back(run.app_id), pace.total, although_cancelled=True)
    if failed is None:
        return
    line = (
        f"{FULL_ACCESS_AS_APP} was given back: the application works as before, restricted by its policy"
        if back is None
        else f"{FULL_ACCESS_AS_APP} could not be given back ({back.error}): the application has the role alone, which "
        "is not proven; run the same command again at once"
    )
    failed.error.details = (*failed.error.details, line)


def _prove_mail(run: _Migrating, _: Step) -> Done:
    """The mailbox opens now, with the grant: else a refusal afterwards would say nothing about the role.

    Raises:
        UnsafePlanError: it does not open.
    """
    wanted = run.plan.wanted
    token = sign_in(run.services, wanted, run.app_id, run.secret(), without_grant=False)
    answer = open_mailbox(run.services, wanted, token)
    if answer.kind is not EwsKind.SUCCESS:
        raise UnsafePlanError(
            f"EWS does not open {wanted.mailbox} as it is, so nothing could show that the role does: nothing was taken "
            "away",
            hint=f"mimapp verify --mailbox {wanted.mailbox} says what is wrong",
        )
    return Done(detail="opened", wrote=False)


def _revoke_consent(run: _Migrating, _: Step) -> Done:
    run.work.note(TAKEN_NOTE, run.services.clock.now())
    seen = run.plan.seen
    wrote = [revoke_grant(run.services, seen.principal, grant.id) for grant in seen.grants]
    run.granted = False
    return Done(
        detail=f"{FULL_ACCESS_AS_APP} taken away" if any(wrote) else "was gone",
        wrote=any(wrote),
        before=FULL_ACCESS_AS_APP,  # no command undoes it: a proof that fails gives it back by itself
    )


def _prove_role(run: _Migrating, _: Step) -> Done:
    plan, services = run.plan, run.services
    run.shown = prove_without_grant(
        services, run.work.wanted, run.app_id, run.secret(), picked=plan.seen.outside, named=plan.outside
    )
    run.is_proven = True
    refused = plan.outside if run.shown[-1].holds else None
    if refused is not None:
        proof = Proof(when=services.clock.now(), address=refused)
        note_proof(services.journal, services.tenant_id, plan.wanted.key, proof)
    return Done(detail=f"opened by the role alone; {run.shown[-1].came}", wrote=False)


def _correct_application(run: _Migrating, _: Step) -> Done:
    """Note the scope in the tags; what asks for the permission goes, unless somebody else made the application.

    An administrator who consents to whatever an application asks for would otherwise give the grant back.
    """
    applications = run.services.graph.applications
    application = applications.get(run.plan.seen.application.id, fresh=True)
    tags = application.tags or ()
    kept = (tag for tag in tags if scope_of_tags((tag,)) in {None, Scope.RBAC})
    asked = merged_access(
        application.required_resource_access or (),
        run.plan.seen.resource.role_id,
        None if ADOPTED_TAG in tags else Scope.RBAC,
        keeps_user_read=True,
    )
    patch = ApplicationPatch(
        tags=tuple(dict.fromkeys([*kept, *run.work.wanted.scope_tags])), required_resource_access=asked
    )
    applications.change(application.id, patch, fresh=True)
    return Done(detail="scope rbac", before=f"tags {' '.join(tags)}")


def _assign_role(run: _Migrating, _: Step) -> Done:
    """Give the role; since when the policy stands is kept: it is the fence for as long as the grant is there."""
    services, key = run.services, run.plan.wanted.key
    stands = services.journal.state(services.tenant_id, key).since.get(FENCE_NOTE)
    done = assign_role(run.work)
    run.work.note(FENCE_NOTE, stands)
    return done


def _remove_policy(run: _Migrating, step: Step) -> Done:
    """Remove a policy, after the proof, when Entra shows no grant: asked again now, since it is what restricts one.

    Raises:
        UnsafePlanError: the role is not proven in this run.
        DeadlineError: a grant is listed still.
    """
    if not run.is_proven:
        raise UnsafePlanError("the role is not proven, so the access policy stays")
    services, seen = run.services, run.plan.seen
    services.http.patience.until(
        "role grant",
        "still listed, so the access policy stays",
        lambda: None if grants_of(services, run.app_id, seen.resource) else True,
    )
    policy = next(one for one in run.policies if policy_target(one) == step.target)
    run.work.note(TAKEN_NOTE, None)  # without the policy it never goes back
    run.work.note(POLICY_NOTE, None)  # what bridged the time in which it was not listed is over
    wrote = services.exchange.access_policies.remove(policy.identity)
    run.policies = tuple(one for one in run.policies if one is not policy)
    return Done(
        detail="removed; it may act for 30 minutes more" if wrote else "was gone",
        wrote=wrote,
        before=f"{policy.access_right} of {policy.app_id} to {policy.scope_name or policy.scope_identity}",
        undo=policy_undo(policy, seen.group_address),
    )


def _grant_again(run: _Migrating, _: Step) -> Done:
    seen = run.plan.seen
    run.work.note(BACK_NOTE, run.services.clock.now())
    grant = run.services.graph.role_grants.grant(
        principal_id=seen.principal.id, resource_id=seen.resource.principal_id, role_id=seen.resource.role_id
    )
    run.work.note(TAKEN_NOTE, None)
    run.granted = True
    return Done(detail=f"{FULL_ACCESS_AS_APP} granted" if grant is not None else "was granted", wrote=grant is not None)


def _stand(run: _Migrating, _: Step) -> Done:
    """Wait for the test; where this machine does not know since when the role stands, its time begins now."""
    stand_role(run.work)
    services = run.services
    if ROLE_NOTE not in services.journal.state(services.tenant_id, run.plan.wanted.key).since:
        run.work.note(ROLE_NOTE, services.clock.now())
    denied = f"{run.work.outside} not" if run.work.outside else "nobody else to ask about"
    return Done(detail=f"{run.plan.wanted.mailbox} in scope, {denied}", wrote=False)


_ACTIONS: Mapping[StepKind, Callable[[_Migrating, Step], Done]] = {
    StepKind.CREATE_POINTER: lambda run, _: make_pointer(run.work),
    StepKind.ASSIGN_ROLE: _assign_role,
    StepKind.STAND_FENCE: _stand,
    StepKind.PROVE_MAIL: _prove_mail,
    StepKind.REVOKE_CONSENT: _revoke_consent,
    StepKind.PROVE_ROLE: _prove_role,
    StepKind.CORRECT_APPLICATION: _correct_application,
    StepKind.REMOVE_POLICY: _remove_policy,
    StepKind.GRANT_CONSENT: _grant_again,
}


def _outcome(
    run: _Migrating, *, changes: tuple[Change, ...], failed: Failure | None, not_tried: tuple[Step, ...]
) -> MigrateOutcome:
    plan, services = run.plan, run.services
    role_since = services.journal.state(services.tenant_id, plan.wanted.key).since.get(ROLE_NOTE)
    is_over = failed is None and not run.granted and not run.policies
    now = services.clock.now()
    next_at = plan.until
    if next_at is None and run.granted and role_since is not None and now < role_since + ROLE_TAKES:
        next_at = role_since + ROLE_TAKES
    if plan.keep_policy and any(change.step == StepKind.REVOKE_CONSENT for change in changes) and not run.granted:
        next_at = now + TOKENS_LIVE
    if is_over:
        for note in (TAKEN_NOTE, BACK_NOTE):
            run.work.note(note, None)
    outside = [] if plan.outside is None else [f"--outside {plan.outside}"]
    return MigrateOutcome(
        tenant_id=plan.tenant_id,
        tenant_name=plan.tenant_name,
        registration=plan.wanted.key,
        mailbox=plan.wanted.mailbox,
        application_id=run.app_id,
        granted=run.granted,
        role_since=role_since,
        policies=run.policies,
        shown=run.shown,
        next_at=next_at,
        finish="" if is_over else plan.command_line(*outside, sandbox=services.sandbox),
        changes=changes,
        warnings=plan.warnings,
        failed=failed,
        not_tried=not_tried,
        sandbox=services.sandbox,
    )
