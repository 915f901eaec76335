"""The sandbox's rules of access, sign-in and lag as a table of cases, each with its source or marked unverified.

The rows stand in ``cases.toml``. Tests prove every one against the sandbox, and docs/sandbox.md lists them. Exchange's
rules of access have their own table. Agreement between sandbox and client proves nothing by itself: what is marked
unverified is a guess that both may share.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources

__all__ = ["Area", "Case", "as_markdown", "cases"]


class Area(StrEnum):
    """What a case is about."""

    ACCESS = "access"
    SIGN_IN = "sign-in"
    LAG = "lag"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One rule.

    Attributes:
        name: its key in the tests.
        area: what it is about.
        situation: what is done.
        answer: what the service answers.
        source: where that is known from.
        unverified: what no source shows; empty when all of it is shown.
    """

    name: str
    area: Area
    situation: str
    answer: str
    source: str
    unverified: str = ""


def cases() -> tuple[Case, ...]:
    """Every rule of access, sign-in and lag that is not Exchange's, in the order of the documentation."""
    table = tomllib.loads(resources.files("mimapp.sandbox").joinpath("cases.toml").read_text(encoding="utf-8"))
    return tuple(Case(area=area, **row) for area in Area for row in table[area.value])


def as_markdown(area: Area) -> str:
    """The table of an area as docs/sandbox.md has it."""
    head = "| case | situation | answer | source | unverified |\n|---|---|---|---|---|\n"
    rows = (
        f"| `{case.name}` | {case.situation} | {case.answer} | {case.source} | {case.unverified} |\n"
        for case in cases()
        if case.area is area
    )
    return head + "".join(rows)
