"""What `rotate`, `retire` and `handover` have in common: their options' kinds, the plan before the question, words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.cli.exit_codes import ExitCode, code_of
from mimapp.cli.prompt import confirm_changes
from mimapp.cli.result import Line, Result, Table
from mimapp.clock import iso
from mimapp.errors import MimappError, StoppedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeVar

    from mimapp.cli.command import Run
    from mimapp.cli.result import Block, JsonValue
    from mimapp.cli.rotate_options import HandOverOptions
    from mimapp.journal import Evidence
    from mimapp.rotation import Outcome, Policy, RetirementOutcome
    from mimapp.rotation.outcome import HandOver
    from mimapp.rotation.retirement import Retirement
    from mimapp.rotation.steps import Step, StepPlan
    from mimapp.rotation.view import OurSecret

    E = TypeVar("E", Outcome, RetirementOutcome)

__all__ = [
    "ask_and_do",
    "evidence_documents",
    "handover_document",
    "older_documents",
    "plan_result",
    "policy_of",
    "secret_document",
    "secret_table",
]

PLAN_SCHEMA = "mimapp.rotation-plan/1"
#: Ends that say more than "stopped half-way": they keep their own code even after some writes.
_OWN_END = frozenset({ExitCode.LATER, ExitCode.STORE, ExitCode.INTERRUPTED, ExitCode.TERMINATED, ExitCode.PLAN})


def policy_of(options: HandOverOptions) -> Policy:
    """What counts as evidence."""
    from mimapp.rotation import Policy  # noqa: PLC0415 - help need not import it

    return Policy(overlap=options.overlap, nodes=options.nodes)


def ask_and_do(
    run: Run, plan: StepPlan, tenant: str, act: Callable[[], E], *, ask: Callable[[], None] | None = None
) -> E:
    """Show a plan, ask, carry it out.

    Args:
        run: whose streams ask.
        plan: what is to be done.
        tenant: the tenant's name.
        act: carries it out.
        ask: asks instead of the plain question.

    Raises:
        UsageError: the answer was no.
        StoppedError: it stopped half-way.
        MimappError: it stopped for a reason that has its own name.
    """
    if plan.steps and (not run.options.quiet or not run.writing.yes):
        run.output.tell(_plan_blocks(plan, tenant))
    if ask is not None:
        ask()
    elif plan.writes:
        confirm_changes(run, changes=plan.writes, tenant=tenant, who=plan.operator)
    outcome = act()
    run.progress.close()
    if outcome.failed is not None:
        raise _stopped(outcome, *outcome.failed)
    return outcome


def plan_result(run: Run, plan: StepPlan, tenant: str, reason: str = "") -> Result:
    """What ``--dry-run`` and ``--plan-out`` end with."""
    document: dict[str, JsonValue] = {
        "tenantId": plan.tenant_id,
        "applicationId": plan.application_id,
        "operator": plan.operator,
        "mailbox": plan.wanted.mailbox,
        "registration": plan.wanted.key,
        "fingerprint": plan.fingerprint,
        "writes": plan.writes,
        "reason": reason,
        "steps": [
            {"step": step.kind.value, "target": step.target, "desired": step.desired, "title": step.title}
            for step in plan.steps
        ],
        "warnings": list(plan.warnings),
    }
    blocks: list[Block] = [Line(f"{reason}."), *_plan_blocks(plan, tenant)] if reason else _plan_blocks(plan, tenant)
    path = run.writing.plan_out
    if path is not None:
        import json  # noqa: PLC0415 - only this option writes a file

        from mimapp.journal import write_private  # noqa: PLC0415 - as above

        whole = {"schema": PLAN_SCHEMA, **document, "sandbox": run.options.sandbox}
        try:
            write_private(path.absolute(), json.dumps(whole, indent=2).encode() + b"\n")
        except OSError as error:
            raise UsageError(f"--plan-out {path} cannot be written: {error.strerror or error}") from error
        blocks.append(Line(f"Written to {path}; nothing was changed."))
    elif plan.steps:
        blocks.append(Line("Nothing was changed."))
    return Result(schema=PLAN_SCHEMA, document=document, text=blocks)


def _plan_blocks(plan: StepPlan, tenant: str) -> list[Block]:
    notes = [Line(f"  note: {warning}", "warn") for warning in plan.warnings]
    if not plan.steps:
        return [Line(f"Nothing to do in {tenant}.", "good"), *notes]
    return [
        Line(f"Plan {plan.fingerprint} for {tenant}", "heading"),
        *(Line(f"{number:3}. {step.title}") for number, step in enumerate(plan.steps, 1)),
        *notes,
    ]


def _stopped(outcome: Outcome | RetirementOutcome, step: Step | None, error: MimappError) -> MimappError:
    """The error that a run ended with, with what is done and what was not tried."""
    lines = [
        *error.details,
        *(f"done: {done.title}: {detail}" for done, detail in outcome.done),
        *([] if step is None else [f"failed: {step.title}"]),
        *(f"not tried: {left.title}" for left in outcome.not_tried),
    ]
    wrote = any(done.kind.writes for done, _ in outcome.done)
    if not wrote or isinstance(error, StoppedError) or code_of(error) in _OWN_END:
        error.details = tuple(lines)
        return error
    stopped = StoppedError(
        error.message,
        hint=error.hint or "run the same command again: it goes on where this run stopped",
        details=lines,
        explain=error.explain,
    )
    stopped.__cause__ = error
    return stopped


def secret_document(secret: OurSecret | None) -> Mapping[str, JsonValue] | None:
    """The secret that MIM is to use, as `register` shows it."""
    if secret is None:
        return None
    return {
        "keyId": secret.key_id,
        "label": secret.label,
        "expires": None if secret.expires is None else iso(secret.expires),
        "storedIn": secret.stores[0] if secret.stores else None,
        "stores": list(secret.stores),
        "proven": secret.is_proven,
    }


def handover_document(handover: HandOver) -> Mapping[str, JsonValue]:
    """How far a hand-over has come."""
    return {
        "state": handover.state.value,
        "evidence": evidence_documents(handover.evidence),
        "missingNodes": list(handover.missing),
    }


def evidence_documents(evidence: Sequence[Evidence]) -> list[JsonValue]:
    """Pieces of evidence for JSON."""
    return [
        {"kind": piece.kind, "node": piece.node or None, "when": iso(piece.when), "by": piece.by} for piece in evidence
    ]


def older_documents(older: Sequence[Retirement]) -> list[JsonValue]:
    """The older secrets, and whether each may go."""
    return [
        {
            "keyId": one.secret.key_id,
            "label": one.secret.label,
            "expires": None if one.secret.expires is None else iso(one.secret.expires),
            "mayGo": one.allowed,
            "reason": one.reason,
            "mayGoAt": None if one.at is None else iso(one.at),
        }
        for one in older
    ]


def secret_table(secrets: Sequence[OurSecret]) -> Table:
    """The secrets of mimapp's for people, the newest first."""
    return Table(
        ("secret", "key id", "until", "stored", "in use by MIM"),
        [
            (
                one.label,
                one.key_id,
                "" if one.expires is None else f"{one.expires:%Y-%m-%d}",
                ", ".join(one.stores) or ("here" if one.is_here else "elsewhere"),
                _use(one),
            )
            for one in secrets
        ],
    )


def _use(secret: OurSecret) -> str:
    words = [
        f"{piece.kind} {piece.when:%Y-%m-%d}{f' on {piece.node}' if piece.node else ''}" for piece in secret.evidence
    ]
    return "; ".join(words) or "not confirmed"
