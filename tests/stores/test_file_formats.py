"""The file store's other forms: dotenv, which shells and dotenv readers take alike, and plain with its index."""

from __future__ import annotations

import shlex
import signal
import stat
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from test_file_store import _PUT_SECOND, FIRST, NEXT_VALUE, SECOND, VALUE

from mimapp.errors import StoreError
from mimapp.secret import Secret
from mimapp.stores import FileFormat, FileStore, PlainFileStore, ReadableStore
from support.machine import disk_with_room_for, killed_at, posix_only, read_only_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def dotenv(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "mim.env", format=FileFormat.DOTENV)


@pytest.fixture
def plain(tmp_path: Path) -> PlainFileStore:
    return PlainFileStore(tmp_path / "mim.secret")


Store = FileStore | PlainFileStore
BOTH = pytest.mark.parametrize("name", ["dotenv", "plain"])


@pytest.fixture
def store(name: str, request: pytest.FixtureRequest) -> Store:
    made = request.getfixturevalue(name)
    assert isinstance(made, (FileStore, PlainFileStore))
    return made


@BOTH
def test_what_is_put_comes_back_and_the_former_stays_until_it_is_forgotten(name: str, store: Store) -> None:
    assert isinstance(store, ReadableStore)
    assert store.uri.endswith(f"?format={name}")
    store.preflight()
    assert store.current() is None
    store.put(FIRST)
    assert store.current() == FIRST
    store.put(SECOND)
    store.put(SECOND)
    assert store.current() == SECOND
    assert (store.get(FIRST.key_id), store.get(SECOND.key_id)) == (Secret(VALUE), Secret(NEXT_VALUE))
    store.forget(FIRST.key_id)
    assert (store.has(FIRST.key_id), store.has(SECOND.key_id)) == (False, True)
    store.forget(FIRST.key_id)
    store.forget(SECOND.key_id)
    assert list(store.path.parent.iterdir()) == []


@BOTH
@posix_only
def test_every_file_is_its_owners_alone(name: str, store: Store) -> None:
    del name
    store.put(FIRST)
    store.put(SECOND)
    assert {stat.S_IMODE(path.stat().st_mode) for path in store.path.parent.iterdir()} == {0o600}


@BOTH
@pytest.mark.parametrize("content", [b"", b"password=hunter2\n", b"\xff\xfehunter2", b"MIM_KEY_ID='../x'\n"])
def test_a_file_of_somebody_elses_is_left_and_not_quoted(name: str, store: Store, content: bytes) -> None:
    del name
    store.path.write_bytes(content)
    acts: tuple[Callable[[], object], ...] = (store.preflight, lambda: store.put(FIRST), store.current)
    for act in acts:
        with pytest.raises(StoreError, match="exists and is not a secret file of mimapp's") as caught:
            act()
        assert "hunter2" not in f"{caught.value} {caught.value.hint} {caught.value.details}"
    assert store.path.read_bytes() == content


@BOTH
@posix_only
def test_what_the_machine_refuses_is_an_error_of_the_store(name: str, store: Store) -> None:
    with disk_with_room_for(1000), pytest.raises(StoreError, match="cannot be written: File too large"):
        store.preflight()
    store.put(FIRST)
    with disk_with_room_for(20), pytest.raises(StoreError, match="could not be written: File too large"):
        store.put(SECOND)
    assert store.current() == FIRST

    def fill(folder: Path) -> None:
        made(folder).put(FIRST)

    def made(folder: Path) -> Store:
        return PlainFileStore(folder / "m") if name == "plain" else FileStore(folder / "m", format=FileFormat.DOTENV)

    with read_only_folder(fill) as folder:
        with pytest.raises(StoreError, match="could not be removed: Permission denied"):
            made(folder).forget(FIRST.key_id)
        with pytest.raises(StoreError, match="could not be written: Permission denied"):
            made(folder).put(SECOND)


def test_a_shell_reads_a_dotenv_file_as_it_is(dotenv: FileStore) -> None:
    awkward = replace(FIRST, secret=Secret('a$b`c"d\\e #f~g.h_i'))
    dotenv.put(awkward)
    assert dotenv.current() == awkward
    script = f'. {shlex.quote(str(dotenv.path))} && printf %s "$MIM_CLIENT_SECRET|$MIM_SANDBOX|$MIM_LABEL"'
    shell = subprocess.run(["/bin/sh", "-c", script], check=True, capture_output=True, text=True)
    assert shell.stdout == f"{awkward.secret.reveal()}|true|{FIRST.label}"


def test_a_dotenv_file_never_sets_the_operators_own_sign_in(dotenv: FileStore) -> None:
    dotenv.put(SECOND)
    names = [line.partition("=")[0] for line in dotenv.path.read_text().splitlines() if not line.startswith("#")]
    assert names == [
        "MIM_APPLICATION_ID",
        "MIM_TENANT_ID",
        "MIM_CLIENT_SECRET",
        "MIM_KEY_ID",
        "MIM_EXPIRES",
        "MIM_LABEL",
    ]


@pytest.mark.parametrize("value", ["it's", "two\nlines", "nul\0"])
def test_a_value_that_readers_would_take_differently_is_refused(dotenv: FileStore, value: str) -> None:
    dotenv.put(FIRST)
    with pytest.raises(StoreError, match="cannot hold this secret: MIM_CLIENT_SECRET") as caught:
        dotenv.put(replace(SECOND, secret=Secret(value)))
    assert value not in str(caught.value)
    assert dotenv.current() == FIRST


def test_a_plain_file_holds_the_secret_and_nothing_else(plain: PlainFileStore) -> None:
    plain.put(FIRST)
    assert plain.path.read_bytes() == VALUE.encode()
    assert VALUE not in plain.path.with_name("mim.secret.index.json").read_text()
    assert repr(plain) == f"PlainFileStore({str(plain.path)!r})"


def test_a_plain_file_that_somebody_changed_is_no_longer_the_secrets(plain: PlainFileStore) -> None:
    plain.put(FIRST)
    plain.path.write_text("hunter2")
    assert not plain.has(FIRST.key_id)
    assert plain.get(FIRST.key_id) is None


def test_an_index_that_is_none_is_named(plain: PlainFileStore) -> None:
    plain.put(FIRST)
    plain.path.with_name("mim.secret.index.json").write_text("[]")
    with pytest.raises(StoreError, match="is not an index of mimapp's"):
        plain.has(FIRST.key_id)


@posix_only
@pytest.mark.parametrize("moment", range(1, 4))
def test_death_at_any_rename_leaves_an_index_that_does_not_lie(plain: PlainFileStore, moment: int) -> None:
    """A put renames three files into place: the former one, the index, the new one."""
    plain.put(FIRST)
    script = _PUT_SECOND.replace("FileStore", "PlainFileStore").replace("sys.addaudithook(_die)", _NTH.format(moment))
    ended = killed_at("os.rename", script, str(plain.path))
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert plain.get(FIRST.key_id) == Secret(VALUE)
    assert not plain.has(SECOND.key_id)
    plain.put(SECOND)
    assert (plain.current(), plain.get(FIRST.key_id)) == (SECOND, Secret(VALUE))
    plain.forget(FIRST.key_id)
    plain.forget(SECOND.key_id)
    left = {path.name for path in plain.path.parent.iterdir()}
    assert all(name.startswith(".mim.secret") for name in left)  # what death left unnamed, and its owner's alone


_NTH = """
seen = []
def _nth(event, arguments):
    if event == "os.rename":
        seen.append(event)
        if len(seen) == {}:
            _die(event, arguments)
sys.addaudithook(_nth)"""
