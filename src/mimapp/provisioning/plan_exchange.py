"""The steps that Exchange needs: the group, the access policy on it, the fence, and the EWS list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.errors import UnsafePlanError
from mimapp.provisioning.ews import judge
from mimapp.provisioning.observe import group_address
from mimapp.provisioning.rbac_view import role_problem
from mimapp.provisioning.scope_notes import unlisted_until
from mimapp.provisioning.steps import Step, StepKind
from mimapp.spec import Scope

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from mimapp.clouds import Cloud
    from mimapp.exchange import AccessPolicy
    from mimapp.provisioning.observe import ExchangeView, Observed, ObservedGroup
    from mimapp.provisioning.rbac_view import RoleView
    from mimapp.spec import Registration

__all__ = [
    "beside_problem",
    "ews_steps",
    "fence_steps",
    "group_problem",
    "group_steps",
    "makes_application",
    "owners_line",
    "restricts_to",
    "stand_step",
]

_RESTRICT = "RestrictAccess"
_DENY = "DenyAccess"


def group_problem(wanted: Registration, found: ObservedGroup) -> UnsafePlanError | None:
    """Why the group at our address cannot be our fence, or None.

    The mark in its notes says whose it is. Whether `Get-Group` gives the notes back is unverified: where it does not,
    a group whose only member is the mailbox, or that is empty, counts as ours.
    """
    address = group_address(wanted, wanted.mailbox)
    way_out = "look at what the group is for, then name another registration with --registration KEY"
    if not found.group.is_security and wanted.scope is not Scope.RBAC:  # a role takes every kind of group
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


def restricts_to(policy: AccessPolicy, found: ObservedGroup | None) -> bool:
    """Whether a policy of the application is the restriction to this group.

    The part of `ScopeIdentityRaw` after the semicolon is compared with the group's Entra id [unverified rule]; a group
    so new that its id is missing matches any restriction of the application.
    """
    if found is None or policy.access_right != _RESTRICT:
        return False
    ids = (found.group.external_directory_object_id.lower(), policy.scope_group_object_id.lower())
    return "" in ids or ids[0] == ids[1]


def fence_steps(wanted: Registration, observed: Observed, seen: ExchangeView, now: datetime) -> Iterator[Step]:
    """What is missing of the fence; the group alone where there is no application to fence in yet.

    Raises:
        UnsafePlanError: the group at our address cannot be the fence, or something beside it undoes what it does.
    """
    yield from group_steps(wanted, seen)
    name, address = wanted.unique_name, group_address(wanted, wanted.mailbox)
    if observed.application_id is None and not makes_application(wanted, observed):
        return
    problem = beside_problem(
        wanted,
        group=seen.group,
        policies=seen.policies,
        roles=seen.roles,
        inside_granted=seen.inside_granted,
        is_adopted=observed.entra is not None and observed.entra.is_adopted,
    )
    if problem is not None:
        raise problem
    has_policy = any(restricts_to(policy, seen.group) for policy in seen.policies)
    until = unlisted_until(observed.journal)
    may_be_unlisted = until is not None and now < until
    if not has_policy and not (may_be_unlisted and observed.application_id is not None):
        yield Step(
            kind=StepKind.CREATE_POLICY,
            target=f"access policy of {name}",
            desired=f"RestrictAccess {address}",
            title=f"Restrict the application to the members of {address}",
        )
    if not (has_policy and seen.fence_stands):
        yield stand_step(wanted)


def stand_step(wanted: Registration) -> Step:
    """The step that waits for the service's own test of the fence."""
    return Step(
        kind=StepKind.STAND_FENCE,
        target=f"fence of {wanted.unique_name}",
        desired=f"granted {wanted.mailbox.lower()}, denied elsewhere",
        title=f"Wait until Exchange grants {wanted.mailbox} and denies another mailbox",
    )


def ews_steps(wanted: Registration, observed: Observed, seen: ExchangeView, cloud: Cloud) -> Iterator[Step]:
    """The entry in the EWS allow list, where adding it takes nothing from anybody."""
    may_exist = observed.application_id is not None or wanted.only is None
    if may_exist and judge(seen.ews, observed.application_id, cloud).may_append:
        yield Step(
            kind=StepKind.ALLOW_EWS,
            target="organization EwsAllowedAppIDs",
            desired=f"lists {wanted.unique_name}",
            title="Append the application to the tenant's EWS allow list",
        )


