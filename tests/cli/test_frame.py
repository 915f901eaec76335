"""The frame: what is the same for every command."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from mimapp import __version__
from mimapp.__main__ import main as process_main

if TYPE_CHECKING:
    from conftest import Cli


def test_version_is_answered_before_anything_heavy_is_imported() -> None:
    code = "import sys; from mimapp.__main__ import main; main(['--version']); print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - ours

    assert done.stdout.startswith(f"mimapp {__version__}\n")
    for heavy in ("typer", "rich", "httpx", "msgspec", "mimapp.cli"):
        assert f"'{heavy}'" not in done.stdout


def test_version_of_the_entry_point(capsys: pytest.CaptureFixture[str]) -> None:
    assert process_main(["--version"]) == 0
    assert capsys.readouterr().out == f"mimapp {__version__}\n"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["config", "show", "--nonsense"], "No such option: --nonsense"),
        (["config", "show", "extra"], "unexpected argument: extra"),
        (["config", "show", "--deadline", "4"], "--deadline: '4' is not a duration"),
        (["config", "show", "--output", "xml"], "--output: 'xml' is none of text, json"),
        (["config", "show", "--tenant", " "], "--tenant: is empty"),
    ],
)
def test_a_line_that_cannot_be_used_is_exit_2_and_one_message(cli: Cli, argv: list[str], message: str) -> None:
    ended = cli(*argv)

    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.startswith(f"mimapp: {message}")
    assert "Traceback" not in ended.err
