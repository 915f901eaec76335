"""A file that only its owner can read, replaced atomically, one secret a file: as JSON, or as a dotenv file.

When a new secret takes its place, the former file is kept beside it as ``NAME.former-KEYID`` until that secret is
forgotten: MIM may still be using it. The form without ids, a file that holds the secret and nothing else, is
`mimapp.stores.plain`'s.
"""

from __future__ import annotations

import os
import stat
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mimapp.errors import StoreError
from mimapp.stores import document, dotenv
from mimapp.stores.private import access_of_this_machine, write_owner_only

if TYPE_CHECKING:
    from mimapp.secret import Secret, StoredSecret
    from mimapp.stores.private import Access

__all__ = ["FileFormat", "FileStore", "probe_place"]

#: As long as the longest file that mimapp writes, and then some.
_ROOM: Final = bytes(4096)
_ELSEWHERE: Final = "give another place with --secret-to file:PATH"


class FileFormat(StrEnum):
    """How a file holds a secret together with its ids."""

    JSON = "json"
    DOTENV = "dotenv"


class FileStore:
    """Keeps secrets in one file.

    Args:
        path: the file; made absolute.
        format: how it holds them.
        access: makes the file its owner's alone; None takes what this machine has.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        format: FileFormat = FileFormat.JSON,  # noqa: A002 - what the URI calls it
        access: Access | None = None,
    ) -> None:
        self.path = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links
        self._format = format
        self._access = access or access_of_this_machine()

    @property
    def uri(self) -> str:
        """``file:`` and the absolute path, and the format where it is not JSON."""
        return f"file:{self.path}{self._suffix}"

    def __repr__(self) -> str:
        return f"FileStore({str(self.path)!r})"

    def preflight(self) -> None:
        """Raise `StoreError` unless the file can be written and holds nothing but a secret of mimapp's."""
        try:
            self._read(self.path)
            probe_place(self.path, self._access)
        except OSError as error:
            raise self._refused("cannot be written", error) from error

    def put(self, stored: StoredSecret) -> None:
        """Write the secret; the former one stays beside it."""
        try:
            content = self._encode(stored)
        except ValueError as error:
            raise StoreError(f"{self.uri} cannot hold this secret: {error}", hint="use format=json") from None
        try:
            former = self._read(self.path)
            if former is not None and former.key_id != stored.key_id:
                write_owner_only(self._former(former.key_id), self._encode(former), self._access)
            write_owner_only(self.path, content, self._access)
        except OSError as error:
            raise self._refused("could not be written", error) from error
        if self._read(self.path) != stored:
            raise StoreError(f"{self.uri} did not keep what was written to it")

    def current(self) -> StoredSecret | None:
        """What the file holds now, whatever its key id; None when there is no file."""
        return self._read(self.path)

    def has(self, key_id: str) -> bool:
        """Whether the file, or a former one beside it, holds this credential's value."""
        return self._find(key_id) is not None

    def get(self, key_id: str) -> Secret | None:
        """The value of this credential."""
        found = self._find(key_id)
        return None if found is None else found.secret

    def forget(self, key_id: str) -> None:
        """Remove the file that holds this credential's value."""
        for path in (self._former(key_id), self.path):
            found = self._read(path)
            if found is not None and found.key_id == key_id:
                try:
                    path.unlink(missing_ok=True)
                except OSError as error:
                    raise self._refused("could not be removed", error) from error

    @property
    def _suffix(self) -> str:
        return "" if self._format is FileFormat.JSON else f"?format={self._format}"

    def _former(self, key_id: str) -> Path:
        return self.path.with_name(f"{self.path.name}.former-{key_id}")

    def _find(self, key_id: str) -> StoredSecret | None:
        for path in (self.path, self._former(key_id)):
            found = self._read(path)
            if found is not None and found.key_id == key_id:
                return found
        return None

    def _encode(self, stored: StoredSecret) -> bytes:
        return document.encode(stored) if self._format is FileFormat.JSON else dotenv.encode(stored)

    def _read(self, path: Path) -> StoredSecret | None:
        content = read_regular(path, f"file:{path}{self._suffix}")
        if content is None:
            return None
        try:
            return document.decode(content) if self._format is FileFormat.JSON else dotenv.decode(content)
        except ValueError:
            # The file is not ours and may hold anything: nothing of it is quoted.
            raise StoreError(
                f"file:{path}{self._suffix} exists and is not a secret file of mimapp's",
                hint=f"it is left as it is: {_ELSEWHERE}",
            ) from None

    def _refused(self, what: str, error: OSError) -> StoreError:
        return refused(self.uri, what, error)


def read_regular(path: Path, name: str) -> bytes | None:
    """A file's content; None where there is none.

    Raises:
        StoreError: it is no file, or cannot be read.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # reading a pipe or a device may never end
            raise StoreError(f"{name} is no file but a folder or a device", hint=_ELSEWHERE)
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StoreError(f"{name} cannot be read: {error.strerror or error}") from error


def probe_place(path: Path, access: Access) -> None:
    """Try out whether a private file could be written beside a path, and leave nothing.

    Raises:
        OSError: it could not.
        StoreError: it could not be made its owner's alone.
    """
    folder = next(parent for parent in path.parents if parent.exists())
    descriptor, name = tempfile.mkstemp(dir=folder)
    try:
        with os.fdopen(descriptor, "wb") as probe:
            probe.write(_ROOM)
        access.restrict(Path(name))
        access.check(Path(name))
    finally:
        Path(name).unlink()


def refused(uri: str, what: str, error: OSError) -> StoreError:
    """What the operating system refused, with a way out."""
    return StoreError(
        f"{uri} {what}: {error.strerror or error}",
        hint=f"free the place or correct its rights, or {_ELSEWHERE}; then run the same command again",
    )
