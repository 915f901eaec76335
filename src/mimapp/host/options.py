"""Installer options A to I as one table: mail server, authentication and account in, option or refusal out.

Owns which combinations MIM's installer takes, which are retired, and the nearest that works. What is typed on which
page is `pages`. Source of the table: "Install MIM 2016 with SP2: MIM Service and Portal for Microsoft Entra ID P1 or
P2 customers" (MIMDocs, install-mim-service-portal-azure-ad-premium), text and screenshots.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mimapp.errors import UsageError
from mimapp.host.facts import EWS_ENDS, Mark, Source

__all__ = [
    "GUIDE",
    "INVALID_PAIR_TEXT",
    "INVALID_PAIR_TITLE",
    "OPTIONS",
    "Account",
    "Authentication",
    "InstallerOption",
    "MailServer",
    "azure_cloud_label",
    "choose",
    "nearest",
    "office_365_for",
    "option",
]

GUIDE = Source(name="MIM Service and Portal install guide for Microsoft Entra ID P1 or P2 customers", mark=Mark.DOC)

INVALID_PAIR_TITLE = "Invalid Mail Authentication"
INVALID_PAIR_TEXT = "Authentication method selected is not supported by this Mail Server"
"""Title and text of the installer's pop-up; read off the guide's screenshot."""


class MailServer(StrEnum):
    """The choice `Mail Server:`; the value is how options and files write it, `label` is the installer's word."""

    EXCHANGE = "exchange"
    OFFICE_365 = "office-365"
    OFFICE_365_CHINA = "office-365-21vianet"
    OFFICE_365_GOVERNMENT = "office-365-government"
    SMTP = "smtp"
    NONE = "none"

    @property
    def label(self) -> str:
        """The installer's label, verbatim."""
        return _MAIL_SERVER_LABELS[self]

    @property
    def is_office_365(self) -> bool:
        """Whether it is Exchange Online in one of its clouds."""
        return self in _OFFICE_365


_MAIL_SERVER_LABELS = {
    MailServer.EXCHANGE: "Exchange Server 2013 or later",
    MailServer.OFFICE_365: "Office 365",
    MailServer.OFFICE_365_CHINA: "Office 365 operated by 21Vianet",
    MailServer.OFFICE_365_GOVERNMENT: "Office 365 Government GCC High and DoD",
    MailServer.SMTP: "SMTP",
    MailServer.NONE: "None",
}
_OFFICE_365 = frozenset({MailServer.OFFICE_365, MailServer.OFFICE_365_CHINA, MailServer.OFFICE_365_GOVERNMENT})


class Authentication(StrEnum):
    """The choice `Authentication:`; `label` is the installer's word."""

    BASIC = "basic"
    APPLICATION_CONTEXT = "application-context"
    INTEGRATED_WINDOWS = "integrated-windows"

    @property
    def label(self) -> str:
        """The installer's label, verbatim."""
        return _AUTHENTICATION_LABELS[self]


_AUTHENTICATION_LABELS = {
    Authentication.BASIC: "Basic Authentication",
    Authentication.APPLICATION_CONTEXT: "Application Context Authentication",
    Authentication.INTEGRATED_WINDOWS: "Integrated Windows Authentication",
}


class Account(StrEnum):
    """What MIM Service runs as: an account with a password, or a group-managed service account."""

    REGULAR = "regular"
    GMSA = "gmsa"


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallerOption:
    """One row of the guide's table.

    Attributes:
        letter: A to I.
        servers: the mail servers it stands for; the three Office 365 labels are one family.
        authentication: the choice, or None where the installer greys it.
        account: what MIM Service runs as.
        asks_host: whether the mail server's host name is typed (otherwise greyed, filled in by the installer).
        asks_application: whether the page with Application ID, Tenant ID and Client Secret comes.
        asks_password: whether the account's password is typed.
        asks_email: whether `Service Email Account:` is typed.
        asks_email_password: whether `Service Email Account Password:` is typed.
        retired: why and since when it no longer works, or None.
        after_ews: what of it works after EWS_ENDS.
        limits: what it cannot do, or empty.
    """

    letter: str
    servers: frozenset[MailServer]
    authentication: Authentication | None
    account: Account
    asks_host: bool
    asks_application: bool
    asks_password: bool
    asks_email: bool
    asks_email_password: bool
    retired: str | None
    after_ews: str
    limits: str = ""

    @property
    def title(self) -> str:
        """The guide's name of the option: account + mail server."""
        account = "Group-managed service account" if self.account is Account.GMSA else "Regular service account"
        return f"{account} + {_TITLES[self.letter]}"


