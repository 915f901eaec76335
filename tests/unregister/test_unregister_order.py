"""``mimapp unregister`` from a registration that stands to nothing: the order on the wire, the wait, the second run."""

from __future__ import annotations

import json
import shlex
from datetime import timedelta

import pytest
from unregister_world import GROUP, TWO_HOURS, UNREGISTER, Registered, kept, steps

from mimapp.identity import AppSignIn, Refusal
from mimapp.secret import Secret
from mimapp.transport import Http, Patience
from support.gone import Watch, check_gone
from support.tenants import CONTOSO, MAILBOX

FIRST = ["secret.revoke", "consent.revoke", "ews.disallow", "application.delete", "secret.forget"]
LAST = ["policy.remove", "group.remove"]


def test_secrets_then_grant_then_entry_then_application_on_the_wire(there: Registered) -> None:
    watch = Watch(there.place, there.app_id)

    document = there.run()

    writes = there.writes
    assert writes[0] == "POST /v1.0/applications/APP/removePassword"
    assert writes[1].startswith("DELETE /v1.0/servicePrincipals/")
    assert "/appRoleAssignments/" in writes[1]
    assert writes[2:] == ["Set-OrganizationConfig", "DELETE /v1.0/applications/APP"]
    assert steps(document) == FIRST
    assert watch.open_at == []


def test_policy_and_group_wait_for_the_last_token_and_the_result_says_how_to_finish(there: Registered) -> None:
    document = there.run()

    assert document["schema"] == "mimapp.unregister/1"
    assert document["complete"] is False
    assert [one["until"] for one in document["kept"]] == ["2026-11-21T11:00:00Z", "2026-11-21T11:00:00Z"]
    assert kept(document) == {
        "the access policy": "a token issued before may still be valid",
        f"the group {GROUP}": "it goes after its access policy",
    }
    assert not any(one["needsPerson"] for one in document["kept"])
    assert document["finish"] == {
        "at": "2026-11-21T11:00:00Z",
        "command": f"mimapp unregister --mailbox {MAILBOX} --registration mimservice",
    }
    assert document["attention"] == []


@pytest.mark.parametrize("early", [timedelta(0), timedelta(minutes=119, seconds=59)])
def test_before_its_time_a_second_run_writes_nothing(there: Registered, early: timedelta) -> None:
    first = there.run()
    there.later(early)

    again = there.run()

    assert (again["changes"], there.place.wire.writes) == ([], [])
    assert again["kept"] == first["kept"]
    assert again["finish"] == first["finish"]


def test_two_hours_later_it_finishes_and_a_third_run_finds_nothing(there: Registered) -> None:
    there.run()
    there.later()
    watch = Watch(there.place, there.app_id)

    document = there.run()

    assert steps(document) == LAST
    assert there.place.wire.writes == ["Remove-ApplicationAccessPolicy", "Remove-DistributionGroup"]
    assert (document["complete"], document["kept"], document["finish"]) == (True, [], None)
    assert watch.open_at == []
    check_gone(there.place, there.app_id)
    third = there.run()
    assert (third["complete"], third["changes"], there.place.wire.writes) == (True, [], [])


def test_the_command_that_it_prints_finishes(there: Registered) -> None:
    command = there.run()["finish"]["command"]
    there.later()

    done = there.place.remote(*shlex.split(command)[1:], "--yes")

    assert done.code == 0, done.err
    assert "Registration mimservice is gone." in done.out
    check_gone(there.place, there.app_id)


def test_what_people_are_told(there: Registered) -> None:
    first = there.say("--yes")
    waiting = there.say("--yes")
    there.later()
    last = there.say("--yes")
    none = there.say("--yes")

    assert first.out.startswith("5 changes made in contoso.onmicrosoft.com.\n")
    assert "Wait: the access policy of application" in first.out
    assert "stays until 2026-11-21 11:00 UTC" in first.out
    assert "To finish, after 2026-11-21 11:00 UTC: mimapp unregister --mailbox" in first.out
    assert waiting.out.startswith("Nothing to do in contoso.onmicrosoft.com now.\n")
    assert "Registration mimservice is gone." in last.out
    assert none.out == "Nothing of registration mimservice is in contoso.onmicrosoft.com.\n"


