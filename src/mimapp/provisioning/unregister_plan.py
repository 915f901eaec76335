"""From what a registration holds to the steps that take it away, in the one order that leaves no grant without a fence.

Secrets, role and grant, allow-list entry, application; then, only when the application is gone and its last token has
expired, policy, pointer, management scope and group. What has to stay for now is no step: it is told beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mimapp.credentials.listing import Owner
from mimapp.errors import UnsafePlanError
from mimapp.exchange import Unknown
from mimapp.graph import (
    EXCHANGE_ONLINE_APP_ID,
    FULL_ACCESS_AS_APP,
    FULL_ACCESS_AS_APP_ID,
    MICROSOFT_GRAPH_APP_ID,
    USER_READ_ID,
)
from mimapp.provisioning.allow_list import entries
from mimapp.provisioning.plan_entra import gone_note
from mimapp.provisioning.planned import Planned
from mimapp.provisioning.steps import Step, StepKind
from mimapp.provisioning.unregister_fence import fence_of
from mimapp.provisioning.unregister_observe import is_marked
from mimapp.spec import ADOPTED_TAG

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from mimapp.credentials.listing import Credential
    from mimapp.exchange import AccessPolicy, RoleAssignment, ServicePrincipalPointer
    from mimapp.graph import Application
    from mimapp.provisioning.unregister_fence import Fence, Kept
    from mimapp.provisioning.unregister_observe import Holdings
    from mimapp.spec import Registration

__all__ = [
    "UnregisterPlan",
    "application_target",
    "bin_target",
    "consent_target",
    "make_unregister_plan",
    "our_app_ids",
    "our_secrets",
    "pointer_target",
    "policy_target",
    "principal_target",
    "role_target",
    "secret_target",
]

#: What an application for MIM asks for; the portal adds the second.
_MIM_ASKS_FOR = {(EXCHANGE_ONLINE_APP_ID, FULL_ACCESS_AS_APP_ID), (MICROSOFT_GRAPH_APP_ID, USER_READ_ID)}


@dataclass(frozen=True, slots=True, kw_only=True)
class UnregisterPlan(Planned):
    """What `unregister` is to take away now.

    Attributes:
        holdings: what the plan was made from.
        purge: whether the application is deleted for good.
        kept: what stays, and why.
        unknown_since: client ids whose application is gone nobody knows since when: the run writes the moment down.
    """

    command: ClassVar[str] = "unregister"

    holdings: Holdings
    purge: bool
    kept: tuple[Kept, ...]
    unknown_since: tuple[str, ...]

    @property
    def choices(self) -> frozenset[str]:
        """As the command has them."""
        return frozenset({"purge"} if self.purge else ())


def make_unregister_plan(
    wanted: Registration,
    holdings: Holdings,
    now: datetime,
    *,
    purge: bool,
    tenant_id: str,
    operator: str,
    exchange_operator: str | None = None,
    tenant: str | None = None,
) -> UnregisterPlan:
    """What is to be taken away, in order.

    Args:
        wanted: the registration; `app_id` names an application that lost its mark, or that has another use besides.
        holdings: what it holds.
        now: the moment.
        purge: delete the application for good too.
        tenant_id: the tenant's GUID.
        operator: who is signed in to Entra.
        exchange_operator: who is signed in to Exchange, where that is another account.
        tenant: how the operator called the tenant, where it does not tell its name.

    Raises:
        UnsafePlanError: the application was taken over and is used for something else besides.
    """
    if holdings.application is not None and wanted.app_id is None:
        _check_other_uses(holdings, holdings.application)
    fence = fence_of(wanted, holdings, now)
    return UnregisterPlan(
        tenant_id=tenant_id,
        tenant_name=holdings.tenant_name or tenant or tenant_id,
        operator=operator,
        exchange_operator=exchange_operator,
        wanted=wanted,
        steps=(
            *_access_steps(wanted, holdings),
            *_application_steps(holdings, purge=purge),
            *_fence_steps(fence),
            *_forget_steps(wanted, holdings),
        ),
        warnings=(*_warnings(wanted, holdings, purge=purge), *(str(kept) for kept in fence.kept)),
        holdings=holdings,
        purge=purge,
        kept=fence.kept,
        unknown_since=fence.unknown_since,
    )


def our_app_ids(wanted: Registration, holdings: Holdings) -> frozenset[str]:
    """The client ids that this registration has or had, in lower case; none that another application lives under."""
    own = {one.app_id.lower() for one in (holdings.application, *holdings.deleted) if one is not None}
    own |= {held.principal.app_id.lower() for held in holdings.held}
    marked = {policy.app_id.lower() for policy in holdings.policies if is_marked(policy, wanted)}
    remembered = {entry.application_id.lower() for entry in holdings.journal.secrets}
    return frozenset(own | ((marked | remembered) - holdings.alive))


def our_secrets(holdings: Holdings) -> tuple[Credential, ...]:
    """The client secrets that mimapp issued, here or elsewhere."""
    return tuple(
        one
        for one in holdings.credentials
        if one.kind == "password" and one.on == "application" and one.owner is not Owner.FOREIGN
    )


def secret_target(secret: Credential) -> str:
    """A client secret, as a step names it."""
    return f"client secret {secret.label} ({secret.key_id})"


def consent_target(app_id: str) -> str:
    """The consent to an application."""
    return f"consent of application {app_id}"


def application_target(app_id: str) -> str:
    """A live application."""
    return f"application {app_id}"


def bin_target(app_id: str) -> str:
    """An application in the recycle bin."""
    return f"deleted application {app_id}"


def principal_target(app_id: str) -> str:
    """A service principal."""
    return f"service principal of application {app_id}"


def role_target(role: RoleAssignment) -> str:
    """A role assignment."""
    return f"role assignment {role.name}"


def pointer_target(pointer: ServicePrincipalPointer) -> str:
    """Exchange's pointer to a service principal."""
    return f"Exchange's pointer to application {pointer.app_id}"


