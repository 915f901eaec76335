"""Seeded schedules: whatever the weather and however often it dies, unregister leaves nothing and opens nothing.

The README's command runs the first ones; `.ci/run` runs the rest.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from schedules.unregister_schedule import UnregisterSchedule
from support.tenants import MAILBOX, Place

if TYPE_CHECKING:
    from pathlib import Path

FEW = range(16)
MANY = range(16, 316)
_BATCH = 30


@dataclass
class Standing:
    """A registration that stands, to be copied."""

    home: Path
    app_id: str

    def schedule(self, seed: int, place: Path) -> UnregisterSchedule:
        shutil.copytree(self.home, place)
        return UnregisterSchedule(seed, place, app_id=self.app_id)


@pytest.fixture(scope="session")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Standing:
    home = tmp_path_factory.mktemp("standing") / "home"
    place = Place(home)
    done = place.remote("register", "--mailbox", MAILBOX, "--yes", "--output", "json")
    place.close()
    assert done.code == 0, done.err
    return Standing(home, done.document["applicationId"])


@pytest.mark.parametrize("seed", FEW)
def test_a_schedule_of_unregister(standing: Standing, tmp_path: Path, seed: int) -> None:
    standing.schedule(seed, tmp_path / "home").run()


@pytest.mark.slow
@pytest.mark.parametrize("first", range(MANY.start, MANY.stop, _BATCH))
def test_more_schedules_of_unregister(standing: Standing, tmp_path: Path, first: int) -> None:
    for seed in range(first, first + _BATCH):
        standing.schedule(seed, tmp_path / str(seed)).run()
