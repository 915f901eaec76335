"""``mimapp status``: what is there for a registration, next to what is wanted; or all registrations of a tenant."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta  # noqa: TC003 - the decorator reads a dataclass's field types at run time
from pathlib import Path  # noqa: TC003 - the decorator reads a dataclass's field types at run time
from typing import TYPE_CHECKING

from mimapp.cli import shared_options as shared
from mimapp.cli.command import Run, command
from mimapp.cli.exit_codes import ExitCode
from mimapp.cli.kinds import FLAG, PATH
from mimapp.cli.meant import find_registration, tenant_of
from mimapp.cli.options import option
from mimapp.cli.result import Result
from mimapp.cli.rotate_options import HandOverOptions
from mimapp.errors import UsageError

if TYPE_CHECKING:
    from mimapp.checks.status import Status, StatusRow
    from mimapp.spec import Registration
    from mimapp.tenant import Tenant

__all__ = ["StatusOptions", "status"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusOptions(HandOverOptions):
    """How it ends, where a page goes, when a secret is due and what shows that MIM uses it."""

    before: timedelta | None = shared.before()  # noqa: RUF009 - makes a dataclasses.field
    interval: timedelta = shared.interval("how often mimapp rotate is run here; default: 1d")  # noqa: RUF009 - makes a dataclasses.field
    exit_code: bool = option(
        FLAG, "--exit-code", default=False, help="end with 3 where something needs a person, not with 0"
    )
    out: Path | None = option(  # noqa: RUF009 - makes a dataclasses.field
        PATH, "--out", default=None, help="with --output html: the file to write the page to; default: stdout"
    )


@command(StatusOptions, draws=True)
def status(run: Run, options: StatusOptions) -> Result:
    """Show a registration on one screen: rights, restriction, EWS, secrets, hand-over, what comes next and when.

    Without --mailbox and --registration it shows every registration of the tenant, one row each. --output html gives
    one page with the credentials drawn in time, to print or to keep.
    """
    if options.out is not None and run.options.output != "html":
        raise UsageError("--out is for a page", hint="add --output html")
    from mimapp.cli.connect import connect  # noqa: PLC0415 - help need not import it
    from mimapp.cli.rotating import policy_of  # noqa: PLC0415 - as above
    from mimapp.rotation import DuePolicy  # noqa: PLC0415 - as above

    policy = replace(policy_of(options), due=DuePolicy(before=options.before, interval=options.interval))
    with connect(run, tenant_of(run)) as tenant:
        if run.options.mailbox is not None or run.options.registration is not None:
            wanted = _stored(run, tenant, find_registration(run, tenant), options.secret_to)
            return _one(run, options, tenant.status(wanted, policy))
        rows = tenant.statuses(_every(run, tenant, options.secret_to), policy)
        return _all(run, options, rows, tenant.tenant_id)


def _every(run: Run, tenant: Tenant, given: tuple[str, ...]) -> tuple[Registration, ...]:
    """Every marked registration of the tenant.

    Raises:
        UsageError: there is none.
    """
    from mimapp.spec import Registration  # noqa: PLC0415 - help need not import it

    known = tenant.registrations()
    if not known:
        raise UsageError("the tenant has no registration of mimapp", hint="name the mailbox with --mailbox")
    return tuple(_stored(run, tenant, Registration(mailbox=one.mailbox, key=one.key), given) for one in known)


def _stored(run: Run, tenant: Tenant, wanted: Registration, given: tuple[str, ...]) -> Registration:
    from mimapp.cli.connect import stores_of  # noqa: PLC0415 - help need not import it

    return wanted.stored_in(stores_of(run, given, tenant.tenant_id, wanted.key))


def _one(run: Run, options: StatusOptions, found: Status) -> Result:
    from mimapp.checks.status_next import attention_of  # noqa: PLC0415 - help need not import it
    from mimapp.cli.status_document import status_document  # noqa: PLC0415 - as above
    from mimapp.cli.status_page import status_page  # noqa: PLC0415 - as above
    from mimapp.cli.status_text import status_text  # noqa: PLC0415 - as above

    code = ExitCode.ATTENTION if options.exit_code and attention_of(found) else ExitCode.DONE
    document = status_document(found)
    if run.options.output == "html":
        return _page(options, status_page([found]), code)
    return Result(schema="mimapp.status/1", document=document, text=status_text(found), code=code)


def _all(run: Run, options: StatusOptions, rows: tuple[StatusRow, ...], tenant_id: str) -> Result:
    from mimapp.cli.status_document import row_needs_person, statuses_document  # noqa: PLC0415 - as above
    from mimapp.cli.status_page import status_page  # noqa: PLC0415 - as above
    from mimapp.cli.status_text import statuses_text  # noqa: PLC0415 - as above

    code = ExitCode.ATTENTION if options.exit_code and any(map(row_needs_person, rows)) else ExitCode.DONE
    if run.options.output == "html":
        unread = [(row.wanted.mailbox, row.error.message) for row in rows if row.error is not None]
        return _page(options, status_page([row.status for row in rows if row.status is not None], unread=unread), code)
    document = statuses_document(rows, tenant_id)
    return Result(schema="mimapp.status-list/1", document=document, text=statuses_text(rows), code=code)


def _page(options: StatusOptions, text: str, code: ExitCode) -> Result:
    from mimapp.cli.files import file_result  # noqa: PLC0415 - only a page needs it

    return file_result(
        schema="mimapp.status-page/1", document={}, text=text, encoded=text.encode(), out=options.out, code=code
    )
