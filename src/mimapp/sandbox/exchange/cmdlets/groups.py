"""New-, Get-, Set- and Remove-DistributionGroup, Get-Group and Set-Group.

Rules are those of facts/exchange.md 5: an owner is a mailbox, a mail user or a mail-enabled security group and by
default the caller; joining and leaving a security group is never open; hiding from address lists is Set-'s; a caller
who is no owner needs BypassSecurityGroupManagerCheck. Texts of the refusals are unverified unless errors.py names a
source.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from mimapp.sandbox.exchange.call import Call, Cmdlet, Outcome, Right, Row
from mimapp.sandbox.exchange.cmdlets.changes import unchanged_warning
from mimapp.sandbox.exchange.errors import (
    address_taken,
    already_exists,
    bad_parameter,
    not_a_manager,
    not_found,
    synced,
)
from mimapp.sandbox.exchange.identity import find, is_group, one
from mimapp.sandbox.exchange.models import GroupPart, Recipient, RecipientType, security_identifier
from mimapp.sandbox.exchange.outputs import group_row, security_group_row
from mimapp.sandbox.exchange.parameters import Change, Kind, Parameter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mimapp.sandbox.exchange.models import Directory

__all__ = ["GROUP_CMDLETS", "require_manager", "writable_group"]

MAX_NAME = 64
_ALIAS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LATE_PROPERTIES = frozenset({"DistinguishedName", "ExternalDirectoryObjectId"})
_RESTRICTIONS = ("Open", "Closed", "ApprovalRequired")
_OWNERS = frozenset(
    {
        RecipientType.USER_MAILBOX,
        RecipientType.SHARED_MAILBOX,
        RecipientType.MAIL_USER,
        RecipientType.SECURITY_GROUP,
    }
)


def _new_group(call: Call) -> Outcome:
    given, directory = call.parameters, call.directory
    name = given.text("Name")
    alias = given.text("Alias") or re.sub(r"[^A-Za-z0-9._-]", "", name)
    address = given.text("PrimarySmtpAddress") or f"{alias}@{directory.organization.domains[0]}"
    _check_name("Name", name)
    _check_name("Alias", alias)
    if not _ALIAS.fullmatch(alias):
        raise bad_parameter(f'The value "{alias}" of property Alias is not valid.')
    security = given.text("Type").casefold() == "security"
    group = _new_part(call, security=security)
    if directory.organization.behaviour.decorated_names:
        name = f"{name[: MAX_NAME - 14]}{call.now:%Y%m%d%H%M%S}"
    _check_free(directory, name=name, alias=alias, address=address)
    guid, external_id = call.new_guid(), call.new_guid()
    recipient = Recipient(
        guid=guid,
        type=RecipientType.SECURITY_GROUP if security else RecipientType.DISTRIBUTION_GROUP,
        name=name,
        display_name=given.text("DisplayName") or given.text("Name"),
        alias=alias,
        addresses=(address,),
        external_id=external_id,
        sid=security_identifier(external_id) if security else "",
        created=call.now,
        changed=call.now,
        group=group,
    )
    # The reply of a create shows the new object even where no replica knows it yet.
    row = group_row(replace(directory, recipients={**directory.recipients, guid: recipient}), recipient)
    if directory.organization.behaviour.bare_new_groups:
        row = {name: value for name, value in row.items() if name not in _LATE_PROPERTIES}
    return Outcome(rows=(row,), puts=(recipient,))


def _new_part(call: Call, *, security: bool) -> GroupPart:
    given = call.parameters
    join = given.text("MemberJoinRestriction") or ("Closed" if security else "Open")
    depart = given.text("MemberDepartRestriction") or ("Closed" if security else "Open")
    if security:
        _check_closed(join, depart)
    owners = _owners(call, given.texts("ManagedBy"))
    members = tuple(one(call.directory, member).guid for member in given.texts("Members"))
    if given.flag("CopyOwnerToMember"):
        members = (*members, *(owner for owner in owners if owner in call.directory.recipients))
    return GroupPart(
        members=tuple(dict.fromkeys(members)),
        owners=owners,
        join=join,
        depart=depart,
        authenticated_senders_only=given.flag("RequireSenderAuthenticationEnabled", default=True),
        notes=given.text("Notes"),
        description=given.text("Description"),
    )


def _owners(call: Call, named: Sequence[str]) -> tuple[str, ...]:
    """The owners' guids: those named, else the calling user; app-only there is no user to fall back on."""
    if not named:
        if call.caller.app_only:
            raise bad_parameter(
                "The ManagedBy parameter must be specified because the caller is an application.",
                exception_type="Microsoft.Exchange.Management.RecipientTasks.RecipientTaskException",
            )
        mine = [r for r in call.directory.recipients.values() if r.external_id == call.caller.object_id]
        return (mine[0].guid,) if mine else (call.caller.object_id,)
    owners = [one(call.directory, identity) for identity in named]
    for owner in owners:
        if owner.type not in _OWNERS:
            raise bad_parameter(
                f'The recipient "{owner.name}" can\'t be an owner of a group.',
                exception_type="Microsoft.Exchange.Management.RecipientTasks.RecipientTaskException",
            )
    return tuple(dict.fromkeys(owner.guid for owner in owners))


