"""Who may run which cmdlet: the token's permission first, then the caller's directory role.

A delegated token needs the scope AdminApi.AccessAsUser.All or Exchange.Manage and a user with an Exchange role; an
app-only token needs the role Exchange.ManageAsApp and a directory role, or a place in Organization Management
(facts/login.md 3). What the Exchange Recipient Administrator and the readers may do follows their descriptions in
Entra; that they come out exactly so in Exchange is unverified.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from mimapp.sandbox.exchange.call import Right

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mimapp.sandbox.tokens import Claims

__all__ = ["may_administer", "rights_of"]

_SCOPES = frozenset({"AdminApi.AccessAsUser.All", "Exchange.Manage"})
_APP_ROLE = "Exchange.ManageAsApp"

_VIEW = frozenset({Right.VIEW_RECIPIENTS, Right.VIEW_CONFIGURATION})
_ALL = frozenset(Right)
_BY_ROLE_TEMPLATE: Mapping[str, frozenset[Right]] = MappingProxyType(
    {
        "62e90394-69f5-4237-9190-012177145e10": _ALL,  # Global Administrator
        "29232cdf-9323-42fd-ade2-1d097af3e4de": _ALL,  # Exchange Administrator
        "31392ffb-586c-42d1-9346-e59415a2cc4e": _VIEW | {Right.RECIPIENTS},  # Exchange Recipient Administrator
        "f2ef992c-3afb-46b9-b7cf-a126ee74c451": _VIEW,  # Global Reader
    }
)


def may_administer(claims: Claims) -> bool:
    """Whether the token's own permission opens the administration interface at all."""
    if claims.is_app_only:
        return _APP_ROLE in claims.roles
    return bool(_SCOPES & claims.scopes)


def rights_of(claims: Claims, organization_management: Iterable[str]) -> frozenset[Right]:
    """What the caller may do; empty when no role gives anything."""
    if claims.object_id in set(organization_management):
        return _ALL
    held: set[Right] = set()
    for template in claims.directory_roles:
        held |= _BY_ROLE_TEMPLATE.get(template.casefold(), frozenset())
    return frozenset(held)
