"""Several machines, or several runs on one: eight at once give one new secret, and nobody revokes what is another's."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from support.tenants import MAILBOX, Place, is_write
from support.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from rotation.stage import Stage

EIGHT = 8


@pytest.fixture
def machines(stage: Stage, tmp_path: Path) -> Iterator[list[Place]]:
    """Eight machines on the tenant, the first one being the stage's own."""
    others = [
        Place(tmp_path / f"machine-{number}", clock=stage.place.clock, sandbox_home=stage.place.home)
        for number in range(1, EIGHT)
    ]
    yield [stage.place, *others]
    for place in others:
        place.close()


@pytest.fixture(autouse=True)
def levels() -> Iterator[None]:
    """Each command leaves the loggers as it found them; several at once find what another one has set."""
    loggers = [logging.getLogger(name) for name in ("mimapp", "httpx", "msal", "azure")]
    before = [logger.level for logger in loggers]
    yield
    for logger, level in zip(loggers, before, strict=True):
        logger.setLevel(level)


def rotate(place: Place, *more: str) -> Any:
    return place.remote("rotate", "--mailbox", MAILBOX, "--yes", "--output", "json", *more)


def at_once(stage: Stage, home: Path, seed: int, longest: float) -> tuple[list[Place], list[Any]]:
    """Eight machines that have all read the application before any issues; requests take up to `longest` seconds."""
    clock = Turns(seed, longest=longest)
    clock.advance(timedelta(minutes=1))
    all_have_read = 60 + 20 * longest
    machines = [Place(home / str(n), clock=clock, sandbox_home=stage.place.home) for n in range(EIGHT)]
    for place in machines:
        waited: list[bool] = []

        def before(request: httpx.Request, waited: list[bool] = waited) -> None:
            if request.url.path.endswith("/addPassword") and not waited:
                waited.append(True)
                clock.sleep_until(all_have_read)
            clock.request()

        place.wire.before = before
        place.wire.after = lambda *_: clock.request()
    ends = clock.run([partial(rotate, place, "--deadline", "4h") for place in machines])
    return machines, ends


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 21))])
def test_eight_machines_at_once_give_one_new_secret(stage: Stage, tmp_path: Path, seed: int) -> None:
    """Whatever the order in which their requests come."""
    (old,) = stage.key_ids()
    machines, ends = at_once(stage, tmp_path, seed, longest=3.0)

    new = set(stage.key_ids()) - {old}
    assert len(new) == 1, [end.err for end in ends]
    assert [end.code for end in ends] == [3] * EIGHT, [end.err for end in ends]
    documents = [end.document for end in ends]
    assert [document["issued"] for document in documents].count(True) == 1
    assert {document["secret"]["keyId"] for document in documents} == new
    for place in machines:
        again = rotate(place, "--if-due")
        assert (again.code, again.document["issued"]) == (3, False)
        place.close()
    assert set(stage.key_ids()) == {old, *new}


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 21))])
def test_however_slow_requests_are_there_is_one_at_most_and_none_is_said(
    stage: Stage, tmp_path: Path, seed: int
) -> None:
    """A request that takes minutes makes waiting useless: then nobody may say that there is a new secret."""
    (old,) = stage.key_ids()
    machines, ends = at_once(stage, tmp_path, seed, longest=240.0)

    new = set(stage.key_ids()) - {old}
    assert len(new) <= 1, [end.err for end in ends]
    assert {end.code for end in ends} <= {3, 75}, [end.err for end in ends]
    issued = [end.document["secret"]["keyId"] for end in ends if end.code == 3 and end.document["issued"]]
    assert set(issued) == new
    if not new:
        assert all(end.code == 75 or "run the same command again" in end.out for end in ends)
    for place in machines:
        place.close()


