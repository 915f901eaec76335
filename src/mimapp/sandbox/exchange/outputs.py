"""The properties that the cmdlets print for each kind of object.

Names and forms of a mailbox follow a recorded reply of Get-Mailbox (2024-05, published by a user of the API); those
of the other objects follow facts/exchange.md and the cmdlets' pages. Only a part of Exchange's hundreds of properties
is kept.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from mimapp.sandbox.exchange.models import MailboxState, RecipientType, ScopeType, latest

if TYPE_CHECKING:
    from mimapp.sandbox.exchange.call import Row
    from mimapp.sandbox.exchange.models import (
        AccessPolicy,
        AdministrativeUnit,
        ApplicationPrincipal,
        Directory,
        ManagementScope,
        Organization,
        Recipient,
        RoleAssignment,
    )

__all__ = [
    "accepted_domain_row",
    "cas_mailbox_row",
    "group_row",
    "mailbox_row",
    "member_row",
    "organization_row",
    "policy_row",
    "principal_row",
    "recipient_row",
    "role_assignment_row",
    "scope_row",
    "security_group_row",
    "unit_row",
]

_RECIPIENT_TYPES = {
    RecipientType.MAIL_USER: "MailUser",
    RecipientType.MAIL_CONTACT: "MailContact",
    RecipientType.SECURITY_GROUP: "MailUniversalSecurityGroup",
    RecipientType.DISTRIBUTION_GROUP: "MailUniversalDistributionGroup",
    RecipientType.DYNAMIC_GROUP: "DynamicDistributionGroup",
    RecipientType.UNIFIED_GROUP: "MailUniversalDistributionGroup",
}


def recipient_row(directory: Directory, recipient: Recipient) -> Row:
    """Get-Recipient."""
    organization = directory.organization
    return {
        "Alias": recipient.alias,
        "DisplayName": recipient.display_name,
        "EmailAddresses": _proxies(recipient),
        "ExternalDirectoryObjectId": recipient.external_id,
        "HiddenFromAddressListsEnabled": recipient.hidden,
        "IsDirSynced": recipient.synced,
        "PrimarySmtpAddress": recipient.primary,
        "RecipientType": _RECIPIENT_TYPES.get(recipient.type, "UserMailbox"),
        "RecipientTypeDetails": recipient.type.value,
        "IsValidSecurityPrincipal": recipient.type.is_security_principal,
        "Identity": recipient.name,
        "Id": recipient.name,
        "IsValid": True,
        "Name": recipient.name,
        "DistinguishedName": organization.distinguished_name(recipient.name),
        "WhenChanged": recipient.changed,
        "WhenCreated": recipient.created,
        "OrganizationalUnitRoot": organization.initial_domain,
        "Guid": uuid.UUID(recipient.guid),
        "OriginatingServer": organization.server,
    }


def mailbox_row(directory: Directory, recipient: Recipient) -> Row:
    """Get-Mailbox."""
    mailbox = recipient.mailbox
    state = mailbox.state if mailbox else MailboxState.ACTIVE
    base = dict(recipient_row(directory, recipient))
    del base["IsValidSecurityPrincipal"]
    return {
        "ExchangeGuid": uuid.UUID(mailbox.exchange_guid) if mailbox else None,
        "IsMailboxEnabled": state is MailboxState.ACTIVE,
        "IsResource": recipient.type in {RecipientType.ROOM_MAILBOX, RecipientType.EQUIPMENT_MAILBOX},
        "IsShared": recipient.type is RecipientType.SHARED_MAILBOX,
        "UserPrincipalName": recipient.upn,
        "MicrosoftOnlineServicesID": recipient.upn,
        "WindowsEmailAddress": recipient.primary,
        "SKUAssigned": bool(mailbox and mailbox.licensed),
        "MailboxRegion": (mailbox.region or None) if mailbox else None,
        "IsInactiveMailbox": state is MailboxState.INACTIVE,
        "IsSoftDeletedByRemove": state is not MailboxState.ACTIVE,
        "WhenSoftDeleted": recipient.changed if state is not MailboxState.ACTIVE else None,
        **base,
    }


def cas_mailbox_row(directory: Directory, recipient: Recipient) -> Row:
    """Get-CASMailbox."""
    mailbox = recipient.mailbox
    agents = mailbox.user_agents if mailbox else None
    return {
        "EmailAddresses": _proxies(recipient),
        "PrimarySmtpAddress": recipient.primary,
        "DisplayName": recipient.display_name,
        "EwsEnabled": latest(mailbox.ews_enabled) if mailbox else None,
        "EwsApplicationAccessPolicy": agents.rule.value if agents and agents.rule else None,
        "EwsAllowList": agents.allowed if agents else (),
        "EwsBlockList": agents.blocked if agents else (),
        "ExternalDirectoryObjectId": recipient.external_id,
        "Identity": recipient.name,
        "Id": recipient.name,
        "Name": recipient.name,
        "DistinguishedName": directory.organization.distinguished_name(recipient.name),
        "Guid": uuid.UUID(recipient.guid),
    }


def group_row(directory: Directory, recipient: Recipient) -> Row:
    """Get-DistributionGroup and New-DistributionGroup; the values of GroupType are unverified (facts/exchange.md 5)."""
    group = recipient.group
    base = dict(recipient_row(directory, recipient))
    del base["IsValidSecurityPrincipal"]
    security = recipient.type is RecipientType.SECURITY_GROUP
    return {
        "GroupType": "Universal, SecurityEnabled" if security else "Universal",
        "ManagedBy": _names(directory, group.owners if group else ()),
        "MemberJoinRestriction": group.join if group else None,
        "MemberDepartRestriction": group.depart if group else None,
        "RequireSenderAuthenticationEnabled": bool(group and group.authenticated_senders_only),
        "Description": (group.description,) if group and group.description else (),
        **base,
    }


def security_group_row(directory: Directory, recipient: Recipient) -> Row:
    """Get-Group: the object behind a group, with its notes and members."""
    group = recipient.group
    return {
        **group_row(directory, recipient),
        "Members": _names(directory, group.members if group else ()),
        "Notes": group.notes if group and not directory.organization.behaviour.unreadable_notes else "",
        "Sid": recipient.sid,
        "WindowsEmailAddress": recipient.primary,
    }


def member_row(directory: Directory, recipient: Recipient) -> Row:
    """Get-DistributionGroupMember."""
    return recipient_row(directory, recipient)


def organization_row(organization: Organization, *, with_allow_list: bool) -> Row:
    """Get-OrganizationConfig; without RetrieveEwsOperationAccessPolicy the allow list reads empty (facts/ews.md 3)."""
    agents = organization.user_agents
    return {
        "Name": organization.initial_domain,
        "Identity": organization.initial_domain,
        "DisplayName": organization.display_name,
        "EwsEnabled": latest(organization.ews_enabled),
        "EwsAllowedAppIDs": latest(organization.ews_allowed) if with_allow_list else None,
        "EwsApplicationAccessPolicy": agents.rule.value if agents.rule else None,
        "EwsAllowList": agents.allowed,
        "EwsBlockList": agents.blocked,
        "IsDehydrated": False,
        "ExternalDirectoryOrganizationId": organization.tenant_id,
        "Guid": uuid.UUID(organization.guid),
        "OriginatingServer": organization.server,
    }


def accepted_domain_row(organization: Organization, domain: str) -> Row:
    """Get-AcceptedDomain."""
    return {
        "DomainName": domain,
        "DomainType": "Authoritative",
        "Default": domain == organization.domains[0],
        "InitialDomain": domain == organization.initial_domain,
        "Name": domain,
        "Identity": domain,
        "Id": domain,
    }


def policy_row(directory: Directory, policy: AccessPolicy) -> Row:
    """Get-ApplicationAccessPolicy, in the form that Microsoft's page shows (facts/exchange.md 6)."""
    return {
        "ScopeName": policy.scope_name,
        "ScopeIdentity": policy.scope_identity,
        "Identity": f"{directory.organization.tenant_id}\\{policy.app_id}:{policy.scope_raw}",
        "AppId": policy.app_id,
        "ScopeIdentityRaw": policy.scope_raw,
        "Description": policy.description,
        "AccessRight": policy.right.value,
        "ShardType": "All",
        "IsValid": policy.scope_guid in directory.recipients,
        "ObjectState": "Unchanged",
    }


