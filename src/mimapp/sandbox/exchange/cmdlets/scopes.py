"""New-, Get- and Remove-ManagementScope, and Get-AdministrativeUnit: what a role assignment can be limited to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.sandbox.exchange.call import Call, Cmdlet, Outcome, Right
from mimapp.sandbox.exchange.errors import already_exists, bad_parameter, not_found
from mimapp.sandbox.exchange.filters import PROPERTIES, read_filter
from mimapp.sandbox.exchange.models import ManagementScope
from mimapp.sandbox.exchange.outputs import scope_row, unit_row
from mimapp.sandbox.exchange.parameters import Parameter

if TYPE_CHECKING:
    from mimapp.sandbox.exchange.models import AdministrativeUnit

__all__ = ["SCOPE_CMDLETS", "known_scope", "known_unit"]

MAX_NAME = 64


def known_scope(call: Call, identity: str) -> ManagementScope:
    """The management scope of that name or guid, as the answering replica knows it.

    Raises:
        CmdletError: there is none.
    """
    for scope in call.directory.known_roles.scopes:
        if identity.casefold() in {scope.name.casefold(), scope.guid.casefold()}:
            return scope
    raise not_found(identity, call.directory.organization.server)


def known_unit(call: Call, identity: str) -> AdministrativeUnit:
    """The administrative unit of that Entra id, guid or display name.

    Raises:
        CmdletError: there is none.
    """
    for unit in call.directory.known_roles.units:
        names = (unit.guid, unit.external_id, unit.display_name)
        if identity.casefold() in {name.casefold() for name in names}:
            return unit
    raise not_found(identity, call.directory.organization.server)


def _new(call: Call) -> Outcome:
    name = call.parameters.text("Name")
    text = call.parameters.text("RecipientRestrictionFilter")
    clauses = read_filter(text)
    if len(name) > MAX_NAME:
        raise bad_parameter(f"The name of a management scope can't be longer than {MAX_NAME} characters.")
    if not clauses or any(clause.name not in PROPERTIES | {"memberofgroup"} for clause in clauses):
        # The sandbox reads only a part of OPATH; it says so instead of taking what it cannot apply.
        raise bad_parameter(f'The recipient filter "{text}" is invalid.')
    if any(scope.name.casefold() == name.casefold() for scope in call.directory.roles.scopes):
        raise already_exists(name)
    scope = ManagementScope(guid=call.new_guid(), name=name, filter=text, created=call.now)
    return Outcome(rows=(scope_row(scope),), puts=(scope,))


def _get(call: Call) -> Outcome:
    identity = call.parameters.text("Identity")
    found = (known_scope(call, identity),) if identity else call.directory.known_roles.scopes
    return Outcome(rows=tuple(scope_row(scope) for scope in found))


def _remove(call: Call) -> Outcome:
    scope = known_scope(call, call.parameters.text("Identity"))
    held = [a for a in call.directory.roles.assignments if a.scope == scope.guid and a.removed is None]
    if held:
        # That a scope in use is kept, and the text, are unverified.
        raise bad_parameter(
            f"The management scope '{scope.name}' is used by the management role assignment '{held[0].name}'.",
            exception_type="System.InvalidOperationException",
        )
    return Outcome(deletes=(scope,))


def _get_unit(call: Call) -> Outcome:
    identity = call.parameters.text("Identity")
    found = (known_unit(call, identity),) if identity else call.directory.known_roles.units
    return Outcome(rows=tuple(unit_row(unit) for unit in found))


SCOPE_CMDLETS = (
    Cmdlet(
        name="New-ManagementScope",
        right=Right.ROLES,
        run=_new,
        parameters=(
            Parameter(name="Name", required=True),
            Parameter(name="RecipientRestrictionFilter", required=True),
        ),
    ),
    Cmdlet(
        name="Get-ManagementScope",
        right=Right.VIEW_CONFIGURATION,
        run=_get,
        parameters=(Parameter(name="Identity"),),
    ),
    Cmdlet(
        name="Remove-ManagementScope",
        right=Right.ROLES,
        run=_remove,
        parameters=(Parameter(name="Identity", required=True),),
    ),
    Cmdlet(
        name="Get-AdministrativeUnit",
        right=Right.VIEW_CONFIGURATION,
        run=_get_unit,
        parameters=(Parameter(name="Identity"),),
    ),
)
