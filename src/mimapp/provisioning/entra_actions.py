"""The steps that write to Entra: application, owner, service principal, consent.

Each may be repeated: creates go by a key (`uniqueName`, `appId`), a grant that exists already is a success.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.errors import ConflictError, DeniedError, UnsafePlanError, UsageError
from mimapp.graph import (
    EXCHANGE_ONLINE_APP_ID,
    MICROSOFT_GRAPH_APP_ID,
    NAME_TAKEN,
    USER_READ_ID,
    ApplicationPatch,
    PropertyLock,
    RedirectUris,
    RequiredResourceAccess,
    ResourceAccess,
    ServicePrincipalPatch,
)
from mimapp.provisioning.plan import application_differences
from mimapp.provisioning.run import Done

if TYPE_CHECKING:
    from mimapp.graph import Application
    from mimapp.provisioning.run import Run

__all__ = [
    "add_owner",
    "correct_application",
    "create_application",
    "create_principal",
    "grant_consent",
    "tag_principal",
]

#: Locks every credential and property of the service principals that other tenants could make of the application.
#: https://learn.microsoft.com/entra/identity-platform/howto-configure-app-instance-property-locks
_LOCK = PropertyLock(is_enabled=True, all_properties=True)


def create_application(run: Run) -> Done:
    """Register the application by upsert on its `uniqueName`."""
    wanted = run.wanted
    body = ApplicationPatch(
        display_name=wanted.display_name,
        sign_in_audience="AzureADMyOrg",
        required_resource_access=(
            RequiredResourceAccess(
                resource_app_id=EXCHANGE_ONLINE_APP_ID,
                resource_access=(ResourceAccess(id=run.observed.resource.role_id, type="Role"),),
            ),
        ),
        is_fallback_public_client=False,
        web=RedirectUris(redirect_uris=()),
        public_client=RedirectUris(redirect_uris=()),
        service_principal_lock_configuration=_LOCK,
        tags=wanted.tags,
    )
    try:
        made = run.services.graph.applications.upsert(wanted.unique_name, body)
    except ConflictError as error:
        if error.explain != NAME_TAKEN:
            raise
        _refuse_deleted(run)
        made = None  # a lost reply made it, and the replica that answered did not know it yet
    if made is None:
        run.application()
        return Done(detail=f"was there: {run.application_id}", wrote=False)
    run.object_id, run.application_id = made.id, made.app_id
    return Done(detail=f"application id {made.app_id}", undo=f"mimapp unregister --registration {wanted.key}")


def _refuse_deleted(run: Run) -> None:
    """A deleted application keeps its `uniqueName` for 30 days, and neither restoring nor purging is ours to choose."""
    name = run.wanted.unique_name
    if any(application.unique_name == name for application in run.services.graph.deleted.applications()):
        raise UnsafePlanError(
            f"an application with the key {name} lies in the tenant's recycle bin",
            hint="restore it or delete it for good in the Entra admin centre, or use another --registration KEY",
        )


def correct_application(run: Run) -> Done:
    """Put right what differs, and leave what somebody else added."""
    run.application()
    application = run.services.graph.applications.get(run.object_id, fresh=True)
    differs = application_differences(run.wanted, application, run.observed.resource.role_id)
    if not differs:
        return Done(detail="is right by now", wrote=False)
    patch = ApplicationPatch(
        required_resource_access=_merged_access(application, run.observed.resource.role_id),
        service_principal_lock_configuration=_LOCK,
        tags=tuple(dict.fromkeys([*(application.tags or ()), *run.wanted.tags])),
    )
    run.services.graph.applications.change(run.object_id, patch, fresh=True)
    return Done(detail=", ".join(differs))


def _merged_access(application: Application, role_id: str) -> tuple[RequiredResourceAccess, ...]:
    """Every permission that is there, without User.Read and with ours: Graph replaces the whole list."""
    wanted = ResourceAccess(id=role_id, type="Role")
    merged: list[RequiredResourceAccess] = []
    for resource in application.required_resource_access or ():
        access = resource.resource_access
        if resource.resource_app_id == MICROSOFT_GRAPH_APP_ID:
            access = tuple(item for item in access if item.id != USER_READ_ID)
        if resource.resource_app_id == EXCHANGE_ONLINE_APP_ID and wanted not in access:
            access = (*access, wanted)
        if access:
            merged.append(RequiredResourceAccess(resource_app_id=resource.resource_app_id, resource_access=access))
    if all(resource.resource_app_id != EXCHANGE_ONLINE_APP_ID for resource in merged):
        merged.append(RequiredResourceAccess(resource_app_id=EXCHANGE_ONLINE_APP_ID, resource_access=(wanted,)))
    return tuple(merged)


def add_owner(run: Run) -> Done:
    """Make the person whom ``--owner`` names an owner."""
    name = run.wanted.owner or ""
    user = run.services.graph.directory.user(name)
    if user is None:
        raise UsageError(f"owner: this tenant has no user {name}", hint="give a user principal name or an object id")
    run.application()
    added = run.services.graph.applications.add_owner(run.object_id, user.id, fresh=True)
    return Done(detail=f"{name} may add secrets to the application from now on", wrote=added)


def create_principal(run: Run) -> Done:
    """Create the service principal by upsert on `appId`."""
    run.application()
    patch = ServicePrincipalPatch(tags=run.wanted.tags)
    made = run.services.graph.service_principals.upsert(run.application_id, patch, fresh=True)
    if made is None:
        run.principal()
        return Done(detail="was there", wrote=False)
    run.principal_id = made.id
    return Done(detail=f"object id {made.id}")


def tag_principal(run: Run) -> Done:
    """Add our tags to those that a service principal has."""
    found = run.observed.principal
    tags = tuple(dict.fromkeys([*((found.tags if found else None) or ()), *run.wanted.tags]))
    run.services.graph.service_principals.change(run.principal(), ServicePrincipalPatch(tags=tags), fresh=True)
    return Done(detail="marked")


def grant_consent(run: Run) -> Done:
    """Grant the role, which is what admin consent is; a caller without the right ends the run well, not done.

    Raises:
        UnsafePlanError: the fence does not stand: without it the application would read every mailbox.
    """
    if not run.stands:
        raise UnsafePlanError("the fence does not stand, so nothing is consented to")
    principal_id = run.principal()
    resource = run.observed.resource
    try:
        grant = run.services.graph.role_grants.grant(
            principal_id=principal_id, resource_id=resource.principal_id, role_id=resource.role_id, fresh=True
        )
    except DeniedError as error:
        url = f"{run.services.cloud.authority(run.services.tenant_id)}/adminconsent?client_id={run.application_id}"
        run.attention.append(
            f"admin consent is missing, {run.services.graph_operator.name} may not give it ({error}): let a Privileged "
            f"Role Administrator, Cloud Application Administrator or Application Administrator open {url}, or run "
            "mimapp register again as one of them"
        )
        return Done(detail="not granted: the signed-in account lacks the right", wrote=False)
    run.consented = True
    if grant is None:
        return Done(detail="was granted", wrote=False)
    return Done(detail="full_access_as_app granted", undo=f"mimapp unregister --registration {run.wanted.key}")
