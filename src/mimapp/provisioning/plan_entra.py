"""The steps that Entra needs: the application and its service principal, consent, and the client secret."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mimapp.clock import duration_text
from mimapp.errors import UnsafePlanError
from mimapp.graph import EXCHANGE_ONLINE_APP_ID, FULL_ACCESS_AS_APP, MICROSOFT_GRAPH_APP_ID, USER_READ_ID
from mimapp.provisioning.adoption import user_read_grants, wants_user_read
from mimapp.provisioning.steps import Step, StepKind
from mimapp.spec import ADOPTED_TAG, Scope, mailbox_of_tags, registration_of_tags, scope_of_tags

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mimapp.graph import Application, PasswordCredential
    from mimapp.journal import State
    from mimapp.provisioning.observe import EntraView, Observed, ObservedSecret
    from mimapp.spec import Registration

__all__ = [
    "GONE",
    "PURGED",
    "application_differences",
    "application_steps",
    "consent_steps",
    "current_secret",
    "gone_note",
    "hold_steps",
    "recycle_steps",
    "restored_note",
    "restored_secrets",
    "secret_steps",
    "stored_elsewhere",
    "tags_with",
]

#: How the journal's notes of when an application went begin.
GONE = "application gone "
#: How the journal's notes of secrets begin that came back with their application; the key id follows.
RESTORED = "restored secret to remove "
#: Under this name the journal keeps that a deleted application of this registration was purged by this machine.
PURGED = "deleted application purged"
_NEVER = datetime.max.replace(tzinfo=UTC)


def application_differences(wanted: Registration, seen: EntraView) -> tuple[str, ...]:
    """What is to be put right on an application that is there, by name; never what somebody else added."""
    application = seen.application
    if application is None:
        return ()
    access = {
        (resource.resource_app_id, item.id)
        for resource in application.required_resource_access or ()
        for item in resource.resource_access
    }
    lock = application.service_principal_lock_configuration
    is_locked = lock is not None and lock.is_enabled and bool(lock.all_properties)
    has_user_read = (MICROSOFT_GRAPH_APP_ID, USER_READ_ID) in access
    found = {
        **_permission_difference(wanted, seen, asks=(EXCHANGE_ONLINE_APP_ID, seen.resource.role_id) in access),
        "User.Read (removed)": has_user_read and not wants_user_read(wanted, seen),
        "its tags": set(tags_with(wanted, seen, application)) != set(application.tags or ()),
        "the property lock": not is_locked and not seen.is_adopted,
        "its notes": wanted.notes not in {None, application.notes},
        "its service management reference": wanted.service_management_reference
        not in {None, application.service_management_reference},
    }
    return tuple(name for name, differs in found.items() if differs)


def _permission_difference(wanted: Registration, seen: EntraView, *, asks: bool) -> Mapping[str, bool]:
    """Whether the application asks for full_access_as_app, where it should, and only there.

    With a role it asks for nothing: whoever pressed “Grant admin consent” in the portal would open every mailbox. On an
    application that somebody else made it stays.
    """
    if wanted.scope is Scope.RBAC:
        return {"the permission (removed)": asks and not seen.is_adopted}
    return {"the permission": not asks}


def tags_with(wanted: Registration, seen: EntraView, application: Application) -> tuple[str, ...]:
    """The tags that an application is to have: its own, without another scope than ours, and mimapp's marks."""
    kept = (tag for tag in application.tags or () if scope_of_tags((tag,)) in {None, wanted.scope})
    marks = (*wanted.tags, *wanted.scope_tags, *((ADOPTED_TAG,) if seen.is_adopted else ()))
    return tuple(dict.fromkeys([*kept, *marks]))


def current_secret(secrets: tuple[ObservedSecret, ...]) -> ObservedSecret | None:
    """The secret of ours that a store of this run has, the one that lives longest; None when there is none."""
    here = [secret for secret in secrets if secret.is_ours and secret.is_here and not secret.refused]
    return max(here, key=lambda secret: (secret.expires or _NEVER, secret.key_id), default=None)


def stored_elsewhere(observed: Observed) -> tuple[ObservedSecret, ...]:
    """Secrets of mimapp's whose value lies on another machine, or in a store that this run does not name."""
    secrets = () if observed.entra is None else observed.entra.secrets
    return tuple(
        one for one in secrets if one.is_ours and not (one.is_here or one.refused or one.label in observed.stale_labels)
    )


