"""One seeded schedule: unregister in bad weather, cut short at random places, then run until all is gone."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from schedules.cut_short import CutShort
from support.gone import OTHERS, Watch, check_gone
from support.tenants import MAILBOX

if TYPE_CHECKING:
    import httpx

    from support.tenants import Finished, Place

UNREGISTER = ("unregister", "--mailbox", MAILBOX, "--yes", "--output", "json", "--deadline", "30m")
_MOST_RUNS = 6


@dataclass
class UnregisterSchedule(CutShort):
    """What happens in one schedule; all of it follows from the seed.

    `home` is a registration that stands, of which `app_id` is the client id.
    """

    app_id: str = ""
    most_requests: int = 40
    open_at: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.purge = ("--purge",) if self.random.random() < 0.4 else ()
        self.loses_journal = self.random.random() < 0.1
        self.later(60, 3600, 86_400)

    def run(self) -> None:
        """Crash as often as the seed says, then run until all is gone, and look at what is there."""
        if self.loses_journal:
            shutil.rmtree(self.home / "journal")
            self.log.append("the journal is gone")
        for number in range(self.crashes):
            self.unregister(self.draw_crash(number))
            self.later(0, 1, 30, 400, 3600, 7200)
        self.finished()
        assert self.open_at == [], self.told(f"open after {self.open_at}")
        self.later(25 * 3600)
        calm = self.calm()
        listed = (*OTHERS, self.app_id) if self.loses_journal else OTHERS
        try:
            check_gone(calm, self.app_id, in_bin=not self.purge, listed=listed)
        except AssertionError as error:
            raise AssertionError(self.told(str(error), purge=self.purge)) from error
        finally:
            calm.close()

    def finished(self) -> None:
        for _ in range(_MOST_RUNS):
            done = self.unregister(None)
            assert done is not None
            assert done.code == 0, self.told(done.err)
            if done.document["complete"]:
                return
            at = datetime.fromisoformat(done.document["finish"]["at"])
            self.log.append(f"waits until {at}")
            self.clock.advance(max(timedelta(0), at - self.clock.now()))
        raise AssertionError(self.told(f"not complete after {_MOST_RUNS} runs"))

    def unregister(self, crash: tuple[int, bool] | None) -> Finished | None:
        watches: list[Watch] = []

        def run(place: Place) -> Finished:
            dies = place.wire.after
            watch = Watch(place, self.app_id)
            watches.append(watch)

            def after(request: httpx.Request, response: httpx.Response) -> None:
                watch.look(request, response)
                dies(request, response)

            place.wire.after = after
            return place.remote(*UNREGISTER, *self.purge)

        try:
            return self.once(run, crash)
        finally:
            self.open_at += [open_ for watch in watches for open_ in watch.open_at]
