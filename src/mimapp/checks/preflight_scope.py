"""The row about the scope: what keeps, or is to keep, the application to its mailbox, next to what stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.checks.preflight_row import Row, Verdict
from mimapp.errors import UnsafePlanError
from mimapp.exchange import EWS_ROLE
from mimapp.graph import FULL_ACCESS_AS_APP
from mimapp.provisioning.scope_kind import agreed_scope, scope_that_stands
from mimapp.spec import Scope

if TYPE_CHECKING:
    from mimapp.exchange import RoleAssignment

__all__ = ["SCOPE", "ScopeSighting", "scope_row"]

#: The row's name.
SCOPE = "scope"
_WORDS = {
    Scope.POLICY: f"policy: {FULL_ACCESS_AS_APP}, restricted by an access policy",
    Scope.RBAC: f"rbac: the role {EWS_ROLE} in Exchange, and no consent",
    Scope.NONE: f"none: {FULL_ACCESS_AS_APP}, restricted by NOTHING",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeSighting:
    """What is known of an application's rights; of one that does not exist yet nothing.

    Attributes:
        tags: of the application.
        granted: whether it holds full_access_as_app; False where that was not read.
        roles: what it holds by role in Exchange; None where that was not read.
    """

    tags: tuple[str, ...] = ()
    granted: bool = False
    roles: tuple[RoleAssignment, ...] | None = ()

    @property
    def standing(self) -> Scope | None:
        """What keeps it to its mailbox now; policies are not asked for here, a grant speaks for them."""
        holds_role = any(one.role == EWS_ROLE for one in self.roles or ())
        return scope_that_stands(tags=self.tags, granted=self.granted, holds_role=holds_role, has_policy=False)


def scope_row(asked: Scope | None, seen: ScopeSighting) -> Row:
    """Whether the scope that was asked for can be had next to what stands."""
    try:
        scope = agreed_scope(asked, seen.standing, granted=seen.granted)
    except UnsafePlanError as error:
        return Row(
            name=SCOPE,
            verdict=Verdict.STOP,
            found=error.message,
            why="a scope is never changed by the way",
            remedy=error.hint or "",
        )
    found = _WORDS[scope] if asked is not None or seen.standing is None else f"{_WORDS[scope]}, as it stands"
    if scope is Scope.NONE:
        return Row(
            name=SCOPE,
            verdict=Verdict.WARN,
            found=found,
            why="the application may read, send and delete in EVERY mailbox of the tenant",
            remedy="--scope policy or --scope rbac keeps it to one",
        )
    if scope is Scope.RBAC:
        return Row(
            name=SCOPE,
            verdict=Verdict.WARN,
            found=found,
            why="Microsoft documents no MIM with this role alone; EWS decides on the server, so it should work, and "
            "Autodiscover is not reachable with it",
        )
    return Row(name=SCOPE, verdict=Verdict.OK, found=found)
