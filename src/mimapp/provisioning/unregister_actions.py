"""The steps that take a registration away, each safe to repeat: what is gone already is a success.

Before the two that open something (the policy, the group) it is read once more that nothing needs them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import msgspec

from mimapp.errors import NotFoundError, UnsafePlanError
from mimapp.exchange import Unknown
from mimapp.graph import FULL_ACCESS_AS_APP, Moment
from mimapp.journal import SecretEntry
from mimapp.provisioning.allow_list import entries, replace_list
from mimapp.provisioning.exchange_actions import EWS_NOTE
from mimapp.provisioning.observe import group_address
from mimapp.provisioning.observe_exchange import read_group
from mimapp.provisioning.plan_entra import gone_note
from mimapp.provisioning.rbac_actions import remove_assignment, remove_pointer, remove_scope
from mimapp.provisioning.run import Done
from mimapp.provisioning.scope_notes import FENCE_NOTE, POLICY_NOTE, ROLE_GONE_NOTE, ROLE_NOTE
from mimapp.provisioning.steps import StepKind
from mimapp.provisioning.taking_away import policy_undo, revoke_grant
from mimapp.provisioning.unregister_fence import fence_of, gone_since, group_uses, is_our_group, our_scope
from mimapp.provisioning.unregister_plan import (
    bin_target,
    consent_target,
    our_app_ids,
    our_secrets,
    pointer_target,
    policy_target,
    principal_target,
    role_target,
    secret_target,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from typing import TypeVar

    from mimapp.credentials import Desk
    from mimapp.credentials.listing import Credential
    from mimapp.graph import Application
    from mimapp.provisioning.services import Services
    from mimapp.provisioning.steps import Step
    from mimapp.provisioning.unregister_observe import Holdings
    from mimapp.spec import Registration

    T = TypeVar("T")

__all__ = ["Removal", "act"]


@dataclass(slots=True, kw_only=True)
class Removal:
    """One run of unregister while it is under way.

    Attributes:
        services: the rooms below.
        wanted: the registration.
        holdings: what it held before the run, without what the run has taken away.
        warnings, attention: as in `UnregisterOutcome`.
    """

    services: Services
    wanted: Registration
    holdings: Holdings
    warnings: list[str] = field(default_factory=list)
    attention: list[str] = field(default_factory=list)

    @property
    def application(self) -> Application:
        """The live application; a step that needs it is planned only where there is one."""
        if self.holdings.application is None:
            raise AssertionError("a step on an application in a run that has none")
        return self.holdings.application

    def note(self, fact: str, moment: datetime | None) -> None:
        """Write down since when a fact holds; None forgets it."""
        services = self.services
        services.journal.note_since(services.tenant_id, self.wanted.key, fact, moment)
        state = services.journal.state(services.tenant_id, self.wanted.key)
        self.holdings = replace(self.holdings, journal=state)

    def is_gone(self, app_id: str) -> None:
        """Write down that no application has this client id from now on."""
        self.note(gone_note(app_id), self.services.clock.now())
        self.holdings = replace(
            self.holdings,
            alive=self.holdings.alive - {app_id.lower()},
            held=tuple(one for one in self.holdings.held if one.principal.app_id.lower() != app_id.lower()),
        )


def act(run: Removal, step: Step) -> Done:
    """Take one step."""
    return _ACTIONS[step.kind](run, step)


def _revoke_secret(run: Removal, step: Step) -> Done:
    secret = _one(our_secrets(run.holdings), step, secret_target)
    application, graph = run.application, run.services.graph
    desk = run.services.desk(run.wanted, application.app_id, application.id)
    entry = desk.entry_of(secret.key_id)
    if entry is None:
        # Should the run die now, the next one knows by this which stored value is of no use any more.
        entry = desk.note(_entry(secret, desk), "handed")

    def remove() -> bool | None:
        try:
            return graph.credentials.remove_password(application.id, secret.key_id)
        except NotFoundError:
            return None

    removed = _take(run, f"client secret {secret.label}", remove)
    desk.note(entry, "revoked")
    ends = "" if secret.expires is None else f"valid until {secret.expires:%Y-%m-%d}"
    return Done(detail="revoked" if removed else "was gone", wrote=removed, before=ends)


def _entry(secret: Credential, desk: Desk) -> SecretEntry:
    """What the journal would say of a secret that it does not know."""
    now = desk.clock.now()
    return SecretEntry(
        label=secret.label,
        state="handed",
        application_id=desk.application_id,
        begun=secret.starts or now,
        changed=now,
        key_id=secret.key_id,
        expires=secret.expires,
        stores=secret.stores,
    )


def _take(run: Removal, what: str, take: Callable[[], bool | None]) -> bool:
    """Take something from the live application; `take` gives None where the reply is that there is no application.

    A replica may not know it yet, or any more. The reply is believed when the application lies in the recycle bin, or
    when the time in which a replica may be behind is over and it is not listed either.
    """
    services, application = run.services, run.application
    graph, begun = services.graph, services.clock.now()

    def ask() -> bool | None:
        window_is_over = services.clock.now() >= begun + services.window
        if (taken := take()) is not None:
            return taken
        if any(one.id == application.id for one in graph.deleted.applications()):
            return False
        is_listed = graph.applications.by_app_id(application.app_id) is not None
        return False if window_is_over and not is_listed else None

    return services.http.patience.until(what, "its application is not there, or not known here", ask)


def _revoke_consent(run: Removal, step: Step) -> Done:
    held = _one(run.holdings.held, step, lambda one: consent_target(one.principal.app_id))
    wrote = [revoke_grant(run.services, held.principal, grant.id) for grant in held.grants]
    return Done(
        detail=f"{FULL_ACCESS_AS_APP} taken away" if any(wrote) else "was gone",
        wrote=any(wrote),
        before=FULL_ACCESS_AS_APP,
        undo=f"mimapp register --registration {run.wanted.key} --mailbox {run.wanted.mailbox}",
    )


def _disallow_ews(run: Removal, _step: Step) -> Done:
    """Take our own entry out of the allow list: read again, keep every other id and the order, read back."""
    organization = run.services.exchange.organization
    before = organization.read()
    if isinstance(before.allowed_app_ids, Unknown):
        run.attention.append(
            f"the EWS allow list could not be read again ({before.allowed_app_ids.reason}): run the same command once "
            "more"
        )
        return Done(detail="not written: the list is unknown", wrote=False)
    ours = our_app_ids(run.wanted, run.holdings)
    listed = entries(before)
    wanted = tuple(app_id for app_id in listed if app_id.lower() not in ours)
    if wanted == listed:
        run.note(EWS_NOTE, None)
        return Done(detail="was not listed", wrote=False)
    if not wanted:
        run.warnings.append("the EWS allow list keeps its entry: it is the only one by now")
        return Done(detail="not written: an empty list blocks every application", wrote=False)
    made = replace_list(organization, run.services.http.patience, wanted, without=ours)
    if made.restored:
        run.warnings.append(
            f"the EWS allow list came back without {', '.join(made.restored)}: written again with every other entry"
        )
    still = [app_id for app_id in sorted(ours) if made.settings.lists(app_id)]
    if made.missing or still:
        run.attention.append(
            "somebody else may be writing the EWS allow list at this moment: look at it with Get-OrganizationConfig "
            f"-RetrieveEwsOperationAccessPolicy (missing: {', '.join(made.missing) or 'none'}; still there: "
            f"{', '.join(still) or 'none'})"
        )
    if not still:
        run.note(EWS_NOTE, None)
    former = ",".join(listed)
    return Done(
        detail=f"{len(made.written)} applications are listed; Exchange takes the list in within 24 h",
        before=former,
        undo=f"Set-OrganizationConfig -EwsAllowedAppIDs '{former}'",
    )


def _delete_application(run: Removal, _step: Step) -> Done:
    application = run.application
    applications = run.services.graph.applications
    wrote = _take(run, f"application {application.app_id}", lambda: applications.delete(application.id) or None)
    run.is_gone(application.app_id)
    now = run.services.clock.now()
    moment = Moment.combine(now.date(), now.timetz())
    binned = msgspec.structs.replace(application, deleted_date_time=moment)
    run.holdings = replace(run.holdings, application=None, deleted=(*run.holdings.deleted, binned), credentials=())
    return Done(
        detail="in the recycle bin for 30 days, with its service principal" if wrote else "was gone",
        wrote=wrote,
        before=f"{application.display_name} ({application.app_id})",
        undo=f"mimapp register --registration {run.wanted.key} --mailbox {run.wanted.mailbox} --restore",
    )


def _delete_principal(run: Removal, step: Step) -> Done:
    held = _one(run.holdings.held, step, lambda one: principal_target(one.principal.app_id))
    wrote = run.services.graph.service_principals.delete(held.principal.id)
    run.is_gone(held.principal.app_id)
    return Done(detail="deleted" if wrote else "was gone", wrote=wrote, before=f"object id {held.principal.id}")


def _purge_application(run: Removal, step: Step) -> Done:
    """Delete for good. An application deleted a moment ago may not be in every replica's recycle bin yet."""
    binned = _one(run.holdings.deleted, step, lambda one: bin_target(one.app_id))
    services = run.services
    since = gone_since(run.holdings, binned.app_id) or services.clock.now()
    run.note(gone_note(binned.app_id), since)  # once it is purged, Graph no longer tells since when it is gone

    def ask() -> bool | None:
        window_is_over = services.clock.now() >= since + services.window
        if services.graph.deleted.purge(binned.id):
            return True
        return False if window_is_over else None

    wrote = services.http.patience.until("deleted application", "not in the recycle bin yet", ask)
    run.holdings = replace(run.holdings, deleted=tuple(one for one in run.holdings.deleted if one.id != binned.id))
    return Done(
        detail="gone for good" if wrote else "was gone",
        wrote=wrote,
        before=f"{binned.display_name} ({binned.app_id})",
    )