def principal_row(principal: ApplicationPrincipal) -> Row:
    """Get-ServicePrincipal."""
    return {
        "DisplayName": principal.display_name,
        "ObjectId": principal.object_id,
        "AppId": principal.app_id,
        "Identity": principal.object_id,
        "Id": principal.object_id,
        "Name": principal.object_id,
        "Guid": uuid.UUID(principal.guid),
        "WhenCreated": principal.created,
    }


def scope_row(scope: ManagementScope) -> Row:
    """Get-ManagementScope."""
    return {
        "Name": scope.name,
        "ScopeRestrictionType": "RecipientScope",
        "Exclusive": False,
        "RecipientRoot": "",
        "RecipientFilter": scope.filter,
        "Identity": scope.name,
        "Id": scope.name,
        "Guid": uuid.UUID(scope.guid),
        "WhenCreated": scope.created,
    }


def role_assignment_row(assignment: RoleAssignment, principal: ApplicationPrincipal | None, scope_name: str) -> Row:
    """Get-ManagementRoleAssignment; that a scope is given back under the parameter's name is unverified."""
    limit = {scope_type: scope_name if scope_type is assignment.scope_type else None for scope_type in ScopeType}
    return {
        "Name": assignment.name,
        "Role": assignment.role,
        "RoleAssignee": assignment.principal_id,
        "RoleAssigneeName": principal.display_name if principal else assignment.principal_id,
        "RoleAssigneeType": "ServicePrincipal",
        "AssignmentMethod": "Direct",
        "RecipientWriteScope": assignment.scope_type.value,
        "RecipientReadScope": assignment.scope_type.value,
        "CustomResourceScope": limit[ScopeType.CUSTOM],
        "RecipientGroupScope": limit[ScopeType.GROUP],
        "RecipientAdministrativeUnitScope": limit[ScopeType.UNIT],
        "Enabled": True,
        "App": assignment.principal_id,
        "Identity": assignment.name,
        "Id": assignment.name,
        "Guid": uuid.UUID(assignment.guid),
        "WhenCreated": assignment.created,
    }


def unit_row(unit: AdministrativeUnit) -> Row:
    """Get-AdministrativeUnit."""
    return {
        "DisplayName": unit.display_name,
        "ExternalDirectoryObjectId": unit.external_id,
        "Name": unit.external_id,
        "Identity": unit.external_id,
        "Guid": uuid.UUID(unit.guid),
    }


def _proxies(recipient: Recipient) -> tuple[str, ...]:
    return (f"SMTP:{recipient.primary}", *(f"smtp:{address}" for address in recipient.addresses[1:]))


def _names(directory: Directory, guids: tuple[str, ...]) -> tuple[str, ...]:
    """The names of recipients; what is no recipient (an owner without a mailbox) shows as its id."""
    return tuple(directory.recipients[guid].name if guid in directory.recipients else guid for guid in guids)
