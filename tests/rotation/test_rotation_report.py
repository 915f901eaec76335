"""Graph's sign-in report: always shown while a secret waits, and evidence only where it is trusted and says enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from rotation.stage import Stage

TRUST = ("--if-due", "--trust-signin-report")


@pytest.fixture
def new(stage: Stage) -> str:
    """A successor that nobody has confirmed; a month later, in which nothing used the old one."""
    key_id: str = stage.rotate(code=3)["secret"]["keyId"]
    stage.pass_days(31)
    return key_id


def use_daily(stage: Stage, key_id: str, days: int, *more: str, code: int | None = 3) -> dict[str, Any]:
    """MIM signs in with a secret each day, and mimapp runs after it; what the last run said."""
    document: dict[str, Any] = {}
    for _ in range(days):
        stage.pass_days(1)
        assert stage.works(stage.secret_of(key_id))
        document = stage.rotate(*more, code=code)
    return document


def test_it_is_shown_and_is_no_evidence_by_itself(stage: Stage, new: str) -> None:
    document = use_daily(stage, new, 10, "--if-due")
    assert document["handover"] == {"state": "waiting", "evidence": [], "missingNodes": []}
    (told,) = (line for line in document["warnings"] if "sign-in report" in line)
    assert "last on 2027-01-01" in told
    shown = stage.run("handover", "show", code=None)
    assert "by Graph's sign-in report" in shown.out


def test_three_days_that_are_not_ours_are_evidence_where_it_is_trusted(stage: Stage, new: str) -> None:
    (old,) = set(stage.key_ids()) - {new}
    assert use_daily(stage, new, 2, *TRUST)["handover"]["state"] == "waiting"
    document = use_daily(stage, new, 1, *TRUST, code=0)
    assert [piece["kind"] for piece in document["handover"]["evidence"]] == ["report"]
    assert document["retired"] == [old]
    assert [piece.kind for piece in stage.journal.evidence] == ["report"]


def test_the_days_on_which_mimapp_asked_for_a_token_do_not_count(stage: Stage, new: str) -> None:
    for _ in range(6):
        stage.pass_days(1)
        stage.run("verify", code=None)
        document = stage.rotate(*TRUST, code=3)
        assert document["handover"]["state"] == "waiting"
    assert len(stage.journal.token_days) >= 6
    assert new in stage.key_ids()


def test_an_old_secret_that_somebody_used_within_a_month_speaks_against_it(stage: Stage, new: str) -> None:
    (old,) = set(stage.key_ids()) - {new}
    assert stage.works(stage.secret_of(old))
    assert use_daily(stage, new, 3, *TRUST)["handover"]["state"] == "waiting"
    stage.pass_days(25)
    assert use_daily(stage, new, 1, *TRUST)["handover"]["state"] == "waiting"
    assert use_daily(stage, new, 2, *TRUST, code=0)["handover"]["state"] == "done"


def test_servers_that_are_named_are_not_confirmed_by_it(stage: Stage, new: str) -> None:
    """It does not say which server signed in: one that is stopped looks idle."""
    document = use_daily(stage, new, 5, *TRUST, "--nodes", "mim1,mim2")
    assert document["handover"]["missingNodes"] == ["mim1", "mim2"]


def test_where_it_cannot_be_read_that_is_said_and_nothing_stops(stage: Stage, new: str) -> None:
    def before(request: httpx.Request) -> None:
        if request.url.path.startswith("/beta/reports/"):
            raise httpx.ConnectError("nobody listens", request=request)

    stage.place.wire.before = before
    document = use_daily(stage, new, 4, *TRUST, "--deadline", "5m")
    assert any("was not read" in line for line in document["warnings"])
    assert document["handover"]["state"] == "waiting"
