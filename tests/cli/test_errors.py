"""Errors as words: what failed, what the service said, what to do; bugs leave a traceback where the message says."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from mimapp.cli.names import TABLE
from mimapp.cli.output import SANDBOX_MARK
from mimapp.errors import DeniedError, SignInError, StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mimapp.cli.command import Run
    from mimapp.cli.result import Result
    from support.command_line import Cli


def failing(error: BaseException) -> Callable[[Run], Result]:
    def body(_run: Run) -> Result:
        raise error

    return body


def test_the_words_of_a_service_error(cli: Cli) -> None:
    error = DeniedError(
        "the policy cannot be made",
        service="exchange",
        status=403,
        code="AccessDenied",
        request_id="0a1b",
        retry_after=3.0,
        hint="ask for Exchange Administrator",
        details=("role: none",),
    )

    assert cli.body(failing(error)).err == (
        "mimapp: the policy cannot be made\n"
        "  role: none\n"
        "  exchange answered HTTP 403, AccessDenied, request id 0a1b\n"
        "  ask for Exchange Administrator\n"
    )
    assert cli.body(failing(error), output="json").document["service"] == {
        "name": "exchange",
        "status": 403,
        "code": "AccessDenied",
        "requestId": "0a1b",
        "retryAfter": 3.0,
    }


def test_what_a_service_left_out_is_left_out(cli: Cli) -> None:
    error = DeniedError("no", service="graph", status=403)

    assert cli.body(failing(error)).err == "mimapp: no\n  graph answered HTTP 403\n"


def test_an_error_names_explain_where_that_command_is_offered(cli: Cli) -> None:
    ended = cli.body(failing(SignInError("no", explain="AADSTS7000215")), output="json")

    assert ended.document["explain"] == "AADSTS7000215"
    offered = any(row.path == "explain" for row in TABLE)
    assert ("mimapp explain AADSTS7000215" in ended.err) is offered


def test_under_json_the_words_go_to_stderr_too(cli: Cli) -> None:
    assert cli.body(failing(StoppedError("half-way")), output="json").err == "mimapp: half-way\n"


def test_markup_in_an_error_is_text(cli: Cli) -> None:
    ended = cli.body(failing(StoppedError("[red]x[/red] [link=http://a]y[/link]")), terminal=True)

    assert "[red]x[/red] [link=http://a]y[/link]" in ended.err


def test_the_sandbox_marks_errors(cli: Cli) -> None:
    ended = cli.body(failing(StoppedError("half-way")), sandbox=True)

    assert ended.err == f"{SANDBOX_MARK}\nmimapp: half-way\n"


def test_a_bug_is_one_line_and_its_traceback_lies_in_a_private_file(cli: Cli) -> None:
    ended = cli.body(failing(ZeroDivisionError("division\nby zero")))

    crash = cli.home / "crash.txt"
    assert ended.code == 1
    assert ended.err == (
        "mimapp: this is a bug in mimapp: ZeroDivisionError: division by zero\n"
        f"  the traceback is in {crash}; please report it\n"
    )
    assert "Traceback (most recent call last)" in crash.read_text(encoding="utf-8")
    assert stat.S_IMODE(crash.stat().st_mode) & 0o077 == 0


def test_a_bug_shows_its_traceback_with_v(cli: Cli) -> None:
    ended = cli.body(failing(ZeroDivisionError()), verbose=1)

    assert "Traceback (most recent call last)" in ended.err
    assert "please report it with the lines above" in ended.err
    assert not (cli.home / "crash.txt").exists()


def test_a_bug_where_nothing_can_be_written_says_so(cli: Cli) -> None:
    cli.home.write_text("a file where a folder should be")
    ended = cli.body(failing(ZeroDivisionError()))

    assert ended.code == 1
    assert "run it again with -v to see the traceback" in ended.err


def test_a_command_that_leaves_by_sys_exit_is_a_bug(cli: Cli) -> None:
    assert cli.body(failing(SystemExit(0))).code == 1


def test_a_full_disk_is_named(cli: Cli) -> None:
    ended = cli.body(failing(OSError(28, "No space left on device", "/var/x.json")))

    assert ended.err == "mimapp: No space left on device: /var/x.json\n  look at the file and its disk\n"


@pytest.mark.parametrize(
    ("argv", "as_json"),
    [
        (["clouds", "--nonsense", "--output", "json"], True),
        (["clouds", "--nonsense", "--output=json"], True),
        (["clouds", "--nonsense", "--output"], False),
        (["clouds", "--nonsense"], False),
    ],
)
def test_a_line_that_cannot_be_parsed_still_answers_in_json(cli: Cli, argv: list[str], *, as_json: bool) -> None:
    ended = cli(*argv)

    assert ended.code == 2
    if as_json:
        assert ended.document["message"].startswith("No such option: --nonsense")
    else:
        assert ended.out == ""


def test_the_variable_asks_for_json_as_well(cli: Cli) -> None:
    cli.variables["MIMAPP_OUTPUT"] = "json"

    assert cli("nonsense").document["exitCode"] == 2


def test_an_option_before_the_command_says_where_options_stand(cli: Cli) -> None:
    ended = cli("--tenant", "contoso.example", "clouds")

    assert ended.code == 2
    assert "options stand after the command" in ended.err
