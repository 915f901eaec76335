"""Under which names the journal keeps when a scope or a switch was changed, and how long a policy takes to act."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mimapp.journal import State
    from mimapp.provisioning.services import Services

__all__ = [
    "BACK_NOTE",
    "FENCE_NOTE",
    "HOLD_NOTE",
    "POLICY_NOTE",
    "POLICY_TAKES",
    "ROLE_GONE_NOTE",
    "ROLE_NOTE",
    "ROLE_TAKES",
    "SWITCH_NOTE",
    "TAKEN_NOTE",
    "note_fence",
    "unlisted_until",
]

#: A change of an access policy can take longer than an hour to reach every server ("Limiting application permissions
#: to specific Exchange Online mailboxes").
POLICY_TAKES = timedelta(hours=1)

#: A role reaches an application that is at rest in 30 minutes, and one at work in up to two hours ("Role Based Access
#: Control for Applications in Exchange Online").
ROLE_TAKES = timedelta(hours=2)

#: When the access policy's creation was acknowledged.
POLICY_NOTE = "policy acknowledged"
#: Since when the fence stands: a policy of it was listed, and the service's own test said so.
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

#: A policy may stay unlisted for hours (microsoft-graph-docs#6260, #16801); a day later it is taken for gone.
_LIST_LAG = timedelta(days=1)


def note_fence(services: Services, key: str) -> datetime:
    """Write down that the fence stands, where that is not known yet; since when it does."""
    journal, tenant_id = services.journal, services.tenant_id
    since = journal.state(tenant_id, key).since.get(FENCE_NOTE)
    if since is None:
        since = services.clock.now()
        journal.note_since(tenant_id, key, FENCE_NOTE, since)
    return since


def unlisted_until(journal: State) -> datetime | None:
    """Until when an access policy that is not in the list is one that is not listed yet; None: none was made here.

    One that was in the list when the fence stood, and is not an hour later, was removed by somebody.
    """
    acknowledged, stood = journal.since.get(POLICY_NOTE), journal.since.get(FENCE_NOTE)
    if acknowledged is None:
        return None
    if stood is None or stood < acknowledged:
        return acknowledged + _LIST_LAG
    return min(acknowledged + _LIST_LAG, stood + POLICY_TAKES)
