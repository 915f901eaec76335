"""``mimapp register``: the whole job."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from mimapp.cli.command import Run, command
from mimapp.cli.exit_codes import ExitCode
from mimapp.cli.kinds import DURATION, FLAG, TEXT, TEXTS, choice
from mimapp.cli.meant import mailbox_of, tenant_of
from mimapp.cli.options import option
from mimapp.cli.result import Line, Pairs, Result
from mimapp.clock import iso
from mimapp.spec import DISPLAY_NAME, REPLICATION_WINDOW, Only, Registration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mimapp.cli.result import Block, JsonValue
    from mimapp.provisioning.outcome import Outcome

__all__ = ["RegisterOptions", "register"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterOptions:
    """What is wanted."""

    name: str = option(TEXT, "--name", default=DISPLAY_NAME, help="the application's display name")
    secret_to: tuple[str, ...] = option(
        TEXTS,
        "--secret-to",
        default=(),
        metavar="STORE",
        setting=True,
        help="where the client secret goes: file:PATH or stdout; default: an owner-only file under MIMAPP_HOME",
    )
    secret_lifetime: timedelta = option(  # noqa: RUF009 - makes a dataclasses.field
        DURATION,
        "--secret-lifetime",
        default=timedelta(days=180),
        setting=True,
        help="how long the client secret lives; default: 180d",
    )
    group_owner: str | None = option(
        TEXT,
        "--group-owner",
        default=None,
        metavar="ADDRESS",
        setting=True,
        help="who owns the scoping group; default: the signed-in administrator",
    )
    replication_window: timedelta = option(  # noqa: RUF009 - makes a dataclasses.field
        DURATION,
        "--replication-window",
        default=REPLICATION_WINDOW,
        setting=True,
        help="how long Entra may take to show or accept a new secret; default: 5m",
    )
    app_id: str | None = option(
        TEXT,
        "--app-id",
        default=None,
        metavar="ID",
        help="the client id of an application that exists, to take it over",
    )
    new: bool = option(FLAG, "--new", default=False, help="make an application although one that may be meant exists")
    remove_user_read: bool = option(
        FLAG, "--remove-user-read", default=False, help="take User.Read away even where it is somebody's sign-in"
    )
    restrict_existing: bool = option(
        FLAG,
        "--restrict-existing",
        default=False,
        help="fence an application in although that takes mailboxes from what else uses it",
    )
    restore: bool = option(
        FLAG, "--restore", default=False, help="bring this registration's deleted application back, without its secrets"
    )
    purge_deleted: bool = option(
        FLAG, "--purge-deleted", default=False, help="delete this registration's deleted application for good"
    )
    new_secret: bool = option(
        FLAG,
        "--new-secret",
        default=False,
        help="issue a secret here although one of mimapp's is stored elsewhere; that one stays",
    )
    only: str | None = option(
        choice(*(part.value for part in Only)),
        "--only",
        default=None,
        help="do one administrator's part: entra, then exchange, then consent",
    )
    fence_confirmed_by: str | None = option(
        TEXT,
        "--fence-confirmed-by",
        default=None,
        metavar="NAME",
        help="with --only consent, where you cannot read Exchange: who says that the fence stands; recorded",
    )
    owner: str | None = option(
        TEXT,
        "--owner",
        default=None,
        metavar="USER",
        help="somebody to make an owner of the application, who may then add secrets; default: nobody",
    )


@command(RegisterOptions, writes=True)
def register(run: Run, options: RegisterOptions) -> Result:
    """Register the application for a mailbox: scoped, consented, on the EWS list, with a stored secret.

    Reads the tenant, shows what is to be done, asks, and does it; a second run finds nothing to do. It ends with the
    three values that the MIM installer asks for.
    """
    from mimapp.cli.connect import connect, stores_of  # noqa: PLC0415 - help need not import it
    from mimapp.cli.plans import carry_out, plan_result  # noqa: PLC0415 - help need not import it
    from mimapp.provisioning.observe import parts_of  # noqa: PLC0415 - help need not import it
    from mimapp.tenant import ADOPTION_PERMISSIONS, REGISTER_PERMISSIONS  # noqa: PLC0415 - help need not import it

    wanted = _wanted(run, options)
    stores_of(run, options.secret_to, "tenant", wanted.key)  # a wrong store is said before anybody signs in
    permissions = REGISTER_PERMISSIONS + (ADOPTION_PERMISSIONS if wanted.app_id or wanted.restore else ())
    with connect(
        run, tenant_of(run), window=options.replication_window, parts=parts_of(wanted), permissions=permissions
    ) as tenant:
        wanted = wanted.stored_in(stores_of(run, options.secret_to, tenant.tenant_id, wanted.key))
        plan = tenant.plan(wanted, on_event=run.progress)
        if run.writing.dry_run or run.writing.plan_out is not None:
            return plan_result(run, plan)
        outcome = carry_out(run, tenant, plan)
    return Result(
        schema="mimapp.register/1",
        document=_document(outcome),
        text=_text(outcome, wanted),
        code=ExitCode.ATTENTION if outcome.attention else ExitCode.DONE,
    )


def _wanted(run: Run, options: RegisterOptions) -> Registration:
    mailbox = mailbox_of(run)
    return Registration(
        mailbox=mailbox,
        key=run.options.registration or "",
        display_name=options.name,
        secret_lifetime=options.secret_lifetime,
        group_owner=options.group_owner,
        owner=options.owner,
        app_id=options.app_id,
        new=options.new,
        remove_user_read=options.remove_user_read,
        restrict_existing=options.restrict_existing,
        restore=options.restore,
        purge_deleted=options.purge_deleted,
        new_secret=options.new_secret,
        only=None if options.only is None else Only(options.only),
        fence_confirmed_by=options.fence_confirmed_by,
    )


def _document(outcome: Outcome) -> Mapping[str, JsonValue]:
    secret = outcome.secret
    return {
        "tenantId": outcome.tenant_id,
        "applicationId": outcome.application_id,
        "applicationObjectId": outcome.application_object_id,
        "servicePrincipalObjectId": outcome.service_principal_object_id,
        "secret": None
        if secret is None
        else {
            "keyId": secret.key_id,
            "label": secret.label,
            "expires": None if secret.expires is None else iso(secret.expires),
            "storedIn": secret.stores[0] if secret.stores else None,
            "stores": list(secret.stores),
            "proven": secret.proven,
        },
        "storedElsewhere": [
            {
                "keyId": other.key_id,
                "label": other.label,
                "expires": None if other.expires is None else iso(other.expires),
            }
            for other in outcome.stored_elsewhere
        ],
        "scope": {
            "kind": "policy",
            "group": outcome.scope.group,
            "policy": outcome.scope.policy,
            "stands": outcome.scope.stands,
            "proven": outcome.scope.proven,
            "expected": None if outcome.scope.expected is None else iso(outcome.scope.expected),
        },
        "consent": "granted" if outcome.consented else "missing",
        "ews": {
            "allowed": outcome.ews.allowed,
            "reason": outcome.ews.reason,
            "effective": None if outcome.ews.effective is None else iso(outcome.ews.effective),
            "ends": None if outcome.ews.ends is None else outcome.ews.ends.isoformat(),
        },
        "changes": [
            {"step": change.step, "target": change.target, "detail": change.detail} for change in outcome.changes
        ],
        "warnings": list(outcome.warnings),
        "attention": list(outcome.attention),
    }


def _text(outcome: Outcome, wanted: Registration) -> tuple[Block, ...]:
    secret = outcome.secret
    show = f"run: mimapp secret show --mailbox {wanted.mailbox}"
    if outcome.sandbox:
        show += " --sandbox"
    did = f"{len(outcome.changes)} changes made in {outcome.tenant_name}." if outcome.changes else "Nothing to do."
    ends = "" if secret is None or secret.expires is None else f"{secret.expires:%Y-%m-%d}"
    return (
        Line(did, "good"),
        Line(),
        Line("The MIM installer asks for:", "heading"),
        Pairs(
            [
                ("ApplicationId", outcome.application_id),
                ("TenantId", outcome.tenant_id),
                ("ClientSecret", show if secret is not None and secret.stores else "stored elsewhere"),
            ]
        ),
        Line(),
        Pairs(
            [
                ("Secret ends", ends or "unknown"),
                ("Restricted to", f"members of {outcome.scope.group}"),
                ("Consent", "granted" if outcome.consented else "missing"),
                ("EWS", outcome.ews.reason),
            ]
        ),
        *(
            Line(f"Wait: {warning}" if "until" in warning else f"Note: {warning}", "warn")
            for warning in outcome.warnings
        ),
        *(Line(f"To do: {matter}", "bad") for matter in outcome.attention),
        Line(),
        Line("Next: type the three values on the installer's page “Configure Office 365 mailbox”."),
    )
