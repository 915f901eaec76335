"""The frame: how a command line becomes a run, whatever the command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mimapp import __version__
from mimapp.__main__ import main as process_main
from mimapp.cli import main
from mimapp.cli.command import Run, command
from mimapp.cli.kinds import DURATION, FLAG, NUMBER, PATH, TEXT, TEXTS
from mimapp.cli.names import Name
from mimapp.cli.options import argument, option, specs_of
from mimapp.cli.parsing import build, load
from mimapp.cli.result import Line, Result
from mimapp.clouds import CLOUDS
from support.command_line import Stream

if TYPE_CHECKING:
    from mimapp.cli.world import World
    from support.command_line import Cli


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeOptions:
    key_id: str = argument(TEXT, "KEYID", default="", help="the key")
    further: tuple[str, ...] = argument(TEXTS, "MORE", default=(), required=False, help="more keys")
    store: tuple[str, ...] = option(TEXTS, "--store", default=(), metavar="STORE", help="a store")
    count: int = option(NUMBER, "--count", default=1, help="how many")
    before: timedelta = option(DURATION, "--before", default=timedelta(days=30), help="when")  # noqa: RUF009 - a field
    out: Path | None = option(PATH, "--out", "-o", default=None, help="where to")  # noqa: RUF009 - a field
    again: bool = option(FLAG, "--again", default=False, help="once more")


SEEN: list[ProbeOptions] = []


@command(ProbeOptions, writes=True)
def probe(run: Run, options: ProbeOptions) -> Result:
    """Take what it is given.

    And nothing else.
    """
    SEEN.append(options)
    return Result(schema="mimapp.probe/1", document={}, text=(Line(f"{run.writing.dry_run} {run.options.verbose}"),))


def parsed(cli: Cli, *argv: str) -> tuple[int, World]:
    world = cli.world()
    with build("probe", probe).make_context("probe", list(argv), obj=world) as context:
        return context.command.invoke(context), world


def test_every_form_of_option_reaches_the_command_with_its_type(cli: Cli) -> None:
    code, world = parsed(
        cli, "k1", "k2", "--store", "a", "k3", "--store=b", "--count", "3", "--before", "90d", "-o", "x", "--again",
        "--dry-run", "-vv",
    )  # fmt: skip

    assert code == 0
    assert SEEN[-1] == ProbeOptions(
        key_id="k1",
        further=("k2", "k3"),
        store=("a", "b"),
        count=3,
        before=timedelta(days=90),
        out=Path("x"),
        again=True,
    )
    assert isinstance(world.stdout, Stream)
    assert world.stdout.getvalue() == "True 2\n"


def test_what_is_not_given_has_its_default(cli: Cli) -> None:
    parsed(cli, "k1", "--yes")

    assert SEEN[-1] == ProbeOptions(key_id="k1")


def test_an_argument_that_looks_like_an_option_comes_after_two_hyphens(cli: Cli) -> None:
    parsed(cli, "--yes", "--", "--k1")

    assert SEEN[-1].key_id == "--k1"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--yes"], "KEYID is missing: the key"),
        (["k", "--yes", "--count", "many"], "--count: 'many' is not a whole number"),
        (["k", "--yes", "--count", "-3"], "--count: '-3' is not a whole number"),
        (["k", "--yes", "--out", ""], "--out: is empty"),
        (["k", "--yes", "--store", "a", "--store", " "], "--store: is empty"),
        (["", "--yes"], "KEYID: is empty"),
    ],
)
def test_a_value_that_cannot_be_used_names_its_option(cli: Cli, argv: list[str], message: str) -> None:
    code, world = parsed(cli, *argv)

    assert code == 2
    assert isinstance(world.stderr, Stream)
    assert world.stderr.getvalue().startswith(f"mimapp: {message}")


def test_help_has_arguments_options_and_the_whole_docstring(cli: Cli) -> None:
    assert probe.help == "Take what it is given.\n\nAnd nothing else."
    assert [spec.name for spec in probe.specs][:7] == [spec.name for spec in specs_of(ProbeOptions)]
    assert cli.home.exists() is False, "no command makes the home folder without need"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["cloud"], "No such command 'cloud'. Did you mean 'clouds'?"),
        (["config", "shw"], "No such command 'shw'. Did you mean 'show'?"),
        (["config", "show", "--nonsense"], "No such option: --nonsense"),
        (["config", "show", "--tenan", "x"], "No such option: --tenan (Possible options: --tenant)"),
        (["config", "show", "extra"], "unexpected argument: extra"),
        (["config", "show", "--tenant"], "Option '--tenant' requires an argument"),
        (["config", "show", "--quiet=yes"], "Option '--quiet' does not take a value"),
        (["config", "show", "--deadline", "4"], "--deadline: '4' is not a duration"),
        (["config", "show", "--output", "xml"], "--output: 'xml' is none of text, json, html"),
        (["config", "show", "--tenant", " "], "--tenant: is empty"),
    ],
)
def test_a_line_that_cannot_be_used_is_exit_2_and_one_message(cli: Cli, argv: list[str], message: str) -> None:
    ended = cli(*argv)

    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.startswith(f"mimapp: {message}")
    assert "Traceback" not in ended.err


def test_version_is_answered_before_anything_heavy_is_imported() -> None:
    code = "import sys; from mimapp.__main__ import main; main(['--version']); print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.startswith(f"mimapp {__version__}\n")
    for heavy in ("typer", "rich", "httpx", "msgspec", "mimapp.cli"):
        assert f"'{heavy}'" not in done.stdout


def test_version_of_the_entry_point(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert process_main(["--version"]) == 0
    assert capsys.readouterr().out == f"mimapp {__version__}\n"
    monkeypatch.setattr(sys, "argv", ["mimapp", "--version"])
    assert process_main() == 0
    assert capsys.readouterr().out == f"mimapp {__version__}\n"


def test_version_of_the_command_line_itself(cli: Cli) -> None:
    ended = cli("--version")

    assert (ended.code, ended.out, ended.err) == (0, f"mimapp {__version__}\n", "")


def test_the_process_is_a_world_like_any_other(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert process_main(["clouds"]) == 0
    finally:
        signal.signal(signal.SIGTERM, before)
    assert "global" in capsys.readouterr().out
    assert main(["clouds", "--output", "json"]) == 0
    assert capsys.readouterr().out.startswith('{\n  "schema": "mimapp.clouds/1"')


def test_the_clouds_are_those_of_the_table(cli: Cli) -> None:
    document = cli("clouds", "--output", "json").document

    assert [row["key"] for row in document["clouds"]] == list(CLOUDS)
    assert [row["key"] for row in document["clouds"] if row["default"]] == ["global"]
    text = cli("clouds").out
    for cloud in CLOUDS.values():
        assert cloud.title in text
        for sentence in cloud.unknowns:
            assert sentence in text


def test_a_row_that_is_no_command_is_a_bug() -> None:
    with pytest.raises(TypeError, match="is no command"):
        load(Name("x", "config", "Table", "x"))


def test_options_have_to_be_declared() -> None:
    @dataclass
    class Bare:
        name: str = "x"

    with pytest.raises(TypeError, match="not declared"):
        specs_of(Bare)
    with pytest.raises(TypeError, match="is no dataclass"):
        specs_of(int)


class Interrupted(Stream):
    """A stream that Ctrl-C interrupts when the help is written."""

    def write(self, _text: str) -> int:
        raise KeyboardInterrupt


def test_what_happens_outside_of_a_command_is_told_too(cli: Cli) -> None:
    world = replace(cli.world(), stdout=Interrupted())

    assert main(["--help"], world=world) == 130
    assert isinstance(world.stderr, Stream)
    assert world.stderr.getvalue().startswith("mimapp: interrupted\n")


@pytest.mark.skipif(os.name != "posix", reason="signals and named pipes as POSIX has them")
@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGTERM, 143, "terminated"), (signal.SIGINT, 130, "interrupted")]
)
def test_a_signal_ends_a_process_with_its_code_in_words(
    tmp_path: Path, number: signal.Signals, code: int, word: str
) -> None:
    pipe = tmp_path / "config.pipe"
    os.mkfifo(pipe, 0o600)
    process = subprocess.Popen(
        [sys.executable, "-m", "mimapp", "config", "show", "--config", str(pipe)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "MIMAPP_HOME": str(tmp_path / "home")},
    )
    # The pipe opens when the command reads from it; it then waits as long as nothing comes.
    with process, pipe.open("w"):
        process.send_signal(number)
        out, err = process.communicate()

    assert process.returncode == code
    assert out == ""
    assert err.startswith(f"mimapp: {word}\n")
    assert "Traceback" not in err
