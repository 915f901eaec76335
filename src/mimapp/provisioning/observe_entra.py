"""What Graph says of a registration: application, service principal, grants, owners and client secrets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mimapp.credentials import is_ours
from mimapp.credentials.listing import list_credentials
from mimapp.errors import DeniedError, NotFoundError, UnsafePlanError, UsageError
from mimapp.graph import EXCHANGE_ONLINE_APP_ID, FULL_ACCESS_AS_APP, FULL_ACCESS_AS_APP_ID
from mimapp.provisioning.candidates import Choice, Lookup
from mimapp.provisioning.outcome import SecretResult
from mimapp.provisioning.plan_entra import PURGED, restored_note
from mimapp.spec import ADOPTED_TAG

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor
    from datetime import datetime

    from mimapp.credentials.listing import Credential
    from mimapp.graph import Application, DelegatedGrant, DirectoryObject, Organization, RoleGrant, ServicePrincipal
    from mimapp.journal import SecretEntry, State
    from mimapp.provisioning.services import Services
    from mimapp.spec import Registration

__all__ = ["EntraReader", "EntraView", "ObservedSecret", "Resource", "resource_of"]


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
class EntraView:
    """Graph's half of what was seen.

    Attributes:
        organization: the tenant's name and domains.
        resource: Exchange Online's service principal.
        application: the application of this registration, or None.
        adopting: it is somebody else's, and is taken over by this run.
        deleted: an application of this registration in the recycle bin, which is restored or purged; or None.
        owners: the application's owners.
        principal: its service principal, or None.
        grants: every application role that it holds.
        delegated: its delegated grants; read only for an application that mimapp did not make, None where the
            sign-in may not.
        credentials: every live way into it; read only while it is being taken over.
        secrets: its live client secrets.
    """

    organization: Organization
    resource: Resource
    application: Application | None
    adopting: bool
    deleted: Application | None
    owners: tuple[DirectoryObject, ...]
    principal: ServicePrincipal | None
    grants: tuple[RoleGrant, ...]
    delegated: tuple[DelegatedGrant, ...] | None
    credentials: tuple[Credential, ...]
    secrets: tuple[ObservedSecret, ...]

    @property
    def granted(self) -> bool:
        """Whether the application holds full_access_as_app."""
        return any(
            grant.resource_id == self.resource.principal_id and grant.app_role_id == self.resource.role_id
            for grant in self.grants
        )

    @property
    def is_adopted(self) -> bool:
        """Whether somebody else made the application: nothing is changed on it but what is needed."""
        return self.adopting or (self.application is not None and ADOPTED_TAG in (self.application.tags or ()))


class EntraReader:
    """Reads Graph in two rounds; the first begins when it is made."""

    def __init__(self, services: Services, wanted: Registration, state: State, pool: Executor) -> None:
        graph = services.graph
        self._services = services
        self._state = state
        self._pool = pool
        self._lookup = Lookup(graph, wanted, pool, was_purged=PURGED in state.since)
        self._organization = pool.submit(graph.directory.organization)
        self._resource = pool.submit(graph.service_principals.by_app_id, EXCHANGE_ONLINE_APP_ID)
        self._owner = None if wanted.owner is None else pool.submit(_check_owner, services, wanted.owner)
        self._choice: Choice | None = None

    def application_id(self) -> str | None:
        """The client id of the application that is there, or will be when the recycle bin has given it back."""
        choice = self._chosen()
        there = choice.application or choice.deleted
        return None if there is None else there.app_id

    def tags(self) -> tuple[str, ...]:
        """The tags of that application."""
        there = self._chosen().application or self._chosen().deleted
        return () if there is None else there.tags or ()

    def second_round(self) -> Callable[[], EntraView]:
        """Ask what depends on the application; what it gives back waits for the answers."""
        choice = self._chosen()
        app_id = None if choice.application is None else choice.application.app_id
        graph = self._services.graph
        principal = None if app_id is None else self._pool.submit(graph.service_principals.by_app_id, app_id)
        grants = self._pool.submit(_grants, self._services, app_id)
        owners = self._pool.submit(_owners, self._services, choice.application)

        def ends() -> EntraView:
            if self._owner is not None:
                self._owner.result()
            found = None if principal is None else principal.result()
            view = EntraView(
                organization=self._organization.result(),
                resource=resource_of(self._resource.result()),
                application=choice.application,
                adopting=choice.adopting,
                deleted=choice.deleted,
                owners=owners.result(),
                principal=found,
                grants=grants.result(),
                delegated=(),
                credentials=(),
                secrets=() if choice.application is None else _secrets(self._services, choice.application, self._state),
            )
            return self._with_what_others_made(view) if view.is_adopted else view

        return ends

    def _chosen(self) -> Choice:
        if self._choice is None:
            self._choice = self._lookup.choose()
        return self._choice

    def _with_what_others_made(self, view: EntraView) -> EntraView:
        """A third round, only for an application of somebody else's: what it is used for besides."""
        if view.application is None:
            return view
        graph = self._services.graph
        delegated = () if view.principal is None else _delegated(self._services, view.principal.id)
        federated = graph.applications.federated_credentials(view.application.id) if view.adopting else ()
        now = self._services.clock.now()
        every = list_credentials(
            view.application, view.principal, federated, self._services.stores, self._state.secrets
        )
        live = tuple(one for one in every if one.expires is None or one.expires > now)
        return replace(view, delegated=delegated, credentials=live if view.adopting else ())


def _check_owner(services: Services, owner: str) -> None:
    """Refuse an owner who is not there, before anything is written."""
    if services.graph.directory.user(owner) is None:
        raise UsageError(f"owner: this tenant has no user {owner}", hint="give a user principal name or an object id")


def _delegated(services: Services, principal_id: str) -> tuple[DelegatedGrant, ...] | None:
    try:
        return services.graph.delegated_grants.of(principal_id)
    except DeniedError:
        return None  # reading them needs Directory.Read.All, which only taking over an application asks for


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


def resource_of(principal: ServicePrincipal | None) -> Resource:
    """What is granted, and on what.

    Args:
        principal: Exchange Online's service principal in this tenant, or None.

    Raises:
        UnsafePlanError: there is none, or it offers no full_access_as_app.
    """
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
        if credential.key_id
        and not _is_over(credential.end_date_time, now)
        and restored_note(credential.key_id) not in state.since
    ]
    shown = {secret.key_id for secret in found}
    for entry in state.secrets:
        if entry.key_id is None or entry.key_id in shown or not _may_be_unseen(entry, application, now, services):
            continue
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


def _may_be_unseen(entry: SecretEntry, application: Application, now: datetime, services: Services) -> bool:
    """Whether a stored secret is so new that a replica may not show it yet."""
    is_this_one = entry.application_id.lower() == application.app_id.lower()
    return is_this_one and entry.state in {"handed", "proven"} and now < entry.begun + services.window


def _holders(services: Services, key_id: str) -> tuple[str, ...]:
    return tuple(store.uri for store in services.stores if store.has(key_id))


def _is_over(end: datetime | None, now: datetime) -> bool:
    return end is not None and end <= now
