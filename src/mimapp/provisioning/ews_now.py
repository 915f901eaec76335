"""May an application call EWS at this moment, by everything that stands before a right is asked about; and until when.

Four gates (ews facts: "Control access to EWS in Exchange", "EWS Deprecation Is Here"): the end of EWS, the switches of
organisation and mailbox, the list of applications, the User-Agent policies. Pure. It judges settings as they are
written; Exchange takes up to 24 hours to follow a list, about one to follow a switch.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from mimapp.exchange import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from mimapp.clouds import Cloud
    from mimapp.exchange import ClientAccess, EwsSettings

__all__ = ["EwsNow", "Gate", "ews_now"]

_ALLOW_LIST = "EnforceAllowList"


class Gate(StrEnum):
    """What EWS does with the application's requests before it looks at rights."""

    OPEN = "open"
    DISABLED = "disabled"
    """403, X-EWS-Policy-Reason: EWS is disabled for this user or tenant."""
    BLOCKED = "blocked"
    """403, X-EWS-Policy-Reason: EWS is blocked by policy for this user or tenant."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class EwsNow:
    """The answer.

    Attributes:
        gate: what EWS does.
        reason: why, one sentence.
        until: until when this holds at the longest: the end of EWS in this cloud; None where no date is known, or where
            nothing works that could end.
        unknown: what cannot be known here, each a sentence.
    """

    gate: Gate
    reason: str
    until: date | None = None
    unknown: tuple[str, ...] = ()


def ews_now(
    settings: EwsSettings, access: ClientAccess | None, application_id: str, cloud: Cloud, now: datetime
) -> EwsNow:
    """Whether EWS answers an application for a mailbox.

    Args:
        settings: the organisation's.
        access: the mailbox's own; None where there is no mailbox, or they could not be read.
        application_id: the client id.
        cloud: the tenant's cloud.
        now: the moment.
    """
    unknown = tuple(_unknown(access, cloud))
    closed = _switches(settings, access, cloud, now) or _list(settings, application_id, cloud)
    if closed is None:
        closed = _agents(settings, access)
    if closed is not None:
        gate, reason = closed
        return EwsNow(gate=gate, reason=reason, unknown=unknown)
    if settings.ews_enabled is None:
        reason = "the organisation's switch is Null: EWS answers every application until Microsoft sets it to False"
    else:
        reason = "the organisation's switch is True, and the application is on the list"
    return EwsNow(gate=Gate.OPEN, reason=reason, until=cloud.ews_ends, unknown=unknown)


def _switches(
    settings: EwsSettings, access: ClientAccess | None, cloud: Cloud, now: datetime
) -> tuple[Gate, str] | None:
    if cloud.ews_ends is not None and now.date() >= cloud.ews_ends:
        return Gate.DISABLED, f"EWS ended in this cloud on {cloud.ews_ends:%Y-%m-%d}"
    if settings.ews_enabled is False:
        return Gate.DISABLED, "the organisation's switch is False, which refuses every application"
    if access is not None and access.ews_enabled is False:
        return Gate.DISABLED, "the mailbox's own switch is False"
    return None


def _list(settings: EwsSettings, application_id: str, cloud: Cloud) -> tuple[Gate, str] | None:
    if settings.ews_enabled is None:
        return None  # the list waits for the switch
    if isinstance(settings.allowed_app_ids, Unknown):
        return Gate.UNKNOWN, f"the allow list could not be read: {settings.allowed_app_ids.reason}"
    if settings.lists(application_id):
        return None
    if settings.allowed_app_ids:
        return Gate.BLOCKED, "the switch is True and the application is not on the list"
    if cloud.allow_list_in_force:
        return Gate.BLOCKED, "the switch is True and the list is empty, which refuses every application"
    return Gate.UNKNOWN, "the switch is True and the list is empty; what that does in this cloud is not known"


def _agents(settings: EwsSettings, access: ClientAccess | None) -> tuple[Gate, str] | None:
    """The User-Agent policies; both have to let a request through [unverified that the mailbox's adds to the other]."""
    policies = [("the organisation", settings.application_access_policy, settings.allow_list)]
    if access is not None:
        policies.append(("the mailbox", access.ews_application_access_policy, access.ews_allow_list))
    for whose, policy, allowed in policies:
        if policy == _ALLOW_LIST and not allowed:
            return Gate.BLOCKED, f"the User-Agent policy of {whose} allows nobody"
    named = [f"{policy} of {whose}" for whose, policy, _ in policies if policy]
    if named:
        return Gate.UNKNOWN, f"a User-Agent policy decides ({', '.join(named)}), and how MIM names itself is not known"
    return None


def _unknown(access: ClientAccess | None, cloud: Cloud) -> Iterator[str]:
    if cloud.allow_list_in_force is None:
        yield f"whether the list of applications is in force in {cloud.title}"
    if cloud.ews_ends is None:
        yield f"when EWS ends in {cloud.title}"
    else:
        yield "when Microsoft sets a switch that is Null to False: Message Center says it seven days before"
    if access is None:
        yield "the mailbox's own switch: it could not be read"
