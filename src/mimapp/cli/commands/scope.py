"""``mimapp scope``: who the application reaches, by which right, proven when and how; what the cmdlets and EWS say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mimapp.cli import shared_options as shared
from mimapp.cli.command import Run, command
from mimapp.cli.exit_codes import ExitCode
from mimapp.cli.kinds import TEXT
from mimapp.cli.meant import find_registration, tenant_of
from mimapp.cli.options import NoOptions, option
from mimapp.cli.result import Line, Pairs, Result, Table
from mimapp.cli.verify_rows import VERDICT_TONES, row_document
from mimapp.clock import iso
from mimapp.errors import StoreError
from mimapp.permissions import IN_USE
from mimapp.spec import check_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mimapp.checks.scope import Probed, ScopeReport
    from mimapp.checks.verify_row import VerifyRow
    from mimapp.cli.result import Block, JsonValue
    from mimapp.spec import Registration
    from mimapp.tenant import Tenant

__all__ = ["TestOptions", "show", "test"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TestOptions:
    """Which mailbox outside."""

    outside: str | None = option(
        TEXT,
        "--outside",
        default=None,
        metavar="ADDRESS",
        setting=True,
        help="a mailbox outside that you may probe: cmdlets and EWS are asked about it; without it one is picked for "
        "the cmdlets, and no request goes to it",
    )
    secret_to: tuple[str, ...] = shared.secret_to("where the client secret is")


@command(NoOptions)
def show(run: Run, _options: NoOptions) -> Result:
    """Show who the application reaches, by which right, proven when and how, and what is not as it should be.

    It changes nothing, and no request goes to anybody's mailbox. Exit code 3 when something needs a person.
    """
    return _report(run, None)


@command(TestOptions)
def test(run: Run, options: TestOptions) -> Result:
    """Ask Exchange's test cmdlets about the mailbox and one outside; and EWS itself where --outside names one.

    The cmdlets answer from the rules as they are written, which Exchange may enforce an hour later. A real request,
    with the stored secret, goes to the mailbox and to the one that --outside or the configuration names, and to nobody
    else; without one the row says "not probed". Exit code 75 while a change may not have reached every server yet.
    """
    return _report(run, options)


def _report(run: Run, options: TestOptions | None) -> Result:
    from mimapp.cli.connect import connect  # noqa: PLC0415 - help need not import it
    from mimapp.tenant import VERIFY_PERMISSIONS  # noqa: PLC0415 - help need not import it

    with connect(run, tenant_of(run), permissions=VERIFY_PERMISSIONS) as tenant:
        wanted = find_registration(run, tenant)
        outside = options.outside if options is not None else None
        if outside is not None:
            outside = check_address(outside, what="outside")
        rows = () if options is None else _asked_of_ews(run, tenant, wanted, options.secret_to, outside)
        found = tenant.scope(wanted, outside=outside)
        document: dict[str, JsonValue] = {
            "tenantId": tenant.tenant_id,
            "registration": wanted.key,
            "mailbox": wanted.mailbox,
            **_document(found),
            "ews": [row_document(row) for row in rows],
        }
    return Result(
        schema="mimapp.scope/1",
        document=document,
        text=(*_text(found), *_ews_text(rows)),
        code=_code(found, rows),
    )


def _asked_of_ews(
    run: Run, tenant: Tenant, wanted: Registration, stores: tuple[str, ...], outside: str | None
) -> tuple[VerifyRow, ...]:
    """The rows of verify about the mailbox and the one outside; nobody's is asked where none is named."""
    from mimapp.checks.verify_row import Verdict, nobody_named  # noqa: PLC0415 - help need not import it
    from mimapp.cli.connect import stores_of  # noqa: PLC0415 - help need not import it

    if outside is None:
        return (nobody_named(),)
    wanted = wanted.stored_in(stores_of(run, stores, tenant.tenant_id, wanted.key))
    try:
        rows = tenant.verify(wanted, outside=outside, on_event=run.progress).rows
    except StoreError as error:
        row = replace(
            nobody_named(), asked=f"GetFolder inbox of {outside}", meaning=error.message, todo=error.hint or ""
        )
        return (row,)
    wrong = (row for row in rows if row.name in {"token", "claims"} and row.verdict is not Verdict.HOLDS)
    return (*wrong, *(row for row in rows if row.name in {"inbox", "outside"}))


def _code(found: ScopeReport, rows: Sequence[VerifyRow]) -> ExitCode:
    verdicts = {row.verdict.value for row in rows}
    if not found.is_right or "broken" in verdicts:
        return ExitCode.ATTENTION
    return ExitCode.LATER if "not yet" in verdicts else ExitCode.DONE


def _ews_text(rows: Sequence[VerifyRow]) -> Iterator[Block]:
    for row in rows:
        tone = VERDICT_TONES[row.verdict]
        yield Line(f"EWS, {row.name}: {row.verdict} ({row.came}). {row.meaning}", tone)
        if row.todo:
            yield Line(f"  To do: {row.todo}")


