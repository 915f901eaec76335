"""From what is wanted and what was seen to what is to be done: a pure function, and the plan it makes.

The order of the steps is a safety rule: restrict first, consent last. The application exists without a grant until
the fence stands; the secret comes after it, and what an interrupted run left is looked for at the very end, so that
mail never waits for it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from mimapp import __version__
from mimapp.errors import UnsafePlanError, UsageError
from mimapp.graph import EXCHANGE_ONLINE_APP_ID, FULL_ACCESS_AS_APP, MICROSOFT_GRAPH_APP_ID, USER_READ_ID
from mimapp.provisioning.ews import judge
from mimapp.provisioning.observe import group_address
from mimapp.provisioning.steps import Step, StepKind
from mimapp.spec import mailbox_of_tags, registration_of_tags

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mimapp.clouds import Cloud
    from mimapp.exchange import AccessPolicy
    from mimapp.graph import Application
    from mimapp.provisioning.observe import Observed, ObservedGroup, ObservedSecret
    from mimapp.spec import Registration

__all__ = [
    "POLICY_NOTE",
    "Plan",
    "application_differences",
    "current_secret",
    "group_problem",
    "make_plan",
    "restricts_to",
]

#: Under this name the journal keeps when the access policy's creation was acknowledged.
POLICY_NOTE = "policy acknowledged"
#: A policy may stay unlisted for hours (microsoft-graph-docs#6260, #16801); a day later it is taken for gone.
_LIST_LAG = timedelta(days=1)
_RESTRICT = "RestrictAccess"
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done in one tenant, in order; printable, and without secrets.

    Attributes:
        tenant_id: the tenant's GUID.
        tenant_name: its initial domain.
        operator: who is signed in.
        wanted: the registration.
        observed: what the plan was made from.
        steps: what is to be done; empty when the tenant is right.
        warnings: what somebody should know before saying yes.
    """

    tenant_id: str
    tenant_name: str
    operator: str
    wanted: Registration
    observed: Observed
    steps: tuple[Step, ...]
    warnings: tuple[str, ...]

    @property
    def writes(self) -> int:
        """How many of the steps change the tenant."""
        return sum(step.kind.writes for step in self.steps)

    @property
    def fingerprint(self) -> str:
        """A hash of tenant, version and steps: two plans with the same one do the same."""
        covered = [self.tenant_id.lower(), __version__, [step.identity for step in self.steps]]
        return hashlib.sha256(json.dumps(covered).encode()).hexdigest()[:16]

    def takes_only_steps_of(self, shown: Plan) -> bool:
        """Whether it does nothing that was not shown; fewer steps are fine."""
        known = {step.identity for step in shown.steps}
        return self.tenant_id == shown.tenant_id and all(step.identity in known for step in self.steps)

    def raise_if_impossible(self) -> None:
        """Refuse before the first write what would fail in the middle.

        Raises:
            UsageError: a group has to be made and nobody can own it.
        """
        owner = self.observed.group_owner
        if isinstance(owner, UsageError) and any(step.kind is StepKind.CREATE_GROUP for step in self.steps):
            raise owner

    def __str__(self) -> str:
        if not self.steps:
            return f"nothing to do in {self.tenant_name}"
        lines = [f"{number:2}. {step.title}" for number, step in enumerate(self.steps, 1)]
        return "\n".join([f"plan {self.fingerprint} for {self.tenant_name} ({self.operator}):", *lines])


def make_plan(
    wanted: Registration, observed: Observed, now: datetime, *, tenant_id: str, operator: str, cloud: Cloud
) -> Plan:
    """What has to be done for this registration.

    Raises:
        UnsafePlanError: something in the tenant has to be decided by a person first; nothing was changed.
    """
    _check_marks(wanted, observed)
    if observed.group is not None and (problem := group_problem(wanted, observed.group)) is not None:
        raise problem
    steps = (
        *_application_steps(wanted, observed),
        *_fence_steps(wanted, observed, now),
        *_ews_steps(wanted, observed, cloud),
        *_secret_steps(wanted, observed),
    )
    return Plan(
        tenant_id=tenant_id,
        tenant_name=tenant_name(observed) or tenant_id,
        operator=operator,
        wanted=wanted,
        observed=observed,
        steps=steps,
        warnings=tuple(_warnings(observed)),
    )


