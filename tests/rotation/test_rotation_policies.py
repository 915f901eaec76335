"""What the tenant's policies do to a rotation: a shorter life, no secrets at all, a machine that may not sign in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from mimapp.sandbox.obstacles import set_default_policy
from mimapp.sandbox.scenarios import block_sign_in
from rotation.stage import Stage, is_proof

if TYPE_CHECKING:
    import httpx

SHORT = {"restrictionType": "passwordLifetime", "state": "enabled", "maxLifetime": "P30D"}


def life_of(stage: Stage, key_id: str) -> timedelta:
    (one,) = (one for one in stage.application()["passwordCredentials"] if one["keyId"] == key_id)
    return datetime.fromisoformat(one["endDateTime"]) - datetime.fromisoformat(one["startDateTime"])


def test_a_policy_that_shortens_shortens_the_new_secret_and_that_is_said(stage: Stage) -> None:
    set_default_policy(stage.place.sandbox, SHORT)
    document = stage.rotate(code=3)

    assert document["issued"] is True
    life = life_of(stage, document["secret"]["keyId"])
    assert timedelta(days=29, hours=23) < life < timedelta(days=30)
    assert any("allows no client secret of 180 days" in line for line in document["warnings"])
    assert {entry.state for entry in stage.journal.secrets} == {"proven", "revoked"}
    assert len(stage.key_ids()) == 2


def test_a_short_secret_is_due_by_its_own_life(stage: Stage) -> None:
    set_default_policy(stage.place.sandbox, SHORT)
    hook = stage.hook("deploy", "")
    first = stage.rotate("--deploy-hook", hook)["secret"]["keyId"]
    stage.pass_days(19)
    assert stage.rotate("--if-due", "--deploy-hook", hook)["issued"] is False
    stage.pass_days(2)
    assert stage.rotate("--if-due", "--deploy-hook", hook)["secret"]["keyId"] != first


@pytest.mark.parametrize(
    "rule",
    [
        {**SHORT, "state": "disabled"},
        {**SHORT, "restrictForAppsCreatedAfterDateTime": "2027-01-01T00:00:00Z"},
        {**SHORT, "maxLifetime": "P365D"},
    ],
)
def test_a_rule_that_does_not_hold_shortens_nothing(stage: Stage, rule: dict[str, str]) -> None:
    set_default_policy(stage.place.sandbox, rule)
    document = stage.rotate(code=3)
    assert life_of(stage, document["secret"]["keyId"]) == timedelta(days=180)
    assert not [line for line in document["warnings"] if "policy" in line]


def test_who_may_not_read_policies_is_told_what_graph_said(stage: Stage) -> None:
    """The right to read them is taken away on the wire: the reply becomes a refusal."""
    set_default_policy(stage.place.sandbox, SHORT)

    def before(request: httpx.Request) -> None:
        if "anagementPolic" in request.url.path:
            request.headers["authorization"] = "Bearer of-nobody"

    stage.place.wire.before = before
    done = stage.run("rotate", "--yes", code=5)
    assert "exceeds the max value allowed" in done.err
    assert "--secret-lifetime" in done.err
    assert len(stage.key_ids()) == 1


def test_a_policy_that_forbids_secrets_stops_it_with_the_way_out(stage: Stage) -> None:
    set_default_policy(stage.place.sandbox, {"restrictionType": "passwordAddition", "state": "enabled"})
    done = stage.run("rotate", "--yes", code=5)
    assert "forbids client secrets" in done.err
    assert "mimapp check" in done.err
    assert len(stage.key_ids()) == 1
    assert {entry.state for entry in stage.journal.secrets} == {"proven", "revoked"}


def test_a_machine_that_may_not_sign_in_keeps_the_secret_and_says_where_to_prove_it(stage: Stage) -> None:
    """The refusal says nothing about the secret: it is stored and handed over, and takes nothing away."""
    (old,) = stage.key_ids()
    block_sign_in(stage.place.sandbox, stage.application()["appId"])
    hook = stage.hook("deploy", "")
    document = stage.rotate("--deploy-hook", hook, "--overlap", "0s", code=3)

    assert document["issued"] is True
    assert document["secret"]["proven"] is False
    assert document["handover"]["state"] == "done"
    assert any("prove it on the MIM server" in line and "AADSTS53003" in line for line in document["attention"])
    stage.pass_days(1)
    again = stage.rotate("--if-due", "--deploy-hook", hook, "--overlap", "0s", code=3)
    assert (again["issued"], again["retired"]) == (False, [])
    assert old in stage.key_ids()


def test_a_secret_that_entra_refused_has_another_chance_in_the_next_run(stage: Stage) -> None:
    """It was stored and refused for longer than the window: when it works after all, none is issued in its place."""
    (old,) = stage.key_ids()

    hidden: list[dict[str, Any]] = []

    def before(request: httpx.Request) -> None:
        if is_proof(request):
            hidden.extend(stage.hide(key_id) for key_id in stage.key_ids() if key_id != old)

    def after(request: httpx.Request, _: httpx.Response) -> None:
        if is_proof(request):
            stage.put_back(hidden.pop())

    stage.place.wire.before, stage.place.wire.after = before, after
    done = stage.run("rotate", "--yes", code=7)
    assert "Entra refuses the stored secret" in done.err
    assert [entry.state for entry in stage.journal.secrets] == ["proven", "wrong"]
    stage.place.wire.before, stage.place.wire.after = lambda _: None, lambda _request, _response: None
    stage.pass_days(1)

    document = stage.rotate(code=3)
    assert document["issued"] is False
    assert document["secret"]["keyId"] != old
    assert document["secret"]["proven"] is True
    assert len(stage.key_ids()) == 2
