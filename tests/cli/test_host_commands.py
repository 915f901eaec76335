"""``mimapp host``: files for the MIM server, printed or written as Windows reads them."""

from __future__ import annotations

import io
import os
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from mimapp.cli import main
from mimapp.cli.commands.host_sheet import ACCOUNTS, AUTHENTICATIONS, MAIL_SERVERS
from mimapp.host.collect import collect_script
from mimapp.host.options import Account, Authentication, MailServer
from mimapp.host.secret_script import secret_script
from mimapp.host.tls import tls_reg, tls_script

if TYPE_CHECKING:
    from pathlib import Path

    from support.command_line import Cli

MAILBOX = "MIMService@contoso.onmicrosoft.com"
MEANT = ("--mailbox", MAILBOX, "--sandbox")


@pytest.fixture
def registered(cli: Cli) -> Cli:
    """A home whose sandbox has one registration."""
    ended = cli("register", *MEANT, "--yes")
    assert ended.code == 0, ended.err
    return cli


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


def test_collect_asks_for_the_hosts_of_the_cloud(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "collect.ps1"

    assert cli("host", "collect", "--out", str(path)).code == 0
    assert path.read_bytes() == collect_script().encoded()
    china = cli("host", "collect", "--cloud", "china", "--output", "json").document
    assert china["hosts"] == ["login.partner.microsoftonline.cn", "partner.outlook.cn"]
    assert "'partner.outlook.cn'" in china["content"]
    assert cli("host", "collect", "--cloud", "mars").code == 2


def test_check_judges_an_export_and_says_attention(cli: Cli, tmp_path: Path) -> None:
    export = tmp_path / "server.reg"
    export.write_bytes(tls_reg().encoded())
    assert cli("host", "check", str(export)).code == 0
    export.write_bytes(tls_reg().text.replace("00000001", "00000000").encode())

    ended = cli("host", "check", str(export))
    assert ended.code == 3
    assert "TLS 1.2" in ended.out
    document = cli("host", "check", str(export), "--output", "json").document
    assert document["schema"] == "mimapp.host-check/1"
    assert document["attention"] is True
    assert {row["verdict"] for row in document["rows"]} >= {"wrong", "not seen"}

    page = tmp_path / "report.html"
    assert cli("host", "check", str(export), "--format", "html", "--out", str(page)).code == 3
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_check_compares_with_a_registration_that_is_named(registered: Cli, tmp_path: Path) -> None:
    export = tmp_path / "server.reg"
    export.write_bytes(
        "\ufeffWindows Registry Editor Version 5.00\r\n\r\n"
        "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Forefront Identity Manager\\2010\\Service]\r\n"
        '"ExchangeOnlineTenantID"="00000000-0000-0000-0000-000000000001"\r\n'.encode("utf-16-le")
    )

    rows = registered("host", "check", str(export), *MEANT, "--output", "json").document["rows"]
    tenant = next(row for row in rows if row["title"] == "Tenant ID")
    assert tenant["verdict"] == "wrong"
    assert tenant["wanted"] == "5a6db0c0-0001-4c0a-8f00-c0de00000001"
    alone = registered("host", "check", str(export), "--output", "json").document["rows"]
    assert next(row for row in alone if row["title"] == "Tenant ID")["verdict"] == "note"


@pytest.mark.parametrize(
    ("argv", "code", "message"),
    [
        ([], 9, "nothing to check"),
        (["none.json"], 9, "none.json cannot be read"),
        (["--local", "x.reg"], 2, "--local and FILE do not go together"),
    ],
)
def test_check_without_a_readable_input(cli: Cli, argv: list[str], code: int, message: str) -> None:
    ended = cli("host", "check", *argv)

    assert ended.code == code
    assert message in ended.err.splitlines()[0]


@pytest.mark.skipif(os.name == "nt", reason="this machine has a registry")
def test_check_local_is_for_windows(cli: Cli) -> None:
    assert cli("host", "check", "--local").code == 9


def test_a_sheet_by_letter_and_by_choices_is_the_same(registered: Cli) -> None:
    by_letter = registered("host", "sheet", "--option", "H", *MEANT)
    choices = ("--mail-server", "office-365", "--auth-method", "application-context", "--account", "gmsa")
    by_choice = registered("host", "sheet", *choices, *MEANT)

    assert by_letter.code == 0
    assert by_letter.out == by_choice.out
    assert f"mimapp secret show --mailbox {MAILBOX} --sandbox" in by_letter.out
    assert "5a6db0c0-0001-4c0a-8f00-c0de00000001" in by_letter.out
    assert "SANDBOX" in by_letter.out


def test_a_sheet_has_four_forms(registered: Cli, tmp_path: Path) -> None:
    filled = ("host", "sheet", "--option", "C", "--account-name", "svcMIM", "--account-domain", "CONTOSO", *MEANT)

    assert "svcMIM" in registered(*filled).out
    assert registered(*filled, "--format", "markdown").out.startswith("# MIM Service installer, option C")
    page = tmp_path / "sheet.html"
    assert registered(*filled, "--format", "html", "--out", str(page)).code == 0
    assert "svcMIM" in page.read_text(encoding="utf-8")
    document = registered(*filled, "--output", "json").document
    assert document["schema"] == "mimapp.host-sheet/1"
    assert document["sandbox"] is True
    assert document["writtenTo"] is None


def test_a_sheet_of_a_named_registration_says_how_to_show_its_secret(cli: Cli) -> None:
    named = (*MEANT, "--registration", "test")
    assert cli("register", *named, "--yes").code == 0

    assert f"mimapp secret show --mailbox {MAILBOX} --registration test --sandbox" in (
        cli("host", "sheet", "--option", "H", *named).out
    )


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "which option of the installer?"),
        (["--mail-server", "smtp"], "which option of the installer?"),
        (["--option", "H", "--account", "gmsa"], "--option says the authentication and the account already"),
        (["--option", "B"], "installer option B"),
        (["--option", "Z"], "there is no installer option 'Z'"),
        (["--mail-server", "pigeon"], "--mail-server: 'pigeon' is none of"),
        (
            ["--mail-server", "smtp", "--auth-method", "application-context", "--account", "gmsa"],
            "is not an option of the installer",
        ),
        (["--mail-server", "office-365", "--account", "gmsa"], "needs an authentication method"),
        (["--option", "H"], "which tenant?"),
    ],
)
def test_a_sheet_that_cannot_be_filled_is_one_line(cli: Cli, argv: list[str], message: str) -> None:
    ended = cli("host", "sheet", *argv)

    assert ended.code == 2
    assert message in ended.err.splitlines()[0]


