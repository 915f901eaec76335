"""The steps that write to Entra: application, owner, service principal, consent.

Each may be repeated: creates go by a key (`uniqueName`, `appId`), a grant that exists already is a success.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from mimapp.errors import (
    ConflictError,
    DeniedError,
    NotFoundError,
    ReplyLostError,
    ServiceError,
    UnsafePlanError,
    UsageError,
)
from mimapp.graph import (
    EXCHANGE_ONLINE_APP_ID,
    FULL_ACCESS_AS_APP,
    MICROSOFT_GRAPH_APP_ID,
    NAME_TAKEN,
    UNSET,
    USER_READ_ID,
    ApplicationPatch,
    PropertyLock,
    RedirectUris,
    RequiredResourceAccess,
    ResourceAccess,
    ServicePrincipalPatch,
)
from mimapp.identity.admin_consent import admin_consent_url
from mimapp.provisioning.adoption import USER_READ, user_read_grants, wants_user_read
from mimapp.provisioning.consent import other_permissions
from mimapp.provisioning.plan_entra import (
    PURGED,
    application_differences,
    gone_note,
    restored_note,
    restored_secrets,
    tags_with,
)
from mimapp.provisioning.run import Done
from mimapp.spec import Scope

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from msgspec import UnsetType

    from mimapp.graph import Application, DirectoryObject, PasswordCredential
    from mimapp.provisioning.run import Run

__all__ = [
    "add_owner",
    "adopt_application",
    "correct_application",
    "create_application",
    "create_principal",
    "drop_restored_secrets",
    "grant_consent",
    "merged_access",
    "owner_warnings",
    "purge_application",
    "restore_application",
    "tag_principal",
    "trim_user_read",
    "ways_to_consent",
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
        required_resource_access=merged_access((), run.entra.resource.role_id, run.scope, keeps_user_read=False),
        is_fallback_public_client=False,
        web=RedirectUris(redirect_uris=()),
        public_client=RedirectUris(redirect_uris=()),
        service_principal_lock_configuration=_LOCK,
        tags=(*wanted.tags, *wanted.scope_tags),
        notes=_or_unset(wanted.notes),
        service_management_reference=_or_unset(wanted.service_management_reference),
    )
    try:
        made = run.services.graph.applications.upsert(wanted.unique_name, body)
    except ConflictError as error:
        if error.explain != NAME_TAKEN:
            raise
        _refuse_deleted(run)
        made = None  # a lost reply made it, and the replica that answered did not know it yet
    run.services.journal.note_since(run.services.tenant_id, wanted.key, PURGED, None)
    if made is None:
        run.application()
        return Done(detail=f"was there: {run.application_id}", wrote=False)
    run.object_id, run.application_id = made.id, made.app_id
    with contextlib.suppress(NotFoundError):  # a replica that does not know it yet; the next run shows its owners
        run.warnings += owner_warnings(run.services.graph.applications.owners(made.id))
    return Done(detail=f"application id {made.app_id}", undo=f"mimapp unregister --registration {wanted.key}")


def owner_warnings(owners: Sequence[DirectoryObject]) -> list[str]:
    """What an owner can do, where there are any; Graph makes the creator one, and nobody is removed."""
    names = [owner.user_principal_name or owner.display_name or owner.id for owner in owners]
    if not names:
        return []
    whose = f"{', '.join(names)} own{'s' if len(names) == 1 else ''} the application"
    return [f"{whose}: an owner can add secrets to it without any directory role"]


def _refuse_deleted(run: Run) -> None:
    """A deleted application keeps its `uniqueName` for 30 days, and neither restoring nor purging is ours to choose."""
    name = run.wanted.unique_name
    if any(application.unique_name == name for application in run.services.graph.deleted.applications()):
        raise UnsafePlanError(
            f"an application with the key {name} lies in the tenant's recycle bin",
            hint="restore it or delete it for good in the Entra admin centre, or use another --registration KEY",
        )


def correct_application(run: Run, *, key: str | None = None) -> Done:
    """Put right what differs, and leave what somebody else added.

    Args:
        run: the run.
        key: the `uniqueName` to give it besides, where it has none.
    """
    run.application()
    application = run.services.graph.applications.get(run.object_id, fresh=True)
    seen = replace(run.entra, application=application)
    differs = application_differences(run.wanted, seen)
    sets_key = key is not None and application.unique_name is None
    if not differs and not sets_key:
        return Done(detail="is right by now", wrote=False)
    keeps_user_read = wants_user_read(run.wanted, seen)
    patch = ApplicationPatch(
        unique_name=_or_unset(key if sets_key else None),
        required_resource_access=merged_access(
            application.required_resource_access or (),
            seen.resource.role_id,
            None if seen.is_adopted and run.scope is Scope.RBAC else run.scope,
            keeps_user_read=keeps_user_read,
        ),
        service_principal_lock_configuration=UNSET if seen.is_adopted else _LOCK,
        tags=tags_with(run.wanted, seen, application),
        notes=_or_unset(run.wanted.notes),
        service_management_reference=_or_unset(run.wanted.service_management_reference),
    )
    run.services.graph.applications.change(run.object_id, patch, fresh=True)
    return Done(detail=", ".join([*differs, *(["its key"] if sets_key else [])]), before=_before(run, application))


def _or_unset(text: str | None) -> str | UnsetType:
    return UNSET if text is None else text


def _before(run: Run, application: Application) -> str:
    """What a correction writes over, for the record."""
    parts = [f"tags {' '.join(application.tags or ()) or 'none'}"]
    if run.wanted.notes is not None:
        parts.append(f"notes {application.notes or ''!r}")
    if run.wanted.service_management_reference is not None:
        parts.append(f"service management reference {application.service_management_reference or ''!r}")
    return "; ".join(parts)


def adopt_application(run: Run) -> Done:
    """Take over an application that somebody else made: as `correct_application`, and our key where it has none.

    Mark and key go in one write: a run that dies after it has both, one that dies before it has neither. That
    `uniqueName` can be set on an old application is unverified (Microsoft Graph v1.0 metadata has the property): where
    Graph refuses it, the mark is enough.
    """
    try:
        return correct_application(run, key=run.wanted.unique_name)
    except ServiceError as error:
        if error.status != HTTPStatus.BAD_REQUEST:  # what the body says: not to be set, or the name is taken
            raise
        done = correct_application(run)
        reason = f"Graph does not set its uniqueName ({error.code}): the tag is its key"
        return replace(done, detail=f"{done.detail}; {reason}")


def restore_application(run: Run) -> Done:
    """Bring the application back from the recycle bin; the fence stands by now, should its grant come back with it."""
    if not run.stands and run.scope is Scope.POLICY:
        raise UnsafePlanError("the fence does not stand, so the application is not restored")
    services = run.services
    # Before the write: an unregister after this one must not count from when the application was gone the last time.
    services.journal.note_since(services.tenant_id, run.wanted.key, gone_note(run.application_id), None)
    # As well: should this run die behind the write, the next one knows which secrets are to go.
    for old in restored_secrets(run.entra, run.observed.journal):
        _note_restored(run, old, services.clock.now())
    done = Done(detail=f"{run.application_id} is back")
    try:
        run.services.graph.deleted.restore(run.object_id)
    except (NotFoundError, ReplyLostError, ConflictError):
        # Restored already, by the reply that was lost or by somebody else: then it is there.
        run.services.graph.applications.get(run.object_id, fresh=True)
        done = Done(detail="was restored", wrote=False)
    if run.scope is Scope.RBAC:
        _refuse_restored_grant(run)
    return done


def _refuse_restored_grant(run: Run) -> None:
    """A grant that came back with the application reaches every mailbox, whatever the role is limited to."""
    try:
        held = run.services.graph.role_grants.held_by(run.application_id)
    except NotFoundError:
        return  # its service principal is not back yet; the next run reads its grants before anything else
    if any(grant.app_role_id == run.entra.resource.role_id for grant in held):
        raise UnsafePlanError(
            f"the application came back with {FULL_ACCESS_AS_APP}, which reaches every mailbox beside a role",
            hint="mimapp lockdown stops it at once; mimapp scope migrate takes the grant away",
        )


def drop_restored_secrets(run: Run) -> Done:
    """Remove every client secret that came back with a restored application."""
    gone, desk = 0, run.desk()
    for credential in restored_secrets(run.entra, run.observed.journal):
        if credential.key_id is None:
            continue
        gone += run.services.graph.credentials.remove_password(run.object_id, credential.key_id, fresh=True)
        if (entry := desk.entry_of(credential.key_id)) is not None:
            desk.note(entry, "revoked")  # else a value that is stored here would pass for a secret that works
        _note_restored(run, credential, None)
    return Done(detail=f"{gone} removed", wrote=gone > 0)


def _note_restored(run: Run, credential: PasswordCredential, moment: datetime | None) -> None:
    """Write down that a secret came back and is to go, or forget it."""
    if credential.key_id is not None:
        services = run.services
        services.journal.note_since(services.tenant_id, run.wanted.key, restored_note(credential.key_id), moment)


def purge_application(run: Run) -> Done:
    """Delete the application in the recycle bin for good, so that its key is free."""
    deleted, services = run.entra.deleted, run.services
    # Before the write: the same command, given again after this run died, finds nothing in the bin and goes on.
    services.journal.note_since(services.tenant_id, run.wanted.key, PURGED, services.clock.now())
    purged = deleted is not None and run.services.graph.deleted.purge(deleted.id)
    return Done(detail="gone for good" if purged else "was gone", wrote=purged)


def trim_user_read(run: Run) -> Done:
    """Take the word User.Read out of delegated grants; a grant with nothing left is deleted."""
    delegated = run.services.graph.delegated_grants
    trimmed = 0
    for grant in user_read_grants(run.wanted, run.entra):
        rest = [scope for scope in grant.scopes if scope != USER_READ]
        if rest:
            delegated.set_scope(grant.id, " ".join(rest))
        else:
            delegated.delete(grant.id)
        trimmed += 1
    return Done(detail=f"taken out of {trimmed} grant{'s' if trimmed != 1 else ''}", wrote=trimmed > 0)


def merged_access(
    asked: Sequence[RequiredResourceAccess], role_id: str, scope: Scope | None, *, keeps_user_read: bool
) -> tuple[RequiredResourceAccess, ...]:
    """Every permission that is there and ours, User.Read only where it stays: Graph replaces the whole list.

    Ours is full_access_as_app, which is taken out where a role takes its place; `scope` None leaves it as it is.
    """
    wanted = ResourceAccess(id=role_id, type="Role")
    is_asked = scope in {Scope.POLICY, Scope.NONE}
    merged: list[RequiredResourceAccess] = []
    for resource in asked:
        access = resource.resource_access
        if resource.resource_app_id == MICROSOFT_GRAPH_APP_ID and not keeps_user_read:
            access = tuple(item for item in access if item.id != USER_READ_ID)
        if resource.resource_app_id == EXCHANGE_ONLINE_APP_ID and wanted not in access and is_asked:
            access = (*access, wanted)
        if resource.resource_app_id == EXCHANGE_ONLINE_APP_ID and scope is Scope.RBAC:
            access = tuple(item for item in access if item.id != role_id)
        if access:
            merged.append(RequiredResourceAccess(resource_app_id=resource.resource_app_id, resource_access=access))
    if is_asked and all(resource.resource_app_id != EXCHANGE_ONLINE_APP_ID for resource in merged):
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
    found = run.entra.principal
    tags = tuple(dict.fromkeys([*((found.tags if found else None) or ()), *run.wanted.tags]))
    run.services.graph.service_principals.change(run.principal(), ServicePrincipalPatch(tags=tags), fresh=True)
    return Done(detail="marked")


def ways_to_consent(run: Run) -> str:
    """What somebody else can do to consent; the page only where it grants no more than MIM needs."""
    words = "register --only consent --scope none" if run.scope is Scope.NONE else "consent"
    command = f"runs mimapp {words} --mailbox {run.wanted.mailbox}"
    application = run.entra.application
    if application is not None and other_permissions(application, run.entra.resource.role_id):
        return command
    url = admin_consent_url(run.services.cloud, run.services.tenant_id, run.application_id)
    return f"{command}, or opens {url}"


def grant_consent(run: Run) -> Done:
    """Grant the role, which is what admin consent is; a caller without the right ends the run well, not done.

    Raises:
        UnsafePlanError: the fence does not stand: without it the application would read every mailbox.
    """
    if not run.stands and run.scope is not Scope.NONE:
        raise UnsafePlanError("the fence does not stand, so nothing is consented to")
    word = run.wanted.fence_confirmed_by
    if word is not None:
        run.warnings.append(f"consented to on the word of {word} that the fence stands")
    principal_id = run.principal()
    resource = run.entra.resource
    try:
        grant = run.services.graph.role_grants.grant(
            principal_id=principal_id, resource_id=resource.principal_id, role_id=resource.role_id, fresh=True
        )
    except DeniedError as error:
        run.attention.append(
            f"admin consent is missing, {run.services.graph_operator.name} may not give it ({error}): a Privileged "
            "Role Administrator, Cloud Application Administrator or Application Administrator "
            f"{ways_to_consent(run)}"
        )
        return Done(detail="not granted: the signed-in account lacks the right", wrote=False)
    run.consented = True
    if grant is None:
        return Done(detail="was granted", wrote=False)
    on_word = "" if word is None else f"; {word} says that the fence stands"
    return Done(
        detail=f"full_access_as_app granted{on_word}", undo=f"mimapp unregister --registration {run.wanted.key}"
    )
