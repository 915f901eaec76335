"""The tenant itself, its licences, and people: who is signed in, with which directory roles.

https://learn.microsoft.com/graph/api/resources/organization, https://learn.microsoft.com/graph/api/resources/user
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from mimapp.errors import BadReplyError
from mimapp.graph import consistency
from mimapp.graph.channel import Call, Page, segment
from mimapp.graph.wire import Moment, decode

if TYPE_CHECKING:
    from mimapp.graph.channel import Channel

__all__ = ["Directory", "DirectoryRole", "Organization", "ServicePlan", "SubscribedSku", "User", "VerifiedDomain"]

_USER_SELECT = "id,displayName,userPrincipalName,mail,userType,accountEnabled"
_ROLE = "microsoft.graph.directoryRole"


class VerifiedDomain(Struct, frozen=True, kw_only=True, rename="camel"):
    """A domain of the tenant; `is_initial` is the one that ends in ``onmicrosoft.com``."""

    name: str | None = None
    type: str | None = None
    is_default: bool | None = None
    is_initial: bool | None = None
    capabilities: str | None = None


class Organization(Struct, frozen=True, kw_only=True, rename="camel"):
    """The tenant; `id` is its GUID."""

    id: str
    display_name: str | None = None
    tenant_type: str | None = None
    country_letter_code: str | None = None
    on_premises_sync_enabled: bool | None = None
    created_date_time: Moment | None = None
    verified_domains: tuple[VerifiedDomain, ...] | None = None


class ServicePlan(Struct, frozen=True, kw_only=True, rename="camel"):
    """A service in a licence, such as ``AAD_PREMIUM``; `provisioning_status` is ``Success`` where it works."""

    service_plan_id: str | None = None
    service_plan_name: str | None = None
    provisioning_status: str | None = None
    applies_to: str | None = None


class SubscribedSku(Struct, frozen=True, kw_only=True, rename="camel"):
    """A licence that the tenant has bought; `capability_status` is ``Enabled`` while it counts."""

    id: str
    sku_id: str | None = None
    sku_part_number: str | None = None
    capability_status: str | None = None
    consumed_units: int | None = None
    applies_to: str | None = None
    service_plans: tuple[ServicePlan, ...] | None = None


class User(Struct, frozen=True, kw_only=True, rename="camel"):
    """A person's account."""

    id: str
    display_name: str | None = None
    user_principal_name: str | None = None
    mail: str | None = None
    user_type: str | None = None
    account_enabled: bool | None = None


class DirectoryRole(Struct, frozen=True, kw_only=True, rename="camel"):
    """A directory role that somebody holds; `role_template_id` is the same in every tenant (`wellknown`)."""

    id: str
    display_name: str | None = None
    role_template_id: str | None = None
    odata_type: str | None = msgspec.field(default=None, name="@odata.type")


class Directory:
    """Reads the tenant and its people."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def organization(self) -> Organization:
        """The tenant.

        https://learn.microsoft.com/graph/api/organization-list

        Raises:
            BadReplyError: Graph named none, or several.
        """
        call = Call(
            verb="read",
            what="the organization",
            path="/organization",
            needs="User.Read (app-only: Organization.Read.All)",
        )
        found = self._channel.many(call, Page[Organization])
        if len(found) != 1:
            raise BadReplyError(f"Graph named {len(found)} organizations where a tenant is one")
        return found[0]

    def subscribed_skus(self) -> tuple[SubscribedSku, ...]:
        """The licences that the tenant has bought.

        https://learn.microsoft.com/graph/api/subscribedsku-list
        """
        call = Call(
            verb="read",
            what="the tenant's licences",
            path="/subscribedSkus",
            needs="LicenseAssignment.Read.All",
        )
        return self._channel.many(call, Page[SubscribedSku])

    def me(self) -> User | None:
        """The signed-in person; None when an application is signed in.

        https://learn.microsoft.com/graph/api/user-get
        """
        call = Call(verb="read", what="the signed-in account", path=f"/me?$select={_USER_SELECT}", needs="User.Read")
        answer = self._channel.ask(call)
        if consistency.is_delegated_only(answer.reply):
            return None
        return decode(self._channel.check(call, answer), User, call.what)

    def my_roles(self) -> tuple[DirectoryRole, ...]:
        """The directory roles that the signed-in person holds directly; none for an application.

        A role that comes by a group, is custom, is limited to some objects or waits for activation is not shown, so
        an empty answer proves nothing.
        https://learn.microsoft.com/graph/api/user-list-memberof
        """
        call = Call(
            verb="read",
            what="directory roles of the signed-in account",
            path="/me/memberOf",
            needs="User.Read and Directory.Read.All",
        )
        answer = self._channel.ask(call)
        if consistency.is_delegated_only(answer.reply):
            return ()
        found = self._channel.many(call, Page[DirectoryRole], first=answer)
        return tuple(one for one in found if (one.odata_type or "").endswith(_ROLE))

    def user(self, id_or_upn: str) -> User | None:
        """The person with this object id or user principal name, or None.

        https://learn.microsoft.com/graph/api/user-get
        """
        call = Call(
            verb="read",
            what=f"user {id_or_upn}",
            path=f"/users/{segment(id_or_upn)}?$select={_USER_SELECT}",
            needs="User.ReadBasic.All",
        )
        return self._channel.one_or_none(call, User)
