"""SIGKILL before and after each write of unregister: no grant without a fence, and the next runs finish."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from unregister_world import TWO_HOURS, UNREGISTER, Registered

from support.gone import Watch, check_gone
from support.kills import kills
from support.tenants import Place

FIRST_WRITES = 4
PURGE_WRITES = 5
LAST_WRITES = 2
#: With a role: secret, role, allow list, application; then management scope and group.
ROLE_WRITES = 4
DRIVER = Path(__file__).parents[1] / "support" / "killed.py"

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")


def kill(home: Path, when: str, number: int, *more: str, hours: float = 0) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(DRIVER), str(home), when, str(number), *UNREGISTER, *more],
        env={**os.environ, "PYTHONPATH": str(DRIVER.parents[1]), "HOURS_LATER": str(hours)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def finish(there: Registered, *more: str) -> None:
    """Run again until it says that all is gone; nothing may stand open on the way."""
    watch = Watch(there.place, there.app_id)
    document = there.run(*more)
    if not document["complete"]:
        there.later()
        document = there.run(*more)
    assert document["complete"] is True
    assert watch.open_at == []
    check_gone(there.place, there.app_id, in_bin=not more)


@pytest.mark.parametrize(("when", "number"), kills(FIRST_WRITES, quick={("after", 1), ("after", 2)}))
def test_killed_while_it_takes_access_away(there: Registered, when: str, number: int) -> None:
    killed = kill(there.place.home, when, number)

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    finish(there)


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_while_it_purges(there: Registered, when: str) -> None:
    killed = kill(there.place.home, when, PURGE_WRITES, "--purge")

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    finish(there, "--purge")


@pytest.mark.parametrize(("when", "number"), kills(LAST_WRITES, quick={("after", 1)}))
def test_killed_while_it_takes_the_fence_away(there: Registered, when: str, number: int) -> None:
    there.run()

    killed = kill(there.place.home, when, number, hours=2)

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    there.later()
    finish(there)


@pytest.mark.parametrize(("when", "number"), kills(ROLE_WRITES, quick={("after", 2)}))
def test_killed_while_it_takes_a_role_away(with_role: Registered, when: str, number: int) -> None:
    killed = kill(with_role.place.home, when, number)

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    finish(with_role)


@pytest.mark.parametrize(("when", "number"), kills(LAST_WRITES, quick={("after", 1)}))
def test_killed_while_it_takes_the_limit_of_a_role_away(with_role: Registered, when: str, number: int) -> None:
    with_role.run()

    killed = kill(with_role.place.home, when, number, hours=2)

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with_role.later()
    finish(with_role)


def test_every_write_is_among_those_that_are_killed(registered_home: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(registered_home, home)

    first = kill(home, "before", PURGE_WRITES + 1, "--purge")
    last = kill(home, "before", LAST_WRITES + 1, hours=2)

    assert (first.returncode, int(first.stdout)) == (0, PURGE_WRITES), first.stderr
    assert (last.returncode, int(last.stdout)) == (0, LAST_WRITES), last.stderr
    place = Place(home)
    place.clock.advance(TWO_HOURS)
    place.close()
