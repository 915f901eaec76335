"""One seeded schedule of ``mimapp ews allow``: weather and sudden ends, then once more to its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.sandbox.scenarios import EwsState, set_ews_state
from schedules.cut_short import CutShort
from support.tenants import MAILBOX, name_of

if TYPE_CHECKING:
    import httpx

    from support.tenants import Finished, Place

ALLOW = ("ews", "allow", "--mailbox", MAILBOX, "--yes", "--output", "json", "--deadline", "30m")
_SET = "Set-OrganizationConfig"


@dataclass
class EwsSchedule(CutShort):
    """What happens in one schedule; all of it follows from the seed."""

    most_requests: int = 20

    def __post_init__(self) -> None:
        super().__post_init__()
        self.state = self.random.choice([EwsState.TRUE_LIST, EwsState.NULL_LIST, EwsState.FALSE_LIST])

    def run(self) -> None:
        """Register without a list, then put the application on one, cut short as often as the seed says."""
        calm = self.calm()
        set_ews_state(calm.sandbox, EwsState.NULL)
        calm.remote("register", "--mailbox", MAILBOX, "--yes")
        set_ews_state(calm.sandbox, self.state)
        with calm.connect() as tenant:
            before = tenant._exchange.organization.read()
        calm.close()
        for number in range(self.crashes):
            self.allow(self.draw_crash(number))
            self.later(0, 1, 30)
        done = self.allow(None)
        assert done is not None
        assert done.code == 0, self.told(done.err)
        after_all = self.calm()
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
        assert after.ews_enabled is expected, self.told("the switch", state=self.state)

    def allow(self, crash: tuple[int, bool] | None) -> Finished | None:
        more = ("--enable",) if self.state is EwsState.FALSE_LIST else ()
        return self.once(lambda place: place.remote(*ALLOW, *more), crash, before=self.check_write)

    def check_write(self, place: Place, request: httpx.Request) -> None:
        """The switch is never set before the list has the application."""
        if name_of(request) != _SET:
            return
        self.log.append(request.content.decode())
        if b"EwsEnabled" in request.content:
            with place.sandbox.state.transaction(write=False) as tx:
                (found,) = tx.find(place.info.tenant_id, "exo.organization")
            assert len(str(found.body["EwsAllowedAppIDs"]).split(",")) == 3, self.told("the switch before the list")
