"""The steps of a rotation as the events of a run: the listener of one is the listener of the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.provisioning.events import StepDone, StepFailed, StepStarted

if TYPE_CHECKING:
    from mimapp.provisioning.events import Event
    from mimapp.rotation import Phase

__all__ = ["event_of"]


def event_of(phase: Phase) -> Event:
    """The event that tells of a phase."""
    if phase.state == "begun":
        return StepStarted(number=phase.number, total=phase.total, title=phase.title)
    if phase.state == "failed":
        return StepFailed(number=phase.number, title=phase.title, seconds=phase.seconds, message=phase.detail)
    return StepDone(number=phase.number, title=phase.title, seconds=phase.seconds, detail=phase.detail)
