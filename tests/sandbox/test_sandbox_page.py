"""docs/sandbox.md lists the rules as they are in the tables; run as a program, this writes them there."""

from __future__ import annotations

import re
from pathlib import Path

from access_cases import CASES

from mimapp.sandbox.cases import Area, as_markdown, cases

PAGE = Path(__file__).parents[2] / "docs" / "sandbox.md"


def exchange_rows() -> str:
    known = {case.name: re.sub(r"\w+\.md \d+[,;]? ?", "", case.source) for case in CASES if "unverified" in case.source}
    rows = (f"| {name} | {source} |\n" for name, source in known.items())
    return "| case | what is known |\n|---|---|\n" + "".join(rows)


def filled(text: str) -> str:
    """The page with its tables as they should be."""
    tables = {area.value: as_markdown(area) for area in Area} | {"exchange": exchange_rows()}
    for name, table in tables.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        found = pattern.search(text)
        assert found is not None
        text = text[: found.start()] + f"{found[1]}\n{table}\n{found[2]}" + text[found.end() :]
    return text


def test_page_has_every_case_as_it_is() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == filled(text)
    for case in cases():
        assert f"`{case.name}`" in text


def test_every_case_is_named_once_and_says_where_it_is_from() -> None:
    names = [case.name for case in cases()]
    assert len(names) == len(set(names))
    assert all(case.source and case.situation and case.answer for case in cases())
    assert any(case.unverified for case in cases())


def test_page_says_what_real_clients_did() -> None:
    """As scripts/real-clients/run.py --write leaves it; a client that failed is no result to publish."""
    text = PAGE.read_text(encoding="utf-8")
    table = text.split("<!-- real-clients -->")[1].split("<!-- /real-clients -->")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if line.startswith("| ")]
    clients = {name: (version, result) for name, version, result, _ in rows[1:]}
    assert clients.keys() == {"msal", "azure-identity", "exchangelib", "msgraph-sdk", "azure-cli"}
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) and result == "passed" for version, result in clients.values())


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
