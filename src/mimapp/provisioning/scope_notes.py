"""Under which names the journal keeps when a scope or a switch was changed, and how long a policy takes to act."""

from __future__ import annotations

from datetime import timedelta

__all__ = [
    "BACK_NOTE",
    "FENCE_NOTE",
    "HOLD_NOTE",
    "POLICY_TAKES",
    "ROLE_GONE_NOTE",
    "ROLE_NOTE",
    "ROLE_TAKES",
    "SWITCH_NOTE",
    "TAKEN_NOTE",
]

#: A change of an access policy can take longer than an hour to reach every server ("Limiting application permissions
#: to specific Exchange Online mailboxes").
POLICY_TAKES = timedelta(hours=1)

#: A role reaches an application that is at rest in 30 minutes, and one at work in up to two hours ("Role Based Access
#: Control for Applications in Exchange Online").
ROLE_TAKES = timedelta(hours=2)

#: Since when the fence stands, by the service's own test.
FENCE_NOTE = "fence stands"
#: Until when consent is held back, as ``--wait-for-scope`` of an earlier run asked.
HOLD_NOTE = "consent held back until"
#: When a role assignment of the application was acknowledged by Exchange.
ROLE_NOTE = "role assignment acknowledged"
#: When mimapp began to take the role away: what limits it stays for as long as a role may act on.
ROLE_GONE_NOTE = "role taken away"
#: When mimapp set the organisation's EWS switch.
SWITCH_NOTE = "ews switch set"
#: When `scope migrate` began to take the grant away; kept until the role is proven, or the grant is back.
TAKEN_NOTE = "grant taken away for the role"
#: When it began to put the grant back.
BACK_NOTE = "grant put back"
