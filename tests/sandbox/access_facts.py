"""The vocabulary of access_cases.py: what stands in a tenant, who asks for what, what must come out.

It names nothing of the sandbox, so that the same cases can be run against mimapp's own rules as well. Recipients are
named: ``mim`` and ``other`` are user mailboxes, ``desk`` is a shared mailbox (without licence, as usual), ``room`` a
room, ``remote`` a mail user whose mailbox is on-premises, ``unlicensed``, ``deleted`` and ``inactive`` are what they
say. Each has the address ``{name}@contoso.onmicrosoft.com``; ``mim`` also answers to ``mim.alias@`` and signs in as
``mim.login@``. Applications are named ``ours``, ``teams`` and ``second``. Times are minutes from now; a setting or
right that is *pending* has been written and does not act before then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
AGENT = "MIM/4.6 (EWS)"
EWS_ROLE = "Application EWS.AccessAsApp"


class Expect(StrEnum):
    """What EWS does."""

    GRANTED = "200"
    DISABLED = "403, X-EWS-Policy-Reason: EWS is disabled for this user or tenant"
    BLOCKED = "403, X-EWS-Policy-Reason: EWS is blocked by policy for this user or tenant"
    NO_RIGHT = "403, x-ms-diagnostics 2000008"
    DENIED = "403 without body or reason"
    OUT_OF_SCOPE = "SOAP fault ErrorAccessDenied"
    NO_MAILBOX = "SOAP fault ErrorNonExistentMailbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group; `type` is its RecipientTypeDetails."""

    name: str = "fence"
    members: tuple[str, ...] = ("mim",)
    type: str = "MailUniversalSecurityGroup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """An application access policy; `scope` names a group or a recipient, one that is gone included.

    Attributes:
        tested_in: minutes until the test cmdlet follows it.
        enforced_in: minutes until EWS follows it.
        released_in: it was removed, and EWS still follows it for so many minutes.
    """

    right: str = "RestrictAccess"
    scope: str = "fence"
    app: str = "ours"
    tested_in: int = 0
    enforced_in: int = 0
    released_in: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role assignment of our application.

    Attributes:
        limit: ``group``, ``filter``, ``unit``, or empty for the whole organisation.
        scope: the group's name, the filter (``{DN:name}`` stands for a group's DN), or the unit's members, by comma.
        enforced_in: minutes until EWS follows it.
        released_in: it was removed, and EWS still follows it for so many minutes.
    """

    limit: str = "group"
    scope: str = "fence"
    role: str = EWS_ROLE
    enforced_in: int = 0
    released_in: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agents:
    """A User-Agent policy."""

    rule: str | None = None
    allowed: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A setting that was changed: what acts until then, and in how many minutes the new value acts."""

    before: bool | str | None
    acts_in: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What stands in the tenant.

    Attributes:
        cloud: ``worldwide`` or ``other``.
        switch: the organisation's EwsEnabled.
        listed: EwsAllowedAppIDs; ``{ours}`` stands for an application's id, ``{OURS}`` for it in upper case.
        mailbox_switch: EwsEnabled of the mailbox that is asked for.
        granted: the token carries full_access_as_app.
        pointer: the service principal of our application still exists in Entra.
    """

    cloud: str = "worldwide"
    switch: bool | None = True
    switch_pending: Pending | None = None
    listed: str | None = "{teams},{ours}"
    listed_pending: Pending | None = None
    agents: Agents = Agents()
    mailbox_switch: bool | None = True
    mailbox_switch_pending: Pending | None = None
    mailbox_agents: Agents = Agents()
    granted: bool = True
    groups: tuple[Group, ...] = (Group(),)
    policies: tuple[Policy, ...] = ()
    roles: tuple[Role, ...] = ()
    pointer: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessCase:
    """One case.

    Attributes:
        name: what it shows.
        facts: what stands in the tenant.
        mailbox: who is asked for: a recipient's name, or a whole address.
        expected: what EWS does.
        source: where this is known from; ends with ``unverified`` where it is not.
        policy_test: what Test-ApplicationAccessPolicy says, where it can be asked and the case is about policies.
        role_test: InScope of each row of Test-ServicePrincipalAuthorization, where the case is about roles.
        moment: when it is asked.
        agent: the User-Agent that asks.
    """

    name: str
    expected: Expect
    source: str
    facts: Facts = Facts()
    mailbox: str = "mim"
    policy_test: str | None = None
    role_test: tuple[str, ...] | None = None
    moment: datetime = NOW
    agent: str = AGENT
