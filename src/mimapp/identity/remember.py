"""The operator's sign-in between runs (``--remember``), in the platform's protected storage or not at all.

Windows: a file under the Data Protection API of the user. macOS: Keychain. Linux: libsecret, which needs PyGObject
and a running secret service. There is no plain-text form: a refresh token is as good as the person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from mimapp.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["Memory", "Persistence", "protected_storage"]

_FILE = "operator.cache"
_NOTHING = "{}"


class Persistence(Protocol):
    """What is asked of the protected storage; msal-extensions' classes have it."""

    is_encrypted: bool

    def save(self, content: str) -> None:
        """Keep a text."""
        ...

    def load(self) -> str:
        """The text that is kept."""
        ...

    def time_last_modified(self) -> float:
        """When it was last kept, as a Unix time."""
        ...

    def get_location(self) -> str:
        """The file that stands for it."""
        ...


def protected_storage(location: str) -> Persistence:
    """The platform's protected storage.

    Raises:
        Exception: whatever the platform raises where it has none.
    """
    from msal_extensions import build_encrypted_persistence  # type: ignore[import-untyped]  # noqa: PLC0415 - late: msal

    made: Persistence = build_encrypted_persistence(location)
    return made


class Memory:
    """What is remembered of the operator.

    Args:
        folder: where the file that stands for the storage lies; it holds no token by itself.
        storage: makes the protected storage.
    """

    def __init__(self, folder: Path, *, storage: Callable[[str], Persistence] = protected_storage) -> None:
        self._file = folder / _FILE
        self._storage = storage

    def cache(self) -> Any:  # noqa: ANN401 - msal ships no types
        """Msal's token cache over the protected storage.

        Raises:
            UsageError: this machine has none.
        """
        from msal_extensions import PersistedTokenCache  # noqa: PLC0415 - late: msal

        return PersistedTokenCache(self._open())

    def check(self) -> None:
        """Find out whether anything could be kept here.

        Raises:
            UsageError: this machine has no protected storage.
        """
        self._open()

    def forget(self) -> bool:
        """Empty the storage; whether something was there.

        Raises:
            UsageError: the storage that was used once cannot be opened any more.
        """
        if not self._file.exists():
            return False
        self._open().save(_NOTHING)
        self._file.unlink(missing_ok=True)
        return True

    def _open(self) -> Persistence:
        try:
            persistence = self._storage(str(self._file))
        except Exception as error:
            raise UsageError(
                f"this machine has no protected storage for sign-ins ({' '.join(str(error).split())})",
                hint="leave --remember out: mimapp never keeps a sign-in in plain text",
            ) from error
        if not persistence.is_encrypted:
            raise UsageError(
                "this machine's storage for sign-ins is plain text",
                hint="leave --remember out: mimapp never keeps a sign-in in plain text",
            )
        return persistence
