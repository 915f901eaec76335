"""``mimapp apply``: carry out a plan that was shown, and approved, some other time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta  # noqa: TC003 - the decorator reads a dataclass's field types at run time
from pathlib import Path
from typing import TYPE_CHECKING

from mimapp.cli import shared_options as shared
from mimapp.cli.command import Run, command
from mimapp.cli.exit_codes import ExitCode
from mimapp.cli.kinds import PATH
from mimapp.cli.options import argument
from mimapp.cli.result import Line, Result
from mimapp.errors import StalePlanError, UsageError
from mimapp.spec import ConsentBy

if TYPE_CHECKING:
    from mimapp.cli.plan_files import PlanFile
    from mimapp.provisioning.planned import Planned
    from mimapp.spec import Registration
    from mimapp.tenant import Tenant

__all__ = ["ApplyOptions", "apply"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyOptions:
    """Which plan."""

    file: Path = argument(PATH, "FILE", default=Path(), help="the plan, as --plan-out wrote it")  # noqa: RUF009 - makes a dataclasses.field
    replication_window: timedelta = shared.replication_window()  # noqa: RUF009 - makes a dataclasses.field


@command(ApplyOptions, writes=True)
def apply(run: Run, options: ApplyOptions) -> Result:
    """Carry out a plan that --plan-out wrote to a file, and nothing that is not in it.

    The tenant is read again first. Steps that are no longer needed are left out; steps that nobody was shown are
    refused, and named. With --dry-run the plan in the file is shown next to what would be done now.
    """
    from mimapp.cli.plan_files import read_plan  # noqa: PLC0415 - help need not import it

    kept = read_plan(options.file, sandbox=run.options.sandbox)
    run = _as_planned(run, kept)
    if kept.command in {"register", "consent"}:
        return _register(run, kept, options)
    ways = {"unregister": _unregister, "lockdown": _lockdown, "ews allow": _allow_in_ews, "scope migrate": _migrate}
    if kept.command not in ways:
        raise UsageError(f"{options.file}: command: mimapp {kept.command} is none whose plans can be applied")
    return ways[kept.command](run, kept)


def _register(run: Run, kept: PlanFile, options: ApplyOptions) -> Result:
    from mimapp.cli.browser import require_browser  # noqa: PLC0415 - help need not import it
    from mimapp.cli.commands.consent import consent_result  # noqa: PLC0415 - help need not import it
    from mimapp.cli.connect import connect  # noqa: PLC0415 - help need not import it
    from mimapp.cli.plans import carry_out  # noqa: PLC0415 - help need not import it
    from mimapp.cli.registering import register_result, registering_permissions  # noqa: PLC0415 - help need not import it
    from mimapp.provisioning.consent import CONSENT_PERMISSIONS  # noqa: PLC0415 - help need not import it
    from mimapp.provisioning.observe import parts_of  # noqa: PLC0415 - help need not import it

    wanted = _stored(run, kept)
    is_consent = kept.command == "consent"
    if wanted.consent_by is ConsentBy.BROWSER:
        require_browser(run)
    with connect(
        run,
        run.options.tenant or kept.shown.tenant_id,
        window=options.replication_window,
        parts=parts_of(wanted),
        permissions=CONSENT_PERMISSIONS[wanted.consent_by] if is_consent else registering_permissions(wanted),
    ) as tenant:
        _check_tenant(tenant, kept)
        plan = tenant.plan(wanted, on_event=run.progress)
        if (shown := _shown_only(run, plan, kept)) is not None:
            return shown
        if is_consent:
            return consent_result(run, tenant, plan)
        return register_result(carry_out(run, tenant, plan), wanted)


def _unregister(run: Run, kept: PlanFile) -> Result:
    from mimapp.cli.commands.unregister import unregister_result  # noqa: PLC0415 - help need not import it
    from mimapp.cli.connect import connect  # noqa: PLC0415 - help need not import it
    from mimapp.cli.plans import ask_and_apply  # noqa: PLC0415 - help need not import it
    from mimapp.tenant import UNREGISTER_PERMISSIONS  # noqa: PLC0415 - help need not import it

    wanted = _stored(run, kept)
    with connect(run, run.options.tenant or kept.shown.tenant_id, permissions=UNREGISTER_PERMISSIONS) as tenant:
        _check_tenant(tenant, kept)
        plan = tenant.plan_unregister(wanted, purge="purge" in kept.choices, on_event=run.progress)
        if (shown := _shown_only(run, plan, kept)) is not None:
            return shown
        outcome = ask_and_apply(
            run, plan, lambda: tenant.unregister(plan, on_event=run.progress, observe_again=not run.writing.yes)
        )
    return unregister_result(outcome)


def _lockdown(run: Run, kept: PlanFile) -> Result:
    from mimapp.cli.commands.lockdown import lockdown_result  # noqa: PLC0415 - help need not import it
    from mimapp.cli.connect import connect  # noqa: PLC0415 - help need not import it
    from mimapp.cli.plans import ask_and_apply  # noqa: PLC0415 - help need not import it
    from mimapp.provisioning.steps import Part  # noqa: PLC0415 - help need not import it
    from mimapp.tenant import LOCKDOWN_PERMISSIONS  # noqa: PLC0415 - help need not import it

    wanted, name = _stored(run, kept), run.options.tenant or kept.shown.tenant_id
    with connect(run, name, parts=frozenset({Part.ENTRA}), permissions=LOCKDOWN_PERMISSIONS) as tenant:
        _check_tenant(tenant, kept)
        plan = tenant.plan_lockdown(wanted, release="release" in kept.choices)
        if (shown := _shown_only(run, plan, kept)) is not None:
            return shown
        return lockdown_result(ask_and_apply(run, plan, lambda: tenant.lockdown(plan, on_event=run.progress)))


def _allow_in_ews(run: Run, kept: PlanFile) -> Result:
    from mimapp.cli.commands.ews import allow_result  # noqa: PLC0415 - help need not import it
    from mimapp.cli.connect import connect  # noqa: PLC0415 - help need not import it
    from mimapp.cli.plans import ask_and_apply  # noqa: PLC0415 - help need not import it
    from mimapp.provisioning.steps import EVERY_PART, Part  # noqa: PLC0415 - help need not import it
    from mimapp.tenant import VERIFY_PERMISSIONS  # noqa: PLC0415 - help need not import it

    wanted, name = _stored(run, kept), run.options.tenant or kept.shown.tenant_id
    parts = EVERY_PART if wanted.app_id is None else frozenset({Part.EXCHANGE})
    with connect(run, name, parts=parts, permissions=VERIFY_PERMISSIONS) as tenant:
        _check_tenant(tenant, kept)
        first_entry, enable = "first-entry" in kept.choices, "enable" in kept.choices
        plan = tenant.plan_ews(wanted, first_entry=first_entry, enable=enable)
        if (shown := _shown_only(run, plan, kept)) is not None:
            return shown
        outcome = ask_and_apply(
            run, plan, lambda: tenant.allow_in_ews(plan, on_event=run.progress, observe_again=not run.writing.yes)
        )
    return allow_result(outcome)


def _migrate(run: Run, kept: PlanFile) -> Result:
    from mimapp.cli.commands.scope_migrate import migrate_result  # noqa: PLC0415 - help need not import it
    from mimapp.cli.connect import connect, stores_of  # noqa: PLC0415 - help need not import it
    from mimapp.cli.plans import ask_and_apply  # noqa: PLC0415 - help need not import it
    from mimapp.tenant import MIGRATE_PERMISSIONS  # noqa: PLC0415 - help need not import it

    wanted = _stored(run, kept)
    with connect(run, run.options.tenant or kept.shown.tenant_id, permissions=MIGRATE_PERMISSIONS) as tenant:
        _check_tenant(tenant, kept)
        wanted = wanted.stored_in(stores_of(run, kept.stores, tenant.tenant_id, wanted.key))
        outside, keep_policy = kept.shown.outside, "keep-policy" in kept.choices
        plan = tenant.plan_migrate(wanted, outside=outside, keep_policy=keep_policy, on_event=run.progress)
        if (shown := _shown_only(run, plan, kept)) is not None:
            return shown
        outcome = ask_and_apply(
            run, plan, lambda: tenant.migrate(plan, on_event=run.progress, observe_again=not run.writing.yes)
        )
    return migrate_result(outcome)


def _as_planned(run: Run, kept: PlanFile) -> Run:
    """The run with the plan's cloud and change reference; what was given besides has to agree with the plan."""
    wanted = kept.shown.wanted
    for option_, given, planned in (
        ("--mailbox", run.options.mailbox, wanted.mailbox),
        ("--registration", run.options.registration, wanted.key),
        ("--cloud", run.options.cloud, kept.cloud),
        ("--change-ref", run.writing.change_ref, wanted.change_ref),
    ):
        if given is not None and planned is not None and given.lower() != planned.lower():
            raise UsageError(
                f"{option_} {given}: the plan in {kept.path} is for {planned}",
                hint=f"leave {option_} away, or make another plan",
            )
    return replace(run, options=replace(run.options, cloud=run.options.cloud or kept.cloud))


