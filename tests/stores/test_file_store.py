"""The file store: it keeps, gives back and forgets; what it cannot do it says before a secret is issued."""

from __future__ import annotations

import json
import os
import signal
import stat
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from rich.pretty import pretty_repr

from mimapp.errors import StoreError
from mimapp.graph.wire import Moment
from mimapp.secret import Secret, SecretStore, StoredSecret
from mimapp.stores import FileStore
from mimapp.stores.document import Document
from support.machine import disk_with_room_for, killed_at, posix_only, read_only_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

VALUE = "replaced-secret~first.value"
NEXT_VALUE = "replaced-secret~second.value"
FIRST = StoredSecret(
    application_id="22222222-2222-2222-2222-222222222222",
    tenant_id="11111111-1111-1111-1111-111111111111",
    secret=Secret(VALUE),
    key_id="33333333-3333-3333-3333-333333333333",
    label="mimapp 2026-11-21 0011223344",
    expires=datetime(2027, 5, 20, tzinfo=UTC),
    sandbox=True,
)
SECOND = replace(FIRST, secret=Secret(NEXT_VALUE), key_id="44444444-4444-4444-4444-444444444444", sandbox=False)

_PUT_SECOND = f"""
from datetime import UTC, datetime
from mimapp.secret import Secret, StoredSecret
from mimapp.stores import FileStore
store = FileStore(sys.argv[1])
stored = StoredSecret(application_id="a", tenant_id="t", secret=Secret({NEXT_VALUE!r}), key_id={SECOND.key_id!r},
                      label="l", expires=datetime(2027, 5, 20, tzinfo=UTC))
sys.addaudithook(_die)
store.put(stored)
"""

FOREIGN = {
    "empty": b"",
    "text": b"password=hunter2\n",
    "bytes": b"\x00\xff\xfe\x80hunter2",
    "json of something else": b'{"hunter2": true}',
    "a list": b'["hunter2"]',
    "without a secret": b'{"applicationId":"a","tenantId":"t","keyId":"k","expires":"2027-05-20T00:00:00Z"}',
    "with an empty one": b'{"applicationId":"a","tenantId":"t","clientSecret":"","keyId":"k",'
    b'"expires":"2027-05-20T00:00:00Z"}',
    "with a number as one": b'{"applicationId":"a","tenantId":"t","clientSecret":7,"keyId":"k",'
    b'"expires":"2027-05-20T00:00:00Z"}',
    "with an id that leads elsewhere": b'{"applicationId":"a","tenantId":"t","clientSecret":"hunter2",'
    b'"keyId":"../../etc/x","expires":"2027-05-20T00:00:00Z"}',
    "without an id": b'{"applicationId":"a","tenantId":"t","clientSecret":"hunter2","keyId":"",'
    b'"expires":"2027-05-20T00:00:00Z"}',
    "cut off": b'{"applicationId":"a","tenantId":"t","clientSecret":"hunter2',
}
ACTS: dict[str, Callable[[FileStore], object]] = {
    "preflight": lambda store: store.preflight(),
    "put": lambda store: store.put(FIRST),
    "current": lambda store: store.current(),
    "has": lambda store: store.has(FIRST.key_id),
    "get": lambda store: store.get(FIRST.key_id),
    "forget": lambda store: store.forget(FIRST.key_id),
}


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "secrets" / "mim.json")


def files_of(store: FileStore) -> set[str]:
    return {path.name for path in store.path.parent.iterdir()} if store.path.parent.exists() else set()


def test_it_is_a_store(store: FileStore) -> None:
    seam: SecretStore = store
    assert seam.uri == f"file:{store.path}"
    assert repr(store) == f"FileStore({str(store.path)!r})"


def test_a_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert FileStore("a/../b.json").uri == f"file:{tmp_path / 'b.json'}"


def test_what_is_put_comes_back(store: FileStore) -> None:
    store.put(FIRST)
    fresh = FileStore(store.path)
    assert fresh.current() == FIRST
    assert fresh.has(FIRST.key_id)
    assert fresh.get(FIRST.key_id) == Secret(VALUE)
    assert files_of(store) == {"mim.json"}


