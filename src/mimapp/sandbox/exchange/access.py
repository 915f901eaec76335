"""Who reaches which mailbox: the rules of access as pure functions over a `Directory`.

Asked in this order, each rule with its own clock: does EWS answer this organisation, mailbox, application and
User-Agent at all (facts/ews.md 2); does the caller hold a right, by a grant in Entra or by a role in Exchange; does
an access policy take the Entra grant away (facts/exchange.md 6); is the mailbox in the scope of a role
(facts/exchange.md 7). Entra grants and Exchange roles add up, and a policy restricts only the former. How a refusal
looks on the wire is the EWS room's business. tests/sandbox/access_cases.py is the table that these rules are tested
against, with the source of each case.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, StrEnum
from typing import TYPE_CHECKING

from mimapp.sandbox.exchange.filters import Clause, read_filter
from mimapp.sandbox.exchange.models import (
    AccessRight,
    Cloud,
    MailboxState,
    RecipientType,
    ScopeType,
    UserAgentPolicy,
    UserAgentRule,
    effective,
)

if TYPE_CHECKING:
    from mimapp.sandbox.exchange.models import AccessPolicy, Directory, Recipient, RoleAssignment

__all__ = [
    "EWS_PERMISSION",
    "EWS_ROLE",
    "WORLDWIDE_EWS_END",
    "AccessRequest",
    "Clockwork",
    "Verdict",
    "VerdictKind",
    "app_id_list",
    "assignments_of",
    "ews_gate",
    "in_scope",
    "mailbox_of",
    "may_access",
    "policy_allows",
]

EWS_PERMISSION = "full_access_as_app"
"""The Entra application permission that EWS asks for."""
EWS_ROLE = "Application EWS.AccessAsApp"
"""The Exchange role that stands in for it."""
WORLDWIDE_EWS_END = datetime(2027, 4, 1, tzinfo=UTC)
"""EWS off for good in the worldwide cloud (facts/ews.md 1)."""
_LIST_REQUIRED = datetime(2026, 10, 10, tzinfo=UTC)
"""From here on True with an empty list blocks everything in the worldwide cloud (facts/ews.md 1)."""
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class VerdictKind(StrEnum):
    """What EWS decides about one request."""

    GRANTED = "granted"
    EWS_DISABLED = "EWS is switched off for the organisation or the mailbox"
    EWS_BLOCKED = "EWS is blocked by the allow list or the User-Agent policy"
    NO_RIGHT = "the token carries no permission and no role stands in for it"
    POLICY_DENIED = "an access policy denies the mailbox"
    OUT_OF_SCOPE = "the application's role does not reach the mailbox"
    NO_MAILBOX = "there is no such mailbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The decision; `by` says which right granted it: ``entra`` or ``role``, empty for a refusal."""

    kind: VerdictKind
    by: str = ""

    @property
    def granted(self) -> bool:
        """Whether the mailbox opens."""
        return self.kind is VerdictKind.GRANTED


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRequest:
    """One attempt to open a mailbox: `roles` are the token's, `mailbox` an address."""

    app_id: str
    mailbox: str
    moment: datetime
    roles: frozenset[str] = frozenset()
    user_agent: str = ""


class Clockwork(Enum):
    """Whose clock an access policy is read by: the test cmdlet's or EWS's."""

    TEST = "test"
    SERVICE = "service"


def may_access(directory: Directory, request: AccessRequest) -> Verdict:
    """Whether an application opens a mailbox by EWS at a moment."""
    mailbox = mailbox_of(directory, request.mailbox)
    closed = ews_gate(directory, request, mailbox)
    if closed is not None:
        return Verdict(kind=closed)
    has_grant = EWS_PERMISSION in request.roles
    roles = [a for a in assignments_of(directory, request.app_id, request.moment) if a.role == EWS_ROLE]
    if not has_grant and not roles:
        return Verdict(kind=VerdictKind.NO_RIGHT)
    if mailbox is None:
        return Verdict(kind=VerdictKind.NO_MAILBOX)
    if any(in_scope(directory, assignment, mailbox) for assignment in roles):
        return Verdict(kind=VerdictKind.GRANTED, by="role")
    return _by_grant(directory, request, mailbox) if has_grant else Verdict(kind=VerdictKind.OUT_OF_SCOPE)


def _by_grant(directory: Directory, request: AccessRequest, mailbox: Recipient) -> Verdict:
    if policy_allows(directory, request.app_id, mailbox, request.moment, Clockwork.SERVICE):
        return Verdict(kind=VerdictKind.GRANTED, by="entra")
    return Verdict(kind=VerdictKind.POLICY_DENIED)


# The switch, the list, the User-Agent


def ews_gate(directory: Directory, request: AccessRequest, mailbox: Recipient | None) -> VerdictKind | None:
    """Why EWS does not answer at all, or None where it does. That "disabled" goes before "blocked" is unverified."""
    organization, moment = directory.organization, request.moment
    part = mailbox.mailbox if mailbox else None
    switch = effective(organization.ews_enabled, moment)
    ended = organization.ews_ends is not None and moment >= organization.ews_ends
    if ended or switch is False or (part is not None and effective(part.ews_enabled, moment) is False):
        return VerdictKind.EWS_DISABLED
    listed = app_id_list(effective(organization.ews_allowed, moment))
    if switch is True and not _list_allows(organization.cloud, listed, request.app_id, moment):
        return VerdictKind.EWS_BLOCKED
    policies = [organization.user_agents, *([part.user_agents] if part else [])]
    # That a mailbox's own User-Agent policy adds to the organisation's, and does not replace it, is unverified.
    if not all(_agent_allowed(policy, request.user_agent) for policy in policies):
        return VerdictKind.EWS_BLOCKED
    return None


