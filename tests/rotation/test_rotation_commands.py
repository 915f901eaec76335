"""The chain on a calm tenant: issue, prove, wait for the hand-over, confirm it, and take the old secret away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.tenants import MAILBOX

if TYPE_CHECKING:
    from rotation.stage import Stage


def test_rotate_issues_stores_and_proves_a_successor_and_revokes_nothing(stage: Stage) -> None:
    (old,) = stage.key_ids()
    value = stage.secret_of(old)

    document = stage.rotate(code=3)

    new = document["secret"]["keyId"]
    assert document["schema"] == "mimapp.rotate/1"
    assert document["issued"] is True
    assert document["retired"] == []
    assert document["handover"]["state"] == "waiting"
    assert document["secret"]["proven"] is True
    assert document["secret"]["storedIn"] == f"file:{stage.stored}"
    assert set(stage.key_ids()) == {old, new}
    assert stage.works(value)
    assert stage.works(stage.secret_of(new))
    assert any(new in line and "handover confirm" in line for line in document["attention"])


def test_a_successor_that_waits_is_not_followed_by_another(stage: Stage) -> None:
    first = stage.rotate(code=3)
    stage.pass_days(1)
    second = stage.rotate(code=3)
    third = stage.rotate("--if-due", code=3)

    assert [second["issued"], third["issued"]] == [False, False]
    assert second["secret"]["keyId"] == third["secret"]["keyId"] == first["secret"]["keyId"]
    assert "waits for its hand-over" in second["reason"]
    assert len(stage.key_ids()) == 2


def test_again_issues_although_one_waits(stage: Stage) -> None:
    stage.rotate(code=3)
    assert stage.rotate("--again", code=3)["issued"] is True
    assert len(stage.key_ids()) == 3


def test_confirmed_and_after_the_overlap_the_old_secret_goes(stage: Stage) -> None:
    (old,) = stage.key_ids()
    new = stage.rotate(code=3)["secret"]["keyId"]
    shown = stage.confirm(new)
    assert shown["handover"]["state"] == "done"
    assert stage.retire()["retired"] == []

    stage.pass_days(15)
    document = stage.retire()

    assert document["retired"] == [old]
    assert stage.key_ids() == [new]
    assert stage.works(stage.secret_of(new))
    assert not list(stage.stored.parent.glob("*.former-*"))
    assert stage.retire()["retired"] == []


def test_rotate_takes_the_old_secret_away_in_a_later_run(stage: Stage) -> None:
    (old,) = stage.key_ids()
    hook = stage.hook("deploy", "")
    first = stage.rotate("--deploy-hook", hook, "--overlap", "0s")
    assert first["handover"]["state"] == "done"
    assert first["retired"] == []
    assert len(stage.key_ids()) == 2

    later = stage.rotate("--if-due", "--overlap", "0s")

    assert later["issued"] is False
    assert later["retired"] == [old]
    assert stage.key_ids() == [first["secret"]["keyId"]]


def test_not_due_is_said_in_words_and_costs_no_write(stage: Stage) -> None:
    before = len(stage.place.wire.writes)
    document = stage.rotate("--if-due")

    assert document["issued"] is False
    assert document["reason"].startswith("not due: mimapp 2026-11-21")
    assert "due from 2027-03-21 on" in document["reason"]
    assert document["secret"]["proven"] is True
    assert len(stage.place.wire.writes) == before


def test_without_evidence_nothing_goes_and_that_is_said(stage: Stage) -> None:
    stage.rotate(code=3)
    stage.pass_days(60)
    document = stage.retire(code=3)

    assert document["retired"] == []
    assert len(stage.key_ids()) == 2
    assert "nothing shows yet that MIM uses" in document["attention"][0]


def test_status_says_that_a_secret_waits_until_somebody_confirms_it(stage: Stage) -> None:
    asked = ("status", "--exit-code")
    assert stage.run(*asked, "--output", "json").document["handover"]["state"] == "none"

    new = stage.rotate(code=3)["secret"]["keyId"]
    waits = stage.run(*asked, code=3)
    assert f"To do: nothing shows yet that MIM uses {stage.journal.secrets[-1].label}" in waits.out
    stage.confirm(new, "--node", "mim1")
    named = stage.run(*asked, "--nodes", "mim1,mim2", "--output", "json", code=3).document["handover"]
    assert (named["state"], named["missingNodes"]) == ("waiting", ["mim2"])
    stage.confirm(new)
    assert "nothing shows yet" not in stage.run(*asked).out


def test_status_knows_the_store_that_is_named(stage: Stage) -> None:
    store = f"file:{stage.place.home}/elsewhere.json"
    stage.rotate("--secret-to", store, code=3)
    plain, named = (stage.run("status", *more).out for more in ((), ("--secret-to", store)))
    (line,) = (line for line in named.splitlines() if stage.journal.secrets[-1].label in line and "password" in line)
    assert line.endswith("stored here")
    assert line not in plain


def test_jitter_waits_where_nobody_does_and_a_secret_is_issued(stage: Stage) -> None:
    def slept(*argv: str, code: int, **more: Any) -> float:
        before = len(stage.place.clock.slept)
        done = stage.place.remote("rotate", "--mailbox", MAILBOX, "--jitter", "20m", *argv, **more)
        assert done.code == code, done.err
        return sum(stage.place.clock.slept[before:])

    assert slept("--if-due", "--yes", code=0) == 0, "nothing is due"
    assert 0 < slept("--yes", code=3) <= 1200
    assert slept("--again", code=3, stdin="y\n") < 2, "a person waits"
