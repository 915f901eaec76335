"""What a fresh sandbox holds: one worldwide tenant that is ready for MIM, and the operator who works in it.

Ids that tests and documents may rely on are constants; the rest is derived from them, so two sandboxes are alike.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.sandbox import catalog, shapes
from mimapp.sandbox.clock import iso
from mimapp.sandbox.directory_roles import EXCHANGE_ADMINISTRATOR, GLOBAL_ADMINISTRATOR, ROLE_NAMES

if TYPE_CHECKING:
    from mimapp.sandbox.catalog import FirstPartyService
    from mimapp.sandbox.state import Document, Transaction

__all__ = [
    "CONTOSO",
    "CONTOSO_TENANT_ID",
    "EXCHANGE_ADMINISTRATOR",
    "GLOBAL_ADMINISTRATOR",
    "OPERATOR_CLIENT_ID",
    "OPERATOR_CLIENT_SECRET",
    "OTHER_EWS_APPS",
    "TenantInfo",
    "seed_tenant",
    "tenant_info",
]

CONTOSO_TENANT_ID = "5a6db0c0-0001-4c0a-8f00-c0de00000001"
CONTOSO = "contoso.onmicrosoft.com"
OPERATOR_CLIENT_ID = "5a6db0c0-0002-4c0a-8f00-c0de00000002"
OPERATOR_CLIENT_SECRET = "sandbox-operator-of-every-simulated-tenant"  # noqa: S105 - public, and good nowhere else
"""The operator's secret: a public constant that no real tenant ever issued; mimapp sends it to no real host."""

OTHER_EWS_APPS = ("cc15fd57-2c6c-4117-a88c-83b1d56b4bbe", "5a6db0c0-00e5-4c0a-8f00-c0de000000e5")
_OPERATOR_GRAPH_ROLES = (
    "Application.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "AuditLog.Read.All",
    "DelegatedPermissionGrant.ReadWrite.All",
    "Directory.Read.All",
    "Group.ReadWrite.All",
    "LicenseAssignment.Read.All",
    "Organization.Read.All",
    "Policy.Read.All",
)
_MACHINE = "sandbox-vm"
_PREMIUM_PLAN_ID = "41781fb2-bc02-4b7c-bd55-b576c07bb09d"
_EXCHANGE_PLAN_ID = "efb87545-963c-4e0d-99df-69c6916d9eb0"
_SKU_ID = "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46"


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantInfo:
    """What a user of a simulated tenant needs to know.

    Attributes:
        tenant_id: its GUID.
        tenant_name: its initial domain.
        mailbox: the mailbox made for MIM Service.
        outside_mailbox: another one, which MIM has no business in.
        administrator: the user principal name of the administrator, Global Administrator and Exchange Administrator.
        operator_client_id: an application that may do, app-only, all that mimapp asks of an operator.
        operator_client_secret: its secret, a public constant.
    """

    tenant_id: str
    tenant_name: str
    mailbox: str
    outside_mailbox: str
    administrator: str
    operator_client_id: str
    operator_client_secret: str


def tenant_info(tenant_id: str, domain: str) -> TenantInfo:
    """The names under which a seeded tenant is used."""
    return TenantInfo(
        tenant_id=tenant_id,
        tenant_name=domain,
        mailbox=f"MIMService@{domain}",
        outside_mailbox=f"other@{domain}",
        administrator=f"admin@{domain}",
        operator_client_id=OPERATOR_CLIENT_ID,
        operator_client_secret=OPERATOR_CLIENT_SECRET,
    )


def seed_tenant(tx: Transaction, domain: str = CONTOSO, *, tenant_id: str | None = None, name: str = "Contoso") -> str:
    """Make a tenant with mailboxes, licences, Microsoft's services and the operator; give its id.

    Args:
        tx: the transaction to write in.
        domain: the initial domain, such as ``fabrikam.onmicrosoft.com``.
        tenant_id: its GUID; without one the constant for contoso, or one derived from the domain.
        name: its display name.
    """
    fixed = CONTOSO_TENANT_ID if domain == CONTOSO else str(uuid.uuid5(uuid.NAMESPACE_DNS, domain))
    seeding = _Seeding(tx, tenant_id=tenant_id or fixed, domain=domain, name=name)
    seeding.tenant()
    seeding.people()
    seeding.microsoft_services()
    seeding.operator()
    seeding.machine()
    return seeding.tenant_id


