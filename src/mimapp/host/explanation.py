"""One explanation: what a code or message means, its causes in order of likelihood, how to tell, what mends it.

Owns the shape of a row, and the names of what a look at the tenant can find; the rows stand in the `explain_*` tables,
finding them is `explain`, looking is `mimapp.checks.explain_live`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mimapp.host.facts import Source

__all__ = ["Cause", "Explanation", "LiveCheck", "Sign"]


class LiveCheck(StrEnum):
    """What can be looked up to confirm or rule out a cause, cheapest first: the order of `explain --live`."""

    CLOUD = "cloud"
    """The tenant's own cloud, from its openid-configuration; needs no sign-in."""
    APPLICATION = "application"
    """Application and service principal there, enabled, in this tenant."""
    SECRET = "secret"  # noqa: S105 - the name of a check
    """Which secrets the application has, and which have expired."""
    CONSENT = "consent"
    """The role grant."""
    MAILBOX = "mailbox"
    """The mailbox: there, licensed, in the cloud, EWS not switched off for it."""
    EWS = "ews"
    """The organisation's EWS switch, allow list and user-agent policy."""
    SCOPE = "scope"
    """What the access policies and the RBAC scope say of the mailbox."""
    TOKEN = "token"  # noqa: S105 - the name of a check
    """A token with the stored secret."""
    PROBE = "probe"
    """A real EWS request, as MIM Service sends it."""


class Sign(StrEnum):
    """One thing that a look can find, and that speaks for a cause; named after the look that finds it."""

    OTHER_CLOUD = "cloud: not the worldwide one"
    OTHER_TENANT = "cloud: the text names another tenant"
    EWS_ENDED = "cloud: EWS has ended"
    NO_APPLICATION = "application: there is none"
    OTHER_APPLICATION = "application: the text names another one"
    NO_PRINCIPAL = "application: no service principal"
    DISABLED = "application: its sign-in is stopped"
    PUBLIC_CLIENT = "application: a public client"
    NO_PERMISSION = "application: it does not ask for full_access_as_app"
    EXPIRED = "secret: every one has expired"
    GONE = "secret: it is not on the application"
    REPLACED = "secret: a newer one was issued"
    NEW = "secret: minutes old"
    NO_CONSENT = "consent: missing"
    NO_MAILBOX = "mailbox: there is none at this address"
    UNLICENSED = "mailbox: no licence"
    ON_PREMISES = "mailbox: not in the cloud"
    SWITCHED_OFF = "mailbox: its EWS switch is False"
    EWS_OFF = "ews: the organisation's switch is False"
    NOT_LISTED = "ews: not on the allow list"
    AGENTS = "ews: a User-Agent policy"
    EWS_SOON = "ews: written, not yet in force everywhere"
    MISSED = "scope: the mailbox is not reached"
    CONTRADICTED = "scope: something else than register's own fence"
    SCOPE_SOON = "scope: written, not yet in force everywhere"
    REFUSED = "token: refused"
    ISSUED = "token: issued"
    WRONG_CLAIMS = "token: not for this service, tenant or right"
    ANSWERED = "probe: EWS opens the mailbox"
    DENIED = "probe: EWS refuses"

    @property
    def check(self) -> LiveCheck:
        """The look that finds it."""
        return LiveCheck(self.value.partition(":")[0])

    @property
    def is_proof(self) -> bool:
        """Whether it shows the cause; otherwise it makes the cause likely, and somebody has to look further."""
        return self not in _POINTERS


#: What fits a cause and would be there without it as well.
_POINTERS = frozenset(
    {
        Sign.OTHER_CLOUD,
        Sign.REPLACED,
        Sign.NEW,
        Sign.AGENTS,
        Sign.EWS_SOON,
        Sign.SCOPE_SOON,
        Sign.ISSUED,
        Sign.ANSWERED,
        Sign.DENIED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One cause: what it is, how to tell that it is this one, the command or act that mends it.

    `signs` are what a look at the tenant would find; empty where only a person can look.
    """

    what: str
    tell: str
    fix: str
    signs: tuple[Sign, ...] = ()

    @property
    def live(self) -> LiveCheck | None:
        """The cheapest look that can say something about it."""
        order = tuple(LiveCheck)
        return min((sign.check for sign in self.signs), key=order.index, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What a code, pop-up, header or message means.

    Attributes:
        key: the row's name; ``mimapp explain KEY`` finds it.
        keys: everything that names it: the key, codes, explain keys of mimapp's errors.
        phrases: pieces of text, lower case, by which it is known in a message.
        title: what it is, one line.
        causes: in order of likelihood.
        sources: where this comes from, and how sure it is.
    """

    key: str
    keys: tuple[str, ...]
    phrases: tuple[str, ...]
    title: str
    causes: tuple[Cause, ...]
    sources: tuple[Source, ...]
