"""``explain``: from a code, pop-up, header, event or message to its causes and what mends them.

Owns the search and the texts; the rows stand in `explain_login`, `explain_mail` and `explain_services`. It needs no
tenant; each cause names what in a tenant would confirm it (`Cause.live`), for whoever has one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import msgspec

from mimapp.host.explain_login import LOGIN
from mimapp.host.explain_mail import MAIL
from mimapp.host.explain_services import SERVICES
from mimapp.host.explanation import Cause, Explanation
from mimapp.host.facts import Mark, Source

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["TABLE", "explain", "explain_json", "explain_text", "keys"]

TABLE: tuple[Explanation, ...] = LOGIN + MAIL + SERVICES

_LONGEST = 100_000
_CODE = re.compile(r"AADSTS(\d{4,8})", re.IGNORECASE)
_BARE_CODE = re.compile(r"\d{5,8}")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]{4,}")
_BLANKS = re.compile(r"\s+")


def keys() -> tuple[str, ...]:
    """The keys of all rows, for completion and for "there is no such row"."""
    return tuple(row.key for row in TABLE)


def explain(text: str) -> list[Explanation]:
    """The rows that a text names, the most telling first; empty when none does.

    A text that is nothing but a key or code gives its row. Otherwise AADSTS codes in the order in which they stand,
    then rows whose key stands there as a word or whose phrase is part of the text, in the table's order. An AADSTS
    code without a row gets one that says where Microsoft explains it.

    Args:
        text: anything that was seen; only the first 100,000 characters are read.
    """
    shown = _BLANKS.sub(" ", text[:_LONGEST].replace("\u2019", "'")).strip()
    low = shown.casefold()
    exact = [row for row in TABLE if low in row.keys]
    if exact:
        return exact
    if _BARE_CODE.fullmatch(shown):
        return [_by_code(shown)]
    found = [_by_code(code) for code in _CODE.findall(shown)]
    words = {word.casefold() for word in _WORD.findall(shown)}
    found += [row for row in TABLE if words.intersection(row.keys) or _says(row, low)]
    return list({row.key: row for row in found}.values())


def _says(row: Explanation, low: str) -> bool:
    """Whether a phrase of the row stands in the text, not as a part of longer words."""
    return any(
        phrase in low and re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", low) is not None for phrase in row.phrases
    )


def _by_code(code: str) -> Explanation:
    name = f"aadsts{code}"
    return next((row for row in LOGIN if name in row.keys), None) or Explanation(
        key=f"AADSTS{code}",
        keys=(name,),
        phrases=(),
        title="A sign-in code that is not in this table",
        causes=(
            Cause(
                what="Microsoft's own page explains it",
                tell=f"https://login.microsoftonline.com/error?code={code}",
                fix="read there; the sign-in log in Entra has more, under the correlation id of the message",
            ),
        ),
        sources=(Source(name="Microsoft Entra authentication and authorization error codes", mark=Mark.DOC),),
    )


def explain_text(found: Sequence[Explanation]) -> str:
    """The rows for a terminal or a pipe; never wrapped."""
    out: list[str] = []
    for row in found:
        out += [f"{row.key}: {row.title}", ""]
        for number, cause in enumerate(row.causes, 1):
            out += [
                f"  {number}. {cause.what}",
                f"     tell: {cause.tell}",
                f"     fix:  {cause.fix}",
            ]
        out += ["", *(f"  source: {source}" for source in row.sources), ""]
    return "\n".join(out)


class _CauseJson(msgspec.Struct, frozen=True):
    what: str
    tell: str
    fix: str
    live: str | None


class _RowJson(msgspec.Struct, frozen=True):
    key: str
    title: str
    causes: list[_CauseJson]
    sources: list[str]


class _ExplainJson(msgspec.Struct, frozen=True):
    schema: Literal["mimapp.explain/1"]
    explanations: list[_RowJson]


def explain_json(found: Sequence[Explanation]) -> str:
    """The rows as one JSON document, schema ``mimapp.explain/1``."""
    rows = [
        _RowJson(
            key=row.key,
            title=row.title,
            causes=[
                _CauseJson(what=cause.what, tell=cause.tell, fix=cause.fix, live=cause.live) for cause in row.causes
            ],
            sources=[str(source) for source in row.sources],
        )
        for row in found
    ]
    document = _ExplainJson(schema="mimapp.explain/1", explanations=rows)
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"
