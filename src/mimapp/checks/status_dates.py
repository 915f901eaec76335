"""The dates of a registration that lie ahead: what happens then by itself, and what somebody does about it before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

from mimapp.checks.verify_ews import LIST_TAKES
from mimapp.credentials.listing import Owner
from mimapp.provisioning.exchange_actions import EWS_NOTE
from mimapp.provisioning.scope_notes import FENCE_NOTE, POLICY_NOTE, POLICY_TAKES, ROLE_NOTE, ROLE_TAKES
from mimapp.rotation import due

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from mimapp.credentials.listing import Credential
    from mimapp.journal import State
    from mimapp.rotation import DuePolicy, Standing

__all__ = ["Milestone", "life_left", "milestones", "newest_secret"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """One date.

    Attributes:
        when: the moment; a day begins at midnight UTC.
        what: what happens then.
        command: what is to be run by then, without options; empty where nothing can be.
    """

    when: datetime
    what: str
    command: str = ""


def milestones(  # noqa: PLR0917 - what is known of one registration, in the order of `Status`
    credentials: Sequence[Credential],
    stands: Standing | None,
    journal: State,
    ews_ends: date | None,
    now: datetime,
    due_by: DuePolicy,
) -> tuple[Milestone, ...]:
    """Everything that lies ahead, the earliest first.

    Args:
        credentials: every way into the application.
        stands: how its secrets stand; None when there is no application.
        journal: what this machine remembers.
        ews_ends: the first day without EWS in this cloud, where one is known.
        now: the moment.
        due_by: when a secret is due.
    """
    every = [
        *_of_secrets(credentials, now, due_by),
        *_of_retirements(stands),
        *_of_changes(journal),
    ]
    if ews_ends is not None:
        end = datetime.combine(ews_ends, time(), UTC)
        every.append(Milestone(when=end, what="EWS ends in this cloud, and mail through Exchange Online with it"))
    return tuple(sorted((one for one in every if one.when > now), key=lambda one: (one.when, one.what)))


def newest_secret(credentials: Sequence[Credential], now: datetime) -> Credential | None:
    """The client secret of mimapp's that MIM is to use; None where none is live."""
    ours = [
        one
        for one in credentials
        if one.kind == "password"
        and one.owner in {Owner.HERE, Owner.ELSEWHERE}
        and (one.expires is None or one.expires > now)
    ]
    return max(ours, key=lambda one: (str(one.starts), one.label), default=None)


def life_left(credential: Credential, now: datetime) -> float | None:
    """Which part of its life a credential still has, 0 to 1; None for one without beginning or end."""
    if credential.starts is None or credential.expires is None or credential.expires <= credential.starts:
        return None
    left = (credential.expires - now) / (credential.expires - credential.starts)
    return min(1.0, max(0.0, left))


def _of_secrets(credentials: Sequence[Credential], now: datetime, due_by: DuePolicy) -> Iterator[Milestone]:
    newest = newest_secret(credentials, now)
    for one in credentials:
        if one.expires is None:
            continue
        name = f"{one.kind} {one.label or one.key_id}"
        if one is newest:
            at = due(one, due_by, now).at
            if at is not None:
                yield Milestone(when=at, what=f"{name} is due for rotation", command="mimapp rotate --if-due")
            yield Milestone(when=one.expires, what=f"{name} ends, and mail with it", command="mimapp rotate")
        else:
            yield Milestone(when=one.expires, what=f"{name} ends")


def _of_retirements(stands: Standing | None) -> Iterator[Milestone]:
    for one in () if stands is None else stands.older:
        if one.at is not None:
            yield Milestone(when=one.at, what=f"the older {one.secret.label} may go", command="mimapp retire")


def _of_changes(journal: State) -> Iterator[Milestone]:
    takes = {POLICY_NOTE: POLICY_TAKES, FENCE_NOTE: POLICY_TAKES, ROLE_NOTE: ROLE_TAKES}
    built = [journal.since[note] + span for note, span in takes.items() if note in journal.since]
    if built:
        yield Milestone(
            when=max(built),
            what="the restriction is to be enforced everywhere",
            command="mimapp verify --outside ADDRESS",
        )
    if EWS_NOTE in journal.since:
        when = journal.since[EWS_NOTE] + LIST_TAKES
        yield Milestone(when=when, what="the EWS allow list is to be in force everywhere", command="mimapp verify")
