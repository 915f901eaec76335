"""Exchange Online: the admin REST client (InvokeCommand) and the EWS probe.

Typed wire models, one module a resource, and the verbs that this product needs. It never decides what should exist,
adds no ``Authorization`` and waits only as its sender does.
"""

from mimapp.exchange.allowed_apps import Unknown, is_app_id, parse_allowed_app_ids
from mimapp.exchange.anchors import anchor_for_app, anchor_for_mailbox, anchor_for_user
from mimapp.exchange.client import Exchange
from mimapp.exchange.ews import EwsAnswer, EwsKind, EwsProbe
from mimapp.exchange.groups import Group, GroupChange, GroupMember, Groups, NewGroup
from mimapp.exchange.invoke import CmdletWarning
from mimapp.exchange.mailboxes import AcceptedDomain, ClientAccess, Mailbox, Mailboxes, Recipient
from mimapp.exchange.organization import EwsSettings, OrganizationSettings
from mimapp.exchange.policies import AccessCheck, AccessPolicies, AccessPolicy
from mimapp.exchange.rbac import (
    EWS_ROLE,
    Authorization,
    ManagementScope,
    Rbac,
    RoleAssignment,
    ServicePrincipalPointer,
    member_of_group,
)
from mimapp.exchange.session import Session

__all__ = [
    "EWS_ROLE",
    "AcceptedDomain",
    "AccessCheck",
    "AccessPolicies",
    "AccessPolicy",
    "Authorization",
    "ClientAccess",
    "CmdletWarning",
    "EwsAnswer",
    "EwsKind",
    "EwsProbe",
    "EwsSettings",
    "Exchange",
    "Group",
    "GroupChange",
    "GroupMember",
    "Groups",
    "Mailbox",
    "Mailboxes",
    "ManagementScope",
    "NewGroup",
    "OrganizationSettings",
    "Rbac",
    "Recipient",
    "RoleAssignment",
    "ServicePrincipalPointer",
    "Session",
    "Unknown",
    "anchor_for_app",
    "anchor_for_mailbox",
    "anchor_for_user",
    "is_app_id",
    "member_of_group",
    "parse_allowed_app_ids",
]
