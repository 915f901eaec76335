"""What a run came to, as values: what changed, what is left, and everything the MIM installer asks for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime

    from mimapp.errors import MimappError
    from mimapp.provisioning.scope_proof import Proof
    from mimapp.provisioning.steps import Step
    from mimapp.spec import Scope

__all__ = ["Change", "EwsResult", "Failure", "Outcome", "ScopeResult", "SecretResult"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One write that this run made: the step's name, its target and what came of it."""

    step: str
    target: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The step that stopped the run, and why."""

    step: Step
    error: MimappError


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretResult:
    """The client secret that MIM is to use.

    Attributes:
        key_id: Entra's id of it.
        label: its display name in Entra.
        expires: when it ends.
        stores: URIs of the stores that have the value, the first one first; empty when it is stored elsewhere.
        proven: whether a token was got with it here.
    """

    key_id: str
    label: str
    expires: datetime | None
    stores: tuple[str, ...]
    proven: bool

    def as_proven(self) -> SecretResult:
        """The same secret, after a token came."""
        return replace(self, proven=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeResult:
    """The fence around the application.

    Attributes:
        kind: what keeps the application to its mailbox.
        group: the group's address; empty where none is used.
        policy: the policy's identity; empty while it is not listed, and where none is wanted.
        assignment: the role assignment's name; empty likewise.
        limit: what limits the role, in words; empty where there is no role.
        stands: its write is acknowledged, and Exchange's own test grants the mailbox and denies another.
        proven: it stands, and either EWS itself refused a mailbox outside or the time in which Exchange may not
            enforce it yet is over.
        expected: when enforcement is to be expected at the latest that Microsoft names; None when it is over.
        proof: the refusal by EWS; None where `mimapp verify --outside` saw none.
    """

    kind: Scope
    group: str
    policy: str
    assignment: str
    limit: str
    stands: bool
    proven: bool
    expected: datetime | None
    proof: Proof | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EwsResult:
    """Whether EWS lets the application through.

    Attributes:
        allowed: by the tenant's setting; None: not known.
        reason: why, one sentence.
        effective: when a list written now is taken in at the latest; None when nothing is awaited.
        ends: the first day without EWS in this cloud; None where Microsoft has given no date.
    """

    allowed: bool | None
    reason: str
    effective: datetime | None
    ends: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A run's end.

    Attributes:
        tenant_id, tenant_name: the tenant.
        operator: who was signed in; to Entra, where Exchange had somebody else.
        exchange_operator: who was signed in to Exchange, where that was another account.
        application_id: the client id; empty when the run stopped before it existed.
        application_object_id: the application object's id.
        service_principal_object_id: the service principal's id.
        secret: the client secret, or None.
        stored_elsewhere: further secrets of mimapp's, whose value no store of this run has.
        scope: the fence.
        consented: whether the application holds full_access_as_app, which a role takes the place of.
        ews: the allow list.
        changes: what this run wrote.
        warnings: what is worth knowing, and times after which something is to be expected.
        attention: what a person must do before mail works or the run is complete, each with what to do.
        failed: the step that stopped the run, or None.
        not_tried: the steps after it.
        sandbox: whether the tenant is a simulated one.
    """

    tenant_id: str
    tenant_name: str
    operator: str
    exchange_operator: str | None
    application_id: str
    application_object_id: str
    service_principal_object_id: str
    secret: SecretResult | None
    stored_elsewhere: tuple[SecretResult, ...]
    scope: ScopeResult
    consented: bool
    ews: EwsResult
    changes: tuple[Change, ...]
    warnings: tuple[str, ...]
    attention: tuple[str, ...]
    failed: Failure | None
    not_tried: tuple[Step, ...]
    sandbox: bool

    @property
    def is_complete(self) -> bool:
        """Whether every step was done."""
        return self.failed is None and not self.not_tried
