"""SIGKILL before and after writes of apply: the same file, applied again, ends with one of each thing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from plan_world import apply, write_plan

from support.endings import check_one_of_each
from support.kills import kills
from support.tenants import Place

WRITES = 8
DRIVER = Path(__file__).parents[1] / "support" / "killed.py"
#: After the application, between policy and grant, and with the secret issued: the others run with the long schedules.
QUICK = {("after", 1), ("before", 6), ("after", 8)}

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")


@pytest.mark.parametrize(("when", "number"), kills(WRITES, quick=QUICK))
def test_a_killed_apply_is_finished_by_applying_again(tmp_path: Path, when: str, number: int) -> None:
    place = Place(tmp_path / "home")
    path = write_plan(place)
    place.close()

    killed = subprocess.run(
        [sys.executable, str(DRIVER), str(tmp_path / "home"), when, str(number), "apply", str(path), "--yes"],
        env={**os.environ, "PYTHONPATH": str(DRIVER.parents[1])},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr

    place = Place(tmp_path / "home")
    done = apply(place, path)
    assert done.code == 0, done.err
    check_one_of_each(place, done.document)
    assert apply(place, path).document["changes"] == []
    place.close()
