"""Dying before and after each write of an adoption: the next run finishes it, and nothing is taken from anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mimapp.sandbox.weather import CALM
from schedules.adoption_schedule import AdoptionSchedule
from schedules.restore_schedule import RestoreSchedule
from support.tenants import is_write

if TYPE_CHECKING:
    from pathlib import Path

#: How many writes each way has.
WAYS = {"portal": 8, "script": 8, "--restore": 10, "--purge-deleted": 9}
#: With the old secrets back, the bin emptied, and the mark set; the others run with the long schedules.
QUICK = {("--restore", 4, True), ("--restore", 5, False), ("--purge-deleted", 1, True), ("portal", 1, True)}
KILLS = [
    pytest.param(way, number, taken, marks=() if (way, number, taken) in QUICK else pytest.mark.slow)
    for way, writes in WAYS.items()
    for number in range(1, writes + 1)
    for taken in (False, True)
]


def taking_over(home: Path, made_by: str) -> AdoptionSchedule:
    schedule = AdoptionSchedule(1, home)
    schedule.made_by, schedule.weather, schedule.crashes = made_by, CALM, 0
    schedule.is_sign_in = schedule.other_scopes = schedule.removes = False
    schedule.is_granted = made_by == "script"
    return schedule


def coming_back(home: Path, how: str) -> RestoreSchedule:
    schedule = RestoreSchedule(1, home, how=how)
    schedule.weather = CALM
    return schedule


@pytest.mark.parametrize(("way", "number", "taken"), KILLS)
def test_an_adoption_that_died_is_finished_by_the_next(tmp_path: Path, way: str, number: int, *, taken: bool) -> None:
    if way.startswith("--"):
        back = coming_back(tmp_path / "home", way)
        back.prepare()
        assert back.register((number, taken), counts=is_write) is None
        back.finish()
        return
    over = taking_over(tmp_path / "home", way)
    over.first_death = (number, taken)
    over.run()
    assert over.has_died


@pytest.mark.parametrize("how", ["--restore", "--purge-deleted"])
def test_every_write_is_among_those(tmp_path: Path, how: str) -> None:
    back = coming_back(tmp_path / "home", how)
    back.prepare()
    done = back.register(None)

    assert done is not None
    assert len(back.log) == WAYS[how], back.log
