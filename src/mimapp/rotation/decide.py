"""What a rotation is to do, decided from what was seen: pure, no I/O.

Issued and proven by mimapp is not the same as used by MIM. So the newest secret is a *successor* that waits for its
hand-over as long as an older one of mimapp's was there and nothing shows that MIM uses the new one; while it waits, and
is not due itself, no other one is issued.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from mimapp.clock import duration_text
from mimapp.rotation.due import Due, DuePolicy, Urgency, due

if TYPE_CHECKING:
    from mimapp.rotation.view import OurSecret, View

__all__ = ["GRACE", "Decision", "Policy", "decide", "is_waiting"]

#: A successor that is younger was issued by this very rotation, here or on another machine: eight that begin at once
#: give one new secret. It covers a run's deadline and the replication window.
GRACE = timedelta(minutes=15)
#: For how long the old secret goes on beside the new one.
OVERLAP = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How a registration's secrets are rotated.

    Attributes:
        if_due: issue only when the secret is due.
        again: issue although a successor waits for its hand-over, or has just been issued.
        due: when a secret is due.
        overlap: how long an old secret stays after its successor was issued.
        nodes: the MIM servers that hand-over evidence has to cover.
        trust_report: take Graph's sign-in report as evidence, under its conditions.
        compromised: key ids that are to be revoked in this run, once their successor is handed over.
    """

    if_due: bool = False
    again: bool = False
    due: DuePolicy = field(default_factory=DuePolicy)
    overlap: timedelta = OVERLAP
    nodes: tuple[str, ...] = ()
    trust_report: bool = False
    compromised: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is to be done now.

    Attributes:
        issue: whether a secret is to be issued.
        reason: why, or why not, in words.
        current: the secret that MIM is to use when nothing is issued: the newest one; None when there is none.
        hand_over: whether `current` waits for its hand-over and this machine can try it.
        attention: what a person should know about the decision itself.
    """

    issue: bool
    reason: str
    current: OurSecret | None
    hand_over: bool
    attention: tuple[str, ...] = ()


def is_waiting(secret: OurSecret, view: View) -> bool:
    """Whether a secret has older ones of mimapp's behind it, and nothing shows that MIM uses it."""
    return bool(view.older_than(secret)) and not secret.is_handed_over


def decide(view: View, policy: Policy) -> Decision:
    """What a rotation does now."""
    newest = view.newest
    if newest is None:
        return Decision(issue=True, reason="no client secret of mimapp's is alive", current=None, hand_over=False)
    if policy.compromised:
        return _without(view, newest, policy)
    if policy.again:
        return _issue(newest, "asked for with --again")
    return _by_life(view, newest, policy)


def _by_life(view: View, newest: OurSecret, policy: Policy) -> Decision:
    """The plain case: by the life of the newest secret, and by whether MIM uses it."""
    standing = due(newest, policy.due, view.at)
    if view.older_than(newest) and (age := _age(view, newest)) < GRACE:
        # Also where it is due at once, since a policy of the tenant has cut its life: another one would be no better.
        return _stay(view, newest, f"{newest.label} was issued {duration_text(max(age, timedelta()))} ago")
    if standing.is_due:
        return _issue(newest, standing.reason)
    if not newest.is_here and not newest.is_handed_over:
        return _elsewhere(view, newest, policy, standing)
    if is_waiting(newest, view):
        return _stay(view, newest, f"{newest.label} waits for its hand-over")
    return _unless_due_only(view, newest, policy, standing)


def _unless_due_only(view: View, newest: OurSecret, policy: Policy, standing: Due) -> Decision:
    """Nothing speaks for a new secret but that somebody asks for one."""
    if policy.if_due:
        return _stay(view, newest, f"not due: {standing.reason}")
    return _issue(newest, "asked for")


def _without(view: View, newest: OurSecret, policy: Policy) -> Decision:
    """A rotation away from secrets that are known to others."""
    named = {key_id.lower() for key_id in policy.compromised}
    good = next((one for one in view.live if one.key_id.lower() not in named), None)
    if policy.again or good is None or not good.is_here or not _follows(good, view, named):
        return _issue(newest, f"compromised: {', '.join(policy.compromised)}")
    if good.is_handed_over:
        return Decision(issue=False, reason=f"MIM uses {good.label} already", current=good, hand_over=False)
    return Decision(issue=False, reason=f"{good.label} was issued for this already", current=good, hand_over=True)


def _follows(good: OurSecret, view: View, named: set[str]) -> bool:
    """Whether a secret is newer than all of mimapp's that is compromised; a run that died may have revoked it."""
    ours = [one for one in view.secrets if one.key_id.lower() in named]
    gone = named - {one.key_id.lower() for one in ours} - {key_id.lower() for key_id in view.foreign}
    return bool(ours or gone) and all(good.is_newer_than(one) for one in ours)


def _elsewhere(view: View, newest: OurSecret, policy: Policy, standing: Due) -> Decision:
    """The newest secret lies elsewhere, and nothing shows that MIM uses it: what is here may be all that MIM has."""
    here = next((one for one in view.live if one.is_here), None)
    if here is None:
        if view.older_than(newest):
            return _stay(view, newest, f"{newest.label} is stored elsewhere and waits for its hand-over there")
        return _unless_due_only(view, newest, policy, standing)
    its_own = due(here, policy.due, view.at)
    if its_own.urgency is Urgency.EMERGENCY:
        return _issue(here, f"{its_own.reason}; the newer {newest.label} is stored elsewhere and nobody confirmed it")
    stay = _stay(view, newest, f"{newest.label} is stored elsewhere and waits for its hand-over there")
    if not its_own.is_due:
        return stay
    told = f"{its_own.reason}; its successor {newest.label} is stored elsewhere: name its store with --secret-to"
    return Decision(issue=False, reason=stay.reason, current=stay.current, hand_over=stay.hand_over, attention=(told,))


def _age(view: View, secret: OurSecret) -> timedelta:
    """How old a secret is; one without a beginning is old."""
    return GRACE if secret.starts is None else view.at - secret.starts


def _issue(current: OurSecret, reason: str) -> Decision:
    return Decision(issue=True, reason=reason, current=current, hand_over=False)


def _stay(view: View, newest: OurSecret, reason: str) -> Decision:
    return Decision(issue=False, reason=reason, current=newest, hand_over=newest.is_here and is_waiting(newest, view))