def _stored(run: Run, kept: PlanFile) -> Registration:
    """The registration with the plan's stores."""
    from mimapp.cli.connect import stores_of  # noqa: PLC0415 - help need not import it

    wanted = replace(kept.shown.wanted, change_ref=kept.shown.wanted.change_ref or run.writing.change_ref)
    if not kept.stores:
        return wanted
    try:
        return wanted.stored_in(stores_of(run, kept.stores, kept.shown.tenant_id, wanted.key))
    except UsageError as error:
        raise UsageError(f"{kept.path}: wanted.stores: {error.message}", hint=error.hint) from error


def _check_tenant(tenant: Tenant, kept: PlanFile) -> None:
    if tenant.tenant_id != kept.shown.tenant_id.lower():
        raise StalePlanError(
            f"the plan in {kept.path} is for {kept.shown.tenant_name} ({kept.shown.tenant_id}), and this sign-in is of "
            f"tenant {tenant.tenant_id}",
            hint="sign in to the plan's tenant, or make a plan for this one",
        )


def _shown_only(run: Run, plan: Planned, kept: PlanFile) -> Result | None:
    """What a run that changes nothing ends with; None where the plan is to be carried out, and may be.

    Raises:
        StalePlanError: it takes steps that were not shown.
    """
    from mimapp.cli.plans import plan_result  # noqa: PLC0415 - help need not import it

    if run.writing.plan_out is not None:
        return plan_result(run, plan, command=kept.command)
    if run.writing.dry_run:
        return _beside_each_other(plan, kept)
    plan.raise_if_not_shown(kept.shown)
    return None


