"""Seeded schedules: whatever the weather and however often it dies, an adoption takes nothing from anybody.

The README's command runs the first ones; `.ci/run` runs the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from schedules.adoption_schedule import AdoptionSchedule

if TYPE_CHECKING:
    from pathlib import Path

FEW = range(8)
MANY = range(8, 68)
_BATCH = 20


@pytest.mark.parametrize("seed", FEW)
def test_a_schedule_of_an_adoption(tmp_path: Path, seed: int) -> None:
    AdoptionSchedule(seed, tmp_path / "home").run()


@pytest.mark.slow
@pytest.mark.parametrize("first", MANY[::_BATCH])
def test_more_schedules_of_adoptions(tmp_path: Path, first: int) -> None:
    for seed in range(first, first + _BATCH):
        AdoptionSchedule(seed, tmp_path / str(seed)).run()
