"""One schedule of an application that comes back from the recycle bin, or is purged and made anew, cut short."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mimapp.sandbox.scenarios import soft_deleted_app
from schedules.cut_short import CutShort, has_policy
from support.endings import check_one_of_each
from support.tenants import MAILBOX

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from support.tenants import Finished, Place

REGISTER = ("register", "--mailbox", MAILBOX, "--yes", "--output", "json", "--deadline", "30m")


def _everything(_: httpx.Request) -> bool:
    return True


@dataclass
class RestoreSchedule(CutShort):
    """What happens in one schedule: `how` is ``--restore`` or ``--purge-deleted``; all else follows from the seed."""

    how: str = "--restore"
    open_at: list[str] = field(default_factory=list)

    def prepare(self) -> None:
        """An application of this registration is in the bin, with a secret that somebody may still have."""
        calm = self.calm()
        soft_deleted_app(calm.sandbox, "mimapp-mimservice")
        calm.close()

    def run(self) -> None:
        """Crash as often as the seed says, and come to the end."""
        self.prepare()
        for number in range(self.crashes):
            self.register(self.draw_crash(number))
            self.later(0, 1, 30, 400)
        self.finish()

    def finish(self) -> None:
        """Once more, and one of each thing is there: no secret of before, and nothing was open on the way."""
        done = self.register(None)
        assert done is not None
        assert done.code == 0, self.told(done.err, how=self.how)
        assert self.open_at == [], self.told(str(self.open_at), how=self.how)
        self.later(25 * 3600)
        calm = self.calm()
        try:
            check_one_of_each(calm, done.document)
        except AssertionError as error:
            raise AssertionError(self.told(str(error), how=self.how)) from error
        finally:
            calm.close()

    def register(
        self, crash: tuple[int, bool] | None, *, counts: Callable[[httpx.Request], bool] = _everything
    ) -> Finished | None:
        return self.once(lambda place: place.remote(*REGISTER, self.how), crash, counts=counts, before=self.watch)

    def watch(self, place: Place, request: httpx.Request) -> None:
        """What gives access is written only behind a policy: the grant, and the application that may have one still."""
        if request.url.path.endswith(("/appRoleAssignedTo", "/restore")) and not has_policy(place):
            self.open_at.append(request.url.path)
