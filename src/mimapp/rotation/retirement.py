"""When an old secret may go: the four conditions, and the going itself.

A secret goes only if mimapp issued it, its successor is proven, the overlap is over and there is evidence that MIM
uses the successor. Where a condition is missing it ends by itself, and until then every run says what is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.credentials import Verdict
from mimapp.rotation.proving import prove_again
from mimapp.rotation.steps import Step, StepKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime, timedelta

    from mimapp.credentials import Desk
    from mimapp.rotation.view import OurSecret, View
    from mimapp.rotation.work import Work

__all__ = ["Retirement", "forget_retired", "retire", "retirement", "retirements", "revoke", "revoke_step"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retirement:
    """Whether one old secret may go.

    Attributes:
        secret: the old one.
        successor: the one that MIM uses instead, as far as that is known.
        allowed: whether it may go now.
        reason: why, or why not.
        at: when it may go without anybody doing anything; None where that is not known.
        needs_person: whether somebody has to do something first.
    """

    secret: OurSecret
    successor: OurSecret | None
    allowed: bool
    reason: str
    at: datetime | None = None
    needs_person: bool = False


def retirements(view: View, overlap: timedelta, issued_now: str | None = None) -> tuple[Retirement, ...]:
    """Every secret of mimapp's that has a newer one, the oldest first; `issued_now` is no successor in this run."""
    return tuple(
        retirement(secret, view, overlap, issued_now)
        for secret in reversed(view.secrets)
        if any(one.is_newer_than(secret) for one in view.live)
    )


def retirement(
    old: OurSecret, view: View, overlap: timedelta, issued_now: str | None = None, *, is_named: bool = False
) -> Retirement:
    """Whether one secret may go, by the four conditions; one that lies elsewhere has to be named for it."""
    newer = [one for one in view.live if one.is_newer_than(old)]
    used = [one for one in newer if one.is_handed_over]
    proven = [one for one in used if one.is_proven]
    later = [one for one in proven if one.key_id != issued_now]
    if later:
        return _by_time(old, later[-1], view, overlap, is_named=is_named)
    successor: OurSecret | None = None
    if proven:
        successor, reason = proven[0], f"{proven[0].label} was issued in this run"
    elif used:
        successor = used[0]
        reason = (
            f"nobody has got a token with {successor.label} yet, as far as is known here (mimapp rotate --if-due tries "
            "it; mimapp handover confirm --from FILE takes the MIM server's word)"
        )
    elif newer:
        successor, reason = newer[0], f"nothing shows that MIM uses {newer[0].label}"
    else:
        reason = f"{old.label} is the newest"
    return Retirement(
        secret=old, successor=successor, allowed=False, reason=reason, needs_person=bool(newer) and not proven
    )


def _by_time(old: OurSecret, successor: OurSecret, view: View, overlap: timedelta, *, is_named: bool) -> Retirement:
    """MIM uses a proven successor: what is left is the overlap."""
    over = None if successor.starts is None else successor.starts + overlap
    if not old.is_here and not is_named:
        reason = "it is stored elsewhere: only --key-id takes it away"
        return Retirement(secret=old, successor=successor, allowed=False, reason=reason)
    if over is not None and view.at < over:
        reason = f"it stays beside {successor.label} until {over:%Y-%m-%d}"
        return Retirement(secret=old, successor=successor, allowed=False, reason=reason, at=over)
    return Retirement(secret=old, successor=successor, allowed=True, reason=f"MIM uses {successor.label}")


def revoke_step(key_id: str, label: str, why: str) -> Step:
    """The step that takes a secret away."""
    return Step(
        kind=StepKind.REVOKE,
        target=f"secret {key_id}",
        desired="revoked",
        title=f"Revoke {label or 'the secret'} ({key_id}): {why}",
    )


def retire(
    work: Work,
    view: View,
    allowed: Iterable[Retirement],
    note: Callable[[str], None],
    went: Callable[[str], None],
) -> None:
    """Take away what may go.

    Before the first one its successor is proven once more, where its value can be read: what Entra refuses by now is
    no successor.

    Args:
        work: takes the steps.
        view: what was seen.
        allowed: what may go.
        note: told what stays after all.
        went: told each key id that is gone.
    """
    tried: dict[str, Verdict | None] = {}
    for one in allowed:
        successor = one.successor
        if successor is None:
            raise AssertionError("nothing goes without a successor")
        if successor.key_id not in tried:
            tried[successor.key_id] = prove_again(view.desk, successor)
        if tried[successor.key_id] in {Verdict.WRONG, Verdict.UNDECIDED}:
            note(f"Entra refuses {successor.label} at this moment: {one.secret.label} stays")
            continue
        secret = one.secret
        step = revoke_step(secret.key_id, secret.label, one.reason)
        work.take(step, lambda key_id=secret.key_id: revoke(view, key_id))  # type: ignore[misc]  # bound in the loop
        went(secret.key_id)


def revoke(view: View, key_id: str) -> str:
    """Remove a secret from Entra, then its value from every store.

    Raises:
        ServiceError, TransportError: Graph did not remove it.
        StoreError: it is gone from Entra, and a store did not let its value go.
    """
    desk, secret = view.desk, view.find(key_id)
    entry = desk.entry_of(key_id)
    if entry is not None:
        entry = desk.note(entry, "retiring")
    # What is so young may be unknown to the replica that is asked to remove it.
    is_young = secret is not None and secret.starts is not None and view.at < secret.starts + desk.window
    was_there = desk.graph.credentials.remove_password(desk.object_id, key_id, fresh=is_young)
    for store in desk.holders(key_id):
        store.forget(key_id)
    if entry is not None:
        desk.note(entry, "revoked")
    return "revoked" if was_there else "was gone already"


def forget_retired(desk: Desk, view: View) -> None:
    """Finish what a run that died began: the secret is gone from Entra, its value still lies in a store."""
    listed = {one.key_id for one in view.secrets}
    for entry in desk.entries():
        if entry.state == "retiring" and entry.key_id is not None and entry.key_id not in listed:
            for store in desk.holders(entry.key_id):
                store.forget(entry.key_id)
            desk.note(entry, "revoked")
