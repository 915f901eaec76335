"""A registration that stands, made once a session and copied for each test."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from unregister_world import Registered

from support.tenants import MAILBOX, Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def registered_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("registered") / "home"
    place = Place(home)
    done = place.remote("register", "--mailbox", MAILBOX, "--yes", "--output", "json")
    place.close()
    assert done.code == 0, done.err
    return home


@pytest.fixture
def there(registered_home: Path, tmp_path: Path) -> Iterator[Registered]:
    """A calm tenant in which the registration of MIM's mailbox stands."""
    home = tmp_path / "home"
    shutil.copytree(registered_home, home)
    place = Place(home)
    yield Registered(place)
    place.close()
