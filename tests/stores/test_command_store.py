"""A command as a store: real programs, what they read and inherit, and how each of their ends is told."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING

import pytest
from test_file_store import FIRST, VALUE

from mimapp.errors import StoreError
from mimapp.stores import CommandStore, ReadableStore
from support.machine import posix_only

if TYPE_CHECKING:
    from pathlib import Path

    from mimapp.secret import SecretStore

pytestmark = posix_only  # the programs are scripts with a first line

_NOTE = """
import json, os, sys
given = {"stdin": sys.stdin.read(), "argv": sys.argv[1:], "environ": dict(os.environ)}
open(os.environ["NOTE"], "w").write(json.dumps(given))
"""


@pytest.fixture
def note(tmp_path: Path) -> Path:
    return tmp_path / "note.json"


def program(folder: Path, text: str, name: str = "keep it") -> Path:
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(0o755)
    return path


def environ(note: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "NOTE": str(note),
        "AZURE_CLIENT_SECRET": "operators-own",
        "azure_password": "operators-own",
        "HOME": "/home/operator",
    }


def test_it_is_a_store_that_nobody_can_ask(tmp_path: Path) -> None:
    seam: SecretStore = CommandStore(str(program(tmp_path, "")))
    assert seam.uri == f"exec:{tmp_path / 'keep it'}"
    assert repr(seam) == f"CommandStore({str(tmp_path / 'keep it')!r})"
    assert (seam.has(FIRST.key_id), seam.get(FIRST.key_id)) == (None, None)
    seam.forget(FIRST.key_id)
    assert not isinstance(seam, ReadableStore)


def test_it_reads_the_secret_from_stdin_and_what_it_is_from_its_environment(tmp_path: Path, note: Path) -> None:
    command = f"'{program(tmp_path, _NOTE)}' --to 'MIM one' $HOME"
    CommandStore(command, environ=environ(note)).put(FIRST)
    given = json.loads(note.read_text())
    assert given["stdin"] == f"{VALUE}\n"
    assert given["argv"] == ["--to", "MIM one", "$HOME"]  # no shell reads it
    assert {name: value for name, value in given["environ"].items() if name.startswith("MIMAPP_")} == {
        "MIMAPP_STORE_ACTION": "put",
        "MIMAPP_TENANT_ID": FIRST.tenant_id,
        "MIMAPP_APPLICATION_ID": FIRST.application_id,
        "MIMAPP_KEY_ID": FIRST.key_id,
        "MIMAPP_LABEL": FIRST.label,
        "MIMAPP_EXPIRES": "2027-05-20T00:00:00Z",
        "MIMAPP_SANDBOX": "true",
    }
    assert "operators-own" not in json.dumps(given)
    assert VALUE not in json.dumps([given["argv"], given["environ"]])


def test_preflight_starts_nothing(tmp_path: Path, note: Path) -> None:
    CommandStore(str(program(tmp_path, _NOTE)), environ=environ(note)).preflight()
    assert not note.exists()


ENDS = {
    "refused": ("import sys; print('vault is sealed'); sys.exit(4)", "ended with 4", ("vault is sealed",)),
    "killed": ("import os; os.kill(os.getpid(), 9)", "was stopped by signal 9", ()),
    "quoting": (
        "import sys; print('bad: ' + sys.stdin.read(), file=sys.stderr); sys.exit(1)",
        "ended with 1",
        ("bad: ***",),
    ),
    "deaf": ("import sys, os; os.close(0); sys.exit(2)", "ended with 2", ()),
}


@pytest.mark.parametrize(("text", "how", "said"), ENDS.values(), ids=ENDS)
def test_any_other_end_means_not_kept(tmp_path: Path, text: str, how: str, said: tuple[str, ...]) -> None:
    with pytest.raises(StoreError, match=f"{how}: the secret counts as not kept") as caught:
        CommandStore(str(program(tmp_path, text))).put(FIRST)
    assert caught.value.details == said
    assert VALUE not in f"{caught.value!r} {caught.value.details}"


def test_a_command_that_hangs_is_stopped_with_what_it_has_started(tmp_path: Path) -> None:
    begun = time.monotonic()
    text = "import subprocess; subprocess.run(['sleep', '3600'])"
    with pytest.raises(StoreError, match="took longer than 0 seconds and was stopped"):
        CommandStore(str(program(tmp_path, text)), seconds=0.3).put(FIRST)
    assert time.monotonic() - begun < 1800  # its child had held the pipe open for an hour


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("/nowhere/at-all", "is not there, or may not be run"),
        ("no-such-program-here x", "is not there, or may not be run"),
        ("'unclosed", "cannot be read"),
        ("''", "is not there"),
        ("  ", "names no program"),
    ],
)
def test_what_cannot_be_run_is_found_before_a_secret_is_issued(command: str, reason: str) -> None:
    with pytest.raises(StoreError, match=reason):
        CommandStore(command).preflight()


def test_a_file_that_is_not_executable_is_found_before_a_secret_is_issued(tmp_path: Path) -> None:
    path = program(tmp_path, "")
    path.chmod(0o644)
    with pytest.raises(StoreError, match="may not be run by this account"):
        CommandStore(str(path)).preflight()


def test_a_program_that_the_system_cannot_start_is_told(tmp_path: Path) -> None:
    path = tmp_path / "broken"
    path.write_text("#!/nowhere/at-all\n")
    path.chmod(0o755)
    with pytest.raises(StoreError, match="could not be started: No such file or directory"):
        CommandStore(str(path)).put(FIRST)
