"""What a refusal of the Exchange admin API means: its text taken apart, and the error of our tree that it becomes.

The order in which a body is read, and the meaning of each status, come from public clients of InvokeCommand
(KelvinTegelaar/CIPP-API, GreyCorbel/ExoHelper, tiredithumans/azapptoolkit), since Microsoft documents neither. Texts
follow the language of the mailbox or server, so exception types come first and texts are the last resort.

It does not decide what a resource makes of an error: that a group is absent, or a member already there, is said by
the predicates here and used by the resource modules.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from mimapp.errors import BadReplyError, BusyError, ConflictError, DeniedError, MimappError, NotFoundError, ServiceError

if TYPE_CHECKING:
    from datetime import datetime

    from mimapp.transport import Reply

__all__ = [
    "Detail",
    "Failure",
    "Subject",
    "error_for",
    "is_throttled",
    "parse_detail",
    "read_failure",
]

_UNAUTHORIZED = 401
_FORBIDDEN = 403
_INTERNAL = 500
_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
_THROTTLE_TEXT = b"You have reached the maximum number of concurrent requests per tenant"
_LONGEST_TEXT = 600
_MISSING_TEXT = re.compile(r"couldn['\u2019]t be found|No ServicePrincipal with Object Id", re.IGNORECASE)
_UNKNOWN_CMDLET_TEXT = re.compile(r"is not recognized as (?:a|the) name of a cmdlet", re.IGNORECASE)

# https://learn.microsoft.com/graph/auth-limit-mailbox-access, and the page of New-ApplicationAccessPolicy. They are
# known in English only, so they choose no more than a hint.
_FULL = "remove policies that nobody needs, or give the others shorter descriptions: they share one fixed space"
_KNOWN_TEXTS = (
    (
        "is not a security principal",
        "the scope has to be a mail-enabled security group; a plain distribution group is none",
    ),
    ("total size of App Access Policies exceeded", _FULL),
    ("cannot have more than 100 policies", _FULL),
)

_RIGHTS = {
    "ApplicationAccessPolicy": "the Exchange role Organization Configuration (it is part of Organization Management)",
    "DistributionGroup": "the Exchange role Distribution Groups, and for a group that others own also "
    "Security Group Creation and Membership (both are part of Organization Management)",
    "ManagementRoleAssignment": "the role group Organization Management",
    "ManagementScope": "the role group Organization Management",
    "OrganizationConfig": "the role group Organization Management",
    "ServicePrincipal": "the role group Organization Management",
    "ServicePrincipalAuthorization": "the role group Organization Management",
}
_RIGHTS["DistributionGroupMember"] = _RIGHTS["DistributionGroup"]
_ANY_RIGHT = "an Exchange role that has this cmdlet, such as those of Organization Management"


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """The three parts of an error's text.

    Attributes:
        code: Exchange's short code, such as ``Ex6F9304``; may be empty.
        exception: the full name of the exception type; may be empty.
        text: the words, in the language that the service chose.
    """

    code: str = ""
    exception: str = ""
    text: str = ""

    @property
    def kind(self) -> str:
        """The exception type without its namespace, such as ``ManagementObjectNotFoundException``."""
        return self.exception.rpartition(".")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a call is about, for the words of an error.

    Attributes:
        cmdlet: its name.
        what: the object in words, such as ``mailbox mimservice@contoso.com``.
        repeatable: whether sending it twice does no harm.
        page: which page of the reply, from 1.
    """

    cmdlet: str
    what: str
    repeatable: bool
    page: int = 1

    @property
    def right(self) -> str:
        """The Exchange role that lets a caller run the cmdlet."""
        return _RIGHTS.get(self.cmdlet.partition("-")[2], _ANY_RIGHT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A refusal, taken apart.

    Attributes:
        status: the HTTP status.
        code: `error.code` of the body, such as ``NotFound``; empty without one.
        detail: the parts of its text.
        is_structured: whether the body was the admin API's own JSON error.
    """

    status: int
    code: str = ""
    detail: Detail = field(default_factory=Detail)
    is_structured: bool = False

    @property
    def is_missing(self) -> bool:
        """Whether an object that the cmdlet names is not there: told by 404 or by 400 alike.

        A 404 without Exchange's own error body is the address of the service that is wrong, not an object.
        """
        if self.status in {_UNAUTHORIZED, _FORBIDDEN} or self.is_unknown_cmdlet:
            return False
        kind = self.detail.kind
        if "ObjectNotFound" in kind or "ServicePrincipalNotFound" in f"{kind} {self.detail.text}":
            return True
        return bool(_MISSING_TEXT.search(self.detail.text)) or (self.is_structured and self.code == "NotFound")

    @property
    def is_duplicate(self) -> bool:
        """Whether the object exists already, by its exception type [unverified which types Exchange uses for what]."""
        return "AlreadyExists" in self.detail.kind or self.detail.kind.endswith("ExistsException")

    @property
    def is_unknown_cmdlet(self) -> bool:
        """Whether the service does not know the cmdlet, which is how it treats a caller without the role."""
        return "CommandNotFound" in self.detail.kind or bool(_UNKNOWN_CMDLET_TEXT.search(self.detail.text))

    @property
    def is_member_already(self) -> bool:
        """Whether a member could not be added because it is one."""
        return "MemberAlreadyExists" in self.detail.kind or "already a member" in self.detail.text.lower()

    @property
    def is_no_member(self) -> bool:
        """Whether a member could not be removed because it is none."""
        text = self.detail.text.replace("\u2019", "'").lower()
        return "MemberNotFound" in self.detail.kind or "isn't a member" in text or "not a member" in text


def parse_detail(message: str) -> Detail:
    """Take ``code|exception|text`` apart; the first parts may be empty, the text may hold bars itself."""
    parts = message.split("|", 2)
    if len(parts) < 3:  # noqa: PLR2004 - code, exception and text
        return Detail(text=_line(message))
    return Detail(code=_line(parts[0]), exception=_line(parts[1]), text=_line(parts[2]))


def is_throttled(reply: Reply) -> bool:
    """Whether a reply is the plain-text throttle, whose status is not known to be 429 (GreyCorbel/ExoHelper)."""
    return reply.content.lstrip(b'\xef\xbb\xbf "').startswith(_THROTTLE_TEXT)


def read_failure(reply: Reply) -> Failure:
    """Take a refusal apart; whatever cannot be read stays as text."""
    named = reply.headers.get("x-exceptiontype", "").strip()
    if _is_html(reply):
        return Failure(status=reply.status, detail=Detail(exception=named, text="a web page came back"))
    try:
        body = msgspec.json.decode(reply.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        text = _line(reply.content.decode("utf-8", "replace").replace("\0", ""))
        return Failure(status=reply.status, detail=Detail(exception=named, text=text))
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        raw = reply.content.decode("utf-8", "replace") if body else ""
        text = _line(body) if isinstance(body, str) else _line(raw)
        return Failure(status=reply.status, detail=Detail(exception=named, text=text))
    detail = _detail_of(error)
    if not detail.exception and named:
        detail = Detail(code=detail.code, exception=named, text=detail.text)
    return Failure(status=reply.status, code=_text(error.get("code")), detail=detail, is_structured=True)


def _detail_of(error: dict[object, object]) -> Detail:
    details = error.get("details")
    for entry in details if isinstance(details, list) else []:
        message = _text(entry.get("message")) if isinstance(entry, dict) else ""
        if message.strip():
            return parse_detail(message)
    inner = _lower(_lower(error).get("innererror"))
    message = _text(_lower(inner.get("internalexception")).get("message"))
    if message.strip():
        return parse_detail(message)
    return parse_detail(_text(error.get("message")))


def _lower(value: object) -> dict[str, object]:
    """A JSON object by its lower-case names, since the case of ``innerError`` varies; empty for anything else."""
    return {str(name).lower(): item for name, item in value.items()} if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_TEXT else f"{line[:_LONGEST_TEXT]}…"


def _unseen(subject: Subject, reply: Reply) -> DeniedError:
    """The 403 whose NUL body claims to be gzip: Exchange does not let this caller see the cmdlet."""
    return DeniedError(
        f"Exchange does not let this account run {subject.cmdlet} for {subject.what} "
        "(it answered with an empty reply that cannot be decoded, as it does for a cmdlet that the caller may not see)",
        service="exchange",
        status=_FORBIDDEN,
        request_id=reply.request_id,
        client_request_id=reply.client_request_id,
        hint=_lacking(subject),
    )


def error_for(subject: Subject, reply: Reply, now: datetime) -> MimappError:
    """The error that a refusal becomes.

    Args:
        subject: the call.
        reply: the refusal.
        now: the moment, to turn ``Retry-After`` into seconds.
    """
    failure = read_failure(reply)
    if reply.content and not reply.content.strip(b"\0"):
        return _unseen(subject, reply)
    if _is_html(reply) and reply.status not in _TRANSIENT:
        return BadReplyError(
            f"a web page (HTTP {reply.status}) came back for {subject.cmdlet} instead of Exchange's answer",
            hint="look for a proxy in between, and at the address of the Exchange service",
            client_request_id=reply.client_request_id,
        )
    kind, hint = _verdict(subject, reply, failure)
    return kind(
        _message(subject, reply, failure),
        service="exchange",
        status=reply.status,
        code=failure.detail.kind or failure.code,
        request_id=reply.request_id,
        client_request_id=reply.client_request_id,
        retry_after=reply.retry_after(now),
        hint=hint,
    )


def _verdict(subject: Subject, reply: Reply, failure: Failure) -> tuple[type[ServiceError], str | None]:
    is_busy = is_throttled(reply) or reply.status in _TRANSIENT
    if subject.page > 1:
        kind = BusyError if is_busy else ServiceError
        return kind, "the list broke off: a link to a next page lives 5 to 10 minutes; run the same command again"
    # A cmdlet's own error also comes as 500: what it says goes before its status.
    is_plainly_busy = is_busy and not (reply.status == _INTERNAL and failure.is_structured)
    verdicts: tuple[tuple[bool, type[ServiceError], str], ...] = (
        (is_plainly_busy, BusyError, _busy_hint(subject)),
        (
            failure.is_missing,
            NotFoundError,
            "a new object can take minutes to be seen everywhere; else look at its name",
        ),
        (failure.is_duplicate, ConflictError, "run the same command again: it looks what is there before it goes on"),
        (failure.is_unknown_cmdlet, DeniedError, _lacking(subject)),
        (reply.status in {_UNAUTHORIZED, _FORBIDDEN}, DeniedError, _denied_hint(subject, reply, failure)),
        (is_busy, BusyError, _busy_hint(subject)),
    )
    hints = (hint for words, hint in _KNOWN_TEXTS if words in failure.detail.text)
    return next(((kind, hint) for applies, kind, hint in verdicts if applies), (ServiceError, next(hints, None)))


def _busy_hint(subject: Subject) -> str:
    if subject.repeatable:
        return "try again later"
    return "it may have been carried out all the same: run the same command again, which looks before it goes on"


def _lacking(subject: Subject) -> str:
    return f"the account needs {subject.right}; a role given or activated just now needs a new sign-in and some minutes"


def _denied_hint(subject: Subject, reply: Reply, failure: Failure) -> str:
    if reply.status == _UNAUTHORIZED:
        return "Exchange did not take the token: sign in again, to the tenant of the mailbox"
    if reply.headers.get("x-ms-diagnostics") or failure.detail.text:
        return _lacking(subject)
    return (
        "Exchange gave no reason: the sign-in may be older than the role (sign in again), the role may not have "
        f"spread yet (wait some minutes), or the account lacks {subject.right}"
    )


def _message(subject: Subject, reply: Reply, failure: Failure) -> str:
    said = failure.detail.text or reply.headers.get("x-ms-diagnostics", "") or "no reason given"
    if reply.headers.get("x-ms-diagnostics") and failure.detail.text:
        said = f"{said} ({reply.headers['x-ms-diagnostics']})"
    marks = [failure.detail.kind or failure.code, failure.detail.code, f"HTTP {reply.status}"]
    if subject.page > 1:
        marks.append(f"page {subject.page}")
    if reply.request_id:
        marks.append(f"request id {reply.request_id}")
    return f"Exchange refused {subject.cmdlet} for {subject.what}: {said} [{', '.join(mark for mark in marks if mark)}]"


def _is_html(reply: Reply) -> bool:
    if "html" in reply.headers.get("content-type", "").lower():
        return True
    return reply.content.lstrip(b"\xef\xbb\xbf \r\n\t")[:9].lower().startswith((b"<!doctype", b"<html"))
