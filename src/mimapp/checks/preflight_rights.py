"""The row about what others added beside the fence of an application: roles, denials, restrictions, owners."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.checks.preflight_row import Row, Verdict
from mimapp.provisioning.plan_exchange import beside_problem, owners_line
from mimapp.provisioning.rbac_view import read_roles
from mimapp.spec import ADOPTED_TAG, Scope, registration_of_tags

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    from mimapp.errors import UnsafePlanError
    from mimapp.exchange import Mailbox, RoleAssignment
    from mimapp.provisioning.observe import ObservedGroup
    from mimapp.provisioning.services import Services
    from mimapp.spec import Registration

__all__ = ["OTHER_RIGHTS", "RightsReader", "no_rights_row"]

OTHER_RIGHTS = "other rights"


class RightsReader:
    """Asks for the policies of an application when it is made, and for what follows from them where there is more."""

    def __init__(self, services: Services, app_id: str, pool: Executor) -> None:
        self._services = services
        self._app_id = app_id
        self._policies = pool.submit(services.exchange.access_policies.for_app, app_id)

    def row(
        self,
        wanted: Registration,
        *,
        tags: Sequence[str],
        held: tuple[RoleAssignment, ...] | None,
        mailbox: Mailbox | None,
        group: ObservedGroup | None,
    ) -> Row:
        """Whether something stands beside the fence.

        Args:
            wanted: the registration, its scope known.
            tags: of the application.
            held: its role assignments; None where this account may not read them.
            mailbox: the registration's mailbox, or None.
            group: the scoping group, or None.

        Raises:
            ServiceError, TransportError: a read failed.
        """
        problem = self._problem(wanted, tags=tags, held=held, mailbox=mailbox, group=group)
        if problem is not None:
            return Row(
                name=OTHER_RIGHTS,
                verdict=Verdict.STOP,
                found=problem.message,
                why="rights add up, and a denial beats every restriction",
                remedy=problem.hint or "",
                details=problem.details,
            )
        if (line := owners_line(group)) is not None:
            return Row(
                name=OTHER_RIGHTS,
                verdict=Verdict.WARN,
                found=line,
                remedy=f"mimapp scope show --mailbox {wanted.mailbox}",
            )
        return Row(name=OTHER_RIGHTS, verdict=Verdict.OK, found="nothing that others added")

    def _problem(
        self,
        wanted: Registration,
        *,
        tags: Sequence[str],
        held: tuple[RoleAssignment, ...] | None,
        mailbox: Mailbox | None,
        group: ObservedGroup | None,
    ) -> UnsafePlanError | None:
        exchange, app_id, policies = self._services.exchange, self._app_id, self._policies.result()
        roles = None
        if held:  # rare beside a policy: then Exchange's test is asked, about a mailbox outside too
            other = exchange.mailboxes.some_other_than((wanted.mailbox, *(mailbox.addresses if mailbox else ())))
            roles = read_roles(exchange, wanted, app_id, outside=None if other is None else other.primary_smtp_address)
        if wanted.scope is Scope.RBAC:
            policies = ()  # they restrict no role
        granted = None
        if mailbox is not None and any(policy.access_right == "DenyAccess" for policy in policies):
            granted = exchange.access_policies.test(wanted.mailbox, app_id).granted
        return beside_problem(
            wanted,
            group=group,
            policies=policies,
            roles=roles,
            inside_granted=granted,
            is_adopted=ADOPTED_TAG in tags or registration_of_tags(tuple(tags)) is None,  # taken over already, or now
        )


def no_rights_row() -> Row:
    """The row of an application that does not exist yet, or that nothing is to restrict."""
    return Row(name=OTHER_RIGHTS, verdict=Verdict.OK, found="nothing to look for yet")