def application_differences(wanted: Registration, application: Application, role_id: str) -> tuple[str, ...]:
    """What is to be put right on an application that mimapp made, by name; never what somebody else added."""
    access = {
        (resource.resource_app_id, item.id)
        for resource in application.required_resource_access or ()
        for item in resource.resource_access
    }
    lock = application.service_principal_lock_configuration
    found = {
        "the permission": (EXCHANGE_ONLINE_APP_ID, role_id) not in access,
        "User.Read (removed)": (MICROSOFT_GRAPH_APP_ID, USER_READ_ID) in access,
        "its tags": not set(wanted.tags) <= set(application.tags or ()),
        "the property lock": lock is None or not lock.is_enabled or not lock.all_properties,
    }
    return tuple(name for name, differs in found.items() if differs)


def current_secret(secrets: tuple[ObservedSecret, ...]) -> ObservedSecret | None:
    """The secret of ours that a store of this run has, the one that lives longest; None when there is none."""
    here = [secret for secret in secrets if secret.is_ours and secret.is_here and not secret.refused]
    return max(here, key=lambda secret: (secret.expires or _NEVER, secret.key_id), default=None)


def group_problem(wanted: Registration, found: ObservedGroup) -> UnsafePlanError | None:
    """Why the group at our address cannot be our fence, or None.

    The mark in its notes says whose it is. Whether `Get-Group` gives the notes back is unverified: where it does not,
    a group whose only member is the mailbox, or that is empty, counts as ours.
    """
    address = group_address(wanted, wanted.mailbox)
    way_out = "look at what the group is for, then name another registration with --registration KEY"
    if not found.group.is_security:
        return UnsafePlanError(
            f"{address} is of kind {found.group.recipient_type_details or 'unknown'}, and an access policy needs a "
            "mail-enabled security group",
            hint=way_out,
        )
    if found.notes and wanted.mark not in found.notes.split():
        return UnsafePlanError(f"the group {address} exists and is not this registration's", hint=way_out)
    mailbox = wanted.mailbox.lower()
    others = [member for member in found.members if member.primary_smtp_address.lower() != mailbox]
    if others:
        return UnsafePlanError(
            f"the group {address} has members besides {wanted.mailbox}: the application would reach their mailboxes",
            hint="remove them from the group, or name another registration with --registration KEY",
            details=[f"member: {member.primary_smtp_address or member.name}" for member in others],
        )
    return None


def tenant_name(observed: Observed) -> str | None:
    """The tenant's initial domain, the one ending in ``onmicrosoft.com`` in the worldwide cloud."""
    domains = observed.organization.verified_domains or ()
    return next((domain.name for domain in domains if domain.is_initial), None)


def restricts_to(policy: AccessPolicy, found: ObservedGroup | None) -> bool:
    """Whether a policy of the application is the restriction to this group.

    The part of `ScopeIdentityRaw` after the semicolon is compared with the group's Entra id [unverified rule]; a group
    so new that its id is missing matches any restriction of the application.
    """
    if found is None or policy.access_right != _RESTRICT:
        return False
    ids = (found.group.external_directory_object_id.lower(), policy.scope_group_object_id.lower())
    return "" in ids or ids[0] == ids[1]


def _check_marks(wanted: Registration, observed: Observed) -> None:
    application = observed.application
    if application is None:
        return
    tags = tuple(application.tags or ())
    marked_for, mailbox = registration_of_tags(tags), mailbox_of_tags(tags)
    if marked_for not in {None, wanted.key} or mailbox not in {None, wanted.mailbox.lower()}:
        raise UnsafePlanError(
            f"the application {wanted.unique_name} belongs to registration {marked_for or wanted.key!r} of mailbox "
            f"{mailbox or 'unknown'}",
            hint="give this mailbox a registration of its own with --registration KEY",
        )


def _application_steps(wanted: Registration, observed: Observed) -> Iterator[Step]:
    name = wanted.unique_name
    application = observed.application
    if application is None:
        yield Step(
            kind=StepKind.CREATE_APPLICATION,
            target=f"application {name}",
            desired=f"{wanted.display_name}; AzureADMyOrg; {FULL_ACCESS_AS_APP}; {' '.join(wanted.tags)}",
            title=f"Register the application “{wanted.display_name}”, its only permission {FULL_ACCESS_AS_APP}",
        )
    elif differs := application_differences(wanted, application, observed.resource.role_id):
        yield Step(
            kind=StepKind.CORRECT_APPLICATION,
            target=f"application {name}",
            desired=", ".join(differs),
            title=f"Put right on the application: {', '.join(differs)}",
        )
    if wanted.owner is not None and not _is_owner(wanted.owner, observed):
        yield Step(
            kind=StepKind.ADD_OWNER,
            target=f"application {name}",
            desired=f"owner {wanted.owner.lower()}",
            title=f"Make {wanted.owner} an owner of the application",
        )
    principal = observed.principal
    if principal is None:
        yield Step(
            kind=StepKind.CREATE_PRINCIPAL,
            target=f"service principal of {name}",
            desired=" ".join(wanted.tags),
            title="Create its service principal",
        )
    elif not set(wanted.tags) <= set(principal.tags or ()):
        yield Step(
            kind=StepKind.TAG_PRINCIPAL,
            target=f"service principal of {name}",
            desired=" ".join(wanted.tags),
            title="Mark its service principal as this registration's",
        )


