"""The preflight as the first phase of ``register``: what stops is said before the first write, what warns is shown.

A tenant that is right already is not asked: a second run costs the reads of its plan and no more.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mimapp.checks.preflight import SECRET_STORE, preflight, stopping
from mimapp.checks.preflight_row import Verdict
from mimapp.checks.preflight_scope import SCOPE
from mimapp.errors import StoreError, UnsafePlanError

if TYPE_CHECKING:
    from mimapp.checks.preflight_row import Row
    from mimapp.errors import PlanError, UsageError
    from mimapp.provisioning.plan import Plan
    from mimapp.provisioning.services import Services
    from mimapp.spec import Registration

__all__ = ["checked", "explained"]


def checked(plan: Plan, services: Services) -> Plan:
    """The plan with the preflight's warnings, where it changes anything.

    Raises:
        UnsafePlanError: a row stops; nothing was written.
        StoreError: nothing stops but a store that cannot take the secret; nothing was written.
    """
    if not plan.writes:
        return plan
    rows = preflight(services, plan.wanted)
    stops = stopping(rows)
    if stops and all(row.name == SECRET_STORE for row in stops):
        raise StoreError(stops[0].why or stops[0].found, hint=stops[0].remedy or None)
    if stops:
        raise UnsafePlanError(
            f"{stops[0].name}: {stops[0].why or stops[0].found}",
            hint=stops[0].remedy or "mimapp check shows every row",
            details=[_line(row) for row in stops],
        )
    # The plan itself warns of its scope.
    warnings = tuple(_line(row) for row in rows if row.verdict is Verdict.WARN and row.name != SCOPE)
    return replace(plan, warnings=(*plan.warnings, *warnings))


def explained(error: UsageError | PlanError, services: Services, wanted: Registration) -> UsageError | PlanError:
    """An error that ended the reading of a tenant, with what the preflight finds in the way."""
    lines = [_line(row) for row in stopping(preflight(services, wanted))]
    error.details = tuple(dict.fromkeys((*error.details, *lines)))
    return error


def _line(row: Row) -> str:
    return f"{row.name}: {row.found}" + (f" ({row.why})" if row.why else "") + (f"; {row.remedy}" if row.remedy else "")
