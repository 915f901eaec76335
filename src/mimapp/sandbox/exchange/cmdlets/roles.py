"""New-, Get- and Remove-ManagementRoleAssignment for applications, and Test-ServicePrincipalAuthorization.

Roles, scopes and the forms of the test's output are those of Microsoft's pages "Role Based Access Control for
Applications in Exchange Online" and "Test-ServicePrincipalAuthorization". The default name of an assignment, and how a
duplicate is refused, are unverified.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from mimapp.sandbox.exchange.access import in_scope
from mimapp.sandbox.exchange.call import Call, Cmdlet, Outcome, Right
from mimapp.sandbox.exchange.cmdlets.principals import find_principal, known_principal
from mimapp.sandbox.exchange.cmdlets.scopes import MAX_NAME, known_scope, known_unit
from mimapp.sandbox.exchange.errors import already_exists, bad_parameter, not_found
from mimapp.sandbox.exchange.identity import is_mailbox, one
from mimapp.sandbox.exchange.models import RoleAssignment, ScopeType
from mimapp.sandbox.exchange.outputs import role_assignment_row
from mimapp.sandbox.exchange.parameters import Kind, Parameter
from mimapp.sandbox.exchange.weather import Effect

if TYPE_CHECKING:
    from mimapp.sandbox.exchange.call import Row
    from mimapp.sandbox.exchange.models import Directory

__all__ = ["ROLE_CMDLETS"]

_PERMISSIONS = (
    "Mail.Read",
    "Mail.ReadBasic",
    "Mail.ReadWrite",
    "Mail.Send",
    "MailboxSettings.Read",
    "MailboxSettings.ReadWrite",
    "Calendars.Read",
    "Calendars.ReadWrite",
    "Contacts.Read",
    "Contacts.ReadWrite",
    "EWS.AccessAsApp",
)
_ROLES = {f"Application {permission}": permission for permission in _PERMISSIONS}
# The two composite roles; which permissions they hold is unverified.
_ROLES["Application Mail Full Access"] = "Mail.ReadWrite,Mail.Send"
_ROLES["Application Exchange Full Access"] = (
    "Mail.ReadWrite,Mail.Send,MailboxSettings.ReadWrite,Calendars.ReadWrite,Contacts.ReadWrite"
)
_SCOPES = ("CustomResourceScope", "RecipientGroupScope", "RecipientAdministrativeUnitScope")


class _Limit(NamedTuple):
    type: ScopeType
    guid: str


def _new(call: Call) -> Outcome:
    given = call.parameters
    principal = known_principal(call, given.text("App"))
    role = next((name for name in _ROLES if name.casefold() == given.text("Role").casefold()), None)
    if role is None:
        raise not_found(given.text("Role"), call.directory.organization.server)
    limit = _limit(call)
    alive = [a for a in call.directory.roles.assignments if a.removed is None]
    if any((a.principal_id, a.role, a.scope) == (principal.object_id, role, limit.guid) for a in alive):
        raise already_exists(f"{role}-{principal.object_id}")
    name = given.text("Name") or _free_name(f"{role}-{principal.object_id}"[:MAX_NAME], {a.name for a in alive})
    if len(name) > MAX_NAME:
        raise bad_parameter(f"The name of a role assignment can't be longer than {MAX_NAME} characters.")
    if name.casefold() in {a.name.casefold() for a in alive}:
        raise already_exists(name)
    assignment = RoleAssignment(
        guid=call.new_guid(),
        name=name,
        principal_id=principal.object_id,
        role=role,
        scope_type=limit.type,
        scope=limit.guid,
        created=call.now,
        enforced=call.from_when(Effect.ROLE_ENFORCED),
    )
    return Outcome(rows=(_row(call.directory, assignment),), puts=(assignment,))


def _limit(call: Call) -> _Limit:
    given = call.parameters
    named = [name for name in _SCOPES if given.text(name)]
    if len(named) > 1:
        raise bad_parameter("Parameter set cannot be resolved using the specified named parameters.")
    if not named:
        return _Limit(ScopeType.ORGANIZATION, "")
    value = given.text(named[0])
    if named[0] == "CustomResourceScope":
        return _Limit(ScopeType.CUSTOM, known_scope(call, value).guid)
    if named[0] == "RecipientGroupScope":
        group = one(call.directory, value, lambda recipient: recipient.type.is_group)
        return _Limit(ScopeType.GROUP, group.guid)
    return _Limit(ScopeType.UNIT, known_unit(call, value).guid)


def _free_name(wanted: str, taken: set[str]) -> str:
    number, name = 0, wanted
    while name in taken:
        number += 1
        name = f"{wanted[: MAX_NAME - len(str(number)) - 1]}-{number}"
    return name


def _listed(call: Call) -> list[RoleAssignment]:
    return [assignment for assignment in call.directory.known_roles.assignments if assignment.removed is None]


def _get(call: Call) -> Outcome:
    given = call.parameters
    found = _listed(call)
    if given.text("Identity"):
        found = [_named(call, given.text("Identity"))]
    if given.text("RoleAssignee"):
        principal = known_principal(call, given.text("RoleAssignee"))
        found = [assignment for assignment in found if assignment.principal_id == principal.object_id]
    if given.text("Role"):
        found = [assignment for assignment in found if assignment.role.casefold() == given.text("Role").casefold()]
    return Outcome(rows=tuple(_row(call.directory, assignment) for assignment in found))


def _named(call: Call, identity: str) -> RoleAssignment:
    for assignment in _listed(call):
        if identity.casefold() in {assignment.name.casefold(), assignment.guid.casefold()}:
            return assignment
    raise not_found(identity, call.directory.organization.server)


def _remove(call: Call) -> Outcome:
    shown = _named(call, call.parameters.text("Identity"))
    truth = next((a for a in call.directory.roles.assignments if a.guid == shown.guid and a.removed is None), None)
    if truth is None:
        raise not_found(call.parameters.text("Identity"), call.directory.organization.server)
    gone = replace(truth, removed=call.now, enforced_until=call.from_when(Effect.ROLE_RELEASED))
    return Outcome(puts=(gone,))


def _test(call: Call) -> Outcome:
    """Which roles an application holds, and whether each reaches the mailbox; the service's cache is not asked."""
    principal = known_principal(call, call.parameters.text("Identity"))
    resource = call.parameters.text("Resource")
    mailbox = one(call.directory, resource, is_mailbox) if resource else None
    rows: list[Row] = []
    for assignment in call.directory.roles.assignments:
        if assignment.principal_id != principal.object_id or assignment.removed is not None:
            continue
        reached = in_scope(call.directory, assignment, mailbox) if mailbox else None
        rows.append(
            {
                "RoleName": assignment.role,
                "GrantedPermissions": _ROLES[assignment.role],
                "AllowedResourceScope": _scope_name(call.directory, assignment) or "Organization",
                "ScopeType": assignment.scope_type.value,
                "InScope": "Not Run" if reached is None else str(reached),
            }
        )
    return Outcome(rows=tuple(rows))


