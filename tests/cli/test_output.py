"""stdout is the result and nothing else, in both forms, on a terminal and in a pipe."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mimapp.cli.output import SANDBOX_MARK, Output
from mimapp.cli.result import Block, Line, Pairs, Raw, Result, Table
from mimapp.cli.world import World, discard_rest
from support.command_line import Stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mimapp.cli.command import Run
    from support.command_line import Cli

BLOCKS = (
    Line("Application", "heading"),
    Pairs([("ApplicationId", "11111111"), ("Name", "MIM [bold]Service[/bold]")]),
    Line(),
    Table(("step", "what"), [("1", "made"), ("2", "kept :smile:")], tones=("good", "dim")),
)


def result(text: Sequence[Block] | Raw = BLOCKS) -> Result:
    return Result(schema="mimapp.test/1", document={"name": "Zoë", "list": [1, None]}, text=text)


def test_text_in_a_pipe_is_plain_and_aligned(cli: Cli) -> None:
    ended = cli.body(lambda _: result())

    assert ended.err == ""
    assert ended.out == (
        "Application\n"
        "ApplicationId  11111111\n"
        "Name           MIM [bold]Service[/bold]\n"
        "\n"
        "step  what\n"
        "1     made\n"
        "2     kept :smile:\n"
    )


def test_text_in_a_pipe_is_never_wrapped(cli: Cli) -> None:
    long = "word " * 100
    cli.variables["COLUMNS"] = "40"

    assert cli.body(lambda _: result((Line(long),))).out == f"{long}\n"


def test_text_on_a_terminal_is_coloured_and_reads_no_markup(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    ended = cli.body(lambda _: result(), terminal=True)

    assert "\x1b[1m" in ended.out
    assert "[bold]Service[/bold]" in ended.out
    assert ":smile:" in ended.out


def test_no_color_is_obeyed(cli: Cli) -> None:
    cli.variables["NO_COLOR"] = "1"
    red = cli.body(lambda _: result((Line("look", "bad"),)), terminal=True)

    assert "\x1b[31m" not in red.out
    assert "\x1b[1;31m" not in red.out


def test_columns_set_the_width_of_a_terminal(cli: Cli) -> None:
    cli.variables["COLUMNS"] = "50"
    ended = cli.body(lambda _: result((Line("word " * 30),)), terminal=True)

    assert max(len(line) for line in ended.out.splitlines()) <= 50


def test_a_line_on_a_terminal_hangs_and_leaves_long_words_whole(cli: Cli) -> None:
    cli.variables["COLUMNS"] = "40"
    path = "file:/" + "long/" * 12
    ended = cli.body(lambda _: result((Line(f"  1. store it there and nowhere else: {path}"),)), terminal=True)

    assert ended.out.splitlines() == ["  1. store it there and nowhere else:", f"      {path}"]


def test_a_table_that_does_not_fit_a_terminal_loses_nothing(cli: Cli) -> None:
    table = Table(("key", "host", "note"), [("china", "h" * 60, "x"), ("delos", "short", "y")], tones=("good", "bad"))
    cli.variables["COLUMNS"] = "50"
    narrow = cli.body(lambda _: result((table,)), terminal=True).out
    cli.variables["COLUMNS"] = "90"
    wide = cli.body(lambda _: result((table,)), terminal=True).out

    assert re.sub(r"\x1b\[[0-9;]*m", "", wide).splitlines()[1].split() == ["china", "h" * 60, "x"]
    lines = [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", narrow).splitlines()]
    assert lines == [
        "china",
        "  host  " + "h" * 42,
        "        " + "h" * 18,
        "  note  x",
        "delos",
        "  host  short",
        "  note  y",
    ]


@pytest.mark.parametrize("terminal", [False, True])
def test_what_steers_a_terminal_does_not_reach_it(cli: Cli, *, terminal: bool) -> None:
    evil = "name\x1b[2J\x07\x9b31m\u202e"

    def body(run: Run) -> Result:
        run.output.tell((Line(evil),))
        return result((Line(evil), Pairs([("x", evil)]), Table(("y",), [(evil,)])))

    ended = cli.body(body, terminal=terminal)

    for char in ("\x1b[2J", "\x07", "\x9b", "\u202e"):
        assert char not in ended.out
        assert char not in ended.err
    assert ended.out.count("name�[2J��31m�") == 3


def test_blanks_and_lines_of_other_scripts_stay(cli: Cli) -> None:
    text = "名\u3000前\u00a0é\tx"

    assert cli.body(lambda _: result((Line(text),))).out == f"{text}\n"


def test_json_is_one_document_with_its_schema_first(cli: Cli) -> None:
    ended = cli.body(lambda _: result(), output="json")

    assert list(ended.document) == ["schema", "name", "list", "sandbox"]
    assert ended.document == {"schema": "mimapp.test/1", "name": "Zoë", "list": [1, None], "sandbox": False}
    assert "Zoë" in ended.out


def test_the_sandbox_marks_text_documents_and_stderr_once(cli: Cli) -> None:
    def body(run: Run) -> Result:
        run.output.tell((Line("one"),))
        run.output.tell((Line("two"),))
        return result((Line("three"),))

    text = cli.body(body, sandbox=True)
    assert text.out == f"{SANDBOX_MARK}\n\nthree\n"
    assert text.err == f"{SANDBOX_MARK}\none\ntwo\n"
    assert cli.body(body, sandbox=True, output="json").document["sandbox"] is True


def test_raw_text_has_no_mark_of_its_own(cli: Cli) -> None:
    ended = cli.body(lambda _: result(Raw("Set-Item\n")), sandbox=True)

    assert ended.out == "Set-Item\n"
    assert ended.err == f"{SANDBOX_MARK}\n"


def binary_world(cli: Cli, encoding: str) -> tuple[World, io.BytesIO]:
    target = io.BytesIO()
    stream = io.TextIOWrapper(target, encoding=encoding, errors="replace", write_through=True)
    return replace(cli.world(), stdout=stream), target


def test_raw_bytes_are_written_as_they_are(cli: Cli) -> None:
    world, target = binary_world(cli, "utf-8")

    Output(world).result(result(Raw("[HKLM]\n", "\ufeff[HKLM]\r\n".encode("utf-16-le"))))

    assert target.getvalue() == "\ufeff[HKLM]\r\n".encode("utf-16-le")


def test_a_terminal_that_cannot_say_it_gets_a_replacement(cli: Cli) -> None:
    world, target = binary_world(cli, "ascii")

    Output(world).result(result((Line("Zoë ✓"),)))

    assert target.getvalue() == b"Zo? ?\n"


def test_json_is_escaped_where_the_stream_cannot_say_it(cli: Cli) -> None:
    world, target = binary_world(cli, "ascii")

    Output(world, as_json=True).result(result())

    assert b'"Zo\\u00eb"' in target.getvalue()


@pytest.mark.parametrize(
    ("terminal", "encoding", "good", "bad"),
    [(False, "utf-8", "", ""), (True, "utf-8", "✓ ", "✗ "), (True, "cp1252", "+ ", "x ")],
)
def test_signs_suit_the_stream(cli: Cli, *, terminal: bool, encoding: str, good: str, bad: str) -> None:
    class Encoded(Stream):
        pass

    stream = Encoded(terminal=terminal)
    Encoded.encoding = encoding
    output = Output(replace(cli.world(), stderr=stream))

    assert (output.sign("good"), output.sign("bad")) == (good, bad)


class Gone(Stream):
    """A pipe whose reader has gone away."""

    def write(self, text: str) -> int:
        raise BrokenPipeError(f"{len(text)} characters nobody reads")


def test_a_reader_that_has_gone_away_is_no_error(cli: Cli) -> None:
    world = replace(cli.world(), stdout=Gone(), stderr=Gone())

    Output(world).result(result())
    Output(world, as_json=True).result(result())
    Output(world).tell((Line("nobody"),))
    discard_rest(world.stdout)


@pytest.mark.skipif(os.name != "posix", reason="a shell's pipe")
@pytest.mark.parametrize("argv", ["clouds", "clouds --output json", "--help", "--version", "config show --help"])
def test_a_closed_pipe_is_quiet(argv: str) -> None:
    line = f"{sys.executable} -m mimapp {argv} | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)  # noqa: S607 - ours

    assert done.stderr == ""
    assert done.returncode == 0


@pytest.mark.skipif(os.name != "posix", reason="a locale by variable")
def test_a_locale_without_unicode_does_not_crash(tmp_path: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mimapp", "config", "show", "--tenant", "Zoë"],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "MIMAPP_HOME": str(tmp_path)},
    )

    assert done.returncode == 0
    assert b"Zo?" in done.stdout
    assert done.stderr == b""
