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


ROLE = ("--scope", "rbac", "--management-scope")


@pytest.fixture(scope="session")
def registered_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _registered(tmp_path_factory.mktemp("registered") / "home")


@pytest.fixture(scope="session")
def role_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _registered(tmp_path_factory.mktemp("role") / "home", *ROLE)


@pytest.fixture
def there(registered_home: Path, tmp_path: Path) -> Iterator[Registered]:
    """A calm tenant in which the registration of MIM's mailbox stands."""
    yield from _copied(registered_home, tmp_path)


@pytest.fixture
def with_role(role_home: Path, tmp_path: Path) -> Iterator[Registered]:
    """The same with a role in Exchange, limited by a management scope, instead of grant and policy."""
    yield from _copied(role_home, tmp_path)


def _registered(home: Path, *scope: str) -> Path:
    place = Place(home)
    done = place.remote("register", "--mailbox", MAILBOX, "--yes", "--output", "json", *scope)
    place.close()
    assert done.code == 0, done.err
    return home


def _copied(made: Path, tmp_path: Path) -> Iterator[Registered]:
    home = tmp_path / "home"
    shutil.copytree(made, home)
    place = Place(home)
    yield Registered(place)
    place.close()
