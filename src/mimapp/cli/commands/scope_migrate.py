"""``mimapp scope migrate``: from the access policy to a role in Exchange, in two runs, with the proof in between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.cli import shared_options as shared
from mimapp.cli.command import Run, command
from mimapp.cli.exit_codes import ExitCode
from mimapp.cli.kinds import FLAG, TEXT
from mimapp.cli.meant import find_registration, tenant_of
from mimapp.cli.options import option
from mimapp.cli.result import Line, Result
from mimapp.clock import iso
from mimapp.spec import check_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mimapp.cli.result import Block, JsonValue
    from mimapp.provisioning.migrate_actions import MigrateOutcome

__all__ = ["MigrateOptions", "migrate", "migrate_result"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrateOptions:
    """How the second run proves the role."""

    outside: str | None = option(
        TEXT,
        "--outside",
        default=None,
        metavar="ADDRESS",
        setting=True,
        help="a mailbox that the application must not reach, and that you may probe; without it nobody's is asked",
    )
    keep_policy: bool = option(
        FLAG,
        "--keep-policy",
        default=False,
        help="leave the access policy to a later run, when the tokens issued before have expired",
    )
    secret_to: tuple[str, ...] = shared.secret_to("where the client secret is")


@command(MigrateOptions, writes=True)
def migrate(run: Run, options: MigrateOptions) -> Result:
    """Go from the access policy to a role in Exchange, in two runs two hours apart, each step proven.

    RBAC for Applications is what Microsoft says replaces access policies. The first run makes the role beside the
    consent and tests it. The second takes full_access_as_app away, proves with a fresh token that the mailbox opens
    and others do not, and only then removes the policy; when the proof fails, the consent goes back while the policy
    still stands. Too early, it changes nothing and ends with code 75 and the time. Microsoft documents no MIM Service
    with a role alone: watch its mail afterwards.
    """
    from mimapp.cli.connect import connect, stores_of  # noqa: PLC0415 - help need not import it
    from mimapp.cli.plans import ask_and_apply, plan_result  # noqa: PLC0415 - help need not import it
    from mimapp.tenant import MIGRATE_PERMISSIONS  # noqa: PLC0415 - help need not import it

    outside = None if options.outside is None else check_address(options.outside, what="outside")
    with connect(run, tenant_of(run), permissions=MIGRATE_PERMISSIONS) as tenant:
        wanted = find_registration(run, tenant)
        wanted = wanted.stored_in(stores_of(run, options.secret_to, tenant.tenant_id, wanted.key))
        plan = tenant.plan_migrate(wanted, outside=outside, keep_policy=options.keep_policy, on_event=run.progress)
        if run.writing.dry_run or run.writing.plan_out is not None:
            return plan_result(run, plan)
        outcome = ask_and_apply(
            run, plan, lambda: tenant.migrate(plan, on_event=run.progress, observe_again=not run.writing.yes)
        )
    return migrate_result(outcome)


def migrate_result(outcome: MigrateOutcome) -> Result:
    """What ``scope migrate`` ends with: 75 where nothing could be done yet."""
    waits = outcome.next_at is not None and not outcome.changes and not outcome.shown
    return Result(
        schema="mimapp.scope-migrate/1",
        document=_document(outcome),
        text=tuple(_text(outcome)),
        code=ExitCode.LATER if waits else ExitCode.DONE,
    )


def _document(outcome: MigrateOutcome) -> Mapping[str, JsonValue]:
    return {
        "tenantId": outcome.tenant_id,
        "registration": outcome.registration,
        "mailbox": outcome.mailbox,
        "applicationId": outcome.application_id,
        "complete": outcome.is_complete,
        "fullAccessAsApp": outcome.granted,
        "roleSince": None if outcome.role_since is None else iso(outcome.role_since),
        "policies": [one.identity for one in outcome.policies],
        "proof": [{"asked": one.asked, "came": one.came, "holds": one.holds} for one in outcome.shown],
        "changes": [
            {"step": change.step, "target": change.target, "detail": change.detail} for change in outcome.changes
        ],
        "finish": {"at": None if outcome.next_at is None else iso(outcome.next_at), "command": outcome.finish}
        if outcome.finish
        else None,
        "warnings": list(outcome.warnings),
    }


def _text(outcome: MigrateOutcome) -> Iterator[Block]:
    if outcome.changes:
        yield Line(f"{len(outcome.changes)} changes made in {outcome.tenant_name}.", "good")
    else:
        yield Line(f"Nothing to do in {outcome.tenant_name} now.", "good")
    for change in outcome.changes:
        yield Line(f"  {change.target}: {change.detail}")
    for one in outcome.shown:
        yield Line(f"Shown: {one.asked}: {one.came}", "dim" if one.holds is None else "good")
    for warning in outcome.warnings:
        yield Line(f"Note: {warning}", "warn")
    if outcome.role_since is not None and outcome.granted and outcome.changes:
        yield Line(
            f"The role stands since {outcome.role_since:%Y-%m-%d %H:%M} UTC; Exchange takes it in within two hours.",
            "warn",
        )
    if outcome.finish:
        when = "" if outcome.next_at is None else f", after {outcome.next_at:%Y-%m-%d %H:%M} UTC"
        yield Line(f"To finish{when}: {outcome.finish}")
    else:
        yield Line(f"Application {outcome.application_id} reaches {outcome.mailbox} by its role alone.", "good")
