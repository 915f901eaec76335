"""Read the tenant: everything a plan needs, in two rounds of requests that go side by side, and nothing written.

The first round needs no ids; the second asks about the application that the first one found.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.credentials import is_ours, unfinished
from mimapp.errors import NotFoundError, UnsafePlanError, UsageError
from mimapp.graph import EXCHANGE_ONLINE_APP_ID, FULL_ACCESS_AS_APP, FULL_ACCESS_AS_APP_ID
from mimapp.provisioning.outcome import SecretResult

if TYPE_CHECKING:
    from datetime import datetime

    from mimapp.exchange import AccessPolicy, EwsSettings, Group, GroupMember, Mailbox
    from mimapp.graph import Application, DirectoryObject, Organization, RoleGrant, ServicePrincipal
    from mimapp.journal import SecretEntry, State
    from mimapp.provisioning.services import Services
    from mimapp.spec import Registration

__all__ = ["Observed", "ObservedGroup", "ObservedSecret", "Resource", "group_address", "observe"]

_SIDE_BY_SIDE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Office 365 Exchange Online in this tenant, and the one role that is granted on it.

    Attributes:
        principal_id: the object id of its service principal.
        role_id: the id of full_access_as_app, looked up by its value.
        has_known_role_id: whether that is the id which Microsoft's page gives.
    """

    principal_id: str
    role_id: str
    has_known_role_id: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedGroup:
    """The scoping group at our address: what it is, who is in it, and the mark in its notes (None: not readable)."""

    group: Group
    members: tuple[GroupMember, ...]
    notes: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedSecret:
    """One live client secret of the application.

    Attributes:
        key_id: Entra's id of it.
        label: its display name.
        starts: when it began.
        expires: when it ends.
        is_ours: whether mimapp issued it, here or elsewhere.
        holders: URIs of the stores of this run that have its value.
        proven: whether this machine got a token with it.
        refused: whether Entra refused the stored value after its window: it is as good as none.
    """

    key_id: str
    label: str
    starts: datetime | None
    expires: datetime | None
    is_ours: bool
    holders: tuple[str, ...]
    proven: bool
    refused: bool = False

    @property
    def result(self) -> SecretResult:
        """What output says of it."""
        return SecretResult(
            key_id=self.key_id, label=self.label, expires=self.expires, stores=self.holders, proven=self.proven
        )

    @property
    def is_here(self) -> bool:
        """Whether a store of this run has its value."""
        return bool(self.holders)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A tenant as one run saw it.

    Attributes:
        at: when the reading was done.
        organization: the tenant's name and domains.
        mailbox: the MIM Service mailbox.
        resource: Exchange Online's service principal.
        application: the application that has our `uniqueName`, or None.
        owners: its owners.
        principal: its service principal, or None.
        granted: whether it holds full_access_as_app.
        group: the scoping group, or None.
        group_owner: the address that is to own a new group, or why there is none; None when the group exists.
        policies: the access policies that name the application.
        outside: the address of a mailbox outside the group, for the test cmdlet only; None when there is none.
        inside_granted: what the test cmdlet says of the mailbox; None: not asked.
        outside_granted: what it says of the one outside; None: not asked.
        ews: the organisation's EWS settings.
        secrets: the application's live client secrets.
        journal: what this machine remembers of the registration.
        stale_labels: labels of secrets that were begun here and never stored.
    """

    at: datetime
    organization: Organization
    mailbox: Mailbox
    resource: Resource
    application: Application | None
    owners: tuple[DirectoryObject, ...]
    principal: ServicePrincipal | None
    granted: bool
    group: ObservedGroup | None
    group_owner: str | UsageError | None
    policies: tuple[AccessPolicy, ...]
    outside: str | None
    inside_granted: bool | None
    outside_granted: bool | None
    ews: EwsSettings
    secrets: tuple[ObservedSecret, ...]
    journal: State
    stale_labels: tuple[str, ...]

    @property
    def fence_stands(self) -> bool:
        """Whether the policy is listed and the service's own test grants inside and denies outside.

        Where the tenant has no other mailbox, nothing can be denied: then "granted" has to do, and is warned about.
        """
        denied = self.outside_granted is False or self.outside is None
        return bool(self.policies) and self.inside_granted is True and denied


def group_address(wanted: Registration, mailbox: str) -> str:
    """The address of the scoping group: our name in the domain of the mailbox, which the tenant accepts."""
    return f"{wanted.group_name}@{mailbox.partition('@')[2].lower()}"


def observe(services: Services, wanted: Registration) -> Observed:
    """Read all that a plan for this registration needs.

    Raises:
        UsageError: the mailbox is not there.
        UnsafePlanError: the tenant has no Exchange Online to grant a role on.
        ServiceError, TransportError, SignInError: a read failed.
    """
    graph, exchange = services.graph, services.exchange
    address = group_address(wanted, wanted.mailbox)
    with ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="observe") as pool:
        ask = pool.submit
        application_f = ask(lambda: graph.applications.by_unique_name(wanted.unique_name))
        organization_f = ask(graph.directory.organization)
        resource_f = ask(lambda: graph.service_principals.by_app_id(EXCHANGE_ONLINE_APP_ID))
        mailbox_f = ask(lambda: exchange.mailboxes.get(wanted.mailbox))
        group_f = ask(lambda: _group(services, address))
        policies_f = ask(exchange.access_policies.list)
        outside_f = ask(lambda: exchange.mailboxes.some_other_than((wanted.mailbox,)))
        ews_f = ask(exchange.organization.read)

        application = application_f.result()
        app_id = None if application is None else application.app_id
        policies = tuple(p for p in policies_f.result() if app_id and p.app_id.lower() == app_id.lower())
        outside = outside_f.result()
        outside_address = None if outside is None else outside.primary_smtp_address
        mailbox = mailbox_f.result()
        if mailbox is None:
            raise UsageError(
                f"mailbox: Exchange Online has no mailbox {wanted.mailbox}",
                hint="check the address; a mailbox that is still on-premises or has no licence does not count",
            )
        principal_f = ask(lambda: graph.service_principals.by_app_id(app_id) if app_id else None)
        grants_f = ask(lambda: _grants(services, app_id))
        owners_f = ask(lambda: _owners(services, application))
        inside_f = ask(lambda: _test(services, wanted.mailbox, app_id) if policies else None)
        denied_f = ask(lambda: _test(services, outside_address, app_id) if policies else None)
        owner_f = ask(lambda: _group_owner(services, wanted) if group_f.result() is None else None)

        resource = _resource(resource_f.result())
        state = services.journal.state(services.tenant_id, wanted.key)
        secrets = () if application is None else _secrets(services, application, state)
        return Observed(
            at=services.clock.now(),
            organization=organization_f.result(),
            mailbox=mailbox,
            resource=resource,
            application=application,
            owners=owners_f.result(),
            principal=principal_f.result(),
            granted=any(
                grant.resource_id == resource.principal_id and grant.app_role_id == resource.role_id
                for grant in grants_f.result()
            ),
            group=group_f.result(),
            group_owner=owner_f.result(),
            policies=policies,
            outside=outside_address,
            inside_granted=inside_f.result(),
            outside_granted=denied_f.result(),
            ews=ews_f.result(),
            secrets=secrets,
            journal=state,
            stale_labels=tuple(sorted(e.label for e in unfinished(state.secrets) if _concerns(e, app_id))),
        )


def _group(services: Services, address: str) -> ObservedGroup | None:
    group = services.exchange.groups.get(address)
    if group is None:
        return None
    members = services.exchange.groups.members(address)
    return ObservedGroup(group=group, members=members, notes=services.exchange.groups.notes(address))


def _group_owner(services: Services, wanted: Registration) -> str | UsageError:
    """Who is to own a new group: the one who was named, else the signed-in administrator; or why nobody can."""
    operator = services.exchange_operator
    if wanted.group_owner is not None:
        owner = wanted.group_owner
    elif operator.is_app_only:
        return UsageError(
            "the scoping group needs an owner, and an application that signs in by itself cannot be one",
            hint="name an administrator's mailbox with --group-owner ADDRESS or MIMAPP_GROUP_OWNER",
        )
    else:
        owner = operator.name
    if owner.lower() == wanted.mailbox.lower():
        return UsageError(
            f"the scoping group cannot be owned by {owner}: the MIM mailbox would guard its own fence",
            hint="name an administrator's mailbox with --group-owner ADDRESS",
        )
    if services.exchange.mailboxes.recipient(owner) is None:
        return UsageError(
            f"the scoping group cannot be owned by {owner}: Exchange knows no such recipient",
            hint="name an administrator who has a mailbox with --group-owner ADDRESS",
        )
    return owner


def _owners(services: Services, application: Application | None) -> tuple[DirectoryObject, ...]:
    if application is None:
        return ()
    try:
        return services.graph.applications.owners(application.id)
    except NotFoundError:
        return ()  # the replica that answered does not know the application yet; owners are shown, never decided on


def _grants(services: Services, app_id: str | None) -> tuple[RoleGrant, ...]:
    if app_id is None:
        return ()
    try:
        return services.graph.role_grants.held_by(app_id)
    except NotFoundError:
        return ()  # no service principal, so nothing is granted


def _test(services: Services, mailbox: str | None, app_id: str | None) -> bool | None:
    if mailbox is None or app_id is None:
        return None
    return services.exchange.access_policies.test(mailbox, app_id).granted


def _resource(principal: ServicePrincipal | None) -> Resource:
    if principal is None:
        raise UnsafePlanError(
            "this tenant has no service principal of Office 365 Exchange Online, so there is nothing to grant",
            hint="is there an Exchange Online licence in this tenant, and is it the right tenant?",
        )
    role = next((role for role in principal.app_roles or () if role.value == FULL_ACCESS_AS_APP), None)
    if role is None:
        raise UnsafePlanError(
            f"Office 365 Exchange Online offers no application role {FULL_ACCESS_AS_APP} in this tenant",
            hint="Microsoft may have withdrawn it with the end of EWS: see docs/after-ews.md",
        )
    return Resource(principal_id=principal.id, role_id=role.id, has_known_role_id=role.id == FULL_ACCESS_AS_APP_ID)


def _secrets(services: Services, application: Application, state: State) -> tuple[ObservedSecret, ...]:
    """The live client secrets, and those so new that this replica may not show them yet, if a store has them."""
    now = services.clock.now()
    states = {entry.key_id: entry.state for entry in state.secrets if entry.key_id}
    found = [
        ObservedSecret(
            key_id=credential.key_id,
            label=credential.display_name or "",
            starts=credential.start_date_time,
            expires=credential.end_date_time,
            is_ours=is_ours(credential.display_name),
            holders=_holders(services, credential.key_id),
            proven=states.get(credential.key_id) == "proven",
            refused=states.get(credential.key_id) == "wrong",
        )
        for credential in application.password_credentials or ()
        if credential.key_id and not _is_over(credential.end_date_time, now)
    ]
    shown = {secret.key_id for secret in found}
    for entry in state.secrets:
        is_new = entry.state in {"handed", "proven"} and now < entry.begun + services.window
        if entry.key_id and entry.key_id not in shown and is_new and _concerns(entry, application.app_id):
            holders = _holders(services, entry.key_id)
            if holders:
                found.append(
                    ObservedSecret(
                        key_id=entry.key_id,
                        label=entry.label,
                        starts=entry.begun,
                        expires=entry.expires,
                        is_ours=True,
                        holders=holders,
                        proven=entry.state == "proven",
                    )
                )
    return tuple(found)


def _holders(services: Services, key_id: str) -> tuple[str, ...]:
    return tuple(store.uri for store in services.stores if store.has(key_id))


def _is_over(end: datetime | None, now: datetime) -> bool:
    return end is not None and end <= now


def _concerns(entry: SecretEntry, app_id: str | None) -> bool:
    return app_id is not None and entry.application_id.lower() == app_id.lower()