def test_where_each_steps_back_for_the_other_nobody_says_that_there_is_one(stage: Stage) -> None:
    """The rival has the smaller label, and takes its secret back whenever this machine does."""
    (old,) = stage.key_ids()
    rival = "mimapp 2026-11-21 0000000000"

    def after(request: httpx.Request, _: httpx.Response) -> None:
        if request.url.path.endswith("/addPassword"):
            stage.add_foreign(rival)
        if request.url.path.endswith("/removePassword"):
            stage.remove(rival)

    stage.place.wire.after = after
    end = rotate(stage.place)
    assert end.code == 75, end.err
    assert "each took its own back" in end.err
    assert stage.key_ids() == [old]
    assert {entry.state for entry in stage.journal.secrets} == {"proven", "revoked"}


def test_eight_machines_one_after_the_other_give_one_new_secret(stage: Stage, machines: list[Place]) -> None:
    ends = [rotate(place) for place in machines]
    assert [end.document["issued"] for end in ends] == [True] + [False] * (EIGHT - 1)
    assert len(stage.key_ids()) == 2


def test_a_machine_that_comes_between_looking_and_issuing_is_seen(stage: Stage, machines: list[Place]) -> None:
    """The second one keeps its secret; the first, which looked earlier, steps back and says so."""
    first, second = machines[:2]
    begun: list[Any] = []

    def before(request: httpx.Request) -> None:
        if is_write(request) and not begun:
            begun.append(None)
            begun[0] = rotate(second)

    first.wire.before = before
    end = rotate(first)

    assert begun[0].document["issued"] is True
    assert end.document["issued"] is False
    assert "stepped back" in end.document["reason"]
    assert end.document["secret"]["keyId"] == begun[0].document["secret"]["keyId"]
    assert len(stage.key_ids()) == 2
    states = [entry.state for entry in stage.journal.secrets]
    assert states == ["proven", "revoked"]


def test_eight_runs_on_one_machine_give_one_new_secret(stage: Stage) -> None:
    places = [Place(stage.place.home, clock=stage.place.clock) for _ in range(EIGHT)]
    with ThreadPoolExecutor(EIGHT) as pool:
        ends = list(pool.map(rotate, places))
    for place in places:
        place.close()
    assert {end.code for end in ends} <= {3, 75}, [end.err for end in ends]
    assert len(stage.key_ids()) == 2


def test_a_store_that_both_machines_use_makes_the_secret_here_on_both(stage: Stage, machines: list[Place]) -> None:
    first, second = machines[:2]
    store = ("--secret-to", f"file:{stage.place.home}/shared.json")
    issued = rotate(first, *store)
    assert issued.document["issued"] is True
    seen = rotate(second, *store)
    assert seen.document["issued"] is False
    assert seen.document["secret"] == issued.document["secret"]


def test_what_lies_elsewhere_is_waited_for_until_what_is_here_is_in_danger(stage: Stage, machines: list[Place]) -> None:
    """MIM may have nothing but what is here: before that ends, this machine issues one of its own."""
    (old,) = stage.key_ids()
    other = rotate(machines[1]).document["secret"]["keyId"]
    stage.place.clock.advance(timedelta(days=130))
    assert rotate(machines[1], "--again").document["issued"] is True
    stage.place.clock.advance(timedelta(hours=1))
    waits = rotate(stage.place, "--if-due")
    assert (waits.code, waits.document["issued"]) == (3, False)
    assert any("name its store with --secret-to" in line for line in waits.document["attention"])

    stage.place.clock.advance(timedelta(days=45))
    issues = rotate(stage.place, "--if-due")
    assert issues.document["issued"] is True
    assert "nobody confirmed it" in issues.document["reason"]
    assert {old, other} <= set(stage.key_ids())


def test_a_clock_that_is_behind_waits_or_says_so(stage: Stage) -> None:
    """Secrets are told apart by their beginning: none may begin before the one that it follows."""
    newest = stage.rotate(code=3)["secret"]["keyId"]
    stage.set_start(newest, stage.place.clock.now() + timedelta(seconds=20))
    refused = rotate(stage.place, "--again", "--deadline", "10s")
    assert refused.code == 75
    assert "clock" in refused.err

    end = rotate(stage.place, "--again")
    assert end.document["issued"] is True
    starts = {one["keyId"]: one["startDateTime"] for one in stage.application()["passwordCredentials"]}
    assert starts[end.document["secret"]["keyId"]] > starts[newest]
