"""The rows about the mailbox: what the address really is, each kind worded apart, and the region that keeps it.

A mailbox is known by its addresses, never by its display name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.checks.preflight_row import Row, Verdict

if TYPE_CHECKING:
    from mimapp.errors import ConflictError
    from mimapp.exchange import Mailbox, Recipient

__all__ = ["Sighting", "conflict_row", "mailbox_row", "region_row"]

_NAME = "mailbox"
_ON_PREMISES = (
    "move it to Exchange Online, or keep it where it is and choose option A or F in the MIM installer (Exchange "
    "Server): no application is needed then"
)
_RESOURCES = {"RoomMailbox": "room", "EquipmentMailbox": "piece of equipment"}
_MAILBOXES = frozenset({"UserMailbox", "SharedMailbox", *_RESOURCES})
_OWN_MAILBOX = "give MIM Service a user mailbox of its own in Exchange Online, and name that with --mailbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """All that Exchange says of one address.

    Attributes:
        address: the address that was asked for.
        matches: every recipient that has it among its proxy addresses.
        mailbox: the active mailbox that answers to it, by an address or the sign-in name.
        inactive: the one without user that a hold keeps; asked for only when nothing else was found.
        deleted: the deleted one that can still be recovered; asked for likewise.
    """

    address: str
    matches: tuple[Recipient, ...]
    mailbox: Mailbox | None
    inactive: Mailbox | None = None
    deleted: Mailbox | None = None


def mailbox_row(seen: Sighting) -> Row:
    """What the address is."""
    if len(seen.matches) > 1:
        return _several(seen)
    if seen.mailbox is not None:
        return _active(seen.address, seen.mailbox)
    if seen.matches:
        return _no_mailbox(seen.address, seen.matches[0])
    return _gone(seen)


def conflict_row(error: ConflictError) -> Row:
    """Several mailboxes answer to the name, one by an address and another by its sign-in name."""
    return Row(
        name=_NAME,
        verdict=Verdict.STOP,
        found=error.message,
        why="which of them MIM Service would read is not certain",
        remedy="name the mailbox by an address that is nobody else's sign-in name",
        details=error.details,
    )


def region_row(mailbox: Mailbox | None) -> Row:
    """Where a tenant in several regions keeps the mailbox.

    https://learn.microsoft.com/microsoft-365/enterprise/administering-exchange-online-multi-geo. That a tenant in one
    region gives none is unverified, so a region alone decides nothing.
    """
    name = "mailbox region"
    if mailbox is None:
        return Row(name=name, verdict=Verdict.UNKNOWN, found="not known", why="there is no mailbox to ask about")
    if not mailbox.mailbox_region:
        return Row(name=name, verdict=Verdict.OK, found="Exchange names none")
    return Row(
        name=name,
        verdict=Verdict.OK,
        found=mailbox.mailbox_region,
        why="in a tenant with several regions, what is asked of this mailbox goes by its own address "
        "(X-AnchorMailbox), not by the administrator's",
    )


def _several(seen: Sighting) -> Row:
    return Row(
        name=_NAME,
        verdict=Verdict.STOP,
        found=f"{len(seen.matches)} recipients have the address {seen.address}",
        why="which of them MIM Service would read is not certain",
        remedy="take the address away from all but one, or name a mailbox whose address is its own",
        details=tuple(_line(one) for one in seen.matches),
    )


def _active(address: str, mailbox: Mailbox) -> Row:
    if address.casefold() not in {own.casefold() for own in mailbox.addresses}:
        primary = mailbox.primary_smtp_address
        return Row(
            name=_NAME,
            verdict=Verdict.STOP,
            found=f"{address} is the sign-in name of a mailbox, not one of its addresses",
            why="EWS finds a mailbox by its SMTP address only",
            remedy=f"use --mailbox {primary}" if primary else "name the mailbox by its SMTP address",
        )
    kind = mailbox.recipient_type_details
    if kind == "UserMailbox":
        return _user(mailbox)
    if kind == "SharedMailbox":
        return Row(
            name=_NAME,
            verdict=Verdict.WARN,
            found=f"shared mailbox {mailbox.primary_smtp_address}",
            why="it can be in the scoping group and be read, but Microsoft's guide for MIM describes a user mailbox, "
            "and what the end of EWS does to shared mailboxes without a licence is not documented",
            remedy="better give MIM Service a licensed user mailbox",
        )
    if kind in _RESOURCES:
        # https://learn.microsoft.com/powershell/module/exchange/set-calendarprocessing: DeleteNonCalendarItems
        return Row(
            name=_NAME,
            verdict=Verdict.STOP,
            found=f"resource mailbox {mailbox.primary_smtp_address}: it belongs to a {_RESOURCES[kind]}",
            why="a resource mailbox deletes messages that are no meeting requests, unless it was told otherwise: "
            "approvals by mail would vanish",
            remedy=_OWN_MAILBOX,
        )
    return Row(
        name=_NAME,
        verdict=Verdict.STOP,
        found=f"mailbox {mailbox.primary_smtp_address} of kind {kind or 'unknown'}",
        why="it serves another purpose",
        remedy=_OWN_MAILBOX,
    )


def _user(mailbox: Mailbox) -> Row:
    found = f"user mailbox {mailbox.primary_smtp_address}"
    if mailbox.sku_assigned is False:
        # That SKUAssigned follows a licence at once is unverified, so it warns and does not stop.
        return Row(
            name=_NAME,
            verdict=Verdict.WARN,
            found=f"{found}, without an Exchange Online licence",
            why="Exchange says that no licence is assigned; EWS answers for such a mailbox that it does not exist",
            remedy="assign a licence with Exchange Online to its user, and wait some minutes",
            needs_person=True,
        )
    synced = "; its user comes from on-premises by directory synchronisation" if mailbox.is_dir_synced else ""
    return Row(name=_NAME, verdict=Verdict.OK, found=f"{found}{synced}")


def _no_mailbox(address: str, recipient: Recipient) -> Row:
    kind = recipient.recipient_type_details or recipient.recipient_type or "unknown"
    if kind in _MAILBOXES:
        return Row(
            name=_NAME,
            verdict=Verdict.UNKNOWN,
            found="not known",
            why=f"Exchange showed {address} as {kind} to one question and no mailbox to the next: it is new, or just "
            "gone",
            remedy="check again in some minutes",
            needs_person=True,
        )
    if kind.endswith("MailUser"):
        return Row(
            name=_NAME,
            verdict=Verdict.STOP,
            found=f"{address} is a mail user: its mailbox is still on-premises, or in another organisation",
            why="Exchange Online only forwards its mail, so EWS here knows no such mailbox",
            remedy=_ON_PREMISES,
        )
    if "Group" in kind:
        return Row(
            name=_NAME,
            verdict=Verdict.STOP,
            found=f"{address} is a group ({kind})",
            why="MIM Service reads a mailbox; a group has none that EWS opens for it",
            remedy=_OWN_MAILBOX,
        )
    return Row(
        name=_NAME,
        verdict=Verdict.STOP,
        found=f"{address} is of kind {kind}, and has no mailbox here",
        why="MIM Service reads a mailbox of this tenant",
        remedy=_OWN_MAILBOX,
    )


def _gone(seen: Sighting) -> Row:
    if seen.inactive is not None:
        return Row(
            name=_NAME,
            verdict=Verdict.STOP,
            found=f"the mailbox of {seen.address} is inactive: its user is gone, and a hold keeps what is in it",
            why="nobody can use an inactive mailbox, and it takes no mail",
            remedy="recover it into a new user's mailbox (New-Mailbox -InactiveMailbox), or name another mailbox",
        )
    if seen.deleted is not None:
        return Row(
            name=_NAME,
            verdict=Verdict.STOP,
            found=f"the mailbox of {seen.address} is deleted, and can still be recovered",
            why="a deleted mailbox takes no mail; 30 days after its deletion it is gone for good",
            remedy="restore its user in Entra (or Undo-SoftDeletedMailbox), give it a licence, then check again",
        )
    return Row(
        name=_NAME,
        verdict=Verdict.STOP,
        found=f"Exchange Online knows no {seen.address}",
        why="neither a mailbox nor another recipient has this address, a deleted one included",
        remedy="look for a typing error; a new mailbox can take some minutes, and needs a licence",
    )


def _line(recipient: Recipient) -> str:
    name = recipient.primary_smtp_address or recipient.identity or recipient.guid
    return f"{name} ({recipient.recipient_type_details or recipient.recipient_type or 'unknown kind'})"