def test_an_empty_place_has_nothing(store: FileStore) -> None:
    assert store.current() is None
    assert not store.has(FIRST.key_id)
    assert store.get(FIRST.key_id) is None
    store.forget(FIRST.key_id)
    assert files_of(store) == set()


def test_the_file_holds_what_an_installer_needs_by_the_documented_names(store: FileStore) -> None:
    store.put(SECOND)
    assert json.loads(store.path.read_text(encoding="utf-8")) == {
        "applicationId": SECOND.application_id,
        "tenantId": SECOND.tenant_id,
        "clientSecret": NEXT_VALUE,
        "keyId": SECOND.key_id,
        "expires": "2027-05-20T00:00:00Z",
        "label": SECOND.label,
    }


def test_a_secret_of_a_simulated_tenant_says_so(store: FileStore) -> None:
    store.put(FIRST)
    assert json.loads(store.path.read_text(encoding="utf-8"))["sandbox"] is True


def test_a_moment_as_graph_sends_it_is_kept(store: FileStore) -> None:
    moment = Moment.parse("2027-05-20T10:00:00.1234567Z")
    store.put(replace(FIRST, expires=moment))
    current = store.current()
    assert current is not None
    assert current.expires == moment


def test_the_former_secret_stays_until_it_is_forgotten(store: FileStore) -> None:
    store.put(FIRST)
    store.put(SECOND)
    assert store.current() == SECOND
    assert (store.get(FIRST.key_id), store.get(SECOND.key_id)) == (Secret(VALUE), Secret(NEXT_VALUE))
    assert files_of(store) == {"mim.json", f"mim.json.former-{FIRST.key_id}"}
    store.forget(FIRST.key_id)
    assert not store.has(FIRST.key_id)
    assert store.current() == SECOND
    assert files_of(store) == {"mim.json"}


def test_forgetting_the_newest_leaves_the_former_one(store: FileStore) -> None:
    store.put(FIRST)
    store.put(SECOND)
    store.forget(SECOND.key_id)
    assert store.current() is None
    assert store.get(FIRST.key_id) == Secret(VALUE)


def test_forgetting_another_secret_takes_nothing(store: FileStore) -> None:
    store.put(FIRST)
    store.forget(SECOND.key_id)
    assert store.current() == FIRST


def test_the_same_secret_again_is_no_new_generation(store: FileStore) -> None:
    store.put(FIRST)
    store.put(FIRST)
    assert files_of(store) == {"mim.json"}


def test_preflight_leaves_no_trace(store: FileStore, tmp_path: Path) -> None:
    store.preflight()
    assert list(tmp_path.iterdir()) == []
    store.put(FIRST)
    before = store.path.stat()
    store.preflight()
    assert store.path.stat() == before
    assert files_of(store) == {"mim.json"}


@posix_only
def test_files_and_folders_are_their_owners_alone(store: FileStore) -> None:
    store.put(FIRST)
    store.put(SECOND)
    for path in [store.path.parent, *store.path.parent.iterdir()]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


@posix_only
def test_a_file_that_others_could_read_becomes_private(store: FileStore) -> None:
    store.put(FIRST)
    store.path.chmod(0o644)
    store.put(SECOND)
    assert {stat.S_IMODE(path.stat().st_mode) for path in store.path.parent.iterdir()} == {0o600}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_a_file_of_somebody_elses_is_left_and_not_quoted(
    store: FileStore, content: bytes, act: Callable[[FileStore], object]
) -> None:
    store.path.parent.mkdir()
    store.path.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        act(store)
    assert str(caught.value) == f"{store.uri} exists and is not a secret file of mimapp's"
    assert "--secret-to file:PATH" in (caught.value.hint or "")
    assert caught.value.__cause__ is None
    assert "hunter2" not in f"{caught.value} {caught.value.hint} {caught.value.details}"
    assert store.path.read_bytes() == content
    assert files_of(store) == {"mim.json"}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_a_folder_in_its_place_is_named(store: FileStore, act: Callable[[FileStore], object]) -> None:
    store.path.mkdir(parents=True)
    with pytest.raises(StoreError, match="is no file but a folder or a device") as caught:
        act(store)
    assert caught.value.hint == "give another place with --secret-to file:PATH"


