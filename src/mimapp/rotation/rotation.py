"""Work on one registration's secrets: plan and carry out a rotation or a retirement, confirm and show a hand-over."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from mimapp.errors import MimappError, ServiceError, StoreError, TransportError
from mimapp.rotation.decide import Policy, is_waiting
from mimapp.rotation.evidence import keep
from mimapp.rotation.handing import Statement, confirm
from mimapp.rotation.hooks import Hooks
from mimapp.rotation.outcome import HandOver, HandOverState, Outcome
from mimapp.rotation.plan import make_plan
from mimapp.rotation.proving import try_again
from mimapp.rotation.report import read_report, sightings_of, trusted
from mimapp.rotation.retiring import make_retirement_plan, take_away
from mimapp.rotation.standing import standing
from mimapp.rotation.turn import Turn
from mimapp.rotation.view import look, owners_of, ways_in
from mimapp.rotation.work import Phase, Work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mimapp.credentials.listing import Credential
    from mimapp.rotation.plan import RotationPlan
    from mimapp.rotation.retiring import RetirementOutcome, RetirementPlan
    from mimapp.rotation.services import Services
    from mimapp.rotation.standing import Standing
    from mimapp.rotation.steps import Step
    from mimapp.rotation.view import View
    from mimapp.spec import Registration

__all__ = ["Rotation"]

_CALM = Policy()
_NONE = Hooks()


@contextlib.contextmanager
def _failure_noted(work: Work) -> Iterator[None]:
    """Write it down where a service or a store ends a run before its first step; a person who interrupts is none."""
    try:
        yield
    except (ServiceError, TransportError, StoreError) as error:
        work.note_failure(error)
        raise


class Rotation:
    """One registration's secrets, and what can be done with them.

    Args:
        services: the rooms below.
        wanted: the registration; its stores are where secrets go and where they may be already.
        tell: told of every step.
    """

    def __init__(self, services: Services, wanted: Registration, tell: Callable[[Phase], None]) -> None:
        self._services = services
        self._wanted = wanted
        self._tell = tell

    def plan(self, policy: Policy = _CALM, hooks: Hooks = _NONE) -> RotationPlan:
        """Read the application and say what a rotation would do; writes nothing.

        Raises:
            UsageError: a hook could not be called, or there is no such application or secret.
            StoreError: a store cannot be asked.
            ServiceError, TransportError: a read failed.
        """
        hooks.check()
        self._services.http.patience.start()
        work = self._work()
        with _failure_noted(work):
            return self._plan(policy, hooks, work)

    def rotate(self, plan: RotationPlan, hooks: Hooks = _NONE, *, as_shown: bool = True) -> Outcome:
        """Carry a plan out, after another look under this machine's lock; what stopped it is in the outcome.

        Args:
            plan: from `plan`.
            hooks: the operator's programs.
            as_shown: refuse steps that the plan did not show; False takes what is due now.

        Raises:
            DeadlineError: another run of this machine works on the registration.
            StalePlanError: the tenant has moved.
            MimappError: as `plan`.
        """
        services = self._services
        hooks.check()
        services.http.patience.start()
        with services.journal.lock(services.tenant_id, self._wanted.key):
            work = self._work()
            with _failure_noted(work):
                now_due = self._plan(plan.policy, hooks, work)
                if try_again(now_due.view):
                    now_due = self._plan(plan.policy, hooks, work)
            self._remember(now_due.view)
            if as_shown:
                now_due.raise_if_not_shown(plan)
            turn = Turn(work, now_due, hooks)
            failed: tuple[Step | None, MimappError] | None = None
            try:
                turn.run()
            except MimappError as error:
                failed = (work.current, error)
            return self._outcome(now_due, turn, work, failed)

    def plan_retirement(
        self, policy: Policy = _CALM, *, key_ids: tuple[str, ...] = (), without_evidence: bool = False
    ) -> RetirementPlan:
        """Read the application and say what may go; writes nothing.

        Args:
            policy: the overlap and the nodes.
            key_ids: what a person names: nothing else goes then; foreign ones go only so.
            without_evidence: take what is named although nothing shows that MIM uses another secret.

        Raises:
            UnsafePlanError: what is named may be what MIM uses.
            UsageError: there is no such application or secret.
            StoreError, ServiceError, TransportError: a read failed.
        """
        self._services.http.patience.start()
        return self._plan_retirement(policy, key_ids, without_evidence=without_evidence)

    def retire(self, plan: RetirementPlan, *, as_shown: bool = True) -> RetirementOutcome:
        """Take away what a plan shows. Arguments and errors as `rotate` and `plan_retirement`."""
        services = self._services
        services.http.patience.start()
        with services.journal.lock(services.tenant_id, self._wanted.key):
            now_due = self._plan_retirement(plan.policy, plan.named, without_evidence=plan.without_evidence)
            if as_shown:
                now_due.raise_if_not_shown(plan)
            return take_away(self._work(), now_due)

    def confirm(self, statement: Statement, policy: Policy = _CALM) -> tuple[View, Standing]:
        """Keep a person's or a server's word that MIM uses a secret: evidence for every older one of mimapp's.

        Raises:
            UsageError: there is no such secret of mimapp's, or it has ended.
            StoreError: the journal has it, and a store could not take it.
            MimappError: as `plan`.
        """
        services = self._services
        services.http.patience.start()
        with services.journal.lock(services.tenant_id, self._wanted.key):
            confirm(look(services, self._wanted, policy.nodes), statement)
            return self.show(policy)

    def show(self, policy: Policy = _CALM) -> tuple[View, Standing]:
        """What is there, and how its hand-over stands; writes nothing.

        Raises:
            MimappError: as `plan`.
        """
        view = self._reported(look(self._services, self._wanted, policy.nodes), policy)
        return view, standing(view, policy.overlap)

    def ways_in(self, view: View) -> tuple[Credential, ...]:
        """Every live way into the application.

        Raises:
            ServiceError, TransportError: a read failed.
        """
        return ways_in(self._services, view)

    def _work(self) -> Work:
        return Work(self._services, self._wanted, self._tell)

    def _look(self, policy: Policy, work: Work) -> View:
        title = f"Read the secrets of {self._wanted.mailbox}"
        return work.read(title, lambda: look(self._services, self._wanted, policy.nodes))

    def _plan(self, policy: Policy, hooks: Hooks, work: Work) -> RotationPlan:
        view = self._with_report(self._look(policy, work), policy)
        if not policy.compromised:
            return make_plan(self._services, self._wanted, view, policy, hooks)
        ways, owners = ways_in(self._services, view), owners_of(self._services, view)
        return replace(make_plan(self._services, self._wanted, view, policy, hooks, ways=ways), owners=owners)

    def _with_report(self, view: View, policy: Policy) -> View:
        """The view with the sign-in report, where a secret waits for evidence, and with what it gives where trusted."""
        newest = view.newest
        if newest is None or not is_waiting(newest, view):
            return view
        view = self._reported(view, policy)
        if view.report is None or not policy.trust_report:
            return view
        piece = trusted(view.report, view, self._services.journal.state(self._services.tenant_id, self._wanted.key))
        if piece is None:
            return view
        return view.with_secret(replace(newest, evidence=(*newest.evidence, piece)))

    def _reported(self, view: View, policy: Policy) -> View:
        """The view with the sign-in report; one that cannot be read matters to who trusts it, and to nobody else."""
        report = read_report(self._services, view)
        return view if report.problem and not policy.trust_report else replace(view, report=report)

    def _remember(self, view: View) -> None:
        """Write down what the report shows today, and the evidence that it gives where it is trusted."""
        if view.report is None:
            return
        services = self._services
        services.journal.note_sightings(services.tenant_id, self._wanted.key, sightings_of(view.report, view))
        for one in view.live:
            for piece in one.evidence:
                if piece.kind == "report":
                    keep(view.desk, piece)

    def _plan_retirement(self, policy: Policy, key_ids: tuple[str, ...], *, without_evidence: bool) -> RetirementPlan:
        view = self._look(policy, self._work())
        ways = ways_in(self._services, view) if key_ids else ()
        return make_retirement_plan(
            self._services, self._wanted, view, policy, named=key_ids, ways=ways, without_evidence=without_evidence
        )

    def _outcome(
        self, plan: RotationPlan, turn: Turn, work: Work, failed: tuple[Step | None, MimappError] | None
    ) -> Outcome:
        current, reason = turn.current, plan.decision.reason
        view = plan.view.with_secret(current).without(turn.retired)
        if turn.stepped_back:
            before, view = plan.view.newest, look(self._services, self._wanted, plan.policy.nodes)
            current = view.newest
            if before is not None and current is not None and current.key_id == before.key_id:
                turn.attention.append("the other machine took its secret back as well: run the same command again")
            reason = f"{reason}; another machine issued one at the same time, so this one stepped back"
        issued_now = current.key_id if turn.issued and current is not None else None
        stands = standing(view, plan.policy.overlap, issued_now)
        handover = stands.handover
        if turn.hook_failed:
            handover = HandOver(state=HandOverState.FAILED, evidence=handover.evidence, missing=handover.missing)
        tried = {step.identity for step, _ in work.done}
        stopped_at = None if failed is None or failed[0] is None else failed[0].identity
        left = () if failed is None else tuple(s for s in plan.steps if s.identity not in {*tried, stopped_at})
        return Outcome(
            tenant_id=plan.tenant_id,
            registration=self._wanted.key,
            mailbox=self._wanted.mailbox,
            application_id=plan.application_id,
            secret=current,
            issued=turn.issued,
            reason=reason,
            handover=handover,
            older=stands.older,
            retired=tuple(turn.retired),
            other_ways=plan.other_ways,
            warnings=(*plan.warnings, *turn.warnings, *stands.warnings),
            attention=(*turn.attention, *stands.attention),
            failed=failed,
            not_tried=left,
            done=tuple(work.done),
            sandbox=self._services.sandbox,
        )
