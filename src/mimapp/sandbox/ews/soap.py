"""SOAP envelopes of EWS: a request taken apart with defusedxml, a reply put together with xml.etree.

Namespaces and the form of replies are those of facts/ews.md 7. Prefixes are written into the names, because registering
them with xml.etree would change every other user of it in the process.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import defusedxml
import defusedxml.ElementTree

from mimapp.sandbox.ews.errors import SoapFault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["MESSAGES", "TYPES", "Impersonated", "SoapCall", "child", "children", "element", "envelope", "fault", "read"]

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
ERRORS = "http://schemas.microsoft.com/exchange/services/2006/errors"
_FORMS = frozenset({"SmtpAddress", "PrimarySmtpAddress", "PrincipalName"})
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Impersonated:
    """Whom a request acts as: `form` is SmtpAddress, PrimarySmtpAddress or PrincipalName."""

    form: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SoapCall:
    """One request: its operation's name and element, and whom it acts as."""

    operation: str
    body: ET.Element
    impersonated: Impersonated | None


def read(raw: bytes) -> SoapCall:
    """Take a request apart; entities and document types are refused.

    Raises:
        SoapFault: it is no SOAP envelope with one operation, or its impersonation cannot be read.
    """
    try:
        root = defusedxml.ElementTree.fromstring(raw, forbid_dtd=True)
    except (ET.ParseError, defusedxml.DefusedXmlException, ValueError) as error:
        raise SoapFault("ErrorSchemaValidation", "The request failed schema validation.") from error
    body = root.find(f"{{{SOAP}}}Body")
    operations = list(body) if body is not None else []
    if root.tag != f"{{{SOAP}}}Envelope" or len(operations) != 1:
        raise SoapFault("ErrorSchemaValidation", "The request failed schema validation.")
    operation = operations[0]
    return SoapCall(
        operation=operation.tag.rpartition("}")[2],
        body=operation,
        impersonated=_impersonated(root),
    )


def _impersonated(root: ET.Element) -> Impersonated | None:
    header = root.find(f"{{{SOAP}}}Header/{{{TYPES}}}ExchangeImpersonation/{{{TYPES}}}ConnectingSID")
    if header is None:
        return None
    named = list(header)
    form = named[0].tag.rpartition("}")[2] if len(named) == 1 else ""
    value = (named[0].text or "").strip() if named else ""
    if form not in _FORMS or not value:
        # SID is a valid form that the sandbox does not know; how a bad header is refused is unverified.
        raise SoapFault(
            "ErrorInvalidExchangeImpersonationHeaderData",
            "ExchangeImpersonation SOAP header must have only one member in ConnectingSID.",
        )
    return Impersonated(form=form, value=value)


def children(parent: ET.Element, name: str) -> Iterator[ET.Element]:
    """The elements of that name at any depth, whatever their namespace."""
    return (found for found in parent.iter() if found.tag.rpartition("}")[2] == name)


def child(parent: ET.Element, name: str) -> ET.Element | None:
    """The first of them."""
    return next(children(parent, name), None)


def element(
    name: str, *inner: ET.Element, text: str | None = None, attributes: Mapping[str, str] | None = None
) -> ET.Element:
    """An element with a prefixed name, such as ``m:ResponseCode``; characters that XML has no place for are dropped."""
    made = ET.Element(name, {key: _NOT_XML.sub("", value) for key, value in (attributes or {}).items()})
    made.text = None if text is None else _NOT_XML.sub("", text)
    made.extend(inner)
    return made


def envelope(response: ET.Element) -> bytes:
    """A reply with its server version."""
    version = {
        "MajorVersion": "15",
        "MinorVersion": "20",
        "MajorBuildNumber": "7587",
        "MinorBuildNumber": "36",
        "Version": "V2018_01_08",
        "xmlns:h": TYPES,
    }
    response.set("xmlns:m", MESSAGES)
    response.set("xmlns:t", TYPES)
    header = element("s:Header", element("h:ServerVersionInfo", attributes=version))
    return _serialised(element("s:Envelope", header, element("s:Body", response), attributes={"xmlns:s": SOAP}))


def fault(problem: SoapFault) -> bytes:
    """A SOAP fault in the form of the logged ones; it goes with HTTP 500."""
    errors = {"xmlns:e": ERRORS}
    detail = element(
        "detail",
        element("e:ResponseCode", text=problem.code, attributes=errors),
        element("e:Message", text=problem.text, attributes=errors),
    )
    if problem.values:
        values = [element("t:Value", text=text, attributes={"Name": name}) for name, text in problem.values.items()]
        detail.append(element("t:MessageXml", *values, attributes={"xmlns:t": TYPES}))
    told = element(
        "s:Fault",
        element("faultcode", text=f"a:{problem.code}", attributes={"xmlns:a": TYPES}),
        element("faultstring", text=problem.text, attributes={"xml:lang": "en-US"}),
        detail,
    )
    return _serialised(element("s:Envelope", element("s:Body", told), attributes={"xmlns:s": SOAP}))


def _serialised(root: ET.Element) -> bytes:
    text: str = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>{text}'.encode()
