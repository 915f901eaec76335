"""New-, Get-, Set-, Remove- and Test-ApplicationAccessPolicy (facts/exchange.md 6)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mimapp.sandbox.exchange.access import Clockwork, policy_allows
from mimapp.sandbox.exchange.call import Call, Cmdlet, Outcome, Right
from mimapp.sandbox.exchange.cmdlets.changes import unchanged_warning
from mimapp.sandbox.exchange.errors import already_exists, not_a_security_principal, not_found, out_of_policy_space
from mimapp.sandbox.exchange.identity import is_mailbox, one
from mimapp.sandbox.exchange.models import AccessPolicy, AccessRight
from mimapp.sandbox.exchange.outputs import policy_row
from mimapp.sandbox.exchange.parameters import Kind, Parameter
from mimapp.sandbox.exchange.weather import Effect

if TYPE_CHECKING:
    from mimapp.sandbox.exchange.models import Directory, Recipient

__all__ = ["POLICY_CMDLETS"]

_POLICY_BYTES = 96
"""What one policy takes of the common space beside its description; an unverified size."""


def _new_policy(call: Call) -> Outcome:
    given, directory = call.parameters, call.directory
    scope = one(directory, given.text("PolicyScopeGroupId"))
    if not scope.type.is_security_principal:
        raise not_a_security_principal()
    alive = [policy for policy in directory.policies if policy.removed is None]
    made: list[AccessPolicy] = []
    for app_id in given.texts("AppId"):
        policy = _policy(call, app_id, scope)
        if any(_same_target(policy, other) for other in (*alive, *made)):
            # How a second policy for one application and scope is refused is not known (facts/exchange.md 10).
            raise already_exists(str(policy_row(directory, policy)["Identity"]))
        made.append(policy)
    space = sum(_POLICY_BYTES + len(policy.description.encode()) for policy in (*alive, *made))
    if space > directory.organization.behaviour.policy_space:
        raise out_of_policy_space()
    organization = replace(directory.organization, policies_made=True)
    first = () if directory.organization.policies_made else (organization,)
    return Outcome(rows=tuple(policy_row(directory, policy) for policy in made), puts=(*made, *first))


def _policy(call: Call, app_id: str, scope: Recipient) -> AccessPolicy:
    given = call.parameters
    return AccessPolicy(
        id=call.new_guid(),
        app_id=app_id,
        right=AccessRight(given.text("AccessRight")),
        scope_guid=scope.guid,
        scope_name=scope.display_name,
        scope_identity=scope.name,
        scope_raw=f"{scope.sid};{scope.external_id}",
        description=given.text("Description"),
        created=call.now,
        tested=call.from_when(Effect.POLICY_TESTED),
        enforced=call.from_when(Effect.POLICY_ENFORCED),
    )


def _same_target(one_policy: AccessPolicy, other: AccessPolicy) -> bool:
    return one_policy.app_id.casefold() == other.app_id.casefold() and one_policy.scope_guid == other.scope_guid


def _listed(call: Call) -> list[AccessPolicy]:
    return [policy for policy in call.directory.listed if policy.removed is None]


def _get_policies(call: Call) -> Outcome:
    organization = call.directory.organization
    if organization.behaviour.virgin_policy_list_fails and not organization.policies_made:
        raise not_found(
            f"OU={organization.initial_domain},OU=Microsoft Exchange Hosted Organizations,DC={organization.forest},"
            "DC=PROD,DC=OUTLOOK,DC=COM\\*",
            organization.server,
        )
    listed = _listed(call)
    identity = call.parameters.text("Identity").casefold()
    wanted = [policy for policy in listed if _identity(call.directory, policy).casefold() == identity]
    # An identity that is unknown or null returns everything.
    return Outcome(rows=tuple(policy_row(call.directory, policy) for policy in wanted or listed))


def _identity(directory: Directory, policy: AccessPolicy) -> str:
    return str(policy_row(directory, policy)["Identity"])


def _named(call: Call) -> AccessPolicy:
    identity = call.parameters.text("Identity")
    for policy in _listed(call):
        if _identity(call.directory, policy).casefold() == identity.casefold():
            truth = next((p for p in call.directory.policies if p.id == policy.id and p.removed is None), None)
            if truth is not None:
                return truth
    raise not_found(identity, call.directory.organization.server)


def _set_policy(call: Call) -> Outcome:
    policy = _named(call)
    if not call.parameters.has("Description") or call.parameters.text("Description") == policy.description:
        return unchanged_warning(_identity(call.directory, policy))
    return Outcome(puts=(replace(policy, description=call.parameters.text("Description")),))


def _remove_policy(call: Call) -> Outcome:
    policy = _named(call)
    gone = replace(
        policy,
        removed=call.now,
        tested_until=call.now,
        enforced_until=call.from_when(Effect.POLICY_RELEASED),
    )
    return Outcome(puts=(gone,))


def _test_policy(call: Call) -> Outcome:
    app_id = call.parameters.text("AppId")
    mailbox = one(call.directory, call.parameters.text("Identity"), is_mailbox)
    granted = policy_allows(call.directory, app_id, mailbox, call.now, Clockwork.TEST)
    row = {
        "AppId": app_id,
        "Mailbox": mailbox.name,
        "MailboxId": mailbox.external_id,
        "MailboxSid": mailbox.sid,
        "AccessCheckResult": "Granted" if granted else "Denied",
    }
    return Outcome(rows=(row,))


_IDENTITY = Parameter(name="Identity", required=True)
POLICY_CMDLETS = (
    Cmdlet(
        name="New-ApplicationAccessPolicy",
        right=Right.CONFIGURATION,
        run=_new_policy,
        parameters=(
            Parameter(name="AccessRight", required=True, choices=tuple(right.value for right in AccessRight)),
            Parameter(name="AppId", kind=Kind.TEXTS, required=True),
            Parameter(name="PolicyScopeGroupId", required=True),
            Parameter(name="Description"),
        ),
    ),
    Cmdlet(
        name="Get-ApplicationAccessPolicy",
        right=Right.VIEW_CONFIGURATION,
        run=_get_policies,
        parameters=(Parameter(name="Identity"),),
    ),
    Cmdlet(
        name="Set-ApplicationAccessPolicy",
        right=Right.CONFIGURATION,
        run=_set_policy,
        parameters=(_IDENTITY, Parameter(name="Description")),
    ),
    Cmdlet(
        name="Remove-ApplicationAccessPolicy", right=Right.CONFIGURATION, run=_remove_policy, parameters=(_IDENTITY,)
    ),
    Cmdlet(
        name="Test-ApplicationAccessPolicy",
        right=Right.VIEW_CONFIGURATION,
        run=_test_policy,
        parameters=(_IDENTITY, Parameter(name="AppId", required=True)),
    ),
)
