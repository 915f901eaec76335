"""A host check as text, JSON (schema ``mimapp.host-check/1``) and printable HTML.

Owns layout and field names; the judgement is `check`.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal

import msgspec

from mimapp.clock import iso
from mimapp.host.document import page, tag, text
from mimapp.host.row import Verdict

if TYPE_CHECKING:
    from mimapp.host.row import HostReport, Row

__all__ = ["report_html", "report_json", "report_text"]

_SIGNS = {
    Verdict.OK: "ok      ",
    Verdict.WRONG: "WRONG   ",
    Verdict.ATTENTION: "LOOK    ",
    Verdict.NOTE: "note    ",
    Verdict.UNSEEN: "not seen",
}
_CSS = {Verdict.UNSEEN: "unseen"}


def _heading(report: HostReport) -> str:
    server = f" {report.server}" if report.server else ""
    return f"MIM server{server}, read from {report.source}"


def _summary(report: HostReport) -> str:
    counts = Counter(row.verdict for row in report.rows)
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])


def _times(report: HostReport) -> str:
    read = f"collected {iso(report.read_at)}, " if report.read_at else ""
    return f"{read}judged {iso(report.judged_at)}"


def report_text(report: HostReport) -> str:
    """One line a row, with why and what to do below what is not ok; not wrapped."""
    out = [_heading(report), _times(report), ""]
    if report.sandbox:
        out.insert(0, "SANDBOX")
    width = max((len(row.title) for row in report.rows), default=0)
    for row in report.rows:
        out.append(f"{_SIGNS[row.verdict]}  {row.title.ljust(width)}  {row.value}".rstrip())
        indent = " " * (len(_SIGNS[row.verdict]) + 2)
        if row.needs_person:
            out.append(f"{indent}wanted: {row.wanted}")
        if row.why:
            out.append(f"{indent}why: {row.why}")
        if row.fix:
            out.append(f"{indent}fix: {row.fix}")
    return "\n".join([*out, "", _summary(report)]) + "\n"


class _RowJson(msgspec.Struct, frozen=True):
    key: str
    title: str
    value: str
    wanted: str
    verdict: str
    why: str
    fix: str


class _ReportJson(msgspec.Struct, frozen=True, rename="camel"):
    schema: Literal["mimapp.host-check/1"]
    server: str
    source: str
    collected_at: str | None
    judged_at: str
    attention: bool
    sandbox: bool
    rows: list[_RowJson]


def report_json(report: HostReport) -> str:
    """The report as one JSON document, schema ``mimapp.host-check/1``."""
    document = _ReportJson(
        schema="mimapp.host-check/1",
        server=report.server,
        source=report.source,
        collected_at=iso(report.read_at) if report.read_at else None,
        judged_at=iso(report.judged_at),
        attention=report.attention,
        sandbox=report.sandbox,
        rows=[
            _RowJson(
                key=row.key,
                title=row.title,
                value=row.value,
                wanted=row.wanted,
                verdict=row.verdict,
                why=row.why,
                fix=row.fix,
            )
            for row in report.rows
        ],
    )
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def report_html(report: HostReport) -> str:
    """The report as a self-contained document: light and dark, printable, nothing fetched, no script."""
    head = tag("tr", *(tag("th", name) for name in ("Verdict", "What was found", "Wanted", "Why, and what to do")))
    body = [tag("p", "SANDBOX: judged against a simulated tenant", css="notice sandbox")] if report.sandbox else []
    return page(
        _heading(report),
        tag("h1", text(_heading(report))),
        tag("p", text(_times(report)), css="quiet"),
        tag("p", text(_summary(report))),
        *body,
        tag("table", head, *(_row(row) for row in report.rows), css="report"),
    )


def _row(row: Row) -> str:
    css = _CSS.get(row.verdict, str(row.verdict))
    advice = tag("p", text(row.why)) if row.why else ""
    if row.fix:
        advice += tag("p", tag("strong", "Fix: "), text(row.fix))
    return tag(
        "tr",
        tag("td", text(str(row.verdict)), css=f"verdict {css}"),
        tag("td", tag("p", tag("strong", text(row.title))), tag("p", text(row.value)) if row.value else ""),
        tag("td", text(row.wanted)),
        tag("td", advice),
    )
