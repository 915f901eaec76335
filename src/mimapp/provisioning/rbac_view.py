"""What RBAC for Applications holds for a registration in Exchange, and whether it is the limit that is wanted.

The pointer, the assignments of the EWS role, what limits them, and what the service's own test says of the mailbox and
of one outside. Ours is what carries our name; what somebody made by hand for the same application, with the same limit,
is used as it is. Anything else that gives the application the EWS role is a person's to decide, since assignments add
up and no access policy restricts a role (https://learn.microsoft.com/exchange/permissions-exo/application-rbac).

Whether Exchange gives a limit back under its parameter's name is unverified: an assignment of our name whose limit
cannot be read is judged by the test alone, which has to deny a mailbox outside.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.errors import NotFoundError, UnsafePlanError
from mimapp.exchange import EWS_ROLE, member_of_group

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor

    from mimapp.exchange import Authorization, Exchange, Group, ManagementScope, RoleAssignment, ServicePrincipalPointer
    from mimapp.spec import Registration

__all__ = [
    "RoleView",
    "ask_roles",
    "assignment_name",
    "group_names",
    "is_our_assignment",
    "is_our_pointer",
    "pointer_problem",
    "read_roles",
    "role_problem",
    "scope_name",
    "test_rows",
]

_ID_LENGTH = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleView:
    """What an application holds by role.

    Attributes:
        pointer: Exchange's record of the service principal, or None.
        assignments: its assignments of the EWS role; other roles are nothing to EWS.
        scope: the management scope of our name, or None.
        limits: the management scopes that the assignments name.
        outside: the address outside that was asked about; None: none was.
        inside_rows: what the test says of the mailbox; empty where nothing was asked.
        outside_rows: what it says of the one outside.
    """

    pointer: ServicePrincipalPointer | None
    assignments: tuple[RoleAssignment, ...]
    scope: ManagementScope | None = None
    limits: tuple[ManagementScope, ...] = ()
    outside: str | None = None
    inside_rows: tuple[Authorization, ...] = ()
    outside_rows: tuple[Authorization, ...] = ()

    @property
    def is_unlimited(self) -> bool:
        """Whether a role reaches every mailbox, by the service's own test."""
        return any(row.is_unlimited for row in (*self.inside_rows, *self.outside_rows))

    @property
    def is_by_unit(self) -> bool:
        """Whether an administrative unit is the limit, so that no group is needed."""
        kinds = {row.scope_type.strip().casefold() for row in self.inside_rows}
        return "administrativeunit" in kinds or any(one.recipient_administrative_unit_scope for one in self.assignments)

    @property
    def reaches_inside(self) -> bool:
        """Whether the test lets the application into the mailbox."""
        return any(row.in_scope for row in self.inside_rows)

    @property
    def reaches_outside(self) -> bool:
        """Whether the test lets it into the one outside."""
        return any(row.in_scope for row in self.outside_rows)

    @property
    def stands(self) -> bool:
        """Whether there is an assignment, and the test lets it into the mailbox and keeps it out of another.

        Where the tenant has no other mailbox nothing can be denied; then the kind of limit has to do.
        """
        denied = bool(self.outside_rows) or self.outside is None
        return bool(self.assignments) and self.reaches_inside and denied and self.is_narrow

    @property
    def is_narrow(self) -> bool:
        """Whether nothing that was read or tested reaches further than the mailbox."""
        return not self.is_unlimited and not self.reaches_outside

    def recognised(self, wanted: Registration, group: Group | None) -> tuple[RoleAssignment, ...]:
        """The assignments that are ours, or limited as ours would be."""
        return tuple(one for one in self.assignments if self._is_recognised(one, wanted, group))

    def foreign(self, wanted: Registration, group: Group | None) -> tuple[RoleAssignment, ...]:
        """The others: what they reach adds up to what ours reaches."""
        known = self.recognised(wanted, group)
        return tuple(one for one in self.assignments if one not in known)

    def _is_recognised(self, one: RoleAssignment, wanted: Registration, group: Group | None) -> bool:
        if is_our_assignment(wanted, one):
            return True
        if one.recipient_group_scope and group is not None:
            return one.recipient_group_scope.casefold() in group_names(group)
        if one.custom_resource_scope:
            return any(_is_members_of(scope, group) for scope in self._scopes_of(one))
        unit = wanted.administrative_unit
        return unit is not None and one.recipient_administrative_unit_scope.casefold() == unit.casefold()

    def _scopes_of(self, one: RoleAssignment) -> Iterator[ManagementScope]:
        named = one.custom_resource_scope.casefold()
        return (scope for scope in self.limits if named in {scope.name.casefold(), scope.identity.casefold()})


def assignment_name(wanted: Registration, principal_id: str) -> str:
    """The name of our assignment: its key, so that a second create is refused.

    It holds the beginning of the service principal's id: an application made anew gets an assignment of its own name,
    whatever its predecessor left. At most 56 of the 64 characters that Exchange takes.
    """
    return f"{wanted.unique_name}-{principal_id[:_ID_LENGTH].lower()}"


def scope_name(wanted: Registration) -> str:
    """The name of our management scope, where one is used."""
    return wanted.unique_name


def is_our_assignment(wanted: Registration, one: RoleAssignment) -> bool:
    """Whether an assignment carries a name that mimapp gives for this registration, whichever application has it."""
    return re.fullmatch(rf"{re.escape(wanted.unique_name)}-[0-9a-f]{{{_ID_LENGTH}}}", one.name.lower()) is not None


