"""Schedules for systemd and cron: read back by systemd itself and by a shell, installed by stand-in programs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from schedule_jobs import AWKWARD, PLAIN

from mimapp.errors import UsageError
from mimapp.host.schedule import Times, spread, times_of
from mimapp.host.schedule_cron import cron_file, merged
from mimapp.host.schedule_install import Programs, install_cron, install_systemd
from mimapp.host.schedule_systemd import systemd_files
from support.machine import posix_only

if TYPE_CHECKING:
    from pathlib import Path

ANALYZE = shutil.which("systemd-analyze")
with_systemd = pytest.mark.skipif(ANALYZE is None, reason="there is no systemd-analyze on this machine")


def sections(text: str) -> dict[str, dict[str, str]]:
    """A unit file; the values of a key that comes twice stand below each other."""
    found: dict[str, dict[str, str]] = {}
    current: dict[str, str] = {}
    for line in filter(None, text.splitlines()):
        if line.startswith("["):
            current = found.setdefault(line.strip("[]"), {})
        else:
            key, _, value = line.partition("=")
            current[key] = f"{current[key]}\n{value}" if key in current else value
    return found


@pytest.mark.parametrize(
    ("interval", "at", "cron", "calendar"),
    [
        ("1d", "03:17", "17 3 * * *", "*-*-* 03:17:00"),
        ("6h", "03:17", "17 3-23/6 * * *", "*-*-* 03/6:17:00"),
        ("6h", "21:05", "5 3-23/6 * * *", "*-*-* 03/6:05:00"),
        ("1h", "00:00", "0 0-23/1 * * *", "*-*-* 00/1:00:00"),
    ],
)
def test_times_are_written_in_both_languages(interval: str, at: str, cron: str, calendar: str) -> None:
    span = timedelta(days=1) if interval == "1d" else timedelta(hours=int(interval[:-1]))
    times = times_of("x", at, span)
    assert (times.cron, times.calendar) == (cron, calendar)


@pytest.mark.parametrize("hours", [0.5, 5, 7, 48])
def test_an_interval_that_no_day_divides_into_is_refused(hours: float) -> None:
    with pytest.raises(UsageError, match="every so many hours that divide a day"):
        times_of("x", None, timedelta(hours=hours))


@pytest.mark.parametrize("at", ["3:17", "24:00", "03:60", "night"])
def test_a_time_that_is_none_is_refused(at: str) -> None:
    with pytest.raises(UsageError, match="is not a time of day"):
        times_of("x", at, timedelta(days=1))


def test_many_registrations_are_spread_over_the_night_and_each_keeps_its_minute() -> None:
    found = [spread(f"mimapp-rotate-{number}") for number in range(300)]
    assert found == [spread(f"mimapp-rotate-{number}") for number in range(300)]
    assert {hour for hour, _ in found} == {1, 2, 3, 4, 5}
    assert len(set(found)) > 150


@with_systemd
@pytest.mark.parametrize("is_user", [False, True])
@pytest.mark.parametrize("every", [24, 6])
def test_systemd_itself_finds_nothing_wrong(tmp_path: Path, every: int, *, is_user: bool) -> None:
    assert ANALYZE is not None
    job = replace(
        PLAIN,
        program=("/bin/true",),
        words=(*PLAIN.words, *AWKWARD, "100%", '"'),
        on_failure="/bin/echo '100%' $HOME \"failed\"",
        times=Times(hour=3, minute=17, every=every),
        environment={"MIMAPP_HOME": "/var/lib/mim app/100%"},
    )
    files = systemd_files(job, account="root", is_user=is_user)
    for file in files:
        (tmp_path / file.name).write_bytes(file.encoded())
    paths = [str(tmp_path / file.name) for file in files]
    words = [ANALYZE, "verify", "--man=no", *(["--user"] if is_user else []), *paths]
    found = subprocess.run(
        words,
        check=False,
        capture_output=True,
        text=True,
        env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:", "PATH": "/usr/bin"},
    )
    said = [line for line in (found.stdout + found.stderr).splitlines() if job.name in line]
    assert said == [], said
    calendar = subprocess.run([ANALYZE, "calendar", job.times.calendar], check=False, capture_output=True, text=True)
    assert calendar.returncode == 0, calendar.stderr


@with_systemd
def test_systemd_does_find_what_is_wrong(tmp_path: Path) -> None:
    """What the test above stands on: a fault in a unit is said with its name."""
    assert ANALYZE is not None
    (tmp_path / "broken.service").write_text('[Service]\nType=oneshot\nExecStart=/bin/true "a\n')
    words = [ANALYZE, "verify", "--man=no", str(tmp_path / "broken.service")]
    found = subprocess.run(words, check=False, capture_output=True, text=True)
    assert "broken.service:3: Unbalanced quoting" in found.stderr


def test_the_service_runs_the_command_with_the_managers_copy_of_the_credential() -> None:
    service, timer = systemd_files(PLAIN, account="mimops", is_user=False)
    assert (service.name, timer.name) == (f"{PLAIN.name}.service", f"{PLAIN.name}.timer")
    unit = sections(service.text)
    assert unit["Service"]["ExecStart"] == (
        "/opt/mimapp/bin/mimapp rotate --if-due --yes --auth client-secret --client-secret-file %d/client-secret-file"
    )
    assert unit["Service"]["LoadCredential"] == "client-secret-file:/etc/mimapp/operator.secret"
    assert unit["Service"]["User"] == "mimops"
    assert unit["Service"]["Environment"] == "MIMAPP_HOME=/var/lib/mimapp"
    assert unit["Service"]["ReadWritePaths"] == '/var/lib/mimapp\n"/srv/out put"'
    assert unit["Service"]["ProtectSystem"] == "strict"
    assert "OnFailure" not in unit["Unit"]
    assert sections(timer.text)["Timer"] == {
        "OnCalendar": "*-*-* 03:17:00",
        "RandomizedDelaySec": "30min",
        "Persistent": "true",
    }


def test_a_users_service_leaves_out_what_only_the_systems_manager_can_do() -> None:
    service, _ = systemd_files(PLAIN, account=None, is_user=True)
    unit = sections(service.text)["Service"]
    assert not {"User", "ProtectSystem", "ProtectHome", "PrivateTmp", "ReadWritePaths"} & set(unit)
    assert unit["NoNewPrivileges"] == "yes"


def test_a_failure_starts_the_hooks_own_service() -> None:
    service, _, failed = systemd_files(
        replace(PLAIN, on_failure="/bin/mail -s '100%' ops"), account=None, is_user=False
    )
    assert sections(service.text)["Unit"]["OnFailure"] == failed.name
    assert "100%%" in failed.text


def test_a_line_end_cannot_add_a_line_to_a_unit_or_a_crontab() -> None:
    for job in (replace(PLAIN, title="x\nExecStart=/bin/sh"), replace(PLAIN, words=("a\nUser=root",))):
        with pytest.raises(UsageError, match="control character"):
            systemd_files(job, account=None, is_user=False)
    with pytest.raises(UsageError, match="control character"):
        cron_file(replace(PLAIN, words=("a\n* * * * * root",)))


def crontab_command(text: str) -> str:
    """What cron gives to the shell: the line after its five fields, each escaped percent sign as itself."""
    (line,) = [line for line in text.splitlines() if not line.startswith("#")]
    return line.split(" ", 5)[5].replace("\\%", "%")


@posix_only
def test_a_shell_reads_every_word_of_a_crontab_as_it_is(tmp_path: Path) -> None:
    note = tmp_path / "note"
    script = f"import os, sys; open({str(note)!r}, 'w').write(repr((sys.argv[1:], os.environ['MIMAPP_HOME'])))"
    job = replace(
        PLAIN,
        program=(sys.executable, "-c", script),
        words=(*AWKWARD, "100%", '"'),
        environment={"MIMAPP_HOME": "/var/lib/mim app/100%"},
    )
    command = crontab_command(cron_file(job).text)
    done = subprocess.run(["/bin/sh", "-c", command], check=True, capture_output=True)
    assert done.stdout == b""
    assert note.read_text() == repr(([*AWKWARD, "100%", '"'], "/var/lib/mim app/100%"))


@posix_only
@pytest.mark.parametrize("code", [0, 3])
def test_only_a_failed_run_calls_the_hook_and_only_its_error_is_mailed(tmp_path: Path, code: int) -> None:
    job = replace(
        PLAIN,
        program=("/bin/sh", "-c", f"echo result; echo trouble >&2; exit {code}"),
        words=(),
        on_failure=f"touch '{tmp_path}/called 100%'",
    )
    done = subprocess.run(
        ["/bin/sh", "-c", crontab_command(cron_file(job).text)], check=False, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("", "trouble\n")
    assert (tmp_path / "called 100%").exists() == bool(code)


def test_a_crontab_keeps_what_is_not_ours() -> None:
    standing = "MAILTO=ops\n0 1 * * * /usr/bin/backup\n"
    once = merged(standing, PLAIN)
    assert once.startswith(standing)
    moved = merged(once + "0 2 * * * /usr/bin/other\n", replace(PLAIN, times=Times(hour=4, minute=0)))
    assert moved.count("BEGIN") == 1
    assert "17 3 * * *" not in moved
    assert "/usr/bin/backup" in moved
    assert "/usr/bin/other" in moved
    with pytest.raises(UsageError, match="no end of it"):
        merged(f"# BEGIN {PLAIN.name}\n0 1 * * * /usr/bin/backup\n", PLAIN)


def stand_in(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def programs(folder: Path) -> Programs:
    return Programs(environ={"PATH": f"{folder}:/usr/bin:/bin", "HERE": str(folder)})


@posix_only
@pytest.mark.parametrize("is_user", [False, True])
def test_installing_writes_units_and_starts_the_timer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_user: bool
) -> None:
    stand_in(tmp_path, "systemctl", 'echo "$@" >> "$HERE/called"')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    units = tmp_path / "units" / "user"
    files = systemd_files(PLAIN, account=None, is_user=is_user)
    done = install_systemd(files, units, programs(tmp_path), is_user=is_user)
    flag = "--user " if is_user else ""
    assert (tmp_path / "called").read_text().splitlines() == [
        f"{flag}daemon-reload",
        f"{flag}enable --now {PLAIN.name}.timer",
    ]
    assert sorted(path.name for path in units.iterdir()) == sorted(file.name for file in files)
    assert all((units / file.name).read_bytes() == file.encoded() for file in files)
    assert len(done) == len(files) + 2


@posix_only
def test_what_systemd_refuses_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, "systemctl", "echo 'Failed to connect to bus' >&2; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    files = systemd_files(PLAIN, account=None, is_user=True)
    with pytest.raises(UsageError, match="daemon-reload ended with 1") as caught:
        install_systemd(files, tmp_path / "units", programs(tmp_path), is_user=True)
    assert caught.value.details == ("Failed to connect to bus",)


def test_a_unit_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "units").write_text("a file")
    files = systemd_files(PLAIN, account=None, is_user=True)
    with pytest.raises(UsageError, match="cannot be written"):
        install_systemd(files, tmp_path / "units", programs(tmp_path), is_user=True)


@posix_only
@pytest.mark.parametrize("standing", [None, "0 1 * * * /usr/bin/backup\n"])
def test_installing_into_a_crontab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, standing: str | None) -> None:
    stand_in(
        tmp_path,
        "crontab",
        'if [ "$1" = - ]; then cat > "$HERE/table"; '
        'elif [ -f "$HERE/table" ]; then cat "$HERE/table"; else echo "no crontab for ops" >&2; exit 1; fi',
    )
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    if standing is not None:
        (tmp_path / "table").write_text(standing)
    assert install_cron(PLAIN, programs(tmp_path)) == ("wrote this account's crontab",)
    install_cron(PLAIN, programs(tmp_path))
    assert (tmp_path / "table").read_text() == (standing or "") + cron_file(PLAIN).text


@posix_only
@pytest.mark.parametrize(
    "script",
    ["echo 'you are not allowed to use this program' >&2; exit 1", '[ "$1" = -l ] || { echo bad minute >&2; exit 1; }'],
)
def test_what_cron_refuses_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    stand_in(tmp_path, "crontab", script)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(UsageError, match="ended with 1") as caught:
        install_cron(PLAIN, programs(tmp_path))
    assert caught.value.details[0] in {"you are not allowed to use this program", "bad minute"}


def test_a_machine_without_the_program_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="crontab cannot be started"):
        install_cron(PLAIN, programs(tmp_path))
