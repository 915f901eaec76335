"""docs/recording.md counts the cassettes as they are, and its commands and names are the product's."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from mimapp.cli.names import commands
from mimapp.cli.options import CommonOptions, specs_of
from support.player import Cassette
from support.provenance_page import BEGIN, END, PAGE, counts, kind_of, table, with_counts

if TYPE_CHECKING:
    from pathlib import Path

TEXT = PAGE.read_text(encoding="utf-8")


def test_the_counts_are_those_of_the_cassettes() -> None:
    made = with_counts(TEXT, table(counts()))

    assert made == TEXT, "cd tests && ../.venv/bin/python -m support.provenance_page"


def write(folder: Path, name: str, **provenance: str) -> Cassette:
    path = folder / "graph" / name
    path.parent.mkdir(exist_ok=True)
    interaction = {"request": {"method": "GET", "uri": "https://x"}, "response": {"status": {"code": 200}}}
    document = {"version": 1, "provenance": {"source": "s", **provenance}, "interactions": [interaction]}
    path.write_text(json.dumps(document), encoding="utf-8")
    return Cassette.load(path)


def test_each_kind_has_its_column(tmp_path: Path) -> None:
    kinds = [
        kind_of(write(tmp_path, "a.yaml", kind="recorded", version="0.1.0")),
        kind_of(write(tmp_path, "b.yaml", kind="recorded")),
        kind_of(write(tmp_path, "c.yaml", kind="documented")),
        kind_of(write(tmp_path, "d.yaml", kind="sandbox", version="0.1.0")),
    ]

    assert kinds == ["live", "recorded", "documented", "sandbox"]
    assert counts(tmp_path) == {"graph": Counter(kinds)}
    assert table(counts(tmp_path)).endswith("| graph | 1 | 1 | 1 | 1 |\n| all | 1 | 1 | 1 | 1 |\n")


def test_a_page_without_its_marks_is_not_overwritten() -> None:
    with pytest.raises(ValueError, match="marks"):
        with_counts(TEXT.replace(END, ""), "")
    assert TEXT.count(BEGIN) == TEXT.count(END) == 1


def test_every_command_and_option_on_the_page_exists() -> None:
    lines = re.findall(r"^mimapp .*$", TEXT, flags=re.MULTILINE)
    flags = {flag for spec in specs_of(CommonOptions) for flag in spec.flags} | {"--dry-run", "--yes"}
    names = {row.path for row in commands()}

    assert len(lines) >= 3
    assert [line for line in lines if not any(line.startswith(f"mimapp {name} ") for name in names)] == []
    assert [flag for line in lines for flag in re.findall(r"--[a-z-]+", line) if flag not in flags] == []
