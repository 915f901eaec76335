"""What is not as `register` leaves a scope: each recognised thing in one line, with what it means and what to do.

Pure. What nested members, plain distribution groups and shared mailboxes mean for a policy and for a role differs:
https://learn.microsoft.com/exchange/permissions-exo/application-access-policies and
https://learn.microsoft.com/exchange/permissions-exo/application-rbac.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.provisioning.scope_notes import POLICY_NOTE, ROLE_NOTE, ROLE_TAKES, TAKEN_NOTE, unlisted_until
from mimapp.provisioning.scope_view import GROUP_KINDS
from mimapp.provisioning.unregister_observe import is_marked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from mimapp.journal import State
    from mimapp.provisioning.observe_exchange import ObservedGroup
    from mimapp.provisioning.scope_view import MailboxSeen, PolicySeen, Rights
    from mimapp.spec import Registration

__all__ = ["Oddity", "oddities_of"]

_USER_MAILBOX = "UserMailbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    """One thing that is not as register leaves it.

    Attributes:
        name: in a few stable words, such as ``extra members``.
        found: what there is.
        meaning: what follows from it, and what to do.
        needs_person: whether somebody has to act; False for what is only good to know.
    """

    name: str
    found: str
    meaning: str
    needs_person: bool = True


def oddities_of(
    wanted: Registration,
    rights: Rights,
    group: ObservedGroup | None,
    own: MailboxSeen,
    *,
    state: State,
    now: datetime,
) -> Iterator[Oddity]:
    """Everything recognised, the worst first.

    Args:
        wanted: the registration.
        rights: what the application holds.
        group: the scoping group at the registration's address, or None.
        own: the registration's mailbox.
        state: what this machine remembers.
        now: the moment.
    """
    yield from _migration(rights, state)
    yield from _second_rights(rights, own)
    for policy in rights.policies:
        yield from _about_policy(wanted, rights, policy)
    yield from _unlisted(wanted, rights, state, now)
    if group is not None:
        yield from _about_group(wanted, group)
        if rights.roles:
            yield from _nested_for_role(group)
    if own.mailbox is not None and own.mailbox.recipient_type_details not in {"", _USER_MAILBOX}:
        yield Oddity(
            name="mailbox kind",
            found=f"{wanted.mailbox} is a {own.mailbox.recipient_type_details}",
            meaning="it may be in the group, and cannot be named by a policy directly; whether the end of EWS treats "
            "it differently is not known",
            needs_person=False,
        )


def _migration(rights: Rights, state: State) -> Iterator[Oddity]:
    """Two rights at once, or none: where `scope migrate` stands or died as this machine knows, or another's doing."""
    taken, given = state.since.get(TAKEN_NOTE), state.since.get(ROLE_NOTE)
    if taken is not None and not rights.granted:
        yield Oddity(
            name="migration half done",
            found=f"full_access_as_app was taken away on {taken:%Y-%m-%d %H:%M} UTC; the policy still stands",
            meaning="run mimapp scope migrate again: it proves the role and removes the policy, or gives the grant "
            "back",
        )
    elif given is not None and rights.granted and rights.roles:
        yield Oddity(
            name="migration under way",
            found=f"a role was given on {given:%Y-%m-%d %H:%M} UTC, beside full_access_as_app",
            meaning=f"mimapp scope migrate goes on from there, after {given + ROLE_TAKES:%Y-%m-%d %H:%M} UTC",
            needs_person=False,
        )
    elif rights.granted and rights.roles:
        names = ", ".join(one.name or one.identity for one in rights.roles)
        yield Oddity(
            name="second right",
            found=f"full_access_as_app and {len(rights.roles)} role assignment(s): {names}",
            meaning="they add up: what one of them reaches, the application reaches",
            needs_person=False,
        )


def _second_rights(rights: Rights, own: MailboxSeen) -> Iterator[Oddity]:
    if rights.granted and not any(policy.restricts for policy in rights.policies):
        yield Oddity(
            name="unrestricted grant",
            found="full_access_as_app without an access policy that restricts it",
            meaning="the application may read every mailbox: mimapp register --scope policy builds the fence, mimapp "
            "lockdown stops the application at once",
        )
    for row in own.roles:
        if row.is_unlimited:
            yield Oddity(
                name="unlimited role",
                found=f"{row.role_name} for the whole organisation",
                meaning="roles and grants add up, and no access policy restricts a role: the application reaches every "
                "mailbox; remove the assignment in Exchange",
            )


