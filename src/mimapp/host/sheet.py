"""The filled installer sheet of one registration: pages, commands, warnings and what to do afterwards, as a value.

Owns what stands on the sheet; `sheet_text` and `sheet_html` own how it looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.clock import iso
from mimapp.errors import UsageError
from mimapp.host import msi
from mimapp.host.facts import EWS_ENDS, Source, days_left
from mimapp.host.options import GUIDE, Account, MailServer, azure_cloud_label, office_365_for
from mimapp.host.pages import AccountNames, Mode, Page, pages

if TYPE_CHECKING:
    from datetime import datetime

    from mimapp.host.facts import RegistrationFacts
    from mimapp.host.options import InstallerOption

__all__ = ["Command", "Sheet", "sheet"]

#: What the collecting script asks for without being told a cloud.
_WORLDWIDE = frozenset({"global", "gcc"})
_OPEN_PORTAL = (
    "MIM Portal, Management Policy Rules: 'User management: Users can read attributes of their own', untick Policy is "
    "disabled, OK, Submit, so that others can open the portal"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A line to run: what for, where (``cmd`` or ``powershell`` on the server, ``mimapp`` anywhere), the line."""

    purpose: str
    where: str
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Everything that the person at the installer needs, filled in.

    Attributes:
        option: the letter.
        title: the option's name as the guide has it.
        mode: a new installation, or Change mode.
        registration: the registration's name for headings; empty when it has none.
        sandbox: whether the values belong to the simulated tenant and must not be typed anywhere.
        values: name and value of what goes in: cloud, ids, mailbox, when the secret ends.
        start: the commands before the wizard.
        pages: the wizard, page by page.
        afterwards: what to do when it has finished, in order.
        commands: the commands for that.
        warnings: what to know first.
        after_ews: what works after EWS has ended.
        sources: where the contents come from.
    """

    option: str
    title: str
    mode: Mode
    registration: str
    sandbox: bool
    values: tuple[tuple[str, str], ...]
    start: tuple[Command, ...]
    pages: tuple[Page, ...]
    afterwards: tuple[str, ...]
    commands: tuple[Command, ...]
    warnings: tuple[str, ...]
    after_ews: str
    sources: tuple[Source, ...]


def sheet(
    row: InstallerOption,
    facts: RegistrationFacts,
    *,
    now: datetime,
    mail_server: MailServer | None = None,
    names: AccountNames | None = None,
    uninstall_string: str | None = None,
) -> Sheet:
    """The sheet of one option for one registration.

    Args:
        row: from `options.option` or `options.choose`.
        facts: the registration.
        now: the moment, for the days that EWS has left.
        mail_server: which of the option's servers; by default the one of the registration's cloud.
        names: account and domain as they are typed.
        uninstall_string: the server's UninstallString: the sheet is then for Change mode.

    Raises:
        UsageError: the installer has no Office 365 choice for this cloud, the mail server is not one of the option's,
            a gMSA's `$` stands on a regular account, or the UninstallString is not one that opens Change mode.
    """
    server = mail_server if mail_server is not None else _server_of(row, facts)
    if server not in row.servers:
        raise UsageError(f"option {row.letter} is not for mail server {server.label!r}")
    account = names if names is not None else AccountNames()
    if row.account is Account.REGULAR and account.name.endswith("$"):
        raise UsageError(
            f"{account.name!r} is a group-managed service account, option {row.letter} is for a regular one",
            hint="the same mail server with a gMSA: H for C, F for A, I for E",
        )
    mode = Mode.NEW if uninstall_string is None else Mode.CHANGE
    log = msi.INSTALL_LOG if mode is Mode.NEW else msi.CHANGE_LOG
    return Sheet(
        option=row.letter,
        title=row.title,
        mode=mode,
        registration=facts.display_name,
        sandbox=facts.sandbox,
        values=_values(row, facts, server),
        start=_start(row, facts, server, account, uninstall_string),
        pages=pages(row, facts, server, account, mode),
        afterwards=_afterwards(row, facts, mode, log),
        commands=_commands(row, facts, log),
        warnings=_warnings(row, facts, now),
        after_ews=row.after_ews,
        sources=(GUIDE, msi.PROPERTIES_SOURCE),
    )


def _server_of(row: InstallerOption, facts: RegistrationFacts) -> MailServer:
    if len(row.servers) == 1:
        return next(iter(row.servers))
    server = office_365_for(facts.cloud_name)
    if server is None:
        raise UsageError(
            f"the installer has no Office 365 choice for the cloud {facts.cloud_name!r}",
            hint="options A and F take a mailbox on Exchange Server",
        )
    return server


def _values(row: InstallerOption, facts: RegistrationFacts, server: MailServer) -> tuple[tuple[str, str], ...]:
    found = [
        ("Azure Cloud", azure_cloud_label(facts.cloud_name) or f"not known for {facts.cloud_name}"),
        ("Mail Server", server.label),
    ]
    if row.asks_application:
        found += [
            ("Application ID", facts.application_id),
            ("Tenant ID", facts.tenant_id),
            ("Client Secret", f"run: {facts.secret_command}"),
            (
                "Client Secret ends",
                iso(facts.secret_expires) if facts.secret_expires else "not known: see mimapp status",
            ),
        ]
    if row.asks_email:
        found.append(("Service Email Account", facts.mailbox))
    return tuple(found)


def _start(
    row: InstallerOption,
    facts: RegistrationFacts,
    server: MailServer,
    account: AccountNames,
    uninstall_string: str | None,
) -> tuple[Command, ...]:
    if uninstall_string is not None:
        line = msi.change_line(uninstall_string)
        return (
            Command(purpose="log folder", where="cmd", line=r"mkdir c:\miminstall"),
            Command(purpose="Change mode, elevated prompt", where="cmd", line=line),
        )
    found = [
        Command(purpose="log folder", where="cmd", line=r"mkdir c:\miminstall"),
        Command(purpose="new installation, elevated prompt", where="cmd", line=msi.install_line()),
        Command(
            purpose="instead, where MIM is installed: find the UninstallString for the Change-mode sheet",
            where="powershell",
            line=msi.find_uninstall_string(),
        ),
    ]
    unattended = msi.unattended_line(row, facts, server, account)
    if unattended is not None:
        purpose = "unattended instead of the wizard; properties from code of 2018-2019, try it on a test server first"
        found.append(Command(purpose=purpose, where="cmd", line=unattended))
    return tuple(found)


def _warnings(row: InstallerOption, facts: RegistrationFacts, now: datetime) -> tuple[str, ...]:
    found = []
    if facts.sandbox:
        found.append("SANDBOX: these values belong to a simulated tenant and work nowhere else")
    if row.asks_application:
        found += [
            _ews(facts, now),
            "needs MIM Service build 4.6.421.0 or later; from 4.6.607.0 a token failure shows in the Application log",
            "on 4.6.421.0 the hotfix can fail while PollExchangeEnabled is 1: set 0, patch, set 1, restart",
            msi.NO_UNATTENDED,
        ]
        if facts.secret_expires is not None and facts.secret_expires <= now:
            found.append(f"the client secret has expired ({iso(facts.secret_expires)}): run mimapp rotate first")
    if row.limits:
        found.append(row.limits)
    found.append(
        "the installer's verbose log may hold what was typed, the client secret included [unverified]: search it with "
        "the command below before it is given to anybody, and delete it afterwards"
    )
    return tuple(found)


def _ews(facts: RegistrationFacts, now: datetime) -> str:
    if facts.ews_ends is None:
        return (
            f"EWS ends in the worldwide cloud on {EWS_ENDS}; for the cloud {facts.cloud_name!r} Microsoft has given no "
            "date: watch its Message Center"
        )
    left = days_left(facts.ews_ends, now)
    span = f"{left} days from now" if left > 0 else "which has passed"
    return f"EWS in Exchange Online ends on {facts.ews_ends} ({span}): this option carries no mail after that"


def _afterwards(row: InstallerOption, facts: RegistrationFacts, mode: Mode, log: str) -> tuple[str, ...]:
    found = []
    if mode is Mode.NEW:
        found += [
            "open the MIM Portal (http://<portal>/identitymanagement; the first visit is slow) as its installer",
            "add the site to the Local intranet zone, and untick Display intranet sites in Compatibility View",
            _OPEN_PORTAL,
        ]
    if row.asks_application:
        confirm = f"mimapp handover confirm {facts.secret_key_id or 'KEYID'}"
        found += [
            "set the TLS and .NET values: run the script of `mimapp host tls`, then restart what it names",
            "restart the service: Restart-Service FIMService",
            "approvals by mail need PollExchangeEnabled = 1: `mimapp host check` shows it; set it, restart the service",
            "send a notification from MIM and look for event 12 in the Application log",
            f"confirm the hand-over: {_named(confirm, facts)}",
        ]
    found.append(f"search {log} for the secret with the command below, then delete it")
    if not row.asks_application:
        found[-1] = f"delete {log}: it may hold what was typed"
    return tuple(found)


def _commands(row: InstallerOption, facts: RegistrationFacts, log: str) -> tuple[Command, ...]:
    if not row.asks_application:
        return ()
    cloud = "" if facts.cloud_name in _WORLDWIDE else f" --cloud {facts.cloud_name}"
    collect, check = f"mimapp host collect{cloud} --out collect.ps1", _named("mimapp host check collected.json", facts)
    prove = _named("mimapp verify", facts)
    return (
        Command(purpose="the secret, shown on a terminal", where="mimapp", line=facts.secret_command),
        Command(purpose="TLS 1.2 and .NET strong cryptography", where="mimapp", line="mimapp host tls --out tls.ps1"),
        Command(purpose="read this server back", where="mimapp", line=collect),
        Command(purpose="judge what was read back", where="mimapp", line=check),
        Command(purpose="prove token and mailbox as MIM Service does", where="mimapp", line=prove),
        Command(purpose="look for the secret in the log", where="powershell", line=msi.log_scan(log)),
    )


def _named(command: str, facts: RegistrationFacts) -> str:
    """A command for this registration."""
    return f"{command} {facts.named_by}".rstrip()
