"""Graph's report of credential sign-ins: shown where it can be read, and evidence only where the operator trusts it.

It is no evidence by itself: mimapp's own proof counts as use, it shows the latest sign-in alone, and a server of MIM's
that is stopped or passive looks idle. Trusted, it counts when the new secret signed in on three days on which mimapp
asked for no token, every older one was idle for thirty days, and no list of servers says that more is to be confirmed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from mimapp.clouds import DEFAULT_CLOUD
from mimapp.errors import CancelledError, MimappError, NotFoundError
from mimapp.journal import Evidence, Sighting

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mimapp.journal import State
    from mimapp.rotation.services import Services
    from mimapp.rotation.view import OurSecret, View

__all__ = ["Report", "read_report", "sightings_of", "trusted"]

_DAYS_OF_USE = 3
_IDLE = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the report says.

    Attributes:
        last: the last sign-in by key id; one that was never used is missing.
        problem: why it could not be read; empty when it was.
    """

    last: Mapping[str, datetime]
    problem: str = ""


def read_report(services: Services, view: View) -> Report:
    """Read the report; a refusal is told in it and stops nothing."""
    if services.cloud.key != DEFAULT_CLOUD:
        return Report(last={}, problem=f"{services.cloud.title} has no sign-in report of credentials")
    try:
        found = services.graph.reports.credential_sign_ins(view.desk.application_id)
    except CancelledError:
        raise
    except NotFoundError:
        return Report(last={}, problem="this tenant has no sign-in report of credentials")
    except MimappError as error:
        return Report(last={}, problem=str(error))
    return Report(last={row.key_id: row.last_sign_in for row in found if row.key_id and row.last_sign_in is not None})


def sightings_of(report: Report, view: View) -> tuple[Sighting, ...]:
    """What the journal is to remember of it: the report forgets a day when the next sign-in comes."""
    return tuple(
        Sighting(key_id=one.key_id, day=report.last[one.key_id].date())
        for one in view.live
        if one.key_id in report.last
    )


def trusted(report: Report, view: View, state: State) -> Evidence | None:
    """The evidence that the report gives for the newest secret, with what was seen in earlier runs; None: not yet."""
    newest = view.newest
    if newest is None or newest.nodes or report.problem:
        return None
    ours = {day + after for day in state.token_days for after in (timedelta(), timedelta(days=1))}
    seen = {one.day for one in (*state.sightings, *sightings_of(report, view)) if one.key_id == newest.key_id}
    if len(seen - ours) < _DAYS_OF_USE:
        return None
    if any(_was_used(one, report, view) for one in view.older_than(newest)):
        return None
    return Evidence(key_id=newest.key_id, kind="report", when=view.at, by="Graph's sign-in report")


def _was_used(secret: OurSecret, report: Report, view: View) -> bool:
    last = report.last.get(secret.key_id)
    return last is not None and last > view.at - _IDLE
