"""The page of ``status --output html``: whole, self-contained, escaped, and the drawing's geometry."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from status_place import OTHER, register

from mimapp.sandbox.scenarios import foreign_secret
from support.page import read_page as read
from support.tenants import MAILBOX, Place

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> str:
    place = Place(tmp_path_factory.mktemp("page") / "home")
    register(place)
    place.clock.advance(timedelta(days=95))
    place.remote("rotate", "--mailbox", MAILBOX, "--yes")
    foreign_secret(place.sandbox, "mimapp-mimservice", label='<b>"Portal" & more</b>')
    done = place.remote("status", "--mailbox", MAILBOX, "--output", "html")
    place.close()
    assert done.code == 0, done.err
    return done.out


def test_it_is_whole_and_fetches_nothing(html: str) -> None:
    read(html)
    assert "prefers-color-scheme: dark" in html
    assert "@media print" in html


def test_what_others_named_is_text(html: str) -> None:
    page = read(html)
    assert "b" not in {tag for tag, _ in page.tags}
    assert any('<b>"Portal" & more</b>' in text for text in page.texts)


def _drawn(html: str, css: str) -> list[tuple[float, float]]:
    found = re.findall(rf'<rect class="{css}" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', html)
    return [(float(x), float(width)) for x, width in found]


def test_bars_meet_at_today_and_end_in_the_order_of_their_dates(html: str) -> None:
    match = re.search(r'<line class="now" x1="([\d.]+)"', html)
    assert match is not None
    today = float(match[1])
    gone, left = _drawn(html, "gone"), _drawn(html, "life")
    assert [round(x + width, 1) for x, width in gone] == [today] * len(gone)
    assert [x for x, _ in left] == [today] * 3
    ends = [x + width for x, width in left]
    assert ends == sorted(ends)
    assert max(ends) <= 862
    assert len(re.findall('class="due"', html)) == 1
    end_of_ews = re.search(r'<line class="ews" x1="([\d.]+)"', html)
    assert end_of_ews is not None
    assert float(end_of_ews[1]) > today


def test_the_drawing_is_told_in_words(html: str) -> None:
    drawing = next(attrs for tag, attrs in read(html).tags if tag == "svg")
    assert drawing["role"] == "img"
    assert "until 2027-05-20" in (drawing["aria-label"] or "")


def test_what_ended_long_ago_is_drawn_inside(registered: Place) -> None:
    registered.clock.advance(timedelta(days=900))
    html = registered.remote("status", "--mailbox", MAILBOX, "--output", "html").out
    assert _drawn(html, "life") == []
    assert all(x >= 232 and x + width <= 862 for x, width in _drawn(html, "gone"))
    assert "EWS ended, 2027-04-01" in html


def test_a_page_of_all(registered: Place) -> None:
    register(registered, OTHER)
    page = read(registered.remote("status", "--output", "html").out)
    assert len([tag for tag, _ in page.tags if tag == "svg"]) == 2
    assert "2 registrations" in page.texts


def test_nothing_registered_has_no_drawing(place: Place) -> None:
    page = read(place.remote("status", "--mailbox", MAILBOX, "--output", "html").out)
    assert "svg" not in {tag for tag, _ in page.tags}


def test_it_is_written_where_it_was_asked_for(registered: Place, tmp_path: Path) -> None:
    path = tmp_path / "status.html"
    done = registered.remote("status", "--mailbox", MAILBOX, "--output", "html", "--out", str(path))
    assert done.out.splitlines()[0] == f"Written to {path}."
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_the_sandbox_marks_its_page(place: Place) -> None:
    page = place.cli("status", "--mailbox", MAILBOX, "--sandbox", "--output", "html").out
    assert "SANDBOX: a simulated tenant" in page


@pytest.mark.parametrize("command", ["sheet", "check"])
def test_the_pages_for_the_server_come_the_same_way(registered: Place, tmp_path: Path, command: str) -> None:
    argv = ["host", "sheet", "--option", "H"]
    if command == "check":
        file = tmp_path / "empty.reg"
        file.write_text("Windows Registry Editor Version 5.00\r\n", encoding="utf-16")
        argv = ["host", "check", str(file)]
    done = registered.remote(*argv, "--mailbox", MAILBOX, "--output", "html")
    assert done.out.startswith("<!DOCTYPE html>"), done.err
    read(done.out)
