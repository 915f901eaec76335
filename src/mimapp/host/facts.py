"""What this room is told and how sure it is: the facts of one registration, and the mark and source of a statement.

Owns no lookup: the facade fills `RegistrationFacts` from the tenant, the cloud table and the journal.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

from mimapp.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["EWS_ENDS", "Mark", "RegistrationFacts", "Source", "days_left"]

EWS_ENDS = date(2027, 4, 1)
"""EWS ends for good in the worldwide cloud; Exchange Team Blog 4561431, "EWS Deprecation Is Here" (2026-10-01)."""


class Mark(StrEnum):
    """Where a statement comes from, strongest first."""

    DOC = "Microsoft documentation"
    SCREEN = "screenshot in Microsoft's documentation"
    PUBLIC_CODE = "public source code"
    WRITE_UP = "the application-context write-up"
    ARTICLE = "a consultant's article"
    ISSUE_THREAD = "public issue thread"
    UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A page, repository or thread, and how far it can be relied on."""

    name: str
    mark: Mark

    def __str__(self) -> str:
        return f"{self.name} [{self.mark}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationFacts:
    """One registration, as far as the MIM server has to do with it.

    Attributes:
        application_id: the application (client) id that goes into the installer; a GUID.
        tenant_id: the tenant's id; a GUID, never a domain name.
        mailbox: the MIM Service mailbox's SMTP address.
        cloud_name: ``global``, ``gcc``, ``gcc-high``, ``dod``, ``china``, ``bleu`` or ``delos``.
        hosts: the names that the server must reach: login first, then Exchange.
        secret_expires: the end of the current secret, aware, or None where it is not known.
        secret_issued: when it was issued, aware, or None: a server written before cannot have it.
        ews_ends: the first day without EWS in this cloud, or None where Microsoft has given no date for it.
        secret_command: the command that shows the client secret once; never the secret.
        secret_key_id: Entra's id of the current secret, which its hand-over is confirmed by; empty: not known.
        named_by: the options that name this registration in another command, or empty.
        display_name: the registration's name for headings, or empty.
        registration: its key, under which the journal keeps what was found on the server; empty: it is not kept.
        sandbox: whether all this belongs to the simulated tenant.

    Raises:
        UsageError: an id is no GUID, or the mailbox no address.
    """

    application_id: str
    tenant_id: str
    mailbox: str
    cloud_name: str = "global"
    hosts: tuple[str, ...] = ("login.microsoftonline.com", "outlook.office365.com")
    secret_expires: datetime | None = None
    secret_issued: datetime | None = None
    ews_ends: date | None = EWS_ENDS
    secret_command: str = "mimapp secret show"  # noqa: S105 - a command, not a secret
    secret_key_id: str = ""  # the id of a secret, not the secret
    named_by: str = ""
    display_name: str = ""
    registration: str = ""
    sandbox: bool = False

    def __post_init__(self) -> None:
        for label, value in (("application id", self.application_id), ("tenant id", self.tenant_id)):
            _check_guid(label, value)
        local, at, domain = self.mailbox.partition("@")
        if not (local and at and domain) or any(
            sign.isspace() or not sign.isprintable() or sign in '"<>' for sign in self.mailbox
        ):
            raise UsageError(f"{self.mailbox!r} is not a mailbox address")


def _check_guid(label: str, value: str) -> None:
    try:
        right = str(uuid.UUID(value)) == value.lower()
    except ValueError:
        right = False
    if not right:
        raise UsageError(f"the {label} {value!r} is not a GUID", hint="take it from mimapp status")


def days_left(ends: date, now: datetime) -> int:
    """Whole days from now until a date; zero or less when it has come."""
    return (ends - now.date()).days