def policy_target(policy: AccessPolicy) -> str:
    """An access policy."""
    return f"access policy {policy.identity}"


def _check_other_uses(holdings: Holdings, application: Application) -> None:
    """Refuse to delete an application that somebody else made, and that does something else as well."""
    if ADOPTED_TAG not in (application.tags or ()):
        return
    uses = list(_other_uses(holdings, application))
    if uses:
        raise UnsafePlanError(
            f"the application {application.app_id} was taken over, and is used for something else besides",
            hint=f"add --app-id {application.app_id} to delete it all the same; it can be restored for 30 days",
            details=uses,
        )


def _other_uses(holdings: Holdings, application: Application) -> Iterator[str]:
    for client in (application.web, application.spa, application.public_client):
        for uri in (client.redirect_uris or ()) if client is not None else ():
            yield f"redirect URI {uri}"
    for resource in application.required_resource_access or ():
        for access in resource.resource_access:
            if (resource.resource_app_id, access.id) not in _MIM_ASKS_FOR:
                yield f"permission {access.id} on {resource.resource_app_id}"
    for held in holdings.held:
        for grant in held.others:
            yield f"application role {grant.app_role_id} on {grant.resource_display_name or grant.resource_id}"
    for role in holdings.other_roles:
        yield f"role {role.role} in Exchange"


def _access_steps(wanted: Registration, holdings: Holdings) -> Iterator[Step]:
    """Secrets, role, grant and allow-list entry: what lets somebody in."""
    for secret in our_secrets(holdings):
        yield Step(
            kind=StepKind.REVOKE_SECRET,
            target=secret_target(secret),
            desired="revoked",
            title=f"Revoke the client secret {secret.label}",
        )
    for role in holdings.roles:
        yield Step(
            kind=StepKind.REMOVE_ROLE,
            target=role_target(role),
            desired="removed",
            title=f"Take the role “{role.role}” away: the assignment {role.name}",
        )
    for held in holdings.held:
        if held.grants:
            app_id = held.principal.app_id
            yield Step(
                kind=StepKind.REVOKE_CONSENT,
                target=consent_target(app_id),
                desired=f"without {FULL_ACCESS_AS_APP}",
                title=f"Take {FULL_ACCESS_AS_APP} away from application {app_id}",
            )
    listed, others = _ews_entries(wanted, holdings)
    if listed and others and holdings.ews_is_ours:
        yield Step(
            kind=StepKind.DISALLOW_EWS,
            target="organization EwsAllowedAppIDs",
            desired=f"without {' '.join(sorted(listed))}",
            title="Take the application out of the tenant's EWS allow list",
        )


def _ews_entries(wanted: Registration, holdings: Holdings) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Our entries in the allow list, and everybody else's."""
    ours = our_app_ids(wanted, holdings)
    every = entries(holdings.ews)
    return tuple(one for one in every if one.lower() in ours), tuple(one for one in every if one.lower() not in ours)


