"""``mimapp log``: one entry a write, chosen by registration, tenant and sandbox."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from mimapp.journal import Journal, WriteRecord
from support.clock import START

if TYPE_CHECKING:
    from support.command_line import Cli

TENANT = "11111111-1111-1111-1111-111111111111"
OTHER = "22222222-2222-2222-2222-222222222222"


@dataclass
class Writer:
    journal: Journal
    minutes: int = 0

    def __call__(self, action: str, outcome: Any = "done", **change: Any) -> None:
        self.minutes += 1
        fields = {"tenant": TENANT, "registration": "mim", "operator": "admin@contoso.example", "target": "the object"}
        record = WriteRecord(
            **{**fields, **change}, when=START + timedelta(minutes=self.minutes), outcome=outcome, action=action
        )
        self.journal.record(record)


@pytest.fixture
def write(cli: Cli) -> Writer:
    return Writer(Journal(cli.home))


def actions(cli: Cli, *argv: str) -> list[tuple[str, str]]:
    document = cli("log", "--output", "json", *argv).document
    return [(row["action"], row["outcome"]) for row in document["writes"]]


def test_a_write_is_one_entry_however_it_ended(cli: Cli, write: Writer) -> None:
    write("application.create", "begun")
    write("group.create", "begun", target="the group")
    write("application.create", "done", after="application id 1", undo="mimapp unregister")
    write("group.create", "failed", target="the group")
    write("policy.create", "begun")
    write("consent.grant", "existed")
    write("application.create", "begun")

    assert actions(cli) == [
        ("application.create", "done"),
        ("group.create", "failed"),
        ("policy.create", "begun"),
        ("consent.grant", "existed"),
        ("application.create", "begun"),
    ]
    assert actions(cli, "--last", "2") == [("consent.grant", "existed"), ("application.create", "begun")]


def test_only_what_is_young_enough(cli: Cli, write: Writer) -> None:
    cli.clock.advance(timedelta(minutes=4))
    for action in ("one", "two", "three"):
        write(action)  # one, two and three minutes after the start

    assert actions(cli, "--since", "2m") == [("two", "done"), ("three", "done")]
    assert actions(cli, "--since", "90s") == [("three", "done")]
    assert actions(cli, "--since", "2m", "--last", "1") == [("three", "done")]
    assert len(actions(cli, "--since", "999999999d")) == 3
    assert actions(cli, "--since", "1d") == [("one", "done"), ("two", "done"), ("three", "done")]
    assert cli("log", "--since", "30s").out == "No writes are recorded.\n"
    refused = cli("log", "--since", "yesterday")
    assert (refused.code, "'yesterday' is not a duration" in refused.err) == (2, True)


def test_an_entry_in_words(cli: Cli, write: Writer) -> None:
    write("ews.allow", before="a", after="a,b", request_id="r1", undo="Set-OrganizationConfig …", change_ref="CHG1")

    assert cli("log").out.splitlines() == [
        "2026-11-21 09:01:00 UTC  ews.allow  done",
        "  target      the object",
        f"  by          admin@contoso.example, registration mim, tenant {TENANT}",
        "  before      a",
        "  after       a,b",
        "  request id  r1",
        "  change      CHG1",
        "  undo        Set-OrganizationConfig …",
    ]
    write("policy.create", "begun")
    assert "policy.create  begun, and its end is not known" in cli("log").out


@pytest.mark.parametrize(
    ("argv", "seen"),
    [
        ([], ["one", "two", "three"]),
        (["--registration", "test"], ["two"]),
        (["--tenant", OTHER], ["three"]),
        (["--tenant", "contoso.example"], ["one", "two", "three"]),
        (["--sandbox"], ["four"]),
    ],
)
def test_what_is_shown_can_be_chosen(cli: Cli, write: Writer, argv: list[str], seen: list[str]) -> None:
    write("one")
    write("two", registration="test")
    write("three", tenant=OTHER)
    write("four", sandbox=True)

    assert [action for action, _ in actions(cli, *argv)] == seen


def test_an_empty_record_says_so(cli: Cli) -> None:
    assert cli("log").out == "No writes are recorded.\n"
    assert cli("log", "--output", "json").document["writes"] == []
