"""What a registration still holds in a tenant, read in two rounds of requests that go side by side; nothing is written.

Other than for `register`, parts of it may be gone, and what is left may be found only by its own mark: an application
may lie in the recycle bin or be purged, a service principal may have outlived it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from mimapp.credentials.listing import Owner, list_credentials
from mimapp.errors import DeniedError, NotFoundError, StoreError, UnsafePlanError
from mimapp.exchange import EWS_ROLE
from mimapp.graph import EXCHANGE_ONLINE_APP_ID, FULL_ACCESS_AS_APP, FULL_ACCESS_AS_APP_ID
from mimapp.provisioning.exchange_actions import EWS_NOTE
from mimapp.provisioning.observe import group_address
from mimapp.provisioning.observe_exchange import read_group
from mimapp.provisioning.rbac_view import is_our_assignment, is_our_pointer
from mimapp.provisioning.steps import StepKind
from mimapp.spec import mailbox_of_tags, registration_of_tags

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Executor
    from datetime import datetime

    from mimapp.credentials.listing import Credential
    from mimapp.exchange import AccessPolicy, EwsSettings, ManagementScope, RoleAssignment, ServicePrincipalPointer
    from mimapp.graph import Application, FederatedCredential, Graph, RoleGrant, ServicePrincipal
    from mimapp.journal import State
    from mimapp.provisioning.observe_exchange import ObservedGroup
    from mimapp.provisioning.services import Services
    from mimapp.secret import SecretStore
    from mimapp.spec import Registration

__all__ = ["Held", "Holdings", "find_application", "is_marked", "observe_holdings"]

_SIDE_BY_SIDE = 12

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A service principal of the registration that is alive, and what it may do.

    Attributes:
        principal: the service principal.
        grants: its grants of full_access_as_app.
        others: every other application role that it holds.
    """

    principal: ServicePrincipal
    grants: tuple[RoleGrant, ...]
    others: tuple[RoleGrant, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """A registration as one run saw it.

    Attributes:
        at: when the reading was done.
        tenant_name: the tenant's initial domain, or None.
        application: the application, alive; or None.
        deleted: applications of the registration in the recycle bin.
        held: its service principals that are alive; one without an application is left over.
        credentials: every way into the live application.
        policies: every access policy of the tenant.
        alive: client ids of this registration, in lower case, that an application or a service principal still has.
        group: the group at our address, or None.
        scopes: every management scope; None where the caller may not read them.
        assignments: every role assignment; None likewise.
        roles: those that give one of its applications the EWS role, and what carries our name besides.
        other_roles: the other roles in Exchange that its applications hold; they go with them.
        pointers: Exchange's own records of its service principals, those that mimapp made.
        ews: the organisation's EWS settings.
        ews_is_ours: whether this machine's journal says that mimapp added the entry to the allow list.
        stored: the key ids whose value a store of this run has, with the store's URI.
        unreadable_stores: why a store could not be asked.
        journal: what this machine remembers of the registration.
    """

    at: datetime
    tenant_name: str | None
    application: Application | None
    deleted: tuple[Application, ...]
    held: tuple[Held, ...]
    credentials: tuple[Credential, ...]
    policies: tuple[AccessPolicy, ...]
    alive: frozenset[str]
    group: ObservedGroup | None
    scopes: tuple[ManagementScope, ...] | None
    assignments: tuple[RoleAssignment, ...] | None
    roles: tuple[RoleAssignment, ...]
    other_roles: tuple[RoleAssignment, ...]
    pointers: tuple[ServicePrincipalPointer, ...]
    ews: EwsSettings
    ews_is_ours: bool
    stored: tuple[tuple[str, str], ...]
    unreadable_stores: tuple[str, ...]
    journal: State


class _FirstRound:
    """The requests that need no ids; they begin when it is made."""

    def __init__(self, services: Services, wanted: Registration, pool: Executor) -> None:
        graph, exchange = services.graph, services.exchange
        self.organization = pool.submit(graph.directory.organization)
        self.resource = pool.submit(graph.service_principals.by_app_id, EXCHANGE_ONLINE_APP_ID)
        self.deleted = pool.submit(graph.deleted.applications)
        self.tagged = pool.submit(graph.service_principals.by_tag, wanted.mark)
        self.policies = pool.submit(exchange.access_policies.list)
        self.group = pool.submit(read_group, services, group_address(wanted, wanted.mailbox))
        self.scopes = pool.submit(_readable, exchange.rbac.scopes)
        self.assignments = pool.submit(_readable, exchange.rbac.every_assignment)
        self.ews = pool.submit(exchange.organization.read)


def observe_holdings(services: Services, wanted: Registration) -> Holdings:
    """Read all that is left of a registration.

    Raises:
        UnsafePlanError: several applications could be meant, or the one that could is not marked as ours.
        ServiceError, TransportError, SignInError: a read failed.
    """
    graph = services.graph
    state = services.journal.state(services.tenant_id, wanted.key)
    with ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="observe") as pool:
        first = _FirstRound(services, wanted, pool)
        application = find_application(graph, wanted, pool)
        # The second round asks about what the first one found.
        own = None if application is None else graph.service_principals.by_app_id(application.app_id)
        application, principals = _principals(graph, wanted, application, own, first.tagged.result())
        federated = None if application is None else pool.submit(_federated, graph, application)
        grants = [pool.submit(_grants, graph, principal.app_id) for principal in principals]
        ours = {policy.app_id.lower() for policy in first.policies.result() if is_marked(policy, wanted)}
        ours |= {entry.application_id.lower() for entry in state.secrets}
        known = {one.app_id.lower() for one in (application, *principals) if one is not None}
        deleted = [one for one in first.deleted.result() if _is_meant(one, wanted)]
        roles = [pool.submit(_roles, services, app_id) for app_id in sorted(known)]
        every_id = sorted(known | ours | {one.app_id.lower() for one in deleted})
        pointers = [pool.submit(_pointer, services, wanted, app_id) for app_id in every_id]
        lives = {app_id: pool.submit(_lives, graph, app_id) for app_id in sorted(ours - known)}
        stores, unreadable = _usable(services.stores)
        credentials: tuple[Credential, ...] = ()
        if application is not None and federated is not None:
            own = next((one for one in principals if one.app_id == application.app_id), None)
            credentials = list_credentials(application, own, federated.result(), stores, state.secrets)
        elsewhere = frozenset(app_id for app_id, asked in lives.items() if asked.result())
        domains = first.organization.result().verified_domains or ()
        return Holdings(
            tenant_name=next((domain.name for domain in domains if domain.is_initial), None),
            application=application,
            # One that lives and lies in the recycle bin at once, by two replicas, is taken for alive.
            deleted=tuple(one for one in deleted if application is None or one.id != application.id),
            held=tuple(
                _held(principal, asked.result(), first.resource.result())
                for principal, asked in zip(principals, grants, strict=True)
            ),
            credentials=credentials,
            policies=first.policies.result(),
            alive=elsewhere | known,
            group=first.group.result(),
            scopes=first.scopes.result(),
            assignments=first.assignments.result(),
            roles=_our_roles(wanted, [one for asked in roles for one in asked.result()], first.assignments.result()),
            other_roles=tuple(one for asked in roles for one in asked.result() if one.role != EWS_ROLE),
            pointers=tuple(one for asked in pointers if (one := asked.result()) is not None),
            ews=first.ews.result(),
            ews_is_ours=_added_entry(services, wanted, state),
            stored=tuple(_stored(stores, state, credentials, elsewhere)),
            unreadable_stores=unreadable,
            journal=state,
            at=services.clock.now(),
        )


