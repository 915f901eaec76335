"""Put an application on the tenant's EWS allow list, row by row of the table: a pure decision, and the plan it makes.

The rows and what they do to other applications are Microsoft's ("Introducing EWSAllowedAppIDs", "EWS Deprecation Is
Here"). Appending to a list takes nothing from anybody; a first entry and a switch do, and are asked for by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mimapp.errors import UnsafePlanError
from mimapp.provisioning.allow_list import entries
from mimapp.provisioning.ews import EwsRow
from mimapp.provisioning.planned import Planned
from mimapp.provisioning.steps import Step, StepKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mimapp.exchange import EwsSettings
    from mimapp.provisioning.ews_view import EwsView
    from mimapp.spec import Registration

__all__ = ["EwsPlan", "make_ews_plan", "refuse_row"]

#: What the list gates besides third parties' applications.
_MICROSOFTS = (
    "the list holds back Microsoft's own applications too, such as Teams' calendar "
    "(cc15fd57-2c6c-4117-a88c-83b1d56b4bbe), older Office clients and Excel's Power Query"
)
_WHO = (
    "who uses EWS: the EWS usage report of the Microsoft 365 admin centre (90 days, about 10 days late; worldwide "
    "cloud), elsewhere the scripts at https://aka.ms/ewsToolsBlog"
)
_FREEZE = (
    "Exchange has no check for another's change: see that nobody else writes the EWS settings until this is done, the "
    "admin centre's page “Baseline security mode” included; both lists are shown at the end"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EwsPlan(Planned):
    """What `ews allow` is to do.

    Attributes:
        view: what the plan was made from.
        first_entry: whether a first entry was asked for.
        enable: whether the switch was asked for.
    """

    command: ClassVar[str] = "ews allow"

    view: EwsView
    first_entry: bool
    enable: bool

    @property
    def choices(self) -> frozenset[str]:
        """As the command has them."""
        return frozenset(name for name, given in (("first-entry", self.first_entry), ("enable", self.enable)) if given)


def make_ews_plan(
    wanted: Registration,
    view: EwsView,
    *,
    first_entry: bool,
    enable: bool,
    tenant_id: str,
    tenant_name: str,
    operator: str,
) -> EwsPlan:
    """What has to be done, in order: the list, then the switch.

    Args:
        wanted: the registration.
        view: the tenant.
        first_entry: begin a list that is empty, with this application alone.
        enable: set the organisation's switch from False to True.
        tenant_id: the tenant's GUID.
        tenant_name: how the tenant is called.
        operator: who is signed in to Exchange.

    Raises:
        UnsafePlanError: the row needs a person's word, or the list is unknown; nothing was changed.
    """
    problem = refuse_row(view.verdict.row, view.settings, first_entry=first_entry, enable=enable)
    if problem is not None:
        raise problem
    steps = tuple(_steps(wanted, view))
    return EwsPlan(
        tenant_id=tenant_id,
        tenant_name=tenant_name,
        operator=operator,
        wanted=wanted,
        steps=steps,
        warnings=tuple(_warnings(view, changes=bool(steps))),
        view=view,
        first_entry=first_entry,
        enable=enable,
    )


def refuse_row(row: EwsRow, settings: EwsSettings, *, first_entry: bool, enable: bool) -> UnsafePlanError | None:
    """Why a row may not be written as things are and were asked for; None where it may, or nothing is to be done."""
    if row is EwsRow.UNKNOWN:
        return UnsafePlanError(
            "the EWS allow list could not be read, so it is not written: a write replaces the whole list",
            hint="look at it with Get-OrganizationConfig -RetrieveEwsOperationAccessPolicy",
        )
    listed = entries(settings)
    if enable and settings.ews_enabled is None:
        return UnsafePlanError(
            "the EWS switch is Null: EWS answers every application now, and True would cut off all that are not listed",
            hint="leave --enable away: it is for a switch that is False",
        )
    if row is EwsRow.OFF and not enable:
        others = f"the {len(listed)} applications on the list" if listed else "no application: the list is empty"
        return UnsafePlanError(
            "the organisation's EWS switch is False: a list changes nothing until it is True",
            hint="--enable writes the list, then sets the switch to True; ask the tenant's owners first",
            details=[f"True opens EWS again for {others}", *(f"listed: {one}" for one in listed), _MICROSOFTS],
        )
    if not listed and row in {EwsRow.EMPTY, EwsRow.NULL_EMPTY, EwsRow.OFF} and not first_entry:
        return UnsafePlanError(
            _FIRST[row],
            hint="--first-entry writes the list with this application alone",
            details=[
                _AFTER[row],
                _MICROSOFTS,
                _WHO,
            ],
        )
    return None


_FIRST = {
    EwsRow.EMPTY: "the EWS switch is True and the allow list is empty: Exchange refuses every application now",
    EwsRow.NULL_EMPTY: "the EWS switch is Null and there is no allow list: EWS answers every application now",
    EwsRow.OFF: "the organisation's EWS switch is False and the allow list is empty",
}
_AFTER = {
    EwsRow.EMPTY: "with a first entry only this application is let in, and Microsoft leaves a list that a tenant wrote "
    "itself alone: every other application that needs EWS has to be added by somebody",
    EwsRow.NULL_EMPTY: "with a first entry Microsoft no longer fills the list from the last 60 days: every other "
    "application is cut off on the day on which the switch is set, unless somebody adds it before",
    EwsRow.OFF: "with a first entry and the switch at True only this application is let in",
}


def _steps(wanted: Registration, view: EwsView) -> Iterator[Step]:
    listed = entries(view.settings)
    if not view.settings.lists(view.application_id):
        yield Step(
            kind=StepKind.ALLOW_EWS,
            target="organization EwsAllowedAppIDs",
            desired=f"lists {wanted.unique_name}" if listed else f"lists {wanted.unique_name} alone",
            title=f"Append application {view.application_id} to the tenant's EWS allow list, which has {len(listed)}"
            if listed
            else f"Begin the tenant's EWS allow list with application {view.application_id} alone",
        )
    if view.settings.ews_enabled is False:
        count = len(listed) + (not view.settings.lists(view.application_id))
        yield Step(
            kind=StepKind.ENABLE_EWS,
            target="organization EwsEnabled",
            desired="True",
            title=f"Set the organisation's EWS switch to True, which opens EWS for {count} "
            f"application{'s' if count != 1 else ''} on the list",
        )


def _warnings(view: EwsView, *, changes: bool) -> Iterator[str]:
    for one in view.lost:
        yield f"{one.app_id} stood on the list when mimapp wrote it on {one.written:%Y-%m-%d %H:%M} UTC, and is gone"
    if changes:
        yield _FREEZE
        if not entries(view.settings):
            yield _AFTER[view.verdict.row]
            yield _MICROSOFTS
        elif view.settings.ews_enabled is None:
            yield "the switch is Null: the list acts when it is set to True, by Microsoft or by somebody here"
    if view.access is not None and view.access.ews_enabled is False:
        yield "the mailbox's own EWS switch is False: Set-CASMailbox sets it, and it acts after about an hour"
