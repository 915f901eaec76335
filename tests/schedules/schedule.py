"""One seeded schedule: register in bad weather, cut short at random places, then once more to its end."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from schedules.cut_short import CutShort, has_policy
from support.endings import check_one_of_each
from support.tenants import MAILBOX, is_write

if TYPE_CHECKING:
    import httpx

    from support.tenants import Finished, Place

_HOLD = timedelta(hours=1)
_MOST_RUNS = 6
_LATER = 75
_ATTENTION = 3
REGISTER = ("register", "--mailbox", MAILBOX, "--yes", "--output", "json", "--deadline", "30m")


@dataclass
class Schedule(CutShort):
    """What happens in one schedule; all of it follows from the seed.

    Attributes:
        scope: register's options for one.
        holds: whether consent is held back for an hour after the fence stands.
        granted_without_fence: how often a grant was asked for before its fence was there, or too early after it.
        fenced: when the policy was first seen.
    """

    scope: tuple[str, ...] = ()
    holds: bool = False
    granted_without_fence: int = 0
    fenced: datetime | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.loses_journal = self.random.random() < 0.1

    def run(self) -> None:
        """Crash as often as the seed says, run once more, and look at what is there."""
        for number in range(self.crashes):
            self.register(self.draw_crash(number))
            self.later(0, 1, 30, 400)
        if self.loses_journal:
            shutil.rmtree(self.home / "journal", ignore_errors=True)
            self.log.append("the journal is gone")
        done = self.finished()
        assert done.code == 0, self.told(done.err)
        assert self.granted_without_fence == 0, self.told("a grant before its fence")
        self.later(25 * 3600)
        calm = self.calm()
        try:
            check_one_of_each(calm, done.document, unclaimed=self.unclaimed(calm))
        except AssertionError as error:
            raise AssertionError(self.told(str(error))) from error
        finally:
            calm.close()

    def finished(self) -> Finished:
        """Run without dying; where consent is held back, until it is given.

        Where only the journal knew that a secret had reached no store, a person has to ask for another one.
        """
        more: tuple[str, ...] = ()
        for _ in range(_MOST_RUNS):
            done = self.register(None, *more)
            assert done is not None
            if self.loses_journal and not more and done.code == _ATTENTION and done.document["secret"] is None:
                more = ("--new-secret",)
                continue
            if not (self.holds and done.code == _LATER):
                return done
            self.log.append("consent is held back")
            self.later(1200)
        raise AssertionError(self.told(f"no consent after {_MOST_RUNS} runs"))

    def register(self, crash: tuple[int, bool] | None, *more: str) -> Finished | None:
        def watch(place: Place, request: httpx.Request) -> None:
            if not request.url.path.endswith("/appRoleAssignedTo"):
                return
            is_early = self.holds and (self.fenced is None or self.clock.now() < self.fenced + _HOLD)
            if is_early or not has_policy(place):
                self.granted_without_fence += 1

        def look(place: Place, request: httpx.Request) -> None:
            if self.fenced is None and is_write(request) and has_policy(place):
                self.fenced = self.clock.now()

        hold = ("--wait-for-scope", "1h") if self.holds else ()
        argv = (*REGISTER, *self.scope, *hold, *more)
        return self.once(lambda place: place.remote(*argv), crash, before=watch, after=look)

    def unclaimed(self, calm: Place) -> int:
        """How many further secrets there are: none, or where the journal was lost at most one that no store has.

        One that a store has and no replica showed yet is replaced then, and kept: only the journal knew its age.
        """
        if not self.loses_journal:
            return 0
        listed = calm.remote("secret", "list", "--mailbox", MAILBOX, "--output", "json")
        whose = [credential["whose"] for credential in listed.document["credentials"]]
        assert whose.count("elsewhere") <= 1, self.told(listed.out)
        assert set(whose) <= {"here", "elsewhere"}, self.told(listed.out)
        return len(whose) - 1
