"""Years of a registration on a simulated tenant: daily runs, outages, a hook that fails, people who take their time.

MIM is modelled by what is installed on its server. mimapp runs once a day, unless its machine is off or Graph cannot be
reached. The new secret gets to MIM by a deploy hook that fails one time in ten, or by a person, so many days after it
was issued; the person says so a day later, or not at all. Whatever happens, what MIM has works until its natural end:
nothing may take it away before that. Time stands still between runs, and only runs change the tenant, so what holds
at every run and at every request of one holds at every minute.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import httpx

from mimapp.errors import MimappError
from mimapp.identity import Method, SignInOptions
from mimapp.rotation import DuePolicy, HookCall, HookEnd, Hooks, Policy, Statement
from mimapp.secret import Secret
from rotation.stage import DAY, Stage
from support.clock import START, FakeClock
from support.tenants import Place, is_write

if TYPE_CHECKING:
    from pathlib import Path

    from mimapp.rotation import Rotation
    from mimapp.spec import Registration

FIVE_YEARS = 1826
_OPERATOR = "an administrator"
#: How often an outage begins, a day; and in how many of them mimapp's machine is off: else Graph is out of reach.
_OUTAGE = 1 / 45
_OUTAGE_OF_MACHINE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How one registration's secrets reach MIM.

    Attributes:
        name: what it is called.
        seed: of outages, of the hook's failures and of a person's days.
        has_hook: whether a deploy hook hands them over.
        days: how many days a person takes, at least and at most; None where nobody does it.
        says_so: whether the person confirms it a day later.
    """

    name: str
    seed: int
    has_hook: bool = False
    days: tuple[int, int] | None = None
    says_so: bool = True

    def days_for(self, number: int) -> int | None:
        """How many days a person takes for the secret of this number."""
        return None if self.days is None else random.Random(f"person {self.seed} {number}").randint(*self.days)


COURSES = (
    Course(name="hook", seed=6, has_hook=True),
    Course(name="person, same day", seed=12, days=(0, 0)),
    Course(name="person, 0 to 60 days", seed=13, days=(0, 60)),
    Course(name="person, 30 days", seed=14, days=(30, 30)),
    Course(name="person, 60 days", seed=15, days=(60, 60)),
    Course(name="person, 0 to 60, says nothing", seed=16, days=(0, 60), says_so=False),
    Course(name="nobody", seed=17),
)


@dataclass(slots=True)
class Life:
    """One secret, in days after the beginning.

    Attributes:
        issued: when it was issued.
        ends: when it ends by nature.
        gone: when it was revoked, or None.
        installed: from when MIM had it; None: never.
        replaced: from when MIM had another one; None: it has it still.
    """

    issued: float
    ends: float
    gone: float | None = None
    installed: float | None = None
    replaced: float | None = None


@dataclass(slots=True)
class Years:
    """What happened.

    Attributes:
        course: how secrets reach MIM.
        length: how many days.
        lives: every secret by its key id, the oldest first.
        outages: from when to when nothing could run, in days.
        runs: runs that reached Graph; those that did not are `failed`.
        hook_failures: calls of the hook that failed.
        most_alive: how many secrets were alive at once at most.
        lost: key ids that were gone, or refused, while MIM had them and they had not ended: none.
    """

    course: Course
    length: int
    lives: dict[str, Life] = field(default_factory=dict)
    outages: list[tuple[float, float]] = field(default_factory=list)
    runs: int = 0
    failed: int = 0
    hook_failures: int = 0
    most_alive: int = 0
    lost: set[str] = field(default_factory=set)

    @property
    def issued(self) -> int:
        """How many secrets there were."""
        return len(self.lives)

    @property
    def revoked(self) -> int:
        """How many were revoked."""
        return sum(life.gone is not None for life in self.lives.values())

    @property
    def without(self) -> list[tuple[float, float]]:
        """When MIM had nothing that worked: what it had had ended by nature, and nobody had given it another one."""
        had = [one for one in self.lives.values() if one.installed is not None]
        spans = [(one.ends, self.length if one.replaced is None else one.replaced) for one in had]
        return [(ended, until) for ended, until in spans if ended < until]


class SimulatedHook:
    """Installs the secret on MIM, or fails: one time in ten."""

    name = "deploy"

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._random = random.Random(f"hook {simulation.years.course.seed}")

    def check(self) -> None:
        """It can always be called."""

    def run(self, call: HookCall) -> HookEnd:
        """Install what the call names."""
        simulation = self._simulation
        if self._random.random() < 0.1:
            simulation.years.hook_failures += 1
            return HookEnd(succeeded=False, words="ended with 1")
        simulation.install(call.variables["MIMAPP_KEY_ID"])
        return HookEnd(succeeded=True, words="ended with 0")


