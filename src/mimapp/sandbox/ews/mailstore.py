"""The mail of the simulated mailboxes: items in folders, one document each."""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - msgspec reads the annotations of the items
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from mimapp.sandbox.state import Transaction

__all__ = ["Item", "MailStore", "change_key", "new_item_id"]

_KIND = "ews.item"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A mail.

    Attributes:
        id: EWS's id of the item.
        mailbox: the guid of the mailbox that holds it.
        folder: the distinguished name of its folder.
        read: whether it counts as read.
    """

    id: str
    mailbox: str
    folder: str
    subject: str
    body: str
    sender: str
    recipients: tuple[str, ...]
    received: datetime
    message_id: str
    read: bool = False


# On import, by one thread: in msgspec 0.22 two threads that are the first to read a form can end the process.
msgspec.json.Decoder(Item)


class MailStore:
    """The items of one tenant within a transaction."""

    def __init__(self, tx: Transaction, tenant_id: str) -> None:
        self._tx = tx
        self._tenant = tenant_id

    def items(self, mailbox: str, folder: str) -> list[Item]:
        """The items of a folder, the newest first."""
        records = self._tx.find(self._tenant, _KIND, mailbox=mailbox, folder=folder)
        found = [msgspec.convert(record.body, Item) for record in records]
        return sorted(found, key=lambda item: item.received, reverse=True)

    def get(self, mailbox: str, item_id: str) -> Item | None:
        """An item of that mailbox."""
        record = self._tx.get(self._tenant, _KIND, _document_id(item_id))
        item = msgspec.convert(record.body, Item) if record is not None else None
        return item if item is not None and item.id == item_id and item.mailbox == mailbox else None

    def put(self, item: Item) -> None:
        """Write an item."""
        self._tx.put(self._tenant, _KIND, _document_id(item.id), msgspec.to_builtins(item), settled=True)

    def delete(self, item: Item) -> None:
        """Remove an item for good."""
        self._tx.delete(self._tenant, _KIND, _document_id(item.id))


def new_item_id() -> str:
    """A fresh item id, which distinguishes case as EWS's do."""
    return base64.b64encode(b"AAMk" + uuid.uuid4().bytes + uuid.uuid4().bytes).decode()


def change_key(seed: str) -> str:
    """A change key, fixed for what never changes here."""
    return base64.b64encode(uuid.uuid5(uuid.NAMESPACE_OID, seed).bytes + b"AAAA").decode()


def _document_id(item_id: str) -> str:
    # Documents are found without regard to case, item ids with it.
    return str(uuid.uuid5(uuid.NAMESPACE_OID, item_id))
