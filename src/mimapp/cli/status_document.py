"""A status as JSON: one registration, and the list of a tenant's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.checks.status_dates import life_left
from mimapp.checks.status_next import attention_of, next_command
from mimapp.cli.credentials import credential_documents
from mimapp.cli.registering import consent_word
from mimapp.cli.rotating import handover_document, older_documents
from mimapp.clock import iso

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mimapp.checks.status import Status, StatusRow
    from mimapp.checks.status_dates import Milestone
    from mimapp.cli.result import JsonValue

__all__ = ["row_needs_person", "status_document", "statuses_document"]


def status_document(found: Status) -> Mapping[str, JsonValue]:
    """One registration."""
    first = next(iter(found.dates), None)
    return {
        "at": iso(found.at),
        "tenantId": found.tenant_id,
        "tenantName": found.tenant_name,
        "registration": found.registration,
        "mailbox": found.mailbox,
        "applicationId": found.application_id,
        "displayName": found.display_name,
        "signIn": {None: None, True: "allowed", False: "stopped"}[found.signs_in],
        "permissions": {
            "wanted": list(found.permissions.wanted),
            "asked": list(found.permissions.asked),
            "granted": list(found.permissions.granted),
        },
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
        "credentials": _credentials(found),
        "handover": handover_document(found.handover),
        "older": [] if found.standing is None else older_documents(found.standing.older),
        "hosts": [
            {
                "server": host.server,
                "judged": iso(host.judged),
                "read": None if host.read is None else iso(host.read),
                "wrong": list(host.wrong),
            }
            for host in found.hosts
        ],
        "drift": found.drifted,
        "due": [{"step": step.kind.value, "title": step.title} for step in found.due],
        "warnings": list(found.warnings),
        "problem": None if found.problem is None else found.problem.message,
        "attention": list(attention_of(found)),
        "dates": [_date(one) for one in found.dates],
        "nextDate": None if first is None else _date(first),
        "nextCommand": next_command(found) or None,
    }


def statuses_document(rows: Sequence[StatusRow], tenant_id: str) -> Mapping[str, JsonValue]:
    """Every registration of a tenant; one that could not be read has an error in place of its status."""
    return {
        "tenantId": tenant_id,
        "registrations": [
            {
                "registration": row.wanted.key,
                "mailbox": row.wanted.mailbox,
                "status": None if row.status is None else status_document(row.status),
                "error": None if row.error is None else row.error.message,
            }
            for row in rows
        ],
    }


def row_needs_person(row: StatusRow) -> bool:
    """Whether a registration needs a person, or could not be read."""
    return row.status is None or bool(attention_of(row.status))


def _credentials(found: Status) -> list[JsonValue]:
    documents: list[JsonValue] = []
    for item, shown in zip(found.credentials, credential_documents(found.credentials), strict=True):
        left = life_left(item, found.at)
        documents.append({**shown, "lifeLeft": None if left is None else round(left, 3)})
    return documents


def _date(one: Milestone) -> Mapping[str, JsonValue]:
    return {"when": iso(one.when), "what": one.what, "command": one.command or None}
