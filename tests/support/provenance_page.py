"""Counts where the repository's cassettes come from, and writes the counts into docs/recording.md.

``cd tests && ../.venv/bin/python -m support.provenance_page``; a test fails while the page says something else.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from support.player import CASSETTES, Cassette

PAGE = Path(__file__).parents[2] / "docs" / "recording.md"
BEGIN = "<!-- counts: made by tests/support/provenance_page.py -->\n"
END = "<!-- end of counts -->\n"
#: The columns: what each kind is called on the page.
KINDS = {
    "live": "recorded with `--record`",
    "recorded": "recorded by others",
    "documented": "written by hand",
    "sandbox": "simulated",
}


def kind_of(cassette: Cassette) -> str:
    """The column of a cassette: what mimapp recorded itself says its version."""
    if cassette.provenance is None:
        raise ValueError(f"{cassette.name} says nothing about where it comes from")
    if cassette.provenance.kind == "recorded" and cassette.provenance.version:
        return "live"
    return cassette.provenance.kind


def counts(folder: Path = CASSETTES) -> dict[str, Counter[str]]:
    """How many cassettes of each kind there are, by service."""
    found: dict[str, Counter[str]] = {}
    for path in sorted(folder.rglob("*.yaml")):
        found.setdefault(path.parent.name, Counter())[kind_of(Cassette.load(path))] += 1
    return found


def table(found: dict[str, Counter[str]]) -> str:
    """The counts as the page has them."""
    total = sum(found.values(), Counter[str]())
    rows = [("service", *KINDS.values()), ("---", *("---:" for _ in KINDS))]
    rows += [(name, *(str(of[kind]) for kind in KINDS)) for name, of in [*sorted(found.items()), ("all", total)]]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def with_counts(page: str, block: str) -> str:
    """The page with these counts in the place of its own."""
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    if not tail and END not in rest:
        raise ValueError("docs/recording.md has lost the marks around its counts")
    return f"{head}{BEGIN}\n{block}\n{END}{tail}"


def main() -> int:
    """Write the page anew."""
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(with_counts(page, table(counts())), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
