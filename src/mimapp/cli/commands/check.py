"""``mimapp check``: everything before the first write, row by row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta  # noqa: TC003 - the decorator reads a dataclass's field types at run time
from typing import TYPE_CHECKING

from mimapp.cli import shared_options as shared
from mimapp.cli.command import Run, command
from mimapp.cli.exit_codes import ExitCode
from mimapp.cli.kinds import FLAG, TEXT, choice
from mimapp.cli.meant import mailbox_of, tenant_of
from mimapp.cli.options import option
from mimapp.cli.result import Line, Result, Table
from mimapp.spec import Only, Registration, Scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mimapp.checks.preflight import Row
    from mimapp.cli.result import Block, JsonValue, Tone

__all__ = ["CheckOptions", "check"]

_POLICY_PERMISSIONS = ("Policy.Read.All",)
_TONES: dict[str, Tone] = {"ok": "good", "warn": "warn", "stop": "bad", "unknown": "dim"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions:
    """What of a registration decides whether it can succeed; the same options as those of register."""

    secret_to: tuple[str, ...] = shared.secret_to()
    secret_lifetime: timedelta = shared.secret_lifetime()  # noqa: RUF009 - makes a dataclasses.field
    group_owner: str | None = option(
        TEXT,
        "--group-owner",
        default=None,
        metavar="ADDRESS",
        setting=True,
        help="who is to own the scoping group; default: the signed-in administrator",
    )
    app_id: str | None = option(
        TEXT,
        "--app-id",
        default=None,
        metavar="ID",
        help="the client id of an application that exists and is to be taken over",
    )
    scope: str | None = option(
        choice(*(scope.value for scope in Scope)),
        "--scope",
        default=None,
        help="what is to keep the application to its mailbox: policy, rbac or none; default: what stands, else policy",
    )
    management_scope: bool = option(
        FLAG, "--management-scope", default=False, help="with --scope rbac: a management scope is to limit the role"
    )
    administrative_unit: str | None = option(
        TEXT,
        "--administrative-unit",
        default=None,
        metavar="ID",
        help="with --scope rbac: this Entra administrative unit is to limit the role",
    )
    only: str | None = option(
        choice(*(part.value for part in Only)),
        "--only",
        default=None,
        help="check one administrator's part: entra, exchange or consent",
    )
    read_policies: bool = option(
        FLAG,
        "--read-policies",
        default=False,
        help="ask a person's sign-in for Policy.Read.All too, to read app management policies",
    )


@command(CheckOptions)
def check(run: Run, options: CheckOptions) -> Result:
    """Check everything before the first write: rights, mailbox, policies, store, group, EWS; it changes nothing.

    Each row has a verdict: ok, warn, stop, or unknown where the question could not be asked. Exit code 3 when a row
    stops or needs a person. docs/check.md says which rows a Global Reader can ask.
    """
    from mimapp.checks.preflight import is_ready  # noqa: PLC0415 - help need not import it
    from mimapp.cli.connect import connect, stores_of  # noqa: PLC0415 - help need not import it
    from mimapp.provisioning.observe import parts_of  # noqa: PLC0415 - help need not import it
    from mimapp.tenant import ADOPTION_PERMISSIONS, REGISTER_PERMISSIONS  # noqa: PLC0415 - help need not import it

    wanted = Registration(
        mailbox=mailbox_of(run),
        key=run.options.registration or "",
        secret_lifetime=options.secret_lifetime,
        group_owner=options.group_owner,
        app_id=options.app_id,
        scope=None if options.scope is None else Scope(options.scope),
        management_scope=options.management_scope,
        administrative_unit=options.administrative_unit,
        only=None if options.only is None else Only(options.only),
    )
    stores_of(run, options.secret_to, "tenant", wanted.key)  # a wrong store is said before anybody signs in
    # The permissions of register: whether the sign-in gives them is one of the questions.
    permissions = REGISTER_PERMISSIONS + (ADOPTION_PERMISSIONS if wanted.app_id else ())
    if options.read_policies:
        permissions += _POLICY_PERMISSIONS
    with connect(run, tenant_of(run), parts=parts_of(wanted), permissions=permissions) as tenant:
        wanted = wanted.stored_in(stores_of(run, options.secret_to, tenant.tenant_id, wanted.key))
        rows = tenant.check(wanted, on_event=run.progress)
        tenant_id = tenant.tenant_id
    ready = is_ready(rows)
    document: dict[str, JsonValue] = {
        "tenantId": tenant_id,
        "registration": wanted.key,
        "mailbox": wanted.mailbox,
        "ready": ready,
        "rows": [_document(row) for row in rows],
    }
    return Result(
        schema="mimapp.check/1",
        document=document,
        text=(
            Table(
                ("check", "verdict", "found"),
                [(row.name, row.verdict, row.found) for row in rows],
                [_TONES[row.verdict] for row in rows],
            ),
            *(block for row in rows for block in _explained(row)),
            Line(),
            _summary(rows, ready=ready),
        ),
        code=ExitCode.DONE if ready else ExitCode.ATTENTION,
    )


def _document(row: Row) -> Mapping[str, JsonValue]:
    return {
        "name": row.name,
        "verdict": row.verdict.value,
        "found": row.found,
        "why": row.why,
        "remedy": row.remedy,
        "details": list(row.details),
        "needsPerson": row.needs_person,
    }


def _explained(row: Row) -> Iterator[Block]:
    """Why, and what to do, of every row that is more than its line in the table."""
    if not (row.why or row.remedy or row.details):
        return
    yield Line()
    yield Line(f"{row.name}: {row.why or row.found}", _TONES[row.verdict])
    if row.remedy:
        yield Line(f"  To do: {row.remedy}")
    yield from (Line(f"  {detail}", "dim") for detail in row.details)


def _summary(rows: tuple[Row, ...], *, ready: bool) -> Line:
    if ready:
        return Line("Nothing stands in the way of mimapp register.", "good")
    stops = [row.name for row in rows if row.verdict == "stop"]
    persons = [row.name for row in rows if row.needs_person and row.verdict != "stop"]
    parts = [f"{', '.join(stops)} must be mended first" if stops else ""]
    parts.append(f"{', '.join(persons)} need{'' if len(persons) > 1 else 's'} a person" if persons else "")
    return Line(f"Not ready: {'; '.join(part for part in parts if part)}.", "bad")
