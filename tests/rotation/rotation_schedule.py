"""One seeded schedule of rotation: two machines, bad weather, sudden death, failing hooks and stores, a slow person.

MIM is modelled by what each of its servers has installed. A deploy hook installs the new secret, or fails; a person
reads a store and installs it, and says so with `handover confirm` afterwards. What no server may lose is checked after
every command; what has to stand at the end, after one run more in calm weather.
"""

from __future__ import annotations

import contextlib
import json
import random
import shutil
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from mimapp.sandbox.weather import Weather
from rotation.stage import Stage
from support.clock import START, FakeClock
from support.tenants import MAILBOX, Place, is_write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx

    from support.tenants import Finished

_INSTALL = '#!/bin/sh\nprintf "%s %s\\n" "$MIMAPP_NODE" "$MIMAPP_KEY_ID" >> "{log}"\n'
_MOST_REQUESTS = 14
_ENDS = {0, 3, 5, 7, 8, 75}


class Crash(BaseException):
    """The process dies: nothing in the product may catch it."""


@dataclass
class Machine:
    """One machine that runs mimapp: its home, and where it puts secrets."""

    home: Path
    store: Path

    def values(self) -> dict[str, str]:
        """What its store holds, by key id."""
        found = {}
        for path in self.store.parent.glob(f"{self.store.name}*"):
            with contextlib.suppress(OSError, ValueError):
                kept = json.loads(path.read_text())
                found[kept["keyId"]] = kept["clientSecret"]
        return found


