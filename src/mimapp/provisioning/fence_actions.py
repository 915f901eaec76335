"""The fence as `register` builds it: the role in Exchange, its test or the policy's, and consent held back after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.errors import DeadlineError
from mimapp.provisioning.exchange_actions import stand_policy
from mimapp.provisioning.rbac_actions import RoleWork, assign_role, make_pointer, make_scope, stand_role
from mimapp.provisioning.run import Done
from mimapp.provisioning.scope_notes import HOLD_NOTE, note_fence
from mimapp.spec import Scope

if TYPE_CHECKING:
    from datetime import datetime

    from mimapp.provisioning.run import Run

__all__ = ["assign", "create_pointer", "create_scope", "hold_consent", "stand_fence"]

#: How long one pause of a long wait is: each is shown, and a run may be stopped between two.
_LOOK_EVERY = 60.0


def create_pointer(run: Run) -> Done:
    """Let Exchange know the service principal."""
    return make_pointer(_work(run))


def create_scope(run: Run) -> Done:
    """Make the management scope."""
    return make_scope(_work(run))


def assign(run: Run) -> Done:
    """Give the application the role, within the limit."""
    return assign_role(_work(run))


def stand_fence(run: Run) -> Done:
    """Wait until the service's own test grants the mailbox and denies one outside, and write down since when."""
    if run.wanted.scope is Scope.RBAC:
        run.role = next(iter(stand_role(_work(run)).assignments), None)
    else:
        stand_policy(run)
    run.stands = True
    note_fence(run.services, run.wanted.key)
    outside = run.exchange.outside
    denied = f"{outside} denied" if outside else "nobody else to deny"
    return Done(detail=f"{run.wanted.mailbox} granted, {denied}", wrote=False)


def hold_consent(run: Run) -> Done:
    """Wait until the fence has stood for as long as was asked, counted from when this machine saw it stand first.

    The time is written down: a later run waits for it too, unless it asks for another one.

    Raises:
        DeadlineError: that is later than this run may wait.
    """
    services, clock, patience = run.services, run.services.clock, run.services.http.patience
    until = _held_until(run)
    services.journal.note_since(services.tenant_id, run.wanted.key, HOLD_NOTE, until)
    if not patience.allows((until - clock.now()).total_seconds()):
        sandbox = " --sandbox" if services.sandbox else ""
        raise DeadlineError(
            f"consent is held back until {until:%Y-%m-%d %H:%M:%S} UTC, as --wait-for-scope asked; all else is done",
            hint=f"run the same command again then, or mimapp register --mailbox {run.wanted.mailbox} --registration "
            f"{run.wanted.key}{sandbox}: the time is noted; --deadline lets one run wait that long",
        )
    begun = clock.monotonic()
    while (left := (until - clock.now()).total_seconds()) > 0:
        patience.pause(
            "admin consent",
            f"held back until {until:%H:%M:%S} UTC, as --wait-for-scope asks",
            min(left, _LOOK_EVERY),
            waited=clock.monotonic() - begun,
        )
    services.journal.note_since(services.tenant_id, run.wanted.key, HOLD_NOTE, None)
    return Done(detail=f"held back until {until:%Y-%m-%d %H:%M:%S} UTC", wrote=False)


def _held_until(run: Run) -> datetime:
    """The moment from which on consent may be given."""
    services, wait = run.services, run.wanted.wait_for_scope
    since = services.journal.state(services.tenant_id, run.wanted.key).since
    if wait is None:
        return since.get(HOLD_NOTE, services.clock.now())
    return note_fence(services, run.wanted.key) + wait


def _work(run: Run) -> RoleWork:
    return RoleWork(
        services=run.services,
        wanted=run.wanted,
        app_id=run.known_application_id(),
        principal_id=run.principal(),
        group=run.group_id,
        outside=run.exchange.outside,
    )
