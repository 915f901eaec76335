"""The keyring store through the keyring library and a real keyring of its kind, which keeps its entries in a file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import keyring
import pytest
from keyring.backends import fail, null
from keyring.errors import KeyringLocked, PasswordDeleteError
from keyrings.alt.file import PlaintextKeyring  # type: ignore[import-untyped]  # it has no types
from test_file_store import FIRST, NEXT_VALUE, SECOND, VALUE

from mimapp.errors import StoreError
from mimapp.secret import Secret, SecretStore
from mimapp.stores import KeyringStore, ReadableStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NAME = f"{FIRST.tenant_id}/mimservice"


@pytest.fixture
def ring(tmp_path: Path) -> PlaintextKeyring:
    made = PlaintextKeyring()
    made.file_path = str(tmp_path / "keyring.cfg")
    return made


@pytest.fixture
def store(ring: PlaintextKeyring) -> KeyringStore:
    return KeyringStore(NAME, backend=ring)


def test_it_is_a_store_that_can_be_read(store: KeyringStore) -> None:
    seam: SecretStore = store
    assert seam.uri == f"keyring:{NAME}"
    assert isinstance(store, ReadableStore)
    assert repr(store) == f"KeyringStore({NAME!r})"


def test_generations_stay_until_they_are_forgotten(store: KeyringStore, ring: PlaintextKeyring) -> None:
    store.preflight()
    assert (store.current(), store.has(FIRST.key_id), store.get(FIRST.key_id)) == (None, False, None)
    store.put(FIRST)
    store.put(SECOND)
    fresh = KeyringStore(NAME, backend=ring)
    assert fresh.current() == SECOND
    assert (fresh.get(FIRST.key_id), fresh.get(SECOND.key_id)) == (Secret(VALUE), Secret(NEXT_VALUE))
    fresh.forget(FIRST.key_id)
    fresh.forget(FIRST.key_id)
    assert (fresh.has(FIRST.key_id), fresh.current()) == (False, SECOND)
    fresh.forget(SECOND.key_id)
    assert fresh.current() is None


def test_two_registrations_do_not_meet(store: KeyringStore, ring: PlaintextKeyring) -> None:
    other = KeyringStore("other", backend=ring)
    store.put(FIRST)
    other.put(replace(FIRST, secret=Secret("another-value-of-its-own")))
    other.forget(FIRST.key_id)
    assert store.get(FIRST.key_id) == Secret(VALUE)


def test_preflight_leaves_no_entry(store: KeyringStore, ring: PlaintextKeyring) -> None:
    store.preflight()
    assert ring.get_password(f"mimapp:{NAME}:probe", "client-secret") is None


def test_an_entry_fits_into_what_windows_takes(store: KeyringStore, ring: PlaintextKeyring) -> None:
    store.put(FIRST)
    text = ring.get_password(f"mimapp:{NAME}:{FIRST.key_id}", "client-secret")
    assert text is not None
    assert len(text.encode("utf-16-le")) < 2560  # CRED_MAX_CREDENTIAL_BLOB_SIZE, 5 * 512


def test_the_librarys_own_choice_is_taken(ring: PlaintextKeyring, former: None) -> None:
    del former
    keyring.set_keyring(ring)
    KeyringStore(NAME).put(FIRST)
    assert KeyringStore(NAME, backend=ring).has(FIRST.key_id)


@pytest.fixture
def former() -> Iterator[None]:
    kept = keyring.get_keyring()
    yield
    keyring.set_keyring(kept)


@pytest.mark.parametrize("backend", [fail.Keyring, null.Keyring])
def test_a_machine_without_a_keyring_says_so_before_anything_is_issued(backend: type) -> None:
    with pytest.raises(StoreError, match="this account has no keyring here") as caught:
        KeyringStore(NAME, backend=backend()).preflight()
    assert "--secret-to file:PATH" in (caught.value.hint or "")


class Locked(PlaintextKeyring):  # type: ignore[misc]  # as above
    """Refuses everything, and quotes what it was to keep."""

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked(f"locked: {service} {username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise RuntimeError(f"org.freedesktop.DBus.Error: {service} {username} {password}")

    def delete_password(self, service: str, username: str) -> None:
        raise PasswordDeleteError(f"{service} {username}")


@pytest.mark.parametrize(
    "act",
    [
        lambda store: store.preflight(),
        lambda store: store.put(FIRST),
        lambda store: store.has(FIRST.key_id),
        lambda store: store.get(FIRST.key_id),
        lambda store: store.current(),
        lambda store: store.forget(FIRST.key_id),
    ],
)
def test_a_keyring_that_refuses_is_an_error_without_the_secret(act: Callable[[KeyringStore], object]) -> None:
    with pytest.raises(StoreError, match=r"test_keyring_store refused: (locked|org\.freedesktop)") as caught:
        act(KeyringStore(NAME, backend=Locked()))
    assert VALUE not in f"{caught.value!r} {caught.value.details} {caught.value.__cause__!r}"
    assert "unlock the keyring" in (caught.value.hint or "")


class Forgetful(PlaintextKeyring):  # type: ignore[misc]  # as above
    def set_password(self, service: str, username: str, password: str) -> None:
        super().set_password(service, username, password[:3])


@pytest.mark.parametrize("act", [lambda store: store.preflight(), lambda store: store.put(FIRST)])
def test_a_keyring_that_keeps_something_else_is_caught(tmp_path: Path, act: Callable[[KeyringStore], object]) -> None:
    ring = Forgetful()
    ring.file_path = str(tmp_path / "keyring.cfg")
    with pytest.raises(StoreError, match=r"did not keep what was written to it|is not mimapp's"):
        act(KeyringStore(NAME, backend=ring))


def test_somebody_elses_entry_is_not_quoted(store: KeyringStore, ring: PlaintextKeyring) -> None:
    ring.set_password(f"mimapp:{NAME}:{FIRST.key_id}", "client-secret", "hunter2")
    with pytest.raises(StoreError, match=r"holds an entry for .* that is not mimapp's") as caught:
        store.has(FIRST.key_id)
    assert "hunter2" not in repr(caught.value)


@pytest.mark.parametrize("name", ["", "a b", "a\nb", "ü", "n" * 129])
def test_a_name_that_not_every_keyring_takes_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="a keyring's name is made of"):
        KeyringStore(name)
