"""What every seeded schedule has in common: its weather, a run that dies at a request, and the log of what happened."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from mimapp.sandbox.weather import CALM, Weather
from support.clock import FakeClock
from support.tenants import Place, is_write, name_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx

    from support.tenants import Finished


class Crash(BaseException):
    """The process dies: nothing in the product may catch it."""


def draw_weather(draw: random.Random, seed: int) -> Weather:
    """Latency, lag, throttling and lost replies, each of them calm in some schedules."""
    return Weather(
        latency=timedelta(milliseconds=draw.choice([0, 20, 200])),
        lag=timedelta(seconds=draw.choice([0, 2, 10, 40])),
        throttle=draw.choice([0.0, 0.05, 0.2]),
        lose_replies=draw.choice([0.0, 0.02, 0.08]),
        seed=seed,
    )


def _nothing(_place: Place, _request: httpx.Request) -> None:
    """A watch that watches nothing."""


@dataclass
class CutShort:
    """One machine's runs in one tenant's weather; each is a process of its own, with fresh objects on the same home.

    Attributes:
        seed: all that happens follows from it.
        home: the machine's folder, with the tenant in it.
        most_requests: a crash is drawn among so many.
    """

    seed: int
    home: Path
    most_requests: int = 60
    clock: FakeClock = field(default_factory=FakeClock)
    log: list[str] = field(default_factory=list)
    weather: Weather = CALM

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.weather = draw_weather(self.random, self.seed)
        self.crashes = self.random.choice([0, 1, 1, 2, 3])

    def draw_crash(self, number: int) -> tuple[int, bool]:
        """Where the next run dies: at which request, and whether the service took it."""
        at, taken = self.random.randrange(1, self.most_requests), self.random.random() < 0.5
        self.log.append(f"crash {number}: {'after' if taken else 'before'} request {at}")
        return at, taken

    def later(self, *seconds: int) -> None:
        """Some time passes until the next run."""
        self.clock.advance(timedelta(seconds=self.random.choice(seconds)))

    def once(
        self,
        run: Callable[[Place], Finished],
        crash: tuple[int, bool] | None = None,
        *,
        counts: Callable[[httpx.Request], bool] = lambda _: True,
        before: Callable[[Place, httpx.Request], None] = _nothing,
        after: Callable[[Place, httpx.Request], None] = _nothing,
    ) -> Finished | None:
        """One run; None when it died.

        Args:
            run: the command, on the machine that it gets.
            crash: at which request it dies, and whether the service took that one.
            counts: which requests count for that.
            before: looks at every request before the service has it.
            after: looks at the tenant after every request.
        """
        place = Place(self.home, clock=self.clock, weather=self.weather)
        seen, died = 0, False

        def die() -> NoReturn:
            nonlocal died
            died = True
            raise Crash

        def on_request(request: httpx.Request) -> None:
            nonlocal seen
            if died:
                raise Crash  # what a run does on its way out, no dead process does
            seen += counts(request)
            if is_write(request):
                self.log.append(name_of(request))
            before(place, request)
            if counts(request) and crash == (seen, False):
                die()

        def on_response(request: httpx.Request, _: httpx.Response) -> None:
            after(place, request)
            if counts(request) and crash == (seen, True):
                die()

        place.wire.before, place.wire.after = on_request, on_response
        try:
            return run(place)
        except Crash:
            return None
        finally:
            place.close()

    def calm(self) -> Place:
        """The same machine and tenant on a fine day, for a look at them."""
        return Place(self.home, clock=self.clock)

    def told(self, what: str, **more: Any) -> str:
        """What is wrong, and how it came to that."""
        lines = "\n  ".join(self.log)
        return f"seed {self.seed}, {self.weather}, {more}\n  {lines}\n{what}"


def has_policy(place: Place) -> bool:
    """Whether the tenant holds an access policy at this moment, listed or not."""
    with place.sandbox.state.transaction(write=False) as tx:
        return bool(tx.find(place.info.tenant_id, "exo.policy"))
