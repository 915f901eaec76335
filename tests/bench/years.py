"""Five simulated years of rotation, as a table and as docs/rotation.svg: ``cd tests && python -m bench.years``.

What is simulated stands in tests/rotation/years.py. The picture has one band a course: a bar a secret, dark where MIM
has it, outages grey behind, red where MIM has nothing that works because what it had has ended by itself.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rotation.years import COURSES, FIVE_YEARS, Simulation

if TYPE_CHECKING:
    from rotation.years import Years

DOCS = Path(__file__).parents[2] / "docs"
PICTURE = DOCS / "rotation.svg"
_LEFT, _TOP, _WIDTH, _BAND, _BAR, _LANES = 190, 54, 913, 62, 12, 3
_YEAR = 365.25
_COLOURS = {"stored": "#b8cbe0", "installed": "#1f5fa8", "without": "#c62828", "outage": "#ececec", "text": "#222222"}


def row(years: Years) -> str:
    """One line of the table."""
    away = sum(end - begin for begin, end in years.without)
    cells = (
        years.course.name,
        years.issued,
        years.revoked,
        f"{years.runs} + {years.failed}",
        years.hook_failures,
        years.most_alive,
        f"{away:.0f}",
        len(years.lost),
    )
    return f"| {' | '.join(map(str, cells))} |"


HEAD = (
    "| hand-over | secrets issued | revoked | runs, done + failed | hook failures | most alive at once | days without, "
    "after a natural end | lost before its natural end |\n"
    "|---|---:|---:|---:|---:|---:|---:|---:|"
)


def band(years: Years, number: int) -> str:
    """One course as a group of the picture."""
    top = _TOP + number * _BAND
    last = years.length
    parts = [f'<g id="{_slug(years.course.name)}">', f'<text x="8" y="{top + 28}">{years.course.name}</text>']
    parts += [_bar(begin, end, top, _LANES * (_BAR + 4), "outage") for begin, end in years.outages]
    parts += [_bar(begin, end, top, _LANES * (_BAR + 4), "without") for begin, end in years.without]
    for lane, life in enumerate(years.lives.values()):
        y = top + (lane % _LANES) * (_BAR + 4) + 2
        parts.append(_bar(life.issued, min(life.ends, life.gone or last, last), y, _BAR, "stored"))
        if life.installed is not None:
            had_until = last if life.replaced is None else life.replaced
            parts.append(_bar(life.installed, min(life.ends, had_until), y, _BAR, "installed"))
    return "\n".join([*parts, "</g>"])


def frame(bands: list[str]) -> str:
    """The whole picture."""
    height = _TOP + len(bands) * _BAND + 8
    legend = (
        ("stored", "alive"),
        ("installed", "what MIM has"),
        ("outage", "no run reaches Graph"),
        ("without", "MIM has nothing: the last one ended by itself"),
    )
    marks, x = [], _LEFT
    for name, words in legend:
        marks.append(f'<rect x="{x}" y="8" width="22" height="12" fill="{_COLOURS[name]}"/>')
        marks.append(f'<text x="{x + 28}" y="18">{words}</text>')
        x += 60 + 7 * len(words)
    scale = []
    for year in range(5):
        x = _x(year * _YEAR)
        scale.append(f'<line x1="{x}" y1="36" x2="{x}" y2="{height - 8}" stroke="#cccccc"/>')
        scale.append(f'<text x="{x + 3}" y="46">year {year + 1}</text>')
    size = f'width="{_LEFT + _WIDTH + 12}" height="{height}"'
    font = f'font-family="sans-serif" font-size="12" fill="{_COLOURS["text"]}"'
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>',
        "<title>Five simulated years of rotation: each secret, and when MIM had it</title>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
    )
    return "\n".join([*head, *marks, *scale, *bands, "</svg>\n"])


def main() -> None:
    """Simulate, print, draw."""
    bands = []
    sys.stdout.write(f"{HEAD}\n")
    for number, course in enumerate(COURSES):
        with tempfile.TemporaryDirectory() as folder:
            years = Simulation(course, Path(folder) / "home", length=FIVE_YEARS).run()
        sys.stdout.write(f"{row(years)}\n")
        sys.stdout.flush()
        bands.append(band(years, number))
    PICTURE.write_text(frame(bands), encoding="utf-8", newline="\n")


def _bar(begin: float, end: float, y: float, height: int, kind: str) -> str:
    left, right = _x(begin), _x(end)
    return f'<rect x="{left}" y="{y}" width="{max(1, right - left)}" height="{height}" fill="{_COLOURS[kind]}"/>'


def _x(day: float) -> int:
    """Where a day is drawn: two days a pixel, so that the seconds that a run waits change nothing."""
    return _LEFT + int(day) // 2


def _slug(name: str) -> str:
    return "-".join("".join(sign if sign.isalnum() else " " for sign in name).split())


if __name__ == "__main__":
    main()
