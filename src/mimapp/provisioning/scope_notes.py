"""Under which names the journal keeps when a scope or a switch was changed, and how long a policy takes to act."""

from __future__ import annotations

from datetime import timedelta

__all__ = ["POLICY_TAKES", "ROLE_NOTE", "SWITCH_NOTE"]

#: A change of an access policy can take longer than an hour to reach every server ("Limiting application permissions
#: to specific Exchange Online mailboxes").
POLICY_TAKES = timedelta(hours=1)

#: When a role assignment of the application was acknowledged by Exchange.
ROLE_NOTE = "role assignment acknowledged"
#: When mimapp set the organisation's EWS switch.
SWITCH_NOTE = "ews switch set"
