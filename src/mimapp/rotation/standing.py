"""How a registration's secrets stand, in words: what waits until when, and what a person must do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.rotation.decide import is_waiting
from mimapp.rotation.evidence import missing_nodes
from mimapp.rotation.outcome import HandOver, HandOverState
from mimapp.rotation.retirement import retirements

if TYPE_CHECKING:
    from datetime import timedelta

    from mimapp.rotation.retirement import Retirement
    from mimapp.rotation.view import OurSecret, View

__all__ = ["Standing", "standing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the secrets stand.

    Attributes:
        handover: how far the hand-over of the newest one has come.
        older: every older one, and whether it may go.
        warnings: what happens by itself, and when.
        attention: what a person must do.
    """

    handover: HandOver
    older: tuple[Retirement, ...]
    warnings: tuple[str, ...]
    attention: tuple[str, ...]


def standing(view: View, overlap: timedelta, issued_now: str | None = None) -> Standing:
    """How the secrets of a registration stand; `issued_now` is what this run issued."""
    newest = view.newest
    older = retirements(view, overlap, issued_now)
    warnings = _report_words(view)
    attention: list[str] = []
    waits = newest is not None and is_waiting(newest, view)
    if newest is not None and waits:
        attention.append(_waiting(newest, view))
    for one in older:
        if not one.secret.is_live(view.at):
            continue
        ends = "" if one.secret.expires is None else f", and ends by itself on {one.secret.expires:%Y-%m-%d}"
        told = f"the older {one.secret.label} ({one.secret.key_id}) stays: {one.reason}{ends}"
        if one.needs_person and not waits:
            attention.append(told)
        elif not one.allowed:
            warnings.append(told)
    return Standing(handover=_handover(newest, view), older=older, warnings=tuple(warnings), attention=tuple(attention))


def _handover(newest: OurSecret | None, view: View) -> HandOver:
    if newest is None:
        return HandOver(state=HandOverState.NONE)
    if newest.is_handed_over:
        state = HandOverState.DONE
    else:
        state = HandOverState.WAITING if is_waiting(newest, view) else HandOverState.NONE
    return HandOver(state=state, evidence=newest.evidence, missing=missing_nodes(newest.evidence, newest.nodes))


def _waiting(newest: OurSecret, view: View) -> str:
    """What to do about a secret that nobody has confirmed, and what happens meanwhile."""
    shown = sorted({piece.node for piece in newest.evidence if piece.node})
    lacking = missing_nodes(newest.evidence, newest.nodes)
    if lacking:
        where = f" on {', '.join(lacking)}"
    elif shown:
        where = f" on any server but {', '.join(shown)} (--nodes names all of them)"
    else:
        where = ""
    held = "" if newest.is_here else "; it is stored elsewhere"
    confirm = f"mimapp handover confirm {newest.key_id}" + (f" --node {lacking[0]}" if lacking else "")
    told = f"nothing shows yet that MIM uses {newest.label}{where}{held}: give it to MIM, then run {confirm}"
    live = [one.expires for one in view.older_than(newest) if one.is_live(view.at) and one.expires is not None]
    if not live:
        return f"{told}; every older secret has ended, so mail has stopped where MIM still has one of them"
    return f"{told}; nothing older is revoked until then, and the last of it ends by itself on {max(live):%Y-%m-%d}"


def _report_words(view: View) -> list[str]:
    """What Graph's sign-in report shows, which is no evidence alone."""
    report = view.report
    if report is None or not view.live:
        return []
    if report.problem:
        return [f"Graph's sign-in report was not read: {report.problem}"]
    shown = [
        f"{one.label} {f'last on {report.last[one.key_id]:%Y-%m-%d}' if one.key_id in report.last else 'not yet'}"
        for one in view.live
    ]
    return [f"by Graph's sign-in report, where mimapp's own proofs count too, signed in: {'; '.join(shown)}"]
