"""``mimapp explain`` without a tenant: arguments, stdin, JSON, exit codes; and the line that errors end with."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mimapp.cli import main
from mimapp.errors import (
    BusyError,
    ConflictError,
    DeniedError,
    HostInputError,
    MimappError,
    SignInError,
    StalePlanError,
    StoppedError,
    UsageError,
)
from mimapp.host.explain import TABLE, explain, explain_text, key_of
from support.command_line import Cli, ended

if TYPE_CHECKING:
    from pathlib import Path

    from mimapp.cli.command import Run
    from mimapp.cli.result import Result
    from mimapp.host.explanation import Explanation


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(home=tmp_path / "home")


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.key)
def test_every_row_is_printed_whole_and_never_wrapped(cli: Cli, row: Explanation) -> None:
    done = cli("explain", row.key)

    assert (done.code, done.err) == (0, "")
    assert done.out == explain_text([row])
    assert not cli.home.exists(), "it needs no state"


def test_words_are_one_text(cli: Cli) -> None:
    assert cli("explain", "event", "12").out == cli("explain", "event 12").out


def test_the_secret_id_comes_first(cli: Cli) -> None:
    lines = cli("explain", "AADSTS7000215").out.splitlines()
    assert lines[2] == "  1. the Secret ID was pasted instead of the secret's value"


def test_a_terminal_gets_it_wrapped(cli: Cli) -> None:
    cli.variables["COLUMNS"] = "60"
    done = cli("explain", "event-12", terminal=True)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", done.out)
    assert max(map(len, plain.splitlines())) <= 60
    assert "Restart-Service" in done.out


@pytest.mark.parametrize(
    "content",
    [
        b"AADSTS90002: Tenant 'x' not found.\r\n",
        "\ufeffAADSTS90002".encode(),
        "AADSTS90002: x\r\n".encode("utf-16"),
        "\ufeffAADSTS90002: \u00fc".encode("utf-16-be"),
        b"It\x92s AADSTS90002",
    ],
    ids=["crlf", "bom", "utf-16", "utf-16 big", "windows-1252"],
)
def test_stdin_is_read_as_windows_writes_it(cli: Cli, content: bytes) -> None:
    world = replace(cli.world(), stdin=io.TextIOWrapper(io.BytesIO(content), encoding="ascii"))
    done = ended(main(["explain", "-", "--output", "json"], world=world), world)

    assert done.code == 0, done.err
    assert [row["key"] for row in done.document["explanations"]] == ["AADSTS90002"]


def test_json_has_every_cause_and_no_look(cli: Cli) -> None:
    document = cli("explain", "AADSTS7000222", "--output", "json").document

    assert document["schema"] == "mimapp.explain/1"
    assert document["live"] is None
    causes = document["explanations"][0]["causes"]
    assert [cause["live"] for cause in causes] == ["secret", "secret"]


def test_what_is_not_known_needs_a_person(cli: Cli) -> None:
    done = cli("explain", "the printer is on fire")
    assert done.code == 3
    assert done.out.startswith("Nothing is known of this text.\n")
    assert cli("explain", "the printer is on fire", "--output", "json").document["explanations"] == []


@pytest.mark.parametrize("argv", [(), ("-",), (" ",)], ids=["none", "empty stdin", "a blank"])
def test_no_text(cli: Cli, argv: tuple[str, ...]) -> None:
    done = cli("explain", *argv)
    assert (done.code, done.out) == (2, "")


def test_the_list_has_every_row(cli: Cli) -> None:
    lines = cli("explain", "--list").out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == [row.key for row in TABLE]
    rows = cli("explain", "--list", "--output", "json").document["rows"]
    assert [row["title"] for row in rows] == [row.title for row in TABLE]


@pytest.mark.parametrize("more", ["AADSTS7000215", "--live"])
def test_the_list_goes_alone(cli: Cli, more: str) -> None:
    done = cli("explain", "--list", more)
    assert (done.code, done.out) == (2, "")


def test_a_text_with_a_hyphen_goes_after_two(cli: Cli) -> None:
    assert cli("explain", "--", "-2146233088: AADSTS90002").code == 0


def test_live_names_its_tenant(cli: Cli) -> None:
    done = cli("explain", "AADSTS7000215", "--live")
    assert done.code == 2
    assert "which tenant?" in done.err


def _stopped(cause: MimappError) -> StoppedError:
    error = StoppedError("half-way")
    error.__cause__ = cause
    return error


ERRORS = [
    (_stopped(DeniedError("no", service="exchange", status=403)), "exchange-403"),
    (_stopped(UsageError("no")), None),
    (SignInError("no", explain="AADSTS7000215"), "AADSTS7000215"),
    (SignInError("no", explain="AADSTS53003"), "AADSTS53003"),
    (SignInError("no", explain="AADSTS1"), None),
    (StalePlanError("no"), "stale-plan"),
    (HostInputError("no"), "host-input"),
    (UsageError("no"), None),
    (
        DeniedError("no", service="graph", status=403, code="Authorization_RequestDenied"),
        "Authorization_RequestDenied",
    ),
    (DeniedError("no", service="exchange", status=403), "exchange-403"),
    (DeniedError("no", service="graph", status=403), None),
    (DeniedError("no", service="exchange", status=403, code="Something"), None),
    (BusyError("too many requests, HTTP 429", service="graph", status=429), "graph-throttled"),
    (
        ConflictError("no", service="exchange", status=400, details=["the scope is not a security principal"]),
        "not-a-security-principal",
    ),
]


@pytest.mark.parametrize(("error", "key"), ERRORS, ids=lambda value: str(value) if isinstance(value, str) else "")
def test_an_error_ends_with_its_key_where_it_has_a_row(cli: Cli, error: MimappError, key: str | None) -> None:
    def body(_run: Run) -> Result:
        raise error

    assert key_of(error) == key
    done = cli.body(body)
    last = done.err.splitlines()[-1]
    if key is None:
        assert "explain" not in done.err
    else:
        assert last == f"  explain: mimapp explain {key}"
        assert explain(key)
    assert cli.body(body, output="json").document["explain"] == (key or error.explain)
