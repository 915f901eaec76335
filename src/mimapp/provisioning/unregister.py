"""Take a registration away: one write at a time, in the plan's order, and say what has to wait.

Taking away goes the other way round than making: secrets and grants first, the fence last. A run that stops or dies
after any step leaves no grant without a fence; run again, it finishes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.credentials.listing import Owner
from mimapp.provisioning.pace import Pace
from mimapp.provisioning.plan_entra import gone_note
from mimapp.provisioning.unregister_actions import Removal, act
from mimapp.provisioning.unregister_fence import fence_of
from mimapp.provisioning.unregister_plan import our_app_ids

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mimapp.credentials.listing import Credential
    from mimapp.provisioning.events import Event
    from mimapp.provisioning.outcome import Change, Failure
    from mimapp.provisioning.services import Services
    from mimapp.provisioning.steps import Step
    from mimapp.provisioning.unregister_fence import Kept
    from mimapp.provisioning.unregister_plan import UnregisterPlan

__all__ = ["UnregisterOutcome", "apply_unregister"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnregisterOutcome:
    """What a run of unregister came to.

    Attributes:
        tenant_id, tenant_name: the tenant.
        registration, mailbox: what was taken away.
        application_ids: the client ids that it has or had, as far as is known.
        changes: what this run wrote.
        kept: what stays, and why.
        foreign: the credentials of the application that mimapp did not make; they go with it.
        next_at: when everything that only waits can go; None where nothing waits, or no time is known.
        finish: the command that finishes; empty when nothing is left to do for it.
        warnings: what is worth knowing.
        attention: what a person must do or decide.
        failed: the step that stopped the run, or None.
        not_tried: the steps after it.
        sandbox: whether the tenant is a simulated one.
    """

    tenant_id: str
    tenant_name: str
    registration: str
    mailbox: str
    application_ids: tuple[str, ...]
    changes: tuple[Change, ...]
    kept: tuple[Kept, ...]
    foreign: tuple[Credential, ...]
    next_at: datetime | None
    finish: str
    warnings: tuple[str, ...]
    attention: tuple[str, ...]
    failed: Failure | None
    not_tried: tuple[Step, ...]
    sandbox: bool

    @property
    def is_complete(self) -> bool:
        """Whether nothing of the registration is left that mimapp may take away."""
        return self.failed is None and not self.kept


def apply_unregister(plan: UnregisterPlan, services: Services, on_event: Callable[[Event], None]) -> UnregisterOutcome:
    """Carry a plan out, as far as it goes.

    Args:
        plan: what to take away; made from the tenant as it is now.
        services: the rooms below.
        on_event: told of every step as it begins and ends.
    """
    run = Removal(services=services, wanted=plan.wanted, holdings=plan.holdings)
    for app_id in plan.unknown_since:
        run.note(gone_note(app_id), services.clock.now())
    pace = Pace(services, plan.wanted.key, lambda step: act(run, step), on_event, total=len(plan.steps))
    failed: Failure | None = None
    left: tuple[Step, ...] = ()
    for place, step in enumerate(plan.steps):
        if (failed := pace.take(step, place + 1)) is not None:
            left = plan.steps[place + 1 :]
            break
    return _outcome(plan, run, changes=tuple(pace.changes), failed=failed, not_tried=left)


def _outcome(
    plan: UnregisterPlan,
    run: Removal,
    *,
    changes: tuple[Change, ...],
    failed: Failure | None,
    not_tried: tuple[Step, ...],
) -> UnregisterOutcome:
    services = run.services
    kept = fence_of(plan.wanted, run.holdings, services.clock.now()).kept
    if failed is None and not kept:
        # Nothing is left that a later run would have to know about.
        services.journal.forget(services.tenant_id, plan.wanted.key)
    waiting = tuple(one for one in kept if not one.needs_person)
    times = [one.until for one in waiting if one.until is not None]
    shown = {str(one) for one in plan.kept}
    return UnregisterOutcome(
        tenant_id=plan.tenant_id,
        tenant_name=plan.tenant_name,
        registration=plan.wanted.key,
        mailbox=plan.wanted.mailbox,
        application_ids=tuple(sorted(our_app_ids(plan.wanted, plan.holdings))),
        changes=changes,
        kept=kept,
        foreign=tuple(one for one in plan.holdings.credentials if one.owner is Owner.FOREIGN),
        next_at=max(times) if times and len(times) == len(waiting) else None,
        finish=_finish(plan, services) if kept else "",
        warnings=(*(line for line in plan.warnings if line not in shown), *run.warnings),
        attention=(*(f"{one}; {one.remedy}" for one in kept if one.needs_person), *run.attention),
        failed=failed,
        not_tried=not_tried,
        sandbox=services.sandbox,
    )


def _finish(plan: UnregisterPlan, services: Services) -> str:
    app_id = [] if plan.wanted.app_id is None else [f"--app-id {plan.wanted.app_id}"]
    return plan.command_line(*app_id, *(["--purge"] if plan.purge else []), sandbox=services.sandbox)
