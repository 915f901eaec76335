"""What is read on the MIM server: the watched registry values, and the read-only PowerShell script that collects them.

Owns which values are watched (none of them secret) and the script; its JSON is read by `collected`, judged by `check`.
The script has not been run on Windows: it is parsed and run against a model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.errors import UsageError
from mimapp.host.powershell import ScriptFile, filled, quoted, template
from mimapp.host.registry import MIM_KEY, SECRET_NAME, SERVICE_KEY, UNINSTALL_KEY
from mimapp.host.tls import settings

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["DEFAULT_HOSTS", "EVENT_DAYS", "EVENT_TEXT", "FIPS_KEY", "NET_35_KEY", "TOKEN_TEXT", "WATCHED", "Watched"]
__all__ += ["collect_script"]

DEFAULT_HOSTS = ("login.microsoftonline.com", "outlook.office365.com")
EVENT_DAYS = 7
EVENT_TEXT = "cannot connect to the Exchange Web Service"
"""Part of the text of event 12 [write-up]; those who quote its source spell it differently, so that is not asked."""
TOKEN_TEXT = "Could not get access token for office365 mailbox"  # noqa: S105 - MIM's words, not a token
"""Part of MIM's message in the trace, from 4.6.607.0 also in the Application log [write-up]; no event id is known."""
FIPS_KEY = r"SYSTEM\CurrentControlSet\Control\Lsa\FipsAlgorithmPolicy"
NET_35_KEY = r"SOFTWARE\Microsoft\NET Framework Setup\NDP\v3.5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One value that the script reads; `key` is below HKEY_LOCAL_MACHINE."""

    key: str
    name: str


WATCHED: tuple[Watched, ...] = (
    Watched(key=MIM_KEY, name="ExchangeOnlineApplicationID"),
    Watched(key=MIM_KEY, name="ExchangeOnlineTenantID"),
    Watched(key=SERVICE_KEY, name="ObjectName"),
    Watched(key=SERVICE_KEY, name="PollExchangeEnabled"),
    Watched(key=FIPS_KEY, name="Enabled"),
    Watched(key=NET_35_KEY, name="Install"),
    *(Watched(key=row.key, name=row.name) for row in settings(disable_legacy=True)),
)


def collect_script(hosts: Sequence[str] = DEFAULT_HOSTS) -> ScriptFile:
    """The script for Windows PowerShell on the MIM server; it writes one JSON file and changes nothing else.

    Args:
        hosts: the names that the server must reach on port 443: login and Exchange of the registration's cloud.

    Raises:
        UsageError: a host is no host name.
    """
    for host in hosts:
        if not host or any(not (sign.isascii() and (sign.isalnum() or sign in ".-")) for sign in host):
            raise UsageError(f"{host!r} is not a host name")
    rows = ",\n".join(f"    @{{ Key = {quoted(row.key)}; Name = {quoted(row.name)} }}" for row in WATCHED)
    text = filled(
        template("collect.ps1"),
        {
            "hosts": ", ".join(quoted(host) for host in hosts),
            "watched": rows,
            "mim-key": quoted(MIM_KEY),
            "secret-name": quoted(SECRET_NAME),
            "service-key": quoted(SERVICE_KEY),
            "uninstall-key": quoted(UNINSTALL_KEY),
            "days": str(EVENT_DAYS),
            "event-text": quoted(f"*{EVENT_TEXT}*"),
            "token-text": quoted(f"*{TOKEN_TEXT}*"),
        },
    )
    return ScriptFile(name="mimapp-collect.ps1", text=text, encoding="utf-8-sig")
