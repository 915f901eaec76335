"""What `scope migrate` reads: both rights of the application, what restricts each, and what the test cmdlets say."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.errors import NotFoundError, UsageError
from mimapp.graph import EXCHANGE_ONLINE_APP_ID
from mimapp.provisioning.observe_entra import resource_of
from mimapp.provisioning.observe_exchange import group_address, read_group
from mimapp.provisioning.plan_exchange import restricts_to
from mimapp.provisioning.rbac_view import read_roles
from mimapp.provisioning.unregister_observe import find_application

if TYPE_CHECKING:
    from datetime import datetime

    from mimapp.exchange import AccessPolicy
    from mimapp.graph import Application, RoleGrant, ServicePrincipal
    from mimapp.journal import State
    from mimapp.provisioning.observe_entra import Resource
    from mimapp.provisioning.observe_exchange import ObservedGroup
    from mimapp.provisioning.rbac_view import RoleView
    from mimapp.provisioning.services import Services
    from mimapp.spec import Registration

__all__ = ["Migration", "grants_of", "observe_migration"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """A registration between the two ways to restrict it, as one run saw it.

    Attributes:
        tenant_name: the tenant's initial domain, or None.
        application: the application.
        principal: its service principal.
        resource: Exchange Online's service principal, and the role on it.
        grants: the application's grants of full_access_as_app.
        group: the scoping group, or None.
        group_address: where it is, or would be.
        fence: the access policies that restrict the application to that group.
        others: its other access policies.
        roles: what it holds by role in Exchange, and what the test says.
        outside: the mailbox outside that the test was asked about; None where the tenant has no other.
        has_mailbox: whether Exchange Online has the registration's mailbox.
        journal: what this machine remembers.
        at: when it was read.
    """

    tenant_name: str | None
    application: Application
    principal: ServicePrincipal
    resource: Resource
    grants: tuple[RoleGrant, ...]
    group: ObservedGroup | None
    group_address: str
    fence: tuple[AccessPolicy, ...]
    others: tuple[AccessPolicy, ...]
    roles: RoleView
    outside: str | None
    has_mailbox: bool
    journal: State
    at: datetime


def observe_migration(services: Services, wanted: Registration, *, outside: str | None) -> Migration:
    """Read what a migration needs.

    Args:
        services: the rooms below.
        wanted: the registration.
        outside: the mailbox outside to ask the cmdlets about; None picks one, for the cmdlets alone.

    Raises:
        UsageError: there is no application, or `outside` is the registration's own mailbox.
        UnsafePlanError: a person has to say which application.
        DeniedError: this account may not read roles in Exchange.
        ServiceError, TransportError, SignInError: a read failed.
    """
    graph, exchange = services.graph, services.exchange
    address = group_address(wanted, wanted.mailbox)
    with ThreadPoolExecutor(6, thread_name_prefix="observe") as pool:
        organization = pool.submit(graph.directory.organization)
        resource = pool.submit(graph.service_principals.by_app_id, EXCHANGE_ONLINE_APP_ID)
        group = pool.submit(read_group, services, address)
        mailbox = pool.submit(exchange.mailboxes.get, wanted.mailbox)
        application = find_application(graph, wanted, pool)
        if application is None:
            raise UsageError(
                f"this tenant has no application of registration {wanted.key!r}: there is nothing to migrate",
                hint=f"mimapp register --scope rbac --mailbox {wanted.mailbox} makes one with a role from the start",
            )
        app_id = application.app_id
        principal = graph.service_principals.by_app_id(app_id)
        if principal is None:
            raise UsageError(
                f"the application {app_id} has no service principal, so it holds no right", hint="mimapp register"
            )
        policies = pool.submit(exchange.access_policies.for_app, app_id)
        grants = pool.submit(grants_of, services, app_id, resource_of(resource.result()))
        own = mailbox.result()
        elsewhere = _outside(services, (wanted.mailbox, *(own.addresses if own is not None else ())), outside)
        roles = read_roles(exchange, wanted, app_id, outside=elsewhere)
        found, named = group.result(), policies.result()
        domains = organization.result().verified_domains or ()
        return Migration(
            tenant_name=next((domain.name for domain in domains if domain.is_initial), None),
            application=application,
            principal=principal,
            resource=resource_of(resource.result()),
            grants=grants.result(),
            group=found,
            group_address=address,
            fence=tuple(one for one in named if restricts_to(one, found)),
            others=tuple(one for one in named if not restricts_to(one, found)),
            roles=roles,
            outside=elsewhere,
            has_mailbox=own is not None,
            journal=services.journal.state(services.tenant_id, wanted.key),
            at=services.clock.now(),
        )


def grants_of(services: Services, app_id: str, resource: Resource) -> tuple[RoleGrant, ...]:
    """An application's grants of full_access_as_app, at this moment.

    Raises:
        ServiceError, TransportError, SignInError: they could not be read.
    """
    try:
        held = services.graph.role_grants.held_by(app_id)
    except NotFoundError:
        return ()
    return tuple(
        one for one in held if one.app_role_id == resource.role_id and one.resource_id in {None, resource.principal_id}
    )


def _outside(services: Services, own: tuple[str, ...], named: str | None) -> str | None:
    """The mailbox outside: the one that was named, else any that is not the registration's own.

    Raises:
        UsageError: the one that was named is the registration's own.
    """
    if named is None:
        other = services.exchange.mailboxes.some_other_than(own)
        return None if other is None else other.primary_smtp_address
    if named.lower() in {address.lower() for address in own}:
        raise UsageError(
            f"outside: {named} is the registration's own mailbox",
            hint="name a mailbox that the application must not reach",
        )
    return named