@dataclass
class RotationSchedule:
    """What happens in one schedule; all of it follows from the seed."""

    seed: int
    prepared: Path
    home: Path
    clock: FakeClock = field(default_factory=FakeClock)
    log: list[str] = field(default_factory=list)
    places: dict[tuple[str, bool], Place] = field(default_factory=dict)
    #: The ends of secrets that a server has installed, by key id.
    ends: dict[str, str] = field(default_factory=dict)
    #: Every value that a store was seen to hold, by key id: none of them may be printed.
    seen: dict[str, str] = field(default_factory=dict)
    lost_journals: int = 0

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
        self.nodes = ("mim1", "mim2") if draw.random() < 0.4 else ()
        shutil.copytree(self.prepared, self.home / "tenant")
        self.machines = [Machine(self.home / "tenant", self.home / "tenant" / "kept" / "secret.json")]
        if draw.random() < 0.5:
            shared = draw.random() < 0.5
            other = self.home / "other"
            self.machines.append(Machine(other, self.machines[0].store if shared else other / "kept" / "secret.json"))
        self.clock.sleep(60)
        self.installs = self.home / "installs"
        self.hooks = {name: self._hook(name, text) for name, text in self._hook_texts().items()}
        stage = Stage(self.place(self.machines[0]))
        self.foreign = stage.add_foreign()
        (first,) = set(stage.key_ids()) - {self.foreign}
        self.installed = {node: [(self.clock.now(), first)] for node in self.nodes or ("",)}

    def run(self) -> None:
        """Let things happen, then run once more in calm weather and look at what is there."""
        try:
            for _ in range(self.random.randrange(4, 9)):
                self.clock.sleep(self.random.choice([10, 600, 7200, 3 * 86_400, 12 * 86_400]) * self.random.random())
                self.happen()
                self.check()
            self.end()
        finally:
            for place in self.places.values():
                place.close()

    def happen(self) -> None:
        """One command on one machine, cut short or not; or the journal goes, or a person installs what is stored."""
        draw, machine = self.random, self.random.choice(self.machines)
        chance = draw.random()
        if chance < 0.04:
            self.log.append(f"the journal of {machine.home.name} is gone")
            self.lost_journals += 1
            shutil.rmtree(machine.home / "journal", ignore_errors=True)
        elif chance < 0.2:
            self.person(machine)
        elif chance < 0.35:
            self.command(machine, ("retire", *self.common(machine)))
        else:
            flags = draw.choice([("--if-due",), ("--if-due", "--before", "170d"), (), (), ("--again",)])
            hook = draw.choice(["installs", "installs", "installs", "fails", "half", None])
            hooks = () if hook is None else ("--deploy-hook", str(self.hooks[hook]))
            argv = ("rotate", *flags, *hooks, "--deadline", "20m", "--secret-lifetime", "40d", *self.common(machine))
            other = draw.choice(self.machines) if draw.random() < 0.5 else machine
            self.command(machine, argv, meanwhile=None if other is machine else other)

    def common(self, machine: Machine) -> tuple[str, ...]:
        nodes = ("--nodes", ",".join(self.nodes)) if self.nodes else ()
        overlap = self.random.choice(["0s", "0s", "14d"])
        return ("--yes", "--secret-to", f"file:{machine.store}", "--overlap", overlap, *nodes)

    def command(self, machine: Machine, argv: tuple[str, ...], meanwhile: Machine | None = None) -> None:
        """Run one, with death, a breaking store or a second machine at some request of it."""
        draw = self.random
        at, write = draw.randrange(1, _MOST_REQUESTS), draw.random() < 0.4
        kind = draw.choice(["plain", "plain", "dies before", "dies after", "store breaks"])
        self.log.append(f"{self.clock.now():%m-%d %H:%M} {machine.home.name}: {' '.join(argv)} ({kind}, {at}, {write})")
        seen = 0

        def is_it(request: httpx.Request) -> bool:
            """The moment at which something happens: some request, or the first one that changes the tenant."""
            return (is_write(request) and argv[0] != "handover") if write else seen == at

        def before(request: httpx.Request) -> None:
            nonlocal seen, meanwhile
            seen += 1
            if meanwhile is not None and is_it(request):
                second, meanwhile = meanwhile, None
                self.log.append(f"  meanwhile {second.home.name}")
                self.tell(self.once(second, ("rotate", *self.common(second)), None, None))
            if kind == "store breaks" and request.url.path.endswith("/addPassword"):
                self.break_store(machine)
            if kind == "dies before" and is_it(request):
                raise Crash

        def after(request: httpx.Request, _response: httpx.Response) -> None:
            if kind == "dies after" and is_it(request):
                raise Crash

        try:
            self.tell(self.once(machine, argv, before, after))
        except Crash:
            self.log.append("  dead")
        finally:
            self.mend_store(machine)

    def once(
        self,
        machine: Machine,
        argv: tuple[str, ...],
        before: Callable[[httpx.Request], None] | None,
        after: Callable[[httpx.Request, httpx.Response], None] | None,
        *,
        calm: bool = False,
    ) -> Finished:
        """One command, by a process of its own as far as mimapp can tell: nothing of it but files outlives it."""
        place = self.place(machine, calm=calm)
        place.wire.before = before or (lambda _: None)
        place.wire.after = after or (lambda _request, _response: None)
        done = place.remote(*argv, "--mailbox", MAILBOX, "-v")
        assert done.code in _ENDS, self.told(f"{done.code}\n{done.out}\n{done.err}")
        self.note_values()
        for value in self.seen.values():
            assert value not in done.out + done.err, self.told("a secret was printed")
        return done

    def place(self, machine: Machine, *, calm: bool = True) -> Place:
        """A machine on the tenant, in calm weather or in this schedule's."""
        key = (str(machine.home), calm)
        if key not in self.places:
            self.places[key] = Place(
                machine.home,
                clock=self.clock,
                sandbox_home=self.home / "tenant",
                weather=Weather() if calm else self.weather,
            )
        return self.places[key]

    def tell(self, done: Finished) -> None:
        self.log.append(f"  {done.code}: {(done.out.splitlines() or done.err.splitlines() or [''])[0]}")

    def person(self, machine: Machine) -> None:
        """A person gives every server, or one of them, what the store holds, and says so later, or not at all."""
        if not machine.store.exists():
            return
        key_id = json.loads(machine.store.read_text())["keyId"]
        nodes = [node for node in self.installed if self.random.random() < 0.8]
        for node in nodes:
            self.install(node, key_id)
        self.log.append(f"a person installs {key_id[:8]} on {nodes}")
        if set(nodes) == set(self.installed) and self.random.random() < 0.7:
            self.command(machine, ("handover", "confirm", key_id, "--secret-to", f"file:{machine.store}"))

    def install(self, node: str, key_id: str) -> None:
        if self.installed[node][-1][1] != key_id:
            self.installed[node].append((self.clock.now(), key_id))

    def check(self) -> None:
        """What no server may lose is there, and so is what mimapp did not make."""
        if self.installs.exists():
            for line in self.installs.read_text().splitlines():
                node, _, key_id = line.partition(" ")
                self.install(node, key_id)
            self.installs.unlink()
        application = Stage(self.place(self.machines[0])).application()
        held = {one["keyId"]: one["endDateTime"] for one in application["passwordCredentials"]}
        assert self.foreign in held, self.told("the foreign secret is gone")
        for node, history in self.installed.items():
            key_id = history[-1][1]
            assert key_id in held or self.has_ended(key_id), self.told(f"{node or 'MIM'} lost {key_id}")
            if key_id in held:
                self.ends[key_id] = held[key_id]

    def has_ended(self, key_id: str) -> bool:
        return datetime.fromisoformat(self.ends[key_id]) <= self.clock.now()

    def end(self) -> None:
        """One run more on each machine, in calm weather: one current secret, stored and working."""
        for other in self.machines[1:]:
            self.last_run(other)
        done = self.last_run(self.machines[0])
        secret = done.document["secret"]
        value = self.seen.get(secret["keyId"])
        stage = Stage(self.place(self.machines[0]))
        if value is None:
            # Nobody knows any more whose it is: shown as stored elsewhere, never revoked; what MIM has stays.
            assert self.lost_journals, self.told("the current secret is stored nowhere")
            assert secret["stores"] == []
            assert any("stored elsewhere" in line for line in done.document["attention"]), self.told(done.out)
        else:
            assert stage.works(value), self.told("the current secret does not work")
        labels = [one["displayName"] for one in stage.application()["passwordCredentials"]]
        assert len(labels) == len(set(labels))

    def last_run(self, machine: Machine) -> Finished:
        argv = ("rotate", "--if-due", "--deploy-hook", str(self.hooks["installs"]), "--output", "json")
        self.clock.sleep(400)
        done = self.once(machine, (*argv, *self.common(machine)), None, None, calm=True)
        self.tell(done)
        assert done.code in {0, 3}, self.told(done.err)
        self.check()
        states = {entry.state for entry in Stage(self.place(machine)).journal.secrets}
        assert not states & {"intended", "issued", "lost"}, self.told(f"unfinished: {states}")
        return done

    def note_values(self) -> None:
        for machine in self.machines:
            self.seen |= machine.values()

    def break_store(self, machine: Machine) -> None:
        """The folder of the store becomes a file, so that nothing can be put there."""
        folder = machine.store.parent
        if folder.is_dir():
            folder.rename(folder.with_name("away"))
            folder.write_text("")

    def mend_store(self, machine: Machine) -> None:
        folder = machine.store.parent
        if folder.is_file():
            folder.unlink()
            folder.with_name("away").rename(folder)

    def _hook_texts(self) -> dict[str, str]:
        install = _INSTALL.format(log=self.installs)
        return {
            "installs": install,
            "fails": "#!/bin/sh\nexit 1\n",
            # It does its work on one server and then fails; or it works, and says that it did not.
            "half": f'{install}[ "$MIMAPP_NODE" = mim1 ] || exit 3\n',
        }

    def _hook(self, name: str, text: str) -> Path:
        path = self.home / f"{name}.sh"
        path.write_text(text)
        path.chmod(0o755)
        return path

    def told(self, what: str) -> str:
        lines = "\n  ".join(self.log)
        return f"seed {self.seed}, {self.weather}\n  {lines}\n{what}"


def prepare(home: Path) -> Path:
    """A registered tenant whose secret is in the store that the schedules use; the clock stands a minute later."""
    place = Place(home, clock=FakeClock(START))
    try:
        done = place.remote("register", "--mailbox", MAILBOX, "--yes", "--secret-to", f"file:{home}/kept/secret.json")
        assert done.code == 0, done.err
    finally:
        place.close()
    return home
