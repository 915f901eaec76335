"""Takes the steps of one run, one at a time: tells about each, and writes each write down before and after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

from mimapp.errors import MimappError
from mimapp.journal import WriteRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    from mimapp.rotation.services import Services
    from mimapp.rotation.steps import Step
    from mimapp.spec import Registration

__all__ = ["Phase", "Work"]

T = TypeVar("T")

#: What `mimapp log` calls a rotation that failed before its first step.
_WHOLE_RUN = "secret.rotate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A step as it begins or ends; `tenant` makes an event of it.

    Attributes:
        state: ``begun``, ``done`` or ``failed``.
        number: its place, from 1; 0 for the reading before.
        total: how many there are.
        title: what it does.
        seconds: how long it took.
        detail: what came of it, never a secret.
    """

    state: Literal["begun", "done", "failed"]
    number: int
    total: int
    title: str
    seconds: float = 0.0
    detail: str = ""


class Work:
    """One run's steps as they are taken.

    Args:
        services: the rooms below.
        wanted: the registration.
        tell: told of every step as it begins and ends.

    Attributes:
        done: the identities of the steps that are done, with what came of each.
        current: the step under way, or the one that failed.
    """

    def __init__(self, services: Services, wanted: Registration, tell: Callable[[Phase], None]) -> None:
        self.services = services
        self.wanted = wanted
        self.done: list[tuple[Step, str]] = []
        self.current: Step | None = None
        self._tell = tell
        self._total = 0

    def begin(self, total: int) -> None:
        """Say how many steps there will be, as far as is known."""
        self._total = total

    def take(self, step: Step, act: Callable[[], str]) -> str:
        """Take one step; `act` gives what came of it, in words.

        Raises:
            MimappError: what the step raised; it is told and recorded.
        """
        clock = self.services.clock
        begun = clock.monotonic()
        self.current = step
        number = len(self.done) + 1
        self._total = max(self._total, number)
        self._phase("begun", number, step.title)
        try:
            self.services.http.patience.check()
            self._record(step, "begun", step.desired)
            detail = act()
        except MimappError as error:
            self._record(step, "failed", str(error))
            self._phase("failed", number, step.title, clock.monotonic() - begun, str(error))
            raise
        self._record(step, "done", detail)
        self.done.append((step, detail))
        self.current = None
        self._phase("done", number, step.title, clock.monotonic() - begun, detail)
        return detail

    def read(self, title: str, act: Callable[[], T]) -> T:
        """Read something, and tell about it."""
        clock = self.services.clock
        begun = clock.monotonic()
        self._phase("begun", 0, title)
        found = act()
        self._phase("done", 0, title, clock.monotonic() - begun)
        return found

    def _phase(
        self, state: Literal["begun", "done", "failed"], number: int, title: str, seconds: float = 0.0, detail: str = ""
    ) -> None:
        self._tell(Phase(state=state, number=number, total=self._total, title=title, seconds=seconds, detail=detail))

    def _record(self, step: Step, outcome: Literal["begun", "done", "failed"], after: str) -> None:
        # A failed hand-over or proof is written down as well: nobody reads what a schedule prints.
        if step.kind.writes or outcome == "failed":
            self._write_down(step.kind, step.target, outcome, after)

    def note_failure(self, error: MimappError) -> None:
        """Write down that a run came to its end before any step.

        Raises:
            UsageError: the journal cannot be written.
        """
        self._write_down(_WHOLE_RUN, self.wanted.unique_name, "failed", str(error))

    def _write_down(self, action: str, target: str, outcome: Literal["begun", "done", "failed"], after: str) -> None:
        services = self.services
        services.journal.record(
            WriteRecord(
                when=services.clock.now(),
                outcome=outcome,
                tenant=services.tenant_id,
                registration=self.wanted.key,
                operator=services.graph_operator.name,
                action=action,
                target=target,
                after=after,
                request_id="" if outcome == "begun" else services.http.last_request_id,
                change_ref=services.change_ref,
                sandbox=services.sandbox,
            )
        )