def gone_note(app_id: str) -> str:
    """Under which name the journal keeps since when no application has this client id."""
    return f"{GONE}{app_id.lower()}"


def restored_note(key_id: str) -> str:
    """Under which name the journal keeps that a client secret came back with its application, and is to go."""
    return f"{RESTORED}{key_id.lower()}"


def restored_secrets(seen: EntraView, journal: State) -> tuple[PasswordCredential, ...]:
    """The client secrets that come back with an application, or came back in a run that died before it removed them."""
    if seen.deleted is not None:
        return seen.deleted.password_credentials or ()
    there = () if seen.application is None else seen.application.password_credentials or ()
    return tuple(one for one in there if one.key_id is not None and restored_note(one.key_id) in journal.since)


def recycle_steps(wanted: Registration, seen: EntraView, journal: State) -> Iterator[Step]:
    """Bring a deleted application back, or delete it for good; its old secrets go before anything else may use them."""
    deleted = seen.deleted
    if deleted is None:
        yield from _drop_steps(wanted, seen, journal)
        return
    if wanted.purge_deleted:
        yield Step(
            kind=StepKind.PURGE_APPLICATION,
            target=f"deleted application {deleted.app_id}",
            desired="gone for good",
            title=f"Delete the application {deleted.app_id} for good",
        )
        return
    yield Step(
        kind=StepKind.RESTORE_APPLICATION,
        target=f"deleted application {deleted.app_id}",
        desired="restored",
        title=f"Restore the application {deleted.app_id} from the recycle bin",
    )
    yield from _drop_steps(wanted, seen, journal)


def _drop_steps(wanted: Registration, seen: EntraView, journal: State) -> Iterator[Step]:
    old = [one.display_name or one.key_id or "" for one in restored_secrets(seen, journal)]
    if old:
        yield Step(
            kind=StepKind.DROP_RESTORED_SECRETS,
            target=f"secret of {wanted.unique_name}",
            desired="without the secrets that come back with it",
            title=f"Remove its {len(old)} old client secrets: {', '.join(old)}",
        )


def application_steps(wanted: Registration, seen: EntraView) -> Iterator[Step]:
    """What is missing of the application and its service principal.

    Raises:
        UnsafePlanError: the application is another registration's.
    """
    name, application = wanted.unique_name, seen.application
    will_be_restored = seen.deleted is not None and wanted.restore
    if application is not None:
        _check_mailbox(wanted, application)
    asks_for = "no permission" if wanted.scope is Scope.RBAC else FULL_ACCESS_AS_APP
    if application is None and not will_be_restored:
        yield Step(
            kind=StepKind.CREATE_APPLICATION,
            target=f"application {name}",
            desired="; ".join([wanted.display_name, "AzureADMyOrg", asks_for, *_labels(wanted)]),
            title=f"Register the application “{wanted.display_name}”, "
            + (
                "which asks for no permission: a role in Exchange gives it access"
                if wanted.scope is Scope.RBAC
                else f"its only permission {FULL_ACCESS_AS_APP}"
            ),
        )
    elif application is None or (differs := application_differences(wanted, seen)):
        named = ["what a restored application may lack"] if application is None else differs
        takes_over = seen.adopting
        yield Step(
            kind=StepKind.ADOPT_APPLICATION if takes_over else StepKind.CORRECT_APPLICATION,
            target=f"application {name}"
            if not takes_over or application is None
            else f"application {application.app_id}",
            desired="; ".join([", ".join(named), *_labels(wanted)]),
            title=f"{'Take over the application: set' if takes_over else 'Put right on the application:'} "
            f"{', '.join(named)}",
        )
    if wanted.owner is not None and not _is_owner(wanted.owner, seen):
        yield Step(
            kind=StepKind.ADD_OWNER,
            target=f"application {name}",
            desired=f"owner {wanted.owner.lower()}",
            title=f"Make {wanted.owner} an owner of the application",
        )
    principal = seen.principal
    if principal is None:
        yield Step(
            kind=StepKind.CREATE_PRINCIPAL,
            target=f"service principal of {name}",
            desired=_tags(wanted),
            title="Create its service principal",
        )
    elif not set(wanted.tags) <= set(principal.tags or ()):
        yield Step(
            kind=StepKind.TAG_PRINCIPAL,
            target=f"service principal of {name}",
            desired=_tags(wanted),
            title="Mark its service principal as this registration's"
            if wanted.mark not in (principal.tags or ())
            else "Put the missing tags on its service principal",
        )