def _document(found: ScopeReport) -> Mapping[str, JsonValue]:
    rights, proof = found.rights, found.proof
    return {
        "applicationId": found.application_id,
        "kind": None if found.kind is None else found.kind.value,
        "right": found.is_right,
        "group": found.group_address,
        "fullAccessAsApp": rights.granted,
        "policies": [
            {
                "identity": one.policy.identity,
                "accessRight": one.policy.access_right,
                "scope": one.scope.name,
                "members": list(one.scope.members),
                "nestedGroups": list(one.scope.nested),
                "description": one.policy.description,
            }
            for one in rights.policies
        ],
        "roles": None
        if rights.roles is None
        else [
            {
                "name": one.name,
                "role": one.role,
                "limit": one.recipient_group_scope
                or one.custom_resource_scope
                or one.recipient_administrative_unit_scope
                or one.recipient_write_scope,
            }
            for one in rights.roles
        ],
        "mailboxes": [_probed(one) for one in found.probed],
        "oddities": [
            {"name": one.name, "found": one.found, "meaning": one.meaning, "needsPerson": one.needs_person}
            for one in found.oddities
        ],
        "proof": None if proof is None else {"when": iso(proof.when), "how": proof.how},
        "expected": None if found.expected is None else iso(found.expected),
    }


def _probed(one: Probed) -> Mapping[str, JsonValue]:
    return {
        "address": one.seen.address,
        "inside": one.is_inside,
        "picked": one.was_picked,
        "reaches": one.reach.reaches,
        "by": one.reach.kind.value,
        "reason": one.reach.reason,
        "policyTest": one.seen.policy_granted,
        "roleTests": [{"role": row.role_name, "inScope": row.in_scope} for row in one.seen.roles],
        "testDiffers": one.reach.test_differs,
        "right": one.is_right,
    }


def _text(found: ScopeReport) -> Iterator[Block]:
    rights = found.rights
    kind = "" if found.kind is None else f", scope {found.kind}"
    yield Line(f"Application {found.application_id}{kind}", "heading")
    yield Pairs([*_rights(found)])
    yield Line()
    yield Table(
        ("mailbox", "reached", "by", "the cmdlets say"),
        [
            (
                f"{one.seen.address}{' (picked for the cmdlets)' if one.was_picked else ''}",
                "yes" if one.reach.reaches else "no",
                one.reach.reason,
                _cmdlets(one, has_policy=bool(rights.policies or rights.granted)),
            )
            for one in found.probed
        ],
        ["good" if one.is_right else "bad" for one in found.probed],
    )
    if len(found.probed) == 1:
        yield Line("Note: this tenant has no other mailbox, so nothing can show that one is denied.", "warn")
    for one in found.oddities:
        yield Line(f"{one.name}: {one.found}", "bad" if one.needs_person else "warn")
        yield Line(f"  {one.meaning}")
    if rights.roles is None:
        yield Line("Not known: this account may not read role assignments, which add to what the application reaches.")
    yield Line()
    yield _proof(found)


def _rights(found: ScopeReport) -> Iterator[tuple[str, str]]:
    rights = found.rights
    yield IN_USE.permission, "granted in Entra" if rights.granted else "not granted"
    for seen in rights.policies:
        inside = f" ({', '.join(seen.scope.members) or 'no members'})" if seen.scope.group is not None else ""
        yield f"Policy {seen.policy.access_right}", f"{seen.scope.name}{inside}"
    if not rights.policies:
        yield "Policy", "none"
    for one in rights.roles or ():
        limit = one.recipient_group_scope or one.custom_resource_scope or one.recipient_administrative_unit_scope
        yield f"Role {one.role}", limit or one.recipient_write_scope or "limit not told: see the cmdlets"


def _cmdlets(one: Probed, *, has_policy: bool) -> str:
    """What the test cmdlets say; where there is neither grant nor policy, the one about policies says nothing."""
    words = {True: "Granted", False: "Denied", None: "not asked"}
    roles = ", ".join(f"in scope: {row.in_scope}" for row in one.seen.roles)
    policy = [f"policy {words[one.seen.policy_granted]}"] if has_policy or not roles else []
    text = "; ".join([*policy, *([f"role {roles}"] if roles else [])])
    return f"{text} (differs: it may not have spread yet)" if one.reach.test_differs else text


def _proof(found: ScopeReport) -> Line:
    if found.proof is not None:
        return Line(f"Proven: {found.proof.how}, {found.proof.when:%Y-%m-%d %H:%M} UTC.", "good")
    if found.expected is not None:
        return Line(f"Not yet proven restricted: to be enforced until {found.expected:%Y-%m-%d %H:%M} UTC.", "warn")
    return Line("Not proven by a real request: mimapp verify --outside ADDRESS asks EWS itself.", "warn")