class Simulation:
    """Runs one course.

    Args:
        course: how secrets reach MIM.
        home: an empty folder.
        length: how many days.
        lifetime: how long a secret lives.
        overlap: how long an old one stays beside its successor.
    """

    def __init__(
        self,
        course: Course,
        home: Path,
        *,
        length: int = FIVE_YEARS,
        lifetime: timedelta = 180 * DAY,
        overlap: timedelta = 14 * DAY,
    ) -> None:
        self.random = random.Random(course.seed)
        self.clock = FakeClock()
        self.place = Place(home, clock=self.clock)
        self.stage = Stage(self.place)
        self.years = Years(course, length)
        self.installed: str | None = None
        self._value = ""
        self._lifetime = lifetime
        self._policy = Policy(if_due=True, due=DuePolicy(), overlap=overlap)
        self._hooks = Hooks(deploy=SimulatedHook(self)) if course.has_hook else Hooks()
        self._down: tuple[int, int, bool] = (0, 0, False)
        self._to_confirm: str | None = None
        self._unreachable = False
        self.place.wire.before = self._before
        self.place.wire.after = self._after
        self._operator = SignInOptions(
            method=Method.CLIENT_SECRET,
            client_id=self.place.info.operator_client_id,
            secret=Secret(self.place.info.operator_client_secret),
        )

    def run(self) -> Years:
        """Let the years pass; day by day a run, and in between what people do."""
        try:
            # One sign-in for all runs: signing in each day is what most of the time would go to.
            with self.place.connect(graph=self._operator, exchange=self._operator) as tenant:
                wanted = self._wanted()
                assert tenant.apply(tenant.plan(wanted)).failed is None
                self.see()
                self.install(self.stage.key_ids()[0])
                with tenant.rotation(wanted) as rotation:
                    for day in range(1, self.years.length + 1):
                        self.clock.advance(max(timedelta(), START + day * DAY - self.clock.now()))
                        self._pass(day, rotation)
        finally:
            self.place.close()
        return self.years

    def install(self, key_id: str) -> None:
        """Give MIM a secret."""
        if key_id == self.installed:
            return
        if self.installed is not None:
            self.years.lives[self.installed].replaced = self._now
        self.see()
        self.years.lives[key_id].installed = self._now
        (store,) = self._wanted().stores
        value = store.get(key_id)
        assert value is not None
        self.installed, self._value = key_id, value.reveal()

    def _pass(self, day: int, rotation: Rotation) -> None:
        """One day: an outage begins or goes on, or mimapp runs; then a person may do something."""
        begins, ends, _ = self._down
        if day >= ends and self.random.random() < _OUTAGE:
            begins, ends = day, day + self.random.randint(1, 14)
            self._down = (begins, ends, self.random.random() < _OUTAGE_OF_MACHINE)
            self.years.outages.append((begins, ends))
        is_down, is_off = day < ends, self._down[2]
        self._unreachable = is_down and not is_off
        if not (is_down and is_off):
            self._run_mimapp(rotation)
        if not is_down:
            self._person(day, rotation)
        self._check(day)

    def _run_mimapp(self, rotation: Rotation) -> None:
        """``mimapp rotate --if-due``: without steps the second look that it takes is left out here."""
        try:
            plan = rotation.plan(self._policy, self._hooks)
            failed = rotation.rotate(plan, self._hooks, as_shown=False).failed if plan.steps else None
        except MimappError:
            self.years.failed += 1
        else:
            self.years.runs += failed is None
            self.years.failed += failed is not None

    def _person(self, day: int, rotation: Rotation) -> None:
        """Install the newest stored secret when its time has come, and say so the next time."""
        if self._to_confirm is not None:
            key_id, self._to_confirm = self._to_confirm, None
            rotation.confirm(Statement(key_id=key_id, by=_OPERATOR))
        newest = next(reversed(self.years.lives))
        days = self.years.course.days_for(self.years.issued)
        if days is not None and newest != self.installed and self.years.lives[newest].issued + days < day + 0.5:
            self.install(newest)
            self._to_confirm = newest if self.years.course.says_so else None

    def _wanted(self) -> Registration:
        owner = self.place.info.administrator
        return self.place.registration(secret_lifetime=self._lifetime, group_owner=owner)

    def _before(self, request: httpx.Request) -> None:
        if self._unreachable:
            raise httpx.ConnectError("nobody listens", request=request)

    def _after(self, request: httpx.Request, _: httpx.Response) -> None:
        if is_write(request):
            self.see()

    def see(self) -> None:
        """See what the tenant holds, after each write: what is new, what is gone, and whether MIM lost something."""
        held = {one["keyId"]: one for one in self.stage.application()["passwordCredentials"]}
        for key_id in held.keys() - self.years.lives.keys():
            ends = self._days(datetime.fromisoformat(held[key_id]["endDateTime"]))
            self.years.lives[key_id] = Life(issued=self._now, ends=ends)
        for key_id, life in self.years.lives.items():
            if key_id not in held and life.gone is None:
                life.gone = self._now
                if key_id == self.installed and life.ends > self._now:
                    self.years.lost.add(key_id)
        alive = sum(life.gone is None and life.ends > self._now for life in self.years.lives.values())
        self.years.most_alive = max(self.years.most_alive, alive)

    def _check(self, day: int) -> None:
        """Sign in as MIM does, with what it has: at least once a week, and on each day that changed something."""
        key_id = self.installed
        life = self.years.lives[key_id] if key_id is not None else None
        if key_id is None or life is None or life.ends <= self._now or (day % 7 and life.installed != self._now):
            return
        was, self._unreachable = self._unreachable, False
        if not self.stage.works(self._value):
            self.years.lost.add(key_id)
        self._unreachable = was

    @property
    def _now(self) -> float:
        return self._days(self.clock.now())

    def _days(self, moment: datetime) -> float:
        return (moment - START) / DAY
