"""``mimapp verify``: MIM Service for a moment; ``--print-probe`` makes a script that asks on the MIM server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - the decorator reads a dataclass's field types at run time
from typing import TYPE_CHECKING

from mimapp.cli import shared_options as shared
from mimapp.cli.command import Run, command
from mimapp.cli.exit_codes import ExitCode
from mimapp.cli.kinds import FLAG, PATH, TEXT
from mimapp.cli.meant import find_registration, tenant_of
from mimapp.cli.options import option
from mimapp.cli.result import Line, Result, Table
from mimapp.cli.verify_rows import VERDICT_TONES, row_document
from mimapp.clock import iso
from mimapp.errors import UsageError
from mimapp.secret import Secret
from mimapp.spec import check_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mimapp.checks.verify_row import Verification
    from mimapp.cli.result import Block, JsonValue

__all__ = ["VerifyOptions", "verify"]

_CODES = {"broken": ExitCode.ATTENTION, "not yet": ExitCode.LATER}


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOptions:
    """What is asked."""

    outside: str | None = option(
        TEXT,
        "--outside",
        default=None,
        metavar="ADDRESS",
        setting=True,
        help="a mailbox that the application must not reach, and that you may probe; without it nobody's is asked",
    )
    send: bool = option(
        FLAG, "--send", default=False, help="send a mail from the mailbox to itself, find it and delete it"
    )
    secret_to: tuple[str, ...] = shared.secret_to("where the client secret is")
    secret_stdin: bool = option(
        FLAG, "--secret-stdin", default=False, help="read the client secret to try from stdin, or ask for it hidden"
    )
    print_probe: bool = option(
        FLAG, "--print-probe", default=False, help="print a script that proves the secret on the MIM server"
    )
    out: Path | None = option(  # noqa: RUF009 - makes a dataclasses.field
        PATH, "--out", default=None, help="with --print-probe: the file to write it to; default: stdout"
    )


@command(VerifyOptions)
def verify(run: Run, options: VerifyOptions) -> Result:
    """Be MIM Service for a moment: sign in with its secret, open its mailbox, be refused elsewhere; say what fails.

    Exit code 0 when all holds, 75 while a change may not have reached every server yet, 3 when something is broken.
    docs/verify.md says what each answer means. --print-probe makes a script for the MIM server, which holds no secret:
    for a machine that a Conditional Access policy keeps from asking itself.
    """
    if options.print_probe:
        return _probe(run, options.out)
    if options.out is not None:
        raise UsageError("--out names the file of --print-probe, which was not given")
    outside = None if options.outside is None else check_address(options.outside, what="outside")
    secret = _from_stdin(run) if options.secret_stdin else None

    from mimapp.cli.connect import connect, stores_of  # noqa: PLC0415 - help need not import it
    from mimapp.tenant import VERIFY_PERMISSIONS  # noqa: PLC0415 - help need not import it

    with connect(run, tenant_of(run), permissions=VERIFY_PERMISSIONS) as tenant:
        wanted = find_registration(run, tenant)
        wanted = wanted.stored_in(stores_of(run, options.secret_to, tenant.tenant_id, wanted.key))
        found = tenant.verify(wanted, secret=secret, outside=outside, send=options.send, on_event=run.progress)
    return Result(
        schema="mimapp.verify/1",
        document=_document(found),
        text=tuple(_text(found)),
        code=_CODES.get(found.verdict, ExitCode.DONE),
    )


def _from_stdin(run: Run) -> Secret:
    """One line, without what ends it."""
    if run.world.can_ask:
        from mimapp.cli.prompt import ask_hidden  # noqa: PLC0415 - only this way needs it

        return ask_hidden(run, "Client secret: ")
    value = run.world.stdin.readline().strip()
    if not value:
        raise UsageError("--secret-stdin: stdin is empty")
    return Secret(value)


def _document(found: Verification) -> Mapping[str, JsonValue]:
    proof = found.proof
    return {
        "tenantId": found.tenant_id,
        "registration": found.registration,
        "mailbox": found.mailbox,
        "applicationId": found.application_id,
        "verdict": found.verdict.value,
        "until": None if found.until is None else iso(found.until),
        "scopeProven": None if proof is None else {"when": iso(proof.when), "how": proof.how},
        "ewsEnds": None if found.ews_ends is None else found.ews_ends.isoformat(),
        "rows": [row_document(row) for row in found.rows],
    }


def _text(found: Verification) -> Iterator[Block]:
    yield Line(f"{found.mailbox}, application {found.application_id}", "heading")
    yield Table(
        ("row", "verdict", "came back"),
        [(row.name, row.verdict.value, row.came) for row in found.rows],
        [VERDICT_TONES[row.verdict] for row in found.rows],
    )
    for row in found.rows:
        if row.meaning or row.todo:
            yield Line()
            yield Line(f"{row.name}: {row.meaning or row.came}", VERDICT_TONES[row.verdict])
            yield Line(f"  Asked: {row.asked}", "dim")
            if row.todo:
                yield Line(f"  To do: {row.todo}")
    yield Line()
    yield _summary(found)


def _summary(found: Verification) -> Line:
    if found.verdict == "broken":
        return Line("Broken: MIM Service would fail where the rows say so.", "bad")
    if found.verdict == "not yet":
        when = "" if found.until is None else f" after {found.until:%Y-%m-%d %H:%M} UTC"
        return Line(f"Not yet: run the same command again{when}.", "warn")
    if found.proof is None:
        return Line("Mail works. That the application is denied elsewhere is not proven: see the row outside.", "good")
    return Line(f"Mail works. Denied elsewhere: {found.proof.how}, {found.proof.when:%Y-%m-%d %H:%M} UTC.", "good")


def _probe(run: Run, out: Path | None) -> Result:
    from mimapp.cli.files import file_result  # noqa: PLC0415 - only this way needs it
    from mimapp.cli.host_facts import registration_facts  # noqa: PLC0415 - brings every room
    from mimapp.clouds import DEFAULT_CLOUD, cloud  # noqa: PLC0415 - as above
    from mimapp.host.probe import probe_script  # noqa: PLC0415 - as above

    facts = registration_facts(run)
    script = probe_script(
        application_id=facts.application_id,
        tenant_id=facts.tenant_id,
        mailbox=facts.mailbox,
        cloud=cloud(run.options.cloud or DEFAULT_CLOUD),
    )
    return file_result(
        schema="mimapp.probe/1",
        document={"name": script.name, "encoding": script.encoding, "content": script.text},
        text=script.text,
        encoded=script.encoded(),
        out=out,
        next_steps=("On the MIM server, as the account that runs MIM Service:", f"  powershell -File {script.name}"),
    )
