"""The rows about Exchange's side: the scoping group and its address, the domain, and the EWS settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.checks.preflight_row import Row, Verdict
from mimapp.errors import UsageError
from mimapp.provisioning.ews import judge
from mimapp.provisioning.plan_exchange import group_problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mimapp.clouds import Cloud
    from mimapp.exchange import AcceptedDomain, ClientAccess, EwsSettings, Recipient
    from mimapp.provisioning.observe import ObservedGroup
    from mimapp.spec import Registration

__all__ = ["GroupSighting", "domain_row", "ews_row", "flapping_row", "group_row", "mailbox_ews_row"]

_GROUP = "scoping group"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSighting:
    """What is known of the group that is to fence the application in.

    Attributes:
        address: its address.
        matches: every recipient that has this address.
        group: what it is and who is in it, where it is a distribution group.
        owner: the address that is to own a new one, or why there is none.
    """

    address: str
    matches: tuple[Recipient, ...]
    group: ObservedGroup | None
    owner: str | UsageError


def group_row(seen: GroupSighting, wanted: Registration) -> Row:
    """Whether the group can be made, or is there and ours."""
    if seen.group is not None:
        problem = group_problem(wanted, seen.group)
        if problem is None:
            return Row(name=_GROUP, verdict=Verdict.OK, found=f"{seen.address} exists and is this registration's")
        return Row(
            name=_GROUP,
            verdict=Verdict.STOP,
            found=problem.message,
            why="the fence has to hold this mailbox and no other",
            remedy=problem.hint or "",
            details=problem.details,
        )
    if seen.matches:
        kinds = ", ".join(one.recipient_type_details or "unknown kind" for one in seen.matches)
        return Row(
            name=_GROUP,
            verdict=Verdict.STOP,
            found=f"the address {seen.address} is taken ({kinds})",
            why="the scoping group needs an address that nobody has",
            remedy="name another registration with --registration KEY: the group's address derives from it",
        )
    if isinstance(seen.owner, UsageError):
        return Row(
            name=_GROUP,
            verdict=Verdict.STOP,
            found=f"{seen.address} is free",
            why=seen.owner.message,
            remedy=seen.owner.hint or "",
        )
    return Row(name=_GROUP, verdict=Verdict.OK, found=f"{seen.address} is free; {seen.owner} will own the group")


def flapping_row(address: str) -> Row:
    """One server of Exchange shows the group and another does not."""
    return Row(
        name=_GROUP,
        verdict=Verdict.UNKNOWN,
        found="not known",
        why=f"Exchange showed {address} to one question and not to the next: it is new, or just gone",
        remedy="check again in some minutes",
        needs_person=True,
    )


def domain_row(address: str, domains: Iterable[AcceptedDomain]) -> Row:
    """Whether the tenant accepts the domain that mailbox and group live in."""
    domain = address.partition("@")[2]
    accepted = [one.domain_name for one in domains]
    if domain.casefold() in {name.casefold() for name in accepted}:
        return Row(name="domain", verdict=Verdict.OK, found=f"{domain.lower()} is accepted")
    return Row(
        name="domain",
        verdict=Verdict.STOP,
        found=f"{domain.lower()} is not accepted by this tenant",
        why="the scoping group is made in the mailbox's domain, and Exchange refuses a domain that is not its own",
        remedy="use an address of the mailbox in a domain that the tenant accepts, or check --tenant",
        details=tuple(f"accepted: {name}" for name in accepted),
    )


def ews_row(settings: EwsSettings, application_id: str | None, cloud: Cloud) -> Row:
    """Whether the organisation's EWS settings will let the application in."""
    found = judge(settings, application_id, cloud)
    details = [] if cloud.ews_ends is None else [f"EWS ends in this cloud on {cloud.ews_ends:%Y-%m-%d}"]
    if settings.application_access_policy:
        details.append(
            f"the organisation also has a User-Agent policy ({settings.application_access_policy}); MIM's User-Agent "
            "is not documented, so whether it passes shows only in use"
        )
    if found.needs_person:
        verdict = Verdict.UNKNOWN if found.allowed is None else Verdict.WARN
    else:
        verdict = Verdict.WARN if settings.application_access_policy else Verdict.OK
    why = "register appends the application, and keeps the others" if found.may_append else ""
    return Row(
        name="ews",
        verdict=verdict,
        found=found.reason,
        why=why,
        remedy=found.remedy,
        details=tuple(details),
        needs_person=found.needs_person,
    )


def mailbox_ews_row(access: ClientAccess | None, mailbox: str) -> Row:
    """Whether the mailbox's own EWS settings stand in the way; None where there is no mailbox."""
    name = "mailbox ews"
    if access is None:
        return Row(name=name, verdict=Verdict.UNKNOWN, found="not known", why="there is no mailbox to ask about")
    if access.ews_enabled is False:
        return Row(
            name=name,
            verdict=Verdict.WARN,
            found="EwsEnabled is False for this mailbox",
            why="Exchange refuses EWS for it, whatever the organisation's settings say",
            remedy=f"Set-CASMailbox {mailbox} -EwsEnabled $true (it acts after about an hour)",
            needs_person=True,
        )
    if access.ews_application_access_policy:
        return Row(
            name=name,
            verdict=Verdict.WARN,
            found=f"the mailbox has a User-Agent policy ({access.ews_application_access_policy})",
            why="MIM's User-Agent is not documented, so whether it passes shows only in use",
        )
    return Row(name=name, verdict=Verdict.OK, found="the mailbox does not switch EWS off")
