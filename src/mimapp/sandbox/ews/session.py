"""What an operation works on: the impersonated mailbox, its mail, the organisation; and how its parts are answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.sandbox.ews.errors import OperationError
from mimapp.sandbox.ews.soap import element
from mimapp.sandbox.exchange.access import mailbox_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from xml.etree import ElementTree as ET

    from mimapp.sandbox.ews.mailstore import MailStore
    from mimapp.sandbox.exchange.models import Directory, Recipient

__all__ = ["Session"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One request inside a mailbox that it may open."""

    operation: str
    mailbox: Recipient
    directory: Directory
    mail: MailStore
    now: datetime

    def is_own(self, address: str) -> bool:
        """Whether an address is the opened mailbox's."""
        found = mailbox_of(self.directory, address)
        return found is not None and found.guid == self.mailbox.guid

    def part(self, build: Callable[[], ET.Element | None]) -> ET.Element:
        """The response message of one part of the request: what `build` makes of it, or its error."""
        name = f"m:{self.operation}ResponseMessage"
        try:
            made = build()
        except OperationError as problem:
            return element(
                name,
                element("m:MessageText", text=problem.text),
                element("m:ResponseCode", text=problem.code),
                element("m:DescriptiveLinkKey", text="0"),
                attributes={"ResponseClass": "Error"},
            )
        code = element("m:ResponseCode", text="NoError")
        inner = (code,) if made is None else (code, made)
        return element(name, *inner, attributes={"ResponseClass": "Success"})
