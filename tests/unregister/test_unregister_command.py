"""``mimapp unregister`` as a command: dry run, plan file, prompts, the record, failures half-way, lost replies."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from unregister_world import GROUP, TWO_HOURS, UNREGISTER, Registered, steps

from mimapp.journal import Journal
from mimapp.sandbox.weather import Fault, Weather
from support.gone import Watch, check_gone
from support.tenants import MAILBOX, Place

if TYPE_CHECKING:
    from pathlib import Path

    from support.tenants import Finished


def test_a_dry_run_shows_every_step_and_what_stays_and_changes_nothing(there: Registered) -> None:
    done = there.say("--dry-run")
    document = there.place.remote("unregister", "--mailbox", MAILBOX, "--dry-run", "--output", "json").document

    assert done.code == 0, done.err
    assert there.place.wire.writes == []
    assert document["schema"] == "mimapp.plan/1"
    assert [step["step"] for step in document["steps"]] == [
        "secret.revoke",
        "consent.revoke",
        "ews.disallow",
        "application.delete",
        "secret.forget",
    ]
    assert document["writes"] == 4
    assert any("it goes two hours after the application is gone" in warning for warning in document["warnings"])
    assert f"note: the group {GROUP} stays" in done.out
    assert done.out.endswith("Nothing was changed.\n")


def test_a_dry_run_while_it_waits_says_until_when(there: Registered) -> None:
    there.run()

    done = there.say("--dry-run")

    assert done.out.startswith("Nothing to do in contoso.onmicrosoft.com.\n")
    assert "stays until 2026-11-21 11:00 UTC" in done.out


def test_two_dry_runs_have_one_fingerprint_and_the_file_names_the_command(there: Registered) -> None:
    file = there.place.home / "plan.json"

    done = there.say("--plan-out", str(file))
    plan = json.loads(file.read_text())
    again = there.place.remote("unregister", "--mailbox", MAILBOX, "--dry-run", "--output", "json").document

    assert done.code == 0, done.err
    assert there.place.wire.writes == []
    assert plan["fingerprint"] == again["fingerprint"]


@pytest.mark.parametrize(("answer", "code"), [("n\n", 2), ("", 2), ("y\n", 0)])
def test_it_asks_at_a_terminal(there: Registered, answer: str, code: int) -> None:
    there.place.wire.requests.clear()

    done = there.place.remote("unregister", "--mailbox", MAILBOX, stdin=answer)

    assert done.code == code
    assert "Make these 4 changes in contoso.onmicrosoft.com (signed in as" in done.err
    assert bool(there.place.wire.writes) == (code == 0)


def test_where_nobody_can_answer_it_needs_yes(there: Registered) -> None:
    done = there.say()

    assert (done.code, there.place.wire.requests) == (2, [])
    assert "--yes" in done.err


def test_while_it_only_waits_it_asks_nothing(there: Registered) -> None:
    there.run()

    done = there.place.remote("unregister", "--mailbox", MAILBOX, stdin="")

    assert done.code == 0, done.err
    assert "[y/N]" not in done.err


def test_every_write_is_on_record_with_who_what_and_how_to_undo_it(there: Registered) -> None:
    there.run("--change-ref", "CHG0042")
    there.later()
    there.run()

    writes = there.place.cli("log", "--output", "json").document["writes"][8:]

    assert [write["action"] for write in writes] == [
        "secret.revoke",
        "consent.revoke",
        "ews.disallow",
        "application.delete",
        "policy.remove",
        "group.remove",
    ]
    assert {write["outcome"] for write in writes} == {"done"}
    assert [write.get("changeRef", "") for write in writes] == ["CHG0042"] * 4 + [""] * 2
    undo = {write["action"]: write.get("undo", "") for write in writes}
    assert undo["application.delete"].endswith("--restore")
    assert undo["consent.revoke"] == f"mimapp register --registration mimservice --mailbox {MAILBOX}"
    assert undo["policy.remove"].startswith(f"New-ApplicationAccessPolicy -AppId {there.app_id} ")
    assert all(write["requestId"] for write in writes)
    assert f"members: {MAILBOX}" in writes[-1]["before"]


def test_no_output_holds_the_secret_or_a_token(there: Registered) -> None:
    secret = json.loads(next((there.place.home / "secrets").glob("*/*.json")).read_text())["clientSecret"]

    runs = [there.say("--dry-run", "-vvv"), there.say("--yes", "-vvv"), there.place.remote(*UNREGISTER, "-vvv")]

    kept = [path.read_text(errors="replace") for path in (there.place.home / "journal").rglob("*") if path.is_file()]
    for text in [*(run.out + run.err for run in runs), *kept]:
        assert secret not in text
        assert "eyJ" not in text


def test_a_second_run_on_this_machine_is_kept_out_meanwhile(there: Registered) -> None:
    with Journal(there.place.home).lock(there.place.info.tenant_id, "mimservice"):
        done = there.say("--yes")

    assert (done.code, there.place.wire.writes) == (75, [])


@pytest.mark.parametrize(
    ("app_id", "code"), [("not-a-guid", 2), ("00000000-1111-4222-8333-444444444444", 6)], ids=["no id", "not there"]
)
def test_an_application_that_cannot_be_meant(there: Registered, app_id: str, code: int) -> None:
    done = there.say("--yes", "--app-id", app_id)

    assert (done.code, there.place.wire.writes) == (code, []), done.err


# Failures half-way


@pytest.fixture
def home(registered_home: Path, tmp_path: Path) -> Path:
    home = tmp_path / "home"
    shutil.copytree(registered_home, home)
    return home


class Failing:
    """A tenant that fails as it is told, until it is calm again."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.place = Place(home)
        self.app_id = Registered(self.place).app_id

    def once(self, *faults: str) -> Finished:
        weather = Weather(faults=tuple(Fault.parse(fault) for fault in faults))
        place = Place(self.home, clock=self.place.clock, weather=weather)
        watch = Watch(place, self.app_id)
        done = place.remote(*UNREGISTER, "--deadline", "2m")
        place.close()
        assert watch.open_at == []
        return done


