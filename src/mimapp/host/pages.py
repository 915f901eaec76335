"""The installer's pages in order for one option: field labels, what to type, what is greyed, what to answer.

Owns the walk through the wizard as data; `sheet` adds the commands around it. Labels marked verbatim are read off the
screenshots of the install guide; the others are described there and may be worded differently on the screen.
Source: "Install MIM 2016 with SP2: MIM Service and Portal for Microsoft Entra ID P1 or P2 customers".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from mimapp.errors import UsageError
from mimapp.host.options import INVALID_PAIR_TEXT, INVALID_PAIR_TITLE, Account, MailServer, azure_cloud_label

if TYPE_CHECKING:
    from mimapp.host.facts import RegistrationFacts
    from mimapp.host.options import InstallerOption

__all__ = ["ENTER_SECRET", "AccountNames", "Entry", "Field", "Mode", "Page", "Popup", "pages"]

ENTER_SECRET = "the client secret's value, never its Secret ID"  # noqa: S105 - words, not a secret
_OFFICE_365_HOST = "outlook.office365.com"


class Mode(StrEnum):
    """A new installation, or Change mode of one that is there."""

    NEW = "new"
    CHANGE = "change"


class Entry(StrEnum):
    """What to do with a field."""

    TYPE = "type"
    SELECT = "select"
    TICK = "tick"
    UNTICK = "leave unticked"
    EMPTY = "leave empty"
    GREYED = "greyed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field: its label, what to do, the value (or what the installer shows), and whether the label is verbatim."""

    label: str
    entry: Entry
    value: str = ""
    verbatim: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Popup:
    """A warning or error that may come: its words, what it means, what to answer; `key` is for ``mimapp explain``."""

    title: str
    text: str
    meaning: str
    answer: str
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of the wizard; `condition` says when it comes, empty when always."""

    title: str
    fields: tuple[Field, ...] = ()
    condition: str = ""
    note: str = ""
    popups: tuple[Popup, ...] = ()
    button: str = "Next"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountNames:
    """The service account as it is typed; a placeholder in angle brackets stands for what the caller does not know.

    Raises:
        UsageError: a name holds a quote, a control character, or the domain as well as the account.
    """

    name: str = "<service account>"
    domain: str = "<domain>"

    def __post_init__(self) -> None:
        for value in (self.name, self.domain):
            if not value or not value.isprintable() or '"' in value or "\\" in value or "@" in value:
                raise UsageError(
                    f"{value!r} is not a name as the installer takes it",
                    hint="account name and domain are two fields: svcMIMService and CONTOSO",
                )


_SIGN_IN = Popup(
    title="(sign-in window)",
    text="Microsoft Entra sign-in",
    meaning="the licence check: the installer looks for a Microsoft Entra ID P1 or P2 subscription",
    answer="sign in as any user of that tenant who may read its subscriptions",
)
_NO_LICENCE = Popup(
    title="(error, words not documented)",
    text="no subscription with Microsoft Entra ID P1 or P2 found",
    meaning="the user belongs to another tenant, or the tenant has no such licence",
    answer="sign in to the right tenant; the installer's log has more",
    key="installer-licence",
)
_WRONG_PAIR = Popup(
    title=INVALID_PAIR_TITLE,
    text=INVALID_PAIR_TEXT,
    meaning="mail server and authentication method do not go together",
    answer="close it and choose the two values of this page again",
    key="installer-invalid-pair",
)
_MAILBOX_FAILED = Popup(
    title="Failed to access Office 365 mailbox",
    text="Please check authentication information provided. Failed to authenticate: AADSTS...",
    meaning="the three values do not get a token: AADSTS7000215 the Secret ID was pasted instead of the value, "
    "AADSTS90002 wrong Tenant ID or wrong cloud page, AADSTS7000222 the secret has expired",
    answer="close it, run `mimapp explain` with the AADSTS code, correct the value, Next again",
    key="installer-mailbox-failed",
)
_NOT_SECURE = Popup(
    title="(warning page)",
    text="Service Account is not secure in its current configuration",
    meaning="the account is not denied local logon",
    answer="Next goes on; deny the account local logon later by policy",
    key="installer-account-not-secure",
)
_MANAGED = Popup(
    title="(error)",
    text="The service account shouldn't be managed",
    meaning="the installer wants a user of its own for Exchange when MIM Service runs as a gMSA",
    answer="tick the choice of a different user for Exchange (MicrosoftDocs/MIMDocs#202, issue thread)",
    key="installer-account-managed",
)


def pages(
    row: InstallerOption, facts: RegistrationFacts, server: MailServer, names: AccountNames, mode: Mode
) -> tuple[Page, ...]:
    """The pages of one option in the order in which they come.

    In Change mode only the pages that matter are listed: the write-up says that others come in between and does not
    name them; they keep what they show.
    """
    mail = (_mail_server(row, server), *_reporting_server(), *_application(row, facts))
    account = (*_certificate(), _account(row, facts, names), _warning(_NOT_SECURE))
    if mode is Mode.CHANGE:
        return (
            Page(title="Welcome"),
            Page(title="Change, repair, or remove installation", button="Change, then Next"),
            *_without_conditions(mail),
            *_without_conditions(account),
            Page(
                title="Install",
                button="Install",
                note="pages in between keep what they show: Next",
            ),
        )
    return (*_opening(facts), *mail, *account, *_closing())


def _without_conditions(found: tuple[Page, ...]) -> tuple[Page, ...]:
    return tuple(page for page in found if not page.condition or page.popups)


def _warning(popup: Popup) -> Page:
    return Page(title=popup.text, condition="only if the account is not denied local logon", popups=(popup,))


def _opening(facts: RegistrationFacts) -> tuple[Page, ...]:
    label = azure_cloud_label(facts.cloud_name)
    if label is None:
        cloud = Field(label="Azure Cloud", entry=Entry.SELECT, value=f"not known for the cloud {facts.cloud_name!r}")
        note = (
            f"which label the cloud {facts.cloud_name!r} needs is not documented; the choices are: Azure AD | "
            "Azure AD China operated by 21Vianet | Microsoft 365 Government - DoD"
        )
    else:
        cloud = Field(label="Azure Cloud", entry=Entry.SELECT, value=label)
        note = ""
    media = "media for Microsoft Entra ID P1/P2 only; volume licence media have no cloud page"
    return (
        Page(title="Welcome"),
        Page(title="End-User License Agreement", note="accept the terms, if you do"),
        Page(title="Azure Cloud", fields=(cloud,), condition=media, note=note, popups=(_SIGN_IN, _NO_LICENCE)),
        Page(title="Components to install", note="choose MIM Service; MIM Portal and the others as planned"),
        Page(
            title="Configure Common Services: MIM database connection",
            fields=(
                Field(
                    label="Database server", entry=Entry.TYPE, value="<SQL Server, cluster or listener>", verbatim=False
                ),
                Field(label="Database name", entry=Entry.TYPE, value="<database>", verbatim=False),
                Field(label="Re-use the existing database", entry=Entry.TICK, value="when upgrading", verbatim=False),
            ),
        ),
        Page(
            title="Database backup warning",
            condition="only if an existing database is used",
            note="back the database up first, then Next",
        ),
    )


def _mail_server(row: InstallerOption, server: MailServer) -> Page:
    if row.authentication is None:
        authentication = Field(label="Authentication:", entry=Entry.GREYED)
    else:
        authentication = Field(label="Authentication:", entry=Entry.SELECT, value=row.authentication.label)
    if row.asks_host:
        kind = "Exchange" if server is MailServer.EXCHANGE else "SMTP"
        host = Field(label="(host name)", entry=Entry.TYPE, value=f"<{kind} server host name>", verbatim=False)
    else:
        # The guide's screenshots show the filled-in name for `Office 365` only.
        shown = _OFFICE_365_HOST if server is MailServer.OFFICE_365 else ""
        host = Field(label="(host name)", entry=Entry.GREYED, value=shown, verbatim=False)
    managed = Field(
        label="Use Group Managed Service Account",
        entry=Entry.TICK if row.account is Account.GMSA else Entry.UNTICK,
    )
    return Page(
        title="Configure Common Services: Configure mail server connection",
        fields=(
            Field(label="Mail Server:", entry=Entry.SELECT, value=server.label),
            authentication,
            host,
            managed,
        ),
        popups=() if row.authentication is None else (_WRONG_PAIR,),
    )


def _reporting_server() -> tuple[Page, ...]:
    field = Field(label="Management server", entry=Entry.TYPE, value="<Service Manager server>", verbatim=False)
    return (
        Page(
            title="System Center Service Manager management server",
            fields=(field,),
            condition="only with MIM Reporting",
        ),
    )


def _application(row: InstallerOption, facts: RegistrationFacts) -> tuple[Page, ...]:
    if not row.asks_application:
        return ()
    return (
        Page(
            title="Configure Common Services: Configure Office 365 mailbox",
            fields=(
                Field(label="Application ID:", entry=Entry.TYPE, value=facts.application_id),
                Field(label="Tenant ID:", entry=Entry.TYPE, value=facts.tenant_id),
                Field(label="Client Secret:", entry=Entry.TYPE, value=ENTER_SECRET),
            ),
            note="Provide authentication information required to access MIM Service mailbox. "
            f"Get the secret with: {facts.secret_command}",
            popups=(_MAILBOX_FAILED,),
        ),
    )


def _certificate() -> tuple[Page, ...]:
    return (
        Page(
            title="Certificate",
            condition="only with MIM Reporting",
            note="TLS 1.2 only with Service Manager 2019: a certificate that the Service Manager server trusts, with "
            "this server's host name in its subject; otherwise generate a new self-signed certificate",
        ),
    )


def _account(row: InstallerOption, facts: RegistrationFacts, names: AccountNames) -> Page:
    managed = row.account is Account.GMSA
    name = names.name.removesuffix("$") + "$" if managed else names.name
    password = (
        Field(label="Service Account Password:", entry=Entry.TYPE, value="(the account's password)")
        if row.asks_password
        else Field(label="Service Account Password:", entry=Entry.EMPTY if not row.asks_application else Entry.GREYED)
    )
    fields = [
        Field(label="Service Account Name:", entry=Entry.TYPE, value=name),
        password,
        Field(label="Service Account Domain:", entry=Entry.TYPE, value=names.domain),
    ]
    if row.asks_email:
        fields.append(Field(label="Service Email Account:", entry=Entry.TYPE, value=facts.mailbox))
    if row.asks_email_password:
        fields.append(
            Field(label="Service Email Account Password:", entry=Entry.TYPE, value="(the mailbox user's password)")
        )
    elif row.asks_application:
        fields.append(Field(label="Service Email Account Password:", entry=Entry.GREYED))
    return Page(
        title="Configure Common Services: Configure the MIM service account",
        fields=tuple(fields),
        note="the name of a group-managed service account ends in $ and its password stays empty" if managed else "",
        popups=(_MANAGED,) if managed and row.asks_email else (),
    )


def _closing() -> tuple[Page, ...]:
    registration, reset = "only with Self-Service Password Registration", "only with Self-Service Password Reset"
    return (
        Page(
            title="Synchronization server",
            fields=(
                Field(label="Synchronization server", entry=Entry.TYPE, value="<MIM Sync host name>", verbatim=False),
                Field(
                    label="MIM Management Agent account",
                    entry=Entry.TYPE,
                    value="<domain\\account>, with $ at the end for a gMSA",
                    verbatim=False,
                ),
            ),
        ),
        Page(
            title="MIM Service server address",
            fields=(
                Field(
                    label="Server address",
                    entry=Entry.TYPE,
                    value="<this server, or the cluster's name>",
                    verbatim=False,
                ),
            ),
        ),
        Page(
            title="SharePoint site collection",
            fields=(
                Field(
                    label="Site collection URL", entry=Entry.TYPE, value="<URL, not http://localhost>", verbatim=False
                ),
            ),
            note="a warning about the SharePoint timer comes afterwards: Next",
        ),
        Page(title="Registration Portal URL", condition=registration),
        Page(
            title="Security changes",
            note="tick the two boxes: open ports 5725 and 5726 in the firewall, and grant authenticated users access "
            "to the MIM Portal",
        ),
        Page(title="Password Registration Portal", condition=registration, note="read the warning that follows: Next"),
        Page(title="Password Reset Portal", condition=reset, note="read the warning that follows: Next"),
        Page(title="Ready to install", button="Install"),
    )
