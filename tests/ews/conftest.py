"""A tenant whose registration has everything but its place on the EWS list, in the state that a test sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mimapp.sandbox.scenarios import EwsState, set_ews_state
from support.tenants import MAILBOX, Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Registered while EWS answered everybody and there was no list, so that register left it alone."""
    made = Place(tmp_path / "home")
    set_ews_state(made.sandbox, EwsState.NULL)
    done = made.remote("register", "--mailbox", MAILBOX, "--yes")
    assert done.code == 3, done.err
    made.wire.requests.clear()
    yield made
    made.close()
