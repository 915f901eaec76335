"""Application registrations: find, create or update by `uniqueName`, change, delete, and their owners.

https://learn.microsoft.com/graph/api/resources/application
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET, Struct, UnsetType

from mimapp.graph import consistency
from mimapp.graph.channel import Call, Page, filtered, key, literal, segment
from mimapp.graph.credentials import KeyCredential, PasswordCredential
from mimapp.graph.wire import Moment

if TYPE_CHECKING:
    from mimapp.graph.channel import Channel, Test

__all__ = [
    "ApiSettings",
    "Application",
    "ApplicationPatch",
    "Applications",
    "DirectoryObject",
    "FederatedCredential",
    "PropertyLock",
    "RedirectUris",
    "RequiredResourceAccess",
    "ResourceAccess",
]

_READ = "Application.Read.All"
_WRITE = "Application.ReadWrite.All (app-only: Application.ReadWrite.OwnedBy)"


class ResourceAccess(Struct, frozen=True, kw_only=True, rename="camel"):
    """One permission that an application asks for; `type` is ``Role`` (application) or ``Scope`` (delegated)."""

    id: str
    type: str | None = None


class RequiredResourceAccess(Struct, frozen=True, kw_only=True, rename="camel"):
    """The permissions that an application asks for on one resource."""

    resource_app_id: str
    resource_access: tuple[ResourceAccess, ...] = ()


class RedirectUris(Struct, frozen=True, kw_only=True, rename="camel"):
    """The redirect URIs of one kind of client (`web`, `spa`, `publicClient`); other settings are left alone."""

    redirect_uris: tuple[str, ...] | None = None


class ApiSettings(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What an application says of itself as an API; only the version of its tokens matters here."""

    requested_access_token_version: int | None = None


