"""No command prints a client secret or a token, however talkative it is asked to be, and none is left in a file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from mimapp.cli.names import TABLE, Name
from support.tenants import MAILBOX, Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: What a simulated tenant gives out: its client secrets, and the first letters of any JSON Web Token.
SECRET = re.compile(r"sandbox-[A-Za-z0-9_-]{30,}|eyJ[A-Za-z0-9_-]{20,}")
#: Made to print one: the stored secret for the installer, and the public constant of every simulated tenant's operator.
PRINTS = {"secret show", "sandbox serve"}

#: Every other command, in an order in which each has something to do; the words in capitals are filled in.
RUNS = (
    ("clouds",),
    ("config", "show"),
    ("whoami",),
    ("logout",),
    ("log",),
    ("check", "--mailbox", MAILBOX),
    ("register", "--mailbox", MAILBOX, "--plan-out", "PLAN"),
    ("apply", "PLAN", "--yes"),
    ("register", "--mailbox", MAILBOX, "--yes", "--record", "TAPE"),
    ("consent", "--mailbox", MAILBOX, "--yes"),
    ("status", "--mailbox", MAILBOX),
    ("status",),
    ("explain", "AADSTS7000215", "--live", "--mailbox", MAILBOX),
    ("verify", "--mailbox", MAILBOX),
    ("scope", "show", "--mailbox", MAILBOX),
    ("scope", "test", "--mailbox", MAILBOX, "--outside", "other@contoso.onmicrosoft.com"),
    ("scope", "migrate", "--mailbox", MAILBOX, "--yes"),
    ("ews", "status", "--mailbox", MAILBOX),
    ("ews", "allow", "--mailbox", MAILBOX, "--yes"),
    ("secret", "list", "--mailbox", MAILBOX),
    ("rotate", "--mailbox", MAILBOX, "--yes"),
    ("handover", "show", "--mailbox", MAILBOX),
    ("handover", "confirm", "KEYID", "--mailbox", MAILBOX),
    ("retire", "--mailbox", MAILBOX, "--yes"),
    ("schedule", "cron", "--mailbox", MAILBOX, "--auth", "managed-identity"),
    ("host", "sheet", "--option", "H", "--mailbox", MAILBOX),
    ("host", "tls"),
    ("host", "collect"),
    ("host", "secret-script", "--account", "gmsa", "--accept-unsupported"),
    ("host", "check", "COLLECTED"),
    ("lockdown", "--mailbox", MAILBOX, "--yes"),
    ("sandbox", "seed", "--foreign-secret"),
    ("unregister", "--mailbox", MAILBOX, "--yes"),
    ("sandbox", "reset"),
)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path / "home")
    yield made
    made.close()


@pytest.mark.parametrize("output", ["text", "json"])
def test_no_command_prints_a_secret_or_leaves_one(place: Place, tmp_path: Path, output: str) -> None:
    filled = {"PLAN": str(tmp_path / "plan.json"), "TAPE": str(tmp_path / "tape.yaml"), "COLLECTED": "nowhere.json"}
    for argv in RUNS:
        if "KEYID" in argv:
            listed = place.remote("secret", "list", "--mailbox", MAILBOX, "--output", "json")
            filled["KEYID"] = listed.document["credentials"][-1]["keyId"]
        done = place.remote(*(filled.get(word, word) for word in argv), "-vvv", "--output", output)
        assert done.code in {0, 3, 9}, (argv, done.err)  # 9: what `host check` was given is not there
        assert SECRET.findall(done.out + done.err) == [], argv
    stored = place.home / "secrets"
    for path in [*place.home.rglob("*"), *tmp_path.glob("*.*")]:
        if path.is_file() and stored not in path.parents and "sandbox" not in path.relative_to(tmp_path).parts:
            assert SECRET.findall(path.read_text(errors="replace")) == [], path


def test_every_command_is_run() -> None:
    commands = {row.path for row in TABLE if isinstance(row, Name)}
    run = {path for path in commands for argv in RUNS if argv[: len(path.split())] == tuple(path.split())}
    assert commands - run == PRINTS
