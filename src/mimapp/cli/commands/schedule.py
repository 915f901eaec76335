"""``mimapp schedule``: the daily rotation for systemd, cron, Windows, Kubernetes or GitHub Actions."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mimapp.cli.command import Run, command
from mimapp.cli.kinds import FLAG, PATH, TEXT, choice
from mimapp.cli.options import argument, option
from mimapp.cli.result import Line, Raw, Result
from mimapp.cli.rotate_options import RotateOptions
from mimapp.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mimapp.host.schedule import Job, ScheduleFile

__all__ = ["ScheduleOptions", "schedule"]

_KINDS = ("systemd", "cron", "windows-task", "kubernetes", "github-actions")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleOptions(RotateOptions):
    """The schedule itself; the other options are those of the rotation that it runs."""

    kind: str = argument(choice(*_KINDS), "KIND", default="", help=f"the system: {', '.join(_KINDS)}")
    install: bool = option(FLAG, "--install", default=False, help="install it here; systemd and cron only")
    out: Path | None = option(  # noqa: RUF009 - makes a dataclasses.field
        PATH, "--out", default=None, metavar="FOLDER", help="the folder to write its files to; default: stdout"
    )
    at: str | None = option(
        TEXT, "--at", default=None, metavar="HH:MM", help="when it runs; default: at night, by the registration's name"
    )
    on_failure: str = option(
        TEXT, "--on-failure", default="", metavar="COMMAND", help="run after a run that failed or needs attention"
    )
    account: str | None = option(
        TEXT, "--account", default=None, metavar="NAME", help="who runs it: a system account, SYSTEM or DOMAIN\\gmsa$"
    )
    manager: str | None = option(
        choice("user", "system"), "--manager", default=None, help="whose systemd; default: the system's for root"
    )
    program: str | None = option(
        TEXT, "--program", default=None, metavar="PATH", help="mimapp there, where the schedule runs elsewhere"
    )
    home: str | None = option(
        TEXT, "--home", default=None, metavar="PATH", help="MIMAPP_HOME there, where the schedule runs elsewhere"
    )
    image: str | None = option(TEXT, "--image", default=None, metavar="NAME", help="kubernetes: the container's image")
    volume: str | None = option(
        TEXT, "--volume", default=None, metavar="CLAIM", help="kubernetes: the volume claim for MIMAPP_HOME"
    )
    service_account: str = option(
        TEXT, "--service-account", default="mimapp", metavar="NAME", help="kubernetes: default: mimapp"
    )


@command(ScheduleOptions)
def schedule(run: Run, options: ScheduleOptions) -> Result:
    """Print or install a schedule for mimapp rotate --if-due: systemd, cron, Windows, Kubernetes, GitHub Actions.

    It takes rotate's options and carries them, with absolute paths. Nobody signs in now. A run that fails, or that
    needs a person (exit code 3), is a failure to the schedule's system, and calls --on-failure.
    """
    from mimapp.cli.scheduling import Kind, Scheduled, job_of  # noqa: PLC0415 - help need not import it

    kind = Kind(options.kind)
    job = job_of(
        run,
        Scheduled(
            kind=kind,
            at=options.at,
            on_failure=options.on_failure,
            program=options.program,
            home=options.home,
            has_volume=options.volume is not None,
        ),
    )
    files = _files(run, options, job)
    done: tuple[str, ...] = ()
    if options.install:
        done = _install(run, options, job, files)
    elif options.out is not None:
        done = _write(options.out.absolute(), files)
    return Result(
        schema="mimapp.schedule/1",
        document={
            "kind": options.kind,
            "name": job.name,
            "files": [{"name": file.name, "content": file.text} for file in files],
            "environment": dict(job.environment),
            "done": list(done),
            "next": list(_next(options, files)),
        },
        text=[Line(f"{line}.") for line in (*done, *_next(options, files))] if done else _printed(files),
    )


def _files(run: Run, options: ScheduleOptions, job: Job) -> tuple[ScheduleFile, ...]:
    match options.kind:
        case "systemd":
            from mimapp.host.schedule_systemd import systemd_files  # noqa: PLC0415 - one kind needs it

            _check_account(run, options, job)
            return systemd_files(job, account=options.account, is_user=_is_user(options))
        case "cron":
            from mimapp.host.schedule_cron import cron_file  # noqa: PLC0415 - as above

            if options.account is not None:
                raise UsageError("--account: a crontab is its account's own", hint="run this as that account")
            _check_account(run, options, job)
            return (cron_file(job),)
        case "windows-task":
            from mimapp.host.schedule_windows import SYSTEM, windows_file  # noqa: PLC0415 - as above

            return (windows_file(job, account=options.account or SYSTEM, start=run.world.clock.now()),)
        case "kubernetes":
            from mimapp.host.schedule_kubernetes import kubernetes_file  # noqa: PLC0415 - as above

            if options.image is None:
                raise UsageError("which image?", hint="--image REGISTRY/NAME:TAG, with mimapp in it")
            return (
                kubernetes_file(
                    job, image=options.image, volume=options.volume, service_account=options.service_account
                ),
            )
        case _:
            from mimapp import __version__  # noqa: PLC0415 - as above
            from mimapp.host.schedule_github import github_file  # noqa: PLC0415 - as above

            return (github_file(job, version=__version__),)


def _check_account(run: Run, options: ScheduleOptions, job: Job) -> None:
    """Whether the account that will run it can use what it needs on this machine."""
    from mimapp.cli.home import CONFIG_NAME  # noqa: PLC0415 - help need not import it
    from mimapp.host.schedule import Credential  # noqa: PLC0415 - as above
    from mimapp.host.schedule_account import (  # noqa: PLC0415 - as above
        account_called,
        check_config,
        check_folder,
        check_readable,
    )

    is_system = options.kind == "systemd" and not _is_user(options)
    account = account_called(options.account or ("root" if is_system else None))
    for folder in job.writes:
        check_folder(account, Path(folder), "MIMAPP_HOME" if folder == job.environment["MIMAPP_HOME"] else "the folder")
    standing = Path(job.environment["MIMAPP_HOME"]) / CONFIG_NAME
    if standing.exists():
        check_config(account, standing)
    if run.options.config is not None:
        check_config(account, run.options.config.absolute())
    for word in job.words:
        if isinstance(word, Credential):
            # The system's manager reads it for the account; otherwise the account does.
            check_readable(account_called("root") if is_system else account, Path(word.path), f"--{word.name}")


def _install(run: Run, options: ScheduleOptions, job: Job, files: Sequence[ScheduleFile]) -> tuple[str, ...]:
    from mimapp.host.schedule_install import Programs, install_cron, install_systemd  # noqa: PLC0415 - as above

    programs = Programs(environ=run.world.environ)
    if options.kind == "cron":
        return install_cron(job, programs)
    if options.kind != "systemd":
        raise UsageError(
            f"--install: a schedule of {options.kind} cannot be installed from here", hint="--out FOLDER writes it"
        )
    folder = Path("/etc/systemd/system")
    if _is_user(options):
        base = run.world.environ.get("XDG_CONFIG_HOME") or Path(run.world.environ.get("HOME", "~")) / ".config"
        folder = Path(base).expanduser() / "systemd" / "user"
    return install_systemd(files, folder, programs, is_user=_is_user(options))


def _is_user(options: ScheduleOptions) -> bool:
    if options.manager is not None:
        return options.manager == "user"
    return options.account is None and os.name != "nt" and os.getuid() != 0


def _write(folder: Path, files: Sequence[ScheduleFile]) -> tuple[str, ...]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            (folder / file.name).write_bytes(file.encoded())
    except OSError as error:
        raise UsageError(f"--out {folder} cannot be written: {error.strerror or error}") from error
    return tuple(f"Wrote {folder / file.name}" for file in files)


def _printed(files: Sequence[ScheduleFile]) -> Raw:
    """One file as it is; several below each other, each under its name."""
    if len(files) == 1:
        return Raw(files[0].text, files[0].encoded())
    return Raw("\n".join(f"# {file.name}\n{file.text}" for file in files))


def _next(options: ScheduleOptions, files: Sequence[ScheduleFile]) -> tuple[str, ...]:
    name = files[0].name
    if options.install:
        return ()
    return {
        "systemd": ("Install: the same command with --install, or the files in /etc/systemd/system and systemctl",),
        "cron": ("Install: the same command with --install, or crontab -e",),
        "windows-task": (
            f"There, as an administrator: Register-ScheduledTask {Path(name).stem} -Xml (Get-Content -Raw {name})",
        ),
        "kubernetes": (f"Install: kubectl apply -f {name}",),
        "github-actions": (f"Install: commit it as .github/workflows/{name}",),
    }[options.kind]
