"""Who may call what: permissions in the token, and for a person also a directory role.

The table follows Microsoft's permissions data set (microsoftgraph/microsoft-graph-devx-content): for each operation the
least permission and the larger ones that contain it. Directory roles for delegated writes are [unverified]; reading
needs none, because every member of a tenant may read its directory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.sandbox.directory_roles import (
    APPLICATION_ADMINISTRATOR,
    CLOUD_APPLICATION_ADMINISTRATOR,
    GLOBAL_ADMINISTRATOR,
    PRIVILEGED_ROLE_ADMINISTRATOR,
)
from mimapp.sandbox.graph import errors

if TYPE_CHECKING:
    from mimapp.sandbox.tokens import Claims

__all__ = [
    "APPLICATION_READ",
    "APPLICATION_WRITE",
    "ASSIGNMENT_READ",
    "ASSIGNMENT_WRITE",
    "AUDIT_READ",
    "CONSENT_ROLES",
    "DIRECTORY_READ",
    "GRANT_READ",
    "GRANT_WRITE",
    "GROUP_CREATE",
    "GROUP_READ",
    "GROUP_WRITE",
    "ME",
    "ORGANIZATION_READ",
    "POLICY_READ",
    "POLICY_WRITE",
    "SKU_READ",
    "USER_READ",
    "Access",
]

OWNED_BY = "Application.ReadWrite.OwnedBy"
ACT_AS_USER = "Directory.AccessAsUser.All"
_APPLICATION_ROLES = frozenset({GLOBAL_ADMINISTRATOR, APPLICATION_ADMINISTRATOR, CLOUD_APPLICATION_ADMINISTRATOR})
CONSENT_ROLES = frozenset({GLOBAL_ADMINISTRATOR, PRIVILEGED_ROLE_ADMINISTRATOR})
"""Who may grant application permissions of Microsoft Graph itself; the application roles may grant all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a caller must hold: of every set in `delegated` or `application`, one member.

    Attributes:
        delegated: sets of scopes.
        application: sets of roles; None where no application may call.
        roles: the directory roles of which a person needs one; empty when none is needed.
        by_owner: an owner of the object needs no directory role; the operation itself looks for that.
    """

    delegated: tuple[frozenset[str], ...]
    application: tuple[frozenset[str], ...] | None
    roles: frozenset[str] = frozenset()
    by_owner: bool = False

    def check(self, claims: Claims) -> bool:
        """Let the caller through; whether only to objects that it owns.

        Raises:
            GraphError: the caller holds too little.
        """
        if claims.is_app_only:
            return self._check_application(claims.roles)
        if ACT_AS_USER not in claims.scopes and not all(claims.scopes & needed for needed in self.delegated):
            raise errors.denied()
        if self.roles and not claims.directory_roles & self.roles:
            if not self.by_owner:
                raise errors.denied()
            return True
        return False

    def _check_application(self, roles: frozenset[str]) -> bool:
        if self.application is None:
            raise errors.needs_user()
        if not all(roles & needed for needed in self.application):
            raise errors.denied()
        return any(OWNED_BY in needed and roles & needed == {OWNED_BY} for needed in self.application) and self.by_owner


def _one(*names: str) -> tuple[frozenset[str], ...]:
    return (frozenset(names),)


_READ_APPLICATIONS = (
    "Application.Read.All",
    "Application.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
)
_WRITE_APPLICATIONS = ("Application.ReadWrite.All", "Directory.ReadWrite.All")

APPLICATION_READ = Access(delegated=_one(*_READ_APPLICATIONS), application=_one(*_READ_APPLICATIONS, OWNED_BY))
APPLICATION_WRITE = Access(
    delegated=_one(*_WRITE_APPLICATIONS),
    application=_one(*_WRITE_APPLICATIONS, OWNED_BY),
    roles=_APPLICATION_ROLES,
    by_owner=True,
)
ASSIGNMENT_READ = APPLICATION_READ
ASSIGNMENT_WRITE = Access(
    delegated=(frozenset({"AppRoleAssignment.ReadWrite.All"}), frozenset(_READ_APPLICATIONS)),
    application=(frozenset({"AppRoleAssignment.ReadWrite.All"}), frozenset(_READ_APPLICATIONS)),
    roles=_APPLICATION_ROLES | CONSENT_ROLES,
)
_READ_DIRECTORY = ("Directory.Read.All", "Directory.ReadWrite.All")
GRANT_READ = Access(
    delegated=_one("DelegatedPermissionGrant.ReadWrite.All", *_READ_DIRECTORY),
    application=_one("DelegatedPermissionGrant.ReadWrite.All", *_READ_DIRECTORY),
)
GRANT_WRITE = Access(
    delegated=_one("DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All"),
    application=_one("DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All"),
    roles=_APPLICATION_ROLES | CONSENT_ROLES,
)
DIRECTORY_READ = Access(
    delegated=_one(*_READ_DIRECTORY, *_READ_APPLICATIONS, "User.Read.All", "User.ReadWrite.All", "Group.ReadWrite.All"),
    application=_one(*_READ_DIRECTORY, "Application.ReadWrite.All", "Application.Read.All", "User.Read.All"),
)
AUDIT_READ = Access(
    delegated=_one("AuditLog.Read.All", *_READ_DIRECTORY),
    application=_one("AuditLog.Read.All", *_READ_DIRECTORY),
    roles=frozenset({GLOBAL_ADMINISTRATOR}),
)
USER_READ = Access(
    delegated=_one("User.ReadBasic.All", "User.Read.All", "User.ReadWrite.All", *_READ_DIRECTORY),
    application=_one("User.Read.All", "User.ReadWrite.All", *_READ_DIRECTORY),
)
_READ_GROUPS = ("GroupMember.Read.All", "Group.Read.All", "Group.ReadWrite.All", *_READ_DIRECTORY)
GROUP_READ = Access(delegated=_one(*_READ_GROUPS), application=_one(*_READ_GROUPS))
GROUP_WRITE = Access(
    delegated=_one("Group.ReadWrite.All", "GroupMember.ReadWrite.All", "Directory.ReadWrite.All"),
    application=_one("Group.ReadWrite.All", "GroupMember.ReadWrite.All", "Directory.ReadWrite.All"),
    roles=frozenset({GLOBAL_ADMINISTRATOR}),
)
GROUP_CREATE = Access(
    delegated=_one("Group.ReadWrite.All", "Directory.ReadWrite.All"),
    application=_one("Group.Create", "Group.ReadWrite.All", "Directory.ReadWrite.All"),
)
_READ_ORGANIZATION = ("Organization.Read.All", "Organization.ReadWrite.All", *_READ_DIRECTORY)
ORGANIZATION_READ = Access(
    delegated=_one("User.Read", "User.Read.All", "User.ReadWrite.All", *_READ_ORGANIZATION, *_READ_APPLICATIONS),
    application=_one(*_READ_ORGANIZATION),
)
_READ_LICENCES = ("LicenseAssignment.Read.All", "LicenseAssignment.ReadWrite.All", *_READ_ORGANIZATION)
SKU_READ = Access(delegated=_one(*_READ_LICENCES), application=_one(*_READ_LICENCES))
POLICY_READ = Access(delegated=_one("Policy.Read.All"), application=_one("Policy.Read.All"))
POLICY_WRITE = Access(
    delegated=_one("Policy.ReadWrite.ApplicationConfiguration"),
    application=_one("Policy.ReadWrite.ApplicationConfiguration"),
    roles=_APPLICATION_ROLES,
)
ME = Access(
    delegated=_one("User.Read", "User.ReadWrite", "User.Read.All", "User.ReadWrite.All", *_READ_DIRECTORY),
    application=None,
)
