"""Seeded schedules: whatever the weather and however often it dies, an adoption takes nothing from anybody.

The README's command runs the first ones; `.ci/run` runs the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from schedules.adoption_schedule import AdoptionSchedule
from schedules.restore_schedule import RestoreSchedule

if TYPE_CHECKING:
    from pathlib import Path

FEW = range(4)
MANY = range(4, 64)
_BATCH = 20


@pytest.mark.parametrize("seed", FEW)
def test_a_schedule_of_an_adoption(tmp_path: Path, seed: int) -> None:
    AdoptionSchedule(seed, tmp_path / "home").run()


@pytest.mark.parametrize("how", ["--restore", "--purge-deleted"])
@pytest.mark.parametrize("seed", range(2))
def test_a_schedule_of_coming_back(tmp_path: Path, seed: int, how: str) -> None:
    RestoreSchedule(seed, tmp_path / "home", how=how).run()


@pytest.mark.slow
@pytest.mark.parametrize("how", ["--restore", "--purge-deleted"])
def test_more_schedules_of_coming_back(tmp_path: Path, how: str) -> None:
    for seed in range(2, 14):
        RestoreSchedule(seed, tmp_path / str(seed), how=how).run()


@pytest.mark.slow
@pytest.mark.parametrize("first", MANY[::_BATCH])
def test_more_schedules_of_adoptions(tmp_path: Path, first: int) -> None:
    for seed in range(first, first + _BATCH):
        AdoptionSchedule(seed, tmp_path / str(seed)).run()
