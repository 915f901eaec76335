"""How a call reaches Graph and what is made of its reply: URLs, pages, errors, and asking again.

It knows neither a resource nor a model. Nothing of a body is logged. `Location` headers are never followed: those of
Graph name another API.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import Struct

from mimapp.clock import duration_text
from mimapp.errors import DeadlineError, MimappError
from mimapp.graph import consistency
from mimapp.graph.errors import Subject, error_of, is_success
from mimapp.graph.wire import bad_reply, decode, encode
from mimapp.transport import Reply, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mimapp.clock import Clock
    from mimapp.transport import Sender

__all__ = ["Answer", "Call", "Channel", "Page", "Test", "filtered", "key", "literal", "segment"]

T = TypeVar("T")
#: Whether a reply is of some kind.
Test: TypeAlias = "Callable[[Reply], bool]"

_VERSION = "/v1.0"
_JSON = MappingProxyType({"Content-Type": "application/json"})


class Page(Struct, Generic[T], frozen=True, kw_only=True, rename="camel"):
    """One page of a list."""

    value: tuple[T, ...]
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call.

    Attributes:
        verb: what it asks for, in the words that follow "Graph did not".
        what: of which object, in words.
        path: below the version, percent-encoded, with its query.
        method: the HTTP method.
        body: what is sent, or None.
        needs: the least permission that allows it: https://learn.microsoft.com/graph/permissions-reference
        headers: besides those that every call has.
        repeatable: whether sending it twice does no harm; reads always are.
        lag: which replies mean that a replica does not know something that was written a moment ago. They are asked
            again until the run's time is over.
        version: ``/v1.0``, or ``/beta`` for what v1.0 does not have.
    """

    verb: str
    what: str
    path: str
    method: str = "GET"
    body: Struct | None = None
    needs: str = ""
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    repeatable: bool = False
    lag: tuple[Test, ...] = ()
    version: str = _VERSION

    @property
    def subject(self) -> Subject:
        """What an error says about it."""
        return Subject(verb=self.verb, what=self.what, needs=self.needs)

    def is_lag(self, reply: Reply) -> bool:
        """Whether a reply shows a replica that is behind."""
        return any(test(reply) for test in self.lag)

    def is_again(self, reply: Reply) -> bool:
        """Whether a reply means "not carried out, ask again"."""
        return consistency.is_concurrency_violation(reply) or self.is_lag(reply)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The last reply to a call, and the seconds until it came."""

    reply: Reply
    waited: float


class Channel:
    """Sends calls to one Graph host.

    Args:
        sender: adds the sign-in.
        base_url: such as ``https://graph.microsoft.com``.
        clock: says how long a replica was behind.
    """

    def __init__(self, sender: Sender, base_url: str, clock: Clock) -> None:
        self._sender = sender
        self._base = base_url.rstrip("/")
        self._clock = clock

    def link(self, object_id: str) -> str:
        """The URL by which a body refers to an object of the directory."""
        return f"{self._base}{_VERSION}/directoryObjects/{segment(object_id)}"

    def ask(self, call: Call) -> Answer:
        """Send a call and return the last reply, whatever its status.

        Raises:
            TransportError: no reply came.
            SignInError: no token could be had.
        """
        return self._send(call, f"{self._base}{call.version}{call.path}")

    def check(self, call: Call, answer: Answer) -> Reply:
        """The reply when it says that the call was carried out.

        Raises:
            DeadlineError: a replica was still behind when the run's time was over.
            ServiceError: Graph refused.
            BadReplyError: the reply is not one of Graph's.
        """
        if not is_success(answer.reply):
            raise self._error(call, answer)
        return answer.reply

    def done(self, call: Call) -> None:
        """Make a call that answers nothing."""
        self.check(call, self.ask(call))

    def one(self, call: Call, model: type[T]) -> T:
        """Make a call that answers one object."""
        return decode(self.check(call, self.ask(call)), model, call.what)

    def one_or_none(self, call: Call, model: type[T]) -> T | None:
        """Make a call that answers one object; None when Graph says that it is not there."""
        answer = self.ask(call)
        if consistency.is_missing(answer.reply) and not call.is_lag(answer.reply):
            return None
        return decode(self.check(call, answer), model, call.what)

    def made_or_changed(self, call: Call, model: type[T]) -> T | None:
        """Make an upsert: the object when it was made, None when one was there and is changed now (204, no body)."""
        reply = self.check(call, self.ask(call))
        return decode(reply, model, call.what) if reply.content.strip() else None

    def gone(self, call: Call) -> bool:
        """Make a call that takes something away; False when it was not there."""
        answer = self.ask(call)
        if consistency.is_missing(answer.reply) and not call.is_lag(answer.reply):
            return False
        self.check(call, answer)
        return True

    def many(self, call: Call, page: type[Page[T]], *, first: Answer | None = None) -> tuple[T, ...]:
        """Read a list, all pages of it; `first` is the answer to the call where it was made already.

        Raises:
            BadReplyError: a page is none, or its link leaves Graph's host or leads back.
        """
        found: list[T] = []
        followed: set[str] = set()
        answer = first or self.ask(call)
        while True:
            reply = self.check(call, answer)
            part = decode(reply, page, call.what)
            found.extend(part.value)
            if part.next_link is None:
                return tuple(found)
            if not self._is_ours(part.next_link) or part.next_link in followed:
                raise bad_reply(reply, call.what, "the link to its next page leads away from Graph, or back")
            followed.add(part.next_link)
            answer = self._send(call, part.next_link)

    def _is_ours(self, link: str) -> bool:
        ours, theirs = urlsplit(self._base), urlsplit(link)
        return (ours.scheme, ours.netloc.lower()) == (theirs.scheme, theirs.netloc.lower())

    def _send(self, call: Call, url: str) -> Answer:
        begun = self._clock.monotonic()
        reply = self._sender.send(
            Request(
                method=call.method,
                url=url,
                headers={"Accept": "application/json", **(_JSON if call.body is not None else {}), **call.headers},
                content=b"" if call.body is None else encode(call.body),
                what=call.what,
                repeatable=call.repeatable or call.method == "GET",
                again_when=call.is_again,
            )
        )
        return Answer(reply=reply, waited=self._clock.monotonic() - begun)

    def _error(self, call: Call, answer: Answer) -> MimappError:
        error = error_of(answer.reply, call.subject, self._clock.now())
        if not call.is_lag(answer.reply):
            return error
        # It was asked again for as long as the run had time: lag, as far as anybody can tell.
        return DeadlineError(
            f"Graph still does not know what it was told about {call.what} a moment ago, "
            f"and the time for it is over ({duration_text(timedelta(seconds=answer.waited))} waited)",
            hint="run the same command again later: it goes on where this run stopped",
            details=[str(error)],
        )


def segment(value: str) -> str:
    """A value as one segment of a path."""
    return quote(value, safe="@")


def literal(value: str) -> str:
    """A value as a quoted OData literal, with its single quotes doubled; not percent-encoded yet.

    https://learn.microsoft.com/graph/query-parameters#escaping-single-quotes
    """
    return "'" + value.replace("'", "''") + "'"


def key(name: str, value: str) -> str:
    """An alternate key as a path has it: ``(appId='…')``, percent-encoded."""
    return f"({name}='{quote(literal(value)[1:-1], safe='')}')"


def filtered(expression: str) -> str:
    """A ``$filter`` as a query, percent-encoded."""
    return f"?$filter={quote(expression, safe='')}"