def is_our_pointer(wanted: Registration, pointer: ServicePrincipalPointer) -> bool:
    """Whether mimapp made a pointer for this registration."""
    return pointer.display_name == wanted.unique_name


def group_names(group: Group) -> frozenset[str]:
    """Everything by which Exchange may call a group, for comparing without case."""
    given = (
        group.name,
        group.identity,
        group.alias,
        group.display_name,
        group.primary_smtp_address,
        group.distinguished_name,
        group.guid,
        group.external_directory_object_id,
    )
    return frozenset(one.casefold() for one in given if one)


def read_roles(
    exchange: Exchange,
    wanted: Registration,
    app_id: str,
    *,
    outside: str | None,
) -> RoleView:
    """Read what an application holds by role; where it holds none, its pointer is not asked for.

    Args:
        exchange: the service.
        wanted: the registration; the test is asked about its mailbox.
        app_id: the client id.
        outside: a mailbox outside, for the test cmdlet alone; None where there is none.

    Raises:
        DeniedError: this account may not read roles.
        ServiceError, TransportError: a read failed.
    """
    held = exchange.rbac.assignments(app_id)
    if all(one.role != EWS_ROLE for one in held):
        return RoleView(pointer=None, assignments=())
    return _view(
        exchange,
        wanted,
        held=held,
        pointer=exchange.rbac.service_principal(app_id),
        outside=outside,
        inside_rows=test_rows(exchange, app_id, wanted.mailbox),
        outside_rows=() if outside is None else test_rows(exchange, app_id, outside),
    )


def ask_roles(
    pool: Executor, exchange: Exchange, wanted: Registration, app_id: str, *, outside: str | None
) -> Callable[[], RoleView]:
    """As `read_roles`, side by side and the pointer in any case; what it gives back waits for the answers."""
    held = pool.submit(exchange.rbac.assignments, app_id)
    pointer = pool.submit(exchange.rbac.service_principal, app_id)
    inside = pool.submit(test_rows, exchange, app_id, wanted.mailbox)
    elsewhere = None if outside is None else pool.submit(test_rows, exchange, app_id, outside)
    return lambda: _view(
        exchange,
        wanted,
        held=held.result(),
        pointer=pointer.result(),
        outside=outside,
        inside_rows=inside.result(),
        outside_rows=() if elsewhere is None else elsewhere.result(),
    )


def _view(
    exchange: Exchange,
    wanted: Registration,
    *,
    held: tuple[RoleAssignment, ...],
    pointer: ServicePrincipalPointer | None,
    outside: str | None,
    inside_rows: tuple[Authorization, ...],
    outside_rows: tuple[Authorization, ...],
) -> RoleView:
    """The answers put together, with the management scopes that they name."""
    held = tuple(one for one in held if one.role == EWS_ROLE)
    named = {one.custom_resource_scope for one in held if one.custom_resource_scope}
    if wanted.management_scope:
        named.add(scope_name(wanted))
    scopes = {name: exchange.rbac.scope(name) for name in sorted(named)}
    return RoleView(
        pointer=pointer,
        assignments=held,
        scope=scopes.get(scope_name(wanted)),
        limits=tuple(scope for scope in scopes.values() if scope is not None),
        outside=outside,
        inside_rows=inside_rows,
        outside_rows=outside_rows,
    )


def test_rows(exchange: Exchange, app_id: str, mailbox: str) -> tuple[Authorization, ...]:
    """What the test says of a mailbox and the EWS role; empty where Exchange shows no pointer (yet)."""
    try:
        rows = exchange.rbac.test(app_id, mailbox)
    except NotFoundError:
        return ()
    return tuple(row for row in rows if row.role_name == EWS_ROLE)


def role_problem(wanted: Registration, view: RoleView, group: Group | None) -> UnsafePlanError | None:
    """Why the role as it stands cannot be the fence, or None: another limit adds up to ours, and no policy helps."""
    way_out = "look at what it is for; if nobody needs it: Remove-ManagementRoleAssignment -Identity '{name}'"
    foreign = view.foreign(wanted, group)
    if foreign:
        names = [one.name or one.identity for one in foreign]
        return UnsafePlanError(
            f"the application holds {EWS_ROLE} by {len(foreign)} assignment(s) that are not this registration's: what "
            "they reach adds up",
            hint=way_out.format(name=names[0]),
            details=[f"assignment: {name}" for name in names],
        )
    ours = next(iter(view.assignments), None)
    if ours is None or view.is_narrow:
        return None
    what = "every mailbox" if view.is_unlimited else f"{view.outside}, which is outside"
    return UnsafePlanError(
        f"the application holds {EWS_ROLE} by the assignment {ours.name or ours.identity}, which reaches {what}",
        hint=way_out.format(name=ours.name or ours.identity)
        + "; then run the same command again: it makes one within the limit",
    )


def pointer_problem(principal_id: str, found: ServicePrincipalPointer) -> UnsafePlanError | None:
    """Why Exchange's pointer cannot be used, or None: it names another service principal than Entra has."""
    if found.object_id.lower() == principal_id.lower():
        return None
    return UnsafePlanError(
        f"Exchange's pointer to application {found.app_id} names the service principal {found.object_id}, and Entra "
        f"has {principal_id}",
        hint=f"remove it, then run the same command again: Remove-ServicePrincipal -Identity {found.object_id}",
    )


def _is_members_of(scope: ManagementScope, group: Group | None) -> bool:
    """Whether a management scope holds the direct members of a group, and nobody else."""
    if group is None or not group.distinguished_name:
        return False
    wanted = member_of_group(group.distinguished_name)
    return "".join(scope.recipient_filter.split()).casefold() == "".join(wanted.split()).casefold()
