"""Carry a plan out: one write at a time, in the plan's order, each written down before and after it is made.

The first failure stops the run; what is done stays done, and running again goes on from there. Nothing is rolled
back: every step leaves the tenant no more open than it found it, since the grant comes after the fence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.credentials import unfinished
from mimapp.provisioning import consent_actions, entra_actions, exchange_actions, fence_actions, secret_actions
from mimapp.provisioning.pace import Pace
from mimapp.provisioning.result import outcome_of
from mimapp.provisioning.run import Run
from mimapp.provisioning.steps import Step, StepKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mimapp.provisioning.events import Event
    from mimapp.provisioning.outcome import Outcome
    from mimapp.provisioning.plan import Plan
    from mimapp.provisioning.run import Done
    from mimapp.provisioning.services import Services

__all__ = ["apply_plan"]

_ACTIONS: Mapping[StepKind, Callable[[Run], Done]] = {
    StepKind.CREATE_APPLICATION: entra_actions.create_application,
    StepKind.CORRECT_APPLICATION: entra_actions.correct_application,
    StepKind.ADOPT_APPLICATION: entra_actions.adopt_application,
    StepKind.RESTORE_APPLICATION: entra_actions.restore_application,
    StepKind.PURGE_APPLICATION: entra_actions.purge_application,
    StepKind.TRIM_USER_READ: entra_actions.trim_user_read,
    StepKind.DROP_RESTORED_SECRETS: entra_actions.drop_restored_secrets,
    StepKind.ADD_OWNER: entra_actions.add_owner,
    StepKind.CREATE_PRINCIPAL: entra_actions.create_principal,
    StepKind.TAG_PRINCIPAL: entra_actions.tag_principal,
    StepKind.CREATE_GROUP: exchange_actions.create_group,
    StepKind.HIDE_GROUP: exchange_actions.hide_group,
    StepKind.ADD_MEMBER: exchange_actions.add_member,
    StepKind.CREATE_POLICY: exchange_actions.create_policy,
    StepKind.CREATE_POINTER: fence_actions.create_pointer,
    StepKind.CREATE_SCOPE: fence_actions.create_scope,
    StepKind.ASSIGN_ROLE: fence_actions.assign,
    StepKind.STAND_FENCE: fence_actions.stand_fence,
    StepKind.HOLD_CONSENT: fence_actions.hold_consent,
    StepKind.GRANT_CONSENT: entra_actions.grant_consent,
    StepKind.ADD_REDIRECT: consent_actions.add_redirect,
    StepKind.CONSENT_IN_BROWSER: consent_actions.consent_in_browser,
    StepKind.REMOVE_REDIRECT: consent_actions.remove_redirect,
    StepKind.ALLOW_EWS: exchange_actions.allow_ews,
    StepKind.ISSUE_SECRET: secret_actions.issue_secret,
    StepKind.PROVE_SECRET: secret_actions.prove_secret,
    StepKind.SWEEP_SECRETS: secret_actions.sweep_secrets,
}


def apply_plan(plan: Plan, services: Services, on_event: Callable[[Event], None]) -> Outcome:
    """Carry a plan out, as far as it goes.

    Args:
        plan: what to do; made from the tenant as it is now.
        services: the rooms below.
        on_event: told of every step as it begins and ends.

    Raises:
        StoreError: a secret is to be issued, and a store could not take it; nothing was written.
    """
    if any(step.kind is StepKind.ISSUE_SECRET for step in plan.steps):
        for store in services.stores:
            store.preflight()
    run = Run(services=services, wanted=plan.wanted, observed=plan.observed, warnings=list(plan.warnings))
    pace = Pace(services, plan.wanted.key, lambda step: _ACTIONS[step.kind](run), on_event, total=len(plan.steps))
    failed, taken = None, 0
    try:
        for taken, step in enumerate(plan.steps, 1):
            if (failed := pace.take(step, taken)) is not None:
                break
    except BaseException:
        _clean_up(plan, pace, taken)
        raise
    if failed is not None:
        left = _clean_up(plan, pace, taken)
        return outcome_of(plan, run, changes=tuple(pace.changes), failed=failed, not_tried=left)
    if (late := _late_sweep(plan, run)) is not None:
        # A reply was lost in this very run: what it may have left is looked for now, when mail works already.
        pace.total += 1
        failed = pace.take(late, pace.total)
    return outcome_of(plan, run, changes=tuple(pace.changes), failed=failed)


def _clean_up(plan: Plan, pace: Pace, taken: int) -> tuple[Step, ...]:
    """Take the steps that clean up, after a run has stopped; those that nobody will take."""
    left: list[Step] = []
    for number, step in enumerate(plan.steps[taken:], taken + 1):
        if not step.kind.cleans_up or pace.take(step, number, although_cancelled=True) is not None:
            left.append(step)
    return tuple(left)


def _late_sweep(plan: Plan, run: Run) -> Step | None:
    kinds = {step.kind for step in plan.steps}
    if not run.object_id or StepKind.ISSUE_SECRET not in kinds or StepKind.SWEEP_SECRETS in kinds:
        return None
    labels = [entry.label for entry in unfinished(run.desk().entries())]
    if not labels:
        return None
    return Step(
        kind=StepKind.SWEEP_SECRETS,
        target=f"secret of {run.wanted.unique_name}",
        desired="revoke what no store has",
        title=f"Revoke what a lost reply left: {', '.join(labels)}",
    )