def test_the_secret_is_of_no_use_at_once_and_its_value_is_removed_here(there: Registered) -> None:
    stored = next((there.place.home / "secrets").glob("*/*.json"))
    secret = json.loads(stored.read_text())

    there.run()

    assert not stored.exists()
    http = Http(Patience(there.place.clock), transport=there.place.wire)
    answer = AppSignIn(http, there.place.cloud).token(
        secret["tenantId"], secret["applicationId"], Secret(secret["clientSecret"]), there.place.cloud.exchange_scope
    )
    assert isinstance(answer, Refusal)


def test_a_value_in_a_store_that_is_named_is_removed_there_with_its_former_ones(there: Registered) -> None:
    elsewhere = there.place.home / "mine.json"
    default = next((there.place.home / "secrets").glob("*/*.json"))
    default.rename(elsewhere)
    former = elsewhere.with_name(f"mine.json.former-{json.loads(elsewhere.read_text())['keyId']}")
    former.write_text(elsewhere.read_text())

    document = there.run("--secret-to", f"file:{elsewhere}")

    assert "secret.forget" in steps(document)
    assert not elsewhere.exists()
    assert not former.exists()


def test_stdout_as_the_store_of_a_configuration_is_no_hindrance(there: Registered) -> None:
    done = there.place.remote(*UNREGISTER, environ={"MIMAPP_SECRET_TO": "stdout"})

    assert done.code == 0, done.err
    assert steps(done.document) == FIRST


def test_a_store_that_cannot_be_read_is_named_and_keeps_nothing_in_the_tenant(there: Registered) -> None:
    stored = next((there.place.home / "secrets").glob("*/*.json"))
    stored.write_text("not a secret file")

    document = there.run()

    assert steps(document) == FIRST[:-1]
    assert any("a stored secret may be left" in warning for warning in document["warnings"])
    assert stored.read_text() == "not a secret file"


def test_the_administrator_of_the_embedded_tenant(there: Registered) -> None:
    done = there.place.cli(*("unregister", "--mailbox", MAILBOX, "--sandbox", "--yes", "--output", "json"))

    assert done.code == 0, done.err
    assert done.document["sandbox"] is True
    assert done.document["finish"]["command"].endswith(" --sandbox")


def test_without_a_mailbox_the_only_registration_is_meant_dead_or_alive(there: Registered) -> None:
    first = there.place.remote("unregister", "--yes", "--output", "json")
    there.later()
    second = there.place.remote("unregister", "--yes", "--output", "json")
    third = there.place.remote("unregister", "--yes", "--output", "json")

    assert [steps(first.document), steps(second.document), steps(third.document)] == [FIRST, LAST, []]


def test_another_registration_of_the_tenant_is_left_alone(there: Registered) -> None:
    other = there.place.remote("register", "--mailbox", f"other@{CONTOSO}", "--new", "--yes", "--output", "json")
    assert other.code == 0, other.err
    ambiguous = there.place.remote("unregister", "--yes")
    there.run()
    there.later()

    document = there.run()

    assert ambiguous.code == 2
    assert "--registration other" in ambiguous.err
    assert document["complete"] is True
    again = there.place.remote("register", "--mailbox", f"other@{CONTOSO}", "--yes", "--output", "json")
    assert (again.code, again.document["changes"]) == (0, [])
    assert other.document["applicationId"] in there.allow_list()
    nothing = there.say("--yes")
    assert "There is registration other of other@contoso.onmicrosoft.com." in nothing.out


def test_registering_again_after_all_of_it_makes_everything_anew(there: Registered) -> None:
    there.run("--purge")
    there.later()
    there.run()

    done = there.place.remote("register", "--mailbox", MAILBOX, "--yes", "--output", "json")

    assert done.code == 0, done.err
    assert done.document["applicationId"] != there.app_id
    assert len(done.document["changes"]) == 8
    there.later(TWO_HOURS)
    gone = there.run()
    assert steps(gone) == FIRST
    assert gone["finish"]["at"] == "2026-11-21T15:00:00Z"
