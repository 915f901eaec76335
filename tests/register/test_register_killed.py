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
#: With the application there, and with a secret issued that no store holds.
QUICK = {("after", 1), ("after", 8)}
DRIVER = Path(__file__).parents[1] / "support" / "killed.py"
REGISTER = ("register", "--mailbox", MAILBOX, "--yes")

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")


def run(home: Path, when: str, number: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(DRIVER), str(home), when, str(number), *REGISTER],
        env={**os.environ, "PYTHONPATH": str(DRIVER.parents[1])},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(("when", "number"), kills(WRITES, quick=QUICK))
def test_a_killed_register_is_finished_by_the_next_run(tmp_path: Path, when: str, number: int) -> None:
    killed = run(tmp_path, when, number)
    assert killed.returncode == -signal.SIGKILL, killed.stderr

    place = Place(tmp_path)
    done = place.remote(*REGISTER, "--output", "json")
    assert done.code == 0, done.err
    check_one_of_each(place, done.document)
    again = place.remote(*REGISTER, "--output", "json")
    assert again.document["changes"] == []
    place.close()


def test_every_write_is_among_those_that_are_killed(tmp_path: Path) -> None:
    survived = run(tmp_path, "before", WRITES + 1)

    assert survived.returncode == 0, survived.stderr
    assert int(survived.stdout) == WRITES
