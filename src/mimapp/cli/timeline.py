"""The credentials of an application drawn in time: one inline SVG, coloured by the page's own style, no script.

Owns geometry alone: `_x` maps a moment to the drawing's width, and everything else hangs on it. Labels stand outside
the bars, so that a black-and-white print loses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from mimapp.checks.status_dates import life_left, newest_secret
from mimapp.host.document import text
from mimapp.rotation import due

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mimapp.checks.status import Status
    from mimapp.credentials.listing import Credential
    from mimapp.rotation import DuePolicy

__all__ = ["timeline"]

_WIDTH = 960
_LEFT = 232
_RIGHT = 862
_TOP = 62
_ROW = 30
_BAR = 12
_LABEL = 30
_TICKS = 8
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120)
_YEAR = 12
#: What ended longer ago is drawn as a stump at the left edge.
_PAST = timedelta(days=365)
_SHORTEST = timedelta(days=30)
_LOW = 1 / 3
_NEAR = 90
_DATE = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """What the drawing shows, from left to right."""

    begin: datetime
    end: datetime

    def x(self, moment: datetime) -> float:
        """Where a moment stands; outside the span at its edge."""
        part = (moment - self.begin) / (self.end - self.begin)
        return round(_LEFT + (_RIGHT - _LEFT) * min(1.0, max(0.0, part)), 1)


def timeline(found: Status) -> str:
    """The credentials of one registration as an SVG element; empty where there are none."""
    if not found.credentials:
        return ""
    ews = None if found.ews_ends is None else datetime.combine(found.ews_ends, time(), UTC)
    span = _span(found.credentials, found.at, ews)
    height = _TOP + _ROW * len(found.credentials) + 8
    size = f'viewBox="0 0 {_WIDTH} {height}"'
    parts = [
        f'<svg class="timeline" {size} role="img" aria-label="{text(_spoken(found))}">',
        *_ticks(span, height),
        *_marks(span, height, found.at, ews),
    ]
    newest = newest_secret(found.credentials, found.at)
    for number, one in enumerate(found.credentials):
        parts += _row(span, _TOP + _ROW * number, one, found.at, due_by=found.due_by if one is newest else None)
    return "\n".join([*parts, "</svg>"])


def _span(credentials: Sequence[Credential], at: datetime, ews: datetime | None) -> _Span:
    starts = [max(one.starts, at - _PAST) for one in credentials if one.starts is not None]
    ends = [one.expires for one in credentials if one.expires is not None]
    begin = min([at - _SHORTEST, *starts])
    end = max([at + _SHORTEST, *ends, *([] if ews is None else [ews])])
    return _Span(begin=begin, end=end + (end - begin) / 50)


def _spoken(found: Status) -> str:
    """The drawing in words, for who cannot see it."""
    rows = [
        f"{one.label or one.key_id} {'without an end' if one.expires is None else f'until {one.expires:%Y-%m-%d}'}"
        for one in found.credentials
    ]
    return f"Credentials in time, seen on {found.at:%Y-%m-%d}: {'; '.join(rows)}"


def _ticks(span: _Span, height: int) -> Iterator[str]:
    """A line at the first of some months, as many as have room."""
    months = (span.end.year - span.begin.year) * _YEAR + span.end.month - span.begin.month
    step = next((one for one in _MONTHS if months / one <= _TICKS), _MONTHS[-1])
    first = span.begin.year * _YEAR + span.begin.month - 1
    for number in range(first - first % step, first + months + 1, step):
        moment = datetime(number // _YEAR, number % _YEAR + 1, 1, tzinfo=UTC)
        if span.begin <= moment <= span.end:
            x = span.x(moment)
            yield f'<line class="tick" x1="{x}" y1="{_TOP - 8}" x2="{x}" y2="{height - 4}"/>'
            yield f'<text class="tick" x="{x}" y="{_TOP - 12}" text-anchor="middle">{moment:%Y-%m}</text>'


def _marks(span: _Span, height: int, at: datetime, ews: datetime | None) -> Iterator[str]:
    """Today, and the end of EWS, whose label stands on the side where today's line is not."""
    yield from _mark("now", f"today, {at:%Y-%m-%d}", "middle", x=span.x(at), base=13, height=height)
    if ews is not None:
        words, side = ("ends", "start") if ews > at else ("ended", "end")
        yield from _mark("ews", f"EWS {words}, {ews:%Y-%m-%d}", side, x=span.x(ews), base=29, height=height)


def _mark(css: str, words: str, anchor: str, *, x: float, base: int, height: int) -> Iterator[str]:
    """A line from its label down; a label that would leave the drawing is turned inwards."""
    if x > _RIGHT - _NEAR:
        anchor = "end"
    elif x < _LEFT + _NEAR:
        anchor = "start"
    aside = {"start": 4, "middle": 0, "end": -4}[anchor]
    begin = base + 5 if anchor == "middle" else base - 10
    yield f'<line class="{css}" x1="{x}" y1="{begin}" x2="{x}" y2="{height - 4}"/>'
    yield f'<text class="{css}" x="{x + aside}" y="{base}" text-anchor="{anchor}">{words}</text>'


def _row(span: _Span, top: int, one: Credential, at: datetime, *, due_by: DuePolicy | None) -> Iterator[str]:
    name = one.label or one.key_id
    shown = name if len(name) <= _LABEL else f"{name[: _LABEL - 1]}…"
    base, bar = top + 15, top + 5
    yield f'<text x="0" y="{base}">{text(shown)}</text>'
    begin, end = span.x(one.starts or span.begin), span.x(one.expires or span.end)
    now = min(max(span.x(at), begin), end)
    yield _rect("gone", begin, now, bar)
    yield _rect(_colour(one, at), now, end, bar)
    if due_by is not None:
        at_latest = due(one, due_by, at).at
        if at_latest is not None and at_latest > at:
            x = span.x(at_latest)
            yield f'<path class="due" d="M{x} {bar + _BAR + 1}l4 7h-8z"><title>due {at_latest:%Y-%m-%d}</title></path>'
    words = "no end" if one.expires is None else f"{one.expires:%Y-%m-%d}"
    today = span.x(at)
    aside = today if end <= today < end + _DATE else end  # today's line does not run through a date
    yield f'<text x="{aside + 6}" y="{base}">{words}</text>'


def _rect(css: str, begin: float, end: float, top: int) -> str:
    width = round(end - begin, 1)
    return f'<rect class="{css}" x="{begin}" y="{top}" width="{width}" height="{_BAR}"/>' if width > 0 else ""


def _colour(one: Credential, at: datetime) -> str:
    left = life_left(one, at)
    if left is None:
        return "foreign"
    return "low" if left < _LOW else "life"
