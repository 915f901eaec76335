"""InvokeCommand, the protocol of the Exchange Online PowerShell module: a cmdlet goes in, typed objects come out.

It owns the request, the reply's shape, paging and the few redirects. Microsoft documents none of it; the facts come
from public clients (azure_auth, KelvinTegelaar/CIPP-API, GreyCorbel/ExoHelper, cisagov/ScubaGear,
tiredithumans/azapptoolkit). It knows no cmdlet by name: those are the resource modules' business.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import msgspec

from mimapp.errors import BadReplyError, MimappError
from mimapp.exchange.anchors import anchor_for_mailbox
from mimapp.exchange.failure import Failure, Subject, error_for, is_throttled, read_failure
from mimapp.exchange.reply import fit, is_empty, read_envelope, words
from mimapp.transport import Reply, Request

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mimapp.clock import Clock
    from mimapp.exchange.reply import Envelope, Item, Model
    from mimapp.transport import Sender

__all__ = [
    "Admin",
    "Cmdlet",
    "CmdletWarning",
    "is_missing",
]

_PAGE_SIZE = 1000
_OK_BELOW = 300
_REDIRECTS = frozenset({301, 302, 307, 308})
_MOST_REDIRECTS = 3
_READING_VERBS = ("Get-", "Test-")

_log = logging.getLogger(__name__)

Excuse = Callable[[Failure], bool]


class _ExcusedError(Exception):
    """A refusal that the resource takes for an answer; it never leaves this module."""


def is_missing(failure: Failure) -> bool:
    """The commonest excuse: the object is not there."""
    return failure.is_missing


@dataclass(frozen=True, slots=True, kw_only=True)
class CmdletWarning:
    """A warning that Exchange added to a success, such as that no setting was changed.

    Attributes:
        cmdlet: what was run.
        what: the object in words.
        text: the warning, in the language that the service chose.
    """

    cmdlet: str
    what: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cmdlet:
    """One call.

    Attributes:
        name: the cmdlet.
        parameters: by the cmdlet's own names; a switch is a boolean, several values are a list.
        what: the object in words, for waits and errors.
        select: the properties wanted; all when empty.
        repeatable: for a write, whether sending it twice leaves things as sending it once does; reads always are.
        fresh: the object was made a moment ago: "not found" means ask again.
        empty_is_missing: an empty answer means "not found" as well.
        page_size: how many objects a page may hold.
        patient: whether it may be sent again after throttling; False for a write whose ground has to be read anew.
        mailbox: the mailbox that it is asked about, which is its way to the servers where that lives in a region.
    """

    name: str
    parameters: Mapping[str, str | bool | Sequence[str]]
    what: str
    select: tuple[str, ...] = ()
    repeatable: bool = False
    fresh: bool = False
    empty_is_missing: bool = False
    page_size: int = _PAGE_SIZE
    patient: bool = True
    mailbox: str = ""

    @property
    def is_read(self) -> bool:
        """Whether it changes nothing, by its verb."""
        return self.name.startswith(_READING_VERBS)

    def subject(self, page: int = 1) -> Subject:
        """What its errors are about."""
        return Subject(cmdlet=self.name, what=self.what, repeatable=self.repeatable or self.is_read, page=page)


class Admin:
    """Runs cmdlets.

    Args:
        sender: sends with the administrator's token.
        base_url: the Exchange host, such as ``https://outlook.office365.com``.
        tenant_id: the tenant's GUID, the token's ``tid``.
        anchor: the value of ``X-AnchorMailbox``.
        clock: for ``Retry-After`` as a date.
        on_warning: told of every warning that comes with a success.
    """

    def __init__(
        self,
        sender: Sender,
        base_url: str,
        tenant_id: str,
        *,
        anchor: str,
        clock: Clock,
        on_warning: Callable[[CmdletWarning], None] | None = None,
    ) -> None:
        self._sender = sender
        self._base_url = base_url.rstrip("/")
        self._tenant_id = tenant_id
        self._anchor = anchor
        self._clock = clock
        self._on_warning = on_warning
        self._with_region: frozenset[str] = frozenset()

    def route(self, *addresses: str) -> None:
        """Ask about a mailbox by way of its own region from now on, whichever of these addresses names it.

        A tenant in several regions has servers in each. That a tenant in one region names none is unverified; the form
        of the header is taken from public clients either way.
        https://learn.microsoft.com/microsoft-365/enterprise/administering-exchange-online-multi-geo
        """
        self._with_region |= {address.casefold() for address in addresses}

    def pages(self, cmdlet: Cmdlet, *, excuse: Excuse | None = None) -> Iterator[tuple[Item, ...]]:
        """Run a cmdlet and give its answer page by page; a page is asked for only when the last one is used up.

        Paging POSTs the same body to ``@odata.nextLink``, on the same host only (azure_auth).

        Raises:
            NotFoundError: an object that it names is not there; only ever on the first page.
            ServiceError: any other refusal, and any refusal of a later page.
            TransportError: no answer, or one that is not Exchange's.
        """
        url: str | None = self._invoke_url(cmdlet)
        content = msgspec.json.encode({"CmdletInput": {"CmdletName": cmdlet.name, "Parameters": cmdlet.parameters}})
        page = 0
        seen: set[str] = set()
        while url is not None:
            page += 1
            seen.add(url)
            reply, origin = self._follow(cmdlet, url, content, page)
            if page == 1 and excuse is not None and reply.status >= _OK_BELOW and excuse(read_failure(reply)):
                raise _ExcusedError
            envelope = self._open(cmdlet, reply, page)
            yield envelope.items
            url = _next(cmdlet, envelope.next_link, origin, seen)

    def items(self, cmdlet: Cmdlet) -> tuple[Item, ...]:
        """Run a cmdlet and give its whole answer as JSON objects; errors as `pages`."""
        return tuple(item for page in self.pages(cmdlet) for item in page)

    def all(self, cmdlet: Cmdlet, model: type[Model]) -> tuple[Model, ...]:
        """Run a cmdlet and give its whole answer; errors as `pages`."""
        return tuple(fit(model, item, cmdlet.name) for item in self.items(cmdlet))

    def found(self, cmdlet: Cmdlet, model: type[Model], *, excuse: Excuse = is_missing) -> tuple[Model, ...]:
        """Run a cmdlet that looks for something: as `all`, and nothing where the refusal is excused."""
        try:
            items = tuple(item for page in self.pages(cmdlet, excuse=excuse) for item in page)
        except _ExcusedError:
            return ()
        return tuple(fit(model, item, cmdlet.name) for item in items)

    def one(self, cmdlet: Cmdlet, model: type[Model]) -> Model:
        """Run a cmdlet that answers with one object.

        Raises:
            BadReplyError: it answered with none.
            ServiceError: as `pages`.
        """
        answer = self.all(cmdlet, model)
        if not answer:
            raise BadReplyError(
                f"Exchange answered {cmdlet.name} for {cmdlet.what} with nothing, where it gives one object",
                hint="run the same command again: it looks what was done before it goes on",
            )
        return answer[0]

    def done(self, cmdlet: Cmdlet, *, excuse: Excuse | None = None) -> bool:
        """Run a cmdlet whose answer is of no use: an empty body, 204 or an empty list.

        Returns:
            False where the refusal is excused: it was so already.
        """
        try:
            for _ in self.pages(cmdlet, excuse=excuse):
                pass
        except _ExcusedError:
            return False
        return True

    def get(self, path: str, *, headers: Mapping[str, str], subject: Subject) -> bytes:
        """GET a document below the tenant's ``/adminapi/v1.0/{tenant}``.

        Raises:
            ServiceError: it was refused.
            TransportError: no answer.
        """
        request = Request(
            method="GET",
            url=f"{self._base_url}/adminapi/v1.0/{self._tenant_id}/{path}",
            headers={"Accept": "application/json", **self._anchor_header(""), **headers},
            what=subject.what,
            repeatable=True,
            again_when=is_throttled,
        )
        reply = self._sender.send(request)
        if reply.status >= _OK_BELOW:
            raise error_for(subject, reply, self._clock.now())
        return reply.content

    def _invoke_url(self, cmdlet: Cmdlet) -> str:
        # Only the beta path answers; v1.0 gives 405 (azure_auth).
        url = f"{self._base_url}/adminapi/beta/{self._tenant_id}/InvokeCommand"
        return f"{url}?$select={','.join(cmdlet.select)}" if cmdlet.select else url

    def _anchor_header(self, mailbox: str) -> dict[str, str]:
        anchor = anchor_for_mailbox(mailbox) if mailbox.casefold() in self._with_region else self._anchor
        return {"X-AnchorMailbox": anchor, "Accept-Encoding": "identity"}

    def _follow(self, cmdlet: Cmdlet, url: str, content: bytes, page: int) -> tuple[Reply, str]:
        """Send one page's request; the reply and the URL that gave it. A redirect keeps method and body."""
        origin = url
        for _ in range(_MOST_REDIRECTS + 1):
            request = Request(
                method="POST",
                url=url,
                headers={
                    "Content-Type": "application/json; charset=utf-8",
                    "Accept": "application/json",
                    "Prefer": f"odata.maxpagesize={cmdlet.page_size}",
                    **self._anchor_header(cmdlet.mailbox),
                },
                content=content,
                what=cmdlet.what,
                repeatable=cmdlet.repeatable or cmdlet.is_read,
                again_when=_again(cmdlet, page),
                patient=cmdlet.patient,
            )
            reply = self._sender.send(request)
            if reply.status not in _REDIRECTS:
                return reply, url
            url = _redirected(cmdlet, url, reply, origin)
        raise BadReplyError(f"Exchange redirects {cmdlet.name} in a circle")

    def _open(self, cmdlet: Cmdlet, reply: Reply, page: int) -> Envelope:
        subject = cmdlet.subject(page)
        if reply.status >= _OK_BELOW or is_throttled(reply):
            raise error_for(subject, reply, self._clock.now())
        envelope = read_envelope(reply, subject, is_read=cmdlet.is_read)
        for warning in envelope.warnings or []:
            self._warn(CmdletWarning(cmdlet=cmdlet.name, what=cmdlet.what, text=words(warning)))
        if envelope.errors:
            # What the module writes as errors beside results: a list with holes is not the list.
            raise self._reported(subject, reply, words(envelope.errors[0]))
        return envelope

    def _reported(self, subject: Subject, reply: Reply, message: str) -> MimappError:
        body = msgspec.json.encode({"error": {"code": "BadRequest", "details": [{"message": message}]}})
        return error_for(subject, replace(reply, status=400, content=body), self._clock.now())

    def _warn(self, warning: CmdletWarning) -> None:
        _log.debug("%s for %s: warning: %s", warning.cmdlet, warning.what, warning.text)
        if self._on_warning is not None:
            self._on_warning(warning)


