"""What is there for one registration, next to what is wanted: nothing is written."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mimapp.checks.status_dates import Milestone, milestones
from mimapp.credentials.listing import Credential, list_credentials
from mimapp.errors import CancelledError, MimappError, NotFoundError, UnsafePlanError, UsageError
from mimapp.exchange import EWS_ROLE
from mimapp.graph import EXCHANGE_ONLINE_APP_ID, FULL_ACCESS_AS_APP, MICROSOFT_GRAPH_APP_ID, USER_READ_ID
from mimapp.provisioning.ews import EwsVerdict, judge
from mimapp.provisioning.observe import group_address, observe
from mimapp.provisioning.plan import make_plan, tenant_name
from mimapp.provisioning.scope_kind import standing_scope
from mimapp.provisioning.scope_proof import Proof, proof_of
from mimapp.rotation import HandOver, HandOverState, Policy, standing
from mimapp.rotation.view import look
from mimapp.spec import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date, datetime

    from mimapp.graph import Application, RoleGrant
    from mimapp.journal import HostSeen
    from mimapp.provisioning.observe import EntraView, Observed, Resource
    from mimapp.provisioning.services import Services
    from mimapp.provisioning.steps import Step
    from mimapp.rotation import DuePolicy, Standing
    from mimapp.spec import Registration

__all__ = ["Permissions", "Status", "StatusRow", "credentials_of", "status_of", "statuses_of"]

#: Registrations read at once; each reads about a dozen things side by side.
_AT_ONCE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Permissions:
    """What the application may do.

    Attributes:
        wanted: what MIM needs.
        asked: what the application asks for, by name where it is known here, else by id.
        granted: the application roles that it holds in Entra, the same way, and its roles in Exchange.
    """

    wanted: tuple[str, ...]
    asked: tuple[str, ...]
    granted: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One registration as it stands.

    Attributes:
        at: when it was read.
        tenant_id, tenant_name: the tenant.
        mailbox: its mailbox.
        registration: its key.
        application_id: the client id; None when there is no application.
        display_name: of the application.
        signs_in: whether its service principal may sign in; None where there is none.
        permissions: what is wanted, asked for and granted.
        consented: whether it holds full_access_as_app.
        group: the address of the scoping group.
        scope: what keeps the application to its mailbox.
        role: the name of its role assignment; empty where it has none.
        fence_stands: whether policy or role and test cmdlets agree that it is restricted.
        proof: the latest real EWS refusal outside; None where there is none.
        ews: what the organisation's EWS settings mean for it.
        ews_ends: the first day without EWS in this cloud; None where no date is known.
        credentials: every way into it.
        standing: the hand-over of its secrets; None when there is no application, or it is not mimapp's yet.
        due_by: when a secret is due.
        hosts: what the last `host check` found on each MIM server, on this machine.
        dates: what comes, the earliest first.
        due: what ``register`` would do now; empty when the tenant is right.
        warnings: what is worth knowing.
        problem: what a person has to decide before ``register`` can go on; None when nothing.
        sandbox: whether the tenant is a simulated one.
    """

    at: datetime
    tenant_id: str
    tenant_name: str
    mailbox: str
    registration: str
    application_id: str | None
    display_name: str
    signs_in: bool | None
    permissions: Permissions
    consented: bool
    group: str
    scope: Scope
    role: str
    fence_stands: bool
    proof: Proof | None
    ews: EwsVerdict
    ews_ends: date | None
    credentials: tuple[Credential, ...]
    standing: Standing | None
    due_by: DuePolicy
    hosts: tuple[HostSeen, ...]
    dates: tuple[Milestone, ...]
    due: tuple[Step, ...]
    warnings: tuple[str, ...]
    problem: UnsafePlanError | None
    sandbox: bool

    @property
    def drifted(self) -> bool:
        """Whether an application that is there is not as ``register`` leaves it."""
        return self.application_id is not None and bool(self.due or self.problem)

    @property
    def handover(self) -> HandOver:
        """How far the hand-over of the newest secret has come."""
        return HandOver(state=HandOverState.NONE) if self.standing is None else self.standing.handover


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRow:
    """One registration of several: its status, or why it could not be read."""

    wanted: Registration
    status: Status | None
    error: MimappError | None = None


