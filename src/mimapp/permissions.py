"""The permission sets by which a mail client of MIM's kind may be let into a mailbox: one row each, with its source.

Everything that registers, consents to, limits, proves or shows a right reads it from the row in use. MIM Service as it
is documented speaks EWS, and nothing else is known (docs/after-ews.md): a MIM that reads its mailbox by Microsoft Graph
would be another row, with Graph as the resource, its application permission and the role in Exchange that stands in for
it. Ids are thought to be the same in every cloud [unverified]: at run time a permission is looked up by its value.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["EWS", "IN_USE", "PERMISSION_SETS", "PermissionSet"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionSet:
    """One way in.

    Attributes:
        name: a short stable word.
        resource_app_id: the application that offers the permission.
        permission: the value of the application permission that is consented to in Entra.
        permission_id: its id.
        exchange_role: the role in Exchange that stands in for it, limited there (RBAC for Applications).
    """

    name: str
    resource_app_id: str
    permission: str
    permission_id: str
    exchange_role: str


#: EWS with impersonation, as MIM Service has it. Resource: microsoft/CSS-Exchange, New-EwsAzureApplication.ps1.
#: Permission and id: https://learn.microsoft.com/exchange/client-developer/exchange-web-services/how-to-authenticate-an-ews-application-by-using-oauth.
#: Role: https://learn.microsoft.com/exchange/permissions-exo/application-rbac.
EWS = PermissionSet(
    name="ews",
    resource_app_id="00000002-0000-0ff1-ce00-000000000000",
    permission="full_access_as_app",
    permission_id="dc890d15-9560-4a4c-9b7f-a736ec74ec40",
    exchange_role="Application EWS.AccessAsApp",
)
PERMISSION_SETS = {one.name: one for one in (EWS,)}
#: What mimapp registers.
IN_USE = EWS
