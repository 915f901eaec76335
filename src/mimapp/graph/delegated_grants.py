"""Delegated permissions granted to a service principal, such as the User.Read that the portal adds.

https://learn.microsoft.com/graph/api/resources/oauth2permissiongrant
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from mimapp.graph.channel import Call, Page, filtered, literal, segment

if TYPE_CHECKING:
    from mimapp.graph.channel import Channel

__all__ = ["DelegatedGrant", "DelegatedGrants"]

_WRITE = "DelegatedPermissionGrant.ReadWrite.All"


class DelegatedGrant(Struct, frozen=True, kw_only=True, rename="camel"):
    """Scopes granted to a client on one resource, for everybody (`AllPrincipals`) or for one person (`Principal`).

    `client_id` and `resource_id` are object ids of service principals; `scope` is a list separated by blanks.
    """

    id: str
    client_id: str | None = None
    consent_type: str | None = None
    principal_id: str | None = None
    resource_id: str | None = None
    scope: str | None = None

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes one by one."""
        return tuple((self.scope or "").split())


class _NewScope(Struct, frozen=True, kw_only=True, rename="camel"):
    scope: str


class DelegatedGrants:
    """Reads, narrows and removes delegated grants."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def of(self, client_sp_id: str) -> tuple[DelegatedGrant, ...]:
        """The delegated grants of the service principal with this object id.

        https://learn.microsoft.com/graph/api/oauth2permissiongrant-list
        """
        call = Call(
            verb="read",
            what=f"delegated grants of service principal {client_sp_id}",
            path=f"/oauth2PermissionGrants{filtered(f'clientId eq {literal(client_sp_id)}')}",
            needs="Directory.Read.All",
        )
        return self._channel.many(call, Page[DelegatedGrant])

    def set_scope(self, grant_id: str, scope: str) -> None:
        """Replace the scopes of a grant by these, separated by blanks.

        https://learn.microsoft.com/graph/api/oauth2permissiongrant-update

        Raises:
            NotFoundError: there is no such grant.
        """
        self._channel.done(
            Call(
                verb="change",
                what=f"delegated grant {grant_id}",
                path=f"/oauth2PermissionGrants/{segment(grant_id)}",
                method="PATCH",
                body=_NewScope(scope=scope),
                needs=_WRITE,
                repeatable=True,
            )
        )

    def delete(self, grant_id: str) -> bool:
        """Remove a grant with all its scopes; False when it was not there.

        https://learn.microsoft.com/graph/api/oauth2permissiongrant-delete
        """
        return self._channel.gone(
            Call(
                verb="delete",
                what=f"delegated grant {grant_id}",
                path=f"/oauth2PermissionGrants/{segment(grant_id)}",
                method="DELETE",
                needs=_WRITE,
                repeatable=True,
            )
        )