def _application_steps(holdings: Holdings, *, purge: bool) -> Iterator[Step]:
    application = holdings.application
    if application is not None:
        yield Step(
            kind=StepKind.DELETE_APPLICATION,
            target=application_target(application.app_id),
            desired="in the recycle bin",
            title=f"Put the application “{application.display_name}” ({application.app_id}) into the recycle bin",
        )
    for held in holdings.held:
        app_id = held.principal.app_id
        if application is None or app_id.lower() != application.app_id.lower():
            yield Step(
                kind=StepKind.DELETE_PRINCIPAL,
                target=principal_target(app_id),
                desired="deleted",
                title=f"Delete the service principal of {app_id}, whose application is gone",
            )
    for one in (application, *holdings.deleted) if purge else ():
        if one is not None:
            yield Step(
                kind=StepKind.PURGE_APPLICATION,
                target=bin_target(one.app_id),
                desired="gone for good",
                title=f"Delete the application {one.app_id} for good",
            )


def _fence_steps(fence: Fence) -> Iterator[Step]:
    for policy in fence.policies:
        yield Step(
            kind=StepKind.REMOVE_POLICY,
            target=policy_target(policy),
            desired="removed",
            title=f"Remove the access policy of application {policy.app_id}, which is gone",
        )
    for pointer in fence.pointers:
        yield Step(
            kind=StepKind.REMOVE_POINTER,
            target=pointer_target(pointer),
            desired="removed",
            title=f"Remove Exchange's pointer to application {pointer.app_id}, which is gone",
        )
    if fence.scope is not None:
        yield Step(
            kind=StepKind.REMOVE_SCOPE,
            target=f"management scope {fence.scope.name}",
            desired="removed",
            title=f"Remove the management scope {fence.scope.name}",
        )
    if (group := fence.group) is not None:
        yield Step(
            kind=StepKind.REMOVE_GROUP,
            target=f"group {group.primary_smtp_address}",
            desired="deleted",
            title=f"Delete the group {group.primary_smtp_address}",
        )


def _forget_steps(wanted: Registration, holdings: Holdings) -> Iterator[Step]:
    if holdings.stored:
        stores = sorted({uri for uri, _ in holdings.stored})
        yield Step(
            kind=StepKind.FORGET_SECRET,
            target=f"stored secret of {wanted.unique_name}",
            desired=f"not in {' '.join(stores)}",
            title=f"Remove the revoked secret's value from {', '.join(stores)}",
        )


def _warnings(wanted: Registration, holdings: Holdings, *, purge: bool) -> Iterator[str]:
    for credential in holdings.credentials:
        if credential.owner is Owner.FOREIGN:
            name = credential.label or credential.key_id
            yield (
                f"the {credential.kind} credential {name} is not mimapp's: it is not removed, and of no use any more "
                "once its application is gone"
            )
    yield from _other_rights(holdings)
    yield from _ews_warnings(wanted, holdings)
    if not purge and holdings.policies:
        for one in holdings.deleted:
            if gone_note(one.app_id) not in holdings.journal.since:
                yield (
                    f"application {one.app_id} is in the recycle bin, and this machine did not put it there: should "
                    "it be restored, look at its consent first; --purge deletes it for good"
                )
    if holdings.scopes is None or holdings.assignments is None:
        yield (
            "this account may not read management scopes and role assignments: a role of the application goes with its "
            "service principal, an assignment or a scope of mimapp's name may stay, and others may use the group unseen"
        )
    for reason in holdings.unreadable_stores:
        yield f"a stored secret may be left: {reason}"


def _other_rights(holdings: Holdings) -> Iterator[str]:
    """What the application may do besides, in Entra and in Exchange."""
    for held in holdings.held:
        for grant in held.others:
            resource = grant.resource_display_name or grant.resource_id
            yield f"the application also holds the role {grant.app_role_id} on {resource}, which goes with it"
    for role in holdings.other_roles:
        yield f"the application also holds the role {role.role} in Exchange, which goes with it"


def _ews_warnings(wanted: Registration, holdings: Holdings) -> Iterator[str]:
    listed, others = _ews_entries(wanted, holdings)
    if isinstance(holdings.ews.allowed_app_ids, Unknown):
        if holdings.ews_is_ours:
            yield (
                "the EWS allow list could not be read, so mimapp's entry stays in it: "
                f"{holdings.ews.allowed_app_ids.reason}"
            )
    elif listed and not others:
        yield "the EWS allow list keeps its entry: it is the only one, and an empty list blocks every application"
    elif listed and not holdings.ews_is_ours:
        yield (
            f"the EWS allow list keeps {', '.join(listed)}: this machine's journal does not say that mimapp added it; "
            f"without it: Set-OrganizationConfig -EwsAllowedAppIDs '{','.join(others)}'"
        )
