"""A calm tenant in process for the tests of rotation, with a registration in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rotation.stage import Stage
from support.tenants import Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    place = Place(tmp_path / "home")
    made = Stage(place)
    made.register()
    yield made
    place.close()
