"""The steps that write to Exchange: group, access policy, fence, EWS allow list.

Exchange has no upsert. A create whose reply was lost is sent again, and "exists already" then means that the first
one worked; an object that was made is looked for until it is visible, and judged like one that was found.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mimapp.errors import DeadlineError
from mimapp.exchange import GroupChange, NewGroup
from mimapp.provisioning.allow_list import entries, replace_list
from mimapp.provisioning.creates import send_until_answered
from mimapp.provisioning.ews import judge
from mimapp.provisioning.observe import ObservedGroup
from mimapp.provisioning.plan_exchange import group_problem, restricts_to
from mimapp.provisioning.run import Done
from mimapp.provisioning.scope_notes import FENCE_NOTE, POLICY_NOTE

if TYPE_CHECKING:
    from mimapp.exchange import AccessPolicy
    from mimapp.provisioning.run import Run

__all__ = [
    "EWS_NOTE",
    "add_member",
    "allow_ews",
    "create_group",
    "create_policy",
    "hide_group",
    "stand_policy",
]

#: Under this name the journal keeps when mimapp added the allow-list entry.
EWS_NOTE = "ews entry added"


def create_group(run: Run) -> Done:
    """Create the security group with the mailbox in it; a group that is there already is judged, then used."""
    groups, owner = run.services.exchange.groups, run.exchange.group_owner
    new = NewGroup(
        name=run.wanted.group_name,
        alias=run.wanted.group_name,
        address=run.group_id,
        members=(run.wanted.mailbox,),
        managed_by=(owner,) if isinstance(owner, str) else (),
        notes=f"{run.wanted.mark} mailbox {run.wanted.mailbox.lower()}",
    )
    made = send_until_answered(
        run.services.http.patience,
        lambda: groups.create(new),
        is_there=lambda: groups.get(run.group_id) is not None,
    )
    if made:
        return Done(detail=run.group_id, undo=f"mimapp unregister --registration {run.wanted.key}")
    group = groups.get(run.group_id, fresh=True)
    if group is None:
        raise DeadlineError(
            f"Exchange says that group {run.group_id} exists, and does not show it yet",
            hint="run the same command again in a few minutes: it goes on where this run stopped",
        )
    found = ObservedGroup(
        group=group, members=groups.members(run.group_id, fresh=True), notes=groups.notes(run.group_id)
    )
    if (problem := group_problem(run.wanted, found)) is not None:
        raise problem
    return Done(detail=f"{run.group_id} was there", wrote=False)


def add_member(run: Run) -> Done:
    """Put the mailbox into the group."""
    added = run.services.exchange.groups.add_member(run.group_id, run.wanted.mailbox, fresh=True)
    return Done(detail=f"{run.wanted.mailbox} is a member", wrote=added)


def hide_group(run: Run) -> Done:
    """Hide the group from address lists, which only Set-DistributionGroup can."""
    run.services.exchange.groups.change(run.group_id, GroupChange(hidden=True), fresh=True)
    return Done(detail="hidden")


def create_policy(run: Run) -> Done:
    """Create the restriction. What a second identical one is answered with is unknown: it is looked for first."""
    run.known_application_id()
    policies = run.services.exchange.access_policies
    description = run.wanted.mark

    def send() -> object:
        return policies.create(run.application_id, run.group_id, description, fresh=True)

    services = run.services
    made = send_until_answered(services.http.patience, send, is_there=lambda: _listed_policy(run) is not None)
    services.journal.note_since(services.tenant_id, run.wanted.key, POLICY_NOTE, services.clock.now())
    services.journal.note_since(services.tenant_id, run.wanted.key, FENCE_NOTE, None)  # a new fence, a new hour
    if not made:
        return Done(detail="was there", wrote=False)
    return Done(detail=f"RestrictAccess on {run.group_id}", undo=f"mimapp unregister --registration {run.wanted.key}")


def stand_policy(run: Run) -> None:
    """Wait until the policy is listed and the test cmdlet grants the mailbox and denies one outside."""
    run.known_application_id()
    policies = run.services.exchange.access_policies
    outside = run.exchange.outside

    def ask() -> AccessPolicy | None:
        policy = _listed_policy(run)
        if policy is None or not policies.test(run.wanted.mailbox, run.application_id).granted:
            return None
        if outside is not None and policies.test(outside, run.application_id).granted:
            return None
        return policy

    run.policy = run.services.http.patience.until(
        "access policy", "not listed, or not in the service's own test yet", ask, every=5.0
    )


def allow_ews(run: Run) -> Done:
    """Append the application to the allow list: read again, append, keep every id and the order, read back.

    Raises:
        ServiceError: the list that came back lacks an id that stood in it before, and writing the union failed.
    """
    run.known_application_id()
    organization = run.services.exchange.organization
    before = organization.read()
    run.ews = before
    verdict = judge(before, run.application_id, run.services.cloud)
    if not verdict.may_append:
        return Done(detail=f"not written: {verdict.reason}", wrote=False)
    listed = entries(before)
    made = replace_list(organization, run.services.http.patience, (*listed, run.application_id))
    if made.restored:
        run.warnings.append(
            f"the EWS allow list came back without {', '.join(made.restored)}: written again with every entry"
        )
    run.ews = replace(made.settings, allowed_app_ids=made.written)
    if made.missing:
        run.attention.append(
            f"the EWS allow list was written and comes back without {', '.join(made.missing)}: somebody else may be "
            "writing it at this moment; look at it again with Get-OrganizationConfig -RetrieveEwsOperationAccessPolicy"
        )
    run.ews_written = run.services.clock.now()
    run.services.journal.note_since(run.services.tenant_id, run.wanted.key, EWS_NOTE, run.ews_written)
    former = ",".join(listed)
    return Done(
        detail=f"{len(made.written)} applications are listed; Exchange takes the list in within 24 h",
        before=former,
        undo=f"Set-OrganizationConfig -EwsAllowedAppIDs '{former}'",
    )


def _listed_policy(run: Run) -> AccessPolicy | None:
    found = run.services.exchange.groups.get(run.group_id)
    group = None if found is None else ObservedGroup(group=found, members=(), notes=None)
    policies = run.services.exchange.access_policies.for_app(run.application_id)
    return next((policy for policy in policies if restricts_to(policy, group)), None)