def _remove_policy(run: Removal, step: Step) -> Done:
    """Remove the policy, when no application has its client id: asked again now, since it is what keeps mail apart.

    Raises:
        UnsafePlanError: an application has the id again.
    """
    policy = _one(run.holdings.policies, step, policy_target)
    graph = run.services.graph
    lives = graph.applications.by_app_id(policy.app_id) or graph.service_principals.by_app_id(policy.app_id)
    if lives is not None:
        raise UnsafePlanError(
            f"the application {policy.app_id} is there again, so its access policy stays",
            hint="run the same command again: it looks at what there is now",
        )
    # What bridged the time in which the policy was not listed is over: it is listed.
    run.note(POLICY_NOTE, None)
    run.note(FENCE_NOTE, None)
    wrote = run.services.exchange.access_policies.remove(policy.identity)
    left = tuple(one for one in run.holdings.policies if one.identity != policy.identity)
    run.holdings = replace(run.holdings, policies=left)
    return Done(
        detail="removed" if wrote else "was gone",
        wrote=wrote,
        before=f"{policy.access_right} of {policy.app_id} to {policy.scope_name or policy.scope_identity}",
        undo=policy_undo(policy, group_address(run.wanted, run.wanted.mailbox)),
    )


def _remove_role(run: Removal, step: Step) -> Done:
    """Take one role assignment away. The time is written down first: it may act for two hours from the request on."""
    role = _one(run.holdings.roles, step, role_target)
    run.note(ROLE_GONE_NOTE, run.services.clock.now())
    wrote = remove_assignment(run.services, role)
    run.note(ROLE_NOTE, None)
    run.note(FENCE_NOTE, None)
    left = tuple(one for one in run.holdings.roles if one.name != role.name)
    others = run.holdings.assignments
    run.holdings = replace(
        run.holdings,
        roles=left,
        assignments=None if others is None else tuple(one for one in others if one.name != role.name),
    )
    return Done(
        detail="removed; it may act for two hours more" if wrote else "was gone",
        wrote=wrote,
        before=f"{role.role} of {role.role_assignee_name}",
        undo=f"mimapp register --scope rbac --registration {run.wanted.key} --mailbox {run.wanted.mailbox}",
    )


