"""One seeded schedule of ``mimapp ews allow``: weather and sudden ends, then once more to its end."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from mimapp.sandbox.scenarios import EwsState, set_ews_state
from mimapp.sandbox.weather import Weather
from schedules.schedule import Crash
from support.clock import FakeClock
from support.tenants import MAILBOX, Place, name_of

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from support.tenants import Finished

ALLOW = ("ews", "allow", "--mailbox", MAILBOX, "--yes", "--output", "json", "--deadline", "30m")
_MOST_REQUESTS = 20
_SET = "Set-OrganizationConfig"


@dataclass
class EwsSchedule:
    """What happens in one schedule; all of it follows from the seed."""

    seed: int
    home: Path
    clock: FakeClock = field(default_factory=FakeClock)
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        draw = self.random = random.Random(self.seed)
        self.weather = Weather(
            latency=timedelta(milliseconds=draw.choice([0, 20])),
            throttle=draw.choice([0.0, 0.1, 0.3]),
            lose_replies=draw.choice([0.0, 0.05, 0.15]),
            seed=self.seed,
        )
        self.state = draw.choice([EwsState.TRUE_LIST, EwsState.NULL_LIST, EwsState.FALSE_LIST])
        self.crashes = draw.choice([0, 1, 2, 3])

    def run(self) -> None:
        """Register without a list, then put the application on one, cut short as often as the seed says."""
        calm = Place(self.home, clock=self.clock)
        set_ews_state(calm.sandbox, EwsState.NULL)
        calm.remote("register", "--mailbox", MAILBOX, "--yes")
        set_ews_state(calm.sandbox, self.state)
        with calm.connect() as tenant:
            before = tenant._exchange.organization.read()
        calm.close()
        for number in range(self.crashes):
            self.interrupted(number)
        done = self.once(None)
        assert done is not None
        assert done.code == 0, self.told(done.err)
        after_all = Place(self.home, clock=self.clock)
        with after_all.connect() as tenant:
            after = tenant._exchange.organization.read()
        after_all.close()
        assert isinstance(before.allowed_app_ids, tuple)
        assert isinstance(after.allowed_app_ids, tuple)
        assert after.allowed_app_ids[: len(before.allowed_app_ids)] == before.allowed_app_ids, self.told(
            "an id is gone"
        )
        assert len(after.allowed_app_ids) == len(before.allowed_app_ids) + 1, self.told(str(after.allowed_app_ids))
        expected = None if self.state is EwsState.NULL_LIST else True
        assert after.ews_enabled is expected, self.told("the switch")

    def interrupted(self, number: int) -> None:
        at, taken = self.random.randrange(1, _MOST_REQUESTS), self.random.random() < 0.5
        self.log.append(f"crash {number}: {'after' if taken else 'before'} request {at}")
        self.once((at, taken))
        self.clock.advance(timedelta(seconds=self.random.choice([0, 1, 30])))

    def once(self, crash: tuple[int, bool] | None) -> Finished | None:
        place = Place(self.home, clock=self.clock, weather=self.weather)
        seen = 0

        def before(request: httpx.Request) -> None:
            nonlocal seen
            seen += 1
            if name_of(request) == _SET:
                self.check_write(place, request)
            if crash == (seen, False):
                raise Crash

        def after(_request: httpx.Request, _response: httpx.Response) -> None:
            if crash == (seen, True):
                raise Crash

        place.wire.before, place.wire.after = before, after
        try:
            return place.remote(*ALLOW, *(("--enable",) if self.state is EwsState.FALSE_LIST else ()))
        except Crash:
            return None
        finally:
            place.close()

    def check_write(self, place: Place, request: httpx.Request) -> None:
        """The switch is never set before the list has the application."""
        self.log.append(request.content.decode())
        if b"EwsEnabled" in request.content:
            with place.sandbox.state.transaction(write=False) as tx:
                (found,) = tx.find(place.info.tenant_id, "exo.organization")
            assert len(str(found.body["EwsAllowedAppIDs"]).split(",")) == 3, self.told("the switch before the list")

    def told(self, what: str) -> str:
        lines = "\n  ".join(self.log)
        return f"seed {self.seed}, {self.state}, {self.weather}\n  {lines}\n{what}"
