"""A secret that others know: replaced, handed over and revoked in one run, after one typed confirmation."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from rotation.stage import KEY

if TYPE_CHECKING:
    from rotation.stage import Stage

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the hooks of these tests are scripts with a #! line")


def test_it_is_replaced_handed_over_and_revoked_in_the_same_run(stage: Stage) -> None:
    (old,) = stage.key_ids()
    foreign = stage.add_foreign()
    value = stage.secret_of(old)

    hook = stage.hook("deploy", "")
    document = stage.rotate("--compromised", old, "--confirm", old, "--deploy-hook", hook)

    new = document["secret"]["keyId"]
    assert document["issued"] is True
    assert document["retired"] == [old]
    assert set(stage.key_ids()) == {new, foreign}
    assert not stage.works(value)
    assert stage.works(stage.secret_of(new))
    assert [way["keyId"] for way in document["otherWays"]] == [foreign]
    assert not list(stage.stored.parent.glob("*.former-*"))


def test_yes_does_not_answer_for_it(stage: Stage) -> None:
    (old,) = stage.key_ids()
    done = stage.run("rotate", "--yes", "--compromised", old, "--deploy-hook", stage.hook("deploy", ""), code=2)
    assert f"--confirm {old}" in done.err
    assert "Every other way into the application" in done.err
    assert stage.key_ids() == [old]


@pytest.mark.parametrize(("typed", "code"), [("{}\n", 0), ("y\n", 2), ("\n", 2), ("", 2)])
def test_the_key_id_is_typed_at_the_prompt(stage: Stage, typed: str, code: int) -> None:
    (old,) = stage.key_ids()
    argv = ("rotate", "--compromised", old, "--deploy-hook", stage.hook("deploy", ""))
    done = stage.place.remote(*argv, "--mailbox", "MIMService@contoso.onmicrosoft.com", stdin=typed.format(old.upper()))
    assert done.code == code, done.err
    assert (old in stage.key_ids()) == (code != 0)


def test_who_may_add_secrets_is_named_with_the_other_ways_in(stage: Stage) -> None:
    (old,) = stage.key_ids()
    with stage.place.sandbox.state.transaction() as tx:
        (record,) = tx.find(stage.tenant_id, "application", uniqueName=f"mimapp-{KEY}")
        owner = next(user for user in tx.find(stage.tenant_id, "user") if user.body["userPrincipalName"])
        body = record.body | {"_owners": [owner.id]}
        tx.put(stage.tenant_id, "application", record.id, body, settled=True)
    done = stage.run("rotate", "--yes", "--compromised", old, code=2)
    assert f"Who can add secrets to it, beside administrators: {owner.body['userPrincipalName']}" in done.err


def test_without_a_hook_it_is_handed_over_by_a_person_and_revoked_by_the_same_command(stage: Stage) -> None:
    (old,) = stage.key_ids()
    argv = ("rotate", "--yes", "--compromised", old, "--confirm", old)
    done = stage.run(*argv, code=7)
    (new,) = set(stage.key_ids()) - {old}
    assert f"give it to MIM, then mimapp handover confirm {new}, then this command again" in done.err
    assert stage.works(stage.secret_of(old))

    stage.confirm(new)
    after = stage.run(*argv, "--output", "json").document
    assert (after["issued"], after["retired"]) == (False, [old])
    assert stage.key_ids() == [new]


def test_when_the_hand_over_fails_nothing_is_revoked(stage: Stage) -> None:
    (old,) = stage.key_ids()
    failing = stage.hook("failing", "raise SystemExit(1)")
    done = stage.run("rotate", "--yes", "--compromised", old, "--confirm", old, "--deploy-hook", failing, code=7)

    assert f"retire --key-id {old} --without-evidence" in done.err
    assert "mimapp lockdown" in done.err
    assert stage.works(stage.secret_of(old))
    (new,) = set(stage.key_ids()) - {old}

    hook = stage.hook("deploy", "")
    again = stage.rotate("--compromised", old, "--confirm", old, "--deploy-hook", hook)
    assert again["issued"] is False, "the one that waits is handed over"
    assert again["retired"] == [old]
    assert stage.key_ids() == [new]


def test_without_a_hook_there_is_no_hand_over_and_nothing_is_revoked(stage: Stage) -> None:
    (old,) = stage.key_ids()
    done = stage.run("rotate", "--yes", "--compromised", old, "--confirm", old, code=7)
    assert f"retire --key-id {old} --without-evidence" in done.err
    (new,) = set(stage.key_ids()) - {old}

    stage.confirm(new)
    again = stage.rotate("--compromised", old, "--confirm", old)
    assert (again["issued"], again["retired"]) == (False, [old])
    assert stage.key_ids() == [new]


def test_a_foreign_one_may_be_named(stage: Stage) -> None:
    (old,) = stage.key_ids()
    foreign = stage.add_foreign()
    document = stage.rotate("--compromised", foreign, "--confirm", foreign, "--deploy-hook", stage.hook("deploy", ""))
    assert document["retired"] == [foreign]
    assert set(stage.key_ids()) == {old, document["secret"]["keyId"]}


def test_several_are_named_and_each_has_to_be_confirmed(stage: Stage) -> None:
    (old,) = stage.key_ids()
    foreign = stage.add_foreign()
    hook = stage.hook("deploy", "")
    argv = ("--compromised", old, "--compromised", foreign, "--confirm", old, "--deploy-hook", hook)
    stage.run("rotate", "--yes", *argv, code=2)
    document = stage.rotate(*argv, "--confirm", foreign)
    assert set(document["retired"]) == {old, foreign}
    assert stage.key_ids() == [document["secret"]["keyId"]]


def test_what_is_no_client_secret_is_said_at_once(stage: Stage) -> None:
    unknown = "00000000-0000-0000-0000-00000000dead"
    done = stage.run("rotate", "--yes", "--compromised", unknown, "--confirm", unknown, code=2)
    assert "no client secret with the key id" in done.err
    assert len(stage.key_ids()) == 1


def test_confirm_alone_is_usage(stage: Stage) -> None:
    stage.run("rotate", "--yes", "--confirm", stage.key_ids()[0], code=2)
