"""One rotation while it is under way: issue and store, prove, hand over, and take away what a former run replaced."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mimapp.clock import duration_text, iso
from mimapp.credentials import Verdict, sweep
from mimapp.errors import DeadlineError, StoppedError, StoreError
from mimapp.journal import Evidence
from mimapp.permissions import IN_USE
from mimapp.rotation.evidence import evidence_of, keep, missing_nodes
from mimapp.rotation.hooks import HookCall, HookEnd
from mimapp.rotation.lifetime import issue_as_allowed
from mimapp.rotation.plan import sweep_step
from mimapp.rotation.proving import prove_first, value_of
from mimapp.rotation.retirement import forget_retired, retire, retirements, revoke
from mimapp.rotation.steps import StepKind
from mimapp.rotation.view import OurSecret
from mimapp.secret import StoredSecret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mimapp.rotation.hooks import Hook, Hooks
    from mimapp.rotation.plan import RotationPlan
    from mimapp.rotation.steps import Step
    from mimapp.rotation.work import Work
    from mimapp.secret import Secret

__all__ = ["Turn"]


class Turn:
    """Carries a plan out.

    Args:
        work: takes the steps.
        plan: what to do, made from the tenant as it is now.
        hooks: the operator's programs.

    Attributes:
        current: the secret that MIM is to use, as far as the run has come.
        issued: whether this run issued it.
        stepped_back: whether another machine issues one at this moment.
        hook_failed: whether the deploy hook failed.
        retired: key ids of what was taken away.
        warnings, attention: what to tell.
    """

    def __init__(self, work: Work, plan: RotationPlan, hooks: Hooks) -> None:
        self._work = work
        self._plan = plan
        self._hooks = hooks
        self._desk = plan.view.desk
        self.current: OurSecret | None = plan.decision.current
        self.issued = False
        self._new: Secret | None = None
        self.stepped_back = False
        self.hook_failed = False
        self.retired: list[str] = []
        self.warnings: list[str] = []
        self.attention: list[str] = list(plan.decision.attention)

    def run(self) -> None:
        """Do it all, or as much as goes.

        Raises:
            MimappError: the first failure; what is done stays done.
        """
        steps = {step.kind: step for step in self._plan.steps}
        self._work.begin(len(self._plan.steps))
        makes = [kind for kind in (StepKind.ISSUE, StepKind.COPY, StepKind.PROVE, StepKind.HAND_OVER) if kind in steps]
        if StepKind.ISSUE in makes or StepKind.HAND_OVER in makes:
            self._call_pre()
            try:
                self._make(steps)
            finally:
                self._call_post()
        elif makes:
            self._make(steps)
        self._revoke_compromised()
        self._retire()
        self._sweep(steps.get(StepKind.SWEEP))

    def _make(self, steps: Mapping[StepKind, Step]) -> None:
        for kind, act in (
            (StepKind.ISSUE, self._issue),
            (StepKind.COPY, self._copy),
            (StepKind.PROVE, self._prove),
            (StepKind.HAND_OVER, self._hand_over),
        ):
            if kind in steps and not (self.stepped_back and kind is not StepKind.ISSUE):
                self._work.take(steps[kind], act)

    def _issue(self) -> str:
        desk, wanted = self._desk, self._work.wanted.secret_lifetime
        issued, lifetime = issue_as_allowed(desk, self._plan.view, wanted)
        if lifetime < wanted:
            self.warnings.append(
                f"a policy of the tenant allows no client secret of {duration_text(wanted)}: the new one lives "
                f"{duration_text(lifetime)}"
            )
        if issued is None:
            self.stepped_back = True
            return "another machine issues one at this moment: this one stepped back"
        entry = desk.entry_of(issued.key_id)
        self.issued, self._new = True, issued.secret
        self.current = OurSecret(
            key_id=issued.key_id,
            label=issued.label,
            starts=desk.clock.now().replace(microsecond=0) if entry is None else entry.begun.replace(microsecond=0),
            expires=issued.expires,
            stores=issued.stores,
            state="handed",
            evidence=(),
            nodes=self._plan.policy.nodes,
        )
        return f"{issued.label}, until {iso(issued.expires)}, in {', '.join(issued.stores)}"

    def _copy(self) -> str:
        """Give the secret to the stores of this run that do not have it: a former run stopped before them."""
        current = self._current()
        value = self._value(current, "and not every store has it")
        stored = StoredSecret(
            application_id=self._desk.application_id,
            tenant_id=self._desk.tenant_id,
            secret=value,
            key_id=current.key_id,
            label=current.label,
            expires=current.expires or self._desk.clock.now(),
            sandbox=self._desk.sandbox,
        )
        lacking = [store for store in self._desk.stores if store.has(current.key_id) is False]
        for store in lacking:
            store.put(stored)
        holders = tuple(store.uri for store in self._desk.holders(current.key_id))
        entry = self._desk.entry_of(current.key_id)
        if entry is not None:
            self._desk.note(entry, entry.state, stores=holders)
        self.current = replace(current, stores=holders)
        return f"now in {', '.join(store.uri for store in lacking)} too"

    def _prove(self) -> str:
        current = self._current()
        value = self._value_of(current)
        if value is None:
            self.warnings.append(f"{current.label} cannot be read back from where it went: it is not proven")
            return "cannot be read back"
        proof = prove_first(self._desk, current, value)
        if proof.verdict is Verdict.WORKS:
            self.current = replace(current, state="proven")
            return "a token came" + (f" with {IN_USE.permission}" if IN_USE.permission in proof.roles else "")
        if proof.verdict is Verdict.BLOCKED:
            self.attention.append(
                f"a policy of the tenant keeps this machine from proving {current.label} ({proof.reason}); it is kept: "
                "prove it on the MIM server with the script of: mimapp verify --print-probe --mailbox "
                f"{self._work.wanted.mailbox}"
            )
            return "blocked here by a policy of the tenant"
        if proof.verdict is Verdict.WRONG:
            self.current = replace(current, state="wrong")
            raise StoppedError(
                f"Entra refuses the stored secret {current.label} ({proof.reason}): it is not handed over",
                hint="run the same command again: it tries this secret once more, then issues another one",
            )
        raise DeadlineError(
            f"the secret {current.label} is stored, and Entra does not take it yet ({proof.reason})",
            hint="run the same command again in a few minutes: it proves the stored secret and hands it over",
        )

    def _hand_over(self) -> str:
        """Call the deploy hook for every node that nothing is known of; each success is kept at once."""
        current, hook = self._current(), self._hooks.deploy
        if hook is None:
            raise AssertionError("planned only where there is a hook")
        nodes = self._plan.policy.nodes
        lacking = missing_nodes(current.evidence, nodes) if nodes else ("",)
        failures: list[str] = []
        for node in lacking:
            end = self._call(hook, "deploy", node)
            if not end.succeeded:
                failures += [f"{hook.name}{f' for {node}' if node else ''} {end.words}", *(f"  {x}" for x in end.said)]
                continue
            now = self._desk.clock.now()
            piece = Evidence(key_id=current.key_id, kind="hook", when=now, by=hook.name, node=node)
            self._keep(piece)
        if failures:
            self.hook_failed = True
            raise StoppedError(
                f"the hand-over of {current.label} failed: {failures[0]}",
                hint=self._after_failure(),
                details=failures[1:],
            )
        return f"{hook.name} took it" + (f" for {', '.join(lacking)}" if nodes else "")

    def _after_failure(self) -> str:
        named = self._plan.policy.compromised
        if named:
            keys = " ".join(f"--key-id {key_id}" for key_id in named)
            again = "run the same command again to hand it over"
            if self._hooks.deploy is None and self.current is not None and not self.stepped_back:
                again = f"give it to MIM, then mimapp handover confirm {self.current.key_id}, then this command again"
            return (
                f"nothing was revoked: {again}; or revoke all the same with mimapp retire {keys} --without-evidence, "
                "which may stop mail; or stop every sign-in with mimapp lockdown"
            )
        return "both secrets stay: run the same command again, it hands this one over and issues none"

    def _keep(self, piece: Evidence) -> None:
        try:
            keep(self._desk, piece)
        finally:
            current = self._current()
            self.current = replace(current, evidence=evidence_of(self._desk, current.key_id))

    def _revoke_compromised(self) -> None:
        named = self._plan.policy.compromised
        if not named:
            return
        current = self.current
        if self.stepped_back or current is None or not current.is_handed_over:
            raise StoppedError(
                f"nothing shows that MIM uses {'a new secret' if current is None else current.label}, so nothing was "
                "revoked",
                hint=self._after_failure(),
            )
        for key_id in named:
            step = next(step for step in self._plan.steps if step.target == f"secret {key_id}")
            self._work.take(step, lambda key_id=key_id: revoke(self._plan.view, key_id))  # type: ignore[misc]  # bound in the loop
            self.retired.append(key_id)

    def _retire(self) -> None:
        """Take away what a former run replaced, as the plan showed it; what it replaced itself stays for later."""
        forget_retired(self._desk, self._plan.view)
        shown = {step.target for step in self._plan.steps}
        view = self._plan.view.with_secret(self.current).without(self.retired)
        issued_now = self.current.key_id if self.issued and self.current is not None else None
        allowed = [
            one
            for one in retirements(view, self._plan.policy.overlap, issued_now)
            if one.allowed and f"secret {one.secret.key_id}" in shown
        ]
        retire(self._work, view, allowed, self.attention.append, self.retired.append)

    def _sweep(self, step: Step | None) -> None:
        """Revoke what an interrupted run, or a lost reply of this one, left; it comes last, mail never waits for it."""
        step = step or sweep_step(self._work.wanted, self._desk)
        if step is None:
            return

        def act() -> str:
            swept = sweep(self._desk)
            for label, reason in swept.left:
                self.attention.append(
                    f"the secret {label} was asked for, is in no store and could not be revoked yet ({reason}): run "
                    "mimapp rotate again"
                )
            found = {"revoked": swept.revoked, "stored after all": swept.adopted, "never made": swept.never_made}
            return "; ".join(f"{verb}: {', '.join(x)}" for verb, x in found.items() if x) or "nothing found yet"

        self._work.take(step, act)

    def _call_pre(self) -> None:
        if self._hooks.pre is None:
            return
        end = self._call(self._hooks.pre, "pre", "")
        if not end.succeeded:
            raise StoppedError(
                f"the pre-hook {self._hooks.pre.name} {end.words}: nothing was issued or handed over",
                hint="mend what it complains about, then run the same command again",
                details=end.said,
            )

    def _call_post(self) -> None:
        if self._hooks.post is None:
            return
        end = self._call(self._hooks.post, "post", "")
        if not end.succeeded:
            self.attention.append(f"the post-hook {self._hooks.post.name} {end.words}: {' / '.join(end.said)}")

    def _call(self, hook: Hook, phase: str, node: str) -> HookEnd:
        current, desk = self.current, self._desk
        value = None if current is None else self._value_of(current)
        gives = phase == "deploy" and self._hooks.gives_secret
        if gives and value is None:
            raise StoreError(
                f"{self._current().label} cannot be read back from where it went, so no hook can be given it",
                hint="name a store that gives it back with --secret-to, or leave --hook-stdin out",
            )
        return hook.run(
            HookCall(
                variables=_variables(self._plan, current, phase, node),
                stdin=value if gives else None,
                hidden=value,
                seconds=desk.patience.left,
            )
        )

    def _value(self, secret: OurSecret, why: str) -> Secret:
        value = self._value_of(secret)
        if value is None:
            raise StoreError(f"{secret.label} cannot be read back from where it went, {why}")
        return value

    def _value_of(self, secret: OurSecret) -> Secret | None:
        """Its value, from a store, or as this very run got it: an envelope or a command gives nothing back."""
        return value_of(self._desk, secret.key_id) or (self._new if self.issued else None)

    def _current(self) -> OurSecret:
        if self.current is None:
            raise AssertionError("a step that needs a secret is planned only where there is one, or after issuing")
        return self.current


def _variables(plan: RotationPlan, current: OurSecret | None, phase: str, node: str) -> dict[str, str]:
    """What a hook finds in its environment: ids, expiry and references, never a secret."""
    wanted = plan.wanted
    known = {
        "MIMAPP_HOOK": phase,
        "MIMAPP_TENANT_ID": plan.tenant_id,
        "MIMAPP_APPLICATION_ID": plan.application_id,
        "MIMAPP_REGISTRATION": wanted.key,
        "MIMAPP_MAILBOX": wanted.mailbox,
        "MIMAPP_NODE": node,
    }
    if current is not None:
        known |= {
            "MIMAPP_KEY_ID": current.key_id,
            "MIMAPP_LABEL": current.label,
            "MIMAPP_EXPIRES": "" if current.expires is None else iso(current.expires),
            "MIMAPP_STORE": next(iter(current.stores), ""),
            "MIMAPP_STORES": "\n".join(current.stores),
        }
    return known
