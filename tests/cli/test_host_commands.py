"""``mimapp host``: files for the MIM server, printed or written as Windows reads them."""

from __future__ import annotations

import io
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mimapp.cli import main
from mimapp.host.tls import tls_reg, tls_script

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli


@pytest.mark.parametrize(
    ("argv", "content"),
    [
        ([], tls_script().encoded()),
        (["--disable-legacy"], tls_script(disable_legacy=True).encoded()),
        (["--format", "reg"], tls_reg().encoded()),
        (["--format", "reg", "--disable-legacy"], tls_reg(disable_legacy=True).encoded()),
    ],
)
def test_tls_in_a_pipe_and_in_a_file_is_what_windows_reads(
    cli: Cli, tmp_path: Path, argv: list[str], content: bytes
) -> None:
    target = io.BytesIO()
    piped = replace(cli.world(), stdout=io.TextIOWrapper(target, encoding="utf-8"))
    assert main(["host", "tls", *argv], world=piped) == 0
    assert target.getvalue() == content

    path = tmp_path / "made.ps1"
    ended = cli("host", "tls", *argv, "--out", str(path))
    assert ended.code == 0
    assert path.read_bytes() == content
    assert ended.out.splitlines()[0] == f"Written to {path}."
    assert "made.ps1" in ended.out.splitlines()[1]


def test_tls_on_a_terminal_is_text(cli: Cli) -> None:
    ended = cli("host", "tls", terminal=True)

    assert ended.out == tls_script().text


def test_tls_as_a_document_has_its_settings(cli: Cli) -> None:
    document = cli("host", "tls", "--output", "json").document

    assert document["schema"] == "mimapp.host-tls/1"
    assert document["content"] == tls_script().text
    assert document["writtenTo"] is None
    assert {"SystemDefaultTlsVersions", "SchUseStrongCrypto"} <= {row["name"] for row in document["settings"]}


def test_a_file_that_cannot_be_written_is_one_line(cli: Cli, tmp_path: Path) -> None:
    ended = cli("host", "tls", "--out", str(tmp_path / "none" / "x.ps1"))

    assert ended.code == 2
    assert ended.err == f"mimapp: --out {tmp_path / 'none' / 'x.ps1'} cannot be written: {os.strerror(2)}\n"
