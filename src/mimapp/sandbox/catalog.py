"""Microsoft's own services as every tenant has them: ids, application permissions (roles) and delegated ones (scopes).

Ids of Microsoft Graph's permissions are those of the recorded service principal (Azure/azure-cli, test_app_permission,
2022), those of Office 365 Exchange Online of pnp/powershell and MicrosoftDocs; only the permissions that concern
applications, directory and mail are kept. Names stand for the descriptions, which Microsoft words at length.
`LicenseAssignment.Read.All` is younger than the recording; its id is from public scripts [unverified], as is everything
about permissions that Microsoft does not publish (`AdminApi.AccessAsUser.All`, whose id here is made up).
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "AZURE_MANAGEMENT",
    "EXCHANGE",
    "FIRST_PARTY",
    "GRAPH",
    "KEY_VAULT",
    "MICROSOFT_TENANT_ID",
    "FirstPartyService",
    "Permission",
    "first_party",
]

MICROSOFT_TENANT_ID = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"
"""`appOwnerOrganizationId` of Microsoft's services, as recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """A role or scope of a service; `by_admin` marks a scope that only an administrator may consent to."""

    value: str
    id: str
    by_admin: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstPartyService:
    """One of Microsoft's services: its application, its audience in tokens, what can be granted on it.

    `national_uris` are its addresses in the other clouds, which a tenant there knows instead of `resource_uris`.
    """

    app_id: str
    name: str
    audience: str
    resource_uris: frozenset[str]
    roles: tuple[Permission, ...]
    scopes: tuple[Permission, ...]
    national_uris: frozenset[str] = frozenset()

    def role(self, value: str) -> Permission:
        """The application permission of that name; KeyError when there is none."""
        return _by_value(self.roles, value)

    def scope(self, value: str) -> Permission:
        """The delegated permission of that name; KeyError when there is none."""
        return _by_value(self.scopes, value)


def first_party(app_id: str) -> FirstPartyService | None:
    """The service with this application id."""
    return next((service for service in FIRST_PARTY if service.app_id == app_id.lower()), None)


def _by_value(permissions: tuple[Permission, ...], value: str) -> Permission:
    for permission in permissions:
        if permission.value == value:
            return permission
    raise KeyError(value)


def _table(text: str) -> tuple[Permission, ...]:
    rows = (line.split() for line in text.strip().splitlines())
    return tuple(Permission(value=row[0], id=row[1], by_admin=row[2:] != ["User"]) for row in rows)


