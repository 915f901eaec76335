"""One application's desk over a fake Entra."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fake_entra import Office

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(home=tmp_path)
