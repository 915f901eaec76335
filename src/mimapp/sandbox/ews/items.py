"""CreateItem, FindItem and DeleteItem: enough to send a mail to oneself, find it and take it away.

Mail reaches the mailboxes of the tenant at once; what goes elsewhere is taken and lost. A search reads comparisons of
the subject, alone or joined by And; everything else it refuses instead of ignoring it.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from mimapp.sandbox.ews.errors import OperationError
from mimapp.sandbox.ews.folders import folder_of
from mimapp.sandbox.ews.mailstore import Item, change_key, new_item_id
from mimapp.sandbox.ews.soap import child, children, element
from mimapp.sandbox.exchange.access import mailbox_of

if TYPE_CHECKING:
    from xml.etree import ElementTree as ET

    from mimapp.sandbox.ews.session import Session

__all__ = ["create_item", "delete_item", "find_item"]

_DEFAULT = ("item:Subject", "item:DateTimeReceived", "message:From", "message:IsRead", "message:InternetMessageId")
_DISPOSITIONS = frozenset({"SaveOnly", "SendOnly", "SendAndSaveCopy"})
_DELETE_TYPES = frozenset({"HardDelete", "SoftDelete", "MoveToDeletedItems"})


# Sending


def create_item(request: ET.Element, session: Session) -> list[ET.Element]:
    """One answer for every message in the request."""
    disposition = request.get("MessageDisposition", "")
    items = child(request, "Items")
    return [
        session.part(partial(_create, one, disposition, session)) for one in (list(items) if items is not None else [])
    ]


def _create(message: ET.Element, how: str, session: Session) -> ET.Element:
    if how not in _DISPOSITIONS:
        raise OperationError("ErrorMessageDispositionRequired", "Message disposition is required for a message item.")
    if not message.tag.endswith("}Message"):
        raise OperationError("ErrorUnsupportedTypeForConversion", "The sandbox keeps messages only.")
    draft = _draft(message, session)
    if how == "SaveOnly":
        session.mail.put(draft)
        return element("m:Items", element("t:Message", _item_id(draft)))
    if not draft.recipients:
        raise OperationError("ErrorInvalidRecipients", "At least one recipient isn't valid.")
    if how == "SendAndSaveCopy":
        session.mail.put(replace(draft, id=new_item_id(), folder="sentitems", read=True))
    for address in draft.recipients:
        receiver = mailbox_of(session.directory, address)
        if receiver is not None:
            session.mail.put(replace(draft, id=new_item_id(), mailbox=receiver.guid, folder="inbox"))
    # A sent message is given no id.
    return element("m:Items")


def _draft(message: ET.Element, session: Session) -> Item:
    recipients = [
        (address.text or "").strip()
        for name in ("ToRecipients", "CcRecipients", "BccRecipients")
        if (block := child(message, name)) is not None
        for address in children(block, "EmailAddress")
    ]
    return Item(
        id=new_item_id(),
        mailbox=session.mailbox.guid,
        folder="drafts",
        subject=_text(message, "Subject"),
        body=_text(message, "Body"),
        sender=session.mailbox.primary,
        recipients=tuple(recipients),
        received=session.now,
        message_id=f"<{uuid.uuid4()}@{session.directory.organization.initial_domain}>",
    )


def _text(parent: ET.Element, name: str) -> str:
    found = child(parent, name)
    return (found.text or "") if found is not None else ""


# Searching


def find_item(request: ET.Element, session: Session) -> list[ET.Element]:
    """One answer for every folder in the request."""
    folders = child(request, "ParentFolderIds")
    shape = child(request, "ItemShape")
    wanted: set[str] = set()
    if shape is not None:
        wanted = {uri.get("FieldURI", "") for uri in children(shape, "FieldURI")}
        wanted |= set() if _text(shape, "BaseShape") == "IdOnly" else set(_DEFAULT)

    references = list(folders) if folders is not None else []
    return [session.part(partial(_found, request, one, wanted, session)) for one in references]


def _found(request: ET.Element, reference: ET.Element, wanted: set[str], session: Session) -> ET.Element:
    folder = folder_of(reference, session)
    restriction = child(request, "Restriction")
    # Read before any item is looked at: a search that is not understood is refused over an empty folder too.
    tests = [test for condition in (restriction if restriction is not None else ()) for test in _tests(condition)]
    items = [
        item
        for item in session.mail.items(session.mailbox.guid, folder.id)
        if all(test.fits(item.subject) for test in tests)
    ]
    view = child(request, "IndexedPageItemView")
    offset = int(view.get("Offset", "0")) if view is not None else 0
    size = int(view.get("MaxEntriesReturned", "1000")) if view is not None else 1000
    page = items[offset : offset + size]
    last = offset + size >= len(items)
    return element(
        "m:RootFolder",
        element("t:Items", *(_shown(item, wanted) for item in page)),
        attributes={
            "IndexedPagingOffset": str(offset + len(page)),
            "TotalItemsInView": str(len(items)),
            "IncludesLastItemInRange": str(last).lower(),
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _SubjectTest:
    """One comparison of the subject; `mode` is EWS's ContainmentMode."""

    value: str
    mode: str = "FullString"
    ignore_case: bool = False

    def fits(self, subject: str) -> bool:
        value = self.value
        if self.ignore_case:
            subject, value = subject.casefold(), value.casefold()
        if self.mode == "FullString":
            return subject == value
        return subject.startswith(value) if self.mode == "Prefixed" else value in subject


