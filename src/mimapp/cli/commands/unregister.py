"""``mimapp unregister``: take away what mimapp made, in the order that leaves no grant without a fence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mimapp.cli import shared_options as shared
from mimapp.cli.command import Run, command
from mimapp.cli.exit_codes import ExitCode
from mimapp.cli.kinds import FLAG, TEXT
from mimapp.cli.meant import find_registration, tenant_of
from mimapp.cli.options import option
from mimapp.cli.result import Line, Result
from mimapp.clock import iso

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from mimapp.cli.result import Block, JsonValue
    from mimapp.provisioning.registrations import Marked
    from mimapp.provisioning.unregister import UnregisterOutcome

__all__ = ["UnregisterOptions", "unregister", "unregister_result"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnregisterOptions:
    """What goes, and how far."""

    purge: bool = option(
        FLAG,
        "--purge",
        default=False,
        help="delete the application for good; without it, it can be restored for 30 days",
    )
    app_id: str | None = option(
        TEXT,
        "--app-id",
        default=None,
        metavar="ID",
        help="the application, where it lost its mark, or was taken over and has another use besides",
    )
    secret_to: tuple[str, ...] = shared.secret_to("where the client secret is kept, to be removed there")


@command(UnregisterOptions, writes=True)
def unregister(run: Run, options: UnregisterOptions) -> Result:
    """Take a registration away: secrets, consent, EWS entry, application; then, two hours later, policy and group.

    Only what carries mimapp's mark is touched. The access policy and the group stay until the last token can have
    expired: the same command, run again after the time that it names, finishes.
    """
    from mimapp.cli.connect import connect, stores_of  # noqa: PLC0415 - help need not import it
    from mimapp.cli.plans import ask_and_apply, plan_result  # noqa: PLC0415 - help need not import it
    from mimapp.tenant import UNREGISTER_PERMISSIONS  # noqa: PLC0415 - help need not import it

    with connect(run, tenant_of(run), permissions=UNREGISTER_PERMISSIONS) as tenant:
        wanted = find_registration(run, tenant, deleted=True)
        wanted = replace(wanted, app_id=options.app_id)
        kept_in = tuple(text for text in options.secret_to if text != "stdout")  # what was shown cannot be removed
        wanted = wanted.stored_in(stores_of(run, kept_in, tenant.tenant_id, wanted.key))
        plan = tenant.plan_unregister(wanted, purge=options.purge, on_event=run.progress)
        if run.writing.dry_run or run.writing.plan_out is not None:
            return plan_result(run, plan)
        outcome = ask_and_apply(
            run,
            plan,
            lambda: tenant.unregister(plan, on_event=run.progress, observe_again=not run.writing.yes),
        )
        others = () if plan.steps or outcome.kept else tenant.registrations()
    return unregister_result(outcome, others)


def unregister_result(outcome: UnregisterOutcome, others: Sequence[Marked] = ()) -> Result:
    """What ``unregister`` ends with; `others` are named where nothing of this registration was there."""
    return Result(
        schema="mimapp.unregister/1",
        document=_document(outcome),
        text=(*_text(outcome), *(Line(f"There is registration {one.key} of {one.mailbox}.", "dim") for one in others)),
        code=ExitCode.ATTENTION if outcome.attention else ExitCode.DONE,
    )


def _document(outcome: UnregisterOutcome) -> Mapping[str, JsonValue]:
    from mimapp.cli.credentials import credential_documents  # noqa: PLC0415 - help need not import it

    return {
        "tenantId": outcome.tenant_id,
        "registration": outcome.registration,
        "mailbox": outcome.mailbox,
        "applicationIds": list(outcome.application_ids),
        "complete": outcome.is_complete,
        "changes": [
            {"step": change.step, "target": change.target, "detail": change.detail} for change in outcome.changes
        ],
        "kept": [
            {"what": one.what, "reason": one.reason, "until": _moment(one.until), "needsPerson": one.needs_person}
            for one in outcome.kept
        ],
        "finish": {"at": _moment(outcome.next_at), "command": outcome.finish} if outcome.finish else None,
        "foreignCredentials": credential_documents(outcome.foreign),
        "warnings": list(outcome.warnings),
        "attention": list(outcome.attention),
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else iso(moment)


def _text(outcome: UnregisterOutcome) -> Iterator[Block]:
    if outcome.changes:
        yield Line(f"{len(outcome.changes)} changes made in {outcome.tenant_name}.", "good")
    elif outcome.kept:
        yield Line(f"Nothing to do in {outcome.tenant_name} now.", "good")
    else:
        yield Line(f"Nothing of registration {outcome.registration} is in {outcome.tenant_name}.", "good")
    for change in outcome.changes:
        yield Line(f"  {change.target}: {change.detail}")
    for warning in outcome.warnings:
        yield Line(f"Note: {warning}", "warn")
    for one in outcome.kept:
        if not one.needs_person:
            yield Line(f"Wait: {one}", "warn")
    for matter in outcome.attention:
        yield Line(f"To do: {matter}", "bad")
    if outcome.finish:
        when = "" if outcome.next_at is None else f", after {outcome.next_at:%Y-%m-%d %H:%M} UTC"
        yield Line(f"To finish{when}: {outcome.finish}")
    elif outcome.changes:
        yield Line(f"Registration {outcome.registration} is gone.", "good")
