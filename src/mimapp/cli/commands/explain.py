"""``mimapp explain``: what a code, pop-up, header, event or message means, and what mends it."""

from __future__ import annotations

import codecs
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.cli import shared_options as shared
from mimapp.cli.command import Run, command
from mimapp.cli.exit_codes import ExitCode, code_of
from mimapp.cli.kinds import FLAG, TEXTS
from mimapp.cli.options import argument, option
from mimapp.cli.result import Line, Result, Table
from mimapp.errors import ServiceError, SignInError, TransportError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mimapp.checks.explain_live import Live
    from mimapp.cli.result import Block, JsonValue, Tone
    from mimapp.host.explanation import Explanation

__all__ = ["ExplainOptions", "explain"]

_STDIN = "-"
#: As `mimapp.host.explain` reads; a stream may be endless.
_LONGEST = 400_000
_TONES: dict[str, Tone] = {"shown": "bad", "likely": "warn"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainOptions:
    """What was seen."""

    text: tuple[str, ...] = argument(
        TEXTS,
        "TEXT",
        default=(),
        required=False,
        help="a code, pop-up, header, event or message; - reads it from stdin",
    )
    list_: bool = option(FLAG, "--list", default=False, help="list everything that can be explained, by its key")
    live: bool = option(
        FLAG, "--live", default=False, help="sign in, and look for the likely causes in the tenant, cheapest first"
    )
    secret_to: tuple[str, ...] = shared.secret_to("with --live: where the client secret is kept")


@command(ExplainOptions)
def explain(run: Run, options: ExplainOptions) -> Result:
    """Explain an AADSTS code, installer pop-up, EWS answer, event 12, or MIM's token message: causes and remedies.

    Without --live it needs no tenant, no mailbox and no sign-in. Exit code 3 where nothing is known of the text, and
    with --live where a cause is shown. A text that begins with a hyphen goes after --.
    """
    from mimapp.host.explain import explain as rows_of  # noqa: PLC0415 - help need not import the table

    if options.list_:
        return _list(options)
    text = _text_of(run, options)
    found = rows_of(text)
    live = _look(run, options, found, text) if options.live and found else None
    return Result(
        schema="mimapp.explain/1",
        document=_document(found, live),
        text=tuple(_blocks(found, live)),
        code=_code(found, live),
    )


def _list(options: ExplainOptions) -> Result:
    """Every row of the table, one line each.

    Raises:
        UsageError: a text, or a look at a tenant, is asked for too.
    """
    from mimapp.host.explain import TABLE  # noqa: PLC0415 - help need not import it

    if options.text or options.live:
        raise UsageError("--list goes with neither TEXT nor --live")
    document: list[JsonValue] = [{"key": row.key, "names": list(row.keys), "title": row.title} for row in TABLE]
    table = Table(("key", "what it is"), [(row.key, row.title) for row in TABLE])
    return Result(schema="mimapp.explain-list/1", document={"rows": document}, text=(table,))


def _code(found: Sequence[Explanation], live: Live | None) -> ExitCode:
    if live is not None and live.error is not None:
        return code_of(live.error)
    is_shown = live is not None and bool(live.shown(found))
    return ExitCode.ATTENTION if is_shown or not found else ExitCode.DONE


def _text_of(run: Run, options: ExplainOptions) -> str:
    """The text of the arguments, or of stdin.

    Raises:
        UsageError: there is none.
    """
    text = _from_stdin(run) if options.text == (_STDIN,) else " ".join(options.text)
    if not text.strip():
        what = "stdin is empty" if options.text else "explain what?"
        raise UsageError(
            what, hint="name a code or message, or pipe it in with -; mimapp explain --list shows them all"
        )
    return text


def _from_stdin(run: Run) -> str:
    """All of stdin: UTF-16 with its mark, as Windows PowerShell and exported events have it, UTF-8, or Windows-1252."""
    stream = getattr(run.world.stdin, "buffer", None)
    if stream is None:
        return run.world.stdin.read(_LONGEST)
    content: bytes = stream.read(_LONGEST)
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _look(run: Run, options: ExplainOptions, found: Sequence[Explanation], text: str) -> Live:
    """The looks; a sign-in that fails, or a tenant that does not answer, takes none of the explanation away.

    Raises:
        UsageError: no tenant or registration is meant.
    """
    from mimapp.checks.explain_live import Live  # noqa: PLC0415 - only --live signs in
    from mimapp.cli.connect import connect, stores_of  # noqa: PLC0415 - as above
    from mimapp.cli.meant import find_registration, tenant_of  # noqa: PLC0415 - as above
    from mimapp.provisioning.steps import Part  # noqa: PLC0415 - as above
    from mimapp.tenant import VERIFY_PERMISSIONS  # noqa: PLC0415 - as above

    try:
        with connect(run, tenant_of(run), parts=frozenset({Part.ENTRA}), permissions=VERIFY_PERMISSIONS) as tenant:
            wanted = find_registration(run, tenant)
            wanted = wanted.stored_in(stores_of(run, options.secret_to, tenant.tenant_id, wanted.key))
            return tenant.explain(wanted, found, text)
    except (SignInError, ServiceError, TransportError) as error:
        return Live(looks=(), error=error)


def _document(found: Sequence[Explanation], live: Live | None) -> dict[str, JsonValue]:
    from mimapp.host.explain import explain_json  # noqa: PLC0415 - as above

    document: dict[str, JsonValue] = json.loads(explain_json(found))
    if live is None:
        return {**document, "live": None}
    causes = [
        {"key": row.key, "cause": number, "standing": judged.standing.value, "seen": judged.told}
        for row in found
        for number, cause in enumerate(row.causes, 1)
        for judged in (live.judge(cause),)
    ]
    looks = [
        {"check": look.check.value, "found": look.seen.found if look.seen else None, "problem": look.problem or None}
        for look in live.looks
    ]
    error = None if live.error is None else live.error.message
    return {**document, "live": {"looks": looks, "causes": causes, "error": error}}


def _blocks(found: Sequence[Explanation], live: Live | None) -> Iterator[Block]:
    from mimapp.host.explain import cause_lines, source_lines  # noqa: PLC0415 - as above

    if not found:
        yield Line("Nothing is known of this text.", "warn")
        yield Line("The more of a message there is, the better: codes, headers and names are looked for in it.")
        yield Line("mimapp explain --list shows everything that can be explained.")
        return
    for place, row in enumerate(found):
        if place:
            yield Line()
        yield Line(f"{row.key}: {row.title}", "heading")
        yield Line()
        for number, cause in enumerate(row.causes, 1):
            yield from map(Line, cause_lines(number, cause))
            if live is not None:
                judged = live.judge(cause)
                told = f": {judged.told}" if judged.told else ""
                yield Line(f"     live: {judged.standing.value}{told}", _TONES.get(judged.standing.value, "dim"))
        yield Line()
        yield from (Line(line, "dim") for line in source_lines(row))
    if live is not None:
        yield Line()
        yield from _summary(found, live)


def _summary(found: Sequence[Explanation], live: Live) -> Iterator[Block]:
    """What to do first, after the looks."""
    if live.error is not None:
        yield Line(f"The tenant could not be looked at: {live.error.message}", "bad")
        yield from (Line(f"  {told}") for told in (*live.error.details, live.error.hint) if told)
        return
    shown = live.shown(found)
    for cause in shown:
        yield Line(f"Shown: {cause.what}. Mend it: {cause.fix}", "bad")
    if shown:
        return
    taken = ", ".join(look.check.value for look in live.looks if look.seen is not None)
    yield Line(f"The tenant shows none of these causes (looked at: {taken or 'nothing'}).", "warn")
    problems = dict.fromkeys(look.problem for look in live.looks if look.seen is None)
    for problem in problems:
        checks = ", ".join(look.check.value for look in live.looks if look.problem == problem)
        yield Line(f"Could not be looked at: {checks}: {problem}", "warn")
    if live.is_refused:
        yield Line("It refuses all the same: mimapp verify says what came back.", "warn")
    elif not problems:
        yield Line("What is left is on the MIM server: mimapp host collect, then mimapp host check.", "warn")
