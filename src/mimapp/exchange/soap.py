"""SOAP without surprises: the few envelopes that the probe sends, and a reader that takes no DTD.

The reader is expat itself, which resolves nothing external; a document type declaration, the only place where
entities can be declared, ends the reading at once. That is why defusedxml is no dependency of the core: it does the
same to the same parser. Names are compared without their namespace, since some copies of Microsoft's pages print the
namespaces wrong (``https``).
"""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.parsers import expat

from mimapp.errors import BadReplyError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Element", "envelope", "escape", "read_xml"]

_SEPARATOR = "\n"
_DEEPEST = 100


@dataclass(slots=True, kw_only=True)
class Element:
    """An element as it was read.

    Attributes:
        name: without its namespace.
        attributes: by name, without namespace.
        text: the text directly inside.
        children: in their order.
    """

    name: str
    attributes: dict[str, str]
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, name: str) -> Iterator[Element]:
        """Every element below with a name, in document order."""
        waiting = list(reversed(self.children))
        while waiting:
            element = waiting.pop()
            if element.name == name:
                yield element
            waiting.extend(reversed(element.children))

    def first(self, name: str) -> Element | None:
        """The first element below with a name."""
        return next(self.all(name), None)

    def text_of(self, name: str) -> str:
        """The text of the first element below with a name, on one line; empty without one."""
        element = self.first(name)
        return " ".join(element.text.split()) if element is not None else ""


def escape(text: str) -> str:
    """A text as it may stand in an element or an attribute."""
    return html.escape(text, quote=True)


def envelope(mailbox: str, body: str) -> bytes:
    """A request in the name of a mailbox: app-only EWS must impersonate.

    Args:
        mailbox: the SMTP address to impersonate.
        body: the operation, its values escaped.
    """
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"'
        ' xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages">'
        '<soap:Header><t:RequestServerVersion Version="Exchange2016"/>'
        "<t:ExchangeImpersonation><t:ConnectingSID>"
        f"<t:SmtpAddress>{escape(mailbox)}</t:SmtpAddress>"
        "</t:ConnectingSID></t:ExchangeImpersonation></soap:Header>"
        f"<soap:Body>{body}</soap:Body></soap:Envelope>"
    ).encode()


class _Builder:
    """Collects what expat tells."""

    def __init__(self) -> None:
        self.document = Element(name="", attributes={})
        self._open = [self.document]

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) > _DEEPEST:
            raise BadReplyError(f"an XML reply is nested deeper than {_DEEPEST} elements")
        bare = {key.rpartition(_SEPARATOR)[2]: value for key, value in attributes.items()}
        element = Element(name=name.rpartition(_SEPARATOR)[2], attributes=bare)
        self._open[-1].children.append(element)
        self._open.append(element)

    def text(self, text: str) -> None:
        self._open[-1].text += text

    def end(self, _: str) -> None:
        self._open.pop()


def _refuse(*_: object) -> None:
    raise BadReplyError("an XML reply declares a document type, which EWS never does", hint="look for a proxy between")


def read_xml(content: bytes) -> Element:
    """Read a document; its root element.

    Raises:
        BadReplyError: it is no XML, breaks off, is nested beyond reason or declares a document type.
    """
    builder = _Builder()
    parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise BadReplyError(f"a reply is not readable XML: {error}") from error
    return builder.document.children[0]
