"""Seeded schedules: whatever the weather, however often it dies and whatever moves, apply does what was shown.

The README's command runs the first ones; `.ci/run` runs the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from schedules.apply_schedule import ApplySchedule

if TYPE_CHECKING:
    from pathlib import Path

FEW = range(4)
MANY = range(4, 64)
_BATCH = 20


@pytest.mark.parametrize("seed", FEW)
def test_a_schedule_of_apply(tmp_path: Path, seed: int) -> None:
    ApplySchedule(seed, tmp_path / "home").run()


@pytest.mark.slow
@pytest.mark.parametrize("first", MANY[::_BATCH])
def test_more_schedules_of_apply(tmp_path: Path, first: int) -> None:
    for seed in range(first, first + _BATCH):
        ApplySchedule(seed, tmp_path / str(seed)).run()
