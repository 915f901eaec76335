"""The steps of a rotation and of a retirement, as data, and the plan that shows them before anybody says yes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from mimapp import __version__
from mimapp.errors import StalePlanError

if TYPE_CHECKING:
    from mimapp.spec import Registration

__all__ = ["Step", "StepKind", "StepPlan"]


class StepKind(StrEnum):
    """What a step does; the names are stable, output and records carry them."""

    ISSUE = "secret.issue"
    COPY = "secret.copy"
    PROVE = "secret.prove"
    HAND_OVER = "secret.hand-over"
    REVOKE = "secret.revoke"
    SWEEP = "secret.sweep"

    @property
    def writes(self) -> bool:
        """Whether it changes the tenant."""
        return self in {StepKind.ISSUE, StepKind.REVOKE, StepKind.SWEEP}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step.

    Attributes:
        kind: what it does.
        target: the secret, by what is known before the step; a key id where there is one.
        desired: what is to be true after it, in a canonical form.
        title: what it does, for a person.
    """

    kind: StepKind
    target: str
    desired: str
    title: str

    @property
    def identity(self) -> tuple[str, str, str]:
        """What a fingerprint covers of it."""
        return (self.kind, self.target, self.desired)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPlan:
    """What is to be done, in order.

    Attributes:
        tenant_id: the tenant's GUID.
        operator: who is signed in.
        wanted: the registration.
        application_id: the client id.
        steps: what is to be done; empty when nothing is.
        warnings: what somebody should know before saying yes.
    """

    tenant_id: str
    operator: str
    wanted: Registration
    application_id: str
    steps: tuple[Step, ...]
    warnings: tuple[str, ...]

    @property
    def writes(self) -> int:
        """How many of the steps change the tenant."""
        return sum(step.kind.writes for step in self.steps)

    @property
    def fingerprint(self) -> str:
        """A hash of tenant, version and steps."""
        covered = [self.tenant_id.lower(), __version__, [step.identity for step in self.steps]]
        return hashlib.sha256(json.dumps(covered).encode()).hexdigest()[:16]

    def raise_if_not_shown(self, shown: StepPlan) -> None:
        """Refuse steps that nobody was shown; fewer are fine.

        Raises:
            StalePlanError: there are some.
        """
        known = {step.identity for step in shown.steps}
        new = [step.title for step in self.steps if step.identity not in known]
        if new:
            raise StalePlanError(
                f"the tenant has moved since plan {shown.fingerprint} was shown: it would now take {len(new)} steps "
                "that were not shown",
                hint="look at the new plan, then say yes to that",
                details=[f"new: {title}" for title in new],
            )
