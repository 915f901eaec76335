"""What a registration's run needs and ends with: the sign-in's permissions, and the result with the installer's values.

Shared by ``mimapp register`` and ``mimapp apply``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.cli.exit_codes import ExitCode
from mimapp.cli.result import Line, Pairs, Result
from mimapp.clock import iso
from mimapp.provisioning.planned import signed_in
from mimapp.spec import Scope
from mimapp.tenant import ADOPTION_PERMISSIONS, REGISTER_PERMISSIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mimapp.cli.result import Block, JsonValue
    from mimapp.provisioning.outcome import Outcome, ScopeResult
    from mimapp.spec import Registration

__all__ = ["changes_document", "consent_word", "did", "matters", "register_result", "registering_permissions"]


def registering_permissions(wanted: Registration) -> tuple[str, ...]:
    """The delegated permissions that a person's Graph sign-in asks for."""
    return REGISTER_PERMISSIONS + (ADOPTION_PERMISSIONS if wanted.app_id or wanted.restore else ())


def register_result(outcome: Outcome, wanted: Registration) -> Result:
    """What ``register`` ends with."""
    return Result(
        schema="mimapp.register/1",
        document=_document(outcome),
        text=_text(outcome, wanted),
        code=ExitCode.ATTENTION if outcome.attention else ExitCode.DONE,
    )


def changes_document(outcome: Outcome) -> Mapping[str, JsonValue]:
    """What every run that writes says in its document: the changes, and what is to be known or done."""
    return {
        "operator": outcome.operator,
        "exchangeOperator": outcome.exchange_operator,
        "changes": [
            {"step": change.step, "target": change.target, "detail": change.detail} for change in outcome.changes
        ],
        "warnings": list(outcome.warnings),
        "attention": list(outcome.attention),
    }


def did(outcome: Outcome) -> Line:
    """The first line for people; it names the accounts where there are two."""
    count = len(outcome.changes)
    if not count:
        return Line("Nothing to do.", "good")
    who = "" if outcome.exchange_operator is None else f", {signed_in(outcome.operator, outcome.exchange_operator)}"
    return Line(f"{count} change{'s' if count != 1 else ''} made in {outcome.tenant_name}{who}.", "good")


def matters(outcome: Outcome) -> tuple[Line, ...]:
    """What is to be known, and what a person must do."""
    return (
        *(
            Line(f"Wait: {warning}" if "until" in warning else f"Note: {warning}", "warn")
            for warning in outcome.warnings
        ),
        *(Line(f"To do: {matter}", "bad") for matter in outcome.attention),
    )


def _document(outcome: Outcome) -> Mapping[str, JsonValue]:
    secret = outcome.secret
    return {
        "tenantId": outcome.tenant_id,
        "applicationId": outcome.application_id,
        "applicationObjectId": outcome.application_object_id,
        "servicePrincipalObjectId": outcome.service_principal_object_id,
        "secret": None
        if secret is None
        else {
            "keyId": secret.key_id,
            "label": secret.label,
            "expires": None if secret.expires is None else iso(secret.expires),
            "storedIn": secret.stores[0] if secret.stores else None,
            "stores": list(secret.stores),
            "proven": secret.proven,
        },
        "storedElsewhere": [
            {
                "keyId": other.key_id,
                "label": other.label,
                "expires": None if other.expires is None else iso(other.expires),
            }
            for other in outcome.stored_elsewhere
        ],
        "scope": {
            "kind": outcome.scope.kind.value,
            "group": outcome.scope.group,
            "policy": outcome.scope.policy,
            "assignment": outcome.scope.assignment,
            "limit": outcome.scope.limit,
            "stands": outcome.scope.stands,
            "proven": outcome.scope.proven,
            "expected": None if outcome.scope.expected is None else iso(outcome.scope.expected),
            "proof": None
            if outcome.scope.proof is None
            else {"when": iso(outcome.scope.proof.when), "how": outcome.scope.proof.how},
        },
        "consent": consent_word(outcome.scope.kind, granted=outcome.consented),
        "ews": {
            "allowed": outcome.ews.allowed,
            "reason": outcome.ews.reason,
            "effective": None if outcome.ews.effective is None else iso(outcome.ews.effective),
            "ends": None if outcome.ews.ends is None else outcome.ews.ends.isoformat(),
        },
        **changes_document(outcome),
    }


def consent_word(kind: Scope, *, granted: bool) -> str:
    """What the consent of a registration is: a role in Exchange needs none."""
    if granted:
        return "granted"
    return "not needed" if kind is Scope.RBAC else "missing"


def _restricted(scope: ScopeResult) -> str:
    if scope.kind is Scope.NONE:
        return "NOTHING: every mailbox of the tenant"
    if not scope.stands:
        return "nothing yet: the fence does not stand"
    if scope.kind is Scope.RBAC:
        return f"{scope.limit}, by a role in Exchange"
    return f"members of {scope.group}"


def _text(outcome: Outcome, wanted: Registration) -> tuple[Block, ...]:
    secret = outcome.secret
    show = f"run: mimapp secret show --mailbox {wanted.mailbox}"
    if outcome.sandbox:
        show += " --sandbox"
    ends = "" if secret is None or secret.expires is None else f"{secret.expires:%Y-%m-%d}"
    return (
        did(outcome),
        Line(),
        Line("The MIM installer asks for:", "heading"),
        Pairs(
            [
                ("ApplicationId", outcome.application_id),
                ("TenantId", outcome.tenant_id),
                ("ClientSecret", show if secret is not None and secret.stores else "stored elsewhere"),
            ]
        ),
        Line(),
        Pairs(
            [
                ("Secret ends", ends or "unknown"),
                ("Restricted to", _restricted(outcome.scope)),
                ("Consent", consent_word(outcome.scope.kind, granted=outcome.consented)),
                ("EWS", outcome.ews.reason),
            ]
        ),
        *matters(outcome),
        Line(),
        Line("Next: type the three values on the installer's page “Configure Office 365 mailbox”."),
    )
