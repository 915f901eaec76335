"""The operating system's keyring: Windows' credential manager, macOS' keychain, a desktop's secret service.

Each secret is an entry of its own, the document of `mimapp.stores.document` under ``mimapp:NAME:KEYID``; the entry
``mimapp:NAME`` holds the key id of the newest. So a former secret stays until it is forgotten. A keyring belongs to one
account: a scheduled run under another one does not see it.

Windows keeps 2560 bytes an entry (CRED_MAX_CREDENTIAL_BLOB_SIZE), in UTF-16; the document is a third of that.
https://learn.microsoft.com/windows/win32/api/wincred/ns-wincred-credentialw
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Final

from mimapp.errors import StoreError
from mimapp.stores import document
from mimapp.stores.extras import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyring.backend import KeyringBackend

    from mimapp.secret import Secret, StoredSecret

__all__ = ["KeyringStore"]

_USER: Final = "client-secret"
_NAME: Final = re.compile(r"[A-Za-z0-9._@/+-]{1,128}")
#: Backends of the keyring library that keep nothing.
_KEEPS_NOTHING: Final = ("keyring.backends.fail", "keyring.backends.null")
_ELSEWHERE: Final = "give another place with --secret-to file:PATH"


class KeyringStore:
    """Keeps secrets in a keyring.

    Args:
        name: tells several registrations apart.
        backend: the keyring; None for the one that the keyring library chooses.

    Raises:
        ValueError: the name has signs that not every keyring takes.
    """

    def __init__(self, name: str, *, backend: KeyringBackend | None = None) -> None:
        if _NAME.fullmatch(name) is None:
            raise ValueError("a keyring's name is made of letters, digits and . _ @ / + -, 128 at most")
        self._name = name
        self._backend = backend

    @property
    def uri(self) -> str:
        """``keyring:`` and the name."""
        return f"keyring:{self._name}"

    def __repr__(self) -> str:
        return f"KeyringStore({self._name!r})"

    def preflight(self) -> None:
        """Write an entry, read it back and remove it.

        Raises:
            StoreError: there is no keyring, it is locked, or keeps nothing.
            UsageError: the extra is not installed.
        """
        probe = f"mimapp:{self._name}:probe"
        with self._asking() as keyring:
            keyring.set_password(probe, _USER, "probe")
            kept = keyring.get_password(probe, _USER)
            keyring.delete_password(probe, _USER)
        if kept != "probe":
            raise StoreError(f"{self.uri}: the keyring did not keep what was written to it", hint=_ELSEWHERE)

    def put(self, stored: StoredSecret) -> None:
        """Keep the secret beside the former ones, and make it the newest."""
        text = document.encode(stored, indent=False).decode()
        with self._asking(hidden=stored.secret) as keyring:
            keyring.set_password(self._entry(stored.key_id), _USER, text)
        if self._read(stored.key_id) != stored:
            raise StoreError(f"{self.uri} did not keep what was written to it")
        with self._asking() as keyring:
            keyring.set_password(self._newest, _USER, stored.key_id)

    def current(self) -> StoredSecret | None:
        """The newest secret."""
        with self._asking() as keyring:
            key_id = keyring.get_password(self._newest, _USER)
        return None if not key_id else self._read(key_id)

    def has(self, key_id: str) -> bool:
        """Whether the keyring holds this credential's value."""
        return self._read(key_id) is not None

    def get(self, key_id: str) -> Secret | None:
        """The value of this credential."""
        found = self._read(key_id)
        return None if found is None else found.secret

    def forget(self, key_id: str) -> None:
        """Remove this credential's entry."""
        if self._read(key_id) is None:
            return
        with self._asking() as keyring:
            if keyring.get_password(self._newest, _USER) == key_id:
                keyring.delete_password(self._newest, _USER)
            keyring.delete_password(self._entry(key_id), _USER)

    @property
    def _newest(self) -> str:
        return f"mimapp:{self._name}"

    def _entry(self, key_id: str) -> str:
        return f"mimapp:{self._name}:{key_id}"

    def _read(self, key_id: str) -> StoredSecret | None:
        with self._asking() as keyring:
            text = keyring.get_password(self._entry(key_id), _USER)
        if text is None:
            return None
        try:
            found = document.decode(text.encode())
        except ValueError:
            raise StoreError(f"{self.uri} holds an entry for {key_id} that is not mimapp's") from None
        return found if found.key_id == key_id else None

    @contextlib.contextmanager
    def _asking(self, hidden: Secret | None = None) -> Iterator[KeyringBackend]:
        """The keyring; whatever it raises becomes a `StoreError`, without the secret."""
        backend = self._backend or _chosen()
        if type(backend).__module__ in _KEEPS_NOTHING:
            raise StoreError(f"{self.uri}: this account has no keyring here", hint=_ELSEWHERE)
        try:
            yield backend
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - backends raise what their systems do: D-Bus, pywin32, ctypes
            said = " ".join(str(error).split()) or type(error).__name__
            if hidden:
                said = said.replace(hidden.reveal(), "***")
            raise StoreError(
                f"{self.uri}: the keyring {type(backend).__module__} refused: {said[:300]}",
                hint=f"unlock the keyring, or {_ELSEWHERE}",
            ) from None


def _chosen() -> KeyringBackend:
    load("keyring", extra="keyring", store="keyring:")
    import keyring  # noqa: PLC0415 - the extra is there

    return keyring.get_keyring()