def _is_owner(owner: str, observed: Observed) -> bool:
    names = {
        name.lower() for found in observed.owners for name in (found.id, found.user_principal_name) if name is not None
    }
    return owner.lower() in names


def _fence_steps(wanted: Registration, observed: Observed, now: datetime) -> Iterator[Step]:
    name = wanted.unique_name
    address = group_address(wanted, wanted.mailbox)
    yield from _group_steps(wanted, observed, address)
    has_policy = any(restricts_to(policy, observed.group) for policy in observed.policies)
    acknowledged = observed.journal.since.get(POLICY_NOTE)
    may_be_unlisted = acknowledged is not None and now < acknowledged + _LIST_LAG
    if not has_policy and not (may_be_unlisted and observed.application is not None):
        yield Step(
            kind=StepKind.CREATE_POLICY,
            target=f"access policy of {name}",
            desired=f"RestrictAccess {address}",
            title=f"Restrict the application to the members of {address}",
        )
    if not (has_policy and observed.fence_stands):
        yield Step(
            kind=StepKind.STAND_FENCE,
            target=f"fence of {name}",
            desired=f"granted {wanted.mailbox.lower()}, denied elsewhere",
            title=f"Wait until Exchange grants {wanted.mailbox} and denies another mailbox",
        )
    if not observed.granted:
        yield Step(
            kind=StepKind.GRANT_CONSENT,
            target=f"consent of {name}",
            desired=FULL_ACCESS_AS_APP,
            title=f"Grant admin consent for {FULL_ACCESS_AS_APP}",
        )


def _group_steps(wanted: Registration, observed: Observed, address: str) -> Iterator[Step]:
    found = observed.group
    if found is None:
        yield Step(
            kind=StepKind.CREATE_GROUP,
            target=f"group {address}",
            desired=f"member {wanted.mailbox.lower()}; owner {str(observed.group_owner).lower()}; {wanted.mark}",
            title=f"Create the security group {address}, its only member {wanted.mailbox}",
        )
    elif not found.members:
        yield Step(
            kind=StepKind.ADD_MEMBER,
            target=f"group {address}",
            desired=f"member {wanted.mailbox.lower()}",
            title=f"Add {wanted.mailbox} to the group {address}, which is empty",
        )
    if found is None or not found.group.hidden_from_address_lists_enabled:
        yield Step(
            kind=StepKind.HIDE_GROUP,
            target=f"group {address}",
            desired="hidden from address lists",
            title="Hide the group from address lists",
        )


def _ews_steps(wanted: Registration, observed: Observed, cloud: Cloud) -> Iterator[Step]:
    app_id = None if observed.application is None else observed.application.app_id
    if judge(observed.ews, app_id, cloud).may_append:
        yield Step(
            kind=StepKind.ALLOW_EWS,
            target="organization EwsAllowedAppIDs",
            desired=f"lists {wanted.unique_name}",
            title="Append the application to the tenant's EWS allow list",
        )


def _secret_steps(wanted: Registration, observed: Observed) -> Iterator[Step]:
    name = wanted.unique_name
    current = current_secret(observed.secrets)
    stale = set(observed.stale_labels)
    elsewhere = any(s.is_ours and not s.is_here and not s.refused and s.label not in stale for s in observed.secrets)
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


def _warnings(observed: Observed) -> Iterator[str]:
    if not observed.resource.has_known_role_id:
        yield (
            f"{FULL_ACCESS_AS_APP} has the id {observed.resource.role_id} here, not the one Microsoft's page gives; "
            "it was found by its name"
        )
    if observed.outside is None:
        yield "this tenant has no other mailbox, so nothing can show that the application is denied elsewhere"
    if observed.granted and not observed.fence_stands:
        yield "the application is consented to and its fence does not stand: until it does, it may read every mailbox"