class _Seeding:
    """One tenant being made; every write is known to all replicas at once."""

    def __init__(self, tx: Transaction, *, tenant_id: str, domain: str, name: str) -> None:
        self.tx = tx
        self.tenant_id = tenant_id
        self.domain = domain
        self.name = name

    def put(self, kind: str, id_: str, body: Document) -> None:
        self.tx.put(self.tenant_id, kind, id_, body, settled=True)

    def id_for(self, what: str) -> str:
        """An object id that is the same in every sandbox."""
        return str(uuid.uuid5(uuid.UUID(self.tenant_id), what))

    def tenant(self) -> None:
        self.put("tenant", self.tenant_id, {"id": self.tenant_id, "domain": self.domain, "displayName": self.name})
        self.put("login.settings", self.tenant_id, {"autoApprove": True})
        self.put("acceptedDomain", self.domain, {"domainName": self.domain, "default": True, "initial": True})
        self.put(
            "exo.organization",
            self.tenant_id,
            {
                "EwsEnabled": True,
                "EwsAllowedAppIDs": ",".join(OTHER_EWS_APPS),
                "EwsApplicationAccessPolicy": None,
                "EwsAllowList": [],
                "EwsBlockList": [],
            },
        )
        self.put("subscribedSku", f"{self.tenant_id}_{_SKU_ID}", self._licence())

    def people(self) -> None:
        for alias, shown in (("MIMService", "MIM Service"), ("other", "Other Person"), ("admin", "Administrator")):
            id_ = self.id_for(f"user {alias}")
            address = f"{alias}@{self.domain}"
            self.put("user", id_, self._user(id_, alias, shown))
            self.put(
                "mailbox",
                id_,
                {
                    "id": id_,
                    "userPrincipalName": address,
                    "primarySmtpAddress": address,
                    "displayName": shown,
                    "alias": alias,
                    "exchangeGuid": self.id_for(f"mailbox {alias}"),
                    "recipientTypeDetails": "UserMailbox",
                    "ewsEnabled": None,
                },
            )
        for template, role in ROLE_NAMES.items():
            holders = [self.id_for("user admin")] if template in (GLOBAL_ADMINISTRATOR, EXCHANGE_ADMINISTRATOR) else []
            if template == EXCHANGE_ADMINISTRATOR:
                holders += [self.id_for("operator service principal"), self.id_for("machine service principal")]
            self.put(
                "directoryRole",
                template,
                {"id": self.id_for(f"role {template}"), "displayName": role, "members": holders},
            )

    def microsoft_services(self) -> None:
        for service in catalog.FIRST_PARTY:
            id_ = self.id_for(f"service {service.app_id}")
            body = shapes.service_principal(
                id_=id_,
                app_id=service.app_id,
                name=service.name,
                owner_tenant=catalog.MICROSOFT_TENANT_ID,
                created=None,
            )
            body["signInAudience"] = "AzureADMultipleOrgs"
            body["servicePrincipalNames"] = [*sorted(service.resource_uris), service.app_id]
            self.put("servicePrincipal", id_, body)

    def operator(self) -> None:
        key_id = self.id_for("operator secret")
        app_object, principal_id = self.id_for("operator application"), self.id_for("operator service principal")
        app = shapes.application(id_=app_object, app_id=OPERATOR_CLIENT_ID, created=self.tx.now, domain=self.domain)
        app["displayName"] = "Sandbox operator"
        app["passwordCredentials"] = [
            {
                "customKeyIdentifier": None,
                "displayName": "public constant",
                "endDateTime": "2099-12-31T00:00:00Z",
                "hint": OPERATOR_CLIENT_SECRET[:3],
                "keyId": key_id,
                "secretText": None,
                "startDateTime": iso(self.tx.now),
            }
        ]
        digest = hashlib.sha256(OPERATOR_CLIENT_SECRET.encode()).hexdigest()
        app["_secrets"] = {key_id: {"digest": digest, "usableFrom": 0.0}}
        self.put("application", app_object, app)
        principal = shapes.service_principal(
            id_=principal_id,
            app_id=OPERATOR_CLIENT_ID,
            name=app["displayName"],
            owner_tenant=self.tenant_id,
            created=self.tx.now,
        )
        self.put("servicePrincipal", principal_id, principal)
        self._grant_all(principal)

    def machine(self) -> None:
        """An Azure machine whose managed identity may do what the operator may."""
        group = f"/subscriptions/{self.id_for('subscription')}/resourcegroups/sandbox"
        principal = shapes.managed_identity(
            id_=self.id_for("machine service principal"),
            app_id=self.id_for("machine client"),
            name=_MACHINE,
            resource=f"{group}/providers/Microsoft.Compute/virtualMachines/{_MACHINE}",
            owner_tenant=self.tenant_id,
            created=self.tx.now,
        )
        self.put("servicePrincipal", principal["id"], principal)
        self._grant_all(principal)

    def _grant_all(self, principal: Document) -> None:
        for role in _OPERATOR_GRAPH_ROLES:
            self._grant(principal, catalog.GRAPH, role)
        self._grant(principal, catalog.EXCHANGE, "Exchange.ManageAsApp")

    def _grant(self, principal: Document, service: FirstPartyService, role: str) -> None:
        body = shapes.app_role_assignment(
            principal=principal,
            resource={"id": self.id_for(f"service {service.app_id}"), "displayName": service.name},
            role_id=service.role(role).id,
            created=self.tx.now,
        )
        self.put("appRoleAssignment", body["id"], body)

    def _user(self, id_: str, alias: str, shown: str) -> Document:
        address = f"{alias}@{self.domain}"
        return {
            "id": id_,
            "businessPhones": [],
            "displayName": shown,
            "givenName": None,
            "jobTitle": None,
            "mail": address,
            "mobilePhone": None,
            "officeLocation": None,
            "preferredLanguage": None,
            "surname": None,
            "userPrincipalName": address,
            "_accountEnabled": True,
            "_mailNickname": alias,
        }

    def _licence(self) -> Document:
        plans = (("AAD_PREMIUM", _PREMIUM_PLAN_ID), ("EXCHANGE_S_STANDARD", _EXCHANGE_PLAN_ID))
        return {
            "id": f"{self.tenant_id}_{_SKU_ID}",
            "accountId": self.tenant_id,
            "accountName": self.domain.partition(".")[0],
            "appliesTo": "User",
            "capabilityStatus": "Enabled",
            "consumedUnits": 3,
            "prepaidUnits": {"enabled": 25, "suspended": 0, "warning": 0, "lockedOut": 0},
            "servicePlans": [
                {
                    "appliesTo": "User",
                    "provisioningStatus": "Success",
                    "servicePlanId": plan_id,
                    "servicePlanName": plan,
                }
                for plan, plan_id in plans
            ],
            "skuId": _SKU_ID,
            "skuPartNumber": "SPB",
            "subscriptionIds": [self.id_for("subscription")],
        }
