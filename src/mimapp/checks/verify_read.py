"""What a verification compares its answers with: application, right, EWS settings, and the changes under way.

Reads only. What this account may not read of Exchange is None, and the rows say so: MIM's mail does not depend on what
the operator may see.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from mimapp.checks.verify_ews import LIST_TAKES, RIGHT_TAKES, SCOPE_TAKES, SWITCH_TAKES, Situation, Windows
from mimapp.errors import NotFoundError, ServiceError, SignInError, UsageError
from mimapp.exchange import EWS_ROLE
from mimapp.graph import EXCHANGE_ONLINE_APP_ID, FULL_ACCESS_AS_APP, FULL_ACCESS_AS_APP_ID
from mimapp.provisioning.ews import judge
from mimapp.provisioning.exchange_actions import EWS_NOTE
from mimapp.provisioning.scope_notes import FENCE_NOTE, POLICY_NOTE, ROLE_NOTE, SWITCH_NOTE
from mimapp.provisioning.unregister_observe import find_application

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, timedelta

    from mimapp.exchange import ClientAccess, EwsSettings, RoleAssignment
    from mimapp.graph import Application, RoleGrant
    from mimapp.journal import State
    from mimapp.provisioning.ews import EwsVerdict
    from mimapp.provisioning.services import Services
    from mimapp.spec import Registration

__all__ = ["Seen", "observe_mail"]

T = TypeVar("T")
_SIDE_BY_SIDE = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was read.

    Attributes:
        application: the registration's application.
        state: what this machine remembers.
        settings: the organisation's EWS settings; None where they could not be read.
        access: the mailbox's own; None where they could not be read, or there is no mailbox.
        grants: its grants of full_access_as_app.
        roles: its assignments of the EWS role; None where they could not be read.
        ews: what the organisation's settings mean for it; None without settings.
    """

    application: Application
    state: State
    settings: EwsSettings | None
    access: ClientAccess | None
    grants: tuple[RoleGrant, ...]
    roles: tuple[RoleAssignment, ...] | None
    ews: EwsVerdict | None

    @property
    def has_right(self) -> bool:
        """Whether a grant or a role stands in the tenant."""
        return bool(self.grants or self.roles)

    def situation(self, services: Services, wanted: Registration) -> Situation:
        """The same as the judges of EWS answers need it, at this moment."""
        return Situation(
            now=services.clock.now(),
            mailbox=wanted.mailbox,
            application_id=self.application.app_id,
            settings=self.settings,
            access=self.access,
            ews_ends=services.cloud.ews_ends,
            has_right=self.has_right,
            windows=self.windows,
        )

    @property
    def windows(self) -> Windows:
        """The changes under way: what this machine's journal and Graph's dates know of."""
        granted = [grant.created_date_time for grant in self.grants if grant.created_date_time is not None]
        return Windows(
            consent=_end(granted, RIGHT_TAKES),
            scope=_end(self._noted(POLICY_NOTE, FENCE_NOTE, ROLE_NOTE), SCOPE_TAKES),
            listed=_end(self._noted(EWS_NOTE), LIST_TAKES),
            switch=_end(self._noted(SWITCH_NOTE), SWITCH_TAKES),
        )

    def _noted(self, *notes: str) -> list[datetime]:
        return [self.state.since[note] for note in notes if note in self.state.since]


def observe_mail(services: Services, wanted: Registration) -> Seen:
    """Read what a verification needs, side by side.

    Raises:
        UsageError: there is no application to verify.
        UnsafePlanError: a person has to say which application.
        ServiceError, TransportError, SignInError: Graph could not be read.
    """
    graph, exchange = services.graph, services.exchange
    with ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="observe") as pool:
        settings = pool.submit(_readable, exchange.organization.read)
        access = pool.submit(_readable, lambda: exchange.mailboxes.client_access(wanted.mailbox))
        resource = pool.submit(graph.service_principals.by_app_id, EXCHANGE_ONLINE_APP_ID)
        application = find_application(graph, wanted, pool)
        if application is None:
            raise UsageError(
                f"this tenant has no application of registration {wanted.key!r}: there is nothing to verify",
                hint=f"register it first: mimapp register --mailbox {wanted.mailbox}",
            )
        grants = pool.submit(_grants, services, application.app_id)
        roles = pool.submit(_readable, lambda: exchange.rbac.assignments(application.app_id))
        offered = resource.result()
        ids = {FULL_ACCESS_AS_APP_ID}
        ids |= {role.id for role in (offered.app_roles or () if offered else ()) if role.value == FULL_ACCESS_AS_APP}
        held, found = roles.result(), settings.result()
        return Seen(
            application=application,
            state=services.journal.state(services.tenant_id, wanted.key),
            settings=found,
            access=access.result(),
            grants=tuple(grant for grant in grants.result() if grant.app_role_id in ids),
            roles=None if held is None else tuple(one for one in held if one.role == EWS_ROLE),
            ews=None if found is None else judge(found, application.app_id, services.cloud),
        )


def _grants(services: Services, app_id: str) -> tuple[RoleGrant, ...]:
    try:
        return services.graph.role_grants.held_by(app_id)
    except NotFoundError:
        return ()  # it has no service principal, which the token's row tells


def _readable(read: Callable[[], T]) -> T | None:
    """What could be read; None where Exchange refuses it or this account cannot sign in there."""
    try:
        return read()
    except (ServiceError, SignInError):
        return None


def _end(begun: Sequence[datetime], takes: timedelta) -> datetime | None:
    return max(begun) + takes if begun else None
