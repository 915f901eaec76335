"""A successor that lives as long as the tenant lets it: what is wanted, or less where a policy has become shorter.

A scheduled rotation must not stop because somebody has tightened a policy since the last one. Policies are read only
when Graph has refused the wanted lifetime by one of them: reading needs Policy.Read.All, which a rotation does not ask
for. Who may not read them is told what Graph said, which names the policy.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from mimapp.errors import CancelledError, MimappError, ServiceError
from mimapp.graph import deciding_restrictions
from mimapp.rotation.issuing import issue_successor

if TYPE_CHECKING:
    from mimapp.credentials import Desk, Issued
    from mimapp.rotation.view import View

__all__ = ["issue_as_allowed"]

#: Seen in OfficeDev/TeamsFx#10998; Microsoft's pages name no code.
_TOO_LONG = "CredentialInvalidLifetimeAsPerAppPolicy"
_LIFETIME = "passwordLifetime"
#: What a secret lives less than the limit, since Graph's clock may be behind this machine's.
_MARGIN = timedelta(minutes=5)


def issue_as_allowed(desk: Desk, view: View, wanted: timedelta) -> tuple[Issued | None, timedelta]:
    """Issue a successor of the wanted lifetime, or of the longest that a policy of the tenant allows.

    Returns:
        The secret, or None where this machine stepped back for another one; and its lifetime.

    Raises:
        MimappError: as `issue_successor`.
    """
    try:
        return issue_successor(desk, view, wanted), wanted
    except ServiceError as refusal:
        shorter = _longest(desk) if refusal.code == _TOO_LONG else None
        if shorter is None or not timedelta() < shorter < wanted:
            raise
    return issue_successor(desk, view, shorter), shorter


def _longest(desk: Desk) -> timedelta | None:
    """The longest life that the policies of the application allow; None where that cannot be read, or is not said."""
    graph, object_id = desk.graph, desk.object_id
    try:
        made = graph.applications.get(object_id).created_date_time or desk.clock.now()
        rules = deciding_restrictions(
            graph.policies.default_credential_policy(), graph.policies.for_application(object_id)
        )
    except CancelledError:
        raise
    except MimappError:
        return None
    about_secrets = () if rules is None else rules.password_credentials or ()
    limits = [
        rule.max_lifetime
        for rule in about_secrets
        if rule.restriction_type == _LIFETIME and rule.max_lifetime is not None and rule.holds_for(made)
    ]
    return min(limits) - _MARGIN if limits else None
