"""Who is asked when: the order does not depend on threads, and after a failure nobody is asked any more."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from mimapp.errors import CancelledError, SignInError
from mimapp.identity import EXCHANGE, GRAPH
from mimapp.identity.desk import Desk

DECLINED = SignInError("the consent was declined")


def end_with(error: BaseException | None) -> None:
    if error is not None:
        raise error


class Stage:
    """Two sign-ins side by side, of which each may come to a question; `asked` says for which, in which order."""

    def __init__(self) -> None:
        self.desk = Desk()
        self.desk.expect((GRAPH, EXCHANGE))
        self.asked: list[str] = []
        self.begun = {GRAPH: threading.Event(), EXCHANGE: threading.Event()}

    def sign_in(self, service: str, *, question: BaseException | bool, later: BaseException | None = None) -> None:
        """One sign-in: a question that is answered (True), comes to nothing or is none (False); then an end."""
        try:
            self.begun[service].set()
            if question is not False:
                with self.desk.turn(service):
                    self.asked.append(service)
                    end_with(question if isinstance(question, BaseException) else None)
            end_with(later)
        except BaseException:
            self.desk.close()
            raise
        finally:
            self.desk.end(service)

    def run(self, first: str, **ways: tuple[BaseException | bool, BaseException | None]) -> list[BaseException | None]:
        """Both sign-ins, of which `first` has begun before the other one; how Graph's and Exchange's ended."""
        names = {GRAPH: ways["graph"], EXCHANGE: ways["exchange"]}
        with ThreadPoolExecutor(2) as pool:
            order = sorted(names, key=lambda service: service != first)
            going = {}
            for service in order:
                question, later = names[service]
                going[service] = pool.submit(self.sign_in, service, question=question, later=later)
                assert self.begun[service].wait(60)
            return [going[service].exception(60) for service in names]


FIRST = pytest.mark.parametrize("first", [GRAPH, EXCHANGE])


@FIRST
def test_graph_is_asked_for_first_whoever_comes_first(first: str) -> None:
    stage = Stage()
    assert stage.run(first, graph=(True, None), exchange=(True, None)) == [None, None]
    assert stage.asked == [GRAPH, EXCHANGE]


@FIRST
def test_after_a_question_that_came_to_nothing_nobody_is_asked_for_the_other(first: str) -> None:
    stage = Stage()
    ends = stage.run(first, graph=(DECLINED, None), exchange=(True, None))
    assert ends[0] is DECLINED
    assert ends[1] is DECLINED or isinstance(ends[1], CancelledError)
    assert stage.asked == [GRAPH]


@FIRST
def test_a_token_that_is_refused_counts_as_well_as_a_question_that_came_to_nothing(first: str) -> None:
    stage = Stage()
    ends = stage.run(first, graph=(True, SignInError("of another tenant")), exchange=(True, None))
    assert isinstance(ends[1], CancelledError)
    assert stage.asked == [GRAPH]


@FIRST
def test_nobody_is_asked_while_another_sign_in_may_fail_without_a_person(first: str) -> None:
    for failing in ("graph", "exchange"):
        stage = Stage()
        ways: dict[str, tuple[BaseException | bool, BaseException | None]] = {
            "graph": (True, None),
            "exchange": (True, None),
            failing: (False, SignInError("the secret has expired")),
        }
        ends = stage.run(first, **ways)
        assert {type(end) for end in ends} == {SignInError, CancelledError}
        assert stage.asked == []


@FIRST
def test_a_sign_in_that_asks_nobody_holds_up_nobody(first: str) -> None:
    for silent, asked in (("graph", EXCHANGE), ("exchange", GRAPH)):
        stage = Stage()
        ways: dict[str, tuple[BaseException | bool, BaseException | None]] = {
            "graph": (True, None),
            "exchange": (True, None),
            silent: (False, None),
        }
        assert stage.run(first, **ways) == [None, None]
        assert stage.asked == [asked]


def test_later_questions_get_the_error_of_the_one_that_came_to_nothing() -> None:
    desk = Desk()
    with pytest.raises(SignInError), desk.turn(GRAPH):
        raise DECLINED
    for service in (GRAPH, EXCHANGE):
        with pytest.raises(SignInError) as caught, desk.turn(service):
            pytest.fail("somebody was asked")
        assert caught.value is DECLINED


def test_one_question_at_a_time_when_a_later_token_is_needed() -> None:
    desk = Desk()
    asking, most = 0, 0

    def ask() -> None:
        nonlocal asking, most
        with desk.turn(GRAPH):
            asking += 1
            most = max(most, asking)
            asking -= 1

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(ask) for _ in range(40)]:
            done.result(60)
    assert most == 1


def test_who_waits_for_a_turn_is_let_go_when_the_run_is_interrupted() -> None:
    desk = Desk()
    with ThreadPoolExecutor(1) as pool, desk.turn(GRAPH):
        waits = pool.submit(lambda: desk.turn(EXCHANGE).__enter__())
        desk.close()
        assert isinstance(waits.exception(60), CancelledError)
