"""A registered tenant for the tests of verify, calm, with the time at which everything has been taken in."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from mimapp.sandbox.weather import Weather
from support.tenants import MAILBOX, Place

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
def registered(tmp_path: Path) -> Iterator[Place]:
    """Registered a moment ago: the fence is not enforced, the list not taken in; both take about an hour."""
    made = Place(tmp_path / "home", weather=Weather(lag=timedelta(seconds=10), seed=3))
    register(made)
    yield made
    made.close()


@pytest.fixture
def settled(place: Place) -> Place:
    """Registered yesterday, with nothing under way."""
    register(place)
    place.clock.advance(timedelta(hours=25))
    return place


def register(place: Place) -> None:
    done = place.remote("register", "--mailbox", MAILBOX, "--yes", "--output", "json")
    assert done.code == 0, done.err
