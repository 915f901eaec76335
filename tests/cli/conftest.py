"""The command line on a home folder of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.command_line import Cli

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(home=tmp_path / "home")