_TITLES = {
    "A": "Exchange Server",
    "B": "Office 365 basic authentication",
    "C": "Office 365 application context authentication",
    "D": "SMTP",
    "E": "no mail server",
    "F": "Exchange Server",
    "G": "Office 365 basic authentication",
    "H": "Office 365 application context authentication",
    "I": "no mail server",
}

_BASIC_IS_GONE = (
    "Exchange Online no longer takes basic authentication (turned off between late 2022 and January 2023; Microsoft's "
    "MIM maintenance article)"
)
_ON_PREMISES = f"goes on working after {EWS_ENDS}: EWS of Exchange Server on-premises does not end"
_ENDS = (
    f"no mail after {EWS_ENDS}: EWS in Exchange Online ends, and no MIM build that uses Graph for mail is documented; "
    "MIM's own ways out are A or F (mailbox on Exchange Server), D (SMTP, without approvals), E or I (no mail)"
)
_DEAD_ALREADY = f"does not work today, nor after {EWS_ENDS}"
_NO_EWS = f"goes on working after {EWS_ENDS}: it does not use EWS"
_NO_MAIL = f"nothing changes on {EWS_ENDS}: there is no mail"
_NO_APPROVALS = "SMTP gives no approvals in Outlook: mail only goes out"
_NO_NOTIFICATIONS = "MIM Service sends no notification and takes no approval by mail"


def _row(  # the nine rows below are read as a table: position carries the column
    letter: str,
    account: Account,
    servers: frozenset[MailServer],
    authentication: Authentication | None,
    after: str,
    *,
    email: bool,
    email_password: bool,
    retired: str | None = None,
    limits: str = "",
) -> InstallerOption:
    on_premises = servers <= {MailServer.EXCHANGE, MailServer.SMTP}
    return InstallerOption(
        letter=letter,
        servers=servers,
        authentication=authentication,
        account=account,
        asks_host=on_premises,
        asks_application=authentication is Authentication.APPLICATION_CONTEXT,
        asks_password=account is Account.REGULAR,
        asks_email=email,
        asks_email_password=email_password,
        retired=retired,
        after_ews=after,
        limits=limits,
    )


_EXCHANGE = frozenset({MailServer.EXCHANGE})
_SMTP = frozenset({MailServer.SMTP})
_NONE = frozenset({MailServer.NONE})
_IWA = Authentication.INTEGRATED_WINDOWS
_APP = Authentication.APPLICATION_CONTEXT
_BASIC = Authentication.BASIC
_REG, _GMSA = Account.REGULAR, Account.GMSA

OPTIONS: tuple[InstallerOption, ...] = (
    _row("A", _REG, _EXCHANGE, _IWA, _ON_PREMISES, email=True, email_password=False),
    _row("B", _REG, _OFFICE_365, _BASIC, _DEAD_ALREADY, email=True, email_password=True, retired=_BASIC_IS_GONE),
    _row("C", _REG, _OFFICE_365, _APP, _ENDS, email=True, email_password=False),
    _row("D", _REG, _SMTP, _IWA, _NO_EWS, email=True, email_password=False, limits=_NO_APPROVALS),
    _row("E", _REG, _NONE, None, _NO_MAIL, email=False, email_password=False, limits=_NO_NOTIFICATIONS),
    _row("F", _GMSA, _EXCHANGE, _IWA, _ON_PREMISES, email=True, email_password=True),
    _row("G", _GMSA, _OFFICE_365, _BASIC, _DEAD_ALREADY, email=True, email_password=True, retired=_BASIC_IS_GONE),
    _row("H", _GMSA, _OFFICE_365, _APP, _ENDS, email=True, email_password=False),
    _row("I", _GMSA, _NONE, None, _NO_MAIL, email=False, email_password=False, limits=_NO_NOTIFICATIONS),
)


