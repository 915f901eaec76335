"""RBAC for Applications: the pointer to a service principal, management scopes and role assignments.

https://learn.microsoft.com/exchange/permissions-exo/application-rbac. Its rights and Entra's grants are a union: an
application access policy restricts the latter only. The roles do not reach Autodiscover, and count direct members of
a group only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mimapp.errors import UsageError
from mimapp.exchange.invoke import Cmdlet, is_missing
from mimapp.permissions import IN_USE

if TYPE_CHECKING:
    from mimapp.exchange.invoke import Admin

__all__ = [
    "EWS_ROLE",
    "Authorization",
    "ManagementScope",
    "Rbac",
    "RoleAssignment",
    "ServicePrincipalPointer",
    "member_of_group",
]

#: The role that stands in for the permission in use.
EWS_ROLE = IN_USE.exchange_role
_IN_SCOPE = {"true": True, "false": False}


class ServicePrincipalPointer(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """Exchange's own record of an Entra service principal.

    Attributes:
        app_id: the application.
        object_id: of the service principal in Entra, not of the registration.
    """

    identity: str = ""
    display_name: str = ""
    app_id: str = ""
    object_id: str = ""


class ManagementScope(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """A set of recipients by filter, named so that role assignments can use it."""

    name: str = ""
    identity: str = ""
    scope_restriction_type: str = ""
    recipient_filter: str = ""
    exclusive: bool = False


class RoleAssignment(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """A role given to an application.

    Attributes:
        name: the key to remove it by.
        custom_resource_scope: the management scope that limits it; empty where none does.
        recipient_group_scope: the group that limits it [unverified that it is given back under this name].
        recipient_administrative_unit_scope: the administrative unit that limits it [unverified likewise].
        recipient_write_scope: the kind of limit in Exchange's words; `Rbac.test` says it reliably.
    """

    name: str = ""
    identity: str = ""
    role: str = ""
    role_assignee_name: str = ""
    role_assignee_type: str = ""
    assignment_method: str = ""
    custom_resource_scope: str = ""
    recipient_group_scope: str = ""
    recipient_administrative_unit_scope: str = ""
    recipient_write_scope: str = ""


class Authorization(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """One row of ``Test-ServicePrincipalAuthorization``.

    Attributes:
        scope_type: the kind of limit; ``Organization`` means unlimited.
        in_scope_text: whether the mailbox is in it, as it was said: ``True``, ``False`` or ``Not Run``.
    """

    role_name: str = ""
    granted_permissions: tuple[str, ...] = ()
    allowed_resource_scope: str = ""
    scope_type: str = ""
    in_scope_text: bool | str = msgspec.field(name="InScope", default="")

    @property
    def in_scope(self) -> bool | None:
        """Whether the mailbox is in scope; None where no mailbox was asked about, or the answer is not understood."""
        return _IN_SCOPE.get(str(self.in_scope_text).strip().casefold())

    @property
    def is_unlimited(self) -> bool:
        """Whether it reaches every mailbox."""
        return self.scope_type.strip().casefold() == "organization"


def member_of_group(distinguished_name: str) -> str:
    """The recipient filter of the direct members of a group; a quotation mark is doubled [unverified]."""
    quoted = distinguished_name.replace("'", "''")
    return f"MemberOfGroup -eq '{quoted}'"


class Rbac:
    """Reads and writes what RBAC for Applications needs. `fresh`: something named was made a moment ago."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin

    def service_principal(self, app_id: str, *, fresh: bool = False) -> ServicePrincipalPointer | None:
        """The pointer of an application; None where there is none.

        Raises:
            ServiceError: the service refused.
            TransportError: no readable answer.
        """
        cmdlet = Cmdlet(
            name="Get-ServicePrincipal",
            parameters={"Identity": app_id},
            what=f"service principal of application {app_id}",
            fresh=fresh,
            empty_is_missing=True,
        )
        found = self._admin.found(cmdlet, ServicePrincipalPointer)
        return next((one for one in found if one.app_id.casefold() == app_id.casefold()), None)

    def create_service_principal(
        self, app_id: str, object_id: str, display_name: str, *, fresh: bool = False
    ) -> ServicePrincipalPointer:
        """Make the pointer. ``ServiceId`` is left out: the cmdlet's page calls it required and deprecated at once.

        Raises:
            NotFoundError: Entra has no service principal with this object id, or Exchange does not see it yet.
            ConflictError: there is a pointer already, where Exchange says so in a known way.
            ServiceError: the service refused.
            ReplyLostError: nobody knows whether it was made: look at `service_principal`.
            TransportError: no readable answer.
        """
        cmdlet = Cmdlet(
            name="New-ServicePrincipal",
            parameters={"AppId": app_id, "ObjectId": object_id, "DisplayName": display_name},
            what=f"service principal of application {app_id}",
            fresh=fresh,
        )
        return self._admin.one(cmdlet, ServicePrincipalPointer)

    def remove_service_principal(self, identity: str) -> bool:
        """Remove the pointer; False where there was none. Entra's service principal stays.

        Raises:
            ServiceError: the service refused.
            TransportError: no readable answer.
        """
        return self._remove("Remove-ServicePrincipal", identity, f"service principal {identity}")

    def scope(self, name: str) -> ManagementScope | None:
        """The management scope with a name; None where there is none.

        Raises:
            ServiceError: the service refused.
            TransportError: no readable answer.
        """
        cmdlet = Cmdlet(name="Get-ManagementScope", parameters={"Identity": name}, what=f"management scope {name}")
        found = self._admin.found(cmdlet, ManagementScope)
        return next((one for one in found if one.name.casefold() == name.casefold()), None)

    def scopes(self) -> tuple[ManagementScope, ...]:
        """Every management scope of the tenant.

        https://learn.microsoft.com/powershell/module/exchange/get-managementscope

        Raises:
            DeniedError: the caller may not read them.
            ServiceError: the service refused.
            TransportError: no readable answer.
        """
        cmdlet = Cmdlet(name="Get-ManagementScope", parameters={}, what="the management scopes")
        return self._admin.all(cmdlet, ManagementScope)

    def create_scope(self, name: str, recipient_filter: str, *, fresh: bool = False) -> ManagementScope:
        """Make a management scope from a filter such as `member_of_group` gives.

        Raises:
            ConflictError: the name is taken, where Exchange says so in a known way.
            ServiceError: the service refused.
            ReplyLostError: nobody knows whether it was made: look at `scope`.
            TransportError: no readable answer.
        """
        cmdlet = Cmdlet(
            name="New-ManagementScope",
            parameters={"Name": name, "RecipientRestrictionFilter": recipient_filter},
            what=f"management scope {name}",
            fresh=fresh,
        )
        return self._admin.one(cmdlet, ManagementScope)

    def remove_scope(self, name: str) -> bool:
        """Remove a management scope that no assignment uses; False where there was none.

        Raises:
            ServiceError: the service refused.
            TransportError: no readable answer.
        """
        return self._remove("Remove-ManagementScope", name, f"management scope {name}")

    def assignments(self, app_id: str) -> tuple[RoleAssignment, ...]:
        """The roles of an application; none where Exchange has no pointer to it.

        Raises:
            ServiceError: the service refused.
            TransportError: no readable answer.
        """
        cmdlet = Cmdlet(
            name="Get-ManagementRoleAssignment",
            parameters={"RoleAssignee": app_id},
            what=f"role assignments of application {app_id}",
        )
        return self._admin.found(cmdlet, RoleAssignment)

    def every_assignment(self) -> tuple[RoleAssignment, ...]:
        """Every role assignment of the tenant, those of people and of Exchange's own groups among them.

        https://learn.microsoft.com/powershell/module/exchange/get-managementroleassignment

        Raises:
            DeniedError: the caller may not read them.
            ServiceError: the service refused.
            TransportError: no readable answer.
        """
        cmdlet = Cmdlet(name="Get-ManagementRoleAssignment", parameters={}, what="the role assignments")
        return self._admin.all(cmdlet, RoleAssignment)

    def assign(
        self,
        app: str,
        role: str,
        group: str = "",
        *,
        scope: str = "",
        administrative_unit: str = "",
        name: str = "",
        fresh: bool = False,
    ) -> RoleAssignment:
        """Give an application a role within exactly one limit.

        https://learn.microsoft.com/powershell/module/exchange/new-managementroleassignment

        Args:
            app: the service principal, by its object id.
            role: such as `EWS_ROLE`.
            group: the group whose direct members are meant; needs no scope object.
            scope: or the name of a management scope.
            administrative_unit: or an Entra administrative unit.
            name: of the assignment, 64 characters at most. Exchange gives one of its own where this is empty, and a
                second create then makes a second assignment: with a name the second one is refused.
            fresh: something named was made a moment ago: "not found" means wait.

        Raises:
            UsageError: there is no limit, or more than one.
            NotFoundError: something named is not there.
            ServiceError: the service refused.
            ReplyLostError: nobody knows whether it was made: look at `assignments`.
            TransportError: no readable answer.
        """
        limits = {
            "RecipientGroupScope": group,
            "CustomResourceScope": scope,
            "RecipientAdministrativeUnitScope": administrative_unit,
        }
        given = {name: value for name, value in limits.items() if value}
        if len(given) != 1:
            raise UsageError(
                f"{role} for {app} needs exactly one limit (a group, a management scope or an administrative unit): "
                "without one it reaches every mailbox"
            )
        cmdlet = Cmdlet(
            name="New-ManagementRoleAssignment",
            parameters={**({"Name": name} if name else {}), "App": app, "Role": role, **given},
            what=f"{role} for application {app}",
            fresh=fresh,
        )
        return self._admin.one(cmdlet, RoleAssignment)

    def remove_assignment(self, identity: str) -> bool:
        """Take a role away; False where it was not there. It may act for up to two hours more.

        Raises:
            ServiceError: the service refused.
            TransportError: no readable answer.
        """
        return self._remove("Remove-ManagementRoleAssignment", identity, f"role assignment {identity}")

    def test(self, app_id: str, mailbox: str, *, fresh: bool = False) -> tuple[Authorization, ...]:
        """What roles an application has, and whether a mailbox is within them. It ignores the cache: access follows.

        https://learn.microsoft.com/powershell/module/exchange/test-serviceprincipalauthorization

        Raises:
            NotFoundError: Exchange has no pointer to the application, or there is no such mailbox.
            ServiceError: the service refused.
            TransportError: no readable answer.
        """
        cmdlet = Cmdlet(
            name="Test-ServicePrincipalAuthorization",
            parameters={"Identity": app_id, "Resource": mailbox},
            what=f"application {app_id} and mailbox {mailbox}",
            fresh=fresh,
            mailbox=mailbox,
        )
        return self._admin.all(cmdlet, Authorization)

    def _remove(self, name: str, identity: str, what: str) -> bool:
        cmdlet = Cmdlet(name=name, parameters={"Identity": identity, "Confirm": False}, what=what, repeatable=True)
        return self._admin.done(cmdlet, excuse=is_missing)