def beside_problem(
    wanted: Registration,
    *,
    group: ObservedGroup | None,
    policies: tuple[AccessPolicy, ...],
    roles: RoleView | None,
    inside_granted: bool | None,
    is_adopted: bool,
) -> UnsafePlanError | None:
    """What undoes the fence although it stands, or None: roles and restrictions add up, a denial beats them.

    Args:
        wanted: the registration.
        group: the scoping group, or None.
        policies: every access policy of the application.
        roles: what it holds by role; None where that is not known.
        inside_granted: what the test cmdlet says of the mailbox; None where it was not asked.
        is_adopted: whether somebody else made the application: what it is used for besides was asked about then.
    """
    known = None if group is None else group.group
    if roles is not None and (problem := role_problem(wanted, roles, known)) is not None:
        return problem
    denying = [policy for policy in policies if policy.access_right == _DENY]
    if denying and inside_granted is False:
        return UnsafePlanError(
            f"Exchange denies the application {wanted.mailbox}, and it has a DenyAccess policy, which beats every "
            "restriction",
            hint="look at what it is for; if nobody needs it: "
            f"Remove-ApplicationAccessPolicy -Identity '{denying[0].identity}'",
            details=[f"DenyAccess on {policy.scope_name or policy.scope_identity}" for policy in denying],
        )
    further = [
        policy
        for policy in policies
        if policy.access_right == _RESTRICT
        and not restricts_to(policy, group)
        and wanted.mark not in policy.description.split()
    ]
    if is_adopted or not further:
        return None
    return UnsafePlanError(
        "further access policies let the application into other mailboxes: restrictions add up",
        hint="look at what they are for; if nobody needs them: "
        f"Remove-ApplicationAccessPolicy -Identity '{further[0].identity}'",
        details=[f"RestrictAccess on {policy.scope_name or policy.scope_identity}" for policy in further],
    )


def owners_line(found: ObservedGroup | None) -> str | None:
    """That the scoping group has more owners than mimapp gives it, or None."""
    if found is None or len(found.group.managed_by) < 2:  # noqa: PLR2004 - mimapp names one
        return None
    return (
        f"the group {found.group.primary_smtp_address} is owned by {', '.join(found.group.managed_by)}: each of them "
        "can put mailboxes into it, and mimapp names one"
    )


def makes_application(wanted: Registration, observed: Observed) -> bool:
    """Whether the run makes the application where there is none."""
    return observed.entra is not None and wanted.only is None


def group_steps(wanted: Registration, seen: ExchangeView) -> Iterator[Step]:
    """What is missing of the scoping group.

    Raises:
        UnsafePlanError: the group at our address cannot be the fence.
    """
    found, address = seen.group, group_address(wanted, wanted.mailbox)
    if found is not None and (problem := group_problem(wanted, found)) is not None:
        raise problem
    if found is None:
        yield Step(
            kind=StepKind.CREATE_GROUP,
            target=f"group {address}",
            desired=f"member {wanted.mailbox.lower()}; owner {str(seen.group_owner).lower()}; {wanted.mark}",
            title=f"Create the security group {address}, its only member {wanted.mailbox}",
        )
    elif not found.members:
        if found.group.is_dir_synced:
            raise UnsafePlanError(
                f"the group {address} is kept by on-premises synchronisation and is empty: it cannot be changed here",
                hint=f"put {wanted.mailbox} into it in Active Directory, wait for the next sync, then run this again",
            )
        yield Step(
            kind=StepKind.ADD_MEMBER,
            target=f"group {address}",
            desired=f"member {wanted.mailbox.lower()}",
            title=f"Add {wanted.mailbox} to the group {address}, which is empty",
        )
    is_synced = found is not None and found.group.is_dir_synced is True  # Exchange refuses every change to such a group
    if found is None or not (found.group.hidden_from_address_lists_enabled or is_synced):
        yield Step(
            kind=StepKind.HIDE_GROUP,
            target=f"group {address}",
            desired="hidden from address lists",
            title="Hide the group from address lists",
        )
