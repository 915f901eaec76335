"""A script that proves the client secret on the MIM server itself, where a policy keeps this machine from doing it.

It holds no secret: it asks for it. The EWS request is the one that `mimapp.exchange` sends (GetFolder on the inbox,
with impersonation: https://learn.microsoft.com/exchange/client-developer/web-service-reference/getfolder-operation).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.host.powershell import ScriptFile, filled, quoted, template

if TYPE_CHECKING:
    from mimapp.clouds import Cloud

__all__ = ["probe_script"]


def probe_script(*, application_id: str, tenant_id: str, mailbox: str, cloud: Cloud) -> ScriptFile:
    """The script for one application and one mailbox; Windows PowerShell 5.1 or later.

    Args:
        application_id: the client id.
        tenant_id: the tenant's GUID.
        mailbox: the MIM Service mailbox.
        cloud: where the services answer.

    Raises:
        UsageError: a value holds a control character.
    """
    values = {
        "application-id": application_id,
        "tenant-id": tenant_id,
        "mailbox": mailbox,
        "login": cloud.login,
        "exchange": cloud.exchange,
        "scope": cloud.exchange_scope,
    }
    text = filled(template("probe.ps1"), {name: quoted(value) for name, value in values.items()})
    return ScriptFile(name="mimapp-probe.ps1", text=text, encoding="utf-8-sig")
