"""The two texts of Exchange that are taken apart: the list of EWS applications, and the detail of an error."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mimapp.exchange import Unknown, is_app_id, parse_allowed_app_ids
from mimapp.exchange.failure import Detail, parse_detail

A = "22222222-2222-2222-2222-222222222222"
B = "AAAAAAAA-AAAA-AAAA-AAAA-AAAAAAAAAAAA"

app_ids = st.uuids().flatmap(lambda one: st.sampled_from([str(one), str(one).upper()]))
blanks = st.text(alphabet=" \t\r\n", max_size=3)


@st.composite
def written(draw: st.DrawFn, app_id: str) -> str:
    """An application id as an administrator may have written it."""
    inside = f"{{{draw(blanks)}{app_id}{draw(blanks)}}}" if draw(st.booleans()) else app_id
    return f"{draw(blanks)}{inside}{draw(blanks)}"


@given(st.lists(app_ids), st.data())
def test_every_id_is_kept_in_order_and_letter_case(ids: list[str], data: st.DataObject) -> None:
    pieces = [data.draw(written(app_id)) for app_id in ids]
    empty = data.draw(st.sampled_from(["", ",", " , "]))
    assert parse_allowed_app_ids(",".join(pieces) + empty) == tuple(ids)
    assert parse_allowed_app_ids(pieces) == tuple(ids)
    assert parse_allowed_app_ids([",".join(pieces)]) == tuple(ids)


@given(st.lists(app_ids), st.text(min_size=1).filter(lambda text: text.strip(" \t\r\n,{}") != ""), st.integers(0, 5))
def test_a_piece_that_is_no_id_makes_the_whole_list_unknown(ids: list[str], piece: str, at: int) -> None:
    pieces = [part for part in piece.split(",") if part.strip()]
    strange = any(not is_app_id(part.strip().strip("{}").strip()) for part in pieces)
    text = ",".join([*ids[:at], piece, *ids[at:]])
    read = parse_allowed_app_ids(text)
    if strange:
        assert isinstance(read, Unknown)
        assert read.text == text


@given(st.text())
def test_no_text_breaks_the_reader_and_what_it_reads_are_ids(text: str) -> None:
    read = parse_allowed_app_ids(text)
    assert isinstance(read, Unknown) or all(is_app_id(one) and uuid.UUID(one) for one in read)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ()),
        ("", ()),
        ("  ", ()),
        (",,", ()),
        ([], ()),
        (["", A], (A,)),
        (f"{A},{B}", (A, B)),
        (f"{{{A}}}", (A,)),
        (f"{A},{A}", (A, A)),
    ],
)
def test_lists_that_are_read(value: object, expected: tuple[str, ...]) -> None:
    assert parse_allowed_app_ids(value) == expected


@pytest.mark.parametrize("value", [f"{A};{B}", f"{{{A}", f"{A} {B}", "*", f"{A}x", True, 5, {"a": 1}, [A, 5], [[A]]])
def test_lists_that_stay_unknown(value: object) -> None:
    read = parse_allowed_app_ids(value)
    assert isinstance(read, Unknown)
    assert read.reason


def test_an_unknown_list_shows_what_stood_there() -> None:
    assert parse_allowed_app_ids([A, "x"]) == Unknown(reason="'x' is not an application id", text=f"{A},x")


part = st.text(alphabet=st.characters(exclude_characters="|", codec="utf-8"))


@given(part, part, st.text(max_size=400))
def test_three_parts_come_apart_and_the_text_keeps_its_bars(code: str, exception: str, text: str) -> None:
    detail = parse_detail(f"{code}|{exception}|{text}")
    assert detail.code == " ".join(code.split())[:600]
    assert detail.exception == " ".join(exception.split())[:600]
    assert detail.text == " ".join(text.split())


@given(part)
def test_a_text_without_bars_is_all_text(text: str) -> None:
    assert parse_detail(text) == Detail(text=" ".join(text.split()))


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            "Ex6F9304|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|The\n 'x' is gone.",
            Detail(
                code="Ex6F9304",
                exception="Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException",
                text="The 'x' is gone.",
            ),
        ),
        ("||The operation couldn't be performed", Detail(text="The operation couldn't be performed")),
        ("one|two", Detail(text="one|two")),
        ("", Detail()),
    ],
)
def test_details_as_the_issues_show_them(message: str, expected: Detail) -> None:
    assert parse_detail(message) == expected


def test_the_kind_is_the_type_without_its_namespace() -> None:
    assert Detail(exception="A.B.CException").kind == "CException"
    assert Detail(exception="CException").kind == "CException"
    assert Detail().kind == ""
