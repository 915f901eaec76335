"""Seeded schedules: whatever the weather and however often it dies, scope migrate ends with the role alone.

The README's command runs the first ones; `.ci/run` runs the rest.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from schedules.migrate_schedule import MigrateSchedule
from support.tenants import MAILBOX, Place

if TYPE_CHECKING:
    from pathlib import Path

FEW = range(8)
MANY = range(8, 208)
_BATCH = 20


@pytest.fixture(scope="session")
def standing_policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registration that stands, to be copied."""
    home = tmp_path_factory.mktemp("standing-policy") / "home"
    place = Place(home)
    done = place.remote("register", "--mailbox", MAILBOX, "--yes")
    place.close()
    assert done.code == 0, done.err
    return home


@pytest.mark.parametrize("seed", FEW)
def test_a_schedule_of_scope_migrate(standing_policy: Path, tmp_path: Path, seed: int) -> None:
    shutil.copytree(standing_policy, tmp_path / "home")
    MigrateSchedule(seed, tmp_path / "home").run()


@pytest.mark.slow
@pytest.mark.parametrize("first", range(MANY.start, MANY.stop, _BATCH))
def test_more_schedules_of_scope_migrate(standing_policy: Path, tmp_path: Path, first: int) -> None:
    for seed in range(first, first + _BATCH):
        shutil.copytree(standing_policy, tmp_path / str(seed))
        MigrateSchedule(seed, tmp_path / str(seed)).run()
