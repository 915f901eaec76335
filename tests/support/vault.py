"""Protected storage that a test can look into: kept in memory, with a file that stands for it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from msal_extensions.persistence import PersistenceNotFound  # type: ignore[import-untyped]  # it ships no types

if TYPE_CHECKING:
    from collections.abc import Callable

    from mimapp.identity.remember import Persistence


class Vault:
    """One place in `kept`, by its location."""

    def __init__(self, location: str, kept: dict[str, str], *, is_encrypted: bool = True) -> None:
        self.location = location
        self.kept = kept
        self.is_encrypted = is_encrypted

    def save(self, content: str) -> None:
        self.kept[self.location] = content
        Path(self.location).touch()

    def load(self) -> str:
        if self.location not in self.kept:
            raise PersistenceNotFound(location=self.location)
        return self.kept[self.location]

    def time_last_modified(self) -> float:
        if self.location not in self.kept:
            raise PersistenceNotFound(location=self.location)
        return time.time()

    def get_location(self) -> str:
        return self.location


def vaults(kept: dict[str, str], *, is_encrypted: bool = True) -> Callable[[str], Persistence]:
    """Makes vaults over one dictionary."""

    def make(location: str) -> Persistence:
        return Vault(location, kept, is_encrypted=is_encrypted)

    return make
