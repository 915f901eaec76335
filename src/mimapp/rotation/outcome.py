"""What a rotation, a hand-over or a retirement came to, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mimapp.credentials.listing import Credential
    from mimapp.errors import MimappError
    from mimapp.journal import Evidence
    from mimapp.rotation.retirement import Retirement
    from mimapp.rotation.steps import Step
    from mimapp.rotation.view import OurSecret

__all__ = ["HandOver", "HandOverState", "Outcome"]


class HandOverState(StrEnum):
    """How far the hand-over of the newest secret has come."""

    NONE = "none"
    """There is nothing to hand over: no older secret of mimapp's was there."""
    WAITING = "waiting"
    """Nothing shows yet that MIM uses it."""
    DONE = "done"
    """There is evidence that MIM uses it."""
    FAILED = "failed"
    """The deploy hook failed in this run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """The hand-over of the newest secret: its state, what shows it, and the nodes that nothing is known of."""

    state: HandOverState
    evidence: tuple[Evidence, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A run's end.

    Attributes:
        tenant_id: the tenant.
        registration, mailbox: what it was about.
        application_id: the client id.
        secret: the secret that MIM is to use: the newest one; None when there is none.
        issued: whether this run issued it.
        reason: why it was issued, or why not.
        handover: how far its hand-over has come.
        older: every older secret of mimapp's that is still there, and whether it may go.
        retired: key ids of what this run took away.
        other_ways: every other way into the application; read only where secrets are compromised or named.
        warnings: what is worth knowing.
        attention: what a person must do.
        failed: the step that stopped the run, and why; None when it went to its end.
        not_tried: the steps after it.
        done: the steps that are done, with what came of each.
        sandbox: whether the tenant is a simulated one.
    """

    tenant_id: str
    registration: str
    mailbox: str
    application_id: str
    secret: OurSecret | None
    issued: bool
    reason: str
    handover: HandOver
    older: tuple[Retirement, ...]
    retired: tuple[str, ...]
    other_ways: tuple[Credential, ...]
    warnings: tuple[str, ...]
    attention: tuple[str, ...]
    failed: tuple[Step | None, MimappError] | None
    not_tried: tuple[Step, ...]
    done: tuple[tuple[Step, str], ...]
    sandbox: bool
