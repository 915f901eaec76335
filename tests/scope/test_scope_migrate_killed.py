"""SIGKILL before and after each write of scope migrate: never a grant without its policy, and the next runs finish.

And, in process, an end at every request, reads and proofs included, after which nothing is sent any more.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from migrate_world import MIGRATE, OTHER, TWO_DAYS, TWO_HOURS, Migrating, Watch

from support.tenants import Place

if TYPE_CHECKING:
    import httpx

DRIVER = Path(__file__).parents[1] / "support" / "killed.py"
#: The writes of the first run, and of the second.
WRITES = (2, 3)
HOURS = TWO_DAYS.total_seconds() / 3600
SECOND = HOURS + TWO_HOURS.total_seconds() / 3600
#: How many requests a run of each kind sends at least; a test counts them.
REQUESTS = {"first": 20, "second": 25}

has_sigkill = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")


class Crash(BaseException):
    """The process dies: nothing in the product may catch it."""


def kill(home: Path, when: str, number: int, hours: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(DRIVER), str(home), when, str(number), *MIGRATE, "--outside", OTHER],
        env={**os.environ, "PYTHONPATH": str(DRIVER.parents[1]), "HOURS_LATER": str(hours)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def finish(home: Path, hours: float) -> None:
    """Run it until it is complete; what stands open on the way is wrong."""
    place = Place(home)
    place.clock.advance(TWO_HOURS * (hours / 2))
    there = Migrating(place)
    watch = Watch(there)
    assert not there.is_granted or there.policies
    document = None
    for _ in range(3):
        done = there.done("--outside", OTHER)
        assert done.code in {0, 75}, done.err
        document = done.document
        if document["complete"]:
            break
        place.clock.advance(TWO_HOURS)
    assert document is not None
    assert document["complete"]
    assert watch.wrong == []
    assert (there.is_granted, there.policies, len(there.roles)) == (False, [], 1)
    assert len(there.truth().roles.principals) == 1
    place.close()


@has_sigkill
@pytest.mark.parametrize(
    ("when", "number"),
    [
        ("after", 2),
        *(
            pytest.param(when, number, marks=pytest.mark.slow)
            for when, number in (("before", 1), ("after", 1), ("before", 2))
        ),
    ],
)
def test_killed_in_the_first_run(registered_home: Path, tmp_path: Path, when: str, number: int) -> None:
    shutil.copytree(registered_home, tmp_path / "home")
    killed = kill(tmp_path / "home", when, number, HOURS)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    finish(tmp_path / "home", HOURS)


@has_sigkill
@pytest.mark.parametrize(
    ("when", "number"),
    [
        ("after", 1),
        *(
            pytest.param(when, number, marks=pytest.mark.slow)
            for when, number in (("before", 1), ("before", 2), ("after", 2), ("before", 3), ("after", 3))
        ),
    ],
)
def test_killed_in_the_second_run(prepared_home: Path, tmp_path: Path, when: str, number: int) -> None:
    shutil.copytree(prepared_home, tmp_path / "home")
    killed = kill(tmp_path / "home", when, number, SECOND)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    finish(tmp_path / "home", SECOND)


@has_sigkill
@pytest.mark.slow
def test_every_write_is_among_those_that_are_killed(registered_home: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(registered_home, home)
    for hours, writes in zip((HOURS, SECOND), WRITES, strict=True):
        survived = kill(home, "before", writes + 1, hours)
        assert (survived.returncode, int(survived.stdout)) == (0, writes), survived.stderr


def ends_at(home: Path, number: int, hours: float, *, answered: bool) -> bool:
    """Run it until its Nth request, which is answered or not; whether it came that far."""
    place = Place(home)
    place.clock.advance(TWO_HOURS * (hours / 2))
    seen = 0

    def before(_request: httpx.Request) -> None:
        nonlocal seen
        seen += 1
        if seen > number or (seen == number and not answered):
            raise Crash

    def after(_request: httpx.Request, _response: httpx.Response) -> None:
        if seen >= number:
            raise Crash

    place.wire.before, place.wire.after = before, after
    try:
        place.remote(*MIGRATE, "--outside", OTHER)
    except Crash:
        return True
    finally:
        place.close()
    return False


@pytest.mark.slow
@pytest.mark.parametrize("answered", [False, True])
@pytest.mark.parametrize("run", ["first", "second"])
def test_an_end_at_every_request(
    registered_home: Path, prepared_home: Path, tmp_path: Path, run: str, *, answered: bool
) -> None:
    standing, hours = (registered_home, HOURS) if run == "first" else (prepared_home, SECOND)
    number = 1
    while True:
        home = tmp_path / str(number)
        shutil.copytree(standing, home)
        died = ends_at(home, number, hours, answered=answered)
        finish(home, hours)
        if not died:
            break
        number += 1
    assert number > REQUESTS[run]