def _row(directory: Directory, assignment: RoleAssignment) -> Row:
    principal = find_principal(directory.roles.principals, assignment.principal_id)
    return role_assignment_row(assignment, principal, _scope_name(directory, assignment))


def _scope_name(directory: Directory, assignment: RoleAssignment) -> str:
    """The scope as an administrator would name it; its guid where it is gone; empty for the organisation."""
    names = {scope.guid: scope.name for scope in directory.roles.scopes}
    names.update({unit.guid: unit.external_id for unit in directory.roles.units})
    names.update({guid: recipient.name for guid, recipient in directory.recipients.items()})
    return names.get(assignment.scope, assignment.scope)


ROLE_CMDLETS = (
    Cmdlet(
        name="New-ManagementRoleAssignment",
        right=Right.ROLES,
        run=_new,
        parameters=(
            Parameter(name="Name"),
            Parameter(name="App", required=True),
            Parameter(name="Role", required=True),
            *(Parameter(name=name) for name in _SCOPES),
        ),
    ),
    Cmdlet(
        name="Get-ManagementRoleAssignment",
        right=Right.VIEW_CONFIGURATION,
        run=_get,
        parameters=(
            Parameter(name="Identity"),
            Parameter(name="RoleAssignee"),
            Parameter(name="Role"),
            Parameter(name="GetEffectiveUsers", kind=Kind.FLAG),
        ),
    ),
    Cmdlet(
        name="Remove-ManagementRoleAssignment",
        right=Right.ROLES,
        run=_remove,
        parameters=(Parameter(name="Identity", required=True),),
    ),
    Cmdlet(
        name="Test-ServicePrincipalAuthorization",
        right=Right.VIEW_CONFIGURATION,
        run=_test,
        parameters=(Parameter(name="Identity", required=True), Parameter(name="Resource")),
    ),
)
