"""What is there for one registration, next to what is wanted: nothing is written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mimapp.credentials.listing import Credential, list_credentials
from mimapp.errors import NotFoundError, UnsafePlanError
from mimapp.provisioning.ews import EwsVerdict, judge
from mimapp.provisioning.observe import group_address, observe
from mimapp.provisioning.plan import make_plan, tenant_name
from mimapp.provisioning.scope_kind import standing_scope
from mimapp.provisioning.scope_proof import Proof, proof_of
from mimapp.spec import Scope

if TYPE_CHECKING:
    from datetime import date

    from mimapp.graph import Application
    from mimapp.provisioning.observe import Observed
    from mimapp.provisioning.services import Services
    from mimapp.provisioning.steps import Step
    from mimapp.spec import Registration

__all__ = ["Status", "credentials_of", "status_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One registration as it stands.

    Attributes:
        tenant_id, tenant_name: the tenant.
        mailbox: its mailbox.
        registration: its key.
        application_id: the client id; None when there is no application.
        display_name: of the application.
        consented: whether it holds full_access_as_app.
        group: the address of the scoping group.
        scope: what keeps the application to its mailbox.
        role: the name of its role assignment; empty where it has none.
        fence_stands: whether policy or role and test cmdlets agree that it is restricted.
        proof: the latest real EWS refusal outside; None where there is none.
        ews: what the organisation's EWS settings mean for it.
        ews_ends: the first day without EWS in this cloud; None where no date is known.
        credentials: every way into it.
        due: what ``register`` would do now; empty when the tenant is right.
        warnings: what is worth knowing.
        problem: what a person has to decide before ``register`` can go on; None when nothing.
    """

    tenant_id: str
    tenant_name: str
    mailbox: str
    registration: str
    application_id: str | None
    display_name: str
    consented: bool
    group: str
    scope: Scope
    role: str
    fence_stands: bool
    proof: Proof | None
    ews: EwsVerdict
    ews_ends: date | None
    credentials: tuple[Credential, ...]
    due: tuple[Step, ...]
    warnings: tuple[str, ...]
    problem: UnsafePlanError | None


def status_of(services: Services, wanted: Registration) -> Status:
    """Read one registration.

    Raises:
        MimappError: as `mimapp.tenant.Tenant.plan`.
    """
    observed = observe(services, wanted)
    steps, warnings, problem = _due(services, wanted, observed)
    entra, exchange = observed.entra, observed.exchange
    if entra is None or exchange is None:
        raise AssertionError("status reads both services")
    application = entra.application
    scope, roles = standing_scope(observed) or Scope.POLICY, exchange.roles
    return Status(
        tenant_id=services.tenant_id,
        tenant_name=tenant_name(observed) or services.tenant_id,
        mailbox=wanted.mailbox,
        registration=wanted.key,
        application_id=None if application is None else application.app_id,
        display_name=wanted.display_name if application is None else application.display_name or "",
        consented=observed.granted,
        group=group_address(wanted, wanted.mailbox),
        scope=scope,
        role=next((one.name for one in (roles.assignments if roles else ())), ""),
        fence_stands=observed.stands(scope),
        proof=proof_of(observed.journal),
        ews=judge(exchange.ews, None if application is None else application.app_id, services.cloud),
        ews_ends=services.cloud.ews_ends,
        credentials=() if application is None else credentials_of(services, wanted, application),
        due=steps,
        warnings=warnings,
        problem=problem,
    )


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
