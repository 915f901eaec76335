"""Dying before and after each write of other plans than register's: the same file, applied again, finishes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from mimapp.sandbox.scenarios import EwsState, set_ews_state
from mimapp.sandbox.weather import CALM
from schedules.cut_short import CutShort
from support.gone import check_gone
from support.tenants import MAILBOX, Place, is_write

if TYPE_CHECKING:
    from pathlib import Path

    from support.tenants import Finished

_REGISTER = ("register", "--mailbox", MAILBOX, "--yes", "--output", "json")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One command whose plans can be applied.

    Attributes:
        argv: the command that plans.
        writes: how many writes its plan makes.
        parts: which parts stand before; empty: all.
    """

    argv: tuple[str, ...]
    writes: int
    parts: tuple[str, ...] = ()


KINDS = {
    "unregister": Kind(argv=("unregister",), writes=4),
    "consent": Kind(argv=("consent",), writes=1, parts=("entra", "exchange")),
    "lockdown": Kind(argv=("lockdown",), writes=1),
    "ews allow": Kind(argv=("ews", "allow", "--enable"), writes=2),
}
QUICK = {("unregister", 2, True), ("consent", 1, True), ("ews allow", 1, True)}
KILLS = [
    pytest.param(name, number, taken, marks=() if (name, number, taken) in QUICK else pytest.mark.slow)
    for name, kind in KINDS.items()
    for number in range(1, kind.writes + 1)
    for taken in (False, True)
]


def planned(home: Path, kind: Kind) -> Path:
    """A tenant in which that command has something to do, and its plan in a file."""
    place = Place(home)
    if kind.argv[0] == "ews":
        set_ews_state(place.sandbox, EwsState.NULL)
    for only in kind.parts or (None,):
        done = place.remote(*_REGISTER, *(() if only is None else ("--only", only)))
        assert done.code in {0, 3}, done.err
    if kind.argv[0] == "ews":
        set_ews_state(place.sandbox, EwsState.FALSE_LIST)
    path = home.parent / "plan.json"
    done = place.remote(*kind.argv, "--mailbox", MAILBOX, "--plan-out", str(path))
    assert done.code == 0, done.err
    place.close()
    return path


def apply(run: CutShort, path: Path, crash: tuple[int, bool] | None) -> Finished | None:
    return run.once(lambda place: place.remote("apply", str(path), "--yes", "--output", "json"), crash, counts=is_write)


@pytest.mark.parametrize(("name", "number", "taken"), KILLS)
def test_a_killed_apply_is_finished_by_applying_again(tmp_path: Path, name: str, number: int, *, taken: bool) -> None:
    path = planned(tmp_path / "home", KINDS[name])
    run = CutShort(0, tmp_path / "home")
    run.weather = CALM

    assert apply(run, path, (number, taken)) is None
    done = apply(run, path, None)
    assert done is not None
    assert done.code == 0, done.err
    again = apply(run, path, None)

    assert again is not None
    assert again.document["changes"] == []


def test_an_unregister_that_was_killed_in_a_file_leaves_nothing(tmp_path: Path) -> None:
    path = planned(tmp_path / "home", KINDS["unregister"])
    run = CutShort(0, tmp_path / "home")
    run.weather = CALM
    before = run.calm()
    app_id = before.remote("status", "--mailbox", MAILBOX, "--output", "json").document["applicationId"]
    before.close()
    assert apply(run, path, (3, True)) is None
    done = apply(run, path, None)
    run.later(2 * 3600 + 60)
    place = run.calm()
    last = place.remote("unregister", "--mailbox", MAILBOX, "--yes", "--output", "json")

    assert done is not None
    assert last.document["complete"] is True
    check_gone(place, app_id)
    place.close()


@pytest.mark.parametrize("name", KINDS)
def test_every_write_is_among_those(tmp_path: Path, name: str) -> None:
    run = CutShort(0, tmp_path / "home")
    path = planned(tmp_path / "home", KINDS[name])
    run.weather = CALM
    done = apply(run, path, None)

    assert done is not None
    assert done.code == 0, done.err
    assert len(run.log) == KINDS[name].writes, run.log