def _remove_pointer(run: Removal, step: Step) -> Done:
    pointer = _one(run.holdings.pointers, step, pointer_target)
    wrote = remove_pointer(run.services, run.wanted, pointer.app_id)
    left = tuple(one for one in run.holdings.pointers if one.app_id != pointer.app_id)
    run.holdings = replace(run.holdings, pointers=left)
    return Done(detail="removed" if wrote else "was gone", wrote=wrote, before=f"service principal {pointer.object_id}")


def _remove_scope(run: Removal, _step: Step) -> Done:
    """Remove our management scope, unless an assignment has come to use it: asked again now."""
    scope = our_scope(run.wanted, run.holdings)
    run.holdings = replace(run.holdings, assignments=run.services.exchange.rbac.every_assignment())
    fence = fence_of(run.wanted, run.holdings, run.services.clock.now())
    if scope is None or fence.scope is None:
        return Done(detail="kept: something else uses it by now", wrote=False)
    wrote = remove_scope(run.services, run.wanted)
    left = tuple(one for one in run.holdings.scopes or () if one is not scope)
    run.holdings = replace(run.holdings, scopes=left)
    return Done(
        detail="removed" if wrote else "was gone",
        wrote=wrote,
        before=scope.recipient_filter,
        undo=f'New-ManagementScope -Name {scope.name} -RecipientRestrictionFilter "{scope.recipient_filter}"',
    )


