"""Get-, Add- and Remove-DistributionGroupMember."""

from __future__ import annotations

from dataclasses import replace

from mimapp.sandbox.exchange.call import Call, Cmdlet, Outcome, Right
from mimapp.sandbox.exchange.cmdlets.groups import writable_group
from mimapp.sandbox.exchange.errors import already_member, not_a_member, not_found
from mimapp.sandbox.exchange.identity import find, is_group, one
from mimapp.sandbox.exchange.outputs import member_row
from mimapp.sandbox.exchange.parameters import Kind, Parameter

__all__ = ["MEMBER_CMDLETS"]


def _get_members(call: Call) -> Outcome:
    identity = call.parameters.text("Identity")
    found = find(call.directory, identity, is_group)
    if not found:
        raise not_found(identity, call.directory.organization.server)
    guids = [guid for group in found if group.group for guid in group.group.members]
    members = [call.directory.recipients[guid] for guid in guids if guid in call.directory.recipients]
    return Outcome(rows=tuple(member_row(call.directory, member) for member in members))


def _add_member(call: Call) -> Outcome:
    recipient, group = writable_group(call)
    member = one(call.directory, call.parameters.text("Member"))
    if member.guid in group.members:
        raise already_member(member.name, recipient.name)
    after = replace(recipient, group=replace(group, members=(*group.members, member.guid)), changed=call.now)
    return Outcome(puts=(after,))


def _remove_member(call: Call) -> Outcome:
    recipient, group = writable_group(call)
    member = one(call.directory, call.parameters.text("Member"))
    if member.guid not in group.members:
        raise not_a_member(member.name, recipient.name)
    kept = tuple(guid for guid in group.members if guid != member.guid)
    return Outcome(puts=(replace(recipient, group=replace(group, members=kept), changed=call.now),))


_WRITE = (
    Parameter(name="Identity", required=True),
    Parameter(name="Member", required=True),
    Parameter(name="BypassSecurityGroupManagerCheck", kind=Kind.FLAG),
)

MEMBER_CMDLETS = (
    Cmdlet(
        name="Get-DistributionGroupMember",
        right=Right.VIEW_RECIPIENTS,
        run=_get_members,
        parameters=(Parameter(name="Identity", required=True),),
    ),
    Cmdlet(name="Add-DistributionGroupMember", right=Right.RECIPIENTS, run=_add_member, parameters=_WRITE),
    Cmdlet(name="Remove-DistributionGroupMember", right=Right.RECIPIENTS, run=_remove_member, parameters=_WRITE),
)
