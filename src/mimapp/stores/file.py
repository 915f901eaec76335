"""A JSON file that only its owner can read, replaced atomically, one secret a file.

The file holds ``applicationId``, ``tenantId``, ``clientSecret``, ``keyId`` and ``expires``. When a new secret takes
its place, the former file is kept beside it as ``NAME.former-KEYID`` until that secret is forgotten: MIM may still be
using it.
"""

from __future__ import annotations

import os
import stat
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import msgspec

from mimapp.clock import plain
from mimapp.errors import StoreError
from mimapp.journal import write_private
from mimapp.secret import Secret, StoredSecret

__all__ = ["FileStore"]

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
#: As long as the longest file that mimapp writes, and then some.
_ROOM: Final = bytes(4096)
_ELSEWHERE: Final = "give another place with --secret-to file:PATH"


class _Document(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    application_id: str
    tenant_id: str
    client_secret: Secret
    key_id: Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9-]+\Z")]  # it becomes part of a file's name
    expires: datetime
    label: str = ""
    sandbox: bool = False


class FileStore:
    """Keeps secrets in one file.

    Args:
        path: the file; made absolute.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links

    @property
    def uri(self) -> str:
        """``file:`` and the absolute path."""
        return f"file:{self.path}"

    def __repr__(self) -> str:
        return f"FileStore({str(self.path)!r})"

    def preflight(self) -> None:
        """Raise `StoreError` unless the file can be written and holds nothing but a secret of mimapp's."""
        try:
            self._read(self.path)
            folder = next(parent for parent in self.path.parents if parent.exists())
            with tempfile.TemporaryFile(dir=folder) as probe:
                probe.write(_ROOM)
        except OSError as error:
            raise self._refused("cannot be written", error) from error

    def put(self, stored: StoredSecret) -> None:
        """Write the secret; the former one stays beside it."""
        document = _Document(
            application_id=stored.application_id,
            tenant_id=stored.tenant_id,
            client_secret=stored.secret,
            key_id=stored.key_id,
            expires=stored.expires,
            label=stored.label,
            sandbox=stored.sandbox,
        )
        try:
            former = self._read(self.path)
            if former is not None and former.key_id != stored.key_id:
                write_private(self._former(former.key_id), _encode(former))
            write_private(self.path, _encode(document))
        except OSError as error:
            raise self._refused("could not be written", error) from error
        if self._read(self.path) != document:
            raise StoreError(f"{self.uri} did not keep what was written to it")
        if os.name != "nt" and self.path.stat().st_mode & _OTHERS:  # pragma: no cover - a file system without modes
            raise StoreError(f"{self.uri} can be read by others on this file system", hint="give another place")

    def current(self) -> StoredSecret | None:
        """What the file holds now, whatever its key id; None when there is no file."""
        found = self._read(self.path)
        if found is None:
            return None
        return StoredSecret(
            application_id=found.application_id,
            tenant_id=found.tenant_id,
            secret=found.client_secret,
            key_id=found.key_id,
            label=found.label,
            expires=found.expires,
            sandbox=found.sandbox,
        )

    def has(self, key_id: str) -> bool:
        """Whether the file, or a former one beside it, holds this credential's value."""
        return self._find(key_id) is not None

    def get(self, key_id: str) -> Secret | None:
        """The value of this credential."""
        found = self._find(key_id)
        return None if found is None else found.client_secret

    def forget(self, key_id: str) -> None:
        """Remove the file that holds this credential's value."""
        for path in (self._former(key_id), self.path):
            found = self._read(path)
            if found is not None and found.key_id == key_id:
                try:
                    path.unlink(missing_ok=True)
                except OSError as error:
                    raise self._refused("could not be removed", error) from error

    def _former(self, key_id: str) -> Path:
        return self.path.with_name(f"{self.path.name}.former-{key_id}")

    def _find(self, key_id: str) -> _Document | None:
        for path in (self.path, self._former(key_id)):
            document = self._read(path)
            if document is not None and document.key_id == key_id:
                return document
        return None

    def _read(self, path: Path) -> _Document | None:
        try:
            if not stat.S_ISREG(path.stat().st_mode):  # reading a pipe or a device may never end
                raise StoreError(f"file:{path} is no file but a folder or a device", hint=_ELSEWHERE)
            return msgspec.json.decode(path.read_bytes(), type=_Document, dec_hook=_from_text)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (msgspec.MsgspecError, UnicodeDecodeError):
            # What the parser says may quote the file; a file that is not ours may hold anything.
            raise StoreError(
                f"file:{path} exists and is not a secret file of mimapp's", hint=f"it is left as it is: {_ELSEWHERE}"
            ) from None
        except OSError as error:
            raise StoreError(f"file:{path} cannot be read: {error.strerror or error}") from error

    def _refused(self, what: str, error: OSError) -> StoreError:
        return StoreError(
            f"{self.uri} {what}: {error.strerror or error}",
            hint=f"free the place or correct its rights, or {_ELSEWHERE}; then run the same command again",
        )


def _encode(document: _Document) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document, enc_hook=_to_text)) + b"\n"


def _to_text(value: object) -> object:
    return value.reveal() if isinstance(value, Secret) else plain(value)


def _from_text(kind: type, value: object) -> Secret:
    if kind is not Secret or not isinstance(value, str) or not value:
        raise ValueError("not a secret's text")
    return Secret(value)
