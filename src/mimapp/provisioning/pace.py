"""Takes the steps of one run, one at a time: tells about each, and writes each write down before and after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from mimapp.errors import MimappError
from mimapp.journal import WriteRecord
from mimapp.provisioning.events import StepDone, StepFailed, StepStarted
from mimapp.provisioning.outcome import Change, Failure
from mimapp.provisioning.run import Done, Run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Literal

    from mimapp.provisioning.events import Event
    from mimapp.provisioning.steps import Step, StepKind

__all__ = ["Actions", "Pace"]

Actions: TypeAlias = "Mapping[StepKind, Callable[[Run], Done]]"


class Pace:
    """One run's steps as they are taken.

    Args:
        run: what the run knows.
        actions: how each kind of step is taken.
        on_event: told of every step as it begins and ends.
        total: how many steps there are, as far as is known.

    Attributes:
        changes: the writes so far.
    """

    def __init__(self, run: Run, actions: Actions, on_event: Callable[[Event], None], *, total: int) -> None:
        self.changes: list[Change] = []
        self.total = total
        self._run = run
        self._actions = actions
        self._on_event = on_event

    def take(self, step: Step, number: int) -> Failure | None:
        """Take one step; a known error is a value, anything else is a bug and flies."""
        run, clock = self._run, self._run.services.clock
        begun = clock.monotonic()
        self._on_event(StepStarted(number=number, total=self.total, title=step.title))
        try:
            run.services.http.patience.check()
            self._record(step, "begun", Done(detail=step.desired))
            done = self._actions[step.kind](run)
        except MimappError as error:
            self._record(step, "failed", Done(detail=str(error)))
            seconds = clock.monotonic() - begun
            self._on_event(StepFailed(number=number, title=step.title, seconds=seconds, message=str(error)))
            return Failure(step=step, error=error)
        self._record(step, "done" if done.wrote else "existed", done)
        if done.wrote:
            self.changes.append(Change(step=step.kind, target=step.target, detail=done.detail))
        seconds = clock.monotonic() - begun
        self._on_event(StepDone(number=number, title=step.title, seconds=seconds, detail=done.detail))
        return None

    def _record(self, step: Step, outcome: Literal["begun", "done", "existed", "failed"], done: Done) -> None:
        if not step.kind.writes:
            return
        services = self._run.services
        services.journal.record(
            WriteRecord(
                when=services.clock.now(),
                outcome=outcome,
                tenant=services.tenant_id,
                registration=self._run.wanted.key,
                operator=services.graph_operator.name,
                action=step.kind,
                target=step.target,
                before=done.before,
                after=done.detail,
                request_id="" if outcome == "begun" else services.http.last_request_id,
                undo=done.undo,
                sandbox=services.sandbox,
            )
        )
