"""The directory around applications: users, who am I, the organisation, its licences, and objects by their ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.sandbox.clock import iso
from mimapp.sandbox.graph import errors
from mimapp.sandbox.graph.access import DIRECTORY_READ, ME, ORGANIZATION_READ, SKU_READ, USER_READ
from mimapp.sandbox.graph.objects import TYPES, as_directory_object
from mimapp.sandbox.graph.request import GraphRequest, Operation, Reply, collection, entity
from mimapp.sandbox.graph.service_principals import full
from mimapp.sandbox.tenants import find_user

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mimapp.sandbox.state import Document

__all__ = ["OPERATIONS"]


def _users(request: GraphRequest) -> Reply:
    return collection(request, "users", (record.body for record in request.tx.seen_all(request.tenant_id, "user")))


def _user(request: GraphRequest) -> Reply:
    name = request.keys[0].value
    found = find_user(request.tx, request.tenant_id, name)
    if found is None:
        raise errors.not_found(name)
    return entity(request, "users", found.body)


def _me(request: GraphRequest) -> Reply:
    found = find_user(request.tx, request.tenant_id, request.claims.object_id)
    if found is None:
        raise errors.not_found(request.claims.object_id)
    return entity(request, "users", found.body)


def _my_memberships(request: GraphRequest) -> Reply:
    return collection(request, "directoryObjects", _memberships(request, request.claims.object_id))


def _memberships(request: GraphRequest, object_id: str) -> Iterator[Document]:
    for role in request.tx.seen_all(request.tenant_id, "directoryRole"):
        if object_id in role.body["members"]:
            yield {
                "@odata.type": "#microsoft.graph.directoryRole",
                "id": role.body["id"],
                "deletedDateTime": None,
                "description": role.body["displayName"],
                "displayName": role.body["displayName"],
                "roleTemplateId": role.id,
            }
    for group in request.tx.seen_all(request.tenant_id, "group"):
        if object_id in group.body.get("_members", ()):
            yield as_directory_object("group", group)


def _organization(request: GraphRequest) -> Reply:
    tenant = request.tx.get(request.tenant_id, "tenant", request.tenant_id)
    created = iso(tenant.created) if tenant is not None else None
    domain = request.tenant.domain
    plans = [
        {
            "assignedDateTime": created,
            "capabilityStatus": "Enabled",
            "service": "exchange" if plan["servicePlanName"].startswith("EXCHANGE") else "AADPremiumService",
            "servicePlanId": plan["servicePlanId"],
        }
        for sku in request.tx.seen_all(request.tenant_id, "subscribedSku")
        for plan in sku.body["servicePlans"]
    ]
    return collection(
        request,
        "organization",
        [
            {
                "id": request.tenant_id,
                "deletedDateTime": None,
                "businessPhones": [],
                "city": None,
                "country": None,
                "countryLetterCode": "NL",
                "createdDateTime": created,
                "defaultUsageLocation": None,
                "displayName": request.tenant.display_name,
                "isMultipleDataLocationsForServicesEnabled": None,
                "marketingNotificationEmails": [],
                "onPremisesLastSyncDateTime": None,
                "onPremisesSyncEnabled": None,
                "postalCode": None,
                "preferredLanguage": "en",
                "securityComplianceNotificationMails": [],
                "securityComplianceNotificationPhones": [],
                "state": None,
                "street": None,
                "technicalNotificationMails": [f"admin@{domain}"],
                "tenantType": "AAD",
                "directorySizeQuota": {"used": 100, "total": 300_000},
                "assignedPlans": plans,
                "privacyProfile": None,
                "provisionedPlans": [],
                "verifiedDomains": [
                    {
                        "capabilities": "Email, OfficeCommunicationsOnline",
                        "isDefault": known.body["default"],
                        "isInitial": known.body["initial"],
                        "name": known.body["domainName"],
                        "type": "Managed",
                    }
                    for known in request.tx.seen_all(request.tenant_id, "acceptedDomain")
                ],
            }
        ],
    )


def _skus(request: GraphRequest) -> Reply:
    found = request.tx.seen_all(request.tenant_id, "subscribedSku")
    return collection(request, "subscribedSkus", (record.body for record in found))


def _by_ids(request: GraphRequest) -> Reply:
    ids = request.body.get("ids")
    if not isinstance(ids, list) or not ids:
        raise errors.value_missing("ids", "GetByIds")
    wanted = {str(name).casefold() for name in request.body.get("types") or TYPES}
    found = []
    for id_ in ids:
        for kind in TYPES:
            record = request.tx.seen(request.tenant_id, kind, str(id_))
            if record is not None and (kind.casefold() in wanted or "directoryobject" in wanted):
                document = as_directory_object(kind, record)
                found.append(full(document) if kind == "servicePrincipal" else document)
    return collection(request, "directoryObjects", found)


OPERATIONS = (
    Operation(method="GET", template="users", handler=_users, access=USER_READ),
    Operation(method="GET", template="users/{}", handler=_user, access=USER_READ),
    Operation(method="GET", template="me", handler=_me, access=ME),
    Operation(method="GET", template="me/memberOf", handler=_my_memberships, access=ME),
    Operation(method="GET", template="organization", handler=_organization, access=ORGANIZATION_READ),
    Operation(method="GET", template="subscribedSkus", handler=_skus, access=SKU_READ, units=3),
    Operation(
        method="POST",
        template="directoryObjects/getByIds",
        handler=_by_ids,
        access=DIRECTORY_READ,
        units=3,
        writes=False,
    ),
)
