"""Permission sets are data: the values of the one in use stand in its row and nowhere else in the source."""

from __future__ import annotations

import ast
from dataclasses import astuple
from pathlib import Path

import mimapp
from mimapp.exchange import EWS_ROLE
from mimapp.graph import EXCHANGE_ONLINE_APP_ID, FULL_ACCESS_AS_APP, FULL_ACCESS_AS_APP_ID
from mimapp.permissions import IN_USE, PERMISSION_SETS

SOURCE = Path(mimapp.__file__).parent


def test_every_room_reads_the_row() -> None:
    assert IN_USE in PERMISSION_SETS.values()
    assert [*astuple(IN_USE)[1:]] == [EXCHANGE_ONLINE_APP_ID, FULL_ACCESS_AS_APP, FULL_ACCESS_AS_APP_ID, EWS_ROLE]


def test_no_value_of_a_row_is_written_a_second_time() -> None:
    """Sentences may name a permission; a value that something is compared with, or sent as, comes from the row."""
    values = {value for one in PERMISSION_SETS.values() for value in astuple(one)[1:]}
    sandbox = SOURCE / "sandbox"  # it writes ids a second time on purpose: test_written_twice.py compares them
    again = [
        f"{path.relative_to(SOURCE)}:{node.lineno}"
        for path in SOURCE.rglob("*.py")
        if sandbox not in path.parents and path.name != "permissions.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in values
    ]
    assert again == []
