"""A plan as people and files see it, and the way from a plan to an outcome: show, ask, apply."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from mimapp.cli.exit_codes import ExitCode, code_of
from mimapp.cli.prompt import confirm_changes
from mimapp.cli.result import Line, Result
from mimapp.errors import MimappError, StoppedError, UsageError
from mimapp.journal import write_private
from mimapp.provisioning.steps import StepKind
from mimapp.spec import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from mimapp.cli.command import Run
    from mimapp.cli.result import Block
    from mimapp.provisioning.outcome import Change, Failure, Outcome
    from mimapp.provisioning.plan import Plan
    from mimapp.provisioning.planned import Planned
    from mimapp.provisioning.steps import Step
    from mimapp.tenant import Tenant

__all__ = ["ask_and_apply", "carry_out", "plan_blocks", "plan_result", "show_plan"]

_ALARM = "With a yes, this application may read, send and delete in EVERY mailbox of the tenant: --scope none."
#: Ends that say more than "stopped half-way": they keep their own code even after some writes.
_OWN_END = frozenset({ExitCode.LATER, ExitCode.STORE, ExitCode.INTERRUPTED, ExitCode.TERMINATED, ExitCode.PLAN})


class Ended(Protocol):
    """What every outcome says of its end."""

    @property
    def changes(self) -> tuple[Change, ...]:
        """What was written."""
        ...

    @property
    def failed(self) -> Failure | None:
        """The step that stopped the run."""
        ...

    @property
    def not_tried(self) -> tuple[Step, ...]:
        """The steps after it."""
        ...


E = TypeVar("E", bound=Ended)


def plan_blocks(plan: Planned) -> tuple[Block, ...]:
    """The plan as lines."""
    notes = [Line(f"  note: {warning}", "warn") for warning in plan.warnings]
    if not plan.steps:
        return (Line(f"Nothing to do in {plan.tenant_name}.", "good"), *notes)
    return (
        Line(f"Plan {plan.fingerprint} for {plan.tenant_name} (signed in as {plan.operators})", "heading"),
        *(Line(f"{number:3}. {step.title}") for number, step in enumerate(plan.steps, 1)),
        *notes,
    )


def plan_result(run: Run, plan: Planned, *, command: str | None = None) -> Result:
    """What ``--dry-run`` and ``--plan-out`` end with; the command is the plan's own, where none is named."""
    from mimapp.cli.plan_files import PLAN_SCHEMA, plan_document  # noqa: PLC0415 - a run that applies needs no file

    blocks: tuple[Block, ...] = plan_blocks(plan)
    document = plan_document(plan, command=command or plan.command, cloud=run.options.cloud, made=run.world.clock.now())
    path = run.writing.plan_out
    if path is not None:
        import json  # noqa: PLC0415 - only this option writes a file

        whole = {"schema": PLAN_SCHEMA, **document, "sandbox": run.options.sandbox}
        try:
            write_private(path.absolute(), json.dumps(whole, indent=2).encode() + b"\n")
        except OSError as error:
            raise UsageError(f"--plan-out {path} cannot be written: {error.strerror or error}") from error
        blocks = (*blocks, Line(f"Written to {path}; nothing was changed. mimapp apply {path} carries it out."))
    elif plan.steps:
        blocks = (*blocks, Line("Nothing was changed."))
    return Result(schema=PLAN_SCHEMA, document=document, text=blocks)


def carry_out(run: Run, tenant: Tenant, plan: Plan) -> Outcome:
    """Show what `register` is to do, ask, apply; errors as `ask_and_apply`."""
    return ask_and_apply(
        run, plan, lambda: tenant.apply(plan, on_event=run.progress, observe_again=not run.writing.yes)
    )


def ask_and_apply(run: Run, plan: Planned, apply: Callable[[], E]) -> E:
    """Show a plan, ask, apply it.

    Raises:
        UsageError: the answer was no.
        StoppedError: it stopped half-way.
        MimappError: it stopped for a reason that has its own name.
    """
    if plan.steps:
        show_plan(run, plan)
        if plan.writes:
            alarm = _ALARM if any(step.kind is StepKind.GRANT_CONSENT for step in plan.steps) else ""
            confirm_changes(
                run,
                changes=plan.writes,
                tenant=plan.tenant_name,
                who=plan.operators,
                alarm=alarm if plan.wanted.scope is Scope.NONE else "",
            )
    outcome = apply()
    run.progress.close()
    if outcome.failed is not None:
        raise _stopped(outcome, outcome.failed)
    return outcome


def show_plan(run: Run, plan: Planned) -> None:
    """Show a plan before the question, on stderr."""
    if not run.options.quiet or not run.writing.yes:
        run.output.tell(plan_blocks(plan))


def _stopped(outcome: Ended, failed: Failure) -> MimappError:
    """The error that a run ended with, with what is done and what was not tried."""
    error = failed.error
    lines = [
        *error.details,
        *(f"done: {change.step}: {change.detail}" for change in outcome.changes),
        f"failed: {failed.step.title}",
        *(f"not tried: {step.title}" for step in outcome.not_tried),
    ]
    if not outcome.changes or code_of(error) in _OWN_END:
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