class PropertyLock(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Which properties of service principals elsewhere cannot be changed; None is not sent.

    https://learn.microsoft.com/graph/api/resources/serviceprincipallockconfiguration
    """

    is_enabled: bool
    all_properties: bool | None = None
    credentials_with_usage_sign: bool | None = None
    credentials_with_usage_verify: bool | None = None
    token_encryption_key_id: bool | None = None


class DirectoryObject(Struct, frozen=True, kw_only=True, rename="camel"):
    """An owner or another object of the directory; `odata_type` tells a person from a service principal."""

    id: str
    odata_type: str | None = msgspec.field(default=None, name="@odata.type")
    display_name: str | None = None
    user_principal_name: str | None = None
    app_id: str | None = None
    deleted_date_time: Moment | None = None


class FederatedCredential(Struct, frozen=True, kw_only=True, rename="camel"):
    """A workload elsewhere that may sign in as the application without a secret."""

    id: str
    name: str | None = None
    issuer: str | None = None
    subject: str | None = None
    audiences: tuple[str, ...] | None = None
    description: str | None = None


class Application(Struct, frozen=True, kw_only=True, rename="camel"):
    """An application registration. `id` is the object's, `app_id` the client id.

    `unique_name` is null on applications that were made without one.
    """

    id: str
    app_id: str
    display_name: str | None = None
    unique_name: str | None = None
    sign_in_audience: str | None = None
    description: str | None = None
    notes: str | None = None
    tags: tuple[str, ...] | None = None
    identifier_uris: tuple[str, ...] | None = None
    publisher_domain: str | None = None
    service_management_reference: str | None = None
    created_date_time: Moment | None = None
    deleted_date_time: Moment | None = None
    disabled_by_microsoft_status: str | None = None
    is_fallback_public_client: bool | None = None
    required_resource_access: tuple[RequiredResourceAccess, ...] | None = None
    password_credentials: tuple[PasswordCredential, ...] | None = None
    key_credentials: tuple[KeyCredential, ...] | None = None
    service_principal_lock_configuration: PropertyLock | None = None
    api: ApiSettings | None = None
    web: RedirectUris | None = None
    spa: RedirectUris | None = None
    public_client: RedirectUris | None = None


class ApplicationPatch(Struct, frozen=True, kw_only=True, rename="camel"):
    """What is to change: a property that stays `UNSET` is not sent, None is sent as null.

    `display_name` is required where an upsert may create. A list replaces the whole list that was there.
    """

    display_name: str | UnsetType = UNSET
    unique_name: str | UnsetType = UNSET
    sign_in_audience: str | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    notes: str | UnsetType | None = UNSET
    tags: tuple[str, ...] | UnsetType = UNSET
    service_management_reference: str | UnsetType | None = UNSET
    is_fallback_public_client: bool | UnsetType | None = UNSET
    required_resource_access: tuple[RequiredResourceAccess, ...] | UnsetType = UNSET
    service_principal_lock_configuration: PropertyLock | UnsetType | None = UNSET
    api: ApiSettings | UnsetType = UNSET
    web: RedirectUris | UnsetType = UNSET
    spa: RedirectUris | UnsetType = UNSET
    public_client: RedirectUris | UnsetType = UNSET


class _Reference(Struct, frozen=True, kw_only=True, rename="camel"):
    link: str = msgspec.field(name="@odata.id")


class Applications:
    """Reads and writes application registrations."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def get(self, object_id: str, *, fresh: bool = False) -> Application:
        """The application with this object id.

        https://learn.microsoft.com/graph/api/application-get

        Args:
            object_id: the object's id, not the client id.
            fresh: it was made by this run or the last one, so "not there" is asked again.

        Raises:
            NotFoundError: there is none.
            DeadlineError: a fresh one is not visible yet.
        """
        return self._channel.one(
            self._reading(f"application {object_id}", f"/{segment(object_id)}", fresh), Application
        )

    def by_unique_name(self, name: str, *, fresh: bool = False) -> Application | None:
        """The application with this `uniqueName`, Graph's own key, or None.

        Raises:
            DeadlineError: a fresh one is not visible yet.
        """
        call = self._reading(f"application {name}", key("uniqueName", name), fresh)
        return self._channel.one_or_none(call, Application)

    def by_app_id(self, app_id: str) -> Application | None:
        """The application with this client id, or None.

        https://learn.microsoft.com/graph/api/application-list
        """
        found = self._list(f"application with the client id {app_id}", f"appId eq {literal(app_id)}")
        return found[0] if found else None

    def by_display_name(self, name: str) -> tuple[Application, ...]:
        """The applications with this display name, which is no key: there may be several."""
        return self._list(f"applications named {name!r}", f"displayName eq {literal(name)}")

    def by_tag(self, tag: str) -> tuple[Application, ...]:
        """The applications that have this tag."""
        return self._list(f"applications tagged {tag}", f"tags/any(t:t eq {literal(tag)})")

    def by_tag_prefix(self, prefix: str) -> tuple[Application, ...]:
        """The applications that have a tag which begins so."""
        return self._list(f"applications tagged {prefix}…", f"tags/any(t:startswith(t,{literal(prefix)}))")

    def upsert(self, unique_name: str, body: ApplicationPatch) -> Application | None:
        """Create the application with this `uniqueName`, or update it; None when it was there (read it back then).

        https://learn.microsoft.com/graph/api/application-upsert

        Raises:
            ConflictError: `explain` is `NAME_TAKEN`: another application has the name. It may be a deleted one, or
                the very one that a lost reply of this call made, unknown to the replica that answered.
            ServiceError: Graph refused.
        """
        return self._channel.made_or_changed(
            Call(
                verb="create or update",
                what=f"application {unique_name}",
                path=f"/applications{key('uniqueName', unique_name)}",
                method="PATCH",
                body=body,
                headers={"Prefer": "create-if-missing"},
                needs=_WRITE,
                repeatable=True,
            ),
            Application,
        )

    def change(self, object_id: str, patch: ApplicationPatch, *, fresh: bool = False) -> None:
        """Change what the patch names.

        https://learn.microsoft.com/graph/api/application-update

        Raises:
            NotFoundError: there is no such application.
            DeadlineError: a fresh one is not visible yet.
        """
        self._channel.done(
            Call(
                verb="change",
                what=f"application {object_id}",
                path=f"/applications/{segment(object_id)}",
                method="PATCH",
                body=patch,
                needs=_WRITE,
                repeatable=True,
                lag=_lag(fresh=fresh),
            )
        )

    def delete(self, object_id: str) -> bool:
        """Delete an application with its service principal; it can be restored for 30 days. False: it was not there.

        https://learn.microsoft.com/graph/api/application-delete
        """
        return self._channel.gone(
            Call(
                verb="delete",
                what=f"application {object_id}",
                path=f"/applications/{segment(object_id)}",
                method="DELETE",
                needs=_WRITE,
                repeatable=True,
            )
        )

    def owners(self, object_id: str, *, fresh: bool = False) -> tuple[DirectoryObject, ...]:
        """Who owns the application, and so may add secrets to it without any directory role.

        https://learn.microsoft.com/graph/api/application-list-owners
        """
        call = self._reading(f"owners of application {object_id}", f"/{segment(object_id)}/owners", fresh)
        return self._channel.many(call, Page[DirectoryObject])

    def add_owner(self, object_id: str, owner_id: str, *, fresh: bool = False) -> bool:
        """Make a user or service principal (by object id) an owner; False when it was one.

        https://learn.microsoft.com/graph/api/application-post-owners
        """
        call = Call(
            verb="add",
            what=f"owner {owner_id} of application {object_id}",
            path=f"/applications/{segment(object_id)}/owners/$ref",
            method="POST",
            body=_Reference(link=self._channel.link(owner_id)),
            needs="Application.ReadWrite.All and Directory.Read.All",
            repeatable=True,
            lag=_lag(fresh=fresh),
        )
        answer = self._channel.ask(call)
        if consistency.is_duplicate_owner(answer.reply):
            return False
        self._channel.check(call, answer)
        return True

    def remove_owner(self, object_id: str, owner_id: str) -> bool:
        """Take an owner away; False when it was none, or the application is not there.

        https://learn.microsoft.com/graph/api/application-delete-owners
        """
        return self._channel.gone(
            Call(
                verb="remove",
                what=f"owner {owner_id} of application {object_id}",
                path=f"/applications/{segment(object_id)}/owners/{segment(owner_id)}/$ref",
                method="DELETE",
                needs=_WRITE,
                repeatable=True,
            )
        )

    def federated_credentials(self, object_id: str) -> tuple[FederatedCredential, ...]:
        """The workloads that may sign in as the application.

        https://learn.microsoft.com/graph/api/application-list-federatedidentitycredentials
        """
        what = f"federated credentials of application {object_id}"
        call = self._reading(what, f"/{segment(object_id)}/federatedIdentityCredentials", fresh=False)
        return self._channel.many(call, Page[FederatedCredential])

    def _list(self, what: str, expression: str) -> tuple[Application, ...]:
        return self._channel.many(self._reading(what, filtered(expression), fresh=False), Page[Application])

    def _reading(self, what: str, rest: str, fresh: bool) -> Call:  # noqa: FBT001 - private, the last of three
        return Call(verb="read", what=what, path=f"/applications{rest}", needs=_READ, lag=_lag(fresh=fresh))


def _lag(*, fresh: bool) -> tuple[Test, ...]:
    return (consistency.is_missing, consistency.is_msa_not_replicated) if fresh else ()