FAULTS = {
    "secret": ("POST /v1.0/applications/*/removePassword 403", 5, "secret.revoke"),
    "grant": ("DELETE /v1.0/servicePrincipals/*/appRoleAssignments/* 403", 7, "consent.revoke"),
    "list": ("EXO Set-OrganizationConfig 403", 7, "ews.disallow"),
    "application": ("DELETE /v1.0/applications/* 403", 7, "application.delete"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_refused_half_way_and_run_again(home: Path, fault: tuple[str, int, str]) -> None:
    words, code, first_of_next = fault
    failing = Failing(home)

    refused = failing.once(words)
    there = Registered(failing.place)
    document = there.run()

    assert refused.code == code, refused.err
    assert any(line.startswith("failed: ") for line in refused.document["details"])
    assert steps(document)[0] == first_of_next
    there.later()
    assert there.run()["complete"] is True
    check_gone(there.place, failing.app_id)
    there.place.close()


LAST_FAULTS = {
    "policy": ("EXO Remove-ApplicationAccessPolicy 403", 5, ["policy.remove", "group.remove"]),
    "group": ("EXO Remove-DistributionGroup 403", 7, ["group.remove"]),
}


@pytest.mark.parametrize("fault", LAST_FAULTS.values(), ids=LAST_FAULTS)
def test_refused_while_the_fence_goes_and_run_again(home: Path, fault: tuple[str, int, list[str]]) -> None:
    words, code, left = fault
    failing = Failing(home)
    there = Registered(failing.place)
    there.run()
    there.later()

    refused = failing.once(words)
    document = there.run()

    assert refused.code == code, refused.err
    assert steps(document) == left
    check_gone(there.place, failing.app_id)
    there.place.close()


LOST = {
    "secret": "POST /v1.0/applications/*/removePassword lose",
    "grant": "DELETE /v1.0/servicePrincipals/*/appRoleAssignments/* lose",
    "list": "EXO Set-OrganizationConfig lose",
    "application": "DELETE /v1.0/applications/* lose",
}


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
def test_a_lost_reply_is_looked_after_in_the_same_run(home: Path, fault: str) -> None:
    failing = Failing(home)
    there = Registered(failing.place)

    done = failing.once(fault)
    there.later(TWO_HOURS + timedelta(minutes=1))  # the wait for the reply counts too
    document = there.run()

    assert done.code == 0, done.err
    assert steps(document) == ["policy.remove", "group.remove"]
    check_gone(there.place, failing.app_id)
    there.place.close()


def test_rights_to_read_roles_are_not_needed(home: Path) -> None:
    failing = Failing(home)

    done = failing.once("EXO Get-ManagementScope 403 x9", "EXO Get-ManagementRoleAssignment 403 x9")
    failing.place.close()

    assert done.code == 0, done.err
    assert any("may not read management scopes" in warning for warning in done.document["warnings"])