def option(letter: str) -> InstallerOption:
    """The option of that letter, upper or lower case.

    Raises:
        UsageError: there is no such option, or it is retired (with the date, and what to take instead).
    """
    wanted = letter.strip().upper()
    for row in OPTIONS:
        if row.letter == wanted:
            return _living(row)
    raise UsageError(
        f"there is no installer option {letter!r}",
        hint="A to I; C and H are Office 365 with application context authentication",
        details=[f"{row.letter}: {row.title}" for row in OPTIONS],
    )


def choose(server: MailServer, authentication: Authentication | None, account: Account) -> InstallerOption:
    """The option that these three choices make; authentication is None where the installer greys it (`None`).

    Raises:
        UsageError: the installer takes no such combination, or the option is retired; the hint names the nearest
            valid option.
    """
    for row in OPTIONS:
        if server in row.servers and row.authentication is authentication and row.account is account:
            return _living(row)
    raise _refusal(server, authentication, account)


def nearest(server: MailServer, authentication: Authentication | None, account: Account) -> InstallerOption:
    """The living option that changes least: the mail server weighs most, then the account, then authentication."""

    def distance(row: InstallerOption) -> tuple[int, str]:
        return (
            4 * (server not in row.servers)
            + 2 * (row.account is not account)
            + (row.authentication is not authentication),
            row.letter,
        )

    return min((row for row in OPTIONS if row.retired is None), key=distance)


def _living(row: InstallerOption) -> InstallerOption:
    if row.retired is None:
        return row
    instead = nearest(MailServer.OFFICE_365, row.authentication, row.account)
    raise UsageError(
        f"installer option {row.letter} ({row.title}) is retired: {row.retired}",
        hint=f"take option {instead.letter} ({instead.title})",
    )


def _refusal(server: MailServer, authentication: Authentication | None, account: Account) -> UsageError:
    instead = nearest(server, authentication, account)
    hint = f"the nearest that works is option {instead.letter} ({instead.title})"
    if authentication is None:
        return UsageError(
            f"mail server {server.label!r} needs an authentication method: the installer greys it only for 'None'",
            hint=hint,
        )
    if server is MailServer.NONE:
        return UsageError(
            "mail server 'None' takes no authentication method: the installer greys the field",
            hint=hint,
        )
    details = [f"the installer's pop-up: {INVALID_PAIR_TITLE!r}, {INVALID_PAIR_TEXT!r}"]
    if server is MailServer.SMTP and authentication is _IWA:
        details = ["the guide: SMTP works only with a regular service account and Integrated Windows Authentication"]
    else:
        details.append("the pop-up is documented; that it comes for exactly this pair is unverified")
    return UsageError(
        f"{server.label!r} with {authentication.label!r} and a {account} account is not an option of the installer",
        hint=hint,
        details=details,
        explain="installer-invalid-pair",
    )


_AZURE_CLOUD_LABELS = {
    "global": "Azure AD",
    "gcc": "Azure AD",
    "china": "Azure AD China operated by 21Vianet",
    "dod": "Microsoft 365 Government - DoD",
}
_OFFICE_365_OF_CLOUD = {
    "global": MailServer.OFFICE_365,
    "gcc": MailServer.OFFICE_365,
    "china": MailServer.OFFICE_365_CHINA,
    "gcc-high": MailServer.OFFICE_365_GOVERNMENT,
    "dod": MailServer.OFFICE_365_GOVERNMENT,
}


def azure_cloud_label(cloud_name: str) -> str | None:
    """The label on the installer's Azure Cloud page; None where it is not known (GCC High, Bleu, Delos)."""
    return _AZURE_CLOUD_LABELS.get(cloud_name)


def office_365_for(cloud_name: str) -> MailServer | None:
    """Which of the three Office 365 labels belongs to a cloud; None where the installer has none (Bleu, Delos)."""
    return _OFFICE_365_OF_CLOUD.get(cloud_name)
