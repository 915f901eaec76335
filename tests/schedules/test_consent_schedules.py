"""Seeded schedules: whatever the weather and however often it dies, consent stays behind the fence and tidies up.

The README's command runs the first ones; `.ci/run` runs the rest.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from consent.consent_world import fenced
from schedules.consent_schedule import ConsentSchedule
from support.tenants import Place

if TYPE_CHECKING:
    from pathlib import Path

FEW = range(5)
MANY = range(5, 95)
_BATCH = 30


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registration that stands but for its consent, to be copied."""
    home = tmp_path_factory.mktemp("fenced") / "home"
    place = Place(home)
    fenced(place)
    place.close()
    return home


def schedule(built: Path, seed: int, home: Path) -> ConsentSchedule:
    shutil.copytree(built, home)
    return ConsentSchedule(seed, home)


@pytest.mark.parametrize("seed", FEW)
def test_a_schedule_of_consent(built: Path, tmp_path: Path, seed: int) -> None:
    schedule(built, seed, tmp_path / "home").run()


@pytest.mark.slow
@pytest.mark.parametrize("first", MANY[::_BATCH])
def test_more_schedules_of_consent(built: Path, tmp_path: Path, first: int) -> None:
    for seed in range(first, first + _BATCH):
        schedule(built, seed, tmp_path / str(seed)).run()
