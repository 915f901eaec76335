"""One explanation: what a code or message means, its causes in order of likelihood, how to tell, what mends it.

Owns the shape of a row; the rows stand in the `explain_*` tables, finding them is `explain`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mimapp.host.facts import Source

__all__ = ["Cause", "Explanation", "LiveCheck"]


class LiveCheck(StrEnum):
    """What can be looked up to confirm or rule out a cause, cheapest first: the order of `explain --live`."""

    CLOUD = "cloud"
    """The tenant's own cloud, from its openid-configuration; needs no sign-in."""
    APPLICATION = "application"
    """Application and service principal there, enabled, in this tenant."""
    SECRET = "secret"  # noqa: S105 - the name of a check
    """Which secrets the application has, and which have expired."""
    CONSENT = "consent"
    """The role grant, or the RBAC role assignment."""
    MAILBOX = "mailbox"
    """The mailbox: there, licensed, in the cloud, EWS not switched off for it."""
    EWS = "ews"
    """The organisation's EWS switch, allow list and user-agent policy."""
    SCOPE = "scope"
    """What the access policy or the RBAC scope says of the mailbox."""
    TOKEN = "token"  # noqa: S105 - the name of a check
    """A token with the stored secret."""
    PROBE = "probe"
    """A real EWS request, as MIM Service sends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One cause: what it is, how to tell that it is this one, the command or act that mends it.

    `live` names what in the tenant confirms it, or None where only a person can look.
    """

    what: str
    tell: str
    fix: str
    live: LiveCheck | None = None


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
