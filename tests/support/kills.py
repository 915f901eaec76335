"""Where a process is killed: before and after each of a command's writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Collection

    from _pytest.mark.structures import ParameterSet

__all__ = ["kills"]


def kills(writes: int, *, quick: Collection[tuple[str, int]]) -> list[ParameterSet]:
    """Every death as ``(when, number)``; those that are not quick run with the long schedules.

    Each costs a process of its own, and the test command of the README is to take three minutes in all.
    """
    return [
        pytest.param(when, number, marks=() if (when, number) in quick else pytest.mark.slow)
        for number in range(1, writes + 1)
        for when in ("before", "after")
    ]
