"""``mimapp ews``: whether EWS answers the application, and its place on the tenant's list."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mimapp.cli.command import Run, command
from mimapp.cli.exit_codes import ExitCode
from mimapp.cli.kinds import FLAG, TEXT
from mimapp.cli.meant import find_registration, tenant_of
from mimapp.cli.options import option
from mimapp.cli.result import Line, Pairs, Result
from mimapp.clock import iso
from mimapp.provisioning.steps import EVERY_PART, Part

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mimapp.cli.result import Block, JsonValue
    from mimapp.exchange import EwsSettings
    from mimapp.provisioning.ews_actions import EwsOutcome
    from mimapp.provisioning.ews_view import EwsView

__all__ = ["AllowOptions", "StatusOptions", "allow", "allow_result", "status"]

_APP_ID_HELP = "the application's client id; with --mailbox, Entra is then neither signed in to nor read"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusOptions:
    """Which application."""

    app_id: str | None = option(TEXT, "--app-id", default=None, metavar="ID", help=_APP_ID_HELP)


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowOptions:
    """Which application, and what a person says yes to."""

    app_id: str | None = option(TEXT, "--app-id", default=None, metavar="ID", help=_APP_ID_HELP)
    first_entry: bool = option(
        FLAG,
        "--first-entry",
        default=False,
        help="begin a list that is empty with this application alone; every other application is then not on it",
    )
    enable: bool = option(
        FLAG,
        "--enable",
        default=False,
        help="set the organisation's EWS switch from False to True, after the list; EWS opens for all that is listed",
    )


@command(StatusOptions)
def status(run: Run, options: StatusOptions) -> Result:
    """Say whether EWS answers the application now, why, and until when; it changes nothing.

    Switch, list, User-Agent policies, the mailbox's own switch, what mimapp wrote and what has been lost since. Exit
    code 3 when a person has to act.
    """
    from mimapp.cli.connect import connect  # noqa: PLC0415 - help need not import it
    from mimapp.tenant import VERIFY_PERMISSIONS  # noqa: PLC0415 - help need not import it

    with connect(run, tenant_of(run), parts=_parts(run, options.app_id), permissions=VERIFY_PERMISSIONS) as tenant:
        wanted = replace(find_registration(run, tenant), app_id=options.app_id)
        found = tenant.ews(wanted)
        document: dict[str, JsonValue] = {
            "tenantId": tenant.tenant_id,
            "registration": wanted.key,
            "mailbox": wanted.mailbox,
            **_view_document(found),
        }
    return Result(
        schema="mimapp.ews/1",
        document=document,
        text=tuple(_view_text(found)),
        code=ExitCode.ATTENTION if _needs_person(found) else ExitCode.DONE,
    )


@command(AllowOptions, writes=True)
def allow(run: Run, options: AllowOptions) -> Result:
    """Put the application on the tenant's EWS allow list, and keep every other entry.

    The list is read again just before the write, and read back after it. A first entry and the organisation's switch
    change what other applications can do: they are written only where --first-entry and --enable say so.
    """
    from mimapp.cli.connect import connect  # noqa: PLC0415 - help need not import it
    from mimapp.cli.plans import ask_and_apply, plan_result  # noqa: PLC0415 - help need not import it
    from mimapp.tenant import VERIFY_PERMISSIONS  # noqa: PLC0415 - help need not import it

    with connect(run, tenant_of(run), parts=_parts(run, options.app_id), permissions=VERIFY_PERMISSIONS) as tenant:
        wanted = replace(find_registration(run, tenant), app_id=options.app_id)
        plan = tenant.plan_ews(wanted, first_entry=options.first_entry, enable=options.enable)
        if run.writing.dry_run or run.writing.plan_out is not None:
            return plan_result(run, plan)
        outcome = ask_and_apply(
            run,
            plan,
            lambda: tenant.allow_in_ews(plan, on_event=run.progress, observe_again=not run.writing.yes),
        )
    return allow_result(outcome)


def allow_result(outcome: EwsOutcome) -> Result:
    """What ``ews allow`` ends with."""
    return Result(
        schema="mimapp.ews-allow/1",
        document=_outcome_document(outcome),
        text=tuple(_outcome_text(outcome)),
        code=ExitCode.ATTENTION if outcome.attention else ExitCode.DONE,
    )


def _parts(run: Run, app_id: str | None) -> frozenset[Part]:
    return frozenset({Part.EXCHANGE}) if app_id is not None and run.options.mailbox is not None else EVERY_PART


def _needs_person(found: EwsView) -> bool:
    is_off = found.access is not None and found.access.ews_enabled is False
    is_over = found.ews_ends is not None and found.at.date() >= found.ews_ends
    return found.verdict.needs_person or found.verdict.may_append or is_off or is_over


def _view_document(found: EwsView) -> Mapping[str, JsonValue]:
    settings, access = found.settings, found.access
    return {
        "applicationId": found.application_id,
        "gate": found.now.gate.value,
        "reason": found.now.reason,
        "until": None if found.now.until is None else found.now.until.isoformat(),
        "row": found.verdict.row.value,
        "meaning": found.verdict.reason,
        "todo": _todo(found),
        "expected": None if found.expected is None else iso(found.expected),
        "organization": {
            "ewsEnabled": settings.ews_enabled,
            "allowedAppIds": _listed(settings),
            "listed": settings.lists(found.application_id),
            "userAgentPolicy": settings.application_access_policy,
        },
        "mailboxSwitch": None if access is None else access.ews_enabled,
        "mailboxUserAgentPolicy": "" if access is None else access.ews_application_access_policy,
        "listedSince": None if found.listed_since is None else iso(found.listed_since),
        "lost": [{"applicationId": one.app_id, "written": iso(one.written)} for one in found.lost],
        "unknown": list(found.now.unknown),
        "ends": None if found.ews_ends is None else found.ews_ends.isoformat(),
    }


def _listed(settings: EwsSettings) -> list[JsonValue] | None:
    ids = settings.allowed_app_ids
    return [*ids] if isinstance(ids, tuple) else None


def _todo(found: EwsView) -> str:
    if found.access is not None and found.access.ews_enabled is False:
        return "Set-CASMailbox IDENTITY -EwsEnabled $true"
    return "mimapp ews allow" if found.verdict.may_append else found.verdict.remedy


def _view_text(found: EwsView) -> Iterator[Block]:
    settings, access = found.settings, found.access
    yes = {"open": "yes", "disabled": "no", "blocked": "no", "unknown": "not known"}[found.now.gate]
    until = "" if found.now.until is None else f", until {found.now.until:%Y-%m-%d} at the longest"
    yield Line(f"EWS answers application {found.application_id} now: {yes}{until}", "heading")
    yield Line(f"  {found.now.reason}.")
    if found.expected is not None:
        yield Line(
            f"Wait: mimapp changed this; Exchange takes it in until {found.expected:%Y-%m-%d %H:%M} UTC.", "warn"
        )
    yield Line()
    listed = _listed(settings)
    yield Pairs(
        [
            ("Organisation's switch", _switch(settings.ews_enabled)),
            ("Allow list", "not readable" if listed is None else ", ".join(map(str, listed)) or "empty"),
            ("User-Agent policy", settings.application_access_policy or "none"),
            ("Mailbox's switch", "not readable" if access is None else _switch(access.ews_enabled)),
            ("Mailbox's User-Agent policy", (access.ews_application_access_policy if access else "") or "none"),
            ("EWS ends here", "no date known" if found.ews_ends is None else f"{found.ews_ends:%Y-%m-%d}"),
        ]
    )
    yield Line()
    for lost in found.lost:
        yield Line(
            f"Note: {lost.app_id} stood on the list when mimapp wrote it on {lost.written:%Y-%m-%d %H:%M} UTC, and is "
            "gone: somebody took it off, or another write lost it.",
            "warn",
        )
    for one in found.now.unknown:
        yield Line(f"Not known: {one}.", "dim")
    yield Line(f"{found.verdict.reason[:1].upper()}{found.verdict.reason[1:]}.", "plain")
    if todo := _todo(found):
        yield Line(f"To do: {todo}", "bad")


def _switch(value: bool | None) -> str:  # noqa: FBT001 - a value of three kinds
    return "Null" if value is None else str(value)


def _outcome_document(outcome: EwsOutcome) -> Mapping[str, JsonValue]:
    return {
        "tenantId": outcome.tenant_id,
        "registration": outcome.registration,
        "mailbox": outcome.mailbox,
        "applicationId": outcome.application_id,
        "before": list(outcome.before),
        "after": list(outcome.after),
        "ewsEnabled": outcome.enabled,
        "written": None if outcome.written is None else iso(outcome.written),
        "undo": list(outcome.undo),
        "changes": [
            {"step": change.step, "target": change.target, "detail": change.detail} for change in outcome.changes
        ],
        "warnings": list(outcome.warnings),
        "attention": list(outcome.attention),
    }


def _outcome_text(outcome: EwsOutcome) -> Iterator[Block]:
    if not outcome.changes:
        yield Line(f"Nothing to do: application {outcome.application_id} is on the list.", "good")
    else:
        yield Line(f"{len(outcome.changes)} changes made in {outcome.tenant_name}.", "good")
        yield Line("The list as it was read just before the write, and as it was read back:", "heading")
        yield Pairs([("before", ", ".join(outcome.before) or "empty"), ("after", ", ".join(outcome.after) or "empty")])
        yield Line("Look whether an entry of somebody else's is missing: nothing could show a write in between.")
        yield Line("Exchange takes a list in within 24 h, a switch within about one; mimapp verify shows when.", "warn")
        for undo in outcome.undo:
            yield Line(f"To undo: {undo}")
    for warning in outcome.warnings:
        yield Line(f"Note: {warning}", "warn")
    for matter in outcome.attention:
        yield Line(f"To do: {matter}", "bad")
