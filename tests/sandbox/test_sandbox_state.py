from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from mimapp.sandbox.errors import SandboxError
from mimapp.sandbox.state import Delay, State
from support.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass
class Travelling:
    """Writes travel 2 s to the first replica and 10 s to the last; the test says which one answers."""

    answering: float = 0.0

    def delay(self, kind: str) -> Delay:
        return Delay(first=2.0, last=10.0) if kind == "thing" else Delay()

    def replica(self) -> float:
        return self.answering


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def state(tmp_path: Path, clock: FakeClock) -> Iterator[State]:
    made = State(tmp_path / "sandbox" / "tenants.sqlite3", clock=clock)
    yield made
    made.close()


@pytest.fixture
def lag() -> Travelling:
    return Travelling()


@pytest.fixture
def lagging(tmp_path: Path, clock: FakeClock, lag: Travelling) -> Iterator[State]:
    made = State(tmp_path / "lagging" / "tenants.sqlite3", clock=clock, lag=lag)
    yield made
    made.close()


def test_what_was_written_is_found_again_by_another_opening(state: State, clock: FakeClock) -> None:
    with state.transaction() as tx:
        tx.put("t", "thing", "1", {"Name": "One"})
    clock.advance(timedelta(seconds=5))
    with state.transaction() as tx:
        tx.put("t", "thing", "1", {"Name": "Uno"})
    again = State(state.path, clock=clock)
    with again.transaction(write=False) as tx:
        found = tx.get("T", "thing", "1")
    again.close()
    assert found is not None
    assert found.body == {"Name": "Uno"}
    assert found.modified - found.created == 5


def test_find_compares_members_without_regard_to_case(state: State) -> None:
    with state.transaction() as tx:
        tx.put("t", "thing", "1", {"Name": "One", "on": True})
        tx.put("t", "thing", "2", {"Name": "Two", "on": True})
        tx.put("other", "thing", "3", {"Name": "One", "on": True})
        assert [r.id for r in tx.find("t", "thing", Name="ONE")] == ["1"]
        assert [r.id for r in tx.find("t", "thing", on=True)] == ["1", "2"]
        assert tx.find("t", "thing", Name="One", on=False) == []


def test_soft_deleted_document_is_apart_from_the_living(state: State) -> None:
    with state.transaction() as tx:
        tx.put("t", "thing", "1", {}, deleted=tx.now)
        assert tx.get("t", "thing", "1") is None
        assert tx.get("t", "thing", "1", deleted=True) is not None
        assert tx.find("t", "thing") == []
        assert tx.delete("t", "thing", "1")
        assert not tx.delete("t", "thing", "1")


def test_request_that_fails_leaves_nothing(state: State) -> None:
    def half_a_request() -> None:
        with state.transaction() as tx:
            tx.put("t", "thing", "1", {})
            raise KeyError

    with pytest.raises(KeyError):
        half_a_request()
    with state.transaction() as tx:
        assert tx.get("t", "thing", "1") is None


