"""The EWS probe: asks a mailbox for its inbox as MIM Service would, and says what the answer is.

An answer is judged in one order: ``X-EWS-Policy-Reason``, then ``x-ms-diagnostics``, then the SOAP response code,
then the bare status. Texts follow the mailbox language, so they are shown and never compared
(https://learn.microsoft.com/exchange/client-developer/exchange-web-services/how-to-control-access-to-ews-in-exchange).
What an answer means for a registration is decided above.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from mimapp.errors import BadReplyError
from mimapp.exchange.soap import envelope, escape, read_xml
from mimapp.transport import Reply, Request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mimapp.exchange.soap import Element
    from mimapp.transport import Sender

__all__ = ["EwsAnswer", "EwsKind", "EwsProbe"]

_OK = 200
_UNAUTHORIZED = 401
_FORBIDDEN = 403
# Not 500: that carries SOAP faults, which another try does not change.
_BUSY_STATUS = frozenset({408, 429, 502, 503, 504})
#: EWS answers every SOAP fault with 500: it is an answer, not a breakdown.
_ANSWERS = frozenset({500})
_NOT_ENOUGH_SCOPE = "2000008"
_LONGEST_TEXT = 300


class EwsKind(Enum):
    """What an answer is; each with the facts that it is told by."""

    SUCCESS = "success"
    """200 with ResponseClass Success."""
    EWS_DISABLED = "ews-disabled"
    """403 with X-EWS-Policy-Reason: the switch of the organisation or of the mailbox. Proves nothing of a scope."""
    EWS_BLOCKED = "ews-blocked"
    """403 with X-EWS-Policy-Reason: the list of applications or the User-Agent policy. Proves nothing of a scope."""
    NO_PERMISSION = "no-permission"
    """401 or 403 with x-ms-diagnostics 2000008: no consent and no role, or not spread (exchangelib issue 1321)."""
    DIAGNOSED = "diagnosed"
    """401 or 403 with other x-ms-diagnostics."""
    POLICY_DENIED = "policy-denied"
    """403 with neither header nor body: most likely an application access policy (exchangelib issue 1199)."""
    BAD_TOKEN = "bad-token"  # noqa: S105 - the name of a verdict, not a password
    """401 without diagnostics: audience, tenant or expiry [unverified]."""
    NO_MAILBOX = "no-mailbox"
    """ErrorNonExistentMailbox: wrong address, no licence, or on-premises."""
    IMPERSONATION_DENIED = "impersonation-denied"
    """ErrorImpersonateUserDenied or ErrorImpersonationDenied."""
    ACCESS_DENIED = "access-denied"
    """ErrorAccessDenied."""
    BUSY = "busy"
    """ErrorServerBusy, or a status that says so."""
    OTHER = "other"
    """Another response code or status: see `EwsAnswer.response_code` and `EwsAnswer.text`."""


_BY_CODE = {
    "ErrorNonExistentMailbox": EwsKind.NO_MAILBOX,
    "ErrorImpersonateUserDenied": EwsKind.IMPERSONATION_DENIED,
    "ErrorImpersonationDenied": EwsKind.IMPERSONATION_DENIED,
    "ErrorAccessDenied": EwsKind.ACCESS_DENIED,
    "ErrorServerBusy": EwsKind.BUSY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EwsAnswer:
    """What came back.

    Attributes:
        kind: what it is.
        status: the HTTP status.
        policy_reason: the header ``X-EWS-Policy-Reason``; empty without one.
        diagnostics: the header ``x-ms-diagnostics``; empty without one.
        response_code: EWS's own code, such as ``NoError``; empty without one.
        text: EWS's words, for showing only.
        back_off: seconds that EWS asks to wait, or None.
        items: the ids of the items found.
        request_id: the id under which the service logged the request, or None.
        client_request_id: the id that mimapp gave the request, or None.
    """

    kind: EwsKind
    status: int
    policy_reason: str = ""
    diagnostics: str = ""
    response_code: str = ""
    text: str = ""
    back_off: float | None = None
    items: tuple[str, ...] = ()
    request_id: str | None = None
    client_request_id: str | None = None

    @property
    def is_ews_policy(self) -> bool:
        """Whether EWS itself is closed here, which says nothing of what the application may reach."""
        return self.kind in {EwsKind.EWS_DISABLED, EwsKind.EWS_BLOCKED}

    @property
    def is_denial(self) -> bool:
        """Whether this mailbox is refused to the application, for want of a right or by what limits its right."""
        return self.kind in _DENIALS


_DENIALS = frozenset(
    {
        EwsKind.NO_PERMISSION,
        EwsKind.DIAGNOSED,
        EwsKind.POLICY_DENIED,
        EwsKind.IMPERSONATION_DENIED,
        EwsKind.ACCESS_DENIED,
    }
)


class EwsProbe:
    """Asks as the application, in the name of one mailbox.

    The request carries mimapp's ``User-Agent``, not MIM's, which is not known: under a User-Agent policy the two may
    be answered differently.

    Args:
        sender: sends with the application's own token.
        base_url: the Exchange host, such as ``https://outlook.office365.com``.
    """

    def __init__(self, sender: Sender, base_url: str) -> None:
        self._sender = sender
        self._url = f"{base_url.rstrip('/')}/EWS/Exchange.asmx"

    def get_inbox(self, mailbox: str) -> EwsAnswer:
        """Ask for the id of the inbox; no mail is read.

        The request is that of David-Barrett-MS/PowerShell-EWS-Scripts Test-EWSAppAccess.ps1.

        Raises:
            TransportError: no answer, or one that is not EWS's.
        """
        body = (
            "<m:GetFolder><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape>"
            '<m:FolderIds><t:DistinguishedFolderId Id="inbox"/></m:FolderIds></m:GetFolder>'
        )
        return self._ask(mailbox, body, is_read=True)

    def send_to_self(self, mailbox: str, subject: str, text: str = "") -> EwsAnswer:
        """Send a mail from a mailbox to itself, keeping no copy.

        https://learn.microsoft.com/exchange/client-developer/web-service-reference/createitem-operation-email-message

        Raises:
            ReplyLostError: nobody knows whether it was sent.
            TransportError: no answer, or one that is not EWS's.
        """
        body = (
            '<m:CreateItem MessageDisposition="SendOnly"><m:Items><t:Message>'
            f'<t:Subject>{escape(subject)}</t:Subject><t:Body BodyType="Text">{escape(text)}</t:Body>'
            f"<t:ToRecipients><t:Mailbox><t:EmailAddress>{escape(mailbox)}</t:EmailAddress></t:Mailbox></t:ToRecipients>"
            "</t:Message></m:Items></m:CreateItem>"
        )
        return self._ask(mailbox, body, is_read=False)

    def find(self, mailbox: str, subject: str) -> EwsAnswer:
        """Look in the inbox for mails with exactly this subject: at most ten ids, in `EwsAnswer.items`.

        https://learn.microsoft.com/exchange/client-developer/web-service-reference/finditem-operation

        Raises:
            TransportError: no answer, or one that is not EWS's.
        """
        body = (
            '<m:FindItem Traversal="Shallow"><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape>'
            '<m:IndexedPageItemView MaxEntriesReturned="10" Offset="0" BasePoint="Beginning"/>'
            '<m:Restriction><t:IsEqualTo><t:FieldURI FieldURI="item:Subject"/>'
            f'<t:FieldURIOrConstant><t:Constant Value="{escape(subject)}"/></t:FieldURIOrConstant>'
            '</t:IsEqualTo></m:Restriction><m:ParentFolderIds><t:DistinguishedFolderId Id="inbox"/>'
            "</m:ParentFolderIds></m:FindItem>"
        )
        return self._ask(mailbox, body, is_read=True)

    def delete(self, mailbox: str, items: Sequence[str]) -> EwsAnswer:
        """Delete items for good, by their ids.

        https://learn.microsoft.com/exchange/client-developer/web-service-reference/deleteitem-operation

        Raises:
            TransportError: no answer, or one that is not EWS's.
        """
        ids = "".join(f'<t:ItemId Id="{escape(item)}"/>' for item in items)
        body = f'<m:DeleteItem DeleteType="HardDelete"><m:ItemIds>{ids}</m:ItemIds></m:DeleteItem>'
        return self._ask(mailbox, body, is_read=True)

    def _ask(self, mailbox: str, body: str, *, is_read: bool) -> EwsAnswer:
        # Not `repeatable`: that would send again after 500, which is how EWS says "no".
        request = Request(
            method="POST",
            url=self._url,
            headers={"Content-Type": "text/xml; charset=utf-8", "X-AnchorMailbox": mailbox},
            content=envelope(mailbox, body),
            what=f"EWS for {mailbox}",
            again_when=_is_passing if is_read else _never,
            repeatable=is_read,
            answers=_ANSWERS,
        )
        return _judge(self._sender.send(request))


def _is_passing(reply: Reply) -> bool:
    return reply.status in _BUSY_STATUS


def _never(_: Reply) -> bool:
    return False


def _judge(reply: Reply) -> EwsAnswer:
    policy_reason = reply.headers.get("x-ews-policy-reason", "") if reply.status == _FORBIDDEN else ""
    refused = reply.status in {_UNAUTHORIZED, _FORBIDDEN}
    diagnostics = reply.headers.get("x-ms-diagnostics", "") if refused else ""
    document = _soap(reply)
    code = _response_code(document) if document is not None else ""
    return EwsAnswer(
        kind=_kind(reply, policy_reason, diagnostics, code, document),
        status=reply.status,
        policy_reason=policy_reason,
        diagnostics=diagnostics,
        response_code=code,
        text=_text(reply, document),
        back_off=_back_off(document),
        items=tuple(one.attributes.get("Id", "") for one in document.all("ItemId")) if document is not None else (),
        request_id=reply.request_id,
        client_request_id=reply.client_request_id,
    )


def _kind(reply: Reply, policy_reason: str, diagnostics: str, code: str, document: Element | None) -> EwsKind:
    """The verdict, in the order that the module's docstring gives."""
    if policy_reason:
        return EwsKind.EWS_DISABLED if "disabled" in policy_reason.lower() else EwsKind.EWS_BLOCKED
    if diagnostics:
        return EwsKind.NO_PERMISSION if diagnostics.lstrip().startswith(_NOT_ENOUGH_SCOPE) else EwsKind.DIAGNOSED
    if code == "NoError" and reply.status == _OK:
        return EwsKind.SUCCESS
    if code:
        return _BY_CODE.get(code, EwsKind.OTHER)
    is_bare = document is None and not reply.content.strip()
    bare = {
        _UNAUTHORIZED: EwsKind.BAD_TOKEN,
        _FORBIDDEN: EwsKind.POLICY_DENIED if is_bare else EwsKind.OTHER,
        **dict.fromkeys(_BUSY_STATUS, EwsKind.BUSY),
    }
    return bare.get(reply.status, EwsKind.OTHER)


