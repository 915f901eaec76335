"""Service principals: the tenant's own and Microsoft's, found by client id; create or update, change, delete.

https://learn.microsoft.com/graph/api/resources/serviceprincipal
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET, Struct, UnsetType

from mimapp.graph import consistency
from mimapp.graph.channel import Call, Page, filtered, key, literal, segment
from mimapp.graph.credentials import KeyCredential, PasswordCredential
from mimapp.graph.wire import Moment

if TYPE_CHECKING:
    from mimapp.graph.channel import Channel

__all__ = ["AppRole", "ServicePrincipal", "ServicePrincipalPatch", "ServicePrincipals"]

_READ = "Application.Read.All"
_WRITE = "Application.ReadWrite.All (app-only: Application.ReadWrite.OwnedBy)"
# Exchange's own service principal has hundreds of delegated scopes with texts in them; they are left out, and a read
# with $select costs less: https://learn.microsoft.com/graph/throttling-limits
_SELECT = (
    "id,appId,displayName,accountEnabled,appOwnerOrganizationId,servicePrincipalType,tags,notes,appRoles,"
    "passwordCredentials,keyCredentials"
)


class AppRole(Struct, frozen=True, kw_only=True, rename="camel"):
    """An application role that a resource offers."""

    id: str
    value: str | None = None
    display_name: str | None = None
    description: str | None = None
    is_enabled: bool | None = None
    allowed_member_types: tuple[str, ...] | None = None
    origin: str | None = None


class ServicePrincipal(Struct, frozen=True, kw_only=True, rename="camel"):
    """An application's presence in the tenant. `id` is this object's, `app_id` the client id."""

    id: str
    app_id: str
    display_name: str | None = None
    account_enabled: bool | None = None
    app_owner_organization_id: str | None = None
    service_principal_type: str | None = None
    tags: tuple[str, ...] | None = None
    notes: str | None = None
    app_roles: tuple[AppRole, ...] | None = None
    password_credentials: tuple[PasswordCredential, ...] | None = None
    key_credentials: tuple[KeyCredential, ...] | None = None
    deleted_date_time: Moment | None = None


class ServicePrincipalPatch(Struct, frozen=True, kw_only=True, rename="camel"):
    """What is to change: a property that stays `UNSET` is not sent, None is sent as null."""

    tags: tuple[str, ...] | UnsetType = UNSET
    account_enabled: bool | UnsetType = UNSET
    notes: str | UnsetType | None = UNSET


class ServicePrincipals:
    """Reads and writes service principals."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def by_app_id(self, app_id: str, *, fresh: bool = False) -> ServicePrincipal | None:
        """The service principal of the application with this client id, or None.

        https://learn.microsoft.com/graph/api/serviceprincipal-get

        Args:
            app_id: the client id.
            fresh: it was made by this run or the last one, so "not there" is asked again.

        Raises:
            DeadlineError: a fresh one is not visible yet.
        """
        call = Call(
            verb="read",
            what=f"service principal of {app_id}",
            path=f"/servicePrincipals{key('appId', app_id)}?$select={_SELECT}",
            needs=_READ,
            lag=(consistency.is_missing,) if fresh else (),
        )
        return self._channel.one_or_none(call, ServicePrincipal)

    def by_tag(self, tag: str) -> tuple[ServicePrincipal, ...]:
        """The service principals that have this tag.

        https://learn.microsoft.com/graph/api/serviceprincipal-list
        """
        call = Call(
            verb="read",
            what=f"service principals tagged {tag}",
            path=f"/servicePrincipals{filtered(f'tags/any(t:t eq {literal(tag)})')}&$select={_SELECT}",
            needs=_READ,
        )
        return self._channel.many(call, Page[ServicePrincipal])

    def upsert(self, app_id: str, patch: ServicePrincipalPatch, *, fresh: bool = False) -> ServicePrincipal | None:
        """Create the service principal of an application, or update it; None when it was there (read it back then).

        https://learn.microsoft.com/graph/api/serviceprincipal-upsert

        Args:
            app_id: the client id of the application.
            patch: its properties.
            fresh: the application was made by this run or the last one: replies that say it is none are asked again.

        Raises:
            DeadlineError: the application is not visible yet.
            ServiceError: Graph refused.
        """
        return self._channel.made_or_changed(
            Call(
                verb="create or update",
                what=f"service principal of {app_id}",
                path=f"/servicePrincipals{key('appId', app_id)}",
                method="PATCH",
                body=patch,
                headers={"Prefer": "create-if-missing"},
                needs=_WRITE,
                repeatable=True,
                lag=(consistency.is_missing, consistency.is_app_not_replicated, consistency.is_msa_not_replicated)
                if fresh
                else (),
            ),
            ServicePrincipal,
        )

    def change(self, object_id: str, patch: ServicePrincipalPatch, *, fresh: bool = False) -> None:
        """Change what the patch names.

        https://learn.microsoft.com/graph/api/serviceprincipal-update

        Raises:
            NotFoundError: there is no such service principal.
            DeadlineError: a fresh one is not visible yet.
        """
        self._channel.done(
            Call(
                verb="change",
                what=f"service principal {object_id}",
                path=f"/servicePrincipals/{segment(object_id)}",
                method="PATCH",
                body=patch,
                needs=_WRITE,
                repeatable=True,
                lag=(consistency.is_missing,) if fresh else (),
            )
        )

    def delete(self, object_id: str) -> bool:
        """Delete a service principal; False when it was not there.

        https://learn.microsoft.com/graph/api/serviceprincipal-delete
        """
        return self._channel.gone(
            Call(
                verb="delete",
                what=f"service principal {object_id}",
                path=f"/servicePrincipals/{segment(object_id)}",
                method="DELETE",
                needs=_WRITE,
                repeatable=True,
            )
        )
