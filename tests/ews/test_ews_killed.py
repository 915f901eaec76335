"""SIGKILL before and after each write of ews allow: no entry is lost, the list comes before the switch."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mimapp.sandbox.scenarios import EwsState, set_ews_state
from mimapp.sandbox.seed import OTHER_EWS_APPS
from support.kills import kills
from support.tenants import MAILBOX, Place

#: The list, then the switch.
WRITES = 2
DRIVER = Path(__file__).parents[1] / "support" / "killed.py"
ALLOW = ("ews", "allow", "--mailbox", MAILBOX, "--enable", "--yes")

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")


def run(place: Place, when: str, number: int) -> subprocess.CompletedProcess[str]:
    set_ews_state(place.sandbox, EwsState.FALSE_LIST)
    return subprocess.run(
        [sys.executable, str(DRIVER), str(place.home), when, str(number), *ALLOW],
        env={**os.environ, "PYTHONPATH": str(DRIVER.parents[1])},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(("when", "number"), kills(WRITES, quick={("after", 1)}))
def test_a_killed_allow_is_finished_by_the_next_run(place: Place, when: str, number: int) -> None:
    killed = run(place, when, number)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    listed, switch = standing(place)
    assert listed[: len(OTHER_EWS_APPS)] == list(OTHER_EWS_APPS)
    assert switch is ((when, number) == ("after", WRITES))
    assert len(listed) == len(OTHER_EWS_APPS) + ((when, number) != ("before", 1))

    done = place.remote(*ALLOW)
    assert done.code == 0, done.err
    ended = standing(place)
    assert ended == ([*OTHER_EWS_APPS, registered(place)], True)
    place.wire.requests.clear()
    assert place.remote(*ALLOW[:-2], "--yes").code == 0
    assert place.wire.writes == []
    assert standing(place) == ended


def test_every_write_is_among_those_that_are_killed(place: Place) -> None:
    survived = run(place, "before", WRITES + 1)
    assert survived.returncode == 0, survived.stderr
    assert int(survived.stdout.splitlines()[0]) == WRITES


def standing(place: Place) -> tuple[list[str], bool | None]:
    """The organisation's list and switch."""
    organization = place.remote("ews", "status", "--mailbox", MAILBOX, "--output", "json").document["organization"]
    return organization["allowedAppIds"], organization["ewsEnabled"]


def registered(place: Place) -> str:
    status = place.remote("status", "--mailbox", MAILBOX, "--output", "json")
    return str(status.document["applicationId"])
