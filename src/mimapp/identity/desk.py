"""Who is asked when: persons answer one question at a time, in an order that no thread's speed decides."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from mimapp.errors import CancelledError, MimappError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Desk"]

#: Seconds; Windows interrupts no wait, so it is made of short ones.
_BEAT = 0.1


class Desk:
    """Where persons are asked, one question at a time; remembers who came, so that the next need not pick again.

    Of the sign-ins that go on side by side, nobody is asked for one while another may still fail without a person:
    the first question is asked when every other sign-in has ended or has come to a question of its own. Then they are
    asked in the order in which the services were named, each after the sign-in before it has ended well.

    After a question that came to nothing no other is asked: whoever has one gets the same error at once. Who wants to
    be asked again, connects again.

    Attributes:
        last: the sign-in name of who came last; empty before.
        closed: set when nobody waits for an answer any more, because the run was interrupted or a sign-in failed.
    """

    def __init__(self) -> None:
        self.last = ""
        self.closed = threading.Event()
        self._changed = threading.Condition()
        self._under_way: list[str] = []
        self._waiting: set[str] = set()
        self._is_asking = False
        self._failure: MimappError | None = None

    def expect(self, services: Sequence[str]) -> None:
        """The sign-ins to these services begin, side by side; each has to come to its `end`."""
        with self._changed:
            self._under_way = list(services)

    def end(self, service: str) -> None:
        """The sign-in to a service has ended, well or with `close` before."""
        with self._changed:
            self._under_way.remove(service)
            self._changed.notify_all()

    def close(self) -> None:
        """Nobody waits for an answer any more: what waits, in whichever thread, ends with `CancelledError`."""
        self.closed.set()
        with self._changed:
            self._changed.notify_all()

    def check(self) -> None:
        """Go on only while somebody waits.

        Raises:
            CancelledError: the run was interrupted, or another sign-in failed.
        """
        if self.closed.is_set():
            raise CancelledError("the sign-in was interrupted")

    @contextlib.contextmanager
    def turn(self, service: str) -> Iterator[None]:
        """Wait until the person may be asked for a service, and keep all others waiting meanwhile.

        Raises:
            CancelledError: as `check`.
            MimappError: the one that a question before this one ended with.
        """
        self._wait_for_turn(service)
        try:
            yield
        except MimappError as error:
            self._failure = error
            raise
        finally:
            with self._changed:
                self._is_asking = False
                self._changed.notify_all()

    def _wait_for_turn(self, service: str) -> None:
        with self._changed:
            self._waiting.add(service)
            self._changed.notify_all()
            try:
                while not self._is_next(service) and not self.closed.is_set():
                    self._changed.wait(_BEAT)
            finally:
                self._waiting.discard(service)
            if self._failure is not None:
                raise self._failure
            self.check()
            self._is_asking = True

    def _is_next(self, service: str) -> bool:
        if self._is_asking:
            return False
        if service not in self._under_way:
            return True
        return self._under_way[0] == service and self._waiting.issuperset(self._under_way)
