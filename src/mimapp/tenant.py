"""The facade that people import: one tenant, and what can be done with the registrations in it.

::

    with Tenant.connect("contoso.onmicrosoft.com", credential=credential) as tenant:
        wanted = Registration(mailbox="MIMService@contoso.onmicrosoft.com", store=FileStore(path))
        plan = tenant.plan(wanted)
        outcome = tenant.apply(plan, on_event=print)

What only one command needs is imported by its method: the first request of `register` should not wait for the rest.

It has no logic of its own: it signs in, builds the rooms below and hands values from one to the next. It prints
nothing and never exits.
"""

from __future__ import annotations

import os
import webbrowser
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Self, TypeVar

import platformdirs

from mimapp.clock import SystemClock
from mimapp.errors import UnsafePlanError, UsageError
from mimapp.exchange import Exchange, anchor_for_app, anchor_for_user
from mimapp.graph import Graph
from mimapp.identity import (
    EXCHANGE,
    GRAPH,
    AppSignIn,
    OperatorSignIn,
    SignInOptions,
    complete,
    find_tenant,
    sign_in_to,
    tell_nobody,
)
from mimapp.journal import Journal
from mimapp.provisioning.apply import apply_plan
from mimapp.provisioning.events import StepDone, StepStarted, Waiting
from mimapp.provisioning.observe import observe, parts_of
from mimapp.provisioning.plan import Plan, make_plan
from mimapp.provisioning.services import Services
from mimapp.provisioning.steps import EVERY_PART, Part
from mimapp.spec import CONSENT_LIMIT, REPLICATION_WINDOW
from mimapp.transport import DEFAULT_DEADLINE, Http, Patience
from mimapp.transport.network import Network, network_transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import timedelta
    from pathlib import Path
    from types import TracebackType

    import httpx
    from azure.core.credentials import TokenCredential

    from mimapp.checks.explain_live import Live
    from mimapp.checks.preflight import Row
    from mimapp.checks.scope import ScopeReport
    from mimapp.checks.status import Status, StatusRow
    from mimapp.checks.verify_row import Verification
    from mimapp.clock import Clock
    from mimapp.clouds import Cloud
    from mimapp.host.explanation import Explanation
    from mimapp.identity import DeviceCode, Memory, Operator
    from mimapp.provisioning.events import Event
    from mimapp.provisioning.ews_actions import EwsOutcome
    from mimapp.provisioning.ews_plan import EwsPlan
    from mimapp.provisioning.ews_view import EwsView
    from mimapp.provisioning.lockdown import LockdownOutcome, LockdownPlan
    from mimapp.provisioning.migrate import MigratePlan
    from mimapp.provisioning.migrate_actions import MigrateOutcome
    from mimapp.provisioning.observe import Observed
    from mimapp.provisioning.outcome import Outcome
    from mimapp.provisioning.planned import Planned
    from mimapp.provisioning.registrations import Marked
    from mimapp.provisioning.unregister import UnregisterOutcome
    from mimapp.provisioning.unregister_plan import UnregisterPlan
    from mimapp.rotation import Policy, Rotation
    from mimapp.secret import Secret
    from mimapp.spec import Registration

__all__ = [
    "ADOPTION_PERMISSIONS",
    "LOCKDOWN_PERMISSIONS",
    "MIGRATE_PERMISSIONS",
    "REGISTER_PERMISSIONS",
    "ROTATION_PERMISSIONS",
    "UNREGISTER_PERMISSIONS",
    "VERIFY_PERMISSIONS",
    "Tenant",
]

P = TypeVar("P", bound="Planned")
_SERVICES = {Part.ENTRA: GRAPH, Part.EXCHANGE: EXCHANGE}

