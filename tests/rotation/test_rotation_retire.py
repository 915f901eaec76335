"""What goes, what stays and why: the four conditions one by one, and what only a name takes away."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest

from rotation.stage import Stage, is_proof
from support.tenants import MAILBOX, Place

if TYPE_CHECKING:
    from pathlib import Path


def cut_sign_in(request: httpx.Request) -> None:
    """The application's own sign-in cannot be reached; the operator's can."""
    if is_proof(request):
        raise httpx.ConnectError("nobody listens", request=request)


def result_file(stage: Stage, path: Path, key_id: str, **changed: object) -> str:
    """What the secret script leaves on a MIM server."""
    document = {
        "schema": "mimapp.secret-script-result/1",
        "server": "MIM01",
        "applicationId": stage.application()["appId"],
        "account": "CONTOSO\\svcMIM",
        "outcome": "success",
        "reason": "",
        "writtenAt": "2026-11-21T09:02:00Z",
        "keyId": key_id,
        "restartedAt": "2026-11-21T09:03:00Z",
        "tokenWrittenAt": "2026-11-21T09:04:00Z",
        "event12": 0,
        **changed,
    }
    path.write_text(json.dumps(document))
    return str(path)


def test_a_foreign_secret_never_goes_by_itself(stage: Stage) -> None:
    foreign = stage.add_foreign()
    (old,) = set(stage.key_ids()) - {foreign}
    new = stage.rotate(code=3)["secret"]["keyId"]
    stage.confirm(new)
    stage.pass_days(20)
    stage.retire()
    assert foreign in stage.key_ids()
    assert old not in stage.key_ids()


def test_a_foreign_secret_goes_by_name_after_a_prompt(stage: Stage) -> None:
    foreign = stage.add_foreign()
    no = stage.place.remote("retire", "--mailbox", MAILBOX, "--key-id", foreign, stdin="n\n")
    assert no.code == 2
    assert "it may be using the one that is named here" in no.err
    assert foreign in stage.key_ids()
    yes = stage.place.remote("retire", "--mailbox", MAILBOX, "--key-id", foreign.upper(), stdin="y\n")
    assert yes.code == 0, yes.err
    assert foreign not in stage.key_ids()
    assert len(stage.key_ids()) == 1


def test_what_mim_may_be_using_is_refused_by_name(stage: Stage) -> None:
    (old,) = stage.key_ids()
    done = stage.run("retire", "--yes", "--key-id", old, code=6)
    assert "it may" in done.err or "may be what MIM uses" in done.err
    stage.rotate(code=3)
    done = stage.run("retire", "--yes", "--key-id", old, code=6)
    assert "nothing shows that MIM uses" in done.err
    assert old in stage.key_ids()

    document = stage.retire("--key-id", old, "--without-evidence", code=None)
    assert document["retired"] == [old]
    assert old not in stage.key_ids()


def test_without_evidence_needs_a_name(stage: Stage) -> None:
    stage.run("retire", "--yes", "--without-evidence", code=2)


def test_the_overlap_holds_a_confirmed_successor_back(stage: Stage) -> None:
    new = stage.rotate(code=3)["secret"]["keyId"]
    stage.confirm(new)
    stage.pass_days(13.9)
    held = stage.retire()
    assert held["retired"] == []
    assert held["older"][0]["mayGoAt"] == "2026-12-05T09:01:00Z"
    assert len(stage.retire("--overlap", "1h")["retired"]) == 1


def test_an_unproven_successor_takes_nothing_away(stage: Stage) -> None:
    stage.place.wire.before = cut_sign_in
    stage.run("rotate", "--yes", "--deadline", "30s", code=75)
    stage.place.wire.before = lambda _: None
    new = stage.journal.secrets[-1].key_id
    assert new is not None
    stage.confirm(new)
    stage.pass_days(20)
    document = stage.retire(code=3)
    assert document["retired"] == []
    assert "nobody has got a token" in document["attention"][0]
    assert len(stage.rotate("--if-due")["retired"]) == 1, "it proves it, and the old one may go"


def test_the_mim_servers_own_result_is_evidence_and_proof(stage: Stage, tmp_path: Path) -> None:
    new = stage.rotate(code=3)["secret"]["keyId"]
    file = result_file(stage, tmp_path / "result.json", new)
    done = stage.run("handover", "confirm", "--from", file, "--nodes", "mim01", "--output", "json")
    assert done.document["handover"]["state"] == "done"
    (piece,) = done.document["handover"]["evidence"]
    assert (piece["kind"], piece["node"], piece["by"]) == ("result", "MIM01", "MIM01")
    stage.pass_days(20)
    assert len(stage.retire("--nodes", "MIM01")["retired"]) == 1


@pytest.mark.parametrize(
    ("changed", "argv", "code"),
    [
        ({"outcome": "rolled-back"}, (), 9),
        ({"keyId": "00000000-0000-0000-0000-00000000dead"}, (), 2),
        ({}, ("--node", "MIM02"), 2),
        ({}, ("00000000-0000-0000-0000-00000000dead",), 2),
        ({"server": 5}, (), 9),
    ],
)
def test_a_result_that_is_no_evidence_is_refused(
    stage: Stage, tmp_path: Path, changed: dict[str, object], argv: tuple[str, ...], code: int
) -> None:
    new = stage.rotate(code=3)["secret"]["keyId"]
    file = result_file(stage, tmp_path / "result.json", new, **changed)
    stage.run("handover", "confirm", *argv, "--from", file, code=code)
    assert stage.journal.evidence == ()


def test_only_a_live_secret_of_mimapps_is_confirmed(stage: Stage) -> None:
    foreign = stage.add_foreign()
    stage.run("handover", "confirm", foreign, code=2)
    stage.run("handover", "confirm", "00000000-0000-0000-0000-00000000dead", code=2)
    stage.run("handover", "confirm", code=2)
    (old,) = set(stage.key_ids()) - {foreign}
    stage.pass_days(200)
    done = stage.run("handover", "confirm", old, code=2)
    assert "MIM cannot be using it" in done.err


def test_handover_show_lists_evidence_for_every_secret(stage: Stage) -> None:
    new = stage.rotate(code=3)["secret"]["keyId"]
    before = stage.run("handover", "show", "--output", "json").document
    assert before["handover"]["state"] == "waiting"
    stage.confirm(new, "--node", "mim1")
    after = stage.run("handover", "show", "--nodes", "mim1", "--output", "json").document
    assert [len(one["evidence"]) for one in after["secrets"]] == [1, 0]
    assert after["older"][0]["mayGo"] is False
    text = stage.run("handover", "show", "--nodes", "mim1").out
    assert "confirmed 2026-11-21 on mim1" in text
    assert "not confirmed" in text


def test_another_machine_shows_and_never_revokes_what_is_stored_elsewhere(stage: Stage, tmp_path: Path) -> None:
    (old,) = stage.key_ids()
    new = stage.rotate(code=3)["secret"]["keyId"]
    stage.pass_days(20)
    place = Place(tmp_path / "other", clock=stage.place.clock, sandbox_home=stage.place.home)
    other = Stage(place)
    other.confirm(new)
    document = other.retire(code=3)
    assert document["retired"] == []
    assert set(stage.key_ids()) == {old, new}
    place.close()


def test_the_successor_is_asked_once_more_before_the_old_one_goes(stage: Stage) -> None:
    document = stage.rotate(code=3)
    stage.confirm(document["secret"]["keyId"])
    stage.pass_days(20)
    kept = json.loads(stage.stored.read_text())
    stage.stored.write_text(json.dumps({**kept, "clientSecret": "sandbox-spoilt"}))
    done = stage.retire(code=3)
    assert done["retired"] == []
    assert len(stage.key_ids()) == 2
    assert any("stays" in line for line in done["attention"])


def test_a_dry_run_shows_the_steps_and_changes_nothing(stage: Stage, tmp_path: Path) -> None:
    plan = stage.run("rotate", "--dry-run", "--output", "json").document
    assert plan["schema"] == "mimapp.rotation-plan/1"
    assert [step["step"] for step in plan["steps"]] == ["secret.issue", "secret.prove"]
    assert plan["writes"] == 1
    file = tmp_path / "plan.json"
    stage.run("retire", "--plan-out", str(file))
    assert json.loads(file.read_text())["steps"] == []
    assert len(stage.key_ids()) == 1


def test_no_at_the_prompt_issues_nothing(stage: Stage) -> None:
    done = stage.place.remote("rotate", "--mailbox", MAILBOX, stdin="n\n")
    assert done.code == 2
    assert "Issue a client secret for 180 days" in done.err
    assert len(stage.key_ids()) == 1
