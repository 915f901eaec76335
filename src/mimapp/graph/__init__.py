"""Microsoft Graph: typed wire models, one module a resource, the verbs this product needs.

It never decides what should exist; that is `mimapp.provisioning`.
"""

from msgspec import UNSET

from mimapp.graph.applications import (
    ApiSettings,
    Application,
    ApplicationPatch,
    Applications,
    DirectoryObject,
    FederatedCredential,
    PropertyLock,
    RedirectUris,
    RequiredResourceAccess,
    ResourceAccess,
)
from mimapp.graph.client import Graph
from mimapp.graph.credentials import Credentials, IssuedPassword, KeyCredential, PasswordCredential
from mimapp.graph.delegated_grants import DelegatedGrant, DelegatedGrants
from mimapp.graph.deleted_items import DeletedItems
from mimapp.graph.directory import (
    Directory,
    DirectoryRole,
    Organization,
    ServicePlan,
    SubscribedSku,
    User,
    VerifiedDomain,
)
from mimapp.graph.errors import NAME_TAKEN
from mimapp.graph.policies import (
    AppManagementPolicy,
    CredentialRestriction,
    DefaultCredentialPolicy,
    IdentifierUriRestriction,
    IdentifierUriRestrictions,
    Policies,
    Restrictions,
    deciding_restrictions,
)
from mimapp.graph.reports import CredentialActivity, Reports, SignInActivity
from mimapp.graph.role_grants import RoleGrant, RoleGrants
from mimapp.graph.service_principals import AppRole, ServicePrincipal, ServicePrincipalPatch, ServicePrincipals
from mimapp.graph.wellknown import (
    APPLICATION_ADMINISTRATOR,
    EWS_ACCESS_AS_USER_ALL_ID,
    EXCHANGE_ADMINISTRATOR,
    EXCHANGE_MANAGE_AS_APP_ID,
    EXCHANGE_ONLINE_APP_ID,
    FULL_ACCESS_AS_APP,
    FULL_ACCESS_AS_APP_ID,
    GLOBAL_ADMINISTRATOR,
    MAIL_READ_ID,
    MAIL_READ_WRITE_ID,
    MAIL_SEND_ID,
    MICROSOFT_GRAPH_APP_ID,
    USER_READ_ID,
)
from mimapp.graph.wire import Lifetime, Moment

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
    "NAME_TAKEN",
    "UNSET",
    "USER_READ_ID",
    "ApiSettings",
    "AppManagementPolicy",
    "AppRole",
    "Application",
    "ApplicationPatch",
    "Applications",
    "CredentialActivity",
    "CredentialRestriction",
    "Credentials",
    "DefaultCredentialPolicy",
    "DelegatedGrant",
    "DelegatedGrants",
    "DeletedItems",
    "Directory",
    "DirectoryObject",
    "DirectoryRole",
    "FederatedCredential",
    "Graph",
    "IdentifierUriRestriction",
    "IdentifierUriRestrictions",
    "IssuedPassword",
    "KeyCredential",
    "Lifetime",
    "Moment",
    "Organization",
    "PasswordCredential",
    "Policies",
    "PropertyLock",
    "RedirectUris",
    "Reports",
    "RequiredResourceAccess",
    "ResourceAccess",
    "Restrictions",
    "RoleGrant",
    "RoleGrants",
    "ServicePlan",
    "ServicePrincipal",
    "ServicePrincipalPatch",
    "ServicePrincipals",
    "SignInActivity",
    "SubscribedSku",
    "User",
    "VerifiedDomain",
    "deciding_restrictions",
]
