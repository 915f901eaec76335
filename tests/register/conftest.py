"""The tenant of the tests of register: in weather by default, calm where a test counts requests or seconds."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from mimapp.sandbox.weather import CALM, Weather
from support.tenants import Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WEATHER = Weather(
    latency=timedelta(milliseconds=40), lag=timedelta(seconds=3), throttle=0.03, lose_replies=0.01, seed=7
)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    yield from _place(tmp_path, WEATHER)


@pytest.fixture
def calm(tmp_path: Path) -> Iterator[Place]:
    yield from _place(tmp_path, CALM)


def _place(tmp_path: Path, weather: Weather) -> Iterator[Place]:
    made = Place(tmp_path / "home", weather=weather)
    yield made
    made.close()
