"""The command lines around the installer: new install, Change mode, what is known for unattended, and its log.

Owns no value that nobody has published: for application context authentication no MSI property is known (tenant id,
application id, client secret, authentication type, cloud), so there is no unattended line for options C and H.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mimapp.errors import UsageError
from mimapp.host.facts import Mark, Source
from mimapp.host.options import Account, MailServer
from mimapp.host.powershell import quoted

if TYPE_CHECKING:
    from mimapp.host.facts import RegistrationFacts
    from mimapp.host.options import InstallerOption
    from mimapp.host.pages import AccountNames

__all__ = [
    "CHANGE_LOG",
    "INSTALL_LOG",
    "NO_UNATTENDED",
    "PROPERTIES_SOURCE",
    "change_line",
    "find_uninstall_string",
    "install_line",
    "log_scan",
    "unattended_line",
]

INSTALL_LOG = r"c:\miminstall\log.txt"
CHANGE_LOG = r"c:\miminstall\change-log.txt"

PROPERTIES_SOURCE = Source(
    name="xMIMDsc 1.0.1903.1 (PowerShell Gallery) and MIMUnattendedInstallGenerator, 2018-2019", mark=Mark.PUBLIC_CODE
)
NO_UNATTENDED = (
    "no unattended install of this option is known: no MSI property for tenant id, application id, client secret, "
    "authentication type or cloud has been published, so use the wizard with this sheet"
)

_UNINSTALL = re.compile(
    r'\s*"?(?:[A-Za-z]:\\(?:[^"\\/:*?<>|]+\\)*)?msiexec(?:\.exe)?"?\s*[/-](?P<switch>[A-Za-z]+)\s*'
    r"(?P<guid>\{[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\})(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)


def install_line() -> str:
    """The line that starts a new installation with the wizard, as the guide has it; needs an elevated prompt."""
    return f'msiexec /i "Service and Portal.msi" /lvxi* {INSTALL_LOG}'


def find_uninstall_string() -> str:
    """The PowerShell line that prints the UninstallString of MIM Service and Portal; it only reads."""
    return (
        r"Get-ChildItem 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall' | Get-ItemProperty | "
        "Where-Object { $_.DisplayName -eq 'Microsoft Identity Manager Service and Portal' } | "
        "Select-Object DisplayVersion, UninstallString"
    )


def change_line(uninstall_string: str) -> str:
    """The line that opens Change mode, from the registry's UninstallString; needs an elevated prompt.

    Only ``msiexec /I{product code}`` is taken: `/X` would uninstall MIM, and further arguments could too.

    Raises:
        UsageError: the string uninstalls, carries more than the product code, or is no msiexec line.
    """
    match = _UNINSTALL.fullmatch(uninstall_string)
    if match is None:
        raise UsageError(
            "the UninstallString is not msiexec with a product code",
            hint=f"copy it from the server: {find_uninstall_string()}",
        )
    switch = match["switch"].upper()
    if switch in {"X", "UNINSTALL"}:
        raise UsageError(
            f"this UninstallString would uninstall MIM Service: it holds /{match['switch']}",
            hint="do not run it; Change mode is opened by /I with the same product code [unverified: where the "
            "registry holds /X, take the MSI of the installed build and choose Change]",
        )
    if switch != "I":
        raise UsageError(f"the UninstallString holds /{match['switch']}, not /I: it does not open Change mode")
    if match["rest"].strip():
        raise UsageError(
            f"the UninstallString goes on after the product code: {match['rest'].strip()!r}",
            hint="give it as the registry holds it; further arguments may remove components",
        )
    return f"msiexec /I{match['guid'].upper()} /lvxi* {CHANGE_LOG}"


def unattended_line(
    row: InstallerOption, facts: RegistrationFacts, server: MailServer, names: AccountNames
) -> str | None:
    """The mail and account properties of an unattended install, from published code; None where none are known.

    The values of the mail switches follow from their names and one published example [unverified]. Passwords are
    placeholders: a command line and the log show them to others.
    """
    if row.asks_application or row.retired is not None:
        return None
    managed = row.account is Account.GMSA
    parts = [
        'msiexec /i "Service and Portal.msi" /qn',
        f"/l*v {INSTALL_LOG}",
        "ADDLOCAL=CommonServices",
        "ACCEPT_EULA=1",
        "SQMOPTINSETTING=0",
        "REBOOT=ReallySuppress",
        'SQLSERVER_SERVER="<SQL Server>"',
        'SQLSERVER_DATABASE="<database>"',
        "EXISTINGDATABASE=0",
    ]
    if server is not MailServer.NONE:
        exchange = int(server is MailServer.EXCHANGE)
        parts += [
            f'MAIL_SERVER="<{"Exchange" if exchange else "SMTP"} server host name>"',
            f"MAIL_SERVER_USE_SSL={exchange}",
            f"MAIL_SERVER_IS_EXCHANGE={exchange}",
            "MAIL_SERVER_IS_EXCHANGE_ONLINE=0",
            f"POLL_EXCHANGE_ENABLED={exchange}",
            f'SERVICE_ACCOUNT_EMAIL="{facts.mailbox}"',
        ]
    if row.asks_email_password:
        parts.append('SERVICE_ACCOUNT_EMAIL_PASSWORD="<password>"')
    account = names.name.removesuffix("$") + "$" if managed else names.name
    parts += [f'SERVICE_ACCOUNT_NAME="{account}"', f'SERVICE_ACCOUNT_DOMAIN="{names.domain}"']
    parts.append("USE_MANAGED_ACCOUNT_FOR_SERVICE=1" if managed else 'SERVICE_ACCOUNT_PASSWORD="<password>"')
    parts += [
        'SYNCHRONIZATION_SERVER="<MIM Sync host name>"',
        'SYNCHRONIZATION_SERVER_ACCOUNT="<domain\\account>"',
        'SERVICEADDRESS="<this server>"',
    ]
    return " ".join(parts)


def log_scan(log: str) -> str:
    """The PowerShell line that looks for the client secret in an installer log; the secret comes by prompt.

    It prints whether the secret stands in the log as it was typed; an encoded form is not found. Verbose MSI logs may
    hold the secret [unverified], so it is run before a log is given to anybody.
    """
    marshal = "[Runtime.InteropServices.Marshal]"
    return (
        "$s = Read-Host -AsSecureString 'Client secret'; "
        f"$b = {marshal}::SecureStringToBSTR($s); "
        f"try {{ $hit = Select-String -LiteralPath {quoted(log)} -SimpleMatch -CaseSensitive -Quiet "
        f"-Pattern ({marshal}::PtrToStringBSTR($b)) }} "
        f"finally {{ {marshal}::ZeroFreeBSTR($b) }}; "
        "if ($hit) { 'FOUND: the log holds the client secret, do not share it' } "
        "else { 'not found as typed' }"
    )