def _again(cmdlet: Cmdlet, page: int) -> Callable[[Reply], bool]:
    """What means "not carried out, ask again" beyond the status."""

    def again(reply: Reply) -> bool:
        if is_throttled(reply):
            return True
        if not cmdlet.fresh or page > 1:
            return False
        if reply.status >= _OK_BELOW:
            return read_failure(reply).is_missing
        return cmdlet.empty_is_missing and is_empty(reply)

    return again


def _next(cmdlet: Cmdlet, link: str | None, origin: str, seen: set[str]) -> str | None:
    if not link:
        return None
    url = urljoin(origin, link)
    if _authority(url) != _authority(origin):
        raise BadReplyError(f"Exchange names a next page of {cmdlet.name} on another host, {urlsplit(url).hostname}")
    if url in seen:
        raise BadReplyError(f"Exchange names a page of {cmdlet.name} as its own next page")
    return url


def _authority(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.lower()


def _redirected(cmdlet: Cmdlet, url: str, reply: Reply, origin: str) -> str:
    """Where a redirect leads, followed by hand and only within the same host suffix, since a token goes with it."""
    location = reply.headers.get("location", "")
    target = urljoin(url, location)
    if not location or not _is_akin(urlsplit(target).hostname or "", urlsplit(origin).hostname or ""):
        raise BadReplyError(
            f"{cmdlet.name} was redirected to {urlsplit(target).hostname or 'nowhere'}, which is not Exchange's host",
            hint="look for a proxy in between, and at the address of the Exchange service",
            client_request_id=reply.client_request_id,
        )
    if urlsplit(target).scheme != urlsplit(origin).scheme:
        raise BadReplyError(
            f"{cmdlet.name} was redirected to another scheme, {urlsplit(target).scheme}",
            client_request_id=reply.client_request_id,
        )
    return target


def _is_akin(host: str, other: str) -> bool:
    suffix = ".".join(other.split(".")[-2:])
    return host == other or ("." in suffix and host.endswith(f".{suffix}"))
