"""A stored secret as a JSON document: the form in which files, keyrings and envelopes hold it.

The names are those that the scripts for the MIM server read: ``applicationId``, ``tenantId``, ``clientSecret``,
``keyId`` and ``expires``, with ``label`` and ``sandbox`` where they say something.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from mimapp.clock import plain
from mimapp.secret import Secret, StoredSecret

__all__ = ["Document", "decode", "encode"]


class Document(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The document; see `StoredSecret` for what each name means."""

    application_id: str
    tenant_id: str
    client_secret: Secret
    key_id: Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9-]+\Z")]  # it becomes part of a file's name
    expires: datetime
    label: str = ""
    sandbox: bool = False


def encode(stored: StoredSecret, *, indent: bool = True) -> bytes:
    """The document as UTF-8, with a line end where it is indented."""
    text = msgspec.json.encode(
        Document(
            application_id=stored.application_id,
            tenant_id=stored.tenant_id,
            client_secret=stored.secret,
            key_id=stored.key_id,
            expires=stored.expires,
            label=stored.label,
            sandbox=stored.sandbox,
        ),
        enc_hook=_to_text,
    )
    return msgspec.json.format(text) + b"\n" if indent else text


def decode(content: bytes) -> StoredSecret:
    """What a document holds.

    Raises:
        ValueError: it is no such document. What the parser says may quote it, so nothing of that is passed on.
    """
    try:
        found = _DOCUMENT.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise ValueError("not a secret document") from None
    return StoredSecret(
        application_id=found.application_id,
        tenant_id=found.tenant_id,
        secret=found.client_secret,
        key_id=found.key_id,
        label=found.label,
        expires=found.expires,
        sandbox=found.sandbox,
    )


def _to_text(value: object) -> object:
    return value.reveal() if isinstance(value, Secret) else plain(value)


def _from_text(kind: type, value: object) -> Secret:
    if kind is not Secret or not isinstance(value, str) or not value:
        raise ValueError("not a secret's text")
    return Secret(value)


# Made here, by one thread: see mimapp.transport.models.
_DOCUMENT = msgspec.json.Decoder(Document, dec_hook=_from_text)
