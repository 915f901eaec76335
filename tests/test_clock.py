"""Time as a value: durations in and out, moments as text, and the one place that sleeps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mimapp.clock import SystemClock, duration_text, iso, parse_duration, plain
from mimapp.errors import UsageError
from mimapp.graph.wire import Moment

READ = {
    "40ms": timedelta(milliseconds=40),
    "0s": timedelta(0),
    "90s": timedelta(seconds=90),
    "1.5m": timedelta(seconds=90),
    "10m": timedelta(minutes=10),
    "5h": timedelta(hours=5),
    "180d": timedelta(days=180),
    "0.25d": timedelta(hours=6),
    "007d": timedelta(days=7),
}
REFUSED = ["", "10", "m", "10 m", " 10m", "10m ", "10min", "10M", "-1d", "+1d", "1e3s", "1,5m", ".5m", "5.m", "1m30s",
           "\u0661\u0660m", "\uff11\uff10m", "10m\n", "inf", "nand", "0x10s"]  # fmt: skip
SAID = {
    timedelta(0): "under a second",
    timedelta(milliseconds=999): "under a second",
    timedelta(milliseconds=-500): "under a second",
    timedelta(seconds=1): "1 s",
    timedelta(seconds=59.9): "59 s",
    timedelta(minutes=1): "1 min",
    timedelta(seconds=90): "1 min 30 s",
    timedelta(hours=1): "1 h",
    timedelta(hours=2, minutes=5, seconds=59): "2 h 5 min",
    timedelta(days=1): "1 day",
    timedelta(days=1, hours=2, minutes=59): "1 day 2 h",
    timedelta(days=2, hours=1): "2 days 1 h",
    timedelta(days=3, hours=23): "3 days",
    timedelta(days=180): "180 days",
    timedelta(seconds=-90): "-1 min 30 s",
    timedelta(days=-1): "-1 day",
}


@pytest.mark.parametrize(("text", "span"), READ.items(), ids=READ)
def test_a_duration_is_a_number_and_a_unit(text: str, span: timedelta) -> None:
    assert parse_duration(text) == span


@pytest.mark.parametrize("text", REFUSED, ids=ascii)
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_duration(text)
    assert str(caught.value) == f"{text!r} is not a duration"
    assert caught.value.hint == "a number and ms, s, m, h or d without a blank, such as 10m or 180d"


@pytest.mark.parametrize("text", ["1000000000d", "9" * 400 + "ms"], ids=["timedelta's limit", "float's limit"])
def test_a_duration_without_a_date_at_its_end_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="longer than any date can hold"):
        parse_duration(text)


@given(st.text(max_size=12))
def test_any_text_is_a_duration_or_a_usage_error(text: str) -> None:
    try:
        span = parse_duration(text)
    except UsageError:
        return
    assert span >= timedelta(0)
    assert text.isascii()


@given(st.integers(min_value=0, max_value=10**6), st.sampled_from(["ms", "s", "m", "h", "d"]))
def test_whole_numbers_are_read_exactly(number: int, unit: str) -> None:
    one = parse_duration(f"1{unit}")
    assert parse_duration(f"{number}{unit}") == number * one


@pytest.mark.parametrize(("span", "text"), SAID.items(), ids=str)
def test_a_duration_for_people(span: timedelta, text: str) -> None:
    assert duration_text(span) == text


def test_a_moment_is_written_in_utc_and_whole_seconds() -> None:
    assert iso(datetime(2026, 11, 21, 9, 34, 59, 999_999, tzinfo=UTC)) == "2026-11-21T09:34:59Z"
    assert iso(datetime(2026, 11, 21, 0, 30, tzinfo=timezone(timedelta(hours=2)))) == "2026-11-20T22:30:00Z"


def test_a_moment_of_graphs_becomes_one_that_serialisers_take() -> None:
    moment = Moment.parse("2026-11-21T09:34:00.1234567Z")
    assert plain(moment) == moment
    assert type(plain(moment)) is datetime
    assert msgspec.json.encode(moment, enc_hook=plain) == b'"2026-11-21T09:34:00.123456Z"'


def test_what_is_no_moment_has_no_form_in_json() -> None:
    with pytest.raises(TypeError, match="object has no form in JSON"):
        plain(object())


def test_the_machines_clock_is_aware_and_goes_forward() -> None:
    clock = SystemClock()
    before = clock.monotonic()
    assert clock.now().tzinfo is UTC
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
    assert clock.monotonic() >= before


@pytest.mark.parametrize("seconds", [0.0, -3600.0])
def test_no_time_to_sleep_is_no_error(seconds: float) -> None:
    clock = SystemClock()
    begun = clock.monotonic()
    clock.sleep(seconds)
    assert clock.monotonic() - begun < 600


def test_the_machines_clock_sleeps_at_least_as_long_as_asked() -> None:
    clock = SystemClock()
    begun = clock.monotonic()
    clock.sleep(1e-6)
    assert clock.monotonic() - begun >= 1e-6
