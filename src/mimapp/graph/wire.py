"""How Graph's JSON becomes typed values and back: decoding, one type for moments, one for lifetimes.

Models are `msgspec.Struct` classes beside their resources: frozen, keyword-only, camel case on the wire.

Properties that a model does not declare are ignored, since Graph adds some every month. A property that it declares
may be null or absent, unless a recording shows that it never is.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self, TypeVar

import msgspec

from mimapp.errors import BadReplyError
from mimapp.secret import Secret
from mimapp.transport.models import ready

if TYPE_CHECKING:
    from collections.abc import Callable

    from mimapp.transport import Reply

__all__ = ["Lifetime", "Moment", "bad_reply", "decode", "encode"]

T = TypeVar("T")

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d*))?(Z|z|[+-]\d\d:\d\d)?")
_LIFETIME = re.compile(
    r"P(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)
_MICROSECOND_DIGITS = 6


class Moment(datetime):
    """A moment as Graph sends it: zero to seven fractional digits, here cut to microseconds; always aware.

    A text without an offset is taken as UTC, in which Graph keeps all times.
    """

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a moment.

        Raises:
            ValueError: the text is none.
        """
        match = _MOMENT.fullmatch(text)
        if match is None:
            raise ValueError("not a date and time as Graph writes them")
        day, time, fraction, offset = match.groups()
        digits = (fraction or "")[:_MICROSECOND_DIGITS].ljust(_MICROSECOND_DIGITS, "0")
        zone = "+00:00" if offset in {None, "Z", "z"} else offset
        return cls.fromisoformat(f"{day}T{time}.{digits}{zone}").astimezone(UTC)


class Lifetime(timedelta):
    """How long a credential may live, as a policy says it (ISO 8601). A year counts 365 days, a month 30."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a lifetime.

        Raises:
            ValueError: the text is none.
        """
        match = _LIFETIME.fullmatch(text)
        if match is None or text.endswith(("P", "T")):
            raise ValueError("not a duration as ISO 8601 writes them")
        part = {name: float(value) for name, value in match.groupdict(default="0").items()}
        return cls(
            days=part["years"] * 365 + part["months"] * 30 + part["days"],
            weeks=part["weeks"],
            hours=part["hours"],
            minutes=part["minutes"],
            seconds=part["seconds"],
        )


def decode(reply: Reply, model: type[T], what: str) -> T:
    """The body of a reply as a model.

    Args:
        reply: a reply that says it has succeeded.
        model: a model.
        what: the object in words, for the error.

    Raises:
        BadReplyError: the body is not JSON, broke off, or lacks what the model needs.
    """
    try:
        return msgspec.json.decode(reply.content, type=ready(model), dec_hook=_read)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise bad_reply(reply, what, str(error)) from error


def encode(body: msgspec.Struct) -> bytes:
    """A model as the body of a request; what is unset is left out."""
    return msgspec.json.encode(body)


def bad_reply(reply: Reply, what: str, reason: str) -> BadReplyError:
    """The error for a reply that is not what Graph documents; it names the reply and quotes nothing of it."""
    kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower() or "no content type"
    hint = "look at the reply with --record FILE, and report it where mimapp is kept"
    if "html" in kind or reply.content.lstrip()[:1] == b"<":
        hint = "something between this machine and Graph answered in its place: look at the proxy (HTTPS_PROXY)"
    elif not reply.content:
        kind = "an empty body"
    return BadReplyError(
        f"Graph's reply about {what} cannot be read: {reason} "
        f"(HTTP {reply.status}, {kind}, request id {reply.request_id or 'none'})",
        hint=hint,
        client_request_id=reply.client_request_id,
    )


def _read(kind: type, value: Any) -> Any:  # noqa: ANN401 - msgspec hands over JSON values
    if not isinstance(value, str):
        raise ValueError("not a text")  # noqa: TRY004 - msgspec adds the place to a ValueError
    try:
        return _READERS[kind](value)
    except OverflowError as error:
        raise ValueError("outside the time that can be counted") from error


_READERS: dict[type, Callable[[str], object]] = {Secret: Secret, Moment: Moment.parse, Lifetime: Lifetime.parse}
