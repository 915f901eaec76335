"""The whole of a fresh directory object, with the default of every property, as Graph answers it.

Members, order and defaults are those of the recorded replies of 2024-09 (Azure/azure-cli, test_app_create_idempotent)
and 2023-02 (test_create_for_rbac_password); `createdByAppId` and `isDisabled` are younger, declared by Graph's metadata
and null. What a document keeps beside the wire form (secret digests, for one) has names that begin with an underscore,
and `wire` leaves it out.
"""

from __future__ import annotations

import base64
import uuid
from typing import TYPE_CHECKING

from mimapp.sandbox.clock import iso

if TYPE_CHECKING:
    from mimapp.sandbox.catalog import FirstPartyService
    from mimapp.sandbox.state import Document

__all__ = [
    "MANAGED_IDENTITY",
    "app_role_assignment",
    "application",
    "managed_identity",
    "permission_grant",
    "service_principal",
    "service_roles",
    "service_scopes",
    "wire",
]

MANAGED_IDENTITY = "ManagedIdentity"
"""`servicePrincipalType` of an Azure resource's own identity."""


def application(*, id_: str, app_id: str, created: float, domain: str) -> Document:
    """A new application registration; what the caller asked for is laid over it."""
    return {
        "id": id_,
        "deletedDateTime": None,
        "appId": app_id,
        "applicationTemplateId": None,
        "disabledByMicrosoftStatus": None,
        "createdByAppId": None,
        "createdDateTime": iso(created),
        "displayName": None,
        "description": None,
        "groupMembershipClaims": None,
        "identifierUris": [],
        "isDeviceOnlyAuthSupported": None,
        "isDisabled": None,
        "isFallbackPublicClient": None,
        "nativeAuthenticationApisEnabled": None,
        "notes": None,
        "publisherDomain": domain,
        "serviceManagementReference": None,
        "signInAudience": "AzureADMyOrg",
        "tags": [],
        "tokenEncryptionKeyId": None,
        "uniqueName": None,
        "samlMetadataUrl": None,
        "defaultRedirectUri": None,
        "certification": None,
        "optionalClaims": None,
        "servicePrincipalLockConfiguration": None,
        "requestSignatureVerification": None,
        "addIns": [],
        "api": {
            "acceptMappedClaims": None,
            "knownClientApplications": [],
            "requestedAccessTokenVersion": None,
            "oauth2PermissionScopes": [],
            "preAuthorizedApplications": [],
        },
        "appRoles": [],
        "info": _no_links(),
        "keyCredentials": [],
        "parentalControlSettings": {"countriesBlockedForMinors": [], "legalAgeGroupRule": "Allow"},
        "passwordCredentials": [],
        "publicClient": {"redirectUris": []},
        "requiredResourceAccess": [],
        "verifiedPublisher": _not_verified(),
        "web": {
            "homePageUrl": None,
            "logoutUrl": None,
            "redirectUris": [],
            "implicitGrantSettings": {"enableAccessTokenIssuance": False, "enableIdTokenIssuance": False},
            "redirectUriSettings": [],
        },
        "spa": {"redirectUris": []},
    }


def service_principal(*, id_: str, app_id: str, name: str, owner_tenant: str, created: float | None) -> Document:
    """A new service principal; for one of the tenant's own applications the rest is taken from that."""
    return {
        "id": id_,
        "deletedDateTime": None,
        "accountEnabled": True,
        "alternativeNames": [],
        "appDisplayName": name,
        "appDescription": None,
        "appId": app_id,
        "applicationTemplateId": None,
        "appOwnerOrganizationId": owner_tenant,
        "appRoleAssignmentRequired": False,
        "createdDateTime": None if created is None else iso(created),
        "createdByAppId": None,
        "description": None,
        "disabledByMicrosoftStatus": None,
        "displayName": name,
        "homepage": None,
        "isDisabled": None,
        "loginUrl": None,
        "logoutUrl": None,
        "notes": None,
        "notificationEmailAddresses": [],
        "preferredSingleSignOnMode": None,
        "preferredTokenSigningKeyThumbprint": None,
        "replyUrls": [],
        "servicePrincipalNames": [app_id],
        "servicePrincipalType": "Application",
        "signInAudience": "AzureADMyOrg",
        "tags": [],
        "tokenEncryptionKeyId": None,
        "samlSingleSignOnSettings": None,
        "addIns": [],
        "appRoles": [],
        "info": _no_links(),
        "keyCredentials": [],
        "oauth2PermissionScopes": [],
        "passwordCredentials": [],
        "resourceSpecificApplicationPermissions": [],
        "verifiedPublisher": _not_verified(),
    }


