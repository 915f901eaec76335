"""Tenants that are not as register needs them: what is in the way is named, and nothing is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.checking import put_recipient
from cli.bad_input import GHOST, NOBODY, OTHER, REGISTER, Case
from mimapp.sandbox import catalog, scenarios
from mimapp.sandbox.exchange.models import RecipientType
from mimapp.sandbox.obstacles import MailboxKind, change_mailbox
from support.tenants import CONTOSO, MAILBOX

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.tenants import Place

THING = f"thing@{CONTOSO}"
_NO_MAILBOX = "check the address; a mailbox that is still on-premises or has no licence does not count"


def _recipient(kind: RecipientType, address: str) -> Callable[[Place], None]:
    return lambda place: put_recipient(place, kind, address)


def _mailbox(kind: MailboxKind) -> Callable[[Place], None]:
    def prepare(place: Place) -> None:
        change_mailbox(place.sandbox, kind)

    return prepare


def registered(*argv: str) -> Callable[[Place], None]:
    """The mailbox is registered already, and then something more happened."""

    def prepare(place: Place) -> None:
        assert place.remote(*REGISTER.split()).code == 0
        assert not argv or place.remote(*argv).code == 0

    return prepare


def _two_registrations(place: Place) -> None:
    registered("register", "--mailbox", OTHER, "--yes")(place)


def _portal_apps(count: int) -> Callable[[Place], None]:
    def prepare(place: Place) -> None:
        for _ in range(count):
            scenarios.portal_app(place.sandbox)

    return prepare


def _blocked(place: Place) -> None:
    scenarios.block_sign_in(place.sandbox, place.info.operator_client_id)


def _no_exchange(place: Place) -> None:
    tenant = place.info.tenant_id
    with place.sandbox.state.transaction() as tx:
        service = tx.find(tenant, "servicePrincipal", appId=catalog.EXCHANGE.app_id)[0]
        tx.delete(tenant, "servicePrincipal", service.id)


def _not_a_mailbox(address: str, kind: str) -> tuple[str, str]:
    return (
        f"mailbox: {address} is no mailbox in Exchange Online but a {kind}",
        f"name MIM Service's own mailbox; mimapp check --mailbox {address} says more",
    )


def _thing(kind: RecipientType, name: str) -> Case:
    line, hint = _not_a_mailbox(THING, name)
    return Case(argv=f"register --mailbox {THING} --yes", prepare=_recipient(kind, THING), code=2, line=line, hint=hint)


MAILBOXES = {
    "nobody's address": Case(
        argv=f"register --mailbox {GHOST} --yes",
        code=2,
        line=f"mailbox: Exchange Online has no mailbox {GHOST}",
        hint=_NO_MAILBOX,
    ),
    "a security group": _thing(RecipientType.SECURITY_GROUP, "MailUniversalSecurityGroup"),
    "a group of Microsoft 365": _thing(RecipientType.UNIFIED_GROUP, "GroupMailbox"),
    "a contact": _thing(RecipientType.MAIL_CONTACT, "MailContact"),
    "a person on-premises": Case(
        argv=REGISTER,
        prepare=_mailbox(MailboxKind.MAIL_USER),
        code=2,
        line=_not_a_mailbox(MAILBOX, "MailUser")[0],
        hint=_not_a_mailbox(MAILBOX, "MailUser")[1],
    ),
    "an inactive mailbox": Case(
        argv=REGISTER,
        prepare=_mailbox(MailboxKind.INACTIVE),
        code=2,
        line=f"mailbox: Exchange Online has no mailbox {MAILBOX}",
        hint=_NO_MAILBOX,
    ),
    "a deleted mailbox": Case(
        argv=REGISTER,
        prepare=_mailbox(MailboxKind.SOFT_DELETED),
        code=2,
        line=f"mailbox: Exchange Online has no mailbox {MAILBOX}",
        hint=_NO_MAILBOX,
    ),
    "a group owner who is not there": Case(
        argv=f"{REGISTER} --group-owner {GHOST}",
        code=2,
        line=f"the scoping group cannot be owned by {GHOST}: Exchange knows no such recipient",
        hint="name an administrator who has a mailbox with --group-owner ADDRESS",
    ),
    "an application that would own the group": Case(
        argv=REGISTER,
        variables={"MIMAPP_GROUP_OWNER": ""},
        code=2,
        line="the scoping group needs an owner, and an application that signs in by itself cannot be one",
        hint="name an administrator's mailbox with --group-owner ADDRESS or MIMAPP_GROUP_OWNER",
    ),
    "an owner who is not there": Case(
        argv=f"{REGISTER} --owner {GHOST}",
        code=2,
        line=f"owner: this tenant has no user {GHOST}",
        hint="give a user principal name or an object id",
    ),
    "an owner of an id that is not there": Case(
        argv=f"{REGISTER} --owner {NOBODY}",
        code=2,
        line=f"owner: this tenant has no user {NOBODY}",
        hint="give a user principal name or an object id",
    ),
}

APPLICATIONS = {
    "one that may be meant": Case(
        argv=REGISTER,
        prepare=_portal_apps(1),
        code=6,
        line="1 application(s) in this tenant may be meant for this mailbox already",
        hint="add --app-id … to take it over, or --new to make another one",
    ),
    "two of one name": Case(
        argv=REGISTER,
        prepare=_portal_apps(2),
        code=6,
        line="2 application(s) in this tenant may be meant for this mailbox already",
        hint="add --app-id … to take it over, or --new to make another one",
        details=("MIM Service mailbox client access (",),
    ),
    "the retired script's": Case(
        argv=REGISTER,
        prepare=lambda place: (scenarios.script_app(place.sandbox), None)[1],
        code=6,
        line="1 application(s) in this tenant may be meant for this mailbox already",
        hint="add --app-id … to take it over, or --new to make another one",
        details=("Microsoft Identity Manager Service Mailbox client (",),
    ),
    "one in the recycle bin": Case(
        argv=REGISTER,
        prepare=lambda place: (scenarios.soft_deleted_app(place.sandbox, "mimapp-mimservice"), None)[1],
        code=6,
        line="the application of this registration, …, lies in the recycle bin",
        hint="--restore brings it back without its old secrets; --purge-deleted deletes it for good and makes a new "
        "one, whose id EWS takes up to 24 h to allow",
    ),
    "none of the id": Case(
        argv=f"{REGISTER} --app-id {NOBODY}",
        code=2,
        line=f"app id: this tenant has no application {NOBODY}",
        hint="give the application (client) id, not the object id; a deleted one needs --restore as well",
    ),
    "nothing to restore": Case(
        argv=f"{REGISTER} --restore",
        code=2,
        line="nothing to restore or purge: no application of this registration is in the recycle bin",
    ),
    "nothing to purge": Case(
        argv=f"{REGISTER} --purge-deleted",
        code=2,
        line="nothing to restore or purge: no application of this registration is in the recycle bin",
    ),
    "nothing to consent to": Case(
        argv=f"{REGISTER} --only consent",
        code=6,
        line="there is no application to consent to yet",
        hint="somebody has to run mimapp register --only entra first",
    ),
    "another mailbox's registration": Case(
        argv=f"register --mailbox {OTHER} --registration mimservice --yes",
        prepare=registered(),
        code=6,
        line=f"the group mimapp-mimservice@{CONTOSO} has members besides {OTHER}: the application would reach their "
        "mailboxes",
        hint="remove them from the group, or name another registration with --registration KEY",
        details=(MAILBOX,),
    ),
}

REGISTRATIONS = {
    "none": Case(
        argv="status",
        code=2,
        line="the tenant has no registration of mimapp",
        hint="name the mailbox with --mailbox",
    ),
    "none of the key": Case(
        argv="secret list --registration ghost",
        code=2,
        line="the tenant has no registration of mimapp called 'ghost'",
        hint="name the mailbox with --mailbox",
    ),
    "none to take away": Case(
        argv="unregister --registration ghost --yes",
        code=2,
        line="the tenant has no registration of mimapp called 'ghost'",
        hint="name the mailbox with --mailbox",
    ),
    "none to lock": Case(
        argv=f"lockdown --mailbox {MAILBOX} --yes",
        code=2,
        line="this tenant has no application of registration 'mimservice': there is nothing to lock",
        hint="mimapp status shows what there is; name another registration with --registration KEY",
    ),
    "none to print a sheet of": Case(
        argv=f"host sheet --mailbox {MAILBOX} --option H",
        code=2,
        line=f"{MAILBOX} is not registered in {CONTOSO}",
        hint=f"register it first: mimapp register --mailbox {MAILBOX}",
    ),
    "two, and none is named": Case(
        argv="secret list",
        prepare=_two_registrations,
        code=2,
        line="the tenant has 2 registrations: say which",
        details=("--registration mimservice: ", "--registration other: "),
    ),
    "two, and one is to be locked": Case(
        argv="lockdown --yes",
        prepare=_two_registrations,
        code=2,
        line="the tenant has 2 registrations: say which",
        details=("--registration mimservice: ", "--registration other: "),
    ),
    "two stored secrets": Case(
        argv="secret show",
        prepare=_two_registrations,
        code=2,
        line="2 stored secrets fit",
        hint="say which with --mailbox, --registration or --tenant and the tenant's id",
    ),
    "an answer of no": Case(
        argv=f"register --mailbox {MAILBOX}", stdin="n\n", code=2, line="nothing was changed: the answer was no"
    ),
    "an answer of nothing": Case(
        argv=f"register --mailbox {MAILBOX}", stdin="", code=2, line="nothing was changed: the answer was no"
    ),
    "an answer in another language": Case(
        argv=f"register --mailbox {MAILBOX}", stdin="ja\n", code=2, line="nothing was changed: the answer was no"
    ),
}

SIGN_INS = {
    "an unknown domain": Case(
        argv=f"{REGISTER} --tenant unknown.onmicrosoft.com",
        code=4,
        line="there is no tenant unknown.onmicrosoft.com in Worldwide, nor in another cloud that could be asked",
        hint="check --tenant (a domain of the tenant, or its GUID) and --cloud",
    ),
    "an unknown id": Case(
        argv=f"{REGISTER} --tenant {NOBODY}",
        code=4,
        line=f"there is no tenant {NOBODY} in Worldwide, nor in another cloud that could be asked",
        hint="check --tenant (a domain of the tenant, or its GUID) and --cloud",
    ),
    "an unknown application": Case(
        argv=REGISTER,
        variables={"AZURE_CLIENT_ID": NOBODY},
        code=4,
        line="sign-in to Microsoft Graph failed: the application is not known in this tenant: a wrong id, a wrong "
        "tenant, or not replicated yet",
        hint="check the client id and --tenant; right after making the application, wait a minute",
        details=("AADSTS700016",),
    ),
    "a wrong secret": Case(
        argv=REGISTER,
        variables={"AZURE_CLIENT_SECRET": "not-the-secret"},
        code=4,
        line="sign-in to Microsoft Graph failed: the client secret is wrong: …",
        hint="check that the value was copied, not the id; right after making it, wait a minute or two",
        details=("AADSTS7000215",),
    ),
    "a rule that blocks": Case(
        argv=REGISTER,
        prepare=_blocked,
        code=4,
        line="sign-in to Microsoft Graph failed: a Conditional Access or device rule blocked this sign-in",
        hint="use another method or another device: …",
        details=("AADSTS53003",),
    ),
    "another cloud": Case(
        argv=f"{REGISTER} --cloud china",
        code=4,
        line=f"tenant {CONTOSO} lives in Worldwide, not in China (21Vianet)",
        hint="choose --cloud global",
    ),
    "a tenant without Exchange Online": Case(
        argv=REGISTER,
        prepare=_no_exchange,
        code=4,
        line="sign-in to Exchange Online failed: the tenant does not know the service that the token is for",
        hint="check --cloud; does this tenant have an Exchange Online subscription",
        details=("AADSTS500011",),
    ),
}

CASES = {
    f"{group}: {name}": case
    for group, table in {
        "mailbox": MAILBOXES,
        "application": APPLICATIONS,
        "registration": REGISTRATIONS,
        "sign-in": SIGN_INS,
    }.items()
    for name, case in table.items()
}
