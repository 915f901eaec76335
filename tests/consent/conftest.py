"""A calm tenant in process, whose administrators have done everything but consent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consent.consent_world import fenced
from support.tenants import Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path / "home")
    yield made
    made.close()


@pytest.fixture
def ready(place: Place) -> Place:
    fenced(place)
    return place
