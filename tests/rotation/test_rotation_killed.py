"""SIGKILL before and after each write of rotate, handover and retire: run again, and everything is in its place."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rotation.stage import Stage
from support.clock import START, FakeClock
from support.tenants import MAILBOX, Place

DRIVER = Path(__file__).with_name("killed_rotation.py")
#: How many writes each command makes; the last test of this file says whether these are all.
WRITES = {"rotate": 9, "confirm": 1, "retire": 6, "rotate later": 6, "compromised": 14, "retire by name": 5}
#: What goes the way of another command: those deaths are left to the long tests.
LONG = {"rotate later", "compromised", "retire by name"}

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Homes as each command finds them, made once: registered, with a successor, with evidence for it."""
    root = tmp_path_factory.mktemp("prepared")
    home = root / "home"
    clock = FakeClock()
    for copies, prepare in (
        (("rotate", "compromised"), lambda stage: (stage.register(), stage.hook("deploy", ""), stage.add_foreign())),
        (("confirm",), lambda stage: stage.rotate(code=3)),
        (("retire", "rotate later", "retire by name"), lambda stage: stage.confirm(by_age(stage)[-1])),
    ):
        place = Place(home, clock=clock)
        prepare(Stage(place))
        place.close()  # what is copied has to be closed: SQLite keeps the latest writes beside its file
        for name in copies:
            shutil.copytree(home, root / name)
    return root


def by_age(stage: Stage) -> list[str]:
    """The key ids that the journal knows, the oldest first."""
    known = sorted((entry.begun, entry.key_id) for entry in stage.journal.secrets if entry.key_id is not None)
    return [key_id for _, key_id in known]


def argv_of(command: str, home: Path) -> tuple[float, tuple[str, ...]]:
    """When a command runs, in seconds after the beginning, and its words."""
    later = 20 * 86_400.0
    hook = ("--deploy-hook", str(home / "deploy"))
    if command == "rotate":
        return 60.0, ("rotate", "--yes", *hook)
    if command == "rotate later":
        return later, ("rotate", "--if-due", "--yes")
    if command == "retire":
        return later, ("retire", "--yes")
    stage = Stage(Place(home))
    try:
        first, last = by_age(stage)[0], by_age(stage)[-1]
    finally:
        stage.place.close()
    return {
        "confirm": (120.0, ("handover", "confirm", last)),
        "compromised": (60.0, ("rotate", "--yes", *hook, "--compromised", first, "--confirm", first)),
        "retire by name": (later, ("retire", "--yes", "--key-id", first)),
    }[command]


def run(home: Path, command: str, number: int) -> subprocess.CompletedProcess[str]:
    seconds, argv = argv_of(command, home)
    return subprocess.run(
        [sys.executable, str(DRIVER), str(home), str(seconds), str(number), *argv, "--mailbox", MAILBOX],
        env={**os.environ, "PYTHONPATH": str(DRIVER.parents[1])},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def home(prepared: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    command = request.getfixturevalue("command")
    return shutil.copytree(prepared / command, tmp_path / "home")


@pytest.mark.parametrize(
    ("command", "number"),
    [
        pytest.param(command, number, marks=[pytest.mark.slow] if command in LONG else [])
        for command, most in WRITES.items()
        for number in range(1, most + 1)
    ],
)
def test_a_killed_command_is_finished_by_the_next_run(home: Path, command: str, number: int) -> None:
    killed = run(home, command, number)
    assert killed.returncode == -signal.SIGKILL, killed.stderr

    seconds, argv = argv_of(command, home)
    place = Place(home, clock=FakeClock(START))
    place.clock.sleep(seconds + 400)
    stage = Stage(place)
    done = place.remote(*argv, "--mailbox", MAILBOX, "--output", "json")
    assert done.code in {0, 3}, done.err
    check(stage, command)
    place.close()


def check(stage: Stage, command: str) -> None:
    """One current secret, stored and working; the foreign one there; nothing gone that MIM may use."""
    ours = [one for one in stage.application()["passwordCredentials"] if one["displayName"].startswith("mimapp ")]
    foreign = [one for one in stage.application()["passwordCredentials"] if one not in ours]
    assert len(foreign) == 1
    assert len(ours) == (2 if command in {"rotate", "confirm"} else 1)
    states = {entry.key_id: entry.state for entry in stage.journal.secrets}
    for one in ours:
        assert states[one["keyId"]] == "proven"
        assert stage.works(stage.secret_of(one["keyId"]))
    files = list(stage.stored.parent.glob(f"{stage.stored.name}*"))
    assert len(files) == len(ours), files
    assert not [state for state in states.values() if state not in {"proven", "revoked"}]
    if command != "rotate later":
        evidence = {piece.key_id for piece in stage.journal.evidence}
        assert evidence == {newest_of(ours)}


def newest_of(ours: list[dict[str, str]]) -> str:
    return max(ours, key=lambda one: one["startDateTime"])["keyId"]


@pytest.mark.parametrize("command", WRITES)
def test_every_write_is_among_those_that_are_killed(home: Path, command: str) -> None:
    survived = run(home, command, WRITES[command] + 1)
    assert survived.returncode in {0, 3}, survived.stderr
    assert int(survived.stdout.splitlines()[0]) == WRITES[command], survived.stdout
