"""``mimapp status``: what is there for a registration, next to what is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.cli.command import Run, command
from mimapp.cli.meant import find_registration, tenant_of
from mimapp.cli.options import NoOptions
from mimapp.cli.result import Line, Pairs, Result
from mimapp.clock import iso
from mimapp.spec import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mimapp.checks.status import Status
    from mimapp.cli.result import Block, JsonValue

__all__ = ["status"]


@command(NoOptions)
def status(run: Run, _options: NoOptions) -> Result:
    """Show one registration: application, consent, fence, EWS, secrets, and what register would do now."""
    from mimapp.cli.connect import connect, stores_of  # noqa: PLC0415 - help need not import it

    with connect(run, tenant_of(run)) as tenant:
        wanted = find_registration(run, tenant)
        found = tenant.status(wanted.stored_in(stores_of(run, (), tenant.tenant_id, wanted.key)))
    return Result(schema="mimapp.status/1", document=_document(found), text=_text(found))


def _document(found: Status) -> Mapping[str, JsonValue]:
    from mimapp.cli.credentials import credential_documents  # noqa: PLC0415 - help need not import it
    from mimapp.cli.registering import consent_word  # noqa: PLC0415 - help need not import it

    return {
        "tenantId": found.tenant_id,
        "tenantName": found.tenant_name,
        "registration": found.registration,
        "mailbox": found.mailbox,
        "applicationId": found.application_id,
        "displayName": found.display_name,
        "consent": consent_word(found.scope, granted=found.consented),
        "scope": {
            "kind": found.scope.value,
            "group": found.group,
            "assignment": found.role,
            "stands": found.fence_stands,
            "proof": None if found.proof is None else {"when": iso(found.proof.when), "how": found.proof.how},
        },
        "ews": {
            "allowed": found.ews.allowed,
            "reason": found.ews.reason,
            "remedy": found.ews.remedy,
            "ends": None if found.ews_ends is None else found.ews_ends.isoformat(),
        },
        "credentials": credential_documents(found.credentials),
        "due": [{"step": step.kind.value, "title": step.title} for step in found.due],
        "warnings": list(found.warnings),
        "problem": None if found.problem is None else found.problem.message,
    }


def _restricted(found: Status) -> str:
    if found.scope is Scope.NONE:
        return "NOTHING: every mailbox of the tenant (scope none)"
    by = f" by the role assignment {found.role}" if found.role and found.scope is Scope.RBAC else ""
    return f"{found.group}{by}{'' if found.fence_stands else ' (does not stand)'}"


def _text(found: Status) -> tuple[Block, ...]:
    from mimapp.cli.credentials import credential_table  # noqa: PLC0415 - help need not import it
    from mimapp.cli.registering import consent_word  # noqa: PLC0415 - help need not import it

    ends = "no date known" if found.ews_ends is None else f"ends {found.ews_ends:%Y-%m-%d}"
    blocks: list[Block] = [
        Line(f"{found.mailbox} in {found.tenant_name}", "heading"),
        Pairs(
            [
                ("Registration", found.registration),
                ("Application", f"{found.display_name} ({found.application_id or 'not registered'})"),
                ("Consent", consent_word(found.scope, granted=found.consented)),
                ("Restricted to", _restricted(found)),
                ("EWS", f"{found.ews.reason}; {ends}"),
            ]
        ),
        Line(),
        *credential_table(found.credentials),
        *(Line(f"Note: {warning}", "warn") for warning in found.warnings),
    ]
    if found.ews.remedy:
        blocks.append(Line(f"To do: {found.ews.remedy}", "bad"))
    if found.problem is not None:
        blocks.append(Line(f"To decide: {found.problem.message}", "bad"))
        blocks += [Line(f"  {detail}") for detail in found.problem.details]
    elif found.due:
        blocks.append(Line("mimapp register would now:", "warn"))
        blocks += [Line(f"  {step.title}") for step in found.due]
    else:
        blocks.append(Line("All is as it should be.", "good"))
    return tuple(blocks)
