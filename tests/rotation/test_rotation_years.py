"""Years of rotation: what MIM has works until its natural end, whatever people, hooks and outages do."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bench.years import PICTURE, band, frame, row
from rotation.years import COURSES, FIVE_YEARS, Course, Simulation

if TYPE_CHECKING:
    from pathlib import Path

DAY = timedelta(days=1)
PAGE = PICTURE.with_name("rotation.md")


@pytest.mark.parametrize(
    "course",
    [Course(name="hook", seed=6, has_hook=True), Course(name="person", seed=1, days=(0, 3)), Course(name="no", seed=2)],
    ids=lambda course: course.name,
)
def test_a_few_weeks_of_short_secrets(course: Course, tmp_path: Path) -> None:
    years = Simulation(course, tmp_path / "home", length=40, lifetime=9 * DAY, overlap=DAY).run()
    assert years.lost == set()
    assert years.issued >= 4
    assert years.most_alive <= 3
    assert bool(years.revoked) == (course.name != "no")
    assert years.without or course.name != "no", "what nobody replaces ends by itself"


def test_a_secret_that_is_taken_from_mim_is_seen(tmp_path: Path) -> None:
    """The counting itself: a loss is found by reading, and by signing in as MIM does."""
    simulation = Simulation(Course(name="no", seed=2), tmp_path / "home", length=2)
    simulation.run()
    (key_id,) = simulation.years.lives
    simulation.stage.hide(key_id)
    simulation.see()
    assert simulation.years.lost == {key_id}
    assert simulation.years.revoked == 1


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(COURSES)), ids=[course.name for course in COURSES])
def test_five_years(number: int, tmp_path: Path) -> None:
    """The page shows just this: its table's row and its picture's band come from here."""
    years = Simulation(COURSES[number], tmp_path / "home", length=FIVE_YEARS).run()
    assert years.lost == set()
    assert years.most_alive <= 4
    assert row(years) in PAGE.read_text(encoding="utf-8").splitlines()
    assert band(years, number) in PICTURE.read_text(encoding="utf-8")


def test_the_picture_is_what_the_generator_makes_of_its_bands() -> None:
    text = PICTURE.read_text(encoding="utf-8")
    bands = re.findall(r"^<g id=.*?^</g>", text, flags=re.DOTALL | re.MULTILINE)
    assert len(bands) == len(COURSES)
    assert frame(bands) == text
    assert "python -m bench.years" in PAGE.read_text(encoding="utf-8")