def status_of(services: Services, wanted: Registration, policy: Policy | None = None) -> Status:
    """Read one registration; `policy` says when a secret is due and what shows that MIM uses it, None: the defaults.

    Raises:
        MimappError: as `mimapp.tenant.Tenant.plan`.
    """
    observed = observe(services, wanted)
    steps, warnings, problem = _due(services, wanted, observed)
    entra, exchange = observed.entra, observed.exchange
    if entra is None or exchange is None:
        raise AssertionError("status reads both services")
    scope, roles = standing_scope(observed) or Scope.POLICY, exchange.roles
    application, journal, policy = entra.application, observed.journal, policy or Policy()
    credentials = () if application is None else credentials_of(services, wanted, application)
    stands = None if application is None else _standing(services, wanted, policy)
    return Status(
        at=observed.at,
        tenant_id=services.tenant_id,
        tenant_name=tenant_name(observed) or services.tenant_id,
        mailbox=wanted.mailbox,
        registration=wanted.key,
        application_id=None if application is None else application.app_id,
        display_name=wanted.display_name if application is None else application.display_name or "",
        signs_in=None if entra.principal is None else entra.principal.account_enabled is not False,
        permissions=_permissions(entra, scope, tuple(one.role for one in (roles.assignments if roles else ()))),
        consented=observed.granted,
        group=group_address(wanted, wanted.mailbox),
        scope=scope,
        role=next((one.name for one in (roles.assignments if roles else ())), ""),
        fence_stands=observed.stands(scope),
        proof=proof_of(journal),
        ews=judge(exchange.ews, None if application is None else application.app_id, services.cloud),
        ews_ends=services.cloud.ews_ends,
        credentials=credentials,
        standing=stands,
        due_by=policy.due,
        hosts=tuple(sorted(journal.hosts, key=lambda one: one.server.casefold())),
        dates=milestones(credentials, stands, journal, services.cloud.ews_ends, observed.at, policy.due),
        due=steps,
        warnings=warnings,
        problem=problem,
        sandbox=services.sandbox,
    )


def statuses_of(
    services_of: Callable[[Registration], Services], every: Sequence[Registration], policy: Policy | None = None
) -> tuple[StatusRow, ...]:
    """Read several registrations side by side; one that cannot be read does not keep the others back.

    Raises:
        CancelledError: a person interrupted.
    """

    def one(wanted: Registration) -> StatusRow:
        try:
            return StatusRow(wanted=wanted, status=status_of(services_of(wanted), wanted, policy))
        except CancelledError:
            raise
        except MimappError as error:
            return StatusRow(wanted=wanted, status=None, error=error)

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="status") as pool:
        return tuple(pool.map(one, every))


def _due(
    services: Services, wanted: Registration, observed: Observed
) -> tuple[tuple[Step, ...], tuple[str, ...], UnsafePlanError | None]:
    """The steps that are due, the plan's warnings, and why there is no plan where a person has to decide first."""
    try:
        plan = make_plan(
            replace(wanted, scope=standing_scope(observed)),  # what stands, as register without --scope takes it
            observed,
            services.clock.now(),
            tenant_id=services.tenant_id,
            operator=services.graph_operator.name,
            cloud=services.cloud,
        )
    except UnsafePlanError as error:
        return (), (), error
    return plan.steps, plan.warnings, None


def _standing(services: Services, wanted: Registration, policy: Policy) -> Standing | None:
    try:
        return standing(look(services, wanted, policy.nodes), policy.overlap)
    except (UnsafePlanError, UsageError):
        return None  # the plan's problem says which application it is, and whose


def _permissions(entra: EntraView, scope: Scope, roles: tuple[str, ...]) -> Permissions:
    asked = () if entra.application is None else tuple(_asked(entra.application, entra.resource))
    return Permissions(
        wanted=(EWS_ROLE,) if scope is Scope.RBAC else (FULL_ACCESS_AS_APP,),
        asked=asked,
        granted=(*(_granted(grant, entra.resource) for grant in entra.grants), *dict.fromkeys(roles)),
    )


def _asked(application: Application, resource: Resource) -> Iterator[str]:
    for asked in application.required_resource_access or ():
        for item in asked.resource_access:
            if (asked.resource_app_id, item.id) == (MICROSOFT_GRAPH_APP_ID, USER_READ_ID):
                yield "User.Read"
            elif (asked.resource_app_id, item.id) == (EXCHANGE_ONLINE_APP_ID, resource.role_id):
                yield FULL_ACCESS_AS_APP
            else:
                yield f"{item.id} of {asked.resource_app_id}"


def _granted(grant: RoleGrant, resource: Resource) -> str:
    if (grant.resource_id, grant.app_role_id) == (resource.principal_id, resource.role_id):
        return FULL_ACCESS_AS_APP
    return f"{grant.app_role_id} of {grant.resource_display_name or grant.resource_id}"


def credentials_of(services: Services, wanted: Registration, application: Application) -> tuple[Credential, ...]:
    """Every credential of an application and of its service principal."""
    graph = services.graph
    try:
        federated = graph.applications.federated_credentials(application.id)
    except NotFoundError:
        federated = ()  # a replica that does not know the application yet
    return list_credentials(
        application,
        graph.service_principals.by_app_id(application.app_id),
        federated,
        services.stores,
        services.desk(wanted, application.app_id, application.id).entries(),
    )
