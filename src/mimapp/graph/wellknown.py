"""Ids that Microsoft gave to its own applications, permissions and roles, each with its source.

They are thought to be the same in every cloud [unverified]: at run time a role is looked up by its value in the
resource's service principal, and only compared with what stands here.
"""

from __future__ import annotations

from mimapp.permissions import IN_USE

__all__ = [
    "APPLICATION_ADMINISTRATOR",
    "EWS_ACCESS_AS_USER_ALL_ID",
    "EXCHANGE_ADMINISTRATOR",
    "EXCHANGE_MANAGE_AS_APP_ID",
    "EXCHANGE_ONLINE_APP_ID",
    "FULL_ACCESS_AS_APP",
    "FULL_ACCESS_AS_APP_ID",
    "GLOBAL_ADMINISTRATOR",
    "MAIL_READ_ID",
    "MAIL_READ_WRITE_ID",
    "MAIL_SEND_ID",
    "MICROSOFT_GRAPH_APP_ID",
    "USER_READ_ID",
]

#: Office 365 Exchange Online, which offers the permission in use; sources: `mimapp.permissions`, as the next two.
EXCHANGE_ONLINE_APP_ID = IN_USE.resource_app_id
#: The value of the application role that lets an application use EWS on every mailbox.
FULL_ACCESS_AS_APP = IN_USE.permission
#: The id of that role.
FULL_ACCESS_AS_APP_ID = IN_USE.permission_id
#: The delegated scope EWS.AccessAsUser.All. Source:
#: https://learn.microsoft.com/exchange/client-developer/exchange-web-services/how-to-authenticate-an-ews-application-by-using-oauth
EWS_ACCESS_AS_USER_ALL_ID = "3b5f3d61-589b-4a3c-a359-5dd4b5ee5bd5"
#: The application role Exchange.ManageAsApp, which administers Exchange and which the MIM application must not hold.
#: https://learn.microsoft.com/powershell/exchange/app-only-auth-powershell-v2
EXCHANGE_MANAGE_AS_APP_ID = "dc50a0fb-09a3-484d-be87-e023b12c6440"

#: Microsoft Graph. Source: recorded replies of Graph (Azure/azure-cli, test_app_permission).
MICROSOFT_GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
#: The delegated scope User.Read, which the portal adds by itself. Source: pnp/powershell, GraphPermissions.json, as
#: are the three application roles below.
USER_READ_ID = "e1fe6dd8-ba31-4d61-89e7-88639da4683d"
MAIL_SEND_ID = "b633e1c5-b582-4048-a93e-9f11b44c7e96"
MAIL_READ_WRITE_ID = "e2a3a72e-5f79-4c64-b1b1-878b674786c9"
MAIL_READ_ID = "810c84a8-4a9e-49e6-bf7d-12d183f40d01"

#: Templates of directory roles, as `DirectoryRole.role_template_id` has them. Ids: microsoft/CSS-Exchange; which name
#: belongs to which is [unverified].
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
APPLICATION_ADMINISTRATOR = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"
#: [unverified]
EXCHANGE_ADMINISTRATOR = "29232cdf-9323-42fd-ade2-1d097af3e4de"
