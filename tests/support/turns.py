"""Several threads of which one runs at a time, in the order of a simulated clock: the same seed gives the same order.

A thread runs until it waits: it sleeps, or it sends a request, which takes as long as the seed says. Then the one whose
time comes first goes on. So what several machines do at once follows from the seed, and not from how fast a computer
is.
"""

from __future__ import annotations

import heapq
import random
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from support.clock import START, FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")


class Turns(FakeClock):
    """The clock of several threads; a sleep gives the turn to whoever's time comes first.

    Args:
        seed: of how long requests take.
        longest: the longest time that a request takes, in seconds.
        start: the time at which it begins.
    """

    def __init__(self, seed: int, *, longest: float, start: datetime = START) -> None:
        super().__init__(start.astimezone(UTC))
        self._random = random.Random(seed)
        self._longest = longest
        self._changed = threading.Condition()
        self._waiting: list[tuple[float, int]] = []
        self._running: int | None = None
        self._numbers: dict[int, int] = {}

    def run(self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        """Run all of them at once, each in a thread of its own; what each of them gave."""
        ends: dict[int, T] = {}
        problems: list[BaseException] = []

        def work(number: int, task: Callable[[], T]) -> None:
            self._numbers[threading.get_ident()] = number
            self._take_turn(number)
            try:
                ends[number] = task()
            except BaseException as error:  # noqa: BLE001 - it is raised again where the test can see it
                problems.append(error)
            finally:
                with self._changed:
                    self._give_turn()

        self._waiting = [(self._passed, number) for number in range(len(tasks))]
        threads = [threading.Thread(target=work, args=one) for one in enumerate(tasks)]
        for thread in threads:
            thread.start()
        with self._changed:
            self._give_turn()
        for thread in threads:
            thread.join()
        if problems:
            raise problems[0]
        return [ends[number] for number in range(len(tasks))]

    def request(self) -> None:
        """Let a request take its time."""
        self.sleep(self._random.uniform(0.01, self._longest))

    def sleep_until(self, seconds: float) -> None:
        """Sleep until so many seconds after the beginning."""
        self.sleep(max(0.0, seconds - self._passed))

    def sleep(self, seconds: float) -> None:
        number = self._numbers.get(threading.get_ident())
        if number is None:  # a thread that one of them has begun, and waits for: it has its turn
            super().sleep(seconds)
            return
        with self._changed:
            heapq.heappush(self._waiting, (self._passed + max(0.0, seconds), number))
            self._give_turn()
        self._take_turn(number)

    def advance(self, span: timedelta) -> None:
        self.sleep(span.total_seconds())

    def _give_turn(self) -> None:
        if not self._waiting:
            self._running = None
            return
        at, self._running = heapq.heappop(self._waiting)
        self._passed = max(self._passed, at)
        self._changed.notify_all()

    def _take_turn(self, number: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._running == number)