def _get_group(call: Call) -> Outcome:
    return Outcome(rows=_rows(call, is_group, group_row))


def _get_security_group(call: Call) -> Outcome:
    return Outcome(rows=_rows(call, lambda recipient: recipient.group is not None, security_group_row))


def _rows(
    call: Call, wanted: Callable[[Recipient], bool], row: Callable[[Directory, Recipient], Row]
) -> tuple[Row, ...]:
    identity = call.parameters.text("Identity")
    types = set(call.parameters.texts("RecipientTypeDetails"))
    if identity:
        found = find(call.directory, identity, wanted)
        if not found:
            raise not_found(identity, call.directory.organization.server)
    else:
        found = [recipient for recipient in call.directory.known.values() if wanted(recipient)]
    kept = [recipient for recipient in found if not types or recipient.type.value in types]
    return tuple(
        row(call.directory, recipient) for recipient in sorted(kept, key=lambda r: (r.name.casefold(), r.guid))
    )


def writable_group(call: Call) -> tuple[Recipient, GroupPart]:
    """The group that a write names, after the manager check.

    Raises:
        CmdletError: there is none, it is mastered on-premises, or the caller may not write it.
    """
    recipient = one(call.directory, call.parameters.text("Identity"), is_group)
    group = recipient.group or GroupPart()
    if recipient.synced:
        raise synced(call.cmdlet, recipient.name)
    require_manager(call, group)
    return recipient, group


def require_manager(call: Call, group: GroupPart) -> None:
    """Let only an owner write, or an administrator who bypasses the check by its parameter."""
    mine = {r.guid for r in call.directory.recipients.values() if r.external_id == call.caller.object_id}
    if call.caller.object_id in group.owners or mine & set(group.owners):
        return
    # Who may bypass: Organization Management, or the role Security Group Creation and Membership.
    if call.parameters.flag("BypassSecurityGroupManagerCheck") and Right.CONFIGURATION in call.caller.rights:
        return
    raise not_a_manager()


def _set_group(call: Call) -> Outcome:
    given = call.parameters
    recipient, group = writable_group(call)
    changed = group
    if given.has("ManagedBy"):
        changed = replace(changed, owners=_owners(call, _owner_names(call, group, given.change("ManagedBy"))))
    changed = replace(
        changed,
        join=given.text("MemberJoinRestriction") or group.join,
        depart=given.text("MemberDepartRestriction") or group.depart,
        authenticated_senders_only=given.flag(
            "RequireSenderAuthenticationEnabled", default=group.authenticated_senders_only
        ),
        description=given.text("Description") if given.has("Description") else group.description,
    )
    if recipient.type is RecipientType.SECURITY_GROUP:
        _check_closed(changed.join, changed.depart)
    after = replace(
        recipient,
        group=changed,
        display_name=given.text("DisplayName") or recipient.display_name,
        hidden=given.flag("HiddenFromAddressListsEnabled", default=recipient.hidden),
    )
    after = _renamed(call, after)
    if after == recipient:
        return unchanged_warning(recipient.name)
    return Outcome(puts=(replace(after, changed=call.now),))


def _renamed(call: Call, recipient: Recipient) -> Recipient:
    """The group with the new name, alias and address, where the call gives any."""
    given = call.parameters
    name = given.text("Name") or recipient.name
    alias = given.text("Alias") or recipient.alias
    primary = given.text("PrimarySmtpAddress") or recipient.primary
    _check_name("Name", name)
    _check_name("Alias", alias)
    _check_free(call.directory, name=name, alias=alias, address=primary, but=recipient.guid)
    addresses = (primary, *(a for a in recipient.addresses if a.casefold() != primary.casefold()))
    return replace(recipient, name=name, alias=alias, addresses=addresses)


def _owner_names(call: Call, group: GroupPart, change: Change) -> tuple[str, ...]:
    """ManagedBy of Set- may add and remove; both name recipients in any form."""
    if change.replace is not None:
        return change.replace
    guids = {name: one(call.directory, name).guid for name in (*change.add, *change.remove)}
    by_guid = Change(add=tuple(guids[n] for n in change.add), remove=tuple(guids[n] for n in change.remove))
    return by_guid.apply(group.owners)


def _set_security_group(call: Call) -> Outcome:
    recipient, group = writable_group(call)
    if not call.parameters.has("Notes") or call.parameters.text("Notes") == group.notes:
        return unchanged_warning(recipient.name)
    after = replace(recipient, group=replace(group, notes=call.parameters.text("Notes")), changed=call.now)
    return Outcome(puts=(after,))