_GRAPH_ROLES = """
AppRoleAssignment.ReadWrite.All 06b708a9-e830-4db3-a914-8e69da51d44f
Application.Read.All 9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30
Application.ReadWrite.All 1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9
Application.ReadWrite.OwnedBy 18a4783c-866b-4cc7-a460-3d5e5662c884
AuditLog.Read.All b0afded3-3588-46d8-8b3d-9842eff778da
DelegatedPermissionGrant.ReadWrite.All 8e8e4742-1d95-4f68-9d56-6ee75648c72a
Directory.Read.All 7ab1d382-f21e-4acd-a863-ba3e13f7da61
Directory.ReadWrite.All 19dbc75e-c2e2-444c-a770-ec69d8559fc7
Directory.Write.Restricted f20584af-9290-4153-9280-ff8bb2c0ea7f
Domain.Read.All dbb9058a-0e50-45d7-ae91-66909b5d4664
Domain.ReadWrite.All 7e05723c-0bb0-42da-be95-ae9f08a6e53c
Group.Create bf7b1a76-6e77-406b-b258-bf5c7720e98f
Group.Read.All 5b567255-7703-4780-807c-7be8301ae99b
Group.ReadWrite.All 62a82d76-70ea-41e2-9197-370581804d09
GroupMember.Read.All 98830695-27a2-44f7-8c18-0c3ebc9698f6
GroupMember.ReadWrite.All dbaae8cf-10b5-4b86-a4a1-f871c94c6695
LicenseAssignment.Read.All e2f98668-2877-4f38-a2f4-8202e0717aa1
LicenseAssignment.ReadWrite.All 5facf0c1-8979-4e95-abcf-ff3d079771c0
Mail.Read 810c84a8-4a9e-49e6-bf7d-12d183f40d01
Mail.ReadBasic 6be147d2-ea4f-4b5a-a3fa-3eab6f3c140a
Mail.ReadBasic.All 693c5e45-0940-467d-9b8a-1022fb9d42ef
Mail.ReadWrite e2a3a72e-5f79-4c64-b1b1-878b674786c9
Mail.Send b633e1c5-b582-4048-a93e-9f11b44c7e96
MailboxSettings.Read 40f97065-369a-49f4-947c-6a255697ae91
MailboxSettings.ReadWrite 6931bccd-447a-43d1-b442-00a195474933
Organization.Read.All 498476ce-e0fe-48b0-b801-37ba7e2685c6
Organization.ReadWrite.All 292d869f-3427-49a8-9dab-8c70152b74e9
Policy.Read.All 246dd0d5-5bd0-4def-940b-0421030a5b68
Policy.Read.ConditionalAccess 37730810-e9ba-4e46-b07e-8ca78d182097
Policy.Read.PermissionGrant 9e640839-a198-48fb-8b9a-013fd6f6cbcd
Policy.ReadWrite.ApplicationConfiguration be74164b-cff1-491c-8741-e671cb536e13
Policy.ReadWrite.AuthenticationFlows 25f85f3c-f66c-4205-8cd5-de92dd7f0cec
Policy.ReadWrite.AuthenticationMethod 29c18626-4985-4dcd-85c0-193eef327366
Policy.ReadWrite.Authorization fb221be6-99f2-473f-bd32-01c6a0e9ca3b
Policy.ReadWrite.ConditionalAccess 01c0a623-fc9b-48e9-b794-0756f8e8f067
Policy.ReadWrite.ConsentRequest 999f8c63-0a38-4f1b-91fd-ed1947bdd1a9
Policy.ReadWrite.CrossTenantAccess 338163d7-f101-4c92-94ba-ca46fe52447c
Policy.ReadWrite.FeatureRollout 2044e4f1-e56c-435b-925c-44cd8f6ba89a
Policy.ReadWrite.PermissionGrant a402ca1c-2696-4531-972d-6e5ee4aa11ea
Policy.ReadWrite.TrustFramework 79a677f7-b79d-40d0-a36a-3e6f8688dd7a
RoleManagement.Read.Directory 483bed4a-2ad3-4361-a73b-c83ccdbdc53c
RoleManagement.ReadWrite.Directory 9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8
User.Export.All 405a51b5-8d8d-430b-9842-8be4b0e9f324
User.Invite.All 09850681-111b-4a89-9bed-3f2cae46d706
User.ManageIdentities.All c529cfca-c91b-489c-af2b-d92990b66ce6
User.Read.All df021288-bdef-4463-88db-98f22de89214
User.ReadWrite.All 741f803b-c850-494e-b5df-cde7c675a1ca
"""
_GRAPH_SCOPES = """
AppRoleAssignment.ReadWrite.All 84bccea3-f856-4a8a-967b-dbe0a3d53a64 Admin
Application.Read.All c79f8feb-a9db-4090-85f9-90d820caa0eb Admin
Application.ReadWrite.All bdfbf15f-ee85-4955-8675-146e8e5296b5 Admin
AuditLog.Read.All e4c9e354-4dc5-45b8-9e7c-e1393b0b1a20 Admin
DelegatedPermissionGrant.ReadWrite.All 41ce6ca6-6826-4807-84f1-1c82854f7ee5 Admin
Directory.AccessAsUser.All 0e263e50-5827-48a4-b97c-d940288653c7 Admin
Directory.Read.All 06da0dbc-49e2-44d2-8312-53f166ab848a Admin
Directory.ReadWrite.All c5366453-9fb0-48a5-a156-24f0c49a4b84 Admin
Directory.Write.Restricted cba5390f-ed6a-4b7f-b657-0efc2210ed20 Admin
Domain.Read.All 2f9ee017-59c1-4f1d-9472-bd5529a7b311 Admin
Domain.ReadWrite.All 0b5d694c-a244-4bde-86e6-eb5cd07730fe Admin
EWS.AccessAsUser.All 9769c687-087d-48ac-9cb3-c37dde652038 User
Group.Read.All 5f8c59db-677d-491f-a6b8-5f174b11ec1d Admin
Group.ReadWrite.All 4e46008b-f24c-477d-8fff-7bb4ec7aafe0 Admin
GroupMember.Read.All bc024368-1153-4739-b217-4326f2e966d0 Admin
GroupMember.ReadWrite.All f81125ac-d3b7-4573-a3b2-7099cc39df9e Admin
LicenseAssignment.ReadWrite.All f55016cc-149c-447e-8f21-7cf3ec1d6350 Admin
Mail.Read 570282fd-fa5c-430d-a7fd-fc8dc98a9dca User
Mail.Read.Shared 7b9103a5-4610-446b-9670-80643382c1fa User
Mail.ReadBasic a4b8392a-d8d1-4954-a029-8e668a39a170 User
Mail.ReadWrite 024d486e-b451-40bb-833d-3e66d98c5c73 User
Mail.ReadWrite.Shared 5df07973-7d5d-46ed-9847-1271055cbd51 User
Mail.Send e383f46e-2787-4529-855e-0e479a3ffac0 User
Mail.Send.Shared a367ab51-6b49-43bf-a716-a1fb06d2a174 User
MailboxSettings.Read 87f447af-9fa4-4c32-9dfa-4a57a73d18ce User
MailboxSettings.ReadWrite 818c620a-27a9-40bd-a6a5-d96f7d610b4b User
Organization.Read.All 4908d5b9-3fb2-4b1e-9336-1888b7937185 Admin
Organization.ReadWrite.All 46ca0847-7e6b-426e-9775-ea810a948356 Admin
Policy.Read.All 572fea84-0151-49b2-9301-11cb16974376 Admin
Policy.Read.ConditionalAccess 633e0fce-8c58-4cfb-9495-12bbd5a24f7c User
Policy.Read.PermissionGrant 414de6ea-2d92-462f-b120-6e2a809a6d01 Admin
Policy.ReadWrite.ApplicationConfiguration b27add92-efb2-4f16-84f5-8108ba77985c Admin
Policy.ReadWrite.AuthenticationFlows edb72de9-4252-4d03-a925-451deef99db7 Admin
Policy.ReadWrite.AuthenticationMethod 7e823077-d88e-468f-a337-e18f1f0e6c7c Admin
Policy.ReadWrite.Authorization edd3c878-b384-41fd-95ad-e7407dd775be Admin
Policy.ReadWrite.ConditionalAccess ad902697-1014-4ef5-81ef-2b4301988e8c Admin
Policy.ReadWrite.ConsentRequest 4d135e65-66b8-41a8-9f8b-081452c91774 Admin
Policy.ReadWrite.CrossTenantAccess 014b43d0-6ed4-4fc6-84dc-4b6f7bae7d85 Admin
Policy.ReadWrite.DeviceConfiguration 40b534c3-9552-4550-901b-23879c90bcf9 Admin
Policy.ReadWrite.FeatureRollout 92a38652-f13b-4875-bc77-6e1dbb63e1b2 Admin
Policy.ReadWrite.MobilityManagement a8ead177-1889-4546-9387-f25e658e2a79 Admin
Policy.ReadWrite.PermissionGrant 2672f8bb-fd5e-42e0-85e1-ec764dd2614e Admin
Policy.ReadWrite.TrustFramework cefba324-1a70-4a6e-9c1d-fd670b7ae392 Admin
RoleManagement.Read.Directory 741c54c3-0c1e-44a1-818b-3f97ab4e8c83 Admin
RoleManagement.ReadWrite.Directory d01b97e9-cbc0-49fe-810a-750afd5527a3 Admin
User.Export.All 405a51b5-8d8d-430b-9842-8be4b0e9f324 Admin
User.Invite.All 63dd7cd9-b489-4adf-a28c-ac38b9a0f962 Admin
User.ManageIdentities.All 637d7bec-b31e-4deb-acc9-24275642a2c9 Admin
User.Read e1fe6dd8-ba31-4d61-89e7-88639da4683d User
User.Read.All a154be20-db9c-4678-8ab7-66f6cc099a59 Admin
User.ReadBasic.All b340eb25-3456-403f-be2f-af7a0d370277 User
User.ReadWrite b4e74841-8e56-480b-be8b-910348b18b4c User
User.ReadWrite.All 204e0828-b5ca-4ad8-b9f3-f32a958e7cc4 Admin
email 64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0 User
offline_access 7427e0e9-2fba-42fe-b0c0-848c9e6a8182 User
openid 37f7f235-527c-4136-accd-4a02d197296e User
profile 14dad69e-099b-42c9-810b-d002981feec1 User
"""
_EXCHANGE_ROLES = """
Calendars.Read 798ee544-9d2d-430c-a058-570e29e34338
Calendars.ReadWrite.All ef54d2bf-783f-4e0f-bca1-3210c0444d99
Contacts.Read 089fe4d0-434a-44c5-8827-41ba8a0b17f5
Contacts.ReadWrite 6918b873-d17a-4dc1-b314-35f528134491
Exchange.ManageAsApp dc50a0fb-09a3-484d-be87-e023b12c6440
IMAP.AccessAsApp 5e5addcd-3e8d-4e90-baf5-964efab2b20a
Mail.Read 810c84a8-4a9e-49e6-bf7d-12d183f40d01
Mail.ReadWrite e2a3a72e-5f79-4c64-b1b1-878b674786c9
Mail.Send b633e1c5-b582-4048-a93e-9f11b44c7e96
MailboxSettings.Read d45fa9f8-36e5-4cd2-b601-b063c7cf9ac2
MailboxSettings.ReadWrite f9156939-25cd-4ba8-abfe-7fabcf003749
POP.AccessAsApp cb842b43-da6e-4506-86fe-bb12199c656d
full_access_as_app dc890d15-9560-4a4c-9b7f-a736ec74ec40
"""
_EXCHANGE_SCOPES = """
AdminApi.AccessAsUser.All 00000002-0000-0ff1-ce00-5a6db0c0a001
EAS.AccessAsUser.All 266d2589-20b5-4f91-9a03-89247d1be8da User
EWS.AccessAsUser.All 3b5f3d61-589b-4a3c-a359-5dd4b5ee5bd5 User
Exchange.Manage ab4f2b77-0b06-4fc1-a9de-02113fc2ab7c
IMAP.AccessAsUser.All 195adc35-e27b-454b-a7ed-1ecdffa1c09f User
Mail.Read 185758ba-798d-4b72-9e54-429a413a2510 User
Mail.ReadWrite 75767999-c7a8-481e-a6b4-19458e0b30a5 User
Mail.Send 5eb43c10-865a-4259-960a-83946678f8dd User
POP.AccessAsUser.All fb698133-92fa-453e-a9ed-688e10f2e5ac User
SMTP.Send 76faac2a-0f20-42f1-928a-50de5b9dbe52 User
User.Read 6223a6d3-53ef-4f8f-982a-895b39483c61 User
"""

