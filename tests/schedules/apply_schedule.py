"""One seeded schedule of ``mimapp apply``: a plan from a file in bad weather, cut short, in a tenant that may move."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from schedules.cut_short import CutShort, has_policy
from support.endings import check_one_of_each
from support.tenants import MAILBOX

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from support.tenants import Finished, Place

_REGISTER = ("register", "--mailbox", MAILBOX)
_APPROVED = ("--yes", "--output", "json")
_POLICY_REMOVED = "Remove-ApplicationAccessPolicy"


class Before(StrEnum):
    """What is there when the plan is made."""

    NOTHING = "nothing"
    ENTRA = "the application"
    FENCED = "all but consent"


class Move(StrEnum):
    """What somebody else does between the plan and its end."""

    NONE = "nothing"
    POLICY_GONE = "removes the access policies"
    APPLICATION_GONE = "deletes the application"


@dataclass
class ApplySchedule(CutShort):
    """What happens in one schedule; all of it follows from the seed."""

    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        draw = self.random
        self.before = draw.choice(list(Before))
        self.move = draw.choice([Move.NONE, Move.NONE, *Move])
        self.moves_first = draw.random() < 0.5

    @property
    def path(self) -> Path:
        return self.home.parent / f"plan-{self.seed}.json"

    def run(self) -> None:
        """Build, plan, apply cut short as often as the seed says, let the tenant move, and apply to the end."""
        self.prepare()
        if self.moves_first:
            self.moved()
        for number in range(self.crashes):
            self.apply(self.draw_crash(number))
            self.later(0, 1, 30, 400)
        if not self.moves_first:
            self.moved()
        before = len(self.log)
        done = self.apply(None)
        if done is not None and done.code == 75 and self.move is Move.POLICY_GONE:
            # A policy that no run has seen listed may be a new one that is not listed yet, for a day.
            self.later(25 * 3600)
            done = self.apply(None)
        assert done is not None
        assert self.wrong == [], self.told(str(self.wrong), before=self.before, move=self.move)
        self.check_shown()
        if done.code == 6:
            assert self.move is not Move.NONE, self.told(done.err, before=self.before)
            assert self.log[before:] == [], self.told("a stale plan wrote something", before=self.before)
            return
        assert done.code == 0, self.told(done.err, before=self.before, move=self.move)
        self.later(25 * 3600)
        calm = self.calm()
        try:
            self.check_end(calm)
        except AssertionError as error:
            raise AssertionError(self.told(str(error), before=self.before, move=self.move)) from error
        finally:
            calm.close()

    def prepare(self) -> None:
        """What is there before, and the plan."""
        calm = self.calm()
        parts = {Before.NOTHING: (), Before.ENTRA: ("entra",), Before.FENCED: ("entra", "exchange")}[self.before]
        for only in parts:
            done = calm.remote(*_REGISTER, *_APPROVED, "--only", only)
            assert done.code in {0, 3}, done.err
        done = calm.remote(*_REGISTER, "--plan-out", str(self.path))
        assert done.code == 0, done.err
        self.records = len(self.written())
        calm.close()

    def moved(self) -> None:
        """Somebody else acts, on whatever is there; for an hour a new policy that is gone may be one not listed yet."""
        self.log.append(f"somebody {self.move}")
        calm = self.calm()
        with calm.connect() as tenant:
            if self.move is Move.POLICY_GONE:
                for policy in tenant._exchange.access_policies.list():
                    tenant._exchange.access_policies.remove(policy.identity)
            elif self.move is Move.APPLICATION_GONE:
                for application in tenant._graph.applications.by_tag_prefix("mimapp:"):
                    tenant._graph.applications.delete(application.id)
        calm.close()
        self.later(3600, 7200)

    def apply(self, crash: tuple[int, bool] | None) -> Finished | None:
        def run(place: Place) -> Finished:
            return place.remote("apply", str(self.path), *_APPROVED, "--deadline", "30m")

        return self.once(run, crash, before=self.watch)

    def watch(self, place: Place, request: httpx.Request) -> None:
        """No grant without a fence, whoever has taken it away in the meantime."""
        if request.url.path.endswith("/appRoleAssignedTo") and not has_policy(place):
            self.wrong.append("a grant without a fence")

    def written(self) -> list[dict[str, Any]]:
        record = self.home / "journal" / "record.jsonl"
        return [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []

    def check_shown(self) -> None:
        """Every write since the plan was made is a step that the file shows."""
        document = json.loads(self.path.read_text())
        shown = {(step["step"], step["target"]) for step in document["steps"]}
        issues = any(step == "secret.issue" for step, _ in shown)
        for one in self.written()[self.records :]:
            is_sweep = one["action"] == "secret.sweep" and issues
            assert is_sweep or (one["action"], one["target"]) in shown, self.told(f"not shown: {one}")

    def check_end(self, calm: Place) -> None:
        status = calm.remote(*_REGISTER, *_APPROVED)
        assert status.document["changes"] == [], status.out
        check_one_of_each(calm, status.document)
