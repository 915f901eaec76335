"""What every plan has in common: the steps in their order, how they are shown, and how two plans are compared."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mimapp import __version__
from mimapp.errors import StalePlanError
from mimapp.provisioning.steps import StepKind

if TYPE_CHECKING:
    from mimapp.provisioning.steps import Step
    from mimapp.spec import Registration

__all__ = ["Planned", "signed_in"]


def signed_in(operator: str, exchange_operator: str | None) -> str:
    """Everybody who is signed in, for people."""
    return operator if exchange_operator is None else f"{operator} to Entra, {exchange_operator} to Exchange"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What is to be done in one tenant, in order; printable, and without secrets.

    Attributes:
        tenant_id: the tenant's GUID.
        tenant_name: its initial domain.
        operator: who is signed in; to Entra, where Exchange has somebody else.
        exchange_operator: who is signed in to Exchange, where that is another account.
        outside: the mailbox outside that the run may ask EWS about; None: nobody's.
        wanted: the registration.
        steps: what is to be done; empty when nothing is.
        warnings: what somebody should know before saying yes.
    """

    #: The command that makes such plans, as a plan's file names it.
    command: ClassVar[str] = ""

    tenant_id: str
    tenant_name: str
    operator: str
    wanted: Registration
    steps: tuple[Step, ...]
    warnings: tuple[str, ...]
    exchange_operator: str | None = None
    outside: str | None = None

    @property
    def choices(self) -> frozenset[str]:
        """The command's flags that were given and are no part of the registration, for a plan's file."""
        return frozenset()

    @property
    def operators(self) -> str:
        """Everybody who is signed in, for people."""
        return signed_in(self.operator, self.exchange_operator)

    @property
    def writes(self) -> int:
        """How many of the steps change the tenant."""
        return sum(step.kind.writes for step in self.steps)

    @property
    def fingerprint(self) -> str:
        """A hash of tenant, version and steps: two plans with the same one do the same."""
        covered = [self.tenant_id.lower(), __version__, [step.identity for step in self.steps]]
        return hashlib.sha256(json.dumps(covered).encode()).hexdigest()[:16]

    def command_line(self, *more: str, sandbox: bool) -> str:
        """The command that goes on with this work; it names the registration in full, whatever was left out here."""
        words = [f"mimapp {self.command}", f"--mailbox {self.wanted.mailbox}", f"--registration {self.wanted.key}"]
        if self.tenant_name.lower() != self.wanted.mailbox.partition("@")[2].lower():
            words.append(f"--tenant {self.tenant_name}")
        return " ".join([*words, *more, *(["--sandbox"] if sandbox else [])])

    def takes_only_steps_of(self, shown: Planned) -> bool:
        """Whether it does nothing that was not shown; fewer steps are fine."""
        return self.tenant_id == shown.tenant_id and not self._steps_beyond(shown)

    def raise_if_not_shown(self, shown: Planned) -> None:
        """Refuse steps that nobody was shown; the details say what moved.

        Raises:
            StalePlanError: there are some, or the plan that was shown is another tenant's.
        """
        if self.tenant_id != shown.tenant_id:
            raise StalePlanError(f"plan {shown.fingerprint} is for tenant {shown.tenant_id}, not for {self.tenant_id}")
        beyond = self._steps_beyond(shown)
        if not beyond:
            return
        before = {(step.kind, step.target): step for step in shown.steps}
        due = {(step.kind, step.target) for step in self.steps}
        details = [
            f"changed: {step.title} (shown: {former.title})" if former is not None else f"new: {step.title}"
            for step in beyond
            for former in (before.get((step.kind, step.target)),)
        ]
        raise StalePlanError(
            f"the tenant has moved since plan {shown.fingerprint} was shown: it would now take {len(details)} steps "
            "that were not shown",
            hint="look at the new plan, then say yes to that",
            details=[
                *details,
                *(f"no longer needed: {step.title}" for step in shown.steps if (step.kind, step.target) not in due),
            ],
        )

    def _steps_beyond(self, shown: Planned) -> tuple[Step, ...]:
        """The steps that were not shown; revoking what an interrupted issue left is part of the issue that was."""
        known = {step.identity for step in shown.steps}
        issued = {step.target for step in shown.steps if step.kind is StepKind.ISSUE_SECRET}
        return tuple(
            step
            for step in self.steps
            if step.identity not in known and not (step.kind is StepKind.SWEEP_SECRETS and step.target in issued)
        )

    def __str__(self) -> str:
        if not self.steps:
            return f"nothing to do in {self.tenant_name}"
        lines = [f"{number:2}. {step.title}" for number, step in enumerate(self.steps, 1)]
        return "\n".join([f"plan {self.fingerprint} for {self.tenant_name} ({self.operators}):", *lines])
