"""Seeded schedules: whatever happens, no server of MIM's loses its secret, and one run more puts all in its place.

The README's command runs the first hundred; `.ci/run` runs the rest.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from rotation.rotation_schedule import RotationSchedule, prepare

if TYPE_CHECKING:
    from pathlib import Path

FEW = range(100)
MANY = range(100, 2000)
_BATCH = 50

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the hooks of these schedules are shell scripts")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare(tmp_path_factory.mktemp("prepared") / "home")


@pytest.mark.parametrize("seed", FEW)
def test_a_rotation_schedule(prepared: Path, tmp_path: Path, seed: int) -> None:
    RotationSchedule(seed, prepared, tmp_path).run()


@pytest.mark.slow
@pytest.mark.parametrize("first", range(MANY.start, MANY.stop, _BATCH))
def test_more_rotation_schedules(prepared: Path, tmp_path: Path, first: int) -> None:
    for seed in range(first, first + _BATCH):
        RotationSchedule(seed, prepared, tmp_path / str(seed)).run()
