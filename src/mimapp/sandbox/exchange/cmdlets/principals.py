"""New-, Get- and Remove-ServicePrincipal: Exchange's pointers to service principals of Entra (facts/exchange.md 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.sandbox.exchange.call import Call, Cmdlet, Outcome, Right
from mimapp.sandbox.exchange.errors import already_exists, no_service_principal, not_found
from mimapp.sandbox.exchange.models import ApplicationPrincipal
from mimapp.sandbox.exchange.outputs import principal_row
from mimapp.sandbox.exchange.parameters import Kind, Parameter

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["PRINCIPAL_CMDLETS", "find_principal", "known_principal"]


def find_principal(principals: Iterable[ApplicationPrincipal], identity: str) -> ApplicationPrincipal | None:
    """The pointer of that object id, application id, display name or guid."""
    sought = identity.casefold()
    for principal in principals:
        names = (principal.object_id, principal.app_id, principal.display_name, principal.guid)
        if sought in {name.casefold() for name in names}:
            return principal
    return None


def known_principal(call: Call, identity: str) -> ApplicationPrincipal:
    """The pointer as the answering replica knows it.

    Raises:
        CmdletError: there is none.
    """
    found = find_principal(call.directory.known_roles.principals, identity)
    if found is None:
        raise not_found(identity, call.directory.organization.server)
    return found


def _new(call: Call) -> Outcome:
    given = call.parameters
    object_id, app_id = given.text("ObjectId"), given.text("AppId")
    # The object must be a service principal, of this application; that the pair is compared is unverified.
    if call.directory.entra_apps.get(object_id, "").casefold() != app_id.casefold():
        raise no_service_principal(object_id)
    if find_principal(call.directory.roles.principals, object_id) is not None:
        raise already_exists(object_id)
    principal = ApplicationPrincipal(
        object_id=object_id,
        app_id=app_id,
        display_name=given.text("DisplayName") or app_id,
        guid=call.new_guid(),
        created=call.now,
    )
    return Outcome(rows=(principal_row(principal),), puts=(principal,))


def _get(call: Call) -> Outcome:
    identity = call.parameters.text("Identity")
    found = (known_principal(call, identity),) if identity else call.directory.known_roles.principals
    return Outcome(rows=tuple(principal_row(principal) for principal in found))


def _remove(call: Call) -> Outcome:
    # Assignments that are left point to nothing and act no more; that Exchange does not refuse is unverified.
    return Outcome(deletes=(known_principal(call, call.parameters.text("Identity")),))


PRINCIPAL_CMDLETS = (
    Cmdlet(
        name="New-ServicePrincipal",
        right=Right.ROLES,
        run=_new,
        parameters=(
            Parameter(name="AppId", kind=Kind.GUID, required=True),
            Parameter(name="ObjectId", kind=Kind.GUID, required=True),
            Parameter(name="DisplayName"),
            Parameter(name="ServiceId"),
        ),
    ),
    Cmdlet(
        name="Get-ServicePrincipal",
        right=Right.VIEW_CONFIGURATION,
        run=_get,
        parameters=(Parameter(name="Identity"),),
    ),
    Cmdlet(
        name="Remove-ServicePrincipal",
        right=Right.ROLES,
        run=_remove,
        parameters=(Parameter(name="Identity", required=True),),
    ),
)
