"""Under which names the journal keeps when a scope or a switch was changed: what propagation is counted from."""

from __future__ import annotations

__all__ = ["ROLE_NOTE", "SWITCH_NOTE"]

#: When a role assignment of the application was acknowledged by Exchange.
ROLE_NOTE = "role assignment acknowledged"
#: When mimapp set the organisation's EWS switch.
SWITCH_NOTE = "ews switch set"
