"""Seeded schedules: whatever the weather and however often it dies, ews allow loses no entry, the switch comes last.

The README's command runs the first ones; `.ci/run` runs the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from schedules.ews_schedule import EwsSchedule

if TYPE_CHECKING:
    from pathlib import Path

FEW = range(8)
MANY = range(8, 108)
_BATCH = 20


@pytest.mark.parametrize("seed", FEW)
def test_a_few(seed: int, tmp_path: Path) -> None:
    EwsSchedule(seed, tmp_path / "home").run()


@pytest.mark.slow
@pytest.mark.parametrize("first", MANY[::_BATCH])
def test_many(first: int, tmp_path: Path) -> None:
    for seed in range(first, first + _BATCH):
        EwsSchedule(seed, tmp_path / str(seed)).run()
