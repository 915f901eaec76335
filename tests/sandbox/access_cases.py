"""Who reaches which mailbox by EWS: the table of cases that sandbox and client are each tested against.

One row a case, in the words of access_facts.py. A source that ends with ``unverified`` marks what no document,
recording or public client proves. ``ews.md`` and ``exchange.md`` are the project's fact sheets, which name Microsoft's
pages.
"""

from __future__ import annotations

from access_cases_gate import AGENTS, SETTING_CLOCKS, SWITCHES
from access_cases_rights import GRANTS, MAILBOXES, POLICIES, POLICY_CLOCKS, ROLE_CASES

__all__ = ["CASES"]

CASES = (
    *SWITCHES,
    *AGENTS,
    *GRANTS,
    *POLICIES,
    *POLICY_CLOCKS,
    *MAILBOXES,
    *ROLE_CASES,
    *SETTING_CLOCKS,
)