def _remove_group(call: Call) -> Outcome:
    recipient, _ = writable_group(call)
    gone = recipient.guid
    # A removed group leaves the groups that it was nested in.
    holders = [r for r in call.directory.recipients.values() if r.group and gone in r.group.members]
    cut = [
        replace(r, group=replace(r.group, members=tuple(m for m in r.group.members if m != gone)))
        for r in holders
        if r.group
    ]
    return Outcome(puts=tuple(cut), deletes=(recipient,))


def _check_name(parameter: str, value: str) -> None:
    if len(value) > MAX_NAME:
        raise bad_parameter(
            f"Cannot validate argument on parameter '{parameter}': the length of the value is too long. The maximum "
            f"length is {MAX_NAME} and the length of the value provided is {len(value)}.",
            exception_type="Microsoft.Exchange.Configuration.Tasks.ParameterBindingException",
        )


def _check_closed(join: str, depart: str) -> None:
    if "Open" in (join, depart):
        raise bad_parameter(
            "Joining and leaving can't be open for a security group.",
            exception_type="Microsoft.Exchange.Management.RecipientTasks.RecipientTaskException",
        )


def _check_free(directory: Directory, *, name: str, alias: str, address: str, but: str = "") -> None:
    """Names, aliases and addresses are unique in the organisation; that aliases are is unverified."""
    domain = address.partition("@")[2].casefold()
    if domain not in {accepted.casefold() for accepted in directory.organization.domains}:
        raise bad_parameter(
            f'The domain "{domain}" isn\'t an accepted domain of the organization.',
            exception_type="Microsoft.Exchange.Data.Directory.NotAcceptedDomainException",
        )
    for other in directory.recipients.values():
        if other.guid == but:
            continue
        if address.casefold() in {held.casefold() for held in other.addresses}:
            raise address_taken(address, other.name)
        if name.casefold() == other.name.casefold():
            raise already_exists(directory.organization.distinguished_name(name))
        if alias.casefold() == other.alias.casefold():
            raise already_exists(alias)


_BYPASS = Parameter(name="BypassSecurityGroupManagerCheck", kind=Kind.FLAG)
_IDENTITY = Parameter(name="Identity", required=True)
_SHARED = (
    Parameter(name="Alias"),
    Parameter(name="DisplayName"),
    Parameter(name="PrimarySmtpAddress"),
    Parameter(name="ManagedBy", kind=Kind.TEXTS),
    Parameter(name="MemberJoinRestriction", choices=_RESTRICTIONS),
    Parameter(name="MemberDepartRestriction", choices=_RESTRICTIONS),
    Parameter(name="RequireSenderAuthenticationEnabled", kind=Kind.FLAG),
    Parameter(name="Description"),
)
_TYPES = (RecipientType.SECURITY_GROUP.value, RecipientType.DISTRIBUTION_GROUP.value)

GROUP_CMDLETS = (
    Cmdlet(
        name="New-DistributionGroup",
        right=Right.RECIPIENTS,
        run=_new_group,
        parameters=(
            Parameter(name="Name", required=True),
            Parameter(name="Type", choices=("Distribution", "Security")),
            Parameter(name="Members", kind=Kind.TEXTS),
            Parameter(name="Notes"),
            Parameter(name="CopyOwnerToMember", kind=Kind.FLAG),
            Parameter(name="IgnoreNamingPolicy", kind=Kind.FLAG),
            *_SHARED,
        ),
    ),
    Cmdlet(
        name="Get-DistributionGroup",
        right=Right.VIEW_RECIPIENTS,
        run=_get_group,
        parameters=(
            Parameter(name="Identity"),
            Parameter(name="RecipientTypeDetails", kind=Kind.TEXTS, choices=_TYPES),
        ),
    ),
    Cmdlet(
        name="Set-DistributionGroup",
        right=Right.RECIPIENTS,
        run=_set_group,
        parameters=(
            _IDENTITY,
            Parameter(name="Name"),
            Parameter(name="HiddenFromAddressListsEnabled", kind=Kind.FLAG),
            _BYPASS,
            *_SHARED,
        ),
    ),
    Cmdlet(
        name="Remove-DistributionGroup",
        right=Right.RECIPIENTS,
        run=_remove_group,
        parameters=(_IDENTITY, _BYPASS),
    ),
    Cmdlet(
        name="Get-Group", right=Right.VIEW_RECIPIENTS, run=_get_security_group, parameters=(Parameter(name="Identity"),)
    ),
    Cmdlet(
        name="Set-Group",
        right=Right.RECIPIENTS,
        run=_set_security_group,
        parameters=(_IDENTITY, Parameter(name="Notes"), _BYPASS),
    ),
)
