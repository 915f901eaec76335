"""Files that cannot say whose secret they hold, and the index beside them that can.

A plain file holds the secret alone, and an envelope can be opened by its recipient only. So ``NAME.index.json`` stands
beside the file: for each secret its ids and the SHA-256 of the content that holds it. The index is written before the
file and says nothing by itself: a secret is here when a file with that very content is. A crash between the two
writes, or a file that somebody else replaced, therefore never makes it lie.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import msgspec

from mimapp.clock import plain
from mimapp.errors import StoreError
from mimapp.stores.file import probe_place, read_regular, refused
from mimapp.stores.private import write_owner_only

if TYPE_CHECKING:
    from pathlib import Path

    from mimapp.secret import StoredSecret
    from mimapp.stores.private import Access

__all__ = ["Entry", "IndexedFile"]


class Entry(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One secret's ids, and the digest of the content that holds it; never its text."""

    application_id: str
    tenant_id: str
    key_id: Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9-]+\Z")]  # it becomes part of a file's name
    expires: datetime
    sha256: str
    label: str = ""
    sandbox: bool = False


class _Index(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    secrets: tuple[Entry, ...] = ()


# Made here, by one thread: see mimapp.transport.models.
_INDEX = msgspec.json.Decoder(_Index)


class IndexedFile:
    """One file with its former generations and its index.

    Args:
        path: the file, absolute.
        uri: what errors call it.
        access: makes its files their owner's alone.
    """

    def __init__(self, path: Path, uri: str, access: Access) -> None:
        self._path = path
        self._uri = uri
        self._access = access

    def preflight(self) -> None:
        """Raise `StoreError` unless the file can be written and is ours or not there."""
        try:
            self._current()
            probe_place(self._path, self._access)
        except OSError as error:
            raise refused(self._uri, "cannot be written", error) from error

    def put(self, stored: StoredSecret, content: bytes) -> None:
        """Write the content that holds a secret; the former content stays beside it."""
        entry = Entry(
            application_id=stored.application_id,
            tenant_id=stored.tenant_id,
            key_id=stored.key_id,
            expires=stored.expires,
            sha256=_digest(content),
            label=stored.label,
            sandbox=stored.sandbox,
        )
        try:
            former = self._current()
            if former is not None and former[0].key_id != stored.key_id:
                write_owner_only(self._former(former[0].key_id), former[1], self._access)
            # The entry of the content that is still in place has to stay until the new one is: there may be two of one
            # key id, from a put that was cut off.
            kept = tuple(one for one in self._entries() if one.key_id != stored.key_id or one == (former or (None,))[0])
            self._write((*kept, entry))
            write_owner_only(self._path, content, self._access)
        except OSError as error:
            raise refused(self._uri, "could not be written", error) from error
        if read_regular(self._path, self._uri) != content:
            raise StoreError(f"{self._uri} did not keep what was written to it")

    def current(self) -> tuple[Entry, bytes] | None:
        """What the file holds now."""
        return self._current()

    def find(self, key_id: str) -> tuple[Entry, bytes] | None:
        """The content that holds a secret: the file's, or a former one's."""
        for path in (self._path, self._former(key_id)):
            content = read_regular(path, self._uri)
            entry = None if content is None else self._entry_of(content)
            if entry is not None and content is not None and entry.key_id == key_id:
                return entry, content
        return None

    def forget(self, key_id: str) -> None:
        """Remove the content that holds a secret, and its entry."""
        try:
            for path in (self._former(key_id), self._path):
                content = read_regular(path, self._uri)
                entry = None if content is None else self._entry_of(content)
                if entry is not None and entry.key_id == key_id:
                    path.unlink(missing_ok=True)
            entries = self._entries()
            kept = tuple(entry for entry in entries if entry.key_id != key_id)
            if kept != entries:
                if kept:
                    self._write(kept)
                else:
                    self._index.unlink(missing_ok=True)
        except OSError as error:
            raise refused(self._uri, "could not be removed", error) from error

    @property
    def _index(self) -> Path:
        return self._path.with_name(f"{self._path.name}.index.json")

    def _former(self, key_id: str) -> Path:
        return self._path.with_name(f"{self._path.name}.former-{key_id}")

    def _current(self) -> tuple[Entry, bytes] | None:
        content = read_regular(self._path, self._uri)
        if content is None:
            return None
        entry = self._entry_of(content)
        if entry is None:
            raise StoreError(
                f"{self._uri} exists and is not a secret file of mimapp's",
                hint="it is left as it is: give another place with --secret-to",
            )
        return entry, content

    def _entry_of(self, content: bytes) -> Entry | None:
        digest = _digest(content)
        return next((entry for entry in self._entries() if entry.sha256 == digest), None)

    def _entries(self) -> tuple[Entry, ...]:
        content = read_regular(self._index, f"file:{self._index}")
        if content is None:
            return ()
        try:
            return _INDEX.decode(content).secrets
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise StoreError(f"file:{self._index} exists and is not an index of mimapp's") from None

    def _write(self, entries: tuple[Entry, ...]) -> None:
        text = msgspec.json.encode(_Index(secrets=entries), enc_hook=plain)
        write_owner_only(self._index, msgspec.json.format(text) + b"\n", self._access)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
