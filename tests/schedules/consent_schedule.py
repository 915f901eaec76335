"""One seeded schedule of ``mimapp consent``, by API or on the page: bad weather, sudden ends, then once more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from consent.consent_world import CONSENT, DESKTOP, LEFTOVER, Liar, Person, grants, redirects, set_redirects
from schedules.cut_short import Crash, CutShort, has_policy
from support.others import belongings, taken_away
from support.tenants import MAILBOX

if TYPE_CHECKING:
    from support.tenants import Finished, Place

_REGISTER = ("register", "--mailbox", MAILBOX, "--yes", "--output", "json")
_PATIENT = ("--deadline", "30m")
_OWN = "https://mim.contoso.example/own"


@dataclass
class Reloading(Person):
    """Loads the page again when the network breaks, as people do."""

    def __call__(self, url: str) -> bool:
        while True:
            try:
                return super().__call__(url)
            except httpx.TransportError:
                self.place.clock.sleep(1)


@dataclass
class ConsentSchedule(CutShort):
    """What happens in one schedule; all of it follows from the seed.

    `home` is a registration whose application and fence stand, and which nobody has consented to.
    """

    most_requests: int = 40
    granted_without_fence: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        draw = self.random
        self.in_browser = draw.random() < 0.7
        self.own = (_OWN,) if draw.random() < 0.4 else ()
        self.forgotten = (LEFTOVER,) if draw.random() < 0.3 else ()
        self.dies_at_page = draw.random() < 0.2
        self.nobody_first = draw.random() < 0.2
        self.ends_by = draw.choice(["consent", "consent", "other way", "register"])

    def run(self) -> None:
        """Crash as often as the seed says, consent once more, and look at what is there."""
        calm = self.calm()
        set_redirects(calm, *self.own)
        before = belongings(calm)
        set_redirects(calm, *self.own, *self.forgotten)
        calm.close()
        for number in range(self.crashes):
            self.consent(self.draw_crash(number), dies_at_page=self.dies_at_page, nobody=self.nobody_first)
            self.later(0, 1, 30, 400)
        if self.nobody_first:
            self.nobody_comes()
        done = self.finish()
        assert done is not None
        assert done.code == 0, self.told(done.err)
        assert self.granted_without_fence == 0, self.told("a grant without a fence")
        self.later(25 * 3600)
        calm = self.calm()
        assert redirects(calm) == self.own, self.told(str(redirects(calm)))
        assert len(grants(calm)) == 1, self.told(str(grants(calm)))
        assert taken_away(before, belongings(calm)) == [], self.told("something else has changed")
        again = calm.remote(*CONSENT)
        calm.close()
        assert again.document["changes"] == [], self.told(again.out)

    def nobody_comes(self) -> None:
        """A run that nobody answers leaves no way back to this machine, unless there is consent already."""
        done = self.consent(None, nobody=True)
        assert done is not None
        assert done.code in {0, 75}, self.told(done.err)
        self.later(60)
        calm = self.calm()
        assert redirects(calm) == self.own, self.told(f"after nobody came: {redirects(calm)}")
        calm.close()

    def finish(self) -> Finished | None:
        if self.ends_by == "register":
            return self.once(lambda place: place.remote(*_REGISTER, *_PATIENT), before=self.watch)
        self.in_browser ^= self.ends_by == "other way"
        return self.consent(None)

    def consent(
        self, crash: tuple[int, bool] | None, *, dies_at_page: bool = False, nobody: bool = False
    ) -> Finished | None:
        def run(place: Place) -> Finished:
            person = Liar(place) if nobody else Reloading(place)

            def browser(url: str) -> bool:
                if dies_at_page:
                    place.wire.before = _dead
                    raise Crash
                return person(url)

            way = ("--browser",) if self.in_browser else ()
            return place.remote(*CONSENT, *_PATIENT, *way, environ=DESKTOP, open_browser=browser)

        return self.once(run, crash, before=self.watch)

    def watch(self, place: Place, request: httpx.Request) -> None:
        if request.url.path.endswith("/appRoleAssignedTo") and not has_policy(place):
            self.granted_without_fence += 1


def _dead(_: httpx.Request) -> None:
    raise Crash