def test_process_killed_in_the_middle_leaves_nothing_and_locks_nobody_out(state: State) -> None:
    script = (
        "import os, signal, sys, pathlib\n"
        "from mimapp.sandbox.clock import SystemClock\n"
        "from mimapp.sandbox.state import State\n"
        "state = State(pathlib.Path(sys.argv[1]), clock=SystemClock())\n"
        "with state.transaction() as tx:\n"
        "    tx.put('t', 'thing', 'half', {})\n"
        "    os.kill(os.getpid(), signal.SIGTERM if os.name == 'nt' else signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(state.path)], check=False, timeout=60)
    assert done.returncode != 0
    if os.name != "nt":
        assert done.returncode == -signal.SIGKILL
    with state.transaction() as tx:
        assert tx.get("t", "thing", "half") is None
        tx.put("t", "thing", "whole", {})


def test_threads_never_lose_each_others_writes(state: State) -> None:
    def count() -> None:
        for _ in range(25):
            with state.transaction() as tx:
                found = tx.get("t", "counter", "1")
                tx.put("t", "counter", "1", {"n": (found.body["n"] if found else 0) + 1})

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with state.transaction() as tx:
        found = tx.get("t", "counter", "1")
    assert found is not None
    assert found.body == {"n": 100}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_only_the_owner_can_read_it(state: State) -> None:
    assert stat.S_IMODE(state.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(state.path.parent.stat().st_mode) == 0o700


def test_file_of_another_form_is_refused(tmp_path: Path, clock: FakeClock) -> None:
    path = tmp_path / "tenants.sqlite3"
    path.write_bytes(b"not a database at all, but long enough to be taken for one" * 40)
    with pytest.raises(SandboxError, match="not a sandbox"):
        State(path, clock=clock)
    newer = tmp_path / "newer.sqlite3"
    with sqlite3.connect(newer) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(SandboxError, match="form 99"):
        State(newer, clock=clock)


def test_truth_is_known_at_once_and_replicas_learn_later(lagging: State, lag: Travelling, clock: FakeClock) -> None:
    with lagging.transaction() as tx:
        tx.put("t", "thing", "1", {"v": 1})
        assert tx.get("t", "thing", "1") is not None
    sightings = []
    for answering in (0.0, 0.5, 1.0):
        lag.answering = answering
        with lagging.transaction() as tx:
            sightings.append(tx.seen("t", "thing", "1") is not None)
    assert sightings == [False, False, False]
    clock.advance(timedelta(seconds=6))
    sightings = []
    for answering in (0.0, 0.4, 0.6, 1.0):
        lag.answering = answering
        with lagging.transaction() as tx:
            sightings.append(tx.seen("t", "thing", "1") is not None)
    assert sightings == [True, True, False, False]
    clock.advance(timedelta(seconds=4))
    with lagging.transaction() as tx:
        assert tx.seen("t", "thing", "1") is not None


def test_replica_that_lags_shows_the_older_version(lagging: State, lag: Travelling, clock: FakeClock) -> None:
    with lagging.transaction() as tx:
        tx.put("t", "thing", "1", {"v": "old"}, settled=True)
    clock.advance(timedelta(seconds=1))
    with lagging.transaction() as tx:
        tx.put("t", "thing", "1", {"v": "mid"})
    clock.advance(timedelta(seconds=4))
    with lagging.transaction() as tx:
        tx.put("t", "thing", "1", {"v": "new"})
    clock.advance(timedelta(seconds=3))

    def seen_by(answering: float) -> str | None:
        lag.answering = answering
        with lagging.transaction() as tx:
            found = tx.seen("t", "thing", "1")
            return None if found is None else str(found.body["v"])

    # 3 s after "new" (2 to 10 s) and 7 s after "mid".
    assert [seen_by(r) for r in (0.0, 0.3, 0.9)] == ["new", "mid", "old"]
    clock.advance(timedelta(seconds=7))
    assert seen_by(1.0) == "new"


def test_deletion_travels_too(lagging: State, clock: FakeClock) -> None:
    with lagging.transaction() as tx:
        tx.put("t", "thing", "1", {"Name": "One"}, settled=True)
        assert tx.delete("t", "thing", "1")
        assert tx.get("t", "thing", "1") is None
    with lagging.transaction() as tx:
        assert [r.id for r in tx.seen_all("t", "thing", Name="one")] == ["1"]
    clock.advance(timedelta(seconds=10))
    with lagging.transaction() as tx:
        assert tx.seen_all("t", "thing") == []
        tx.put("t", "thing", "1", {"Name": "Again"})
        assert [r.body["Name"] for r in tx.find("t", "thing")] == ["Again"]


def test_one_request_is_answered_by_one_replica(tmp_path: Path, clock: FakeClock) -> None:
    asked: list[int] = []

    class Counting(Travelling):
        def replica(self) -> float:
            asked.append(1)
            return 0.0

    state = State(tmp_path / "tenants.sqlite3", clock=clock, lag=Counting())
    with state.transaction() as tx:
        tx.put("t", "thing", "1", {})
        tx.put("t", "thing", "2", {})
    with state.transaction() as tx:
        tx.seen("t", "thing", "1")
        tx.seen_all("t", "thing")
    state.close()
    assert len(asked) == 1
