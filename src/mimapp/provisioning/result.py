"""From a finished run to its outcome: what holds now, what is awaited until when, and what a person must do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from mimapp.provisioning.entra_actions import owner_warnings, ways_to_consent
from mimapp.provisioning.ews import judge
from mimapp.provisioning.exchange_actions import EWS_NOTE
from mimapp.provisioning.outcome import EwsResult, Outcome, ScopeResult
from mimapp.provisioning.plan_entra import stored_elsewhere
from mimapp.provisioning.plan_roles import limit_of
from mimapp.provisioning.scope_notes import POLICY_TAKES, ROLE_TAKES, note_fence
from mimapp.provisioning.scope_proof import proof_of
from mimapp.spec import Only, Scope

if TYPE_CHECKING:
    from mimapp.exchange import RoleAssignment
    from mimapp.provisioning.observe import ObservedSecret
    from mimapp.provisioning.outcome import Change, Failure
    from mimapp.provisioning.plan import Plan
    from mimapp.provisioning.run import Run
    from mimapp.provisioning.steps import Step

__all__ = ["outcome_of"]

#: A changed allow list takes up to 24 hours ("Introducing EWSAllowedAppIDs").
_LIST_TAKES = timedelta(hours=24)


def outcome_of(
    plan: Plan,
    run: Run,
    *,
    changes: tuple[Change, ...],
    failed: Failure | None = None,
    not_tried: tuple[Step, ...] = (),
) -> Outcome:
    """What the run came to."""
    scope = _scope(run)
    ews = _ews(run)
    _add_parts_left(run)
    _add_owner_warning(run)
    elsewhere = stored_elsewhere(run.observed)
    if run.secret is None and run.wanted.only in {None, Only.ENTRA}:
        run.attention += [_elsewhere(secret) for secret in elsewhere]
    return Outcome(
        tenant_id=plan.tenant_id,
        tenant_name=plan.tenant_name,
        operator=plan.operator,
        exchange_operator=plan.exchange_operator,
        application_id=run.application_id,
        application_object_id=run.object_id,
        service_principal_object_id=run.principal_id,
        secret=run.secret,
        stored_elsewhere=tuple(secret.result for secret in elsewhere),
        scope=scope,
        consented=run.consented,
        ews=ews,
        changes=changes,
        warnings=tuple(run.warnings),
        attention=tuple(run.attention),
        failed=failed,
        not_tried=not_tried,
        sandbox=run.services.sandbox,
    )


def _scope(run: Run) -> ScopeResult:
    """The fence, and whether the time in which Exchange may not enforce it yet is over."""
    services = run.services
    now = services.clock.now()
    seen = run.observed.exchange
    is_role = run.scope is Scope.RBAC
    policy = run.policy or next(iter(() if seen is None else seen.policies), None)
    roles = None if seen is None else seen.roles
    role = run.role or next(iter(() if roles is None else roles.assignments), None)
    result = ScopeResult(
        kind=run.scope,
        group="" if run.scope is Scope.NONE or (is_role and _is_by_unit(run)) else run.group_id,
        policy="" if policy is None or run.scope is not Scope.POLICY else policy.identity,
        assignment="" if role is None or not is_role else role.name,
        limit=_limit(run, role) if is_role else "",
        stands=run.stands and run.scope is not Scope.NONE,
        proven=False,
        expected=None,
    )
    if not result.stands or seen is None:
        return result
    since = note_fence(services, run.wanted.key)
    proof = proof_of(services.journal.state(services.tenant_id, run.wanted.key))
    if proof is not None:
        return replace(result, proven=True, proof=proof)
    expected = since + (ROLE_TAKES if is_role else POLICY_TAKES)
    if now >= expected:
        return replace(result, proven=seen.outside is not None)
    run.warnings.append(
        "not yet proven restricted: Exchange's own test denies other mailboxes, real access may follow until "
        f"{expected:%Y-%m-%d %H:%M} UTC" + ("; the mailbox itself may stay closed for as long" if is_role else "")
    )
    return replace(result, expected=expected)


def _is_by_unit(run: Run) -> bool:
    roles = None if run.observed.exchange is None else run.observed.exchange.roles
    return run.wanted.administrative_unit is not None or (roles is not None and roles.is_by_unit)


def _limit(run: Run, role: RoleAssignment | None) -> str:
    """What limits the role: as Exchange gives it back [unverified], else as it was asked for."""
    if role is not None and role.recipient_administrative_unit_scope:
        return f"administrative unit {role.recipient_administrative_unit_scope}"
    if role is not None and role.custom_resource_scope:
        return f"management scope {role.custom_resource_scope}, the direct members of {run.group_id}"
    return limit_of(run.wanted)


def _ews(run: Run) -> EwsResult:
    services = run.services
    cloud = services.cloud
    if run.ews is None:
        return EwsResult(allowed=None, reason="the EWS settings were not read", effective=None, ends=cloud.ews_ends)
    verdict = judge(run.ews, run.application_id or None, cloud)
    since = services.journal.state(services.tenant_id, run.wanted.key).since.get(EWS_NOTE)
    effective = None if since is None else since + _LIST_TAKES
    if effective is not None and (effective <= services.clock.now() or not verdict.allowed):
        effective = None
    if verdict.needs_person and run.wanted.only in {None, Only.EXCHANGE}:
        run.attention.append(f"EWS will not answer this application: {verdict.reason}; {verdict.remedy}")
    elif effective is not None:
        run.warnings.append(f"the EWS allow list is written; Exchange takes it in until {effective:%Y-%m-%d %H:%M} UTC")
    if cloud.ews_ends is not None:
        left = (cloud.ews_ends - services.clock.now().date()).days
        when = f"in {left} days" if left > 0 else "already"
        run.warnings.append(
            f"EWS ends in this cloud on {cloud.ews_ends:%Y-%m-%d} ({when}), and this mailbox access with it"
        )
    return EwsResult(allowed=verdict.allowed, reason=verdict.reason, effective=effective, ends=cloud.ews_ends)


def _add_parts_left(run: Run) -> None:
    """What the other administrators still have to do, after a run that did one part alone."""
    only, mailbox = run.wanted.only, f"--mailbox {run.wanted.mailbox}"
    if only is Only.ENTRA and run.scope is Scope.RBAC:
        run.attention.append(
            "the application is made and has no access yet: an Exchange administrator runs mimapp register --only "
            f"exchange --scope rbac {mailbox}, or without a sign-in to Entra adds --app-id {run.application_id} "
            f"--principal-id {run.principal_id}; no consent is needed, and none may be given"
        )
    elif only is Only.ENTRA and not run.consented and run.scope is Scope.NONE:
        run.attention.append(
            "the application is made and consent is missing: a Privileged Role, Cloud Application or Application "
            f"Administrator {ways_to_consent(run)}"
        )
    elif only is Only.ENTRA and not run.consented:
        run.attention.append(
            "the application is made and consent is missing: an Exchange administrator runs mimapp register --only "
            f"exchange {mailbox}, then a Privileged Role, Cloud Application or Application Administrator "
            f"{ways_to_consent(run)}"
        )
    if only is Only.EXCHANGE and not run.application_id:
        run.attention.append(
            "the group is there and there is no application to fence in yet: run mimapp register --only entra "
            f"{mailbox}, then this again"
        )


def _add_owner_warning(run: Run) -> None:
    owners = () if run.observed.entra is None else run.observed.entra.owners
    run.warnings += owner_warnings(owners)


def _elsewhere(secret: ObservedSecret) -> str:
    """A secret of mimapp's whose value lies on another machine is shown, and never replaced unasked."""
    return (
        f"the secret {secret.label} ({secret.key_id}) is stored elsewhere: neither this machine nor a store named in "
        "this run has its value; name its store with --secret-to, or issue another one here with --new-secret"
    )
