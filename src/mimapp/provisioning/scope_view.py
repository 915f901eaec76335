"""Who an application reaches, as Exchange and Entra say it: grant, access policies with their members, roles, tests.

Reading only. Grants of Entra's and roles in Exchange add up; a policy restricts the former alone; nested members count
for a policy, not for a role (https://learn.microsoft.com/exchange/permissions-exo/application-rbac and
https://learn.microsoft.com/exchange/permissions-exo/application-access-policies).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from mimapp.errors import DeniedError, NotFoundError
from mimapp.exchange import EWS_ROLE

if TYPE_CHECKING:
    from mimapp.exchange import AccessPolicy, Authorization, Exchange, Group, Mailbox, RoleAssignment

__all__ = [
    "GROUP_KINDS",
    "MailboxSeen",
    "PolicySeen",
    "Reach",
    "ReachKind",
    "Rights",
    "ScopeSeen",
    "reach",
    "read_rights",
    "see_mailbox",
]

_RESTRICT = "restrictaccess"
_DENY = "denyaccess"
#: The kinds of recipient that hold others.
GROUP_KINDS = frozenset({"MailUniversalSecurityGroup", "MailUniversalDistributionGroup", "GroupMailbox"})
_USER_MAILBOX = "UserMailbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeSeen:
    """What a policy names.

    Attributes:
        name: its address or name.
        group: the group, where it is one; None for a single recipient, or where nothing has the id any more.
        is_gone: nothing has the id any more.
        ids: the ids, in lower case, of everything in it, at any depth.
        members: the addresses of its direct members.
        nested: the names of the groups inside it.
    """

    name: str
    group: Group | None
    is_gone: bool
    ids: frozenset[str]
    members: tuple[str, ...]
    nested: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySeen:
    """An access policy of the application, and what it names."""

    policy: AccessPolicy
    scope: ScopeSeen

    @property
    def restricts(self) -> bool:
        """Whether it lets the application into what it names, and nowhere else."""
        return self.policy.access_right.casefold() == _RESTRICT

    @property
    def denies(self) -> bool:
        """Whether it keeps the application out of what it names."""
        return self.policy.access_right.casefold() == _DENY


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What the application holds.

    Attributes:
        app_id: the client id.
        granted: whether it holds full_access_as_app in Entra; None where that was not read.
        policies: its access policies.
        roles: its assignments of the EWS role; None where this account may not read them.
    """

    app_id: str
    granted: bool | None
    policies: tuple[PolicySeen, ...]
    roles: tuple[RoleAssignment, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxSeen:
    """A mailbox, and what the test cmdlets say of it; nothing is sent to the mailbox itself.

    Attributes:
        address: as it was asked about.
        mailbox: the mailbox; None where there is none.
        policy_granted: what Test-ApplicationAccessPolicy says; None where it was not, or could not be, asked.
        roles: the rows of Test-ServicePrincipalAuthorization about the EWS role; empty where there is no pointer.
    """

    address: str
    mailbox: Mailbox | None
    policy_granted: bool | None
    roles: tuple[Authorization, ...]

    @property
    def opens(self) -> bool:
        """Whether EWS has a mailbox to open: one that is there and licensed, where its kind needs a licence."""
        if self.mailbox is None:
            return False
        return self.mailbox.sku_assigned is not False or self.mailbox.recipient_type_details != _USER_MAILBOX


class ReachKind(StrEnum):
    """Whether an application reaches a mailbox, by what is written."""

    BY_ROLE = "by a role in Exchange"
    BY_GRANT = "by the grant in Entra"
    NO_RIGHT = "no right"
    NO_MAILBOX = "no mailbox"
    DENIED = "denied by an access policy"
    OUT_OF_SCOPE = "outside the limit of the role"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The answer for one mailbox.

    Attributes:
        kind: the answer.
        reason: why, one sentence.
        test_differs: the service's own test says otherwise: something has not spread yet, or is not what it seems.
    """

    kind: ReachKind
    reason: str
    test_differs: bool = False

    @property
    def reaches(self) -> bool:
        """Whether the mailbox opens."""
        return self.kind in {ReachKind.BY_ROLE, ReachKind.BY_GRANT}


def read_rights(exchange: Exchange, app_id: str, *, granted: bool | None) -> Rights:
    """What an application holds in Exchange.

    Raises:
        ServiceError, TransportError: the policies or a group could not be read.
    """
    policies = exchange.access_policies.for_app(app_id)
    try:
        roles = tuple(one for one in exchange.rbac.assignments(app_id) if one.role == EWS_ROLE)
    except DeniedError:
        roles = None
    seen = tuple(PolicySeen(policy=policy, scope=_scope(exchange, policy)) for policy in policies)
    return Rights(app_id=app_id, granted=granted, policies=seen, roles=roles)


def see_mailbox(exchange: Exchange, app_id: str, address: str) -> MailboxSeen:
    """A mailbox, and what the test cmdlets say of it.

    Raises:
        ServiceError, TransportError: it could not be read.
    """
    mailbox = exchange.mailboxes.get(address)
    if mailbox is None:
        return MailboxSeen(address=address, mailbox=None, policy_granted=None, roles=())
    key = mailbox.guid or address
    try:
        granted: bool | None = exchange.access_policies.test(key, app_id).granted
    except NotFoundError:
        granted = None  # a replica that does not know the mailbox
    try:
        rows = exchange.rbac.test(app_id, key)
    except (NotFoundError, DeniedError):
        rows = ()  # no pointer to the application, or not readable: `Rights.roles` says which
    return MailboxSeen(
        address=address,
        mailbox=mailbox,
        policy_granted=granted,
        roles=tuple(row for row in rows if row.role_name == EWS_ROLE),
    )


def reach(rights: Rights, seen: MailboxSeen) -> Reach:
    """Whether the application reaches a mailbox, by what is written; whether it is enforced yet is another question."""
    holds_role = bool(rights.roles) and bool(seen.roles or not seen.opens)
    if not rights.granted and not holds_role:
        return Reach(kind=ReachKind.NO_RIGHT, reason="it holds neither full_access_as_app nor a role in Exchange")
    if not seen.opens:
        return Reach(kind=ReachKind.NO_MAILBOX, reason=f"Exchange Online has no mailbox {seen.address} to open")
    for row in seen.roles:
        if row.in_scope:
            limit = "every mailbox" if row.is_unlimited else row.allowed_resource_scope or row.scope_type
            return Reach(kind=ReachKind.BY_ROLE, reason=f"{EWS_ROLE} reaches {limit}")
    if not rights.granted:
        return Reach(kind=ReachKind.OUT_OF_SCOPE, reason=f"no assignment of {EWS_ROLE} includes it")
    return _by_policies(rights, seen)


def _by_policies(rights: Rights, seen: MailboxSeen) -> Reach:
    """Deny beats restrict; a restriction lets in what it names; without any policy the grant reaches every mailbox."""
    ids = _ids(seen.mailbox)
    named = [policy for policy in rights.policies if policy.scope.ids & ids]
    restrictions = [policy for policy in rights.policies if policy.restricts]
    denied = next((policy for policy in named if policy.denies), None)
    let_in = next((policy for policy in named if policy.restricts), None)
    if denied is not None:
        kind, reason = ReachKind.DENIED, f"DenyAccess on {denied.scope.name} includes it"
    elif let_in is not None:
        kind, reason = ReachKind.BY_GRANT, f"RestrictAccess on {let_in.scope.name} includes it"
    elif restrictions:
        names = ", ".join(policy.scope.name for policy in restrictions)
        kind, reason = ReachKind.DENIED, f"RestrictAccess on {names} does not include it"
    else:
        kind, reason = ReachKind.BY_GRANT, "full_access_as_app reaches every mailbox: no access policy restricts it"
    differs = seen.policy_granted is not None and seen.policy_granted is not (kind is ReachKind.BY_GRANT)
    return Reach(kind=kind, reason=reason, test_differs=differs)


def _ids(mailbox: Mailbox | None) -> frozenset[str]:
    if mailbox is None:
        return frozenset()
    return frozenset(one.lower() for one in (mailbox.guid, mailbox.external_directory_object_id) if one)


def _scope(exchange: Exchange, policy: AccessPolicy) -> ScopeSeen:
    """What a policy names, by its Entra id (the part after the semicolon: unverified rule), else by its name."""
    key = policy.scope_group_object_id or policy.scope_identity or policy.scope_name
    group = exchange.groups.get(key)
    if group is not None:
        ids, members, nested = _inside(exchange, group)
        name = group.primary_smtp_address or group.name
        return ScopeSeen(name=name, group=group, is_gone=False, ids=ids, members=members, nested=nested)
    recipient = exchange.mailboxes.recipient(key)
    if recipient is None:
        name = policy.scope_name or key
        return ScopeSeen(name=name, group=None, is_gone=True, ids=frozenset(), members=(), nested=())
    ids = frozenset(one.lower() for one in (recipient.guid, recipient.external_directory_object_id) if one)
    name = recipient.primary_smtp_address or recipient.name
    return ScopeSeen(name=name, group=None, is_gone=False, ids=ids, members=(name,), nested=())


def _inside(exchange: Exchange, group: Group) -> tuple[frozenset[str], tuple[str, ...], tuple[str, ...]]:
    """The ids of everything in a group at any depth, its direct members, and the groups inside; rings end."""
    ids: set[str] = set()
    direct: list[str] = []
    nested: list[str] = []
    waiting = [group.guid or group.external_directory_object_id]
    seen = set(waiting)
    while waiting:
        key = waiting.pop()
        is_top = not direct and not ids
        try:
            members = exchange.groups.members(key)
        except NotFoundError:
            continue  # a group inside that a replica does not know
        for member in members:
            own = {one.lower() for one in (member.guid, member.external_directory_object_id) if one}
            ids |= own
            if is_top:
                direct.append(member.primary_smtp_address or member.name)
            inner = member.guid or member.external_directory_object_id
            if member.recipient_type_details in GROUP_KINDS and inner not in seen:
                seen.add(inner)
                waiting.append(inner)
                nested.append(member.primary_smtp_address or member.name)
    return frozenset(ids), tuple(direct), tuple(nested)
