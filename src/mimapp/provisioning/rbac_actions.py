"""The writes of RBAC for Applications: pointer, management scope, role assignment, its test; and taking them away.

Each may be repeated. A create goes by a key (the client id, our names), is looked for after a lost reply, and what is
there already and identical is used. Nothing here decides whether it should be done: a grant of full_access_as_app
beside the role would reach every mailbox, and whoever calls this has looked for one.
https://learn.microsoft.com/exchange/permissions-exo/application-rbac
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.errors import UnsafePlanError
from mimapp.exchange import EWS_ROLE, member_of_group
from mimapp.provisioning.creates import send_until_answered
from mimapp.provisioning.rbac_view import (
    assignment_name,
    is_our_assignment,
    is_our_pointer,
    pointer_problem,
    read_roles,
    role_problem,
    scope_name,
)
from mimapp.provisioning.run import Done
from mimapp.provisioning.scope_notes import FENCE_NOTE, ROLE_NOTE

if TYPE_CHECKING:
    from datetime import datetime

    from mimapp.exchange import Group, RoleAssignment, ServicePrincipalPointer
    from mimapp.provisioning.rbac_view import RoleView
    from mimapp.provisioning.services import Services
    from mimapp.spec import Registration

__all__ = [
    "RoleWork",
    "assign_role",
    "make_pointer",
    "make_scope",
    "remove_assignment",
    "remove_pointer",
    "remove_scope",
    "stand_role",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleWork:
    """What the writes need to know.

    Attributes:
        services: the rooms below.
        wanted: the registration: its names, its mailbox, and what limits the role.
        app_id: the client id.
        principal_id: the object id of the service principal in Entra.
        group: the address of the scoping group; its direct members are the limit, unless another one is wanted.
        outside: a mailbox outside, for the test cmdlet alone; None where the tenant has no other.
    """

    services: Services
    wanted: Registration
    app_id: str
    principal_id: str
    group: str
    outside: str | None

    @property
    def undo(self) -> str:
        """The command that takes what was made here away."""
        return f"mimapp unregister --registration {self.wanted.key}"

    def note(self, fact: str, moment: datetime | None) -> None:
        """Write down since when a fact holds; None forgets it."""
        self.services.journal.note_since(self.services.tenant_id, self.wanted.key, fact, moment)


def make_pointer(work: RoleWork) -> Done:
    """Make Exchange's pointer to the service principal, or use the one that is there.

    Raises:
        UnsafePlanError: there is one that points to another service principal.
    """
    rbac = work.services.exchange.rbac

    def find() -> ServicePrincipalPointer | None:
        return rbac.service_principal(work.app_id)

    def is_there() -> bool:
        return find() is not None

    if (found := find()) is None:
        # Exchange takes a moment to see a service principal that Entra has just made: "not found" means wait.
        made = send_until_answered(
            work.services.http.patience,
            lambda: rbac.create_service_principal(work.app_id, work.principal_id, work.wanted.unique_name, fresh=True),
            is_there=is_there,
        )
        if made:
            return Done(detail=f"object id {work.principal_id}", undo=work.undo)
        found = work.services.http.patience.until("service principal in Exchange", "not visible yet", find, every=5.0)
    if (problem := pointer_problem(work.principal_id, found)) is not None:
        raise problem
    return Done(detail="was there", wrote=False)


def make_scope(work: RoleWork) -> Done:
    """Make the management scope that holds the direct members of the group, or use the one that is there.

    Raises:
        UnsafePlanError: our name is taken by a scope with another filter.
    """
    rbac, name = work.services.exchange.rbac, scope_name(work.wanted)
    wanted = member_of_group(_distinguished_name(work))
    found = rbac.scope(name)
    if found is None:
        made = send_until_answered(
            work.services.http.patience,
            lambda: rbac.create_scope(name, wanted),
            is_there=lambda: rbac.scope(name) is not None,
        )
        if made:
            return Done(detail=f"{name}: {wanted}", undo=work.undo)
        found = work.services.http.patience.until(
            "management scope", "not visible yet", lambda: rbac.scope(name), every=5.0
        )
    if found.recipient_filter.casefold() != wanted.casefold():
        raise UnsafePlanError(
            f"the management scope {name} holds something else than the members of {work.group}",
            hint=f"look at what it is for; if nobody needs it: Remove-ManagementScope -Identity '{name}'",
            details=[f"its filter: {found.recipient_filter}", f"ours: {wanted}"],
        )
    return Done(detail=f"{name} was there", wrote=False)


def assign_role(work: RoleWork) -> Done:
    """Give the application the EWS role within the limit; one that is there, and identical, is used.

    Raises:
        UnsafePlanError: it holds the role with another limit besides, or without any.
    """
    rbac, wanted = work.services.exchange.rbac, work.wanted
    name = assignment_name(wanted, work.principal_id)
    group, scope, unit = work.group, "", ""
    if wanted.administrative_unit is not None:
        group, unit = "", wanted.administrative_unit
    elif wanted.management_scope:
        group, scope = "", scope_name(wanted)

    def is_there() -> bool:
        return any(is_our_assignment(wanted, one) for one in rbac.assignments(work.app_id))

    view = _view(work)
    if (problem := role_problem(wanted, view, _group(work))) is not None:
        raise problem
    made = False
    if not view.assignments:
        made = send_until_answered(
            work.services.http.patience,
            lambda: rbac.assign(
                work.principal_id, EWS_ROLE, group, scope=scope, administrative_unit=unit, name=name, fresh=True
            ),
            is_there=is_there,
        )
    if made or ROLE_NOTE not in work.services.journal.state(work.services.tenant_id, wanted.key).since:
        work.note(ROLE_NOTE, work.services.clock.now())
        work.note(FENCE_NOTE, None)  # a new limit, and its time begins anew
    if not made:
        return Done(detail="was there", wrote=False)
    return Done(detail=f"{EWS_ROLE} within {unit or scope or group}, as {name}", undo=work.undo)


def stand_role(work: RoleWork) -> RoleView:
    """Wait until the assignment is listed, and the service's own test reaches the mailbox and not one outside.

    The test ignores the service's cache: real access follows in 30 minutes to two hours (the page above).

    Raises:
        UnsafePlanError: the application holds the role with another limit besides, or without any.
        DeadlineError: it does not stand in the time of the run.
    """

    def ask() -> RoleView | None:
        view = _view(work)
        if (problem := role_problem(work.wanted, view, _group(work))) is not None:
            raise problem
        return view if view.stands else None

    return work.services.http.patience.until(
        "role assignment", "not listed, or not in the service's own test yet", ask, every=5.0
    )


def remove_assignment(services: Services, one: RoleAssignment) -> bool:
    """Take a role assignment away; False where it was not there. It may act for up to two hours more.

    "Not there" is believed when the list agrees, since a replica may be behind.

    Raises:
        DeadlineError: it is said to be gone and still listed when the time of the run is over.
        ServiceError, TransportError: it could not be removed.
    """
    rbac, identity = services.exchange.rbac, one.identity or one.name

    def ask() -> bool | None:
        if rbac.remove_assignment(identity):
            return True
        is_listed = any(identity in {left.identity, left.name} for left in rbac.every_assignment())
        return None if is_listed else False

    return services.http.patience.until("role assignment", "said to be gone, and still listed", ask)


def remove_pointer(services: Services, wanted: Registration, app_id: str) -> bool:
    """Remove our pointer; False where there is none, or somebody else made it."""
    found = services.exchange.rbac.service_principal(app_id)
    if found is None or not is_our_pointer(wanted, found):
        return False
    return services.exchange.rbac.remove_service_principal(found.app_id)


def remove_scope(services: Services, wanted: Registration) -> bool:
    """Remove our management scope; False where there is none."""
    return services.exchange.rbac.remove_scope(scope_name(wanted))


def _view(work: RoleWork) -> RoleView:
    return read_roles(work.services.exchange, work.wanted, work.app_id, outside=work.outside)


def _group(work: RoleWork) -> Group | None:
    return None if work.wanted.administrative_unit else work.services.exchange.groups.get(work.group)


def _distinguished_name(work: RoleWork) -> str:
    """The group's distinguished name, which a fresh group may lack."""

    def ask() -> str | None:
        found = work.services.exchange.groups.get(work.group, fresh=True)
        return None if found is None else found.distinguished_name or None

    return work.services.http.patience.until("group", "its distinguished name is not there yet", ask)