GRAPH = FirstPartyService(
    app_id="00000003-0000-0000-c000-000000000000",
    name="Microsoft Graph",
    audience="https://graph.microsoft.com",
    resource_uris=frozenset({"https://graph.microsoft.com"}),
    roles=_table(_GRAPH_ROLES),
    scopes=_table(_GRAPH_SCOPES),
    national_uris=frozenset(
        {
            "https://graph.microsoft.us",
            "https://dod-graph.microsoft.us",
            "https://microsoftgraph.chinacloudapi.cn",
            "https://graph.svc.sovcloud.fr",
            "https://graph.svc.sovcloud.de",
        }
    ),
)
EXCHANGE = FirstPartyService(
    app_id="00000002-0000-0ff1-ce00-000000000000",
    name="Office 365 Exchange Online",
    audience="https://outlook.office365.com",
    resource_uris=frozenset({"https://outlook.office365.com", "https://outlook.office.com", "https://ps.outlook.com"}),
    roles=_table(_EXCHANGE_ROLES),
    scopes=_table(_EXCHANGE_SCOPES),
    # Those of Bleu and Delos stand in microsoft/CSS-Exchange alone; of China's two no source shows the admin API.
    national_uris=frozenset(
        {
            "https://outlook.office365.us",
            "https://outlook-dod.office365.us",
            "https://partner.outlook.cn",
            "https://outlook.office365.cn",
            "https://outlook.sovcloud.fr",
            "https://outlook.sovcloud.de",
        }
    ),
)
AZURE_MANAGEMENT = FirstPartyService(
    app_id="797f4846-ba00-4fd7-ba43-dac1f8f63013",
    name="Windows Azure Service Management API",
    audience="https://management.azure.com",
    resource_uris=frozenset({"https://management.azure.com", "https://management.core.windows.net"}),
    roles=(),
    scopes=(Permission(value="user_impersonation", id="41094075-9dad-400e-a0bd-54e686782033", by_admin=False),),
)
KEY_VAULT = FirstPartyService(
    app_id="cfa8b339-82a2-471a-a3c9-0fc0be7a4093",
    name="Azure Key Vault",
    audience="https://vault.azure.net",
    resource_uris=frozenset({"https://vault.azure.net"}),
    roles=(),
    scopes=(Permission(value="user_impersonation", id="f53da476-18e3-4152-8e01-aec403e6edc0", by_admin=False),),
)
FIRST_PARTY = (GRAPH, EXCHANGE, AZURE_MANAGEMENT, KEY_VAULT)
"""Every service of Microsoft that a simulated tenant has a service principal for."""