def _tests(condition: ET.Element) -> list[_SubjectTest]:
    """The comparisons of a condition, all of which must fit."""
    kind = condition.tag.rpartition("}")[2]
    if kind == "And":
        return [test for inner in condition for test in _tests(inner)]
    field, constant = child(condition, "FieldURI"), child(condition, "Constant")
    subject = field is not None and field.get("FieldURI") == "item:Subject"
    if not subject or constant is None or kind not in {"IsEqualTo", "Contains"}:
        raise OperationError("ErrorUnsupportedPathForQuery", "The specified path is not supported for query.")
    return [
        _SubjectTest(
            value=constant.get("Value", ""),
            mode=condition.get("ContainmentMode", "FullString"),
            ignore_case="IgnoreCase" in condition.get("ContainmentComparison", ""),
        )
    ]


def _shown(item: Item, wanted: set[str]) -> ET.Element:
    sender = element("t:Mailbox", element("t:EmailAddress", text=item.sender), element("t:RoutingType", text="SMTP"))
    # In the order of the schema.
    properties = {
        "item:Subject": element("t:Subject", text=item.subject),
        "item:DateTimeReceived": element("t:DateTimeReceived", text=item.received.strftime("%Y-%m-%dT%H:%M:%SZ")),
        "message:From": element("t:From", sender),
        "message:InternetMessageId": element("t:InternetMessageId", text=item.message_id),
        "message:IsRead": element("t:IsRead", text=str(item.read).lower()),
    }
    return element("t:Message", _item_id(item), *(part for name, part in properties.items() if name in wanted))


def _item_id(item: Item) -> ET.Element:
    return element("t:ItemId", attributes={"Id": item.id, "ChangeKey": change_key(item.id)})


# Taking away


def delete_item(request: ET.Element, session: Session) -> list[ET.Element]:
    """One answer for every item in the request."""
    ids = child(request, "ItemIds")
    how = request.get("DeleteType", "")
    return [session.part(partial(_delete, one, how, session)) for one in (list(ids) if ids is not None else [])]


def _delete(reference: ET.Element, how: str, session: Session) -> None:
    item = session.mail.get(session.mailbox.guid, reference.get("Id", ""))
    if item is None or how not in _DELETE_TYPES:
        raise OperationError("ErrorItemNotFound", "The specified object was not found in the store.")
    if how == "MoveToDeletedItems":
        session.mail.put(replace(item, folder="deleteditems"))
    else:
        session.mail.delete(item)
