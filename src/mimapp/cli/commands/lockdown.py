"""``mimapp lockdown``: stop the application from signing in, now; ``--release`` lets it in again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mimapp.cli.command import Run, command
from mimapp.cli.kinds import FLAG, TEXT
from mimapp.cli.meant import find_registration, tenant_of
from mimapp.cli.options import option
from mimapp.cli.result import Line, Result
from mimapp.spec import Scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mimapp.cli.result import Block, JsonValue
    from mimapp.provisioning.lockdown import LockdownOutcome

__all__ = ["LockdownOptions", "lockdown", "lockdown_result"]

_TOKENS = "tokens that were issued already live on for about an hour, and Exchange takes them until they expire"
_ROLE = (
    "its role in Exchange stays: without a token nobody can use it, and after --release it is there again; mimapp "
    "unregister takes it away"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LockdownOptions:
    """Which way, and which application."""

    release: bool = option(FLAG, "--release", default=False, help="let the application sign in again")
    app_id: str | None = option(
        TEXT, "--app-id", default=None, metavar="ID", help="the application, where it lost its mark"
    )


@command(LockdownOptions, writes=True)
def lockdown(run: Run, options: LockdownOptions) -> Result:
    """Stop the application from signing in at once, and list every way into it; --release undoes it.

    Nothing is deleted: its service principal is disabled, so that Entra issues no token to it, whatever its secrets.
    """
    from mimapp.cli.connect import connect, stores_of  # noqa: PLC0415 - help need not import it
    from mimapp.cli.plans import ask_and_apply, plan_result  # noqa: PLC0415 - help need not import it
    from mimapp.provisioning.steps import Part  # noqa: PLC0415 - help need not import it
    from mimapp.tenant import LOCKDOWN_PERMISSIONS  # noqa: PLC0415 - help need not import it

    # An emergency does not wait for Exchange: it is neither signed in to nor read.
    with connect(run, tenant_of(run), parts=frozenset({Part.ENTRA}), permissions=LOCKDOWN_PERMISSIONS) as tenant:
        wanted = replace(find_registration(run, tenant), app_id=options.app_id)
        wanted = wanted.stored_in(stores_of(run, (), tenant.tenant_id, wanted.key))
        plan = tenant.plan_lockdown(wanted, release=options.release)
        if run.writing.dry_run or run.writing.plan_out is not None:
            return plan_result(run, plan)
        outcome = ask_and_apply(run, plan, lambda: tenant.lockdown(plan, on_event=run.progress))
    return lockdown_result(outcome)


def lockdown_result(outcome: LockdownOutcome) -> Result:
    """What ``lockdown`` ends with."""
    return Result(schema="mimapp.lockdown/1", document=_document(outcome), text=tuple(_text(outcome)))


def _document(outcome: LockdownOutcome) -> Mapping[str, JsonValue]:
    from mimapp.cli.credentials import credential_documents  # noqa: PLC0415 - help need not import it

    return {
        "tenantId": outcome.tenant_id,
        "registration": outcome.registration,
        "mailbox": outcome.mailbox,
        "applicationId": outcome.application_id,
        "servicePrincipalObjectId": outcome.service_principal_object_id,
        "signIn": "allowed" if outcome.enabled else "blocked",
        "changes": [
            {"step": change.step, "target": change.target, "detail": change.detail} for change in outcome.changes
        ],
        "credentials": credential_documents(outcome.credentials),
        "scope": None if outcome.scope is None else outcome.scope.value,
        "warnings": list(_warnings(outcome)),
        "undo": outcome.undo,
    }


def _warnings(outcome: LockdownOutcome) -> Iterator[str]:
    """What goes on for a while all the same."""
    if outcome.enabled:
        return
    yield _TOKENS
    if outcome.scope is Scope.RBAC:
        yield _ROLE


def _text(outcome: LockdownOutcome) -> Iterator[Block]:
    from mimapp.cli.credentials import credential_table  # noqa: PLC0415 - help need not import it

    state = "may sign in" if outcome.enabled else "cannot sign in"
    since = "now" if outcome.changes else "as before"
    yield Line(f"{outcome.display_name} ({outcome.application_id}) {state}, {since}.", "good")
    for warning in _warnings(outcome):
        yield Line(f"Note: {warning}.", "warn")
    yield Line()
    yield Line("Every way into it; none was touched:", "heading")
    yield from credential_table(outcome.credentials)
    yield Line()
    yield Line(f"To undo: {outcome.undo}")
