"""A file that holds the secret and nothing else, for programs that read a secret from a file.

Which secret it is stands in the index beside it (`mimapp.stores.indexed`).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mimapp.secret import Secret, StoredSecret
from mimapp.stores.indexed import IndexedFile
from mimapp.stores.private import access_of_this_machine

if TYPE_CHECKING:
    from mimapp.stores.indexed import Entry
    from mimapp.stores.private import Access

__all__ = ["PlainFileStore"]


class PlainFileStore:
    """Keeps the secret's text in one file, without a line end.

    Args:
        path: the file; made absolute.
        access: makes the file its owner's alone; None takes what this machine has.
    """

    def __init__(self, path: Path | str, *, access: Access | None = None) -> None:
        self.path = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links
        self._file = IndexedFile(self.path, self.uri, access or access_of_this_machine())

    @property
    def uri(self) -> str:
        """``file:``, the absolute path, and the format."""
        return f"file:{self.path}?format=plain"

    def __repr__(self) -> str:
        return f"PlainFileStore({str(self.path)!r})"

    def preflight(self) -> None:
        """Raise `StoreError` unless the file can be written and holds nothing but a secret of mimapp's."""
        self._file.preflight()

    def put(self, stored: StoredSecret) -> None:
        """Write the secret; the former one stays beside it."""
        self._file.put(stored, stored.secret.reveal().encode())

    def current(self) -> StoredSecret | None:
        """What the file holds now; None when there is no file."""
        found = self._file.current()
        return None if found is None else _stored(*found)

    def has(self, key_id: str) -> bool:
        """Whether the file, or a former one beside it, holds this credential's value."""
        return self._file.find(key_id) is not None

    def get(self, key_id: str) -> Secret | None:
        """The value of this credential."""
        found = self._file.find(key_id)
        return None if found is None else Secret(found[1].decode())

    def forget(self, key_id: str) -> None:
        """Remove the file that holds this credential's value."""
        self._file.forget(key_id)


def _stored(entry: Entry, content: bytes) -> StoredSecret:
    return StoredSecret(
        application_id=entry.application_id,
        tenant_id=entry.tenant_id,
        secret=Secret(content.decode()),
        key_id=entry.key_id,
        label=entry.label,
        expires=entry.expires,
        sandbox=entry.sandbox,
    )
