"""Takes the steps of one run, one at a time: tells about each, and writes each write down before and after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.errors import MimappError
from mimapp.journal import WriteRecord
from mimapp.provisioning.events import StepDone, StepFailed, StepStarted
from mimapp.provisioning.outcome import Change, Failure
from mimapp.provisioning.run import Done
from mimapp.provisioning.steps import Part

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from mimapp.provisioning.events import Event
    from mimapp.provisioning.services import Services
    from mimapp.provisioning.steps import Step

__all__ = ["Pace"]


class Pace:
    """One run's steps as they are taken.

    Args:
        services: the rooms below.
        key: the registration.
        act: takes one step.
        on_event: told of every step as it begins and ends.
        total: how many steps there are, as far as is known.

    Attributes:
        changes: the writes so far.
    """

    def __init__(
        self,
        services: Services,
        key: str,
        act: Callable[[Step], Done],
        on_event: Callable[[Event], None],
        *,
        total: int,
    ) -> None:
        self.changes: list[Change] = []
        self.total = total
        self._services = services
        self._key = key
        self._act = act
        self._on_event = on_event

    def take(self, step: Step, number: int, *, although_cancelled: bool = False) -> Failure | None:
        """Take one step; a known error is a value, anything else is a bug and flies.

        Args:
            step: the step.
            number: its place in the plan, from 1.
            although_cancelled: take it also in a run that was asked to stop.
        """
        clock = self._services.clock
        begun = clock.monotonic()
        self._on_event(StepStarted(number=number, total=self.total, title=step.title))
        try:
            if not although_cancelled:
                self._services.http.patience.check()
            self._record(step, "begun", Done(detail=step.desired))
            done = self._act(step)
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
        services = self._services
        by = services.exchange_operator if step.kind.part is Part.EXCHANGE else services.graph_operator
        services.journal.record(
            WriteRecord(
                when=services.clock.now(),
                outcome=outcome,
                tenant=services.tenant_id,
                registration=self._key,
                operator=by.name,
                action=step.kind,
                target=step.target,
                before=done.before,
                after=done.detail,
                request_id="" if outcome == "begun" else services.http.last_request_id,
                undo=done.undo,
                change_ref=services.change_ref,
                sandbox=services.sandbox,
            )
        )