def is_marked(policy: AccessPolicy, wanted: Registration) -> bool:
    """Whether a policy's description says that it is this registration's."""
    return wanted.mark in policy.description.split()


def find_application(graph: Graph, wanted: Registration, pool: Executor) -> Application | None:
    """The live application that carries the registration's mark, or that the operator named; None when there is none.

    Raises:
        UnsafePlanError: several carry it, one has our key and not our mark, the one that was named is not there and
            another is, or it is another mailbox's.
    """
    named = None if wanted.app_id is None else pool.submit(graph.applications.by_app_id, wanted.app_id)
    by_key = pool.submit(graph.applications.by_unique_name, wanted.unique_name)
    by_tag = pool.submit(graph.applications.by_tag, wanted.mark)
    keyed = by_key.result()
    marked = {one.id: one for one in (keyed, *by_tag.result()) if one is not None and _mark_of(one) == wanted.key}
    if named is not None:
        found = named.result()
        if found is None and marked:
            raise UnsafePlanError(
                f"this tenant has no application {wanted.app_id}, and one that carries the mark {wanted.mark}",
                hint="leave --app-id away, or name that one",
                details=[_line(one) for one in marked.values()],
            )
        _check_mark(found, wanted)
        return found
    if len(marked) > 1:
        raise UnsafePlanError(
            f"{len(marked)} applications carry the mark {wanted.mark}",
            hint="say which with --app-id",
            details=[_line(one) for one in marked.values()],
        )
    if not marked and keyed is not None:
        raise UnsafePlanError(
            f"the application {keyed.app_id} has the key {wanted.unique_name} and not the mark {wanted.mark}: only "
            "marked objects are changed without being named",
            hint=f"name it with --app-id {keyed.app_id} if it is the one",
        )
    application = next(iter(marked.values()), None)
    _check_mark(application, wanted)
    return application


