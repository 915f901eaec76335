"""``mimapp register``: the whole job."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta  # noqa: TC003 - the decorator reads a dataclass's field types at run time
from typing import TYPE_CHECKING

from mimapp.cli import shared_options as shared
from mimapp.cli.command import Run, command
from mimapp.cli.kinds import DURATION, FLAG, TEXT, TEXTS, choice
from mimapp.cli.meant import mailbox_of, tenant_of
from mimapp.cli.options import option
from mimapp.spec import DISPLAY_NAME, Only, Registration, Scope

if TYPE_CHECKING:
    from mimapp.cli.result import Result

__all__ = ["RegisterOptions", "register"]

BESIDE = "Written beside the application"
SCOPE = "Scope"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterOptions:
    """What is wanted."""

    name: str = option(TEXT, "--name", default=DISPLAY_NAME, help="the application's display name")
    secret_to: tuple[str, ...] = shared.secret_to()
    secret_lifetime: timedelta = shared.secret_lifetime()  # noqa: RUF009 - makes a dataclasses.field
    group_owner: str | None = option(
        TEXT,
        "--group-owner",
        default=None,
        metavar="ADDRESS",
        setting=True,
        help="who owns the scoping group; default: the signed-in administrator",
    )
    replication_window: timedelta = shared.replication_window()  # noqa: RUF009 - makes a dataclasses.field
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
    scope: str | None = option(
        choice(*(scope.value for scope in Scope)),
        "--scope",
        default=None,
        panel=SCOPE,
        help="what keeps the application to its mailbox: policy (an access policy, as the MIM guide has it), "
        "rbac (a role in Exchange and no consent; Microsoft documents no MIM with it alone) "
        "or none (every mailbox of the tenant); default: what stands, else policy",
    )
    wait_for_scope: timedelta | None = option(  # noqa: RUF009 - makes a dataclasses.field
        DURATION,
        "--wait-for-scope",
        default=None,
        setting=True,
        panel=SCOPE,
        help="hold consent back for so long after the fence stands; the time is noted, and later runs keep to it",
    )
    management_scope: bool = option(
        FLAG,
        "--management-scope",
        default=False,
        panel=SCOPE,
        help="with --scope rbac: limit the role by a management scope of the group's members, not by the group",
    )
    administrative_unit: str | None = option(
        TEXT,
        "--administrative-unit",
        default=None,
        metavar="ID",
        panel=SCOPE,
        help="with --scope rbac: limit the role by this Entra administrative unit; no group is made",
    )
    principal_id: str | None = option(
        TEXT,
        "--principal-id",
        default=None,
        metavar="ID",
        panel=SCOPE,
        help="with --scope rbac, --only exchange and --app-id: the object id of the service principal",
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
        metavar="PART",
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
    notes: str | None = option(
        TEXT, "--notes", default=None, panel=BESIDE, help="what the application's notes are to say"
    )
    service_management_reference: str | None = option(
        TEXT,
        "--service-management-reference",
        default=None,
        panel=BESIDE,
        help="where the application stands in your asset or service database; some tenants demand it",
    )
    tag: tuple[str, ...] = option(
        TEXTS,
        "--tag",
        default=(),
        metavar="TAG",
        panel=BESIDE,
        help="a tag for application and service principal",
    )


@command(RegisterOptions, writes=True)
def register(run: Run, options: RegisterOptions) -> Result:
    """Register the application for a mailbox: scoped, consented, on the EWS list, with a stored secret.

    Reads the tenant, shows what is to be done, asks, and does it; a second run finds nothing to do. It ends with the
    three values that the MIM installer asks for.
    """
    from mimapp.cli.connect import connect, stores_of  # noqa: PLC0415 - help need not import it
    from mimapp.cli.plans import carry_out, plan_result  # noqa: PLC0415 - help need not import it
    from mimapp.cli.registering import register_result, registering_permissions  # noqa: PLC0415 - help need not import it
    from mimapp.provisioning.observe import parts_of  # noqa: PLC0415 - help need not import it

    wanted = _wanted(run, options)
    stores_of(run, options.secret_to, "tenant", wanted.key)  # a wrong store is said before anybody signs in
    with connect(
        run,
        tenant_of(run),
        window=options.replication_window,
        parts=parts_of(wanted),
        permissions=registering_permissions(wanted),
    ) as tenant:
        wanted = wanted.stored_in(stores_of(run, options.secret_to, tenant.tenant_id, wanted.key))
        plan = tenant.plan(wanted, on_event=run.progress)
        if run.writing.dry_run or run.writing.plan_out is not None:
            return plan_result(run, plan)
        outcome = carry_out(run, tenant, plan)
    return register_result(outcome, wanted)


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
        scope=None if options.scope is None else Scope(options.scope),
        wait_for_scope=options.wait_for_scope,
        management_scope=options.management_scope,
        administrative_unit=options.administrative_unit,
        principal_id=options.principal_id,
        new_secret=options.new_secret,
        only=None if options.only is None else Only(options.only),
        fence_confirmed_by=options.fence_confirmed_by,
        change_ref=run.writing.change_ref,
        notes=options.notes,
        service_management_reference=options.service_management_reference,
        further_tags=options.tag,
    )
