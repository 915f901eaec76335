"""Where a client secret goes when nobody says where: the keyring on Windows, an owner-only file elsewhere."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mimapp.stores.file import FileStore
from mimapp.stores.os_keyring import KeyringStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["default_store", "own_stores"]


def default_store(
    home: Path, tenant_id: str, key: str, *, is_windows: bool = os.name == "nt"
) -> FileStore | KeyringStore:
    """The store of one registration.

    Args:
        home: ``MIMAPP_HOME``.
        tenant_id: the tenant's GUID.
        key: the registration.
        is_windows: whether this is Windows, where the keyring comes with mimapp.
    """
    if is_windows:
        return KeyringStore(f"{tenant_id}/{key}")
    return FileStore(home / "secrets" / tenant_id / f"{key}.json")


def own_stores(
    home: Path, *, tenant_id: str | None, key: str | None, is_windows: bool = os.name == "nt"
) -> Iterator[FileStore | KeyringStore]:
    """The default stores of this machine's registrations; nobody signs in.

    Args:
        home: ``MIMAPP_HOME``.
        tenant_id: of this tenant only, where it is an id and known here; a domain tells nothing without asking.
        key: of this registration only; None takes all.
        is_windows: as `default_store`. A keyring lists nothing, so the journal's folder says which there are.
    """
    names = sorted((home / ("journal" if is_windows else "secrets")).glob(f"*/{key or '*'}.json"))
    if tenant_id in {name.parent.name for name in names}:
        names = [name for name in names if name.parent.name == tenant_id]
    for name in names:
        yield default_store(home, name.parent.name, name.stem, is_windows=is_windows)
