"""A registered tenant for the tests of scope."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.tenants import MAILBOX, Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Registered a moment ago, by the policy that the MIM guide has."""
    made = Place(tmp_path / "home")
    done = made.remote("register", "--mailbox", MAILBOX, "--yes")
    assert done.code == 0, done.err
    made.wire.requests.clear()
    yield made
    made.close()
