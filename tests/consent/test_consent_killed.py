"""SIGKILL before and after each write of a consent in the browser, and at the page: the next run tidies up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from consent.consent_world import Person, consent, fenced, grants, redirects
from support.tenants import MAILBOX, Place

HERE = Path(__file__).parent
DRIVER = HERE / "killed_consent.py"
#: With the redirect URI there and nobody back yet; the others run with the long schedules.
QUICK = {("after", 1), ("page", 0)}
KILLS = [
    pytest.param(when, number, marks=() if (when, number) in QUICK else pytest.mark.slow)
    for when, number in (("before", 1), ("after", 1), ("page", 0), ("before", 2), ("after", 2))
]

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")


def run(home: Path, when: str, number: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(DRIVER), str(home), when, str(number)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parent)])},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(("when", "number"), KILLS)
def test_a_killed_consent_is_finished_by_the_next_run(ready: Place, when: str, number: int) -> None:
    killed = run(ready.home, when, number)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    left = redirects(ready)

    done = consent(ready, "--browser", browser=Person(ready))

    assert done.code == 0, done.err
    assert done.document["consent"] == "granted"
    assert len(grants(ready)) == 1
    assert redirects(ready) == ()
    assert bool(left) == ((when, number) not in {("before", 1), ("after", 2)})
    assert consent(ready, "--browser", browser=Person(ready)).document["changes"] == []


def test_register_finishes_it_as_well(ready: Place) -> None:
    assert run(ready.home, "page", 0).returncode == -signal.SIGKILL
    assert redirects(ready) != ()

    done = ready.remote("register", "--mailbox", MAILBOX, "--yes", "--output", "json")

    assert done.code == 0, done.err
    assert redirects(ready) == ()
    assert len(grants(ready)) == 1


def test_every_write_is_among_those_that_are_killed(tmp_path: Path) -> None:
    place = Place(tmp_path)
    fenced(place)
    place.close()

    survived = run(tmp_path, "before", 3)

    assert survived.returncode == 0, survived.stderr
    assert int(survived.stdout) == 2
