"""The facade that people import: one tenant, and what can be done with the registrations in it.

::

    with Tenant.connect("contoso.onmicrosoft.com", credential=credential) as tenant:
        wanted = Registration(mailbox="MIMService@contoso.onmicrosoft.com", store=FileStore(path))
        plan = tenant.plan(wanted)
        outcome = tenant.apply(plan, on_event=print)

What only one command needs is imported by its method: the first request of `register` should not wait for the rest.

It has no logic of its own: `mimapp.session` signs in and builds the rooms below, and this hands values from one to the
next. It prints nothing and never exits.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from mimapp.errors import UnsafePlanError, UsageError
from mimapp.provisioning.observe import observe, parts_of
from mimapp.provisioning.plan import Plan, make_plan
from mimapp.session import (
    ADOPTION_PERMISSIONS,
    LOCKDOWN_PERMISSIONS,
    MIGRATE_PERMISSIONS,
    REGISTER_PERMISSIONS,
    ROTATION_PERMISSIONS,
    UNREGISTER_PERMISSIONS,
    VERIFY_PERMISSIONS,
    Session,
)
from mimapp.spec import CONSENT_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import timedelta

    from mimapp.checks.explain_live import Live
    from mimapp.checks.preflight import Row
    from mimapp.checks.scope import ScopeReport
    from mimapp.checks.status import Status, StatusRow
    from mimapp.checks.verify_row import Verification
    from mimapp.host.explanation import Explanation
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


class Tenant(Session):
    """One tenant, and what can be done in it; made by `connect` and used in a ``with`` block."""

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
        from mimapp.provisioning.apply import apply_plan  # noqa: PLC0415 - see the module

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


def _due(shown: P, again: Callable[[], P], *, observe_again: bool) -> P:
    """The plan that is carried out: the shown one, or one made from the tenant as it is now."""
    if not (observe_again and shown.steps):
        return shown
    now_due = again()
    now_due.raise_if_not_shown(shown)
    return now_due