def _tags(wanted: Registration) -> str:
    """The tags in a canonical form; those of the operator's may have blanks in them."""
    return " ".join([wanted.mark, wanted.mailbox.lower(), *map(repr, wanted.further_tags)])


def _labels(wanted: Registration) -> list[str]:
    """What is to be written beside the application, in a canonical form."""
    written = {"notes": wanted.notes, "service management reference": wanted.service_management_reference}
    scope = [f"scope {tag}" for tag in wanted.scope_tags]
    return [_tags(wanted), *scope, *(f"{name} {text!r}" for name, text in written.items() if text is not None)]


def _check_mailbox(wanted: Registration, application: Application) -> None:
    tags = application.tags or ()
    marked_for, mailbox = registration_of_tags(tags), mailbox_of_tags(tags)
    if marked_for not in {None, wanted.key} or mailbox not in {None, wanted.mailbox.lower()}:
        raise UnsafePlanError(
            f"the application {application.app_id} belongs to registration {marked_for or wanted.key!r} of mailbox "
            f"{mailbox or 'unknown'}",
            hint="give this mailbox a registration of its own with --registration KEY",
        )


def _is_owner(owner: str, seen: EntraView) -> bool:
    names = {
        name.lower() for found in seen.owners for name in (found.id, found.user_principal_name) if name is not None
    }
    return owner.lower() in names


def consent_steps(wanted: Registration, seen: EntraView) -> Iterator[Step]:
    """Admin consent, and User.Read taken away where the portal added it."""
    if user_read_grants(wanted, seen):
        yield Step(
            kind=StepKind.TRIM_USER_READ,
            target=f"delegated grant of {wanted.unique_name}",
            desired="without User.Read",
            title="Take User.Read out of the application's delegated grant",
        )
    if not seen.granted and wanted.scope is not Scope.RBAC:
        unfenced = wanted.scope is Scope.NONE
        yield Step(
            kind=StepKind.GRANT_CONSENT,
            target=f"consent of {wanted.unique_name}",
            desired=f"{FULL_ACCESS_AS_APP}, restricted by nothing" if unfenced else FULL_ACCESS_AS_APP,
            title=f"Grant admin consent for {FULL_ACCESS_AS_APP}"
            + (" WITHOUT A SCOPE: it opens EVERY mailbox of the tenant" if unfenced else ""),
        )


def hold_steps(wanted: Registration, seen: EntraView, noted: datetime | None, now: datetime) -> Iterator[Step]:
    """Holding consent back after the fence stands, where that was asked for and there is consent to give.

    Args:
        wanted: the registration.
        seen: what Graph says.
        noted: until when an earlier run was asked to hold it back.
        now: the moment.
    """
    wait = wanted.wait_for_scope
    if seen.granted or wanted.scope is not Scope.POLICY or not (wait or (wait is None and noted and noted > now)):
        return
    until = f"for {duration_text(wait)} after the fence stands" if wait else "until the time that was asked for"
    yield Step(
        kind=StepKind.HOLD_CONSENT,
        target=f"consent of {wanted.unique_name}",
        desired=f"held back {until}",
        title=f"Hold consent back {until}",
    )


def secret_steps(wanted: Registration, observed: Observed, seen: EntraView) -> Iterator[Step]:
    """A secret where none of ours is here, its proof, and what an interrupted run left; that comes last of all."""
    name = wanted.unique_name
    current = current_secret(seen.secrets)
    stale = set(observed.stale_labels)
    elsewhere = bool(stored_elsewhere(observed)) and not wanted.new_secret
    if current is None and not elsewhere:
        days = wanted.secret_lifetime.total_seconds() / 86_400
        stores = [store.uri for store in wanted.stores]
        yield Step(
            kind=StepKind.ISSUE_SECRET,
            target=f"secret of {name}",
            desired=f"{days:g} d; {' '.join(stores)}",
            title=f"Issue a client secret for {days:g} days and store it in {', '.join(stores)}",
        )
    if (current is None and not elsewhere) or (current is not None and not current.proven):
        yield Step(
            kind=StepKind.PROVE_SECRET,
            target=f"secret of {name}",
            desired="gets a token",
            title="Prove the stored secret by getting a token with it",
        )
    if stale:
        yield Step(
            kind=StepKind.SWEEP_SECRETS,
            target=f"secret of {name}",
            desired="revoke what no store has",
            title=f"Revoke what an interrupted run asked for and never stored: {', '.join(sorted(stale))}",
        )
