"""One seeded schedule: scope migrate in bad weather, cut short at random places, until the role alone is left."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from mimapp.graph import FULL_ACCESS_AS_APP_ID
from mimapp.sandbox.exchange import store
from schedules.cut_short import CutShort
from support.tenants import MAILBOX, is_write, name_of

if TYPE_CHECKING:
    import httpx

    from mimapp.sandbox.exchange.models import Directory
    from support.tenants import Place

OTHER = "other@contoso.onmicrosoft.com"
MIGRATE = ("scope", "migrate", "--mailbox", MAILBOX, "--outside", OTHER, "--yes", "--output", "json")
DEADLINE = ("--deadline", "20m")
_MOST_RUNS = 20
#: Done; the proof failed and the grant is back; later. Whatever else a run ends with is a fault.
_ENDS = {0, 7, 75}


@dataclass
class MigrateSchedule(CutShort):
    """What happens in one schedule; all of it follows from the seed. `home` is a registration that stands."""

    most_requests: int = 45
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.loses_journal = self.random.random() < 0.1
        self.role_is_slow = self.random.random() < 0.3
        self.clock.advance(timedelta(days=2))

    def run(self) -> None:
        """Run it again and again, cut short as often as the seed says, and look at what is left."""
        is_complete = False
        for number in range(_MOST_RUNS):
            is_complete = self.migrate(number)
            if is_complete:
                break
            if number == 0 and self.loses_journal:
                shutil.rmtree(self.home / "journal", ignore_errors=True)
                self.log.append("the journal is gone")
            self.later(60, 600, 7800, 7800)
        assert is_complete, self.told("it never came to its end")
        assert self.wrong == [], self.told(f"wrong: {self.wrong}")
        self.check()

    def migrate(self, number: int) -> bool:
        """One run; whether it says that nothing is left to do."""
        crash = None
        if self.crashes and self.random.random() < 0.6:
            self.crashes -= 1
            crash = self.draw_crash(number)
        done = self.once(lambda place: place.remote(*MIGRATE, *DEADLINE), crash, after=self.look)
        if done is None:
            return False
        self.log.append(f"run {number} ended with {done.code}")
        assert done.code in _ENDS, self.told(done.err)
        return done.code == 0 and bool(done.document["complete"])

    def look(self, place: Place, request: httpx.Request) -> None:
        """After every write: the grant never stands without its policy, and there is one role."""
        if not is_write(request):
            return
        granted, found = truth(place)
        policies = [one for one in found.policies if one.removed is None]
        roles = [one for one in found.roles.assignments if one.removed is None]
        if (granted and not policies) or len(roles) > 1:
            self.wrong.append(name_of(request))
        if self.role_is_slow and roles and name_of(request) == "New-ManagementRoleAssignment":
            late = self.clock.now() + timedelta(hours=5)
            with place.sandbox.state.transaction() as tx:
                store.put(tx, place.info.tenant_id, replace(roles[0], enforced=late), settled=True)
            self.log.append("EWS follows it in five hours")

    def check(self) -> None:
        """The role alone is left, once, and mail works by it."""
        calm = self.calm()
        try:
            granted, found = truth(calm)
            assert not granted, self.told("the grant is there")
            assert [one for one in found.policies if one.removed is None] == [], self.told("the policy is there")
            assert len([one for one in found.roles.assignments if one.removed is None]) == 1
            self.clock.advance(timedelta(hours=25))
            done = calm.remote("verify", "--mailbox", MAILBOX, "--outside", OTHER)
            assert done.code == 0, self.told(done.out + done.err)
        finally:
            calm.close()


def truth(place: Place) -> tuple[bool, Directory]:
    """Whether the grant stands, and what Exchange has, both without any lag."""
    with place.sandbox.state.transaction(write=False) as tx:
        granted = bool(tx.find(place.info.tenant_id, "appRoleAssignment", appRoleId=FULL_ACCESS_AS_APP_ID))
        found = store.load(tx, place.info.tenant_id)
    assert found is not None
    return granted, found
