"""Stop the application from signing in, at once and without destroying anything; and let it in again.

``accountEnabled`` of the service principal decides (https://learn.microsoft.com/graph/api/resources/serviceprincipal):
false, and Entra issues no token to it any more, whatever its credentials. Tokens that were issued before live on until
they expire, an hour or a little more.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mimapp.credentials.listing import list_credentials
from mimapp.errors import NotFoundError, UsageError
from mimapp.graph import ServicePrincipalPatch
from mimapp.provisioning.pace import Pace
from mimapp.provisioning.planned import Planned
from mimapp.provisioning.run import Done
from mimapp.provisioning.steps import Step, StepKind
from mimapp.provisioning.unregister_observe import find_application
from mimapp.spec import scope_of_tags

if TYPE_CHECKING:
    from collections.abc import Callable

    from mimapp.credentials.listing import Credential
    from mimapp.graph import Application, ServicePrincipal
    from mimapp.provisioning.events import Event
    from mimapp.provisioning.outcome import Change, Failure
    from mimapp.provisioning.services import Services
    from mimapp.spec import Registration, Scope

__all__ = ["LockdownOutcome", "LockdownPlan", "apply_lockdown", "make_lockdown_plan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LockdownPlan(Planned):
    """What `lockdown` is to do; no steps where the sign-in is as it should be.

    Attributes:
        application: the application.
        principal: its service principal.
        credentials: every way into it.
        release: whether the sign-in is to be allowed again.
    """

    command: ClassVar[str] = "lockdown"

    application: Application
    principal: ServicePrincipal
    credentials: tuple[Credential, ...]
    release: bool

    @property
    def choices(self) -> frozenset[str]:
        """As the command has them."""
        return frozenset({"release"} if self.release else ())


@dataclass(frozen=True, slots=True, kw_only=True)
class LockdownOutcome:
    """What a run of lockdown came to.

    Attributes:
        tenant_id, tenant_name: the tenant.
        registration, mailbox: whose application it is.
        application_id, display_name: the application.
        service_principal_object_id: what was switched.
        enabled: whether the application may sign in now.
        scope: what it was registered with, by its tags; None where they name nothing, as with a policy.
        credentials: every way into it; none of them was touched.
        changes: what this run wrote; nothing where the sign-in was as it should be.
        undo: the command that takes it back.
        failed: the step that stopped the run, or None.
        not_tried: the steps after it.
        sandbox: whether the tenant is a simulated one.
    """

    tenant_id: str
    tenant_name: str
    registration: str
    mailbox: str
    application_id: str
    display_name: str
    service_principal_object_id: str
    enabled: bool
    scope: Scope | None
    credentials: tuple[Credential, ...]
    changes: tuple[Change, ...]
    undo: str
    failed: Failure | None
    not_tried: tuple[Step, ...]
    sandbox: bool


def make_lockdown_plan(
    services: Services, wanted: Registration, *, release: bool, tenant: str | None = None
) -> LockdownPlan:
    """Read the application and say what is to be switched; writes nothing, and asks nothing of Exchange.

    Raises:
        UsageError: there is no application, or it has no service principal, so nobody can sign in as it.
        UnsafePlanError: several applications could be meant, or the one that could is not marked as ours.
        ServiceError, TransportError, SignInError: a read failed.
    """
    graph = services.graph
    with ThreadPoolExecutor(4, thread_name_prefix="observe") as pool:
        organization = pool.submit(graph.directory.organization)
        application = find_application(graph, wanted, pool)
        if application is None:
            raise UsageError(
                f"this tenant has no application of registration {wanted.key!r}: there is nothing to lock",
                hint="mimapp status shows what there is; name another registration with --registration KEY",
            )
        principal = graph.service_principals.by_app_id(application.app_id)
        domains = organization.result().verified_domains or ()
    if principal is None:
        raise UsageError(f"the application {application.app_id} has no service principal: nobody can sign in as it")
    try:
        federated = graph.applications.federated_credentials(application.id)
    except NotFoundError:
        federated = ()  # a replica that does not know the application yet
    entries = services.journal.state(services.tenant_id, wanted.key).secrets
    return LockdownPlan(
        tenant_id=services.tenant_id,
        tenant_name=next((domain.name for domain in domains if domain.is_initial), None)
        or tenant
        or services.tenant_id,
        operator=services.graph_operator.name,
        wanted=wanted,
        steps=tuple(_steps(application, principal, release=release)),
        warnings=() if release else ("tokens that were issued already live on for about an hour",),
        application=application,
        principal=principal,
        credentials=list_credentials(application, principal, federated, services.stores, entries),
        release=release,
    )


def _steps(application: Application, principal: ServicePrincipal, *, release: bool) -> list[Step]:
    enabled = principal.account_enabled is not False
    if enabled == release:
        return []
    return [
        Step(
            kind=StepKind.ALLOW_SIGN_IN if release else StepKind.BLOCK_SIGN_IN,
            target=f"service principal of application {application.app_id}",
            desired=f"accountEnabled {'true' if release else 'false'}",
            title=f"{'Let' if release else 'Stop'} the application “{application.display_name}” "
            f"({application.app_id}) {'sign in again' if release else 'from signing in'}",
        )
    ]


def apply_lockdown(plan: LockdownPlan, services: Services, on_event: Callable[[Event], None]) -> LockdownOutcome:
    """Switch what the plan says.

    Args:
        plan: what to do; made from the tenant as it is now.
        services: the rooms below.
        on_event: told of every step as it begins and ends.
    """
    options = f"--mailbox {plan.wanted.mailbox} --registration {plan.wanted.key}"
    undo = f"mimapp lockdown {options}{'' if plan.release else ' --release'}"

    def switch(_: Step) -> Done:
        patch = ServicePrincipalPatch(account_enabled=plan.release)
        services.graph.service_principals.change(plan.principal.id, patch)
        return Done(
            detail=f"accountEnabled {'true' if plan.release else 'false'}",
            before=f"accountEnabled {'false' if plan.release else 'true'}",
            undo=undo,
        )

    pace = Pace(services, plan.wanted.key, switch, on_event, total=len(plan.steps))
    failed = next((bad for step in plan.steps if (bad := pace.take(step, 1)) is not None), None)
    return LockdownOutcome(
        tenant_id=plan.tenant_id,
        tenant_name=plan.tenant_name,
        registration=plan.wanted.key,
        mailbox=plan.wanted.mailbox,
        application_id=plan.application.app_id,
        display_name=plan.application.display_name or "",
        service_principal_object_id=plan.principal.id,
        enabled=plan.release if failed is None else not plan.release,
        scope=scope_of_tags(plan.application.tags or ()),
        credentials=plan.credentials,
        changes=tuple(pace.changes),
        undo=f"{undo}{' --sandbox' if services.sandbox else ''}",
        failed=failed,
        not_tried=(),
        sandbox=services.sandbox,
    )
