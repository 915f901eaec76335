"""The command that takes old secrets away: those that may go by the four conditions, or what a person names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.errors import MimappError, UnsafePlanError, UsageError
from mimapp.rotation.plan import check_named
from mimapp.rotation.retirement import forget_retired, retire, retirement, retirements, revoke, revoke_step
from mimapp.rotation.standing import standing
from mimapp.rotation.steps import Step, StepPlan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mimapp.credentials.listing import Credential
    from mimapp.rotation.decide import Policy
    from mimapp.rotation.retirement import Retirement
    from mimapp.rotation.services import Services
    from mimapp.rotation.view import View
    from mimapp.rotation.work import Work
    from mimapp.spec import Registration

__all__ = ["RetirementOutcome", "RetirementPlan", "make_retirement_plan", "take_away"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetirementPlan(StepPlan):
    """What a retirement is to take away.

    Attributes:
        policy: overlap and nodes.
        view: what was seen.
        older: every older secret of mimapp's, and whether it may go.
        named: key ids that go because a person named them; nothing else goes then.
        without_evidence: whether they go although nothing shows that MIM uses another secret.
    """

    policy: Policy
    view: View
    older: tuple[Retirement, ...]
    named: tuple[str, ...] = ()
    without_evidence: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RetirementOutcome:
    """What a retirement came to.

    Attributes:
        tenant_id: the tenant.
        application_id: the client id.
        retired: key ids of what this run took away.
        older: every older secret of mimapp's that is still there, and why.
        warnings: what is worth knowing.
        attention: what a person must do before more can go.
        failed: the step that stopped the run, and why.
        done: the steps that are done, with what came of each.
        not_tried: the steps after the failed one.
        sandbox: whether the tenant is a simulated one.
    """

    tenant_id: str
    application_id: str
    retired: tuple[str, ...]
    older: tuple[Retirement, ...]
    warnings: tuple[str, ...]
    attention: tuple[str, ...]
    failed: tuple[Step | None, MimappError] | None
    done: tuple[tuple[Step, str], ...]
    not_tried: tuple[Step, ...]
    sandbox: bool


def make_retirement_plan(
    services: Services,
    wanted: Registration,
    view: View,
    policy: Policy,
    *,
    named: tuple[str, ...] = (),
    ways: tuple[Credential, ...] = (),
    without_evidence: bool = False,
) -> RetirementPlan:
    """What may go now.

    Raises:
        UsageError: what is named is no client secret of the application.
        UnsafePlanError: what is named may be what MIM uses.
    """
    if without_evidence and not named:
        raise UsageError("--without-evidence takes away only what is named", hint="name it with --key-id KEYID")
    check_named(view, named, ways)
    steps = tuple(_named(view, policy, named, without_evidence=without_evidence) if named else _due(view, policy))
    return RetirementPlan(
        tenant_id=services.tenant_id,
        operator=services.graph_operator.name,
        wanted=wanted,
        application_id=view.desk.application_id,
        steps=steps,
        warnings=_warnings(view, named),
        policy=policy,
        view=view,
        older=retirements(view, policy.overlap),
        named=named,
        without_evidence=without_evidence,
    )


def take_away(work: Work, plan: RetirementPlan) -> RetirementOutcome:
    """Carry a plan out; what stopped it is in the outcome."""
    view, desk = plan.view, plan.view.desk
    work.begin(len(plan.steps))
    gone: list[str] = []
    notes: list[str] = []
    failed: tuple[Step | None, MimappError] | None = None
    try:
        forget_retired(desk, view)
        if plan.named:
            for key_id, step in zip(plan.named, plan.steps, strict=True):
                work.take(step, lambda key_id=key_id: revoke(view, key_id))  # type: ignore[misc]  # bound in the loop
                gone.append(key_id)
        else:
            retire(work, view, [one for one in plan.older if one.allowed], notes.append, gone.append)
    except MimappError as error:
        failed = (work.current, error)
    stands = standing(view.without(gone), plan.policy.overlap)
    tried = {step.identity for step, _ in work.done}
    stopped_at = None if failed is None or failed[0] is None else failed[0].identity
    return RetirementOutcome(
        tenant_id=plan.tenant_id,
        application_id=plan.application_id,
        retired=tuple(gone),
        older=stands.older,
        warnings=stands.warnings,
        attention=(*notes, *stands.attention),
        failed=failed,
        done=tuple(work.done),
        not_tried=() if failed is None else tuple(s for s in plan.steps if s.identity not in {*tried, stopped_at}),
        sandbox=work.services.sandbox,
    )


def _due(view: View, policy: Policy) -> Iterator[Step]:
    for one in retirements(view, policy.overlap):
        if one.allowed:
            yield revoke_step(one.secret.key_id, one.secret.label, one.reason)


def _named(view: View, policy: Policy, named: tuple[str, ...], *, without_evidence: bool) -> Iterator[Step]:
    """One step for each name, in that order."""
    for key_id in named:
        secret = view.find(key_id)
        if secret is None:
            yield revoke_step(key_id, "", "not issued by mimapp, and named by its key id")
            continue
        if not secret.is_live(view.at):
            yield revoke_step(secret.key_id, secret.label, "it has ended")
            continue
        one = retirement(secret, view, policy.overlap, is_named=True)
        if not one.allowed and not without_evidence:
            raise UnsafePlanError(
                f"{secret.label} may be what MIM uses: {one.reason}",
                hint="confirm the secret that MIM uses with mimapp handover confirm KEYID; or add --without-evidence, "
                "which may stop mail",
                explain="no-handover-evidence",
            )
        why = one.reason if one.allowed else f"without evidence, as asked ({one.reason})"
        yield revoke_step(secret.key_id, secret.label, why)


def _warnings(view: View, named: tuple[str, ...]) -> tuple[str, ...]:
    if not any(view.find(key_id) is None for key_id in named) or any(one.is_handed_over for one in view.live):
        return ()
    return ("nothing shows that MIM uses one of mimapp's secrets: it may be using the one that is named here",)
