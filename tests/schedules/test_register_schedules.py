"""Seeded schedules: whatever the weather and however often it dies, register comes out right.

The README's command runs the first hundred; `.ci/run` runs the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from schedules.schedule import Schedule

if TYPE_CHECKING:
    from pathlib import Path

FEW = range(100)
MANY = range(100, 2000)
FEW_ROLES = range(8)
MANY_ROLES = range(8, 308)
FEW_HOLDS = range(4)
MANY_HOLDS = range(4, 104)
_BATCH = 50


@pytest.mark.parametrize("seed", FEW)
def test_a_schedule(tmp_path: Path, seed: int) -> None:
    Schedule(seed, tmp_path).run()


def role(seed: int, home: Path) -> Schedule:
    """A schedule with a role in Exchange; every other one limits it by a management scope."""
    return Schedule(seed, home, scope=("--scope", "rbac", *(("--management-scope",) if seed % 2 else ())))


@pytest.mark.parametrize("seed", FEW_ROLES)
def test_a_schedule_with_a_role(tmp_path: Path, seed: int) -> None:
    role(seed, tmp_path).run()


@pytest.mark.slow
@pytest.mark.parametrize("first", range(MANY_ROLES.start, MANY_ROLES.stop, _BATCH))
def test_more_schedules_with_a_role(tmp_path: Path, first: int) -> None:
    for seed in range(first, first + _BATCH):
        role(seed, tmp_path / str(seed)).run()


@pytest.mark.slow
@pytest.mark.parametrize("first", range(MANY.start, MANY.stop, _BATCH))
def test_more_schedules(tmp_path: Path, first: int) -> None:
    for seed in range(first, first + _BATCH):
        Schedule(seed, tmp_path / str(seed)).run()


@pytest.mark.parametrize("seed", FEW_HOLDS)
def test_a_schedule_that_holds_consent_back(tmp_path: Path, seed: int) -> None:
    Schedule(seed, tmp_path, holds=True).run()


@pytest.mark.slow
@pytest.mark.parametrize("first", range(MANY_HOLDS.start, MANY_HOLDS.stop, _BATCH))
def test_more_schedules_that_hold_consent_back(tmp_path: Path, first: int) -> None:
    for seed in range(first, first + _BATCH):
        Schedule(seed, tmp_path / str(seed), holds=True).run()
