"""What the tenant allows applications: the app management policies, read only.

https://learn.microsoft.com/graph/api/resources/tenantappmanagementpolicy,
https://learn.microsoft.com/graph/api/resources/appmanagementpolicy
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from mimapp.graph.channel import Call, Page, segment
from mimapp.graph.wire import Lifetime, Moment

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from mimapp.graph.channel import Channel

__all__ = [
    "AppManagementPolicy",
    "CredentialRestriction",
    "DefaultCredentialPolicy",
    "IdentifierUriRestriction",
    "IdentifierUriRestrictions",
    "Policies",
    "Restrictions",
    "deciding_restrictions",
]

_READ = "Policy.Read.All"


class CredentialRestriction(Struct, frozen=True, kw_only=True, rename="camel"):
    """One rule about client secrets or certificates.

    `restriction_type` is ``passwordAddition``, ``customPasswordAddition``, ``passwordLifetime`` and so on; `state` is
    ``enabled`` or ``disabled``, and null counts as enabled, since policies older than that property have none.
    """

    restriction_type: str | None = None
    state: str | None = None
    max_lifetime: Lifetime | None = None
    restrict_for_apps_created_after_date_time: Moment | None = None

    def holds_for(self, made: datetime) -> bool:
        """Whether it is in force for an application that was made at a moment."""
        since = self.restrict_for_apps_created_after_date_time
        return self.state in {None, "enabled"} and (since is None or made >= since)


class IdentifierUriRestriction(Struct, frozen=True, kw_only=True, rename="camel"):
    """One rule about identifier URIs."""

    state: str | None = None
    restrict_for_apps_created_after_date_time: Moment | None = None


class IdentifierUriRestrictions(Struct, frozen=True, kw_only=True, rename="camel"):
    """The rules about identifier URIs."""

    non_default_uri_addition: IdentifierUriRestriction | None = None
    uri_addition_without_unique_tenant_identifier: IdentifierUriRestriction | None = None


class Restrictions(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a policy restricts."""

    password_credentials: tuple[CredentialRestriction, ...] | None = None
    key_credentials: tuple[CredentialRestriction, ...] | None = None
    identifier_uris: IdentifierUriRestrictions | None = None


class DefaultCredentialPolicy(Struct, frozen=True, kw_only=True, rename="camel"):
    """The tenant's policy for every application that has none of its own."""

    id: str
    display_name: str | None = None
    description: str | None = None
    is_enabled: bool | None = None
    application_restrictions: Restrictions | None = None
    service_principal_restrictions: Restrictions | None = None


class AppManagementPolicy(Struct, frozen=True, kw_only=True, rename="camel"):
    """A policy made for some applications; it beats the tenant's."""

    id: str
    display_name: str | None = None
    description: str | None = None
    is_enabled: bool | None = None
    restrictions: Restrictions | None = None


def deciding_restrictions(default: DefaultCredentialPolicy, own: Iterable[AppManagementPolicy]) -> Restrictions | None:
    """The rules that decide about an application; None where none is in force.

    A policy of the application alone stands in the tenant's default one's place and inherits nothing from it:
    https://learn.microsoft.com/graph/api/resources/applicationauthenticationmethodpolicy
    """
    assigned = next((policy for policy in own if policy.is_enabled is not False), None)
    if assigned is not None:
        return assigned.restrictions
    return default.application_restrictions if default.is_enabled else None


class Policies:
    """Reads app management policies; a caller who may not read them goes on without."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def default_credential_policy(self) -> DefaultCredentialPolicy:
        """The tenant's default policy; it is there, perhaps disabled, in every tenant.

        https://learn.microsoft.com/graph/api/tenantappmanagementpolicy-get

        Raises:
            DeniedError: the caller may not read policies, which must not stop a run.
        """
        call = Call(
            verb="read",
            what="the default app management policy",
            path="/policies/defaultAppManagementPolicy",
            needs=_READ,
        )
        return self._channel.one(call, DefaultCredentialPolicy)

    def for_application(self, object_id: str) -> tuple[AppManagementPolicy, ...]:
        """The policies of this application alone: one at most, by Microsoft's pages.

        https://learn.microsoft.com/graph/api/resources/appmanagementpolicy

        Raises:
            DeniedError: the caller may not read policies, which must not stop a run.
        """
        call = Call(
            verb="read",
            what=f"app management policy of application {object_id}",
            path=f"/applications/{segment(object_id)}/appManagementPolicies",
            needs=f"Application.Read.All and {_READ}",
        )
        return self._channel.many(call, Page[AppManagementPolicy])