def _about_policy(wanted: Registration, rights: Rights, seen: PolicySeen) -> Iterator[Oddity]:
    policy, scope = seen.policy, seen.scope
    restricts = [one for one in rights.policies if one.restricts]
    if seen.denies:
        yield Oddity(
            name="denying policy",
            found=f"DenyAccess on {scope.name}",
            meaning="it beats every RestrictAccess: a mailbox in it is refused",
        )
    if seen.restricts and len(restricts) > 1 and not is_marked(policy, wanted):
        yield Oddity(
            name="second restriction",
            found=f"RestrictAccess on {scope.name}, not mimapp's",
            meaning="restrictions add up: the application reaches what is in any of them",
        )
    if scope.is_gone:
        yield Oddity(
            name="scope is gone",
            found=f"{policy.access_right} on {scope.name}, which no longer exists",
            meaning="a restriction to nothing refuses every mailbox; remove the policy",
        )
    if scope.nested:
        yield Oddity(
            name="nested groups",
            found=f"{scope.name} holds {', '.join(scope.nested)}",
            meaning="their members count for an access policy, and would not for a role in Exchange",
            needs_person=seen.restricts,
        )
    if scope.group is not None and not scope.group.is_security:
        yield Oddity(
            name="plain distribution group",
            found=f"{scope.name} is a {scope.group.recipient_type_details or 'group of unknown kind'}",
            meaning="an access policy needs a mail-enabled security group; a role in Exchange does not",
        )


def _unlisted(wanted: Registration, rights: Rights, state: State, now: datetime) -> Iterator[Oddity]:
    made = state.since.get(POLICY_NOTE)
    if made is None or any(is_marked(one.policy, wanted) for one in rights.policies):
        return
    if (until := unlisted_until(state)) is not None and now < until:
        yield Oddity(
            name="policy not listed yet",
            found=f"acknowledged on {made:%Y-%m-%d %H:%M} UTC, and not in the list of policies",
            meaning=f"a new policy may stay unlisted for hours; look again until {until:%Y-%m-%d %H:%M} UTC",
            needs_person=False,
        )


def _nested_for_role(found: ObservedGroup) -> Iterator[Oddity]:
    """Groups inside the group that limits a role: who is in them is not reached by it."""
    nested = [
        one.primary_smtp_address or one.name for one in found.members if one.recipient_type_details in GROUP_KINDS
    ]
    if nested:
        yield Oddity(
            name="nested for a role",
            found=f"{found.group.primary_smtp_address} holds {', '.join(nested)}",
            meaning="a role in Exchange reaches direct members only: put the mailbox itself into the group",
        )


def _about_group(wanted: Registration, found: ObservedGroup) -> Iterator[Oddity]:
    group = found.group
    own = wanted.mailbox.lower()
    others = [one.primary_smtp_address or one.name for one in found.members if one.primary_smtp_address.lower() != own]
    if others:
        yield Oddity(
            name="extra members",
            found=f"{group.primary_smtp_address} has {', '.join(others)}",
            meaning="the application reaches their mailboxes: remove them from the group",
        )
    if group.is_dir_synced:
        yield Oddity(
            name="synced group",
            found=f"{group.primary_smtp_address} is kept by on-premises synchronisation",
            meaning="it cannot be changed here: change its members in Active Directory, and wait for the next sync",
        )
    if len(group.managed_by) > 1:
        yield Oddity(
            name="extra owners",
            found=f"{group.primary_smtp_address} is owned by {', '.join(group.managed_by)}",
            meaning="an owner can put mailboxes into the group: mimapp names one",
        )
    if group.name and group.name.lower() != wanted.group_name and group.name.lower().startswith(wanted.group_name):
        yield Oddity(
            name="decorated name",
            found=f"Exchange calls the group {group.name}",
            meaning="Exchange appended a time stamp; mimapp finds the group by its address",
            needs_person=False,
        )
