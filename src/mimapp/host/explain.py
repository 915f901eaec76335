"""``explain``: from a code, pop-up, header, event or message to its causes and what mends them.

Owns the search and the texts; the rows stand in `explain_login`, `explain_mail` and `explain_services`. It needs no
tenant; each cause names what in a tenant would confirm it (`Cause.live`), for whoever has one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import msgspec

from mimapp.errors import DeniedError, MimappError, ServiceError, StoppedError
from mimapp.host.explain_login import LOGIN
from mimapp.host.explain_mail import MAIL
from mimapp.host.explain_services import SERVICES
from mimapp.host.explanation import Cause, Explanation
from mimapp.host.facts import Mark, Source

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["TABLE", "cause_lines", "explain", "explain_json", "explain_text", "key_of", "source_lines"]

TABLE: tuple[Explanation, ...] = LOGIN + MAIL + SERVICES

_LONGEST = 100_000
_CODE = re.compile(r"AADSTS(\d{4,8})", re.IGNORECASE)
_BARE_CODE = re.compile(r"\d{5,8}")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]{4,}")
_BLANKS = re.compile(r"\s+")


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


def key_of(error: MimappError) -> str | None:
    """The name under which the table explains an error of mimapp; None where it does not.

    The error's own `explain` decides; for a service's refusal its code comes next, then what it said. A run that
    stopped half-way is explained by what stopped it.
    """
    if _named(error.explain) is not None:
        return error.explain
    if isinstance(error, StoppedError) and isinstance(error.__cause__, MimappError):
        return key_of(error.__cause__)
    if not isinstance(error, ServiceError):
        return None
    if _named(error.code) is not None:
        return error.code
    said = _BLANKS.sub(" ", " ".join((error.message, *error.details))).casefold()
    row = next((one for one in SERVICES if _says(one, said)), None)
    if row is None and isinstance(error, DeniedError) and not error.code:
        row = _named(f"{error.service}-{error.status}")
    return None if row is None else row.key


def _named(name: str | None) -> Explanation | None:
    """The row that has exactly this name."""
    return next((row for row in TABLE if name and name.casefold() in row.keys), None)


def _says(row: Explanation, low: str) -> bool:
    """Whether a phrase of the row stands in the text, not as a part of longer words."""
    return any(
        phrase in low and re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", low) is not None for phrase in row.phrases
    )


def _by_code(code: str) -> Explanation:
    name = f"AADSTS{code}"
    return _named(name) or Explanation(
        key=name,
        keys=(name.casefold(),),
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
            out += cause_lines(number, cause)
        out += ["", *source_lines(row), ""]
    return "\n".join(out)


def cause_lines(number: int, cause: Cause) -> tuple[str, ...]:
    """A cause with how to tell and what mends it, set in below its row."""
    return (f"  {number}. {cause.what}", f"     tell: {cause.tell}", f"     fix:  {cause.fix}")


def source_lines(row: Explanation) -> tuple[str, ...]:
    """Where a row comes from."""
    return tuple(f"  source: {source}" for source in row.sources)


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
