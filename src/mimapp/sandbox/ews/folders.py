"""GetFolder: the distinguished folders of a mailbox, in the shape that was asked for."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from mimapp.sandbox.ews.errors import OperationError
from mimapp.sandbox.ews.mailstore import change_key
from mimapp.sandbox.ews.soap import child, children, element

if TYPE_CHECKING:
    from xml.etree import ElementTree as ET

    from mimapp.sandbox.ews.session import Session

__all__ = ["FOLDERS", "Folder", "folder_of", "get_folder"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A distinguished folder; `parent` is empty for the root."""

    id: str
    name: str
    form: str = "Folder"
    item_class: str = "IPF.Note"
    parent: str = "msgfolderroot"


FOLDERS = {
    folder.id: folder
    for folder in (
        Folder(id="root", name="root", item_class="", parent=""),
        Folder(id="msgfolderroot", name="Top of Information Store", item_class="IPF", parent="root"),
        Folder(id="inbox", name="Inbox"),
        Folder(id="sentitems", name="Sent Items"),
        Folder(id="deleteditems", name="Deleted Items"),
        Folder(id="drafts", name="Drafts"),
        Folder(id="outbox", name="Outbox"),
        Folder(id="junkemail", name="Junk Email"),
        Folder(id="calendar", name="Calendar", form="CalendarFolder", item_class="IPF.Appointment"),
        Folder(id="contacts", name="Contacts", form="ContactsFolder", item_class="IPF.Contact"),
        Folder(id="tasks", name="Tasks", form="TasksFolder", item_class="IPF.Task"),
        Folder(id="notes", name="Notes", item_class="IPF.StickyNote"),
        Folder(id="journal", name="Journal", item_class="IPF.Journal"),
    )
}
"""Every folder that a simulated mailbox has, by its distinguished name."""

_DEFAULT = ("folder:DisplayName", "folder:TotalCount", "folder:ChildFolderCount", "folder:UnreadCount")
_ALL = ("folder:ParentFolderId", "folder:FolderClass", *_DEFAULT, "folder:DistinguishedFolderId")
_SHAPES = {"IdOnly": (), "Default": _DEFAULT, "AllProperties": _ALL}


def get_folder(request: ET.Element, session: Session) -> list[ET.Element]:
    """One folder for every id in the request, or the error that it has."""
    shape = child(request, "BaseShape")
    wanted = {*_SHAPES.get((shape.text or "") if shape is not None else "", ())}
    wanted |= {uri.get("FieldURI", "") for uri in children(request, "FieldURI")}
    ids = child(request, "FolderIds")
    return [session.part(partial(_folder, one, wanted, session)) for one in (list(ids) if ids is not None else [])]


def _folder(reference: ET.Element, wanted: set[str], session: Session) -> ET.Element:
    return element("m:Folders", _shown(folder_of(reference, session), wanted, session))


def folder_of(reference: ET.Element, session: Session) -> Folder:
    """The folder that a DistinguishedFolderId or FolderId names.

    Raises:
        OperationError: the mailbox has no such folder, or another mailbox is meant.
    """
    named = reference.get("Id", "")
    address = child(reference, "EmailAddress")
    if address is not None and not session.is_own((address.text or "").strip()):
        raise OperationError("ErrorAccessDenied", "Access is denied. Check credentials and try again.")
    if reference.tag.endswith("DistinguishedFolderId"):
        found = FOLDERS.get(named.casefold())
    else:
        mailbox, _, name = _decoded(named).partition("|")
        found = FOLDERS.get(name) if mailbox == session.mailbox.guid else None
    if found is None:
        raise OperationError("ErrorFolderNotFound", "The specified folder could not be found in the store.")
    return found


def _shown(folder: Folder, wanted: set[str], session: Session) -> ET.Element:
    items = session.mail.items(session.mailbox.guid, folder.id)
    # In the order of the schema, which clients may rely on.
    properties = {
        "folder:ParentFolderId": element("t:ParentFolderId", attributes=_id(folder.parent, session)),
        "folder:FolderClass": element("t:FolderClass", text=folder.item_class),
        "folder:DisplayName": element("t:DisplayName", text=folder.name),
        "folder:TotalCount": element("t:TotalCount", text=str(len(items))),
        "folder:ChildFolderCount": element("t:ChildFolderCount", text=str(_children(folder))),
        "folder:DistinguishedFolderId": element("t:DistinguishedFolderId", text=folder.id),
        "folder:UnreadCount": element("t:UnreadCount", text=str(sum(not item.read for item in items))),
    }
    made = element(f"t:{folder.form}", element("t:FolderId", attributes=_id(folder.id, session)))
    for name, part in properties.items():
        if name in wanted and not (name == "folder:ParentFolderId" and not folder.parent):
            made.append(part)
    return made


def _children(folder: Folder) -> int:
    return sum(other.parent == folder.id for other in FOLDERS.values())


def _id(folder_id: str, session: Session) -> dict[str, str]:
    named = f"{session.mailbox.guid}|{folder_id}"
    return {"Id": base64.b64encode(named.encode()).decode(), "ChangeKey": change_key(named)}


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise OperationError("ErrorInvalidIdMalformed", "Id is malformed.") from None