def _beside_each_other(plan: Planned, kept: PlanFile) -> Result:
    """What would be done now, next to what was shown; steps that were not shown end it as a stale plan ends."""
    shown = {step.identity for step in kept.shown.steps}
    due = {step.identity for step in plan.steps}
    rows = [
        *((step, "due" if step.identity in due else "no longer needed") for step in kept.shown.steps),
        *((step, "not shown") for step in plan.steps if step.identity not in shown),
    ]
    stale = any(state == "not shown" for _, state in rows)
    return Result(
        schema="mimapp.apply/1",
        document={
            "tenantId": plan.tenant_id,
            "mailbox": plan.wanted.mailbox,
            "registration": plan.wanted.key,
            "fingerprintShown": kept.shown.fingerprint,
            "fingerprintNow": plan.fingerprint,
            "stale": stale,
            "steps": [
                {"step": step.kind.value, "target": step.target, "title": step.title, "state": state}
                for step, state in rows
            ],
            "warnings": list(plan.warnings),
        },
        text=(
            Line(f"Plan {kept.shown.fingerprint} in {kept.path}, for {kept.shown.tenant_name}", "heading"),
            *(Line(f"  {state:16}  {step.title}", "bad" if state == "not shown" else "plain") for step, state in rows),
            *(Line(f"  note: {warning}", "warn") for warning in plan.warnings),
            Line(
                "The plan is stale: mimapp apply would refuse it." if stale else "Nothing was changed.",
                "bad" if stale else "plain",
            ),
        ),
        code=ExitCode.PLAN if stale else ExitCode.DONE,
    )
