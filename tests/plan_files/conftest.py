"""A calm tenant in process for plans that are written, passed on and carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.tenants import Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path / "home")
    yield made
    made.close()
