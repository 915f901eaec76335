"""The reply of InvokeCommand: its outer shape, and its objects as models."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from mimapp.errors import BadReplyError
from mimapp.transport.models import ready

if TYPE_CHECKING:
    from mimapp.exchange.failure import Subject
    from mimapp.transport import Reply

__all__ = ["Envelope", "Item", "Model", "fit", "is_empty", "read_envelope", "words"]

Item = dict[str, object]
Model = TypeVar("Model", bound=msgspec.Struct)
_NO_CONTENT = 204


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """A reply's outer shape; names that are not listed are ignored."""

    value: list[Item] | Item | msgspec.UnsetType | None = msgspec.UNSET
    next_link: str | None = msgspec.field(name="@odata.nextLink", default=None)
    warnings: list[object] | None = msgspec.field(name="@adminapi.warnings", default=None)
    errors: list[object] | None = msgspec.field(name="@adminapi.errors", default=None)

    @property
    def items(self) -> tuple[Item, ...]:
        """The objects."""
        if isinstance(self.value, dict):
            return (self.value,)
        return tuple(self.value) if isinstance(self.value, list) else ()


# Made here, by one thread: see mimapp.transport.models.
_ENVELOPE = msgspec.json.Decoder(Envelope)


def fit(model: type[Model], item: Item, cmdlet: str) -> Model:
    """Read one object as a model: null is as good as missing, one string is as good as a list of it.

    Raises:
        BadReplyError: a property has another type.
    """
    known: Item = {}
    for field in msgspec.structs.fields(model):
        value = item.get(field.encode_name)
        if value is None:
            continue
        known[field.encode_name] = [value] if field.type == tuple[str, ...] and isinstance(value, str) else value
    try:
        # Lax, since switches and enumerations also come as text ("True").
        return msgspec.convert(known, type=ready(model), strict=False)
    except msgspec.ValidationError as error:
        raise BadReplyError(f"Exchange's answer to {cmdlet} has another shape than expected: {error}") from error


def read_envelope(reply: Reply, subject: Subject, *, is_read: bool) -> Envelope:
    """The outer shape of a success; an empty body is a success without objects.

    Raises:
        BadReplyError: it is not what Exchange answers, such as a proxy's page or half an answer.
    """
    if reply.status == _NO_CONTENT or not reply.content.strip():
        return Envelope(value=None)
    try:
        envelope = _ENVELOPE.decode(reply.content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _misshapen(subject, reply, str(error)) from error
    if envelope.value is msgspec.UNSET and is_read:
        raise _misshapen(subject, reply, "it has no `value`")
    return envelope


def is_empty(reply: Reply) -> bool:
    """Whether a success holds no object."""
    try:
        return not _ENVELOPE.decode(reply.content).items
    except (msgspec.DecodeError, UnicodeDecodeError):
        return not reply.content.strip()


def words(value: object) -> str:
    """A warning or error that came beside a success, as text."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _misshapen(subject: Subject, reply: Reply, reason: str) -> BadReplyError:
    kind = reply.headers.get("content-type", "no content type")
    return BadReplyError(
        f"what came back for {subject.cmdlet} ({subject.what}) is not Exchange's answer: {reason} "
        f"[HTTP {reply.status}, {kind}, {len(reply.content)} bytes]",
        hint="look for a proxy in between; if a change was asked for, run the same command again: it looks first",
        client_request_id=reply.client_request_id,
    )
