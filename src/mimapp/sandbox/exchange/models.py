"""What a simulated Exchange Online organisation holds, as values: recipients, policies, settings, application roles.

Every entity is stored as one document of its `kind` under its `key` (store.py). Moments are aware UTC. Settings are
settings.py's and named here as well. No HTTP, no rule of access (access.py), no wire names (outputs.py).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - msgspec reads the annotations of the entities
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from mimapp.sandbox.exchange.settings import (
    ALWAYS,
    Behaviour,
    Cloud,
    Dated,
    Organization,
    UserAgentPolicy,
    UserAgentRule,
    effective,
    latest,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ALWAYS",
    "AccessPolicy",
    "AccessRight",
    "AdministrativeUnit",
    "ApplicationPrincipal",
    "Behaviour",
    "Cloud",
    "Dated",
    "Directory",
    "Entity",
    "GroupPart",
    "MailboxPart",
    "MailboxState",
    "ManagementScope",
    "Organization",
    "Recipient",
    "RecipientType",
    "RoleAssignment",
    "Roles",
    "ScopeType",
    "UserAgentPolicy",
    "UserAgentRule",
    "effective",
    "latest",
    "security_identifier",
]


def security_identifier(object_id: str) -> str:
    """The security identifier of an Entra object: authority 12 and the four numbers of its object id."""
    raw = uuid.UUID(object_id).bytes_le
    numbers = (int.from_bytes(raw[start : start + 4], "little") for start in (0, 4, 8, 12))
    return "S-1-12-1-" + "-".join(str(number) for number in numbers)


class RecipientType(StrEnum):
    """``RecipientTypeDetails`` of the recipients that the sandbox knows."""

    USER_MAILBOX = "UserMailbox"
    SHARED_MAILBOX = "SharedMailbox"
    ROOM_MAILBOX = "RoomMailbox"
    EQUIPMENT_MAILBOX = "EquipmentMailbox"
    DISCOVERY_MAILBOX = "DiscoveryMailbox"
    MAIL_USER = "MailUser"
    MAIL_CONTACT = "MailContact"
    SECURITY_GROUP = "MailUniversalSecurityGroup"
    DISTRIBUTION_GROUP = "MailUniversalDistributionGroup"
    DYNAMIC_GROUP = "DynamicDistributionGroup"
    UNIFIED_GROUP = "GroupMailbox"

    @property
    def is_mailbox(self) -> bool:
        """Whether Get-Mailbox returns it and EWS can open it."""
        return self in _MAILBOXES

    @property
    def is_distribution_group(self) -> bool:
        """Whether the DistributionGroup cmdlets work on it."""
        return self in {RecipientType.SECURITY_GROUP, RecipientType.DISTRIBUTION_GROUP}

    @property
    def is_group(self) -> bool:
        """Whether it has members."""
        return self.is_distribution_group or self in {RecipientType.DYNAMIC_GROUP, RecipientType.UNIFIED_GROUP}

    @property
    def is_security_principal(self) -> bool:
        """Whether an access policy takes it as its scope (facts/exchange.md 6)."""
        return self in {RecipientType.USER_MAILBOX, RecipientType.MAIL_USER, RecipientType.SECURITY_GROUP}


_MAILBOXES = frozenset(
    {
        RecipientType.USER_MAILBOX,
        RecipientType.SHARED_MAILBOX,
        RecipientType.ROOM_MAILBOX,
        RecipientType.EQUIPMENT_MAILBOX,
        RecipientType.DISCOVERY_MAILBOX,
    }
)


class MailboxState(StrEnum):
    """Where a mailbox stands."""

    ACTIVE = "active"
    SOFT_DELETED = "soft-deleted"
    INACTIVE = "inactive"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxPart:
    """What only a mailbox has.

    Attributes:
        exchange_guid: ``ExchangeGuid``.
        state: active, soft-deleted or inactive.
        licensed: whether it can be opened; a user mailbox without a licence cannot.
        ews_enabled: ``EwsEnabled`` of Get-CASMailbox; null lets the organisation decide.
        user_agents: the mailbox's own User-Agent policy.
        region: ``MailboxRegion``, where a tenant in several regions keeps it; empty elsewhere.
    """

    exchange_guid: str
    state: MailboxState = MailboxState.ACTIVE
    licensed: bool = True
    ews_enabled: tuple[Dated[bool | None], ...] = (Dated(value=True),)
    user_agents: UserAgentPolicy = field(default_factory=UserAgentPolicy)
    region: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPart:
    """What only a group has; `members` and `owners` are recipients' guids (an owner may be an Entra object id)."""

    members: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    join: str = "Closed"
    depart: str = "Closed"
    authenticated_senders_only: bool = True
    notes: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Something with a mail address: a mailbox, a mail user, a contact or a group.

    Attributes:
        guid: ``Guid``, Exchange's own object id.
        external_id: ``ExternalDirectoryObjectId``, its id in Entra; empty for a contact.
        sid: its security identifier; empty where it is no security principal.
        addresses: every proxy address without the ``smtp:`` prefix, the primary one first.
        upn: ``UserPrincipalName``; empty for what cannot sign in.
        synced: it comes from on-premises and cannot be changed here.
    """

    kind: ClassVar[str] = "exo.recipient"

    guid: str
    type: RecipientType
    name: str
    display_name: str
    alias: str
    addresses: tuple[str, ...]
    external_id: str = ""
    sid: str = ""
    upn: str = ""
    synced: bool = False
    hidden: bool = False
    created: datetime = ALWAYS
    changed: datetime = ALWAYS
    mailbox: MailboxPart | None = None
    group: GroupPart | None = None

    @property
    def key(self) -> str:
        """The id of its document."""
        return self.guid

    @property
    def primary(self) -> str:
        """``PrimarySmtpAddress``."""
        return self.addresses[0]


class AccessRight(StrEnum):
    """``AccessRight`` of an application access policy."""

    RESTRICT = "RestrictAccess"
    DENY = "DenyAccess"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPolicy:
    """One application access policy for one application.

    Three things become true at three moments: it is listed (the store's own replication), the test cmdlet follows it
    (`tested`), and EWS follows it (`enforced`). A removed policy is kept while it still acts.

    Attributes:
        id: the id of its document; the wire's Identity is not unique over time.
        scope_guid: the recipient that it names.
        scope_raw: ``ScopeIdentityRaw``, written when it was made.
    """

    kind: ClassVar[str] = "exo.policy"

    id: str
    app_id: str
    right: AccessRight
    scope_guid: str
    scope_name: str
    scope_identity: str
    scope_raw: str
    description: str = ""
    created: datetime = ALWAYS
    tested: datetime = ALWAYS
    enforced: datetime = ALWAYS
    removed: datetime | None = None
    tested_until: datetime | None = None
    enforced_until: datetime | None = None

    @property
    def key(self) -> str:
        """The id of its document."""
        return self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationPrincipal:
    """Exchange's pointer to a service principal of Entra, made by New-ServicePrincipal."""

    kind: ClassVar[str] = "exo.principal"

    object_id: str
    app_id: str
    display_name: str
    guid: str
    created: datetime = ALWAYS

    @property
    def key(self) -> str:
        """The id of its document."""
        return self.object_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagementScope:
    """A named recipient filter."""

    kind: ClassVar[str] = "exo.scope"

    guid: str
    name: str
    filter: str
    created: datetime = ALWAYS

    @property
    def key(self) -> str:
        """The id of its document."""
        return self.guid


class ScopeType(StrEnum):
    """How a role assignment is limited; the wire's ``ScopeType`` and ``RecipientWriteScope``."""

    ORGANIZATION = "Organization"
    CUSTOM = "CustomRecipientScope"
    GROUP = "Group"
    UNIT = "AdministrativeUnit"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleAssignment:
    """An application role given to an application, RBAC for Applications.

    Attributes:
        principal_id: the object id of the service principal.
        scope_type: how it is limited.
        scope: the guid of the management scope, group or administrative unit; empty when it is not limited.
        enforced: the moment from which EWS follows it.
        removed: set when it was taken away; kept while it still acts (`enforced_until`).
    """

    kind: ClassVar[str] = "exo.assignment"

    guid: str
    name: str
    principal_id: str
    role: str
    scope_type: ScopeType
    scope: str = ""
    created: datetime = ALWAYS
    enforced: datetime = ALWAYS
    removed: datetime | None = None
    enforced_until: datetime | None = None

    @property
    def key(self) -> str:
        """The id of its document."""
        return self.guid


@dataclass(frozen=True, slots=True, kw_only=True)
class AdministrativeUnit:
    """An administrative unit of Entra as Exchange sees it; members are recipients' guids."""

    kind: ClassVar[str] = "exo.unit"

    guid: str
    external_id: str
    display_name: str
    members: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The id of its document."""
        return self.guid


Entity = (
    Recipient
    | AccessPolicy
    | ApplicationPrincipal
    | ManagementScope
    | RoleAssignment
    | AdministrativeUnit
    | Organization
)
"""Whatever is stored as a document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """What RBAC for Applications is made of."""

    principals: tuple[ApplicationPrincipal, ...] = ()
    scopes: tuple[ManagementScope, ...] = ()
    assignments: tuple[RoleAssignment, ...] = ()
    units: tuple[AdministrativeUnit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """An organisation at one moment: the truth that rules are checked against, and what the answering replica knows.

    Attributes:
        recipients: the truth, by guid.
        known: recipients as this request's replica knows them, by guid.
        policies: the truth, those included that were removed and still act.
        listed: policies as this request's replica knows them.
        roles: the truth, without the pointers whose service principal is gone from Entra.
        known_roles: the same as this request's replica knows them.
        entra_apps: the service principals of Entra that are known by now: object id to application id.
    """

    organization: Organization
    recipients: Mapping[str, Recipient] = field(default_factory=lambda: MappingProxyType({}))
    known: Mapping[str, Recipient] = field(default_factory=lambda: MappingProxyType({}))
    policies: tuple[AccessPolicy, ...] = ()
    listed: tuple[AccessPolicy, ...] = ()
    roles: Roles = Roles()
    known_roles: Roles = Roles()
    entra_apps: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
