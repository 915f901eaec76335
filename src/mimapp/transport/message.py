"""A request and its reply as values, and the seam that the service clients send them through."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Reply", "Request", "Sender"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back, whole.

    Attributes:
        status: the HTTP status.
        headers: by their lower-case names.
        content: the body, decoded from its transfer and content encoding.
        client_request_id: the id that this run gave the request; None where no request of this run is behind it.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    content: bytes = b""
    client_request_id: str | None = None

    @property
    def request_id(self) -> str | None:
        """The id under which the service logged the request, where it gave one."""
        return self.headers.get("request-id") or self.headers.get("x-ms-request-id")

    def retry_after(self, now: datetime) -> float | None:
        """Seconds to wait by ``Retry-After`` (a count or an HTTP date), or None without a readable one."""
        text = self.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdigit():
            return float(text)
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max(0.0, (moment - now).total_seconds())


def _never(_: Reply) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request and what is known about sending it again.

    Attributes:
        method: GET, POST, PATCH or DELETE.
        url: absolute, percent-encoded.
        headers: without ``Authorization``, which the sign-in adds.
        content: the body.
        what: the object in words for a person who watches a wait, such as ``application mimapp-mimservice``.
        repeatable: sending it twice leaves the service as sending it once does (reads, upserts by key, deletes).
            Only a repeatable request is sent again after a lost reply or a 5xx; any request is sent again after
            429, since a throttled request was not carried out.
        again_when: whether a reply means "not carried out, ask again" although its status alone does not say so.
        answers: statuses that are this service's real answers, so that they are not asked for again: EWS says
            everything that it refuses with 500.
        patient: whether it may be sent again at all; False for a write whose ground is read anew before each try.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    content: bytes = b""
    what: str = ""
    repeatable: bool = False
    again_when: Callable[[Reply], bool] = _never
    answers: frozenset[int] = frozenset()
    patient: bool = True


class Sender(Protocol):
    """What a service client needs of the rooms below it."""

    def send(self, request: Request) -> Reply:
        """Send a request and return its last reply, whatever its status.

        Raises:
            TransportError: no reply came that could be read.
            SignInError: no token could be had for the request.
        """
        ...
