"""The settings of a simulated organisation, and what a setting is: a value that may act later than it reads.

`Dated` values stand in the order they were written, each with the moment from which it acts. Moments are aware UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import ClassVar, Generic, TypeVar

__all__ = [
    "ALWAYS",
    "Behaviour",
    "Cloud",
    "Dated",
    "Organization",
    "UserAgentPolicy",
    "UserAgentRule",
    "effective",
    "latest",
]

ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)
"""The moment of what was there before anybody looked."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated(Generic[T]):
    """A value of a setting and the moment from which it acts."""

    value: T
    since: datetime = ALWAYS


def latest(history: tuple[Dated[T], ...]) -> T:
    """What was written last, which is what the setting reads as."""
    return history[-1].value


def effective(history: tuple[Dated[T], ...], moment: datetime) -> T:
    """What acts at a moment: the newest write whose time has come, else the oldest known value."""
    for entry in reversed(history):
        if entry.since <= moment:
            return entry.value
    return history[0].value


class Cloud(StrEnum):
    """Which rules of the EWS retirement an organisation follows (facts/ews.md 2)."""

    WORLDWIDE = "worldwide"
    OTHER = "other"


class UserAgentRule(StrEnum):
    """``EwsApplicationAccessPolicy``; null on the wire where there is none."""

    ALLOW = "EnforceAllowList"
    BLOCK = "EnforceBlockList"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserAgentPolicy:
    """The older gate that looks at the User-Agent; patterns may hold ``*``."""

    rule: UserAgentRule | None = None
    allowed: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """How this simulated tenant behaves where reality is known to vary.

    Attributes:
        decorated_names: New-DistributionGroup appends a time stamp to names (seen in Microsoft's documentation).
        virgin_policy_list_fails: listing access policies fails until one was made (Microsoft365DSC#2998).
        policy_space: bytes for all access policies together; the size is unverified, about 300 small ones fit.
        unreadable_notes: Get-Group does not give back what New-DistributionGroup took as Notes (that it does is
            unverified).
        bare_new_groups: the reply of New-DistributionGroup lacks DistinguishedName and ExternalDirectoryObjectId, as
            public clients report of fresh groups.
    """

    decorated_names: bool = False
    unreadable_notes: bool = False
    bare_new_groups: bool = False
    virgin_policy_list_fails: bool = False
    policy_space: int = 30_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """The organisation's settings.

    Attributes:
        tenant_id: the tenant's id; also the key.
        initial_domain: ``contoso.onmicrosoft.com``.
        domains: the accepted domains, the default one first.
        ews_enabled: the organisation's ``EwsEnabled``.
        ews_allowed: ``EwsAllowedAppIDs`` as it was written, one string or null.
        ews_ends: the end of EWS in this cloud; null where no date is known.
        administrators: Entra object ids in the role group Organization Management.
        policies_made: whether an access policy was ever made here.
    """

    kind: ClassVar[str] = "exo.organization"

    tenant_id: str
    initial_domain: str
    domains: tuple[str, ...]
    display_name: str
    guid: str
    forest: str = "EURPR07A013"
    cloud: Cloud = Cloud.WORLDWIDE
    ews_enabled: tuple[Dated[bool | None], ...] = (Dated(value=None),)
    ews_allowed: tuple[Dated[str | None], ...] = (Dated(value=None),)
    ews_ends: datetime | None = None
    user_agents: UserAgentPolicy = UserAgentPolicy()
    administrators: tuple[str, ...] = ()
    policies_made: bool = False
    behaviour: Behaviour = Behaviour()

    @property
    def key(self) -> str:
        """The id of its document."""
        return self.tenant_id

    @property
    def server(self) -> str:
        """The directory server that error texts name."""
        return f"AM0PR07A13DC001.{self.forest}.PROD.OUTLOOK.COM"

    def distinguished_name(self, name: str) -> str:
        """The DN of an object of that name."""
        return (
            f"CN={name},OU={self.initial_domain},OU=Microsoft Exchange Hosted Organizations,"
            f"DC={self.forest},DC=PROD,DC=OUTLOOK,DC=COM"
        )