def app_id_list(text: str | None) -> frozenset[str]:
    """The application ids of an EwsAllowedAppIDs value, lower-case; blanks and braces are tolerated."""
    return frozenset(_GUID.findall((text or "").casefold()))


def _list_allows(cloud: Cloud, listed: frozenset[str], app_id: str, moment: datetime) -> bool:
    if listed:
        return app_id.casefold() in listed
    # Older rule, still the other clouds' as far as is known (unverified): no list, no restriction.
    return cloud is not Cloud.WORLDWIDE or moment < _LIST_REQUIRED


def _agent_allowed(policy: UserAgentPolicy, agent: str) -> bool:
    if policy.rule is UserAgentRule.ALLOW:
        return any(_agent_fits(pattern, agent) for pattern in policy.allowed)
    if policy.rule is UserAgentRule.BLOCK:
        return not any(_agent_fits(pattern, agent) for pattern in policy.blocked)
    return True


def _agent_fits(pattern: str, agent: str) -> bool:
    """``*`` stands for any text; that case does not matter is unverified."""
    parts = (re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(".*".join(parts), agent, re.IGNORECASE) is not None


def mailbox_of(directory: Directory, address: str) -> Recipient | None:
    """The mailbox that EWS opens for an address: any of its addresses or its UPN; active, licensed, not on-premises."""
    sought = address.casefold()
    for recipient in directory.recipients.values():
        part = recipient.mailbox
        if part is None or not recipient.type.is_mailbox or part.state is not MailboxState.ACTIVE:
            continue
        if sought in {recipient.upn.casefold(), *(held.casefold() for held in recipient.addresses)}:
            needs_licence = recipient.type is RecipientType.USER_MAILBOX
            return recipient if part.licensed or not needs_licence else None
    return None


# Access policies


def policy_allows(directory: Directory, app_id: str, mailbox: Recipient, moment: datetime, clock: Clockwork) -> bool:
    """Whether the access policies leave an Entra grant standing for this mailbox.

    Deny beats restrict; a restriction allows what it names; where restrictions exist and none names the mailbox, it is
    denied; without any policy for the application everything is allowed.
    """
    acting = [
        policy
        for policy in directory.policies
        if policy.app_id.casefold() == app_id.casefold() and _acts(policy, moment, clock)
    ]
    named = {policy.right for policy in acting if _names(directory, policy.scope_guid, mailbox.guid)}
    if AccessRight.DENY in named:
        return False
    restricted = any(policy.right is AccessRight.RESTRICT for policy in acting)
    return not restricted or AccessRight.RESTRICT in named


def _acts(policy: AccessPolicy, moment: datetime, clock: Clockwork) -> bool:
    since = policy.tested if clock is Clockwork.TEST else policy.enforced
    until = policy.tested_until if clock is Clockwork.TEST else policy.enforced_until
    return since <= moment and (until is None or moment < until)


def _names(directory: Directory, scope_guid: str, mailbox_guid: str) -> bool:
    """Whether a policy's scope holds the mailbox: itself, or a group with members at any depth."""
    seen: set[str] = set()
    waiting = [scope_guid]
    while waiting:
        guid = waiting.pop()
        if guid == mailbox_guid:
            return True
        recipient = directory.recipients.get(guid)
        if guid not in seen and recipient is not None and recipient.group is not None:
            waiting.extend(recipient.group.members)
        seen.add(guid)
    return False


# Roles


def assignments_of(directory: Directory, app_id: str, moment: datetime) -> list[RoleAssignment]:
    """The role assignments of an application that act at a moment, as long as its pointer stands for something."""
    owned = {p.object_id for p in directory.roles.principals if p.app_id.casefold() == app_id.casefold()}
    return [
        assignment
        for assignment in directory.roles.assignments
        if assignment.principal_id in owned
        and assignment.enforced <= moment
        and (assignment.enforced_until is None or moment < assignment.enforced_until)
    ]


def in_scope(directory: Directory, assignment: RoleAssignment, mailbox: Recipient) -> bool:
    """Whether an assignment reaches a mailbox: for groups direct members only."""
    if assignment.scope_type is ScopeType.ORGANIZATION:
        return True
    if assignment.scope_type is ScopeType.UNIT:
        unit = next((unit for unit in directory.roles.units if unit.guid == assignment.scope), None)
        return unit is not None and mailbox.guid in unit.members
    if assignment.scope_type is ScopeType.GROUP:
        return _direct_member(directory, assignment.scope, mailbox)
    scope = next((scope for scope in directory.roles.scopes if scope.guid == assignment.scope), None)
    return scope is not None and _filter_fits(directory, scope.filter, mailbox)


def _direct_member(directory: Directory, group_guid: str, mailbox: Recipient) -> bool:
    group = directory.recipients.get(group_guid)
    return group is not None and group.group is not None and mailbox.guid in group.group.members


def _filter_fits(directory: Directory, text: str, mailbox: Recipient) -> bool:
    return any(_clause_fits(directory, clause, mailbox) for clause in read_filter(text))


def _clause_fits(directory: Directory, clause: Clause, mailbox: Recipient) -> bool:
    if clause.name != "memberofgroup":
        return clause.fits(mailbox)
    organization = directory.organization
    groups = [
        recipient
        for recipient in directory.recipients.values()
        if recipient.group is not None
        and organization.distinguished_name(recipient.name).casefold() == clause.value.casefold()
    ]
    return any(_direct_member(directory, group.guid, mailbox) for group in groups)
