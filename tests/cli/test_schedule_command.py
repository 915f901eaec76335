"""``mimapp schedule``: what each system's files carry of the command line, and what a schedule may not carry."""

from __future__ import annotations

import stat
import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from support.machine import posix_only

if TYPE_CHECKING:
    from pathlib import Path

    from support.command_line import Cli, Ended

MAILBOX = ("--mailbox", "MIMService@contoso.onmicrosoft.com")
UNATTENDED = ("--auth", "managed-identity")
VAULT = "keyvault:https://v.vault.azure.net/secrets/mim"
NAME = "mimapp-rotate-mimservice"
THERE = ("--home", "C:\\ProgramData\\mimapp", "--program", "C:\\mimapp\\mimapp.exe")

pytestmark = posix_only


@pytest.fixture
def home(cli: Cli) -> Path:
    cli.home.mkdir(mode=0o700)
    return cli.home


def schedule(cli: Cli, kind: str, *more: str, auth: tuple[str, ...] = UNATTENDED) -> Ended:
    return cli("schedule", kind, *MAILBOX, *auth, *more)


def command_of(unit: str) -> list[str]:
    (line,) = [line for line in unit.splitlines() if line.startswith("ExecStart=")]
    return line.removeprefix("ExecStart=").split()


@pytest.mark.usefixtures("home")
def test_every_option_of_the_rotation_is_carried_with_absolute_paths(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    secret = tmp_path / "operator.secret"
    secret.write_text("replaced-secret")
    done = schedule(
        cli, "cron", "--client-id", "11111111-1111-1111-1111-111111111111", "--before", "30d", "--overlap", "20d",
        "--nodes", "mim1,mim2", "--deploy-hook", "/bin/true", "--secret-to", VAULT,
        "--client-secret-file", secret.name,
        auth=("--auth", "client-secret"),
    )  # fmt: skip
    assert done.code == 0, done.err
    (job,) = [line for line in done.out.splitlines() if line and not line.startswith("#")]
    assert f"MIMAPP_HOME={cli.home} {sys.executable} -m mimapp rotate --if-due --yes --quiet" in job
    for words in (
        "--before 30d", "--overlap 20d", "--deploy-hook /bin/true", f"--secret-to {VAULT}",
        f"--client-secret-file {secret}", "--auth client-secret", " ".join(MAILBOX),
    ):  # fmt: skip
        assert words in job
    assert "mim1" in job
    assert "mim2" in job
    assert "replaced-secret" not in done.out + done.err


@pytest.mark.usefixtures("home")
def test_a_system_service_gets_its_credential_from_the_manager(cli: Cli, tmp_path: Path) -> None:
    certificate = tmp_path / "operator.pem"
    certificate.write_text("replaced-secret")
    done = schedule(
        cli, "systemd", "--manager", "system", "--client-id", "11111111-1111-1111-1111-111111111111",
        "--certificate", str(certificate), "--output", "json", auth=("--auth", "certificate"),
    )  # fmt: skip
    assert done.code == 0, done.err
    files = {file["name"]: file["content"] for file in done.document["files"]}
    assert set(files) == {f"{NAME}.service", f"{NAME}.timer"}
    assert f"LoadCredential=certificate:{certificate}" in files[f"{NAME}.service"]
    words = command_of(files[f"{NAME}.service"])
    assert words[words.index("--certificate") + 1] == "%d/certificate"
    assert done.document["environment"] == {"MIMAPP_HOME": str(cli.home)}
    assert done.document["done"] == []


@pytest.mark.usefixtures("home")
def test_what_comes_from_a_variable_is_written_out(cli: Cli) -> None:
    cli.variables |= {"MIMAPP_MAILBOX": MAILBOX[1], "MIMAPP_AUTH": "managed-identity", "MIMAPP_OVERLAP": "21d"}
    done = cli("schedule", "systemd", "--manager", "user")
    assert done.code == 0, done.err
    words = command_of(done.out)
    assert words[words.index("--mailbox") + 1] == MAILBOX[1]
    assert words[words.index("--auth") + 1] == "managed-identity"
    assert words[words.index("--overlap") + 1] == "21d"


def test_the_configuration_is_read_there_again_here_and_written_out_elsewhere(cli: Cli, home: Path) -> None:
    config = home / "config.toml"
    config.write_text('overlap = "21d"\n')
    config.chmod(0o600)
    here = schedule(cli, "cron")
    assert here.code == 0, here.err
    assert "--overlap" not in here.out
    there = schedule(cli, "kubernetes", "--image", "registry.example/mimapp:1", "--secret-to", VAULT, auth=())
    assert there.code == 0, there.err
    assert '"--overlap"' in there.out
    assert '"21d"' in there.out
    assert '"workload-identity"' in there.out


@pytest.mark.usefixtures("home")
def test_runs_are_spread_by_the_system_or_by_the_command(cli: Cli) -> None:
    elsewhere = ("--image", "registry.example/mimapp:1")
    assert "--jitter 20m" in schedule(cli, "cron").out
    assert "--jitter 20m" in schedule(cli, "github-actions", "--secret-to", VAULT, auth=()).out
    assert '"--jitter"' in schedule(cli, "kubernetes", *elsewhere, "--secret-to", VAULT, auth=()).out
    assert "--jitter" not in schedule(cli, "systemd").out
    asked = schedule(cli, "cron", "--jitter", "5m").out
    assert "--jitter 5m" in asked
    assert "--jitter 20m" not in asked


def test_a_windows_task_is_written_as_windows_reads_it(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "made" / "files"
    done = schedule(cli, "windows-task", *THERE, "--account", "CONTOSO\\mim$", "--at", "03:15", "--out", str(folder))
    assert done.code == 0, done.err
    assert f"Wrote {folder / f'{NAME}.xml'}." in done.out
    assert f"Register-ScheduledTask {NAME} -Xml" in done.out
    root = ET.fromstring((folder / f"{NAME}.xml").read_bytes().decode("utf-16"))  # noqa: S314 - made here
    texts = [text for text in root.itertext() if text.strip()]
    assert "CONTOSO\\mim$" in texts
    assert any(text.endswith("T03:15:00") for text in texts)
    assert any("C:\\mimapp\\mimapp.exe rotate --if-due" in text for text in texts)


def test_a_container_keeps_its_home_on_a_volume(cli: Cli) -> None:
    done = schedule(cli, "kubernetes", "--image", "registry.example/mimapp:1", "--volume", "claim", auth=())
    assert done.code == 0, done.err
    assert 'claimName: "claim"' in done.out
    assert '"/var/lib/mimapp"' in done.out


def test_a_workflow_signs_in_without_a_secret(cli: Cli) -> None:
    done = schedule(cli, "github-actions", "--secret-to", VAULT, auth=())
    assert done.code == 0, done.err
    assert 'id-token: "write"' in done.out
    assert "--auth workload-identity" in done.out


def test_a_timer_is_installed_for_the_user(cli: Cli, home: Path, tmp_path: Path) -> None:
    called = stand_in(tmp_path, "systemctl")
    cli.variables |= {"PATH": str(called.parent), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    done = schedule(cli, "systemd", "--manager", "user", "--install")
    assert done.code == 0, done.err
    units = tmp_path / "config" / "systemd" / "user"
    assert sorted(path.name for path in units.iterdir()) == [f"{NAME}.service", f"{NAME}.timer"]
    assert stat.S_IMODE((units / f"{NAME}.timer").stat().st_mode) == 0o644
    assert f"Environment=MIMAPP_HOME={home}" in (units / f"{NAME}.service").read_text()
    assert called.with_suffix(".calls").read_text().splitlines() == [
        "--user daemon-reload",
        f"--user enable --now {NAME}.timer",
    ]


@pytest.mark.usefixtures("home")
def test_a_manager_that_refuses_is_told(cli: Cli, tmp_path: Path) -> None:
    called = stand_in(tmp_path, "systemctl", code=1, says="Failed to connect to bus")
    cli.variables |= {"PATH": str(called.parent), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    done = schedule(cli, "systemd", "--manager", "user", "--install")
    assert done.code == 2
    assert "systemctl --user daemon-reload ended with 1" in done.err
    assert "Failed to connect to bus" in done.err


@pytest.mark.usefixtures("home")
def test_a_crontab_keeps_its_other_lines(cli: Cli, tmp_path: Path) -> None:
    tab = tmp_path / "tab"
    tab.write_text("0 1 * * * /usr/bin/backup\n")
    program = tmp_path / "bin" / "crontab"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nif [ "$1" = -l ]; then /bin/cat {tab}; else /bin/cat > {tab}; fi\n')
    program.chmod(0o755)
    cli.variables["PATH"] = str(program.parent)
    for _ in range(2):
        done = schedule(cli, "cron", "--install")
        assert done.code == 0, done.err
    lines = tab.read_text().splitlines()
    assert lines[0] == "0 1 * * * /usr/bin/backup"
    assert sum("rotate --if-due" in line for line in lines) == 1


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("kind", "more", "auth", "line"),
    [
        ("cron", ("--compromised", "k"), UNATTENDED, "--compromised is for a run by hand"),
        ("cron", ("--again",), UNATTENDED, "--again is for a run by hand"),
        ("cron", (), (), "a schedule has nobody to sign in"),
        ("cron", (), ("--auth", "device-code"), "--auth device-code needs a person's session"),
        ("cron", ("--client-id", "1"), ("--auth", "client-secret"), "a schedule carries no AZURE_CLIENT_SECRET"),
        ("cron", ("--secret-to", "stdout"), UNATTENDED, "nobody sees what a schedule prints"),
        ("cron", ("--secret-to", "exec:cat"), UNATTENDED, "'cat' is not absolute"),
        ("cron", ("--deploy-hook", "hook.sh"), UNATTENDED, "'hook.sh' is not absolute"),
        ("cron", ("--deploy-hook", "/nowhere/hook"), UNATTENDED, "/nowhere/hook is not there"),
        ("cron", ("--account", "root"), UNATTENDED, "a crontab is its account's own"),
        ("cron", ("--at", "25:00"), UNATTENDED, "25:00"),
        ("systemd", ("--account", "no-such-account"), UNATTENDED, "there is no such account on this machine"),
        ("windows-task", (), UNATTENDED, "which MIMAPP_HOME does the task have"),
        ("windows-task", THERE[:2], UNATTENDED, "where is mimapp on that machine?"),
        ("windows-task", ("--home", "mimapp", *THERE[2:]), UNATTENDED, "'mimapp' is not absolute"),
        ("windows-task", (*THERE, "--install"), UNATTENDED, "cannot be installed from here"),
        ("kubernetes", ("--image", "a/b:1"), (), "keeps nothing between two runs"),
        ("kubernetes", ("--volume", "claim"), (), "which image?"),
        ("github-actions", (), (), "keeps nothing between two runs"),
    ],
)  # fmt: skip
def test_what_a_schedule_cannot_carry(
    cli: Cli, kind: str, more: tuple[str, ...], auth: tuple[str, ...], line: str
) -> None:
    refused = schedule(cli, kind, *more, auth=auth)
    assert refused.code == 2, refused.err
    assert line in refused.err
    assert refused.out == ""


def test_a_home_that_is_not_there_is_said_before_anything_is_made(cli: Cli) -> None:
    refused = schedule(cli, "cron")
    assert refused.code == 2
    assert f"MIMAPP_HOME {cli.home} is not a folder yet" in refused.err


@pytest.mark.usefixtures("home")
def test_a_folder_that_cannot_be_made_is_said(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    refused = schedule(cli, "cron", "--out", str(file / "folder"))
    assert refused.code == 2
    assert f"--out {file / 'folder'} cannot be written" in refused.err


def stand_in(tmp_path: Path, name: str, *, code: int = 0, says: str = "") -> Path:
    """A program of the system that writes down how it was called."""
    program = tmp_path / "bin" / name
    program.parent.mkdir()
    calls = program.with_suffix(".calls")
    program.write_text(f'#!/bin/sh\necho "$*" >> {calls}\necho "{says}" >&2\nexit {code}\n')
    program.chmod(0o755)
    return program
