"""What the tenant's EWS switch and allow list mean for one application, and whether it may be added by itself.

The rows of the table are Microsoft's: "Control access to EWS in Exchange" and the Exchange Team Blog "Introducing
EWSAllowedAppIDs" (4529471) and "EWS Deprecation Is Here" (4561431). A list that is non-empty may be appended to while
the switch is True or Null; every other row needs a person, because it would change what other applications can do.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from mimapp.exchange import Unknown

if TYPE_CHECKING:
    from mimapp.clouds import Cloud
    from mimapp.exchange import EwsSettings

__all__ = ["EwsRow", "EwsVerdict", "judge"]


class EwsRow(StrEnum):
    """Which row of the table a tenant is in."""

    LISTED = "listed"
    APPEND = "append"
    EMPTY = "true-empty"
    NULL_EMPTY = "null-empty"
    NULL_LISTED = "null-listed"
    OFF = "off"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class EwsVerdict:
    """What the settings mean for the application.

    Attributes:
        row: the row of the table.
        allowed: whether this gate lets the application through once Exchange has taken the setting in; None: unknown.
        reason: why, one sentence for a person.
        remedy: what a person must do, or empty.
    """

    row: EwsRow
    allowed: bool | None
    reason: str
    remedy: str = ""

    @property
    def may_append(self) -> bool:
        """Whether adding the application takes nothing from anybody."""
        return self.row is EwsRow.APPEND

    @property
    def needs_person(self) -> bool:
        """Whether somebody has to decide before EWS answers the application, now or later."""
        return bool(self.remedy)


def judge(settings: EwsSettings, application_id: str | None, cloud: Cloud) -> EwsVerdict:
    """The row of the table that the organisation is in, for an application (None: one that does not exist yet)."""
    listed = settings.allowed_app_ids
    if isinstance(listed, Unknown):
        return EwsVerdict(
            row=EwsRow.UNKNOWN,
            allowed=None,
            reason=f"the tenant's EWS allow list could not be read: {listed.reason}",
            remedy="read EwsEnabled and EwsAllowedAppIDs with Get-OrganizationConfig "
            "-RetrieveEwsOperationAccessPolicy, and add the application id to the list",
        )
    has_entry = application_id is not None and settings.lists(application_id) is True
    if settings.ews_enabled is False:
        return EwsVerdict(
            row=EwsRow.OFF,
            allowed=False,
            reason="the organisation's EWS switch is False, so Exchange refuses every application",
            remedy=f"{'' if has_entry else 'add the application to EwsAllowedAppIDs, then '}set EwsEnabled to True "
            f"(this opens EWS again for all {len(listed) + (not has_entry)} applications on the list)",
        )
    if not listed:
        return _empty(settings, cloud)
    if has_entry:
        if settings.ews_enabled is None:
            return EwsVerdict(
                row=EwsRow.NULL_LISTED,
                allowed=True,
                reason="the switch is Null, so EWS answers every application now, and this one is on the list "
                "for the day the switch is set",
            )
        return EwsVerdict(row=EwsRow.LISTED, allowed=True, reason="the application is on the tenant's EWS allow list")
    return EwsVerdict(
        row=EwsRow.APPEND,
        allowed=False,
        reason=f"the tenant's EWS allow list has {len(listed)} other application{'s' if len(listed) != 1 else ''}",
    )


def _empty(settings: EwsSettings, cloud: Cloud) -> EwsVerdict:
    if settings.ews_enabled:
        blocked = "so Exchange refuses every application" + (
            "" if cloud.allow_list_in_force else " where the list is in force (not known for this cloud)"
        )
        return EwsVerdict(
            row=EwsRow.EMPTY,
            allowed=False,
            reason=f"the EWS switch is True and the allow list is empty, {blocked}",
            remedy="find out which applications use EWS, then write the list with all of them and this one: "
            "Microsoft leaves a list that a tenant wrote itself alone",
        )
    return EwsVerdict(
        row=EwsRow.NULL_EMPTY,
        allowed=False,
        reason="the EWS switch is Null and there is no list: EWS answers for now, and will refuse this application "
        "when Microsoft sets the switch to False and fills the list from the last 60 days",
        remedy="look at the EWS usage report, then write a list with every application that needs EWS and this one: "
        "a list with only this one would cut the others off",
    )
