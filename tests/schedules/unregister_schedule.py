"""One seeded schedule: unregister in bad weather, cut short at random places, then run until all is gone."""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from mimapp.sandbox.weather import Weather
from support.clock import FakeClock
from support.gone import OTHERS, Watch, check_gone
from support.tenants import MAILBOX, Place, is_write, name_of

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from support.tenants import Finished

UNREGISTER = ("unregister", "--mailbox", MAILBOX, "--yes", "--output", "json", "--deadline", "30m")
_MOST_REQUESTS = 40
_MOST_RUNS = 6


class Crash(BaseException):
    """The process dies: nothing in the product may catch it."""


@dataclass
class UnregisterSchedule:
    """What happens in one schedule; all of it follows from the seed.

    `home` is a registration that stands, of which `app_id` is the client id.
    """

    seed: int
    home: Path
    app_id: str
    clock: FakeClock = field(default_factory=FakeClock)
    log: list[str] = field(default_factory=list)
    open_at: list[str] = field(default_factory=list)

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
        self.purge = ("--purge",) if draw.random() < 0.4 else ()
        self.loses_journal = draw.random() < 0.1
        self.clock.advance(timedelta(seconds=draw.choice([60, 3600, 86_400])))

    def run(self) -> None:
        """Crash as often as the seed says, then run until all is gone, and look at what is there."""
        if self.loses_journal:
            shutil.rmtree(self.home / "journal")
            self.log.append("the journal is gone")
        for number in range(self.crashes):
            self.interrupted(number)
        self.finished()
        assert self.open_at == [], self.told(f"open after {self.open_at}")
        self.clock.advance(timedelta(hours=25))
        calm = Place(self.home, clock=self.clock)
        listed = (*OTHERS, self.app_id) if self.loses_journal else OTHERS
        try:
            check_gone(calm, self.app_id, in_bin=not self.purge, listed=listed)
        except AssertionError as error:
            raise AssertionError(self.told(str(error))) from error
        finally:
            calm.close()

    def interrupted(self, number: int) -> None:
        at = self.random.randrange(1, _MOST_REQUESTS)
        taken = self.random.random() < 0.5
        self.log.append(f"crash {number}: {'after' if taken else 'before'} request {at}")
        self.once((at, taken))
        self.clock.advance(timedelta(seconds=self.random.choice([0, 1, 30, 400, 3600, 7200])))

    def finished(self) -> None:
        for _ in range(_MOST_RUNS):
            done = self.once(None)
            assert done is not None
            assert done.code == 0, self.told(done.err)
            if done.document["complete"]:
                return
            at = datetime.fromisoformat(done.document["finish"]["at"])
            self.log.append(f"waits until {at}")
            self.clock.advance(max(timedelta(0), at - self.clock.now()))
        raise AssertionError(self.told(f"not complete after {_MOST_RUNS} runs"))

    def once(self, crash: tuple[int, bool] | None) -> Finished | None:
        place = Place(self.home, clock=self.clock, weather=self.weather)
        watch = Watch(place, self.app_id)
        seen = 0

        def before(request: httpx.Request) -> None:
            nonlocal seen
            seen += 1
            if is_write(request):
                self.log.append(name_of(request))
            if crash == (seen, False):
                raise Crash

        def after(request: httpx.Request, response: httpx.Response) -> None:
            watch.look(request, response)
            if crash == (seen, True):
                raise Crash

        place.wire.before, place.wire.after = before, after
        try:
            return place.remote(*UNREGISTER, *self.purge)
        except Crash:
            return None
        finally:
            self.open_at += watch.open_at
            place.close()

    def told(self, what: str) -> str:
        lines = "\n  ".join(self.log)
        return f"seed {self.seed}, {self.weather}, {self.purge}\n  {lines}\n{what}"
