"""Issue one successor, also where other machines do the same at this moment.

Entra has no lock and `addPassword` no key. So a new secret is asked for, and before any store has it the application
is read again: whoever sees no other new secret of mimapp's keeps its own. Of several that see each other all step back
(revoke what nobody has) but the one with the smallest label, which waits for them. Where every read shows every
earlier write, one at most keeps its secret, since the second of two that were kept would have seen the first. Where
replicas lag two may be kept: both are stored, both work, and the newer one is the successor.

That one at least is kept cannot be had by looking alone: a secret that is seen may be one that is about to be taken
back. So whoever has stepped back goes on looking. It is done only when what is left has stayed there for longer than
taking it back takes; when nothing is left it tries again, and when that does not help it says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.credentials import is_ours, issue_if
from mimapp.errors import CancelledError, DeadlineError, MimappError

if TYPE_CHECKING:
    from datetime import timedelta

    from mimapp.credentials import Desk, Issued
    from mimapp.rotation.view import View

__all__ = ["issue_successor"]

#: So many looks, with about a minute of pauses between them: others step back within seconds, and 4 to 18 s of lag were
#: seen (microsoft-graph-docs-contrib#1921).
_LOOKS = 7
_ROUNDS = 3
#: Another machine's secret that has been there for so long, in seconds, is not one that it is taking back: that is one
#: request, throttled once at the worst.
_SETTLED = 30.0


def issue_successor(desk: Desk, view: View, lifetime: timedelta) -> Issued | None:
    """Issue and store a secret; None when another machine does it at this moment, and this one stepped back.

    Raises:
        DeadlineError: several machines stepped back for each other again and again, and none has a new secret.
        MimappError: as `mimapp.credentials.issue`.
    """
    known = frozenset(one.label for one in view.secrets) | frozenset(view.unfinished)
    for attempt in range(1, _ROUNDS + 1):
        _wait_for_a_later_second(desk, view)
        issued = issue_if(desk, lifetime, lambda _, label: _stands_alone(desk, known, label))
        if issued is not None or _one_is_left(desk, known):
            return issued
        # Everybody stepped back: whoever comes first now has it.
        pause = desk.patience.pause_before(attempt)
        if attempt == _ROUNDS or not desk.patience.allows(pause):
            break
        desk.patience.pause("client secret", "no machine kept its own", pause)
    raise DeadlineError(
        "several machines asked for a new secret at the same time, and each took its own back",
        hint="run the same command again, on one of them",
    )


def _wait_for_a_later_second(desk: Desk, view: View) -> None:
    """Secrets are told apart by their beginning, a whole second: no two may begin in the same one.

    It waits longer where another machine's clock is ahead of this one's.
    """
    latest = max((one.starts for one in view.secrets if one.starts is not None), default=None)
    if latest is None:
        return
    pause = 1.0 - (desk.clock.now() - latest).total_seconds()
    if pause <= 0:
        return
    if not desk.patience.allows(pause):
        raise DeadlineError(
            f"the newest secret begins at {latest:%Y-%m-%d %H:%M:%S} UTC, which this machine's clock has not reached",
            hint="set the clocks of the machines that run mimapp right, then run the same command again",
        )
    desk.patience.pause("client secret", "the newest one begins in this very second", pause)


def _stands_alone(desk: Desk, known: frozenset[str], label: str) -> bool:
    """Whether no other run is issuing a successor at this moment, or all others have stepped back."""
    rivals: frozenset[str] = frozenset()
    for look in range(1, _LOOKS + 1):
        try:
            shown = _labels(desk)
        except CancelledError:
            raise
        except MimappError:
            return True  # the value is in memory alone: storing it comes before knowing more
        rivals = _foreign_to(desk, shown, known)
        if any(label > rival for rival in rivals):
            return False
        if not rivals and label in shown:
            return True
        pause = desk.patience.pause_before(look)
        if look == _LOOKS or not desk.patience.allows(pause):
            break
        desk.patience.pause(f"client secret {label}", "another machine may be issuing one too", pause)
    return not rivals


def _labels(desk: Desk) -> frozenset[str]:
    """The labels of mimapp's secrets that a replica shows now."""
    shown = desk.graph.applications.get(desk.object_id, fresh=True).password_credentials or ()
    return frozenset(one.display_name for one in shown if one.display_name is not None and is_ours(one.display_name))


def _foreign_to(desk: Desk, shown: frozenset[str], known: frozenset[str]) -> frozenset[str]:
    """Those that neither were there before nor are this machine's."""
    return shown - known - {entry.label for entry in desk.entries()}


def _one_is_left(desk: Desk, known: frozenset[str]) -> bool:
    """Whether another machine keeps its secret: what is there now has been there for a while."""
    last: frozenset[str] = frozenset()
    since, look = desk.clock.monotonic(), 0
    while True:
        look += 1
        rivals = _foreign_to(desk, _labels(desk), known)
        if not rivals:
            return False
        now = desk.clock.monotonic()
        if rivals != last:
            last, since = rivals, now
        pause = desk.patience.pause_before(look)
        if now - since >= _SETTLED or not desk.patience.allows(pause):
            return True
        desk.patience.pause("client secret", "another machine issues one, and this one has taken its own back", pause)