def _soap(reply: Reply) -> Element | None:
    """The envelope of a reply; None where an error has no readable one.

    Raises:
        BadReplyError: a success is no SOAP envelope.
    """
    if reply.status != _OK and not reply.content.strip():
        return None
    try:
        document = read_xml(reply.content)
    except BadReplyError as error:
        if reply.status == _OK:
            error.client_request_id = reply.client_request_id
            raise
        return None
    if document.name == "Envelope":
        return document
    if reply.status == _OK:
        raise BadReplyError(
            f"what came back for EWS is a <{document.name}>, not a SOAP envelope",
            hint="look for a proxy in between",
            client_request_id=reply.client_request_id,
        )
    return None


def _response_code(document: Element) -> str:
    code = document.text_of("ResponseCode")
    return code or document.text_of("faultcode").rpartition(":")[2]


def _text(reply: Reply, document: Element | None) -> str:
    if document is None:
        text = " ".join(reply.content.decode("utf-8", "replace").split())
    else:
        names = ("MessageText", "Message", "faultstring")
        text = next((found for found in map(document.text_of, names) if found), "")
    return text[:_LONGEST_TEXT]


def _back_off(document: Element | None) -> float | None:
    """Seconds from ``BackOffMilliseconds`` (ecederstrand/exchangelib)."""
    for value in document.all("Value") if document is not None else ():
        text = value.text.strip()
        if value.attributes.get("Name") == "BackOffMilliseconds" and text.isascii() and text.isdigit():
            return int(text) / 1000
    return None
