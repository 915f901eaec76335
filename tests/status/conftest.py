"""One simulated tenant with a clock that the test moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from status_place import register

from support.tenants import Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Nothing is registered yet."""
    made = Place(tmp_path / "home")
    yield made
    made.close()


@pytest.fixture
def registered(place: Place) -> Place:
    register(place)
    return place
