"""A registered tenant for the tests of scope, made once a session and copied for each test."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from migrate_world import TWO_DAYS, TWO_HOURS, Migrating

from support.tenants import MAILBOX, Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def registered_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("registered") / "home"
    made = Place(home)
    done = made.remote("register", "--mailbox", MAILBOX, "--yes")
    made.close()
    assert done.code == 0, done.err
    return home


@pytest.fixture(scope="session")
def prepared_home(registered_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two days later the first run of a migration was made."""
    home = tmp_path_factory.mktemp("prepared") / "home"
    shutil.copytree(registered_home, home)
    made = Place(home)
    made.clock.advance(TWO_DAYS)
    Migrating(made).run()
    made.close()
    return home


@pytest.fixture
def place(registered_home: Path, tmp_path: Path) -> Iterator[Place]:
    """Registered a moment ago, by the policy that the MIM guide has."""
    shutil.copytree(registered_home, tmp_path / "home")
    made = Place(tmp_path / "home")
    yield made
    made.close()


@pytest.fixture
def settled(place: Place) -> Migrating:
    """Registered two days ago."""
    place.clock.advance(TWO_DAYS)
    return Migrating(place)


@pytest.fixture
def ready(prepared_home: Path, tmp_path: Path) -> Iterator[Migrating]:
    """The first run of a migration was made two hours ago."""
    shutil.copytree(prepared_home, tmp_path / "home")
    made = Place(tmp_path / "home")
    made.clock.advance(TWO_DAYS + TWO_HOURS)
    yield Migrating(made)
    made.close()
