"""When a secret is due: its life, the policy and the time, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from mimapp.rotation.due import DuePolicy, Urgency, due

DAY = timedelta(days=1)
START = datetime(2026, 11, 21, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Secret:
    label: str = "mimapp 2026-11-21 0011223344"
    starts: datetime | None = START
    expires: datetime | None = START + 180 * DAY


@pytest.mark.parametrize(
    ("left", "urgency"),
    [
        (61 * DAY, Urgency.NOT_DUE),
        (60 * DAY + timedelta(seconds=1), Urgency.NOT_DUE),
        (60 * DAY, Urgency.DUE),
        (10 * DAY, Urgency.DUE),
        (9 * DAY, Urgency.EMERGENCY),
        (timedelta(seconds=1), Urgency.EMERGENCY),
        (timedelta(), Urgency.EMERGENCY),
        (-DAY, Urgency.EMERGENCY),
    ],
)
def test_a_third_of_life_and_behind_it_a_twentieth(left: timedelta, urgency: Urgency) -> None:
    now = START + 180 * DAY - left
    assert due(Secret(), DuePolicy(), now).urgency is urgency


def test_before_takes_the_place_of_the_third() -> None:
    policy = DuePolicy(before=30 * DAY)
    assert not due(Secret(), policy, START + 149 * DAY).is_due
    found = due(Secret(), policy, START + 150 * DAY)
    assert found.urgency is Urgency.DUE
    assert "less than the 30 days of --before" in found.reason


def test_no_policy_switches_the_emergency_off() -> None:
    policy = DuePolicy(before=timedelta(hours=1))
    found = due(Secret(), policy, START + 172 * DAY)
    assert found.urgency is Urgency.EMERGENCY
    assert "a twentieth of its 180 days" in found.reason
    assert found.at == START + 171 * DAY


def test_fewer_than_five_runs_before_the_end_is_an_emergency() -> None:
    weekly = DuePolicy(interval=7 * DAY)
    found = due(Secret(), weekly, START + 145 * DAY)
    assert found.urgency is Urgency.EMERGENCY
    assert "fewer than five more runs" in found.reason
    assert due(Secret(), weekly, START + 145 * DAY - timedelta(seconds=1)).urgency is Urgency.DUE


def test_a_weekly_run_is_due_in_time_although_before_is_short() -> None:
    policy = DuePolicy(before=DAY, interval=7 * DAY)
    assert due(Secret(), policy, START + 145 * DAY).urgency is Urgency.EMERGENCY
    assert due(Secret(), policy, START + 144 * DAY).urgency is Urgency.NOT_DUE


def test_what_has_no_end_is_never_due() -> None:
    found = due(Secret(expires=None), DuePolicy(), START + 10_000 * DAY)
    assert (found.urgency, found.at) == (Urgency.NOT_DUE, None)


def test_what_has_no_beginning_is_due_a_month_before_its_end() -> None:
    secret = Secret(starts=None)
    assert not due(secret, DuePolicy(), START + 149 * DAY).is_due
    assert due(secret, DuePolicy(), START + 150 * DAY).is_due


@pytest.mark.parametrize("day", range(0, 181, 9))
def test_the_reason_is_said_in_words_with_the_end(day: int) -> None:
    found = due(Secret(), DuePolicy(), START + day * DAY)
    assert found.reason.startswith("mimapp 2026-11-21 0011223344 end")
    assert "2027-05-20" in found.reason
    assert found.is_due == (day >= 120)


def test_due_once_is_due_until_the_end() -> None:
    for policy in (DuePolicy(), DuePolicy(before=3 * DAY), DuePolicy(interval=20 * DAY)):
        urgencies = [due(Secret(), policy, START + hour * timedelta(hours=6)).urgency for hour in range(4 * 185)]
        assert urgencies == sorted(urgencies)
        assert urgencies[-1] is Urgency.EMERGENCY