def _line(application: Application) -> str:
    return f"{application.display_name} ({application.app_id})"


def _check_mark(application: Application | None, wanted: Registration) -> None:
    if application is None:
        return
    tags = application.tags or ()
    key, mailbox = registration_of_tags(tags), mailbox_of_tags(tags)
    if key not in {None, wanted.key} or mailbox not in {None, wanted.mailbox.lower()}:
        raise UnsafePlanError(
            f"the application {application.app_id} belongs to registration {key or wanted.key!r} of mailbox "
            f"{mailbox or 'unknown'}",
            hint="name that registration and mailbox with --registration and --mailbox",
        )


def _is_meant(deleted: Application, wanted: Registration) -> bool:
    """Whether a deleted application is this registration's: by its mark, or named and nobody else's."""
    mark = _mark_of(deleted)
    if mark is None:
        return wanted.app_id is not None and deleted.app_id.lower() == wanted.app_id.lower()
    return mark == wanted.key


def _mark_of(application: Application) -> str | None:
    return registration_of_tags(application.tags or ())


def _readable(read: Callable[[], tuple[T, ...]]) -> tuple[T, ...] | None:
    try:
        return read()
    except DeniedError:
        return None


def _principals(
    graph: Graph,
    wanted: Registration,
    application: Application | None,
    own: ServicePrincipal | None,
    tagged: tuple[ServicePrincipal, ...],
) -> tuple[Application | None, tuple[ServicePrincipal, ...]]:
    """The application's service principal, and marked ones whose application is gone.

    A marked one may also lead to the marked application itself, where the replica that was asked first did not know it.

    Raises:
        UnsafePlanError: a service principal carries our mark, and its application, which lives, does not.
    """
    found = [] if own is None else [own]
    for one in tagged:
        if own is not None and one.id == own.id:
            continue
        theirs = graph.applications.by_app_id(one.app_id)
        if theirs is None:
            found.append(one)
        elif application is None and _mark_of(theirs) == wanted.key:
            application = theirs
            found.append(one)
        elif wanted.app_id is None and _mark_of(theirs) != wanted.key:
            raise UnsafePlanError(
                f"the service principal of application {one.app_id} carries the mark {wanted.mark}, the application "
                "does not: only marked objects are changed without being named",
                hint=f"name it with --app-id {one.app_id} if it is the one",
            )
    return application, tuple(found)