def _remove_group(run: Removal, _step: Step) -> Done:
    """Delete the group, which has no recycle bin, unless something else has come to use it."""
    exchange = run.services.exchange
    address = group_address(run.wanted, run.wanted.mailbox)
    found = read_group(run.services, address)
    listed = exchange.access_policies.list()
    run.holdings = replace(run.holdings, group=found, policies=tuple(listed))
    if found is None:
        return Done(detail="was gone", wrote=False)
    uses = list(group_uses(run.wanted, run.holdings))
    if uses or not is_our_group(run.wanted, found):
        return Done(detail="kept: something else uses it by now", wrote=False)
    wrote = exchange.groups.delete(found.group.guid or address)
    run.holdings = replace(run.holdings, group=None)
    members = ", ".join(member.primary_smtp_address or member.name for member in found.members)
    return Done(
        detail="deleted" if wrote else "was gone",
        wrote=wrote,
        before=f"members: {members or 'none'}; notes: {found.notes or 'none'}",
    )


def _forget_secret(run: Removal, _step: Step) -> Done:
    """Remove the values of secrets that Entra no longer has."""
    by_uri = {store.uri: store for store in run.services.stores}
    for uri, key_id in run.holdings.stored:
        by_uri[uri].forget(key_id)
    run.holdings = replace(run.holdings, stored=())
    return Done(detail="removed from this machine's stores")


def _one(found: Iterable[T], step: Step, target_of: Callable[[T], str]) -> T:
    """The object that a step names; the plan was made from the same holdings."""
    return next(one for one in found if target_of(one) == step.target)


_ACTIONS: Mapping[StepKind, Callable[[Removal, Step], Done]] = {
    StepKind.REVOKE_SECRET: _revoke_secret,
    StepKind.REVOKE_CONSENT: _revoke_consent,
    StepKind.DISALLOW_EWS: _disallow_ews,
    StepKind.DELETE_APPLICATION: _delete_application,
    StepKind.DELETE_PRINCIPAL: _delete_principal,
    StepKind.PURGE_APPLICATION: _purge_application,
    StepKind.REMOVE_ROLE: _remove_role,
    StepKind.REMOVE_POLICY: _remove_policy,
    StepKind.REMOVE_POINTER: _remove_pointer,
    StepKind.REMOVE_SCOPE: _remove_scope,
    StepKind.REMOVE_GROUP: _remove_group,
    StepKind.FORGET_SECRET: _forget_secret,
}
