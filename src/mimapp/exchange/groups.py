"""Mail-enabled security groups, which Graph cannot create or edit: the fence's scope.

https://learn.microsoft.com/powershell/module/exchange/new-distributiongroup and its siblings. Exchange may append a
time stamp to a group's name, so a group is looked up by its address or its Entra object id.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from mimapp.errors import DeniedError
from mimapp.exchange.invoke import Cmdlet, is_missing

if TYPE_CHECKING:
    from mimapp.exchange.failure import Failure
    from mimapp.exchange.invoke import Admin

__all__ = ["Group", "GroupChange", "GroupMember", "Groups", "NewGroup"]

_SECURITY = "MailUniversalSecurityGroup"
_CLOSED = "Closed"


class Group(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """What ``Get-DistributionGroup`` and ``New-DistributionGroup`` say; what they did not give is empty or None.

    Attributes:
        external_directory_object_id: the object id in Entra; may be missing on a fresh group.
        distinguished_name: may be missing on a fresh group.
        recipient_type_details: ``MailUniversalSecurityGroup`` for a mail-enabled security group [unverified value].
        group_type: such as ``Universal, SecurityEnabled`` [unverified value].
        managed_by: the owners, as names, not addresses.
        is_dir_synced: whether it is kept on-premises, and therefore cannot be changed here [unverified].
    """

    name: str = ""
    identity: str = ""
    alias: str = ""
    display_name: str = ""
    primary_smtp_address: str = ""
    email_addresses: tuple[str, ...] = ()
    distinguished_name: str = ""
    guid: str = ""
    external_directory_object_id: str = ""
    recipient_type_details: str = ""
    group_type: str = ""
    managed_by: tuple[str, ...] = ()
    member_join_restriction: str = ""
    member_depart_restriction: str = ""
    hidden_from_address_lists_enabled: bool | None = None
    is_dir_synced: bool | None = None

    @property
    def is_security(self) -> bool:
        """Whether it can be the scope of a policy: a security principal, not a plain distribution group."""
        return self.recipient_type_details == _SECURITY or "SecurityEnabled" in self.group_type


class GroupMember(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """A direct member, as ``Get-DistributionGroupMember`` gives it."""

    name: str = ""
    identity: str = ""
    display_name: str = ""
    primary_smtp_address: str = ""
    external_directory_object_id: str = ""
    guid: str = ""
    recipient_type_details: str = ""


class _Annotated(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    notes: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewGroup:
    """A group to be made: a mail-enabled security group, closed to joining and leaving.

    Attributes:
        name: at most 64 characters.
        alias: at most 64 characters.
        address: its primary SMTP address, in an accepted domain.
        members: addresses or ids.
        managed_by: its owners: mailboxes, mail users or mail-enabled security groups. Without any, Exchange takes the
            signed-in user, which an app-only caller does not have.
        notes: where the mark is written.
        description: shown to administrators; left out when empty.
        display_name: the name when empty.
    """

    name: str
    alias: str
    address: str
    members: tuple[str, ...]
    managed_by: tuple[str, ...] = ()
    notes: str = ""
    description: str = ""
    display_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupChange:
    """What to set on a group; None leaves a setting as it is.

    Attributes:
        hidden: whether address lists leave it out; cannot be given when a group is made.
        closed: True closes it to joining and leaving; there is no False, since a security group is never open.
        display_name: the new display name.
        managed_by: the new owners, all of them.
    """

    hidden: bool | None = None
    closed: bool | None = None
    display_name: str | None = None
    managed_by: tuple[str, ...] | None = None


class Groups:
    """Reads and writes distribution groups. `fresh` says that a group was made a moment ago: "not found" means wait."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin

    def get(self, address_or_id: str, *, fresh: bool = False) -> Group | None:
        """The group with an address or id; None where there is none, or a fresh one was not seen by the deadline.

        Raises:
            ServiceError: the service refused.
            TransportError: no readable answer.
        """
        cmdlet = Cmdlet(
            name="Get-DistributionGroup",
            parameters={"Identity": address_or_id},
            what=f"group {address_or_id}",
            select=tuple(field.encode_name for field in msgspec.structs.fields(Group)),
            fresh=fresh,
            empty_is_missing=True,
        )
        found = self._admin.found(cmdlet, Group)
        return found[0] if found else None

    def notes(self, identity: str, *, fresh: bool = False) -> str | None:
        """The notes of a group, by ``Get-Group``; None where they cannot be read.

        That ``Get-Group`` gives back what ``New-DistributionGroup`` wrote is unverified: a reply without the property,
        an absent group and a caller who may not run the cmdlet all read as None, never as empty notes.

        Raises:
            ServiceError: the service refused for another reason.
            TransportError: no readable answer.
        """
        cmdlet = Cmdlet(
            name="Get-Group",
            parameters={"Identity": identity},
            what=f"group {identity}",
            select=("Notes",),
            fresh=fresh,
            empty_is_missing=True,
        )
        try:
            found = self._admin.found(cmdlet, _Annotated)
        except DeniedError:
            return None
        return found[0].notes if found else None

    def create(self, group: NewGroup) -> Group:
        """Make a group. What Exchange does not know yet of a fresh one (its Entra id) is empty in the answer.

        Raises:
            ConflictError: its name or address is taken.
            ServiceError: the service refused.
            ReplyLostError: nobody knows whether it was made: look for its address.
            TransportError: no readable answer.
        """
        wanted: dict[str, str | bool | list[str]] = {
            "Name": group.name,
            "Alias": group.alias,
            "DisplayName": group.display_name or group.name,
            "PrimarySmtpAddress": group.address,
            "Type": "Security",
            "Members": list(group.members),
            "MemberJoinRestriction": _CLOSED,
            "MemberDepartRestriction": _CLOSED,
        }
        if group.managed_by:
            wanted["ManagedBy"] = list(group.managed_by)
        if group.notes:
            wanted["Notes"] = group.notes
        if group.description:
            wanted["Description"] = group.description
        return self._admin.one(
            Cmdlet(name="New-DistributionGroup", parameters=wanted, what=f"group {group.address}"), Group
        )

    def change(self, identity: str, change: GroupChange, *, fresh: bool = False) -> None:
        """Set what a change names; that nothing had to be changed is a success.

        Raises:
            NotFoundError: there is no such group.
            ServiceError: the service refused.
            TransportError: no readable answer.
        """
        wanted: dict[str, str | bool | list[str]] = {"Identity": identity, "BypassSecurityGroupManagerCheck": True}
        if change.hidden is not None:
            wanted["HiddenFromAddressListsEnabled"] = change.hidden
        if change.closed:
            wanted |= {"MemberJoinRestriction": _CLOSED, "MemberDepartRestriction": _CLOSED}
        if change.display_name is not None:
            wanted["DisplayName"] = change.display_name
        if change.managed_by is not None:
            wanted["ManagedBy"] = list(change.managed_by)
        self._admin.done(
            Cmdlet(
                name="Set-DistributionGroup",
                parameters=wanted,
                what=f"group {identity}",
                repeatable=True,
                fresh=fresh,
            )
        )

    def set_notes(self, identity: str, notes: str, *, fresh: bool = False) -> None:
        """Write the notes of a group that exists.

        https://learn.microsoft.com/powershell/module/exchange/set-group

        Raises:
            NotFoundError: there is no such group.
            ServiceError: the service refused.
            TransportError: no readable answer.
        """
        self._admin.done(
            Cmdlet(
                name="Set-Group",
                parameters={"Identity": identity, "Notes": notes, "BypassSecurityGroupManagerCheck": True},
                what=f"group {identity}",
                repeatable=True,
                fresh=fresh,
            )
        )

    def members(self, identity: str, *, fresh: bool = False) -> tuple[GroupMember, ...]:
        """The direct members; those of a nested group are read by asking for it.

        Raises:
            NotFoundError: there is no such group.
            ServiceError: the service refused.
            TransportError: no readable answer.
        """
        cmdlet = Cmdlet(
            name="Get-DistributionGroupMember",
            parameters={"Identity": identity},
            what=f"members of group {identity}",
            select=tuple(field.encode_name for field in msgspec.structs.fields(GroupMember)),
            fresh=fresh,
        )
        return self._admin.all(cmdlet, GroupMember)

    def add_member(self, identity: str, member: str, *, fresh: bool = False) -> bool:
        """Add a member; False where it was one already.

        The bypass lets an administrator who is no owner add, and needs Organization Management or the role Security
        Group Creation and Membership
        (https://learn.microsoft.com/powershell/module/exchange/add-distributiongroupmember).

        Raises:
            NotFoundError: there is no such group or member.
            ServiceError: the service refused.
            TransportError: no readable answer.
        """
        cmdlet = Cmdlet(
            name="Add-DistributionGroupMember",
            parameters={"Identity": identity, "Member": member, "BypassSecurityGroupManagerCheck": True},
            what=f"{member} in group {identity}",
            repeatable=True,
            fresh=fresh,
        )
        return self._admin.done(cmdlet, excuse=_is_member_already)

    def remove_member(self, identity: str, member: str, *, fresh: bool = False) -> bool:
        """Take a member out; False where it was none.

        Raises:
            NotFoundError: there is no such group or recipient.
            ServiceError: the service refused.
            TransportError: no readable answer.
        """
        cmdlet = Cmdlet(
            name="Remove-DistributionGroupMember",
            parameters={
                "Identity": identity,
                "Member": member,
                "BypassSecurityGroupManagerCheck": True,
                "Confirm": False,
            },
            what=f"{member} in group {identity}",
            repeatable=True,
            fresh=fresh,
        )
        return self._admin.done(cmdlet, excuse=_is_no_member)

    def delete(self, identity: str) -> bool:
        """Delete a group, for good: it has no recycle bin. False where it was not there.

        Raises:
            ServiceError: the service refused.
            TransportError: no readable answer.
        """
        cmdlet = Cmdlet(
            name="Remove-DistributionGroup",
            parameters={"Identity": identity, "BypassSecurityGroupManagerCheck": True, "Confirm": False},
            what=f"group {identity}",
            repeatable=True,
        )
        return self._admin.done(cmdlet, excuse=is_missing)


def _is_member_already(failure: Failure) -> bool:
    return failure.is_member_already


def _is_no_member(failure: Failure) -> bool:
    return failure.is_no_member
