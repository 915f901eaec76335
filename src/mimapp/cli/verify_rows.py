"""The rows of a verification as JSON and as lines, for every command that shows some of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.clock import iso

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mimapp.checks.verify_row import VerifyRow
    from mimapp.cli.result import JsonValue, Tone

__all__ = ["VERDICT_TONES", "row_document"]

#: In which tone each verdict is shown.
VERDICT_TONES: dict[str, Tone] = {
    "holds": "good",
    "warning": "warn",
    "not probed": "dim",
    "not yet": "warn",
    "broken": "bad",
}


def row_document(row: VerifyRow) -> Mapping[str, JsonValue]:
    """One row as JSON."""
    return {
        "name": row.name,
        "asked": row.asked,
        "came": row.came,
        "verdict": row.verdict.value,
        "meaning": row.meaning,
        "todo": row.todo,
        "until": None if row.until is None else iso(row.until),
    }
