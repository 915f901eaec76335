"""The steps that RBAC for Applications needs: group, pointer, management scope, role assignment, and its test.

A role needs no consent, and there must be none: `mimapp.provisioning.scope_kind` refuses a grant beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.errors import UnsafePlanError, UsageError
from mimapp.exchange import EWS_ROLE
from mimapp.provisioning.observe import group_address
from mimapp.provisioning.plan_exchange import group_steps, makes_application, stand_step
from mimapp.provisioning.rbac_view import RoleView, pointer_problem, role_problem, scope_name
from mimapp.provisioning.steps import Step, StepKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mimapp.exchange import RoleAssignment
    from mimapp.provisioning.observe import ExchangeView, Observed
    from mimapp.spec import Registration

__all__ = ["assignment_steps", "limit_of", "pointer_step", "role_steps"]

_NOTHING = RoleView(pointer=None, assignments=())


def limit_of(wanted: Registration) -> str:
    """What is to limit the role, in words."""
    if wanted.administrative_unit is not None:
        return f"administrative unit {wanted.administrative_unit}"
    address = group_address(wanted, wanted.mailbox)
    if wanted.management_scope:
        return f"management scope {scope_name(wanted)}, the direct members of {address}"
    return f"direct members of {address}"


def role_steps(wanted: Registration, observed: Observed, seen: ExchangeView) -> Iterator[Step]:
    """What is missing of the role; the group alone where there is no application to give it to yet.

    Raises:
        UnsafePlanError: the group cannot be the limit, or the role stands with another one, or cannot be read.
        UsageError: the pointer cannot be made, since nobody says which service principal is meant.
    """
    if seen.roles is None and observed.application_id is not None:
        raise UnsafePlanError(
            "this account may not read the roles of applications in Exchange, and this registration has one",
            hint="the account needs the role group Organization Management; a role given just now needs a new sign-in",
        )
    roles = seen.roles or _NOTHING
    if wanted.administrative_unit is None and not roles.is_by_unit:
        yield from group_steps(wanted, seen)
    if observed.application_id is None and not makes_application(wanted, observed):
        return
    group = None if seen.group is None else seen.group.group
    if (problem := role_problem(wanted, roles, group)) is not None:
        raise problem
    for one in roles.assignments:
        _check_limit(wanted, one)
    if roles.pointer is None:
        _check_principal(wanted, observed)
        yield pointer_step(wanted)
    else:
        principal_id = _principal_id(wanted, observed)
        if principal_id and (problem := pointer_problem(principal_id, roles.pointer)) is not None:
            raise problem
    if not roles.assignments:
        yield from assignment_steps(wanted, roles)
    if not (roles.pointer is not None and roles.stands):
        yield stand_step(wanted)


def pointer_step(wanted: Registration) -> Step:
    """The step that makes Exchange's pointer to the service principal."""
    return Step(
        kind=StepKind.CREATE_POINTER,
        target=f"Exchange's pointer to {wanted.unique_name}",
        desired="service principal of the application",
        title="Let Exchange know the application's service principal",
    )


def assignment_steps(wanted: Registration, roles: RoleView) -> Iterator[Step]:
    """The steps that give the role within its limit."""
    limit = limit_of(wanted)
    if wanted.management_scope and roles.scope is None:
        yield Step(
            kind=StepKind.CREATE_SCOPE,
            target=f"management scope {scope_name(wanted)}",
            desired=f"direct members of {group_address(wanted, wanted.mailbox)}",
            title=f"Make the management scope {scope_name(wanted)}: the group's direct members",
        )
    yield Step(
        kind=StepKind.ASSIGN_ROLE,
        target=f"role of {wanted.unique_name}",
        desired=f"{EWS_ROLE} within {limit.lower()}",
        title=f"Give the application the role “{EWS_ROLE}”, limited to the {limit}",
    )


def _check_limit(wanted: Registration, one: RoleAssignment) -> None:
    """Refuse another kind of limit than the one that stands.

    Raises:
        UnsafePlanError: it differs, as far as Exchange gives a limit back [unverified].
    """
    stands = {
        "group": one.recipient_group_scope,
        "management scope": one.custom_resource_scope,
        "administrative unit": one.recipient_administrative_unit_scope,
    }
    if wanted.administrative_unit is not None:
        asked = "administrative unit"
    elif wanted.management_scope:
        asked = "management scope"
    else:
        return  # nothing was asked for: what stands stays
    others = [f"{kind} {value}" for kind, value in stands.items() if value and kind != asked]
    if others:
        raise UnsafePlanError(
            f"the role is limited by the {others[0]}, and another limit was asked for",
            hint="leave the option away to keep it; for another one take the assignment away first, when mail may "
            f"stand still: Remove-ManagementRoleAssignment -Identity '{one.name or one.identity}'",
        )


def _principal_id(wanted: Registration, observed: Observed) -> str:
    entra = observed.entra
    if entra is not None:
        return "" if entra.principal is None else entra.principal.id
    return wanted.principal_id or ""


def _check_principal(wanted: Registration, observed: Observed) -> None:
    if observed.entra is None and wanted.principal_id is None:
        raise UsageError(
            "Exchange does not know the application's service principal yet, and Entra is not read",
            hint="give its object id with --principal-id ID: mimapp register --only entra prints it as "
            "servicePrincipalObjectId",
        )