def managed_identity(*, id_: str, app_id: str, name: str, resource: str, owner_tenant: str, created: float) -> Document:
    """The identity that Azure gave one of its resources; no application stands behind it.

    Microsoft's documentation shows type and `alternativeNames` (the resource's id, and whether a person made it).
    """
    body = service_principal(id_=id_, app_id=app_id, name=name, owner_tenant=owner_tenant, created=created)
    return body | {"servicePrincipalType": MANAGED_IDENTITY, "alternativeNames": ["isExplicit=False", resource]}


def app_role_assignment(*, principal: Document, resource: Document, role_id: str, created: float) -> Document:
    """A granted application permission, from the client's (or user's) object and the resource's service principal.

    Its id begins with the principal's, the rest is new each time (both seen in Microsoft's documentation).
    """
    is_user = "userPrincipalName" in principal
    return {
        "id": _link_id(uuid.UUID(principal["id"]), uuid.uuid4()),
        "deletedDateTime": None,
        "appRoleId": role_id,
        "createdDateTime": iso(created),
        "principalDisplayName": principal["displayName"],
        "principalId": principal["id"],
        "principalType": "User" if is_user else "ServicePrincipal",
        "resourceDisplayName": resource["displayName"],
        "resourceId": resource["id"],
    }


def permission_grant(*, client_id: str, resource_id: str, principal_id: str | None, scope: str | None) -> Document:
    """A delegated permission that was consented to, for one person or (None) for all.

    Its id is made of the three ids, so a grant made anew gets its old id back (seen in Microsoft's documentation).
    """
    parts = [uuid.UUID(id_) for id_ in (client_id, resource_id, principal_id) if id_ is not None]
    return {
        "clientId": client_id,
        "consentType": "AllPrincipals" if principal_id is None else "Principal",
        "id": _link_id(*parts),
        "principalId": principal_id,
        "resourceId": resource_id,
        "scope": scope,
    }


def service_roles(service: FirstPartyService) -> list[Document]:
    """The `appRoles` of one of Microsoft's services."""
    return [
        {
            "allowedMemberTypes": ["Application"],
            "description": role.value,
            "displayName": role.value,
            "id": role.id,
            "isEnabled": True,
            "origin": "Application",
            "value": role.value,
        }
        for role in service.roles
    ]


def service_scopes(service: FirstPartyService) -> list[Document]:
    """The `oauth2PermissionScopes` of one of Microsoft's services."""
    return [
        {
            "adminConsentDescription": scope.value,
            "adminConsentDisplayName": scope.value,
            "id": scope.id,
            "isEnabled": True,
            "type": "Admin" if scope.by_admin else "User",
            "userConsentDescription": scope.value,
            "userConsentDisplayName": scope.value,
            "value": scope.value,
        }
        for scope in service.scopes
    ]


def wire(document: Document) -> Document:
    """The document as callers see it: without what the sandbox keeps for itself."""
    return {name: value for name, value in document.items() if not name.startswith("_")}


def _link_id(*ids: uuid.UUID) -> str:
    raw = b"".join(id_.bytes_le for id_ in ids)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _no_links() -> Document:
    names = ("logoUrl", "marketingUrl", "privacyStatementUrl", "supportUrl", "termsOfServiceUrl")
    return dict.fromkeys(names)


def _not_verified() -> Document:
    return {"displayName": None, "verifiedPublisherId": None, "addedDateTime": None}
