"""Application roles granted to service principals: admin consent by API, one assignment a role.

https://learn.microsoft.com/graph/api/resources/approleassignment
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from mimapp.graph import consistency
from mimapp.graph.channel import Call, Page, key, segment
from mimapp.graph.wire import Moment, decode

if TYPE_CHECKING:
    from mimapp.graph.channel import Channel

__all__ = ["RoleGrant", "RoleGrants"]

_WRITE = "AppRoleAssignment.ReadWrite.All and Application.Read.All"


class RoleGrant(Struct, frozen=True, kw_only=True, rename="camel"):
    """One role that a principal holds on a resource; principal and resource are object ids of service principals."""

    id: str
    app_role_id: str
    principal_id: str | None = None
    principal_display_name: str | None = None
    principal_type: str | None = None
    resource_id: str | None = None
    resource_display_name: str | None = None
    created_date_time: Moment | None = None
    deleted_date_time: Moment | None = None


class _NewGrant(Struct, frozen=True, kw_only=True, rename="camel"):
    principal_id: str
    resource_id: str
    app_role_id: str


class RoleGrants:
    """Reads, grants and revokes application roles."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def held_by(self, app_id: str, *, fresh: bool = False) -> tuple[RoleGrant, ...]:
        """The roles that the application with this client id holds.

        https://learn.microsoft.com/graph/api/serviceprincipal-list-approleassignments

        Args:
            app_id: the client id.
            fresh: its service principal was made by this run or the last one, so "not there" is asked again.

        Raises:
            NotFoundError: it has no service principal.
            DeadlineError: a fresh one is not visible yet.
        """
        call = Call(
            verb="read",
            what=f"role grants of {app_id}",
            path=f"/servicePrincipals{key('appId', app_id)}/appRoleAssignments",
            needs="Application.Read.All",
            lag=(consistency.is_missing,) if fresh else (),
        )
        return self._channel.many(call, Page[RoleGrant])

    def grant(self, *, principal_id: str, resource_id: str, role_id: str, fresh: bool = False) -> RoleGrant | None:
        """Grant a role; None when it was granted before, which Graph tells by refusing a second assignment.

        https://learn.microsoft.com/graph/api/serviceprincipal-post-approleassignedto

        Args:
            principal_id: object id of the service principal that gets the role.
            resource_id: object id of the service principal that offers it.
            role_id: the role.
            fresh: the principal was made by this run or the last one: "not a valid reference" and "not there" are
                asked again. An id of the wrong kind gets the same reply, so this ends with the run's time.

        Raises:
            DeniedError: the caller may not consent; that is a normal end, and another administrator does it.
            DeadlineError: the principal is not visible yet.
        """
        call = Call(
            verb="grant",
            what=f"role {role_id} to service principal {principal_id}",
            path=f"/servicePrincipals/{segment(resource_id)}/appRoleAssignedTo",
            method="POST",
            body=_NewGrant(principal_id=principal_id, resource_id=resource_id, app_role_id=role_id),
            needs=_WRITE,
            repeatable=True,  # a second assignment of the same role is refused, and the refusal recognised
            lag=(consistency.is_reference_not_replicated, consistency.is_missing) if fresh else (),
        )
        answer = self._channel.ask(call)
        if consistency.is_duplicate_grant(answer.reply):
            return None
        return decode(self._channel.check(call, answer), RoleGrant, call.what)

    def revoke(self, principal_id: str, grant_id: str) -> bool:
        """Take a role away; False when it was not there.

        https://learn.microsoft.com/graph/api/serviceprincipal-delete-approleassignments
        """
        return self._channel.gone(
            Call(
                verb="revoke",
                what=f"role grant {grant_id} of service principal {principal_id}",
                path=f"/servicePrincipals/{segment(principal_id)}/appRoleAssignments/{segment(grant_id)}",
                method="DELETE",
                needs=_WRITE,
                repeatable=True,
            )
        )
