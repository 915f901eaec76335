"""``mimapp status``: one screen, JSON, exit code; and all registrations of a tenant, one row each."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from status_place import OTHER, export, register, status

from mimapp.sandbox.scenarios import EwsState, foreign_secret, set_ews_state
from support.tenants import MAILBOX, Place

if TYPE_CHECKING:
    from pathlib import Path


def run(place: Place, *argv: str, terminal: bool = False, columns: int = 80) -> str:
    done = place.remote("status", *argv, terminal=terminal, environ={"COLUMNS": str(columns)})
    assert done.code in {0, 3}, done.err
    return re.sub(r"\x1b\[[0-9;]*m", "", done.out)


def test_nothing_is_registered(place: Place) -> None:
    document = status(place)
    assert document["applicationId"] is None
    assert (document["signIn"], document["drift"]) == (None, False)
    assert document["attention"] == ["it is not registered"]
    assert document["nextCommand"] == f"mimapp register --mailbox {MAILBOX}"
    assert place.remote("status", "--mailbox", MAILBOX, "--exit-code").code == 3
    assert place.remote("status", "--mailbox", MAILBOX).code == 0


def test_a_right_tenant(registered: Place) -> None:
    document = status(registered)
    right = ["full_access_as_app"]
    assert document["permissions"] == {"wanted": right, "asked": right, "granted": right}
    assert (document["consent"], document["signIn"], document["drift"]) == ("granted", "allowed", False)
    assert document["scope"]["stands"] is True
    assert document["ews"]["ends"] == "2027-04-01"
    assert [one["lifeLeft"] for one in document["credentials"]] == [1.0]
    assert document["handover"]["state"] == "none"
    assert (document["attention"], document["due"], document["hosts"]) == ([], [], [])
    assert document["nextCommand"] is None, "what waits is waited for"
    assert document["nextDate"]["what"] == "the restriction is to be enforced everywhere"
    assert registered.remote("status", "--mailbox", MAILBOX, "--exit-code").code == 0

    registered.clock.advance(timedelta(hours=25))
    later = status(registered)
    assert later["nextCommand"] == f"mimapp verify --outside ADDRESS --mailbox {MAILBOX}"
    assert later["nextDate"]["command"] == "mimapp rotate --if-due"
    whens = [one["when"] for one in later["dates"]]
    assert whens == sorted(whens)
    assert "2027-04-01T00:00:00Z" in whens


def test_a_proof_leaves_nothing_to_do(registered: Place) -> None:
    registered.clock.advance(timedelta(hours=25))
    assert registered.remote("verify", "--mailbox", MAILBOX, "--outside", OTHER).code == 0
    assert status(registered)["nextCommand"] is None
    assert f"proven 2026-11-22: EWS refused {OTHER}" in run(registered, "--mailbox", MAILBOX)


def test_a_secret_that_is_due_waits_and_ends(registered: Place) -> None:
    registered.clock.advance(timedelta(days=125))
    document = status(registered, "--exit-code")
    assert document["nextCommand"] == f"mimapp rotate --mailbox {MAILBOX}"
    assert "less than a third of its 180 days" in document["attention"][0]
    assert document["credentials"][0]["lifeLeft"] == pytest.approx(55 / 180, abs=0.001)
    assert "###.......  31%" in run(registered, "--mailbox", MAILBOX)

    assert registered.remote("rotate", "--mailbox", MAILBOX, "--yes").code == 3
    waiting = status(registered)
    newest = max(waiting["credentials"], key=lambda one: str(one["starts"]))
    assert waiting["handover"]["state"] == "waiting"
    assert waiting["nextCommand"] == f"mimapp handover confirm {newest['keyId']} --mailbox {MAILBOX}"

    confirmed = registered.remote("handover", "confirm", newest["keyId"], "--mailbox", MAILBOX)
    assert confirmed.code == 0, confirmed.err
    done = status(registered)
    assert (done["handover"]["state"], len(done["older"])) == ("done", 1)
    assert "done: confirmed 2027-03-26" in run(registered, "--mailbox", MAILBOX)
    assert any(one["command"] == "mimapp retire" for one in done["dates"])

    registered.clock.advance(timedelta(days=2))
    assert status(registered, "--overlap", "1d")["nextCommand"] == f"mimapp retire --mailbox {MAILBOX}"

    registered.clock.advance(timedelta(days=400))
    ended = status(registered)
    assert "no client secret of mimapp's is live" in ended["attention"]
    assert "..........   0%" in run(registered, "--mailbox", MAILBOX)


def test_drift_is_marked(registered: Place) -> None:
    registered.clock.advance(timedelta(hours=3))
    with registered.connect() as tenant:
        policies = tenant._exchange.access_policies
        for policy in policies.list():
            policies.remove(policy.identity)
    document = status(registered)
    assert document["drift"] is True
    assert document["attention"][0].endswith("it may read every mailbox")
    assert document["scope"]["stands"] is False
    assert document["due"]
    text = run(registered, "--mailbox", MAILBOX)
    assert "mimservice; drift: see below" in text
    assert "Drift: mimapp register would now" in text
    assert text.rstrip().endswith(f"Next: mimapp register --mailbox {MAILBOX}")


def test_a_locked_application(registered: Place) -> None:
    registered.remote("lockdown", "--mailbox", MAILBOX, "--yes")
    document = status(registered)
    assert document["signIn"] == "stopped"
    assert document["nextCommand"] == f"mimapp lockdown --release --mailbox {MAILBOX}"


def test_ews_that_needs_a_person(registered: Place) -> None:
    set_ews_state(registered.sandbox, EwsState.FALSE_LIST)
    document = status(registered)
    assert document["ews"]["allowed"] is False
    assert any("EWS switch is False" in one for one in document["attention"])


def test_the_end_of_ews_needs_a_person(registered: Place) -> None:
    registered.clock.advance(timedelta(days=131))
    document = status(registered)
    assert "EWS ended in this cloud on 2027-04-01, and mail with it" in document["attention"]
    assert not any("EWS ends" in one["what"] for one in document["dates"])


def test_the_last_check_of_a_server_is_remembered(registered: Place, tmp_path: Path) -> None:
    file = str(export(tmp_path / "mim.reg", "11111111-2222-4333-8444-555555555555"))
    wrong = registered.remote("host", "check", file, "--mailbox", MAILBOX)
    assert wrong.code == 3, wrong.err
    document = status(registered)
    assert [host["server"] for host in document["hosts"]] == [""]
    assert "Application ID" in document["hosts"][0]["wrong"]
    assert document["nextCommand"] == f"mimapp host check FILE --mailbox {MAILBOX}"
    assert "MIM server" in run(registered, "--mailbox", MAILBOX)

    right = str(export(tmp_path / "mim.reg", document["applicationId"]))
    registered.remote("host", "check", right, "--mailbox", MAILBOX)
    again = status(registered)["hosts"]
    assert len(again) == 1
    assert "Application ID" not in again[0]["wrong"]

    before = again[0]["judged"]
    registered.clock.advance(timedelta(hours=1))
    registered.remote("host", "check", right, environ={"MIMAPP_TENANT": ""})
    assert status(registered)["hosts"][0]["judged"] == before, "a check against no registration is nobody's"


def test_every_registration_one_row_each(registered: Place) -> None:
    register(registered, OTHER)
    registered.wire.requests.clear()
    done = registered.remote("status", "--output", "json")
    document = done.document
    assert document["schema"] == "mimapp.status-list/1"
    assert [row["registration"] for row in document["registrations"]] == ["mimservice", "other"]
    assert all(row["status"]["consent"] == "granted" for row in document["registrations"])
    assert registered.wire.writes == []
    rows = run(registered).splitlines()
    assert rows[0].split() == ["registration", "mailbox", "state", "secret", "next", "date"]
    assert [line.split()[0] for line in rows[1:3]] == ["mimservice", "other"]
    assert rows[1].split()[2:] == ["right", "2027-05-20", "2026-11-21"]
    assert max(map(len, run(registered, terminal=True).splitlines()[:3])) <= 80, "one row each"
    assert registered.remote("status", "--exit-code").code == 0


def test_one_that_cannot_be_read_keeps_no_other_back(registered: Place) -> None:
    register(registered, OTHER)
    foreign_secret(registered.sandbox, "mimapp-other")
    stored = next((registered.home / "journal").glob("*/other.json"))
    stored.write_bytes(b"{")
    done = registered.remote("status", "--output", "json", "--exit-code")
    first, second = done.document["registrations"]
    assert (done.code, first["error"], second["status"]) == (3, None, None)
    assert "cannot be read" in second["error"]
    assert "not readable" in run(registered)
    page = registered.remote("status", "--output", "html").out
    assert "could not be read" in page


@pytest.mark.parametrize("columns", [80, 120])
def test_it_fits_a_terminal(registered: Place, columns: int) -> None:
    registered.clock.advance(timedelta(days=125))
    registered.remote("rotate", "--mailbox", MAILBOX, "--yes")
    lines = run(registered, "--mailbox", MAILBOX, terminal=True, columns=columns).splitlines()
    assert max(map(len, lines[:-1])) <= columns
    assert lines[-1].startswith("Next: mimapp handover confirm "), "whole, so that it can be copied"
    assert lines[-1].endswith(f"--mailbox {MAILBOX}")
    assert len(lines) <= 24, "one screen"


def test_in_the_library(registered: Place) -> None:
    with registered.connect() as tenant:
        rows = tenant.statuses([registered.registration(), registered.registration(mailbox=OTHER)])
    assert [row.status.application_id is not None for row in rows if row.status] == [True, False]


def test_what_a_person_has_to_decide_comes_with_what_helps(registered: Place) -> None:
    with registered.connect() as tenant:
        groups = tenant._exchange.groups
        groups.add_member("mimapp-mimservice@contoso.onmicrosoft.com", OTHER)
    document = status(registered, "--exit-code")
    assert document["drift"] is True
    assert "has members besides" in document["problem"]
    assert document["attention"][0] == document["problem"]
    lines = run(registered, "--mailbox", MAILBOX).splitlines()
    first = lines.index(f"To do: {document['problem']}")
    assert OTHER in "".join(lines[first + 1 : first + 3])
    assert lines[-1] == f"Next: mimapp check --mailbox {MAILBOX}"


def test_when_a_secret_is_due_and_where_it_is_are_as_for_rotate(registered: Place, tmp_path: Path) -> None:
    (registered.home / "config.toml").write_text('before = "170d"\n')
    (registered.home / "config.toml").chmod(0o600)
    registered.clock.advance(timedelta(days=12))
    assert status(registered)["nextCommand"] == f"mimapp rotate --mailbox {MAILBOX}"
    assert status(registered, "--before", "30d")["nextCommand"] != f"mimapp rotate --mailbox {MAILBOX}"

    elsewhere = str(tmp_path / "other.json")
    assert status(registered, "--secret-to", f"file:{elsewhere}")["credentials"][0]["whose"] == "elsewhere"
    rows = registered.remote("status", "--secret-to", f"file:{elsewhere}", "--output", "json").document["registrations"]
    assert rows[0]["status"]["credentials"][0]["whose"] == "elsewhere"
    assert "170 days" in rows[0]["status"]["attention"][0]
