"""A rotation's plan: the decision, and the steps that follow from it, in order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mimapp.credentials import unfinished
from mimapp.errors import UsageError
from mimapp.rotation.decide import Decision, Policy, decide
from mimapp.rotation.retirement import retirements, revoke_step
from mimapp.rotation.steps import Step, StepKind, StepPlan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mimapp.credentials import Desk
    from mimapp.credentials.listing import Credential
    from mimapp.rotation.hooks import Hooks
    from mimapp.rotation.services import Services
    from mimapp.rotation.view import OurSecret, View
    from mimapp.spec import Registration

__all__ = ["RotationPlan", "check_named", "make_plan", "sweep_step"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationPlan(StepPlan):
    """What a rotation is to do.

    Attributes:
        policy: how it was decided.
        view: what was seen.
        decision: what was decided, and why.
        other_ways: every other way into the application, where secrets are compromised.
        owners: who may add secrets to the application, where secrets are compromised.
    """

    policy: Policy
    view: View
    decision: Decision
    other_ways: tuple[Credential, ...] = ()
    owners: tuple[str, ...] = ()


def make_plan(
    services: Services,
    wanted: Registration,
    view: View,
    policy: Policy,
    hooks: Hooks,
    *,
    ways: tuple[Credential, ...] = (),
) -> RotationPlan:
    """What is to be done about a registration's secrets now; pure.

    Raises:
        UsageError: what was named as compromised is no client secret of the application.
    """
    check_named(view, policy.compromised, ways)
    decision = decide(view, policy)
    named = {key_id.lower() for key_id in policy.compromised}
    late = sweep_step(wanted, view.desk)
    plan = RotationPlan(
        tenant_id=services.tenant_id,
        operator=services.graph_operator.name,
        wanted=wanted,
        application_id=view.desk.application_id,
        steps=(),
        warnings=(),
        policy=policy,
        view=view,
        decision=decision,
        other_ways=tuple(way for way in ways if way.key_id.lower() not in named),
    )
    steps = (*_making(plan, hooks), *_taking(plan))
    return replace(plan, steps=steps if late is None else (*steps, late))


def sweep_step(wanted: Registration, desk: Desk) -> Step | None:
    """The step that looks for what no store has, where the journal knows of some now."""
    labels = sorted(entry.label for entry in unfinished(desk.entries()))
    if not labels:
        return None
    return Step(
        kind=StepKind.SWEEP,
        target=f"secrets of {wanted.unique_name}",
        desired="revoke what no store has",
        title=f"Revoke what was asked for and never stored: {', '.join(labels)}",
    )


def check_named(view: View, named: tuple[str, ...], ways: tuple[Credential, ...]) -> None:
    """Only client secrets of the application can be revoked here; anything else is said before anything is done.

    Raises:
        UsageError: something else is named.
    """
    known = {one.key_id.lower() for one in view.secrets} | {key_id.lower() for key_id in view.foreign}
    # What an earlier run here took away may be named once more: that run died, or the same command came twice.
    known |= {entry.key_id for entry in view.desk.entries() if entry.key_id and entry.state in {"retiring", "revoked"}}
    for key_id in named:
        if key_id.lower() in known:
            continue
        other = next((way for way in ways if way.key_id.lower() == key_id.lower()), None)
        if other is None:
            raise UsageError(
                f"the application has no client secret with the key id {key_id}", hint="mimapp secret list shows them"
            )
        raise UsageError(
            f"{key_id} is a credential of kind {other.kind} on the {other.on}: mimapp revokes client secrets of the "
            "application alone",
            hint="remove it in the Entra admin centre, or stop every sign-in with mimapp lockdown",
        )


def _making(plan: RotationPlan, hooks: Hooks) -> Iterator[Step]:
    """The successor: issued where that is decided, and brought as far as it has not come yet."""
    wanted, decision = plan.wanted, plan.decision
    current = decision.current
    name = wanted.unique_name
    if decision.issue:
        days = wanted.secret_lifetime.total_seconds() / 86_400
        stores = ", ".join(store.uri for store in wanted.stores)
        yield Step(
            kind=StepKind.ISSUE,
            target=f"secret of {name}",
            desired=f"{days:g} d; {stores}",
            title=f"Issue a client secret for {days:g} days and store it in {stores}: {decision.reason}",
        )
        yield _proof(f"secret of {name}", "the new secret")
        if hooks.deploy is not None:
            yield _handing(f"secret of {name}", "the new secret", hooks.deploy.name, plan.policy.nodes)
        return
    if current is None or not current.is_here:
        return
    if current.stores and any(store.has(current.key_id) is False for store in plan.view.desk.stores):
        yield Step(
            kind=StepKind.COPY,
            target=f"secret {current.key_id}",
            desired="in every store",
            title=f"Store {current.label} where it is missing",
        )
    if _needs_proof(current):
        yield _proof(f"secret {current.key_id}", current.label)
    if decision.hand_over and hooks.deploy is not None:
        yield _handing(f"secret {current.key_id}", current.label, hooks.deploy.name, plan.policy.nodes)


def _needs_proof(current: OurSecret) -> bool:
    """Whether nobody is known to have got a token with a secret whose value is here."""
    return not current.is_proven and bool(current.stores)


def _proof(target: str, what: str) -> Step:
    return Step(
        kind=StepKind.PROVE, target=target, desired="gets a token", title=f"Prove {what} by getting a token with it"
    )


def _handing(target: str, what: str, hook: str, nodes: tuple[str, ...]) -> Step:
    where = f" for {', '.join(nodes)}" if nodes else ""
    return Step(
        kind=StepKind.HAND_OVER, target=target, desired=f"{hook}{where}", title=f"Hand {what} over: {hook}{where}"
    )


def _taking(plan: RotationPlan) -> Iterator[Step]:
    """What is compromised, and what a former run replaced."""
    view, named = plan.view, {key_id.lower() for key_id in plan.policy.compromised}
    for key_id in plan.policy.compromised:
        known = view.find(key_id)
        yield revoke_step(key_id, "" if known is None else known.label, "it is known to others")
    current = plan.decision.current
    if current is not None and not plan.decision.issue and _needs_proof(current):
        # A fresh machine does not know that it was proven before: this run proves it, and what follows from that is
        # shown now and done only if it works.
        view = view.with_secret(replace(current, state="proven"))
    for one in retirements(view, plan.policy.overlap):
        if one.allowed and one.secret.key_id.lower() not in named:
            yield revoke_step(one.secret.key_id, one.secret.label, one.reason)
