"""What a machine does to a journal: full disks, missing rights, sudden death, and a second run at the same time."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec
import pytest
from test_journal import ENTRY, KEY, NOON, RECORD, TENANT, state_file

from mimapp.errors import DeadlineError, UsageError
from mimapp.journal import Journal, write_private
from support.machine import disk_with_room_for, killed_at, posix_only, read_only_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_HOLD = f"""
import sys
from pathlib import Path
from mimapp.journal import Journal
with Journal(Path(sys.argv[1])).lock({TENANT!r}, {KEY!r}):
    print("held", flush=True)
    sys.stdin.readline()
"""
_REPLACE = """
from pathlib import Path
from mimapp.journal import write_private
sys.addaudithook(_die)
write_private(Path(sys.argv[1]), b"new" * 1000)
"""

ACTS: dict[str, Callable[[Journal], None]] = {
    "put_secret": lambda journal: journal.put_secret(TENANT, KEY, ENTRY),
    "note_since": lambda journal: journal.note_since(TENANT, KEY, "fence", NOON),
    "record": lambda journal: journal.record(RECORD),
    "lock": lambda journal: journal.lock(TENANT, KEY).__enter__(),
}


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "home")


@contextmanager
def another_process_holds(home: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


@posix_only
@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_a_place_that_this_account_may_not_write_is_named(act: Callable[[Journal], None]) -> None:
    with read_only_folder() as folder, pytest.raises(UsageError, match="Permission denied") as caught:
        act(Journal(folder / "home"))
    assert str(folder) in str(caught.value)
    assert "MIMAPP_HOME" in (caught.value.hint or "")


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_a_home_that_is_a_file_is_named(act: Callable[[Journal], None], tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("not a folder")
    with pytest.raises(UsageError) as caught:
        act(Journal(home))
    assert str(home) in str(caught.value)
    assert home.read_text() == "not a folder"


def test_a_state_that_is_a_folder_cannot_be_read(journal: Journal) -> None:
    state_file(journal).mkdir(parents=True)
    with pytest.raises(UsageError, match="cannot be read"):
        journal.state(TENANT, KEY)


def test_a_record_that_is_a_folder_cannot_be_read(journal: Journal) -> None:
    journal.record_file.mkdir(parents=True)
    with pytest.raises(UsageError, match="cannot be read"):
        list(journal.records())


@posix_only
def test_a_state_that_may_not_be_removed_is_named() -> None:
    with read_only_folder(lambda folder: Journal(folder).put_secret(TENANT, KEY, ENTRY)) as folder:
        with pytest.raises(UsageError, match="cannot be removed: Permission denied"):
            Journal(folder).forget(TENANT, KEY)
        assert Journal(folder).state(TENANT, KEY).secrets == (ENTRY,)


@posix_only
def test_a_full_disk_leaves_the_former_state(journal: Journal) -> None:
    journal.put_secret(TENANT, KEY, ENTRY)
    before = state_file(journal).read_bytes()
    with disk_with_room_for(100), pytest.raises(UsageError, match="File too large"):
        journal.put_secret(TENANT, KEY, msgspec.structs.replace(ENTRY, state="issued"))
    assert state_file(journal).read_bytes() == before
    assert [path.name for path in state_file(journal).parent.iterdir()] == [f"{KEY}.json"]


@posix_only
def test_a_disk_that_takes_half_a_line_is_no_success_and_the_next_line_stands(journal: Journal) -> None:
    journal.record(RECORD)
    size = journal.record_file.stat().st_size
    with disk_with_room_for(size + 20), pytest.raises(UsageError, match="File too large"):
        journal.record(RECORD)
    assert journal.record_file.stat().st_size == size + 20
    journal.record(RECORD)
    assert list(journal.records()) == [RECORD, RECORD]


@posix_only
def test_death_between_writing_and_renaming_leaves_the_former_file(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    write_private(path, b"former")
    ended = killed_at("os.rename", _REPLACE, str(path))
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert path.read_bytes() == b"former"
    left = [found for found in tmp_path.iterdir() if found != path]
    assert [found.read_bytes() for found in left] == [b"new" * 1000]
    assert left[0].stat().st_mode & 0o077 == 0
    write_private(path, b"latest")
    assert path.read_bytes() == b"latest"


@posix_only
def test_a_replaced_file_is_private_whatever_the_former_one_was(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(b"former")
    path.chmod(0o666)
    write_private(path, b"new")
    assert path.stat().st_mode & 0o777 == 0o600


@posix_only
def test_an_existing_folder_keeps_its_rights(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir(mode=0o755)
    write_private(folder / "sub" / "state.json", b"new")
    assert folder.stat().st_mode & 0o777 == 0o755
    assert (folder / "sub").stat().st_mode & 0o777 == 0o700


def test_a_second_process_is_kept_out_until_the_first_has_ended(journal: Journal, tmp_path: Path) -> None:
    with another_process_holds(tmp_path / "home") as process:
        with pytest.raises(DeadlineError) as caught, journal.lock(TENANT, KEY):
            pass
        assert str(caught.value) == "another mimapp on this machine is working on registration 'mimservice'"
        with journal.lock(TENANT, "other"), journal.lock("99999999-1111-1111-1111-111111111111", KEY):
            pass
        process.communicate("\n", timeout=120)
    with journal.lock(TENANT, KEY):
        assert process.returncode == 0


def test_a_killed_process_holds_no_lock(journal: Journal, tmp_path: Path) -> None:
    with another_process_holds(tmp_path / "home") as process:
        process.kill()
        process.wait(timeout=120)
        with journal.lock(TENANT, KEY):
            assert process.returncode != 0


def test_a_run_inside_a_run_is_kept_out_too(journal: Journal, tmp_path: Path) -> None:
    with journal.lock(TENANT, KEY), pytest.raises(DeadlineError), Journal(tmp_path / "home").lock(TENANT, KEY):
        pass


@pytest.mark.parametrize("error", [OSError(5, "of the body"), UsageError("of the body"), KeyboardInterrupt()], ids=repr)
def test_what_goes_wrong_under_the_lock_passes_and_frees_it(journal: Journal, error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, journal.lock(TENANT, KEY):
        raise error
    assert caught.value is error
    with journal.lock(TENANT, KEY):
        pass