@posix_only
@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_a_pipe_in_its_place_is_not_waited_for(store: FileStore, act: Callable[[FileStore], object]) -> None:
    store.path.parent.mkdir()
    os.mkfifo(store.path)
    with pytest.raises(StoreError, match="is no file but a folder or a device"):
        act(store)


def test_a_file_in_place_of_its_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "secrets").write_text("a file")
    store = FileStore(tmp_path / "secrets" / "mim.json")
    for act in (ACTS["preflight"], ACTS["put"]):
        with pytest.raises(StoreError, match=r"(cannot|could not) be written: "):
            act(store)
    assert not store.has(FIRST.key_id)
    assert (tmp_path / "secrets").read_text() == "a file"


@posix_only
def test_a_folder_that_this_account_may_not_write_is_found_before_a_secret_is_issued() -> None:
    with read_only_folder() as folder:
        for path in (folder / "mim.json", folder / "new" / "mim.json"):
            with pytest.raises(StoreError, match="cannot be written: Permission denied") as caught:
                FileStore(path).preflight()
            assert "--secret-to file:PATH" in (caught.value.hint or "")
            with pytest.raises(StoreError, match="could not be written: Permission denied"):
                FileStore(path).put(FIRST)
        assert list(folder.iterdir()) == []


@posix_only
def test_a_folder_that_this_account_may_not_enter_is_an_error_of_the_store() -> None:
    with read_only_folder() as folder:
        closed = folder.parent / f"{folder.name}-closed"
        closed.mkdir(mode=0o700)
        closed.chmod(0)
        try:
            for act in ACTS.values():
                with pytest.raises(StoreError, match="Permission denied"):
                    act(FileStore(closed / "mim.json"))
        finally:
            closed.rmdir()


@posix_only
def test_a_secret_that_may_not_be_removed_is_an_error_of_the_store() -> None:
    with read_only_folder(lambda folder: FileStore(folder / "mim.json").put(FIRST)) as folder:
        store = FileStore(folder / "mim.json")
        with pytest.raises(StoreError, match="could not be removed: Permission denied"):
            store.forget(FIRST.key_id)
        assert store.has(FIRST.key_id)
        with pytest.raises(StoreError, match="could not be written: Permission denied"):
            store.put(SECOND)
        assert store.current() == FIRST


@posix_only
def test_a_full_disk_is_found_before_a_secret_is_issued(store: FileStore) -> None:
    with disk_with_room_for(1000), pytest.raises(StoreError, match="cannot be written: File too large"):
        store.preflight()


@posix_only
def test_a_disk_that_fills_up_meanwhile_leaves_the_former_secret(store: FileStore) -> None:
    store.put(FIRST)
    with disk_with_room_for(100), pytest.raises(StoreError, match="could not be written: File too large"):
        store.put(SECOND)
    assert store.current() == FIRST
    assert files_of(store) == {"mim.json"}


@posix_only
def test_a_name_that_is_too_long_is_found_before_a_secret_is_issued(tmp_path: Path) -> None:
    for act in ACTS.values():
        with pytest.raises(StoreError, match="File name too long"):
            act(FileStore(tmp_path / ("n" * 300)))


@posix_only
def test_death_before_the_new_file_is_in_place_leaves_a_whole_one(store: FileStore) -> None:
    store.put(FIRST)
    ended = killed_at("os.rename", _PUT_SECOND, str(store.path))
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert store.current() == FIRST
    store.put(SECOND)
    assert (store.current(), store.get(FIRST.key_id)) == (SECOND, Secret(VALUE))


def test_no_form_of_the_document_shows_the_secret() -> None:
    document = Document(
        application_id="a",
        tenant_id="t",
        client_secret=Secret(VALUE),
        key_id="k",
        expires=datetime(2027, 5, 20, tzinfo=UTC),
    )
    assert VALUE not in repr(document) + str(document) + pretty_repr(document)


def test_no_error_shows_the_secret(store: FileStore) -> None:
    store.path.mkdir(parents=True)
    with pytest.raises(StoreError) as caught:
        store.put(FIRST)
    assert VALUE not in f"{caught.value!r} {caught.value.hint} {caught.value.details} {caught.value.__cause__!r}"
