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
FEW_ROLES = range(6)
MANY_ROLES = range(6, 156)
_BATCH = 30


@dataclass
class Standing:
    """A registration that stands, to be copied."""

    home: Path
    app_id: str

    def schedule(self, seed: int, place: Path) -> UnregisterSchedule:
        shutil.copytree(self.home, place)
        return UnregisterSchedule(seed, place, app_id=self.app_id)


def made(home: Path, *scope: str) -> Standing:
    place = Place(home)
    done = place.remote("register", "--mailbox", MAILBOX, "--yes", "--output", "json", *scope)
    place.close()
    assert done.code == 0, done.err
    return Standing(home, done.document["applicationId"])


@pytest.fixture(scope="session")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Standing:
    return made(tmp_path_factory.mktemp("standing") / "home")


@pytest.fixture(scope="session")
def role(tmp_path_factory: pytest.TempPathFactory) -> Standing:
    """The same with a role in Exchange, limited by a management scope."""
    return made(tmp_path_factory.mktemp("role") / "home", "--scope", "rbac", "--management-scope")


@pytest.mark.parametrize("seed", FEW)
def test_a_schedule_of_unregister(standing: Standing, tmp_path: Path, seed: int) -> None:
    standing.schedule(seed, tmp_path / "home").run()


@pytest.mark.slow
@pytest.mark.parametrize("first", range(MANY.start, MANY.stop, _BATCH))
def test_more_schedules_of_unregister(standing: Standing, tmp_path: Path, first: int) -> None:
    for seed in range(first, first + _BATCH):
        standing.schedule(seed, tmp_path / str(seed)).run()


@pytest.mark.parametrize("seed", FEW_ROLES)
def test_a_schedule_with_a_role(role: Standing, tmp_path: Path, seed: int) -> None:
    role.schedule(seed, tmp_path / "home").run()


@pytest.mark.slow
@pytest.mark.parametrize("first", range(MANY_ROLES.start, MANY_ROLES.stop, _BATCH))
def test_more_schedules_with_a_role(role: Standing, tmp_path: Path, first: int) -> None:
    for seed in range(first, first + _BATCH):
        role.schedule(seed, tmp_path / str(seed)).run()
