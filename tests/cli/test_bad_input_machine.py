"""A machine that refuses: files that are something else, rights, disks without room."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from cli import bad_input_machine
from cli.bad_input import REGISTER, Case, check_case
from support.endings import check_one_of_each
from support.machine import disk_with_room_for, posix_only, read_only_folder
from support.tenants import MAILBOX, Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

pytestmark = posix_only  # the words are those of POSIX systems


@pytest.mark.parametrize("case", bad_input_machine.CASES.values(), ids=bad_input_machine.CASES.keys())
def test_a_file_that_is_not_what_it_has_to_be(tmp_path: Path, case: Case) -> None:
    check_case(case, tmp_path)


@contextmanager
def without_room_after(place: Place, path: str) -> Iterator[None]:
    """Once a request to this path is answered, no file of this process can grow.

    The tenant, which writes in the same process, has all the room that it needs: the limit is off while it answers.
    """
    with ExitStack() as full:

        def before(_: httpx.Request) -> None:
            full.close()

        def after(request: httpx.Request, _: httpx.Response) -> None:
            if request.url.path.endswith(path):
                full.enter_context(disk_with_room_for(0))

        place.wire.before, place.wire.after = before, after
        yield


def test_a_home_that_cannot_be_made(tmp_path: Path) -> None:
    place = Place(tmp_path / "sandbox")
    with read_only_folder() as folder:
        place.home = folder / "home"
        done = place.remote("status", "--mailbox", MAILBOX)
    place.close()

    assert done.code == 2
    assert done.err == (
        f"mimapp: the folder of local state cannot be made: Permission denied: {folder}/home\n"
        "  name another one with the variable MIMAPP_HOME\n"
    )
    assert place.wire.requests == []


def test_a_recording_that_cannot_be_written(tmp_path: Path) -> None:
    place = Place(tmp_path / "sandbox")
    with read_only_folder() as folder:
        place.home = folder
        done = place.remote("status", "--mailbox", MAILBOX, "--record", f"{folder}/run.json")
    place.close()

    assert done.code == 2
    assert done.err == f"mimapp: the recording {folder}/run.json cannot be written: Permission denied\n"
    assert place.wire.requests == []


def test_a_configuration_that_others_may_write(tmp_path: Path) -> None:
    place = Place(tmp_path / "home")
    path = place.home / "config.toml"
    path.write_text('tenant = "x"')
    path.chmod(0o666)
    done = place.remote("status", "--mailbox", MAILBOX)
    place.close()

    assert done.code == 2
    assert done.err == f"mimapp: {path} is refused: others may write it\n  chmod go-w {path}\n"


def test_a_disk_that_is_full_when_the_secret_comes(tmp_path: Path) -> None:
    """It is taken back at once, and the next run, with room, makes one that works."""
    place = Place(tmp_path / "home")
    with without_room_after(place, "/addPassword"):
        done = place.remote(*REGISTER.split())
    place.wire.before, place.wire.after = (lambda _: None), (lambda _, __: None)

    assert done.code in {2, 8}, done.err
    assert "File too large" in done.err
    assert "Traceback" not in done.err
    again = place.remote(*REGISTER.split(), "--output", "json")
    assert again.code == 0, again.err
    check_one_of_each(place, again.document)
    place.close()