def _lives(graph: Graph, app_id: str) -> bool:
    return graph.applications.by_app_id(app_id) is not None or graph.service_principals.by_app_id(app_id) is not None


def _federated(graph: Graph, application: Application) -> tuple[FederatedCredential, ...]:
    try:
        return graph.applications.federated_credentials(application.id)
    except NotFoundError:
        return ()  # a replica that does not know the application: they go with it


def _grants(graph: Graph, app_id: str) -> tuple[RoleGrant, ...]:
    try:
        return graph.role_grants.held_by(app_id)
    except NotFoundError:
        return ()  # gone between the two reads


def _roles(services: Services, app_id: str) -> tuple[RoleAssignment, ...]:
    """An application's roles in Exchange, whoever gave them; none where this account may not read them."""
    return _readable(lambda: services.exchange.rbac.assignments(app_id)) or ()


def _our_roles(
    wanted: Registration, held: Iterable[RoleAssignment], every: tuple[RoleAssignment, ...] | None
) -> tuple[RoleAssignment, ...]:
    """What our applications hold, and what carries our name although its application is gone; each once."""
    left = [one for one in every or () if is_our_assignment(wanted, one)]
    own = [one for one in held if one.role == EWS_ROLE]
    return tuple({one.name: one for one in (*own, *left)}.values())


def _pointer(services: Services, wanted: Registration, app_id: str) -> ServicePrincipalPointer | None:
    try:
        found = services.exchange.rbac.service_principal(app_id)
    except DeniedError:
        return None
    return found if found is not None and is_our_pointer(wanted, found) else None


def _held(principal: ServicePrincipal, grants: tuple[RoleGrant, ...], exchange: ServicePrincipal | None) -> Held:
    offered = () if exchange is None else exchange.app_roles or ()
    roles = {FULL_ACCESS_AS_APP_ID, *(role.id for role in offered if role.value == FULL_ACCESS_AS_APP)}

    def is_ours(grant: RoleGrant) -> bool:
        on_exchange = exchange is None or grant.resource_id in {None, exchange.id}
        return on_exchange and grant.app_role_id in roles

    return Held(
        principal=principal,
        grants=tuple(grant for grant in grants if is_ours(grant)),
        others=tuple(grant for grant in grants if not is_ours(grant)),
    )


def _usable(stores: Iterable[SecretStore]) -> tuple[tuple[SecretStore, ...], tuple[str, ...]]:
    """The stores that answer, and why the others do not: a store that is broken keeps nothing in the tenant."""
    usable: list[SecretStore] = []
    reasons: list[str] = []
    for store in stores:
        try:
            store.has("-")
        except StoreError as error:
            reasons.append(str(error))
        else:
            usable.append(store)
    return tuple(usable), tuple(reasons)


def _stored(
    stores: Iterable[SecretStore], state: State, credentials: Iterable[Credential], elsewhere: frozenset[str]
) -> Iterator[tuple[str, str]]:
    """Store and key id of each value of ours; one of another application that lives is left alone."""
    keys = {one.key_id for one in credentials if one.kind == "password" and one.owner is not Owner.FOREIGN}
    keys |= {entry.key_id for entry in state.secrets if entry.key_id and entry.application_id.lower() not in elsewhere}
    for store in stores:
        for key_id in sorted(keys):
            if store.has(key_id):
                yield store.uri, key_id


def _added_entry(services: Services, wanted: Registration, state: State) -> bool:
    """Whether this machine added the allow-list entry: it noted that, or died between the write and the note."""
    if EWS_NOTE in state.since:
        return True
    last = None
    for record in services.journal.records():
        if (record.tenant, record.registration) == (services.tenant_id, wanted.key) and record.action in {
            StepKind.ALLOW_EWS,
            StepKind.DISALLOW_EWS,
        }:
            last = record
    return last is not None and (last.action, last.outcome) == (StepKind.ALLOW_EWS, "begun")
