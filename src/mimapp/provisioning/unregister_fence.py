"""When what restricts a registration may go: the last of all, and only when nothing needs it.

A policy goes when no application has its client id any more and the last token that it could have got has expired.
What limits a role (our management scope, the group) and Exchange's pointer go when, besides, the time is over for
which a role that was taken away may act on. The group goes when none of these is left to wait for and nothing else
uses it. Pure: everything is read before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from mimapp.provisioning.plan_entra import GONE, gone_note
from mimapp.provisioning.plan_exchange import restricts_to
from mimapp.provisioning.rbac_view import group_names, is_our_assignment, scope_name
from mimapp.provisioning.scope_notes import ROLE_GONE_NOTE, ROLE_TAKES, unlisted_until
from mimapp.provisioning.unregister_observe import is_marked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from mimapp.exchange import AccessPolicy, Group, ManagementScope, RoleAssignment, ServicePrincipalPointer
    from mimapp.provisioning.observe_exchange import ObservedGroup
    from mimapp.provisioning.unregister_observe import Holdings
    from mimapp.spec import Registration

__all__ = ["TOKENS_LIVE", "Fence", "Kept", "fence_of", "gone_since", "group_uses", "is_our_group", "our_scope"]

#: An access token lives 60 to 90 minutes (https://learn.microsoft.com/entra/identity-platform/access-tokens, "Token
#: lifetime"); two hours leave room for clocks and for the moment in which a replica still issued one.
TOKENS_LIVE = timedelta(hours=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Something of the registration that stays for now, or for good.

    Attributes:
        what: the object, in words.
        reason: why it stays.
        until: when it can go; None where no time is known.
        remedy: what a person has to decide or do; empty where it only waits.
    """

    what: str
    reason: str
    until: datetime | None = None
    remedy: str = ""

    @property
    def needs_person(self) -> bool:
        """Whether it stays until somebody decides."""
        return bool(self.remedy)

    def __str__(self) -> str:
        when = "" if self.until is None else f" until {self.until:%Y-%m-%d %H:%M} UTC"
        return f"{self.what} stays{when}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """What of the fence may go now.

    Attributes:
        policies: the access policies that may be removed.
        pointers: Exchange's pointers that may be removed.
        scope: our management scope, where it may be removed.
        group: the group, where it may be deleted.
        kept: what stays, and why.
        unknown_since: client ids whose application is gone nobody knows since when: their time begins now.
    """

    policies: tuple[AccessPolicy, ...]
    pointers: tuple[ServicePrincipalPointer, ...]
    scope: ManagementScope | None
    group: Group | None
    kept: tuple[Kept, ...]
    unknown_since: tuple[str, ...]


def gone_since(holdings: Holdings, app_id: str) -> datetime | None:
    """Since when no token can be had for this client id; None where it can, or where nobody knows.

    The time in the recycle bin and this machine's own note are compared, and the later one counts: an application may
    have been restored and deleted again.
    """
    return None if app_id.lower() in holdings.alive else _last_seen_to_go(holdings, app_id)


def _last_seen_to_go(holdings: Holdings, app_id: str) -> datetime | None:
    noted = holdings.journal.since.get(gone_note(app_id))
    deleted = [one.deleted_date_time for one in holdings.deleted if one.app_id.lower() == app_id.lower()]
    return max((moment for moment in (noted, *deleted) if moment is not None), default=None)


def fence_of(wanted: Registration, holdings: Holdings, now: datetime) -> Fence:
    """What may go at this moment, and what stays."""
    due: list[AccessPolicy] = []
    kept: list[Kept] = []
    unknown: list[str] = []
    for policy in holdings.policies:
        if not is_marked(policy, wanted):
            continue
        since = gone_since(holdings, policy.app_id)
        stays = _policy_stays(policy, holdings, since, now)
        if stays is None:
            due.append(policy)
            continue
        kept.append(stays)
        if since is None and not stays.needs_person and policy.app_id.lower() not in holdings.alive:
            unknown.append(policy.app_id)
    waits = _waits(wanted, holdings, now)
    pointers = () if waits else holdings.pointers
    kept += [_waiting(f"Exchange's pointer to application {one.app_id}", waits) for one in holdings.pointers if waits]
    scope = our_scope(wanted, holdings)
    if scope is not None and (stays := _scope_stays(wanted, holdings, scope, waits)) is not None:
        scope = None
        kept.append(stays)
    group = None if holdings.group is None else holdings.group.group
    if holdings.group is not None and (stays := _group_stays(wanted, holdings, holdings.group, kept, now)) is not None:
        group = None
        kept.append(stays)
    return Fence(
        policies=tuple(due),
        pointers=pointers,
        scope=scope,
        group=group,
        kept=tuple(kept),
        unknown_since=tuple(dict.fromkeys(unknown)),
    )


def our_scope(wanted: Registration, holdings: Holdings) -> ManagementScope | None:
    """The management scope of our name, or None."""
    name = scope_name(wanted).casefold()
    return next((one for one in holdings.scopes or () if one.name.casefold() == name), None)


def _waits(wanted: Registration, holdings: Holdings, now: datetime) -> tuple[str, datetime | None] | None:
    """Why what limits the application is needed still, and until when; None where nothing waits for it."""
    if holdings.application is not None:
        return "it goes two hours after the application is gone", None
    if holdings.roles:
        return "it goes two hours after the role is taken away", None
    free, reason = max(_group_times(wanted, holdings), default=(now, ""))
    return (reason, free) if now < free else None


def _waiting(what: str, waits: tuple[str, datetime | None]) -> Kept:
    return Kept(what=what, reason=waits[0], until=waits[1])


def _scope_stays(
    wanted: Registration, holdings: Holdings, scope: ManagementScope, waits: tuple[str, datetime | None] | None
) -> Kept | None:
    what = f"the management scope {scope.name}"
    users = [
        one.name
        for one in holdings.assignments or ()
        if one.custom_resource_scope.casefold() == scope.name.casefold() and not _is_ours(wanted, holdings, one)
    ]
    if users:
        return Kept(
            what=what,
            reason=f"other role assignments use it: {', '.join(users)}",
            remedy="leave it to them, or end that use and run the same command again",
        )
    return None if waits is None else _waiting(what, waits)


def _is_ours(wanted: Registration, holdings: Holdings, one: RoleAssignment) -> bool:
    return is_our_assignment(wanted, one) or any(one.name == own.name for own in holdings.roles)


def _policy_stays(policy: AccessPolicy, holdings: Holdings, since: datetime | None, now: datetime) -> Kept | None:
    what = f"the access policy of application {policy.app_id}"
    if holdings.group is not None and not restricts_to(policy, holdings.group):
        scope = policy.scope_name or policy.scope_identity
        return Kept(
            what=what,
            reason=f"it names another group than ours, {scope}",
            remedy=f"if nobody needs it: Remove-ApplicationAccessPolicy -Identity '{policy.identity}'",
        )
    if policy.app_id.lower() in holdings.alive:
        own = {held.principal.app_id for held in holdings.held}
        own |= set() if holdings.application is None else {holdings.application.app_id}
        if policy.app_id.lower() in {app_id.lower() for app_id in own}:
            return Kept(what=what, reason="it goes two hours after the application is gone")
        went = _last_seen_to_go(holdings, policy.app_id)
        if went is None or now >= went + TOKENS_LIVE:
            return Kept(
                what=what,
                reason="an application that is not marked as ours has this id",
                remedy=f"look at that application, and name it with --app-id {policy.app_id} if it is this one's",
            )
        since = went  # a replica that is behind still shows the application
    free = _to_the_minute((since or now) + TOKENS_LIVE)
    if now >= free:
        return None
    return Kept(what=what, reason="a token issued before may still be valid", until=free)


def _to_the_minute(moment: datetime) -> datetime:
    """The first full minute that is not before a moment: what people are told has to be true when they come back."""
    whole = moment.replace(second=0, microsecond=0)
    return whole if whole == moment else whole + timedelta(minutes=1)


def _group_stays(
    wanted: Registration, holdings: Holdings, found: ObservedGroup, kept: list[Kept], now: datetime
) -> Kept | None:
    what = f"the group {found.group.primary_smtp_address}"
    if not is_our_group(wanted, found):
        reason = "it is not marked as this registration's, and its members are not the mailbox alone"
        return Kept(what=what, reason=reason, remedy="look at what it is for, and delete it by hand if nobody needs it")
    if uses := tuple(group_uses(wanted, holdings)):
        return Kept(
            what=what,
            reason=f"something else uses it: {'; '.join(uses)}",
            remedy="leave it to them, or end that use and run the same command again",
        )
    if kept:
        times = [one.until for one in kept if one.until is not None]
        free = max(times) if len(times) == len(kept) else None
        is_named = any(is_marked(policy, wanted) for policy in holdings.policies)
        after = "its access policy" if is_named else "the pointer and the scope of its role"
        return Kept(what=what, reason=f"it goes after {after}", until=free)
    waits = _waits(wanted, holdings, now)
    return None if waits is None else _waiting(what, waits)


def _group_times(wanted: Registration, holdings: Holdings) -> Iterator[tuple[datetime, str]]:
    """Until when a group without a listed policy is needed all the same, and why."""
    until = unlisted_until(holdings.journal)
    if until is not None and not any(is_marked(policy, wanted) for policy in holdings.policies):
        yield _to_the_minute(until), "its access policy was acknowledged and is not listed yet"
    ids = {one.app_id.lower() for one in holdings.deleted}
    ids |= {note.removeprefix(GONE) for note in holdings.journal.since if note.startswith(GONE)}
    for app_id in ids:
        if (since := gone_since(holdings, app_id)) is not None:
            yield _to_the_minute(since + TOKENS_LIVE), "a token issued before may still be valid"
    if (taken := holdings.journal.since.get(ROLE_GONE_NOTE)) is not None:
        yield _to_the_minute(taken + ROLE_TAKES), "a role that was taken away may act for two hours"


def is_our_group(wanted: Registration, found: ObservedGroup) -> bool:
    """Whether the group at our address is this registration's.

    Its notes say so; where they cannot be read (`Get-Group` gives them back: unverified) the mailbox is its one member.
    """
    if found.notes:
        return wanted.mark in found.notes.split()
    return [member.primary_smtp_address.lower() for member in found.members] == [wanted.mailbox.lower()]


def group_uses(wanted: Registration, holdings: Holdings) -> Iterator[str]:
    """What else uses the group: members, access policies, management scopes and role assignments."""
    found = holdings.group
    if found is None:
        return
    for member in found.members:
        if member.primary_smtp_address.lower() != wanted.mailbox.lower():
            yield f"member {member.primary_smtp_address or member.name}"
    for policy in holdings.policies:
        if not is_marked(policy, wanted) and _is_scope_of(found.group, policy):
            yield f"access policy {policy.access_right} of application {policy.app_id}"
    name = found.group.distinguished_name.replace("'", "''").casefold()
    own = our_scope(wanted, holdings)
    for scope in holdings.scopes or ():
        if name and name in scope.recipient_filter.casefold() and scope is not own:
            yield f"management scope {scope.name}"
    names = group_names(found.group)
    for assignment in holdings.assignments or ():
        if assignment.recipient_group_scope.casefold() in names and not _is_ours(wanted, holdings, assignment):
            yield f"role assignment {assignment.name}"


def _is_scope_of(group: Group, policy: AccessPolicy) -> bool:
    """By the Entra id where both tell it (the part after the semicolon: unverified rule), else by name."""
    ids = (group.external_directory_object_id.lower(), policy.scope_group_object_id.lower())
    if "" not in ids:
        return ids[0] == ids[1]
    return bool({policy.scope_name.casefold(), policy.scope_identity.casefold()} & group_names(group))
