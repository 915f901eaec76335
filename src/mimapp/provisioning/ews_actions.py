"""Carry out what `ews allow` shows: the list first, read again just before; then the switch; each read back.

No id that was just read is ever left out, order and letter case are kept, and an unknown list is never written. What
somebody else writes between the re-read and the write cannot be seen at that moment; the read-back, and the next run,
show what is missing then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mimapp.errors import DeadlineError, UnsafePlanError
from mimapp.provisioning.allow_list import entries, replace_list
from mimapp.provisioning.ews import judge
from mimapp.provisioning.ews_plan import refuse_row
from mimapp.provisioning.exchange_actions import EWS_NOTE
from mimapp.provisioning.pace import Pace
from mimapp.provisioning.run import Done
from mimapp.provisioning.scope_notes import SWITCH_NOTE
from mimapp.provisioning.steps import StepKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mimapp.exchange import EwsSettings
    from mimapp.provisioning.events import Event
    from mimapp.provisioning.ews_plan import EwsPlan
    from mimapp.provisioning.outcome import Change, Failure
    from mimapp.provisioning.services import Services
    from mimapp.provisioning.steps import Step

__all__ = ["EwsOutcome", "allow_in_ews"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EwsOutcome:
    """What a run of `ews allow` came to.

    Attributes:
        tenant_id, tenant_name: the tenant.
        registration, mailbox, application_id: what was listed.
        before: the list as it stood just before the write, or as it is where nothing was written.
        after: the list as it was read back.
        enabled: the switch as it was read back.
        undo: the commands that put the former values back, in their order; empty where nothing was written.
        written: when the list or the switch was written; None where neither was.
        changes: what this run wrote.
        warnings: what is worth knowing.
        attention: what a person must look at.
        failed: the step that stopped the run, or None.
        not_tried: the steps after it.
        sandbox: whether the tenant is a simulated one.
    """

    tenant_id: str
    tenant_name: str
    registration: str
    mailbox: str
    application_id: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    enabled: bool | None
    undo: tuple[str, ...]
    written: datetime | None
    changes: tuple[Change, ...]
    warnings: tuple[str, ...]
    attention: tuple[str, ...]
    failed: Failure | None
    not_tried: tuple[Step, ...]
    sandbox: bool


@dataclass(slots=True, kw_only=True)
class _Allowing:
    """One run while it is under way."""

    plan: EwsPlan
    services: Services
    before: EwsSettings
    after: EwsSettings
    written: datetime | None = None
    undo: list[str] = field(default_factory=list)
    attention: list[str] = field(default_factory=list)

    def act(self, step: Step) -> Done:
        return self._list() if step.kind is StepKind.ALLOW_EWS else self._enable()

    def _read(self) -> EwsSettings:
        """The settings as they are now; a row that nobody agreed to is refused.

        Raises:
            UnsafePlanError: the tenant is in another row by now.
        """
        plan = self.plan
        found = self.services.exchange.organization.read()
        row = judge(found, plan.view.application_id, self.services.cloud).row
        problem = refuse_row(row, found, first_entry=plan.first_entry, enable=plan.enable)
        if problem is not None:
            raise problem
        self.after = found
        return found

    def _list(self) -> Done:
        """Append: read again, keep every id and the order, write, read back."""
        app_id = self.plan.view.application_id
        found = self._read()
        self.before = found
        if found.lists(app_id):
            return Done(detail="was listed", wrote=False)
        organization = self.services.exchange.organization
        listed = entries(found)
        made = replace_list(organization, self.services.http.patience, (*listed, app_id))
        self.after = made.settings
        self._note(EWS_NOTE)
        if made.restored:
            self.attention.append(
                f"the list came back without {', '.join(made.restored)}, so somebody else was writing: it was written "
                "again with every entry; look at both lists"
            )
        if made.missing:
            self.attention.append(
                f"the list comes back without {', '.join(made.missing)}: somebody else may be writing it at this "
                "moment; run mimapp ews status until it stays"
            )
        # Exchange takes no empty text back for a list that was empty; null clears it.
        undo = f"Set-OrganizationConfig -EwsAllowedAppIDs {_quoted(found.raw) if listed else '$null'}"
        self.undo.append(undo)
        return Done(
            detail=f"EwsAllowedAppIDs {','.join(made.written)}; Exchange takes it in within 24 h",
            before=",".join(listed),
            undo=undo,
        )

    def _enable(self) -> Done:
        """Set the switch to True, which needs the application's entry on the list first.

        Raises:
            UnsafePlanError: the entry is not there.
            DeadlineError: the switch does not read back as it was set.
        """
        found = self._read()
        app_id = self.plan.view.application_id
        if found.ews_enabled:
            return Done(detail="was True", wrote=False)
        if not found.lists(app_id):
            raise UnsafePlanError(
                f"application {app_id} is not on the list, so the switch stays: True without it would let others in "
                "and not MIM Service",
                hint="run the same command again: it writes the list first",
            )
        organization = self.services.exchange.organization
        organization.enable(True)
        self.undo.insert(0, "Set-OrganizationConfig -EwsEnabled $false")
        self._note(SWITCH_NOTE)
        self.after = organization.read()
        if self.after.ews_enabled is not True:
            raise DeadlineError(
                "the EWS switch was set to True and does not read so yet",
                hint="run mimapp ews status in a few minutes",
            )
        return Done(detail="EwsEnabled True; it acts after about an hour", before="False", undo=self.undo[0])

    def _note(self, fact: str) -> None:
        services = self.services
        self.written = services.clock.now()
        services.journal.note_since(services.tenant_id, self.plan.wanted.key, fact, self.written)


def allow_in_ews(plan: EwsPlan, services: Services, on_event: Callable[[Event], None]) -> EwsOutcome:
    """Carry a plan out, as far as it goes.

    Args:
        plan: what to do; made from the tenant as it is now.
        services: the rooms below.
        on_event: told of every step as it begins and ends.
    """
    settings = plan.view.settings
    run = _Allowing(plan=plan, services=services, before=settings, after=settings)
    pace = Pace(services, plan.wanted.key, run.act, on_event, total=len(plan.steps))
    failed: Failure | None = None
    left: tuple[Step, ...] = ()
    for number, step in enumerate(plan.steps, 1):
        if (failed := pace.take(step, number)) is not None:
            left = plan.steps[number:]
            break
    return EwsOutcome(
        tenant_id=plan.tenant_id,
        tenant_name=plan.tenant_name,
        registration=plan.wanted.key,
        mailbox=plan.wanted.mailbox,
        application_id=plan.view.application_id,
        before=entries(run.before),
        after=entries(run.after),
        enabled=run.after.ews_enabled,
        undo=tuple(run.undo),
        written=run.written,
        changes=tuple(pace.changes),
        warnings=plan.warnings,
        attention=tuple(run.attention),
        failed=failed,
        not_tried=left,
        sandbox=services.sandbox,
    )


def _quoted(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"