#: What `register` asks a person's Graph sign-in for; least-privileged per call (Microsoft Graph permissions reference).
REGISTER_PERMISSIONS = (
    "Application.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "Organization.Read.All",
    "User.Read.All",
)
#: What taking over an application needs besides, to find and narrow its delegated grants.
ADOPTION_PERMISSIONS = ("DelegatedPermissionGrant.ReadWrite.All", "Directory.Read.All")
#: What `unregister` and `lockdown` ask for.
UNREGISTER_PERMISSIONS = ("Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "Organization.Read.All")
LOCKDOWN_PERMISSIONS = ("Application.ReadWrite.All", "Organization.Read.All")
#: What `migrate` asks for: it takes the grant away, gives it back where the proof fails, and notes the new scope.
MIGRATE_PERMISSIONS = ("Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "Organization.Read.All")
#: What `rotation` asks for.
ROTATION_PERMISSIONS = ("Application.ReadWrite.All",)
#: What `verify` asks for: it reads the application and its grants.
VERIFY_PERMISSIONS = ("Application.Read.All",)


class Tenant:
    """One tenant, signed in to; made by `connect` and used in a ``with`` block."""

    def __init__(
        self,
        *,
        http: Http,
        cloud: Cloud,
        graph: Graph,
        exchange: Exchange,
        operators: tuple[Operator, Operator],
        home: Path,
        window: timedelta = REPLICATION_WINDOW,
        name: str | None = None,
        sandbox: bool = False,
        open_browser: Callable[[str], bool] = webbrowser.open,
    ) -> None:
        self._name = name
        self.tenant_id = operators[0].tenant_id
        self.graph_operator, self.exchange_operator = operators
        self.cloud = cloud
        self._http = http
        self._graph = graph
        self._exchange = exchange
        self._journal = Journal(home)
        self._window = window
        self._sandbox = sandbox
        self._open_browser = open_browser

    @classmethod
    def connect(
        cls,
        tenant: str,
        *,
        credential: TokenCredential | None = None,
        graph: TokenCredential | SignInOptions | None = None,
        exchange: TokenCredential | SignInOptions | None = None,
        cloud: Cloud | None = None,
        home: Path | None = None,
        transport: httpx.BaseTransport | None = None,
        clock: Clock | None = None,
        deadline: timedelta = DEFAULT_DEADLINE,
        window: timedelta = REPLICATION_WINDOW,
        show_code: Callable[[DeviceCode], None] | None = None,
        open_browser: Callable[[str], bool] = webbrowser.open,
        tell: Callable[[str], None] = tell_nobody,
        ask_people: bool = True,
        environ: Mapping[str, str] = os.environ,
        memory: Memory | None = None,
        on_cloud: Callable[[Cloud], None] | None = None,
        sandbox: bool = False,
        parts: frozenset[Part] = EVERY_PART,
        permissions: tuple[str, ...] = REGISTER_PERMISSIONS,
    ) -> Self:
        """Find the tenant, and sign in to Graph and Exchange, side by side.

        Args:
            tenant: the tenant's GUID or one of its domains.
            credential: signs in to both services; any credential of azure-identity or one's own.
            graph: signs in to Graph, where it is not `credential`: a credential, or how to get one.
            exchange: signs in to Exchange, the same way.
            cloud: the tenant's cloud, which is checked; None: the one that the tenant lives in.
            home: the folder of all local state; None: the platform's own for this user.
            transport: where requests go; None: the network, by the system's trust and proxy.
            clock: the time; None: the machine's.
            deadline: how long one run may wait in all.
            window: how long a new secret may be invisible or refused.
            show_code: tells a person the code of a device-code sign-in.
            open_browser: opens an address in a person's browser; False when none could be started.
            tell: tells a person what a sign-in leaves behind, and that a browser opens.
            ask_people: whether ``auto`` may end with asking a person.
            environ: where azure-identity's variables come from.
            memory: where a person's sign-in is kept between runs; None keeps it nowhere.
            on_cloud: told the tenant's cloud before anybody signs in.
            sandbox: whether the tenant is a simulated one.
            parts: which services to sign in to now; the other is signed in to when something is asked of it.
            permissions: the delegated permissions that a person's Graph sign-in asks for.

        Raises:
            UsageError: a way to sign in lacks something, or nobody but the caller knows the tenant's cloud.
            SignInError: a sign-in failed or is of another tenant, or the tenant does not live in that cloud.
            TransportError: a service cannot be reached.
        """
        ways = (_way(graph, credential), _way(exchange, credential))
        for (part, what), way in zip(_SERVICES.items(), ways, strict=True):
            if part in parts:
                complete(way, what, environ)
        if memory is not None:
            memory.check()
        network = network_transport(Network()) if transport is None else None
        http = Http(Patience(clock or SystemClock(), limit=deadline), transport=network or transport)
        try:
            found, facts = find_tenant(http, tenant, cloud, ways)
            if network is not None:
                network.hosts = found.hosts
            if on_cloud is not None:
                on_cloud(found)
            sign_in = OperatorSignIn(
                http,
                found,
                tenant=tenant,
                facts=facts,
                graph=ways[0],
                exchange=ways[1],
                show_code=show_code or _nobody_to_show,
                ask_people=ask_people,
                open_browser=open_browser,
                environ=environ,
                memory=memory,
                tell=tell,
            )
            services = frozenset(what for part, what in _SERVICES.items() if part in parts)
            signed_in = sign_in_to(services, sign_in, permissions)
        except BaseException:
            http.close()
            raise
        on_exchange = signed_in.operators[1]
        is_one_of_them = Part.EXCHANGE in parts and not (on_exchange.is_app_only or on_exchange.is_from_elsewhere)
        anchor = anchor_for_user(on_exchange.name) if is_one_of_them else anchor_for_app(facts.tenant_id)
        return cls(
            http=http,
            cloud=found,
            graph=Graph(signed_in.graph, found.graph, http.clock),
            exchange=Exchange(signed_in.exchange, found.exchange, facts.tenant_id, anchor=anchor, clock=http.clock),
            operators=signed_in.operators,
            home=home or platformdirs.user_data_path("mimapp", appauthor=False),
            window=window,
            name=tenant,
            sandbox=sandbox,
            open_browser=open_browser,
        )

    def plan(self, wanted: Registration, *, on_event: Callable[[Event], None] | None = None) -> Plan:
        """Read the tenant and say what is to be done; writes nothing.

        Raises:
            UnsafePlanError: a person has to decide something first.
            UsageError: the registration cannot be had in this tenant as it is wanted.
            ServiceError, TransportError: a read failed.
        """
        from mimapp.checks.first_phase import checked, explained  # noqa: PLC0415 - see the module

        self._http.patience.start()
        with self._telling(on_event) as tell:
            try:
                plan = self._plan(wanted, tell)
            except (UsageError, UnsafePlanError) as error:
                raise explained(error, self._services(wanted), wanted) from error.__cause__
            return checked(plan, self._services(wanted))

    def apply(
        self,
        plan: Plan,
        *,
        on_event: Callable[[Event], None] | None = None,
        observe_again: bool = True,
        consent_limit: timedelta = CONSENT_LIMIT,
    ) -> Outcome:
        """Carry a plan out; what could not be done is in the outcome.

        Args:
            plan: from `plan`.
            on_event: told of every step and every wait.
            observe_again: read the tenant again first, and refuse steps that the plan did not show. False saves the
                reads where the plan was made a moment ago and nobody was asked in between.
            consent_limit: how long a person at the consent page is waited for, in a plan that opens it.

        Raises:
            StalePlanError: the tenant has moved.
            DeadlineError: another run on this machine works on the registration.
        """
        self._http.patience.start()
        with self._journal.lock(self.tenant_id, plan.wanted.key), self._telling(on_event) as tell:
            plan = _due(plan, lambda: self._plan(plan.wanted, tell), observe_again=observe_again)
            return apply_plan(plan, replace(self._services(plan.wanted), consent_limit=consent_limit), tell)

    def wait_for_consent(
        self, plan: Plan, *, limit: timedelta, on_event: Callable[[Event], None] | None = None
    ) -> bool:
        """Look for so long whether somebody consents to a plan's application; whether somebody has."""
        from mimapp.provisioning.consent_actions import wait_for_grant  # noqa: PLC0415 - see the module

        entra, app_id = plan.observed.entra, plan.observed.application_id
        if entra is None or app_id is None:
            return False
        with self._telling(on_event):
            return wait_for_grant(self._services(plan.wanted), app_id, entra.resource, limit=limit)

    def plan_unregister(
        self, wanted: Registration, *, purge: bool = False, on_event: Callable[[Event], None] | None = None
    ) -> UnregisterPlan:
        """Read what a registration holds and say what is to be taken away now; writes nothing.

        Args:
            wanted: the registration; its stores are where a revoked secret's value is removed.
            purge: delete the application for good, too.
            on_event: told of the reading.

        Raises:
            UnsafePlanError: a person has to decide something first.
            ServiceError, TransportError: a read failed.
        """
        self._http.patience.start()
        with self._telling(on_event) as tell:
            return self._plan_unregister(wanted, tell, purge=purge)

    def unregister(
        self, plan: UnregisterPlan, *, on_event: Callable[[Event], None] | None = None, observe_again: bool = True
    ) -> UnregisterOutcome:
        """Take away what a plan shows; what stays, why and until when is in the outcome. Arguments, errors: `apply`."""
        from mimapp.provisioning.unregister import apply_unregister  # noqa: PLC0415 - see the module

        self._http.patience.start()
        wanted, purge = plan.wanted, plan.purge
        with self._journal.lock(self.tenant_id, wanted.key), self._telling(on_event) as tell:
            plan = _due(plan, lambda: self._plan_unregister(wanted, tell, purge=purge), observe_again=observe_again)
            return apply_unregister(plan, self._services(wanted), tell)

    def plan_lockdown(self, wanted: Registration, *, release: bool = False) -> LockdownPlan:
        """Read the application and say whether its sign-in has to be stopped, or allowed again; writes nothing.

        Raises:
            UsageError: there is nothing to lock.
            UnsafePlanError: a person has to say which application.
            ServiceError, TransportError: a read failed.
        """
        from mimapp.provisioning.lockdown import make_lockdown_plan  # noqa: PLC0415 - see the module

        self._http.patience.start()
        return make_lockdown_plan(self._services(wanted), wanted, release=release, tenant=self._name)

    def lockdown(self, plan: LockdownPlan, *, on_event: Callable[[Event], None] | None = None) -> LockdownOutcome:
        """Stop the application's sign-in, or allow it again. It waits for no other run of this machine."""
        from mimapp.provisioning.lockdown import apply_lockdown  # noqa: PLC0415 - see the module

        self._http.patience.start()
        with self._telling(on_event) as tell:
            return apply_lockdown(plan, self._services(plan.wanted), tell)

    @contextmanager
    def rotation(self, wanted: Registration, *, on_event: Callable[[Event], None] | None = None) -> Iterator[Rotation]:
        """Rotate, hand over, retire: the work on a registration's secrets, as long as the block lasts.

        Args:
            wanted: the registration; its stores are where secrets go and where they may be already.
            on_event: told of every step and every wait.
        """
        from mimapp.provisioning.phases import event_of  # noqa: PLC0415 - see the module
        from mimapp.rotation import Rotation  # noqa: PLC0415 - see the module

        with self._telling(on_event) as tell:
            yield Rotation(self._services(wanted), wanted, lambda phase: tell(event_of(phase)))

    def check(self, wanted: Registration, *, on_event: Callable[[Event], None] | None = None) -> tuple[Row, ...]:
        """Ask everything that decides whether `apply` can succeed; writes nothing. A refused read is a row, no error.

        Raises:
            CancelledError: a person interrupted.
        """
        from mimapp.checks.preflight import preflight  # noqa: PLC0415 - see the module

        self._http.patience.start()
        with self._telling(on_event):
            return preflight(self._services(wanted), wanted)

    def status(self, wanted: Registration, policy: Policy | None = None) -> Status:
        """What is there for a registration, next to what is wanted; writes nothing.

        Args:
            wanted: the registration.
            policy: when a secret is due, and what counts as evidence that MIM uses it; None: the defaults.

        Raises:
            MimappError: as `plan`.
        """
        from mimapp.checks.status import status_of  # noqa: PLC0415 - see the module

        self._http.patience.start()
        return status_of(self._services(wanted), wanted, policy)

    def statuses(self, every: Sequence[Registration], policy: Policy | None = None) -> tuple[StatusRow, ...]:
        """The status of several registrations, read side by side; one that cannot be read says why. `policy`: `status`.

        Raises:
            CancelledError: a person interrupted.
        """
        from mimapp.checks.status import statuses_of  # noqa: PLC0415 - see the module

        self._http.patience.start()
        return statuses_of(self._services, every, policy)

    def verify(
        self,
        wanted: Registration,
        *,
        secret: Secret | None = None,
        outside: str | None = None,
        send: bool = False,
        on_event: Callable[[Event], None] | None = None,
    ) -> Verification:
        """Be MIM Service for a moment, with the stored secret or the one that is given; writes nothing.

        Args:
            wanted: the registration; its stores are where the secret is looked for.
            secret: the client secret to try instead.
            outside: a mailbox that the application must not reach; without it nobody's is asked.
            send: send a mail from the mailbox to itself, find it, delete it.
            on_event: told of every wait.

        Raises:
            UsageError: there is no application, or `outside` is its own mailbox.
            StoreError: there is no secret to try.
            MimappError: as `plan`.
        """
        from mimapp.checks.verify import verify  # noqa: PLC0415 - see the module

        self._http.patience.start()
        with self._telling(on_event):
            return verify(self._services(wanted), wanted, secret=secret, outside=outside, send=send)

    def explain(self, wanted: Registration, found: Sequence[Explanation], text: str) -> Live:
        """Look for the causes of explanations in the tenant, the cheapest look first; writes nothing.

        Args:
            wanted: the registration; its stores are where the secret is looked for.
            found: what `mimapp.host.explain.explain` said of the text.
            text: the text; the ids in it are compared with the registration's.

        Raises:
            CancelledError: a person interrupted. A look that fails is in the result.
        """
        from mimapp.checks.explain_live import explain_live  # noqa: PLC0415 - see the module

        self._http.patience.start()
        return explain_live(self._services(wanted), wanted, found, text)

    def scope(self, wanted: Registration, *, outside: str | None = None) -> ScopeReport:
        """Who the application reaches, by which right, proven when and how; writes nothing, asks nobody's mailbox.

        Args:
            wanted: the registration.
            outside: the mailbox outside to ask the test cmdlets about; None picks one.

        Raises:
            UsageError: there is no application, or `outside` is its own mailbox or none.
            MimappError: as `plan`.
        """
        from mimapp.checks.scope import scope_report  # noqa: PLC0415 - see the module

        self._http.patience.start()
        return scope_report(self._services(wanted), wanted, outside=outside)

    def plan_migrate(
        self,
        wanted: Registration,
        *,
        outside: str | None = None,
        keep_policy: bool = False,
        on_event: Callable[[Event], None] | None = None,
    ) -> MigratePlan:
        """Say what comes next on the way from the access policy to a role in Exchange; writes nothing.

        Args:
            wanted: the registration; its stores are where the client secret is looked for.
            outside: a mailbox outside that EWS itself may be asked about; without it only the test cmdlet asks.
            keep_policy: leave the policy to a later run.
            on_event: told of the reading.

        Raises:
            UsageError: there is nothing to migrate.
            UnsafePlanError: a person has to decide something first.
            DeadlineError: the policy is not listed yet.
            ServiceError, TransportError: a read failed.
        """
        self._http.patience.start()
        with self._telling(on_event) as tell:
            return self._plan_migrate(wanted, tell, outside=outside, keep_policy=keep_policy)

    def migrate(
        self, plan: MigratePlan, *, on_event: Callable[[Event], None] | None = None, observe_again: bool = True
    ) -> MigrateOutcome:
        """Go as far as a plan shows; when the next run can go on is in the outcome. Arguments, errors: `apply`."""
        from mimapp.provisioning.migrate_actions import apply_migrate  # noqa: PLC0415 - see the module

        self._http.patience.start()
        wanted = plan.wanted
        with self._journal.lock(self.tenant_id, wanted.key), self._telling(on_event) as tell:
            plan = _due(
                plan,
                lambda: self._plan_migrate(wanted, tell, outside=plan.outside, keep_policy=plan.keep_policy),
                observe_again=observe_again,
            )
            return apply_migrate(plan, self._services(wanted), tell)

    def ews(self, wanted: Registration) -> EwsView:
        """Whether EWS answers the application now, why and until when; writes nothing.

        Raises:
            UsageError: there is no application, and none is named.
            MimappError: as `plan`.
        """
        from mimapp.provisioning.ews_view import observe_ews  # noqa: PLC0415 - see the module

        self._http.patience.start()
        return observe_ews(self._services(wanted), wanted)

    def plan_ews(self, wanted: Registration, *, first_entry: bool = False, enable: bool = False) -> EwsPlan:
        """Read the EWS settings and say what puts the application on the allow list; writes nothing.

        Args:
            wanted: the registration; `app_id` names an application without asking Entra.
            first_entry: begin a list that is empty, with this application alone.
            enable: set the organisation's switch from False to True.

        Raises:
            UnsafePlanError: it would change what other applications can do, and that was not asked for.
            MimappError: as `ews`.
        """
        from mimapp.provisioning.ews_plan import make_ews_plan  # noqa: PLC0415 - see the module

        return make_ews_plan(
            wanted,
            self.ews(wanted),
            first_entry=first_entry,
            enable=enable,
            tenant_id=self.tenant_id,
            tenant_name=self._name or self.tenant_id,
            operator=self.exchange_operator.name,
        )

    def allow_in_ews(
        self, plan: EwsPlan, *, on_event: Callable[[Event], None] | None = None, observe_again: bool = True
    ) -> EwsOutcome:
        """Put the application on the list, as a plan shows; what could not be done is in the outcome. As `apply`."""
        from mimapp.provisioning.ews_actions import allow_in_ews  # noqa: PLC0415 - see the module

        self._http.patience.start()
        wanted = plan.wanted
        with self._journal.lock(self.tenant_id, wanted.key), self._telling(on_event) as tell:
            plan = _due(
                plan,
                lambda: self.plan_ews(wanted, first_entry=plan.first_entry, enable=plan.enable),
                observe_again=observe_again,
            )
            return allow_in_ews(plan, self._services(wanted), tell)

    def registrations(self, *, deleted: bool = False) -> tuple[Marked, ...]:
        """The registrations that mimapp, here or elsewhere, made in this tenant; or those in its recycle bin."""
        from mimapp.provisioning.registrations import marked_registrations  # noqa: PLC0415 - see the module

        self._http.patience.start()
        return marked_registrations(self._graph, deleted=deleted)

    def cancel(self) -> None:
        """Ask a run in another thread to stop where stopping loses nothing."""
        self._http.patience.cancel()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _plan(self, wanted: Registration, tell: Callable[[Event], None]) -> Plan:
        observed = self._observe(wanted, tell)
        plan = make_plan(
            wanted,
            observed,
            self._http.clock.now(),
            tenant_id=self.tenant_id,
            operator=self.graph_operator.name,
            exchange_operator=self._other_operator,
            cloud=self.cloud,
            tenant=self._name,
        )
        plan.raise_if_impossible()
        return plan

    def _plan_unregister(self, wanted: Registration, tell: Callable[[Event], None], *, purge: bool) -> UnregisterPlan:
        from mimapp.provisioning.unregister_observe import observe_holdings  # noqa: PLC0415 - see the module
        from mimapp.provisioning.unregister_plan import make_unregister_plan  # noqa: PLC0415 - see the module

        with self._reading(wanted, tell):
            holdings = observe_holdings(self._services(wanted), wanted)
        return make_unregister_plan(
            wanted,
            holdings,
            self._http.clock.now(),
            purge=purge,
            tenant_id=self.tenant_id,
            operator=self.graph_operator.name,
            exchange_operator=self._other_operator,
            tenant=self._name,
        )

    def _plan_migrate(
        self, wanted: Registration, tell: Callable[[Event], None], *, outside: str | None, keep_policy: bool
    ) -> MigratePlan:
        from mimapp.provisioning.migrate import make_migrate_plan  # noqa: PLC0415 - see the module
        from mimapp.provisioning.migrate_observe import observe_migration  # noqa: PLC0415 - see the module

        with self._reading(wanted, tell):
            seen = observe_migration(self._services(wanted), wanted, outside=outside)
        return make_migrate_plan(
            wanted,
            seen,
            outside=outside,
            keep_policy=keep_policy,
            tenant_id=self.tenant_id,
            operator=self.graph_operator.name,
            exchange_operator=self._other_operator,
            tenant=self._name,
        )

    def _observe(self, wanted: Registration, tell: Callable[[Event], None]) -> Observed:
        with self._reading(wanted, tell):
            return observe(self._services(wanted), wanted, parts_of(wanted))

    @contextmanager
    def _reading(self, wanted: Registration, tell: Callable[[Event], None]) -> Iterator[None]:
        title = f"Read {wanted.mailbox} and what belongs to it"
        begun = self._http.clock.monotonic()
        tell(StepStarted(number=0, total=0, title=title))
        yield
        tell(StepDone(number=0, title=title, seconds=self._http.clock.monotonic() - begun))

    def _services(self, wanted: Registration) -> Services:
        return Services(
            tenant_id=self.tenant_id,
            cloud=self.cloud,
            http=self._http,
            graph=self._graph,
            exchange=self._exchange,
            app_sign_in=AppSignIn(self._http, self.cloud),
            graph_operator=self.graph_operator,
            exchange_operator=self.exchange_operator,
            journal=self._journal,
            stores=wanted.stores,
            window=self._window,
            sandbox=self._sandbox,
            open_browser=self._open_browser,
            change_ref=wanted.change_ref or "",
        )

    @property
    def _other_operator(self) -> str | None:
        """Who is signed in to Exchange, where it is not the account that is signed in to Entra."""
        name = self.exchange_operator.name
        return None if name == self.graph_operator.name else name

    @contextmanager
    def _telling(self, on_event: Callable[[Event], None] | None) -> Iterator[Callable[[Event], None]]:
        """Events and waits of one run go to one listener."""
        tell = on_event or _ignore
        patience = self._http.patience
        former, patience.on_wait = patience.on_wait, lambda wait: tell(Waiting(wait=wait))
        try:
            yield tell
        finally:
            patience.on_wait = former


def _due(shown: P, again: Callable[[], P], *, observe_again: bool) -> P:
    """The plan that is carried out: the shown one, or one made from the tenant as it is now."""
    if not (observe_again and shown.steps):
        return shown
    now_due = again()
    now_due.raise_if_not_shown(shown)
    return now_due


def _ignore(event: Event) -> None:
    """What happens to events that nobody asked for."""


def _way(given: TokenCredential | SignInOptions | None, both: TokenCredential | None) -> SignInOptions:
    return given if isinstance(given, SignInOptions) else SignInOptions(credential=given or both)


def _nobody_to_show(code: DeviceCode) -> None:
    raise UsageError(f"sign-in to {code.what} needs a person to enter a code, and nobody was named to show it to")
