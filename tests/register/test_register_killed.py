"""SIGKILL before and after each write of register: run again, and there is one of each thing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support.endings import check_one_of_each
from support.kills import kills
from support.tenants import MAILBOX, Place

WRITES = 8
ROLE_WRITES = 9
#: With the application there, and with a secret issued that no store holds.
QUICK = {("after", 1), ("after", 8)}
#: With a pointer that nothing knows of, and with a role that nobody has written down.
QUICK_ROLE = {("after", 5), ("after", 7)}
DRIVER = Path(__file__).parents[1] / "support" / "killed.py"
REGISTER = ("register", "--mailbox", MAILBOX, "--yes")
ROLE = (*REGISTER, "--scope", "rbac", "--management-scope")

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")


def run(home: Path, when: str, number: int, argv: tuple[str, ...] = REGISTER) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(DRIVER), str(home), when, str(number), *argv],
        env={**os.environ, "PYTHONPATH": str(DRIVER.parents[1])},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(("when", "number"), kills(WRITES, quick=QUICK))
def test_a_killed_register_is_finished_by_the_next_run(tmp_path: Path, when: str, number: int) -> None:
    dies_and_is_finished(tmp_path, when, number, REGISTER)


@pytest.mark.parametrize(("when", "number"), kills(ROLE_WRITES, quick=QUICK_ROLE))
def test_a_killed_register_with_a_role_is_finished_by_the_next_run(tmp_path: Path, when: str, number: int) -> None:
    dies_and_is_finished(tmp_path, when, number, ROLE)


def dies_and_is_finished(home: Path, when: str, number: int, argv: tuple[str, ...]) -> None:
    killed = run(home, when, number, argv)
    assert killed.returncode == -signal.SIGKILL, killed.stderr

    place = Place(home)
    done = place.remote(*argv, "--output", "json")
    assert done.code == 0, done.err
    check_one_of_each(place, done.document)
    again = place.remote(*argv, "--output", "json")
    assert again.document["changes"] == []
    place.close()


@pytest.mark.parametrize(("argv", "writes"), [(REGISTER, WRITES), (ROLE, ROLE_WRITES)], ids=["policy", "role"])
def test_every_write_is_among_those_that_are_killed(tmp_path: Path, argv: tuple[str, ...], writes: int) -> None:
    survived = run(tmp_path, "before", writes + 1, argv)

    assert survived.returncode == 0, survived.stderr
    assert int(survived.stdout) == writes
