"""``mimapp log``: the record of every write that this machine made to a tenant."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta  # noqa: TC003 - the decorator reads a dataclass's field types at run time
from typing import TYPE_CHECKING

from mimapp.cli.command import Run, command
from mimapp.cli.kinds import DURATION, NUMBER
from mimapp.cli.options import option
from mimapp.cli.result import Line, Pairs, Result

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mimapp.cli.result import Block, JsonValue, Tone
    from mimapp.journal import WriteRecord

__all__ = ["LogOptions", "log"]

_WORDS: dict[str, tuple[str, Tone]] = {
    "begun": ("begun, and its end is not known", "warn"),
    "done": ("done", "good"),
    "existed": ("was there already", "plain"),
    "failed": ("failed", "bad"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOptions:
    """How much, and since when."""

    since: timedelta | None = option(  # noqa: RUF009 - makes a dataclasses.field
        DURATION, "--since", default=None, help="only writes as young as this, such as 7d; default: all"
    )
    last: int = option(NUMBER, "--last", default=0, help="only so many of the latest writes; default: all")


@command(LogOptions)
def log(run: Run, options: LogOptions) -> Result:
    """Show what mimapp wrote to tenants from this machine: when, who, what, and how to undo it.

    Nobody signs in. --registration and the tenant's id as --tenant choose; --sandbox shows simulated tenants, which
    are left out otherwise.
    """
    from mimapp.journal import Journal  # noqa: PLC0415 - help need not import it

    journal = Journal(run.home)
    writes = _ended(record for record in journal.records() if _is_meant(run, record))
    if options.since is not None:
        now = run.world.clock.now()
        writes = [record for record in writes if now - record.when <= options.since]
    writes = writes[-options.last :] if options.last else writes
    return Result(
        schema="mimapp.log/1",
        document={"file": str(journal.record_file), "writes": [_document(record) for record in writes]},
        text=tuple(block for record in writes for block in _blocks(record)) or (Line("No writes are recorded."),),
    )


def _is_meant(run: Run, record: WriteRecord) -> bool:
    options = run.options
    return (
        record.sandbox == options.sandbox
        and options.registration in {None, record.registration}
        and (not _is_guid(options.tenant) or options.tenant == record.tenant)
    )


def _is_guid(text: str | None) -> bool:
    """Whether a tenant is named by its id: the record has no domains, and one in a configuration file hides nothing."""
    try:
        return text is not None and bool(uuid.UUID(text))
    except ValueError:
        return False


def _ended(records: Iterable[WriteRecord]) -> list[WriteRecord]:
    """One record a write: its end where there is one, else its beginning, in the order of time."""
    found: list[WriteRecord] = []
    open_at: dict[tuple[str, ...], int] = {}
    for record in records:
        write = (record.tenant, record.registration, record.action, record.target)
        if record.outcome == "begun":
            open_at[write] = len(found)
            found.append(record)
        elif write in open_at:
            found[open_at.pop(write)] = record
        else:
            found.append(record)
    return found


def _document(record: WriteRecord) -> dict[str, JsonValue]:
    import msgspec  # noqa: PLC0415 - help need not import it

    document: dict[str, JsonValue] = msgspec.to_builtins(record)
    return document


def _blocks(record: WriteRecord) -> tuple[Block, ...]:
    words, tone = _WORDS[record.outcome]
    pairs = [
        ("  target", record.target),
        ("  by", f"{record.operator}, registration {record.registration}, tenant {record.tenant}"),
        ("  before", record.before),
        ("  after", record.after),
        ("  request id", record.request_id),
        ("  change", record.change_ref),
        ("  undo", record.undo),
    ]
    return (
        Line(f"{record.when:%Y-%m-%d %H:%M:%S} UTC  {record.action}  {words}", tone),
        Pairs([(label, value) for label, value in pairs if value]),
    )
