"""``mimapp retire``: take away old client secrets that MIM does not use any more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta  # noqa: TC003 - the decorator reads a dataclass's field types at run time
from typing import TYPE_CHECKING

from mimapp.cli import shared_options as shared
from mimapp.cli.command import Run, command
from mimapp.cli.exit_codes import ExitCode
from mimapp.cli.kinds import FLAG, TEXTS
from mimapp.cli.meant import find_registration, tenant_of
from mimapp.cli.options import option
from mimapp.cli.result import Line, Result

if TYPE_CHECKING:
    from mimapp.cli.result import Block
    from mimapp.rotation import RetirementOutcome

__all__ = ["RetireOptions", "retire"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireOptions:
    """What may go."""

    overlap: timedelta = shared.overlap()  # noqa: RUF009 - makes a dataclasses.field
    nodes: tuple[str, ...] = shared.nodes()
    key_id: tuple[str, ...] = option(
        TEXTS,
        "--key-id",
        default=(),
        metavar="KEYID",
        help="this secret and nothing else; one that mimapp did not issue goes only so",
    )
    without_evidence: bool = option(
        FLAG,
        "--without-evidence",
        default=False,
        help="with --key-id: although nothing shows that MIM uses another one; mail may stop",
    )
    secret_to: tuple[str, ...] = shared.secret_to("where client secrets are kept, to be removed there")


@command(RetireOptions, writes=True)
def retire(run: Run, options: RetireOptions) -> Result:
    """Revoke old client secrets: only mimapp's own, only with evidence that MIM uses a newer, proven one.

    What lacks evidence stays until it ends by itself, and is named (exit code 3): mimapp handover confirm gives it.
    """
    from mimapp.cli.connect import connect, stores_of  # noqa: PLC0415 - help need not import it
    from mimapp.cli.rotating import ask_and_do, plan_result  # noqa: PLC0415 - help need not import it
    from mimapp.provisioning.steps import Part  # noqa: PLC0415 - help need not import it
    from mimapp.rotation import Policy  # noqa: PLC0415 - help need not import it
    from mimapp.tenant import ROTATION_PERMISSIONS  # noqa: PLC0415 - help need not import it

    policy = Policy(overlap=options.overlap, nodes=options.nodes)
    tenant_name = tenant_of(run)
    with connect(run, tenant_name, parts=frozenset({Part.ENTRA}), permissions=ROTATION_PERMISSIONS) as tenant:
        wanted = find_registration(run, tenant)
        wanted = wanted.stored_in(stores_of(run, options.secret_to, tenant.tenant_id, wanted.key))
        with tenant.rotation(wanted, on_event=run.progress) as rotation:
            named = tuple(dict.fromkeys(key_id.lower() for key_id in options.key_id))
            plan = rotation.plan_retirement(policy, key_ids=named, without_evidence=options.without_evidence)
            if run.writing.dry_run or run.writing.plan_out is not None:
                return plan_result(run, plan, tenant_name)
            outcome = ask_and_do(run, plan, tenant_name, lambda: rotation.retire(plan, as_shown=not run.writing.yes))
    return _result(outcome)


def _result(outcome: RetirementOutcome) -> Result:
    from mimapp.cli.rotating import older_documents  # noqa: PLC0415 - help need not import it

    return Result(
        schema="mimapp.retire/1",
        document={
            "tenantId": outcome.tenant_id,
            "applicationId": outcome.application_id,
            "retired": list(outcome.retired),
            "older": older_documents(outcome.older),
            "warnings": list(outcome.warnings),
            "attention": list(outcome.attention),
        },
        text=_text(outcome),
        code=ExitCode.ATTENTION if outcome.attention else ExitCode.DONE,
    )


def _text(outcome: RetirementOutcome) -> tuple[Block, ...]:
    return (
        Line(f"Revoked: {', '.join(outcome.retired)}." if outcome.retired else "No secret was revoked.", "good"),
        *(Line(f"Note: {warning}", "warn") for warning in outcome.warnings),
        *(Line(f"To do: {matter}", "bad") for matter in outcome.attention),
    )
