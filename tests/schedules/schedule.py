"""One seeded schedule: register in bad weather, cut short at random places, then once more to its end."""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from mimapp.sandbox.weather import Weather
from support.clock import FakeClock
from support.endings import check_one_of_each
from support.tenants import MAILBOX, Place, is_write, name_of

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from support.tenants import Finished

REGISTER = ("register", "--mailbox", MAILBOX, "--yes", "--output", "json", "--deadline", "30m")
_MOST_REQUESTS = 60


class Crash(BaseException):
    """The process dies: nothing in the product may catch it."""


@dataclass
class Schedule:
    """What happens in one schedule; all of it follows from the seed."""

    seed: int
    home: Path
    clock: FakeClock = field(default_factory=FakeClock)
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        draw = self.random
        self.weather = Weather(
            latency=timedelta(milliseconds=draw.choice([0, 20, 200])),
            lag=timedelta(seconds=draw.choice([0, 2, 10, 40])),
            throttle=draw.choice([0.0, 0.05, 0.2]),
            lose_replies=draw.choice([0.0, 0.02, 0.08]),
            seed=self.seed,
        )
        self.crashes = draw.choice([0, 1, 1, 2, 3])
        self.loses_journal = draw.random() < 0.1
        self.granted_without_fence = 0

    def run(self) -> None:
        """Crash as often as the seed says, run once more, and look at what is there."""
        for number in range(self.crashes):
            self.interrupted(number)
        if self.loses_journal:
            shutil.rmtree(self.home / "journal", ignore_errors=True)
            self.log.append("the journal is gone")
        done = self.once(None, more=("--new-secret",) if self.loses_journal else ())
        assert done is not None
        assert done.code == 0, self.told(done.err)
        assert self.granted_without_fence == 0, self.told("a grant before its fence")
        self.clock.advance(timedelta(hours=25))
        calm = Place(self.home, clock=self.clock)
        try:
            check_one_of_each(calm, done.document, unclaimed=self.unclaimed(calm))
        except AssertionError as error:
            raise AssertionError(self.told(str(error))) from error
        finally:
            calm.close()

    def interrupted(self, number: int) -> None:
        at = self.random.randrange(1, _MOST_REQUESTS)
        taken = self.random.random() < 0.5
        self.log.append(f"crash {number}: {'after' if taken else 'before'} request {at}")
        self.once((at, taken))
        self.clock.advance(timedelta(seconds=self.random.choice([0, 1, 30, 400])))

    def once(self, crash: tuple[int, bool] | None, more: tuple[str, ...] = ()) -> Finished | None:
        place = Place(self.home, clock=self.clock, weather=self.weather)
        seen = 0

        def before(request: httpx.Request) -> None:
            nonlocal seen
            seen += 1
            if is_write(request):
                self.log.append(name_of(request))
            if request.url.path.endswith("/appRoleAssignedTo") and not has_policy(place):
                self.granted_without_fence += 1
            if crash == (seen, False):
                raise Crash

        def after(_request: httpx.Request, _response: httpx.Response) -> None:
            if crash == (seen, True):
                raise Crash

        place.wire.before, place.wire.after = before, after
        try:
            return place.remote(*REGISTER, *more)
        except Crash:
            return None
        finally:
            place.close()

    def unclaimed(self, calm: Place) -> int:
        """How many further secrets there are: none, or where the journal was lost at most one, and it is shown."""
        if not self.loses_journal:
            return 0
        listed = calm.remote("secret", "list", "--mailbox", MAILBOX, "--output", "json")
        further = len(listed.document["credentials"]) - 1
        assert further in {0, 1}, self.told(listed.out)
        return further

    def told(self, what: str) -> str:
        lines = "\n  ".join(self.log)
        return f"seed {self.seed}, {self.weather}\n  {lines}\n{what}"


def has_policy(place: Place) -> bool:
    """Whether the tenant holds an access policy at this moment, listed or not."""
    with place.sandbox.state.transaction(write=False) as tx:
        return bool(tx.find(place.info.tenant_id, "exo.policy"))