def test_the_commands_of_a_sheet_name_the_registration_and_its_secret(registered: Cli) -> None:
    key_id = registered("secret", "list", *MEANT, "--output", "json").document["credentials"][0]["keyId"]
    text = registered("host", "sheet", "--option", "H", *MEANT).out
    meant = " ".join(MEANT)
    assert f"confirm the hand-over: mimapp handover confirm {key_id} {meant}\n" in text
    for command in ("mimapp secret show", "mimapp host check collected.json", "mimapp verify"):
        assert f"    {command} {meant}\n" in text
    assert "    mimapp host collect --out collect.ps1\n" in text


def test_a_sheet_needs_a_registration(cli: Cli) -> None:
    ended = cli("host", "sheet", "--option", "H", *MEANT)

    assert ended.code == 2
    assert f"{MAILBOX} is not registered in contoso.onmicrosoft.com" in ended.err


def test_the_words_of_the_options_are_the_rooms() -> None:
    assert tuple(MailServer) == MAIL_SERVERS
    assert tuple(Authentication) == AUTHENTICATIONS
    assert tuple(Account) == ACCOUNTS


def test_the_secret_script_is_the_rooms_with_what_was_given(cli: Cli, tmp_path: Path) -> None:
    ids = (
        "--application-id",
        "11111111-1111-1111-1111-111111111111",
        "--key-id",
        "22222222-2222-2222-2222-222222222222",
    )
    path = tmp_path / "secret.ps1"
    asked = ("host", "secret-script", "--account", "gmsa", "--accept-unsupported", *ids)

    ended = cli(*asked, "--old-secret-expires", "2027-05-20", "--out", str(path))

    assert ended.code == 0
    assert (
        path.read_bytes()
        == secret_script(
            Account.GMSA,
            accept_unsupported=True,
            application_id=ids[1],
            key_id=ids[3],
            old_secret_expires=datetime(2027, 5, 20, tzinfo=UTC),
        ).encoded()
    )
    assert "secret.ps1 -Phase Apply -WhatIf" in ended.out
    assert cli(*asked, "--output", "json").document["name"] == "mimapp-secret-gmsa.ps1"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "what does MIM Service run as?"),
        (["--account", "gmsa"], "not a documented procedure"),
        (["--account", "robot"], "--account: 'robot' is none of regular, gmsa"),
        (["--account", "gmsa", "--accept-unsupported", "--key-id", "x"], "the key id 'x' is not a GUID"),
        (["--old-secret-expires", "soon"], "--old-secret-expires: 'soon' is not a date or time"),
    ],
)
def test_a_secret_script_that_cannot_be_made_is_one_line(cli: Cli, argv: list[str], message: str) -> None:
    ended = cli("host", "secret-script", *argv)

    assert ended.code == 2
    assert message in ended.err.splitlines()[0]
