"""``mimapp host check``: what was read on the MIM server, judged row by row."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mimapp.cli.command import Run, command
from mimapp.cli.exit_codes import ExitCode
from mimapp.cli.files import file_result
from mimapp.cli.kinds import FLAG, PATH, TEXTS, choice
from mimapp.cli.options import argument, option
from mimapp.errors import HostInputError, UsageError

if TYPE_CHECKING:
    from mimapp.cli.result import JsonValue, Result
    from mimapp.host.facts import RegistrationFacts
    from mimapp.host.inputs import HostInput
    from mimapp.host.row import HostReport

__all__ = ["CheckOptions", "check"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions:
    """What to read, and the form of the report."""

    files: tuple[str, ...] = argument(
        TEXTS,
        "FILE",
        default=(),
        required=False,
        help="what the script of `mimapp host collect` wrote, or one or more .reg exports of the server",
    )
    local: bool = option(FLAG, "--local", default=False, help="read the registry of this machine, on Windows")
    format: str = option(
        choice("text", "html"), "--format", default="text", help="text, or a page to print; default: text"
    )
    out: Path | None = option(  # noqa: RUF009 - makes a dataclasses.field
        PATH, "--out", default=None, help="the file to write the report to; default: stdout"
    )


@command(CheckOptions, draws=True)
def check(run: Run, options: CheckOptions) -> Result:
    """Judge what was read on the MIM server: build, TLS, ids, secret, token, account, reachability, late errors.

    With --mailbox, --registration or --tenant it signs in, compares the server's ids with the registration, and keeps
    the result for mimapp status; without them the ids are shown and not judged. Exit code 3 when a row needs a person.
    """
    from mimapp.host.check import check_host  # noqa: PLC0415 - help need not import the room
    from mimapp.host.check_text import report_html, report_json, report_text  # noqa: PLC0415 - as above

    found = _input(options)
    facts = _facts(run)
    report = check_host(found, facts, run.world.clock.now())
    if facts is not None:
        _remember(run, facts, report)
    document: dict[str, JsonValue] = json.loads(report_json(report))
    text = report_html(report) if "html" in {options.format, run.options.output} else report_text(report)
    return file_result(
        schema="mimapp.host-check/1",
        document=document,
        text=text,
        encoded=text.encode(),
        out=options.out,
        code=ExitCode.ATTENTION if report.attention else ExitCode.DONE,
    )


def _input(options: CheckOptions) -> HostInput:
    from mimapp.host.inputs import from_registry, read_inputs  # noqa: PLC0415 - help need not import the room
    from mimapp.host.winregistry import local_registry  # noqa: PLC0415 - as above

    if options.local:
        if options.files:
            raise UsageError("--local and FILE do not go together")
        return from_registry(local_registry(), "the registry of this machine")
    contents: list[tuple[str, bytes]] = []
    for name in options.files:
        try:
            contents.append((name, Path(name).read_bytes()))
        except OSError as error:
            raise HostInputError(f"{name} cannot be read: {error.strerror or error}") from error
    return read_inputs(contents)


def _facts(run: Run) -> RegistrationFacts | None:
    options = run.options
    if options.mailbox is None and options.registration is None and options.tenant is None:
        return None
    from mimapp.cli.host_facts import registration_facts  # noqa: PLC0415 - only a comparison signs in

    return registration_facts(run)


def _remember(run: Run, facts: RegistrationFacts, report: HostReport) -> None:
    """Keep in the journal what needs a person on this server."""
    from mimapp.clock import plain  # noqa: PLC0415 - only a comparison keeps its result
    from mimapp.journal import HostSeen, Journal  # noqa: PLC0415 - as above

    seen = HostSeen(
        server=report.server,
        judged=plain(report.judged_at),
        wrong=tuple(row.title for row in report.rows if row.needs_person),
        read=None if report.read_at is None else plain(report.read_at),
    )
    Journal(run.home).note_host(facts.tenant_id, facts.registration, seen)
