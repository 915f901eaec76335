"""A process whose streams are not those of a desk: closed, full, a pipe without a reader, another encoding."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from mimapp import __version__
from support.machine import posix_only
from support.tenants import MAILBOX

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = posix_only  # the shell's redirections

FULL = "mimapp: No space left on device\n  look at the file and its disk\n"
UNTOLD = (
    "mimapp: the result cannot be written to stdout: No space left on device\n"
    "  look at the file behind stdout and its disk\n"
)
WRITE = f"register --mailbox {MAILBOX} --sandbox"


def shell(tmp_path: Path, line: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Run ``mimapp`` with a shell's redirections behind it."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("MIMAPP_", "AZURE_", "LC_"))}
    return subprocess.run(
        ["/bin/sh", "-c", f'"{sys.executable}" -m mimapp {line}'],
        env={**environ, "MIMAPP_HOME": str(tmp_path / "home"), **variables},
        capture_output=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("line", "code", "out", "err"),
    [
        (f"{WRITE} <&-", 2, "", "this command changes a tenant and nobody can be asked: stdin is no terminal"),
        ("clouds >&-", 0, "", ""),
        ("clouds --output json >&-", 0, "", ""),
        ("--version >&-", 0, "", ""),
        ("nonsense 2>&-", 2, "", ""),
        ("nonsense <&- >&- 2>&-", 2, "", ""),
        ("clouds >/dev/full", 2, "", UNTOLD),
        ("clouds --output json >/dev/full", 2, "", UNTOLD),
        (f"{WRITE} --dry-run >/dev/full", 2, "", UNTOLD),
        (f"{WRITE} --yes >/dev/full", 3, "", "what the command did is done, and mimapp log shows it"),
        (f"{WRITE} --yes --quiet 2>/dev/full >/dev/null", 0, "", ""),
        (f"{WRITE} --yes -vv 2>/dev/full >/dev/null", 0, "", ""),
        ("--help >/dev/full", 2, "", FULL),
        ("--version >/dev/full", 2, "", "mimapp: the version cannot be written: No space left on device\n"),
        ("nonsense 2>/dev/full", 2, "", ""),
        ("nonsense --output json >/dev/full 2>/dev/full", 2, "", ""),
    ],
)
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a full device of Linux")  # noqa: PTH110 - no Path here
def test_a_stream_that_takes_nothing(tmp_path: Path, line: str, code: int, out: str, err: str) -> None:
    done = shell(tmp_path, line)

    assert done.returncode == code
    assert done.stdout.decode() == out
    assert err in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert not (tmp_path / "home" / "crash.txt").exists()


@pytest.mark.parametrize("line", ["config show", "config show --output json", "--help", "--version", "clouds"])
def test_a_pipe_whose_reader_has_gone(tmp_path: Path, line: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "mimapp", *line.split()],
            env={**os.environ, "MIMAPP_HOME": str(tmp_path / "home")},
            stdout=writer,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    finally:
        os.close(writer)

    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    "variables",
    [
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"PYTHONIOENCODING": "latin-1"},
        {"PYTHONIOENCODING": "ascii:strict"},
        {"PYTHONIOENCODING": "cp437"},
    ],
    ids=["C", "latin-1", "ascii", "cp437"],
)
def test_a_locale_that_is_not_utf8(tmp_path: Path, variables: dict[str, str]) -> None:
    plan = shell(tmp_path, f"{WRITE} --dry-run", **variables)
    wrong = shell(tmp_path, "register --yes --mailbox mïm --output json", **variables)

    assert plan.returncode == 0, plan.stderr
    assert b"Register the application" in plan.stdout
    assert wrong.returncode == 2
    assert json.loads(wrong.stdout)["message"].startswith("mailbox: 'm")
    assert b"Traceback" not in plan.stderr + wrong.stderr


@pytest.mark.parametrize(
    ("line", "variables", "message"),
    [
        ("register --yes --mailbox \"$(printf '\\377')@contoso.com\"", {}, r"mailbox: '\udcff@contoso.com' is not an"),
        ("status --tenant \"$(printf '\\377')\"", {}, r"tenant: '\udcff' is neither a domain nor an id"),
        ("config show", {"MIMAPP_HOME": "~nosuchaccount/x"}, "MIMAPP_HOME: '~nosuchaccount/x' leads nowhere: nobody"),
        ("config show --config ~nosuchaccount/x", {}, "--config: '~nosuchaccount/x' leads nowhere: nobody"),
        ("status --sandbox", {"MIMAPP_HOME": "/dev/null", "MIMAPP_MAILBOX": MAILBOX}, "/dev/null is not a folder"),
        ("status --sandbox", {"MIMAPP_HOME": "/dev/null/x", "MIMAPP_MAILBOX": MAILBOX}, "the folder of local state"),
    ],
)
def test_what_a_shell_may_hand_over(tmp_path: Path, line: str, variables: dict[str, str], message: str) -> None:
    done = shell(tmp_path, line, **variables)

    assert done.returncode == 2
    assert f"mimapp: {message}" in done.stderr.decode(errors="replace")
    assert b"Traceback" not in done.stderr


def test_a_working_folder_that_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    line = f'--version; cd "{gone}" && rmdir "{gone}" && MIMAPP_HOME=relative "{sys.executable}" -m mimapp clouds'
    done = shell(tmp_path, line)

    assert done.returncode == 2
    assert done.stdout.decode() == f"mimapp {__version__}\n"
    assert done.stderr.decode() == (
        "mimapp: MIMAPP_HOME: 'relative' leads nowhere: No such file or directory\n  give an absolute path\n"
    )
