"""The cmdlets that the sandbox knows, by their lower-case names (Exchange was seen to take any case)."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from mimapp.sandbox.exchange.cmdlets.groups import GROUP_CMDLETS
from mimapp.sandbox.exchange.cmdlets.mailboxes import MAILBOX_CMDLETS
from mimapp.sandbox.exchange.cmdlets.members import MEMBER_CMDLETS
from mimapp.sandbox.exchange.cmdlets.organization import ORGANIZATION_CMDLETS
from mimapp.sandbox.exchange.cmdlets.policies import POLICY_CMDLETS
from mimapp.sandbox.exchange.cmdlets.principals import PRINCIPAL_CMDLETS
from mimapp.sandbox.exchange.cmdlets.roles import ROLE_CMDLETS
from mimapp.sandbox.exchange.cmdlets.scopes import SCOPE_CMDLETS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mimapp.sandbox.exchange.call import Cmdlet

__all__ = ["CMDLETS"]

_ALL = (
    *MAILBOX_CMDLETS,
    *ORGANIZATION_CMDLETS,
    *GROUP_CMDLETS,
    *MEMBER_CMDLETS,
    *POLICY_CMDLETS,
    *PRINCIPAL_CMDLETS,
    *SCOPE_CMDLETS,
    *ROLE_CMDLETS,
)

CMDLETS: Mapping[str, Cmdlet] = MappingProxyType({cmdlet.name.casefold(): cmdlet for cmdlet in _ALL})
"""By lower-case name."""
