"""Which scope a registration has: what was asked for, next to what stands. Pure.

A scope is never changed by the way. `register` keeps what stands where nothing was asked for, and refuses another kind:
a role beside a grant reaches every mailbox, since they add up and no access policy restricts a role
(https://learn.microsoft.com/exchange/permissions-exo/application-rbac), and a fence that is only dropped leaves every
mailbox open. The tags of the application say what it was registered with; where they name nothing, what it holds does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.errors import UnsafePlanError
from mimapp.exchange import EWS_ROLE
from mimapp.graph import FULL_ACCESS_AS_APP
from mimapp.provisioning.plan_exchange import owners_line
from mimapp.spec import Scope, scope_of_tags

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mimapp.provisioning.observe import Observed
    from mimapp.spec import Registration

__all__ = ["agreed_scope", "resolved_scope", "scope_that_stands", "scope_warnings", "standing_scope"]

#: What moves a registration from the policy to the role.
_MIGRATE = "mimapp scope migrate"


def standing_scope(observed: Observed) -> Scope | None:
    """What keeps the application to its mailbox now; None where it has no access at all yet."""
    entra, exchange = observed.entra, observed.exchange
    there = None if entra is None else entra.application or entra.deleted
    holds_role = exchange is not None and exchange.roles is not None and bool(exchange.roles.assignments)
    has_policy = exchange is not None and bool(exchange.policies)
    return scope_that_stands(
        tags=() if there is None else there.tags or (),
        granted=observed.granted,
        # Where Entra was not read, a policy beside the role speaks for a grant that the role is to take the place of.
        holds_role=holds_role and not (entra is None and has_policy),
        has_policy=has_policy,
    )


def scope_that_stands(*, tags: tuple[str, ...], granted: bool, holds_role: bool, has_policy: bool) -> Scope | None:
    """As `standing_scope`, from what it rests on: what the tags name, else what the application holds."""
    named = scope_of_tags(tags)
    if named is Scope.RBAC or (named is Scope.NONE and not has_policy):  # a tag talks no fence away that is there
        return named
    if holds_role and not granted:
        return Scope.RBAC
    return Scope.POLICY if granted or has_policy else None


def resolved_scope(wanted: Registration, observed: Observed) -> Scope:
    """The scope of this run: the one that was asked for, else the one that stands, else a policy.

    Raises:
        UnsafePlanError: another kind stands than was asked for, or a role and a grant stand beside each other.
    """
    standing = standing_scope(observed)
    if wanted.purge_deleted and observed.entra is not None and observed.entra.application is None:
        # What had it goes for good, so nothing stands beside the new one; where nothing is asked for it is as before.
        standing = None if wanted.scope is not None else standing
    return agreed_scope(wanted.scope, standing, granted=observed.granted)


def agreed_scope(asked: Scope | None, standing: Scope | None, *, granted: bool) -> Scope:
    """As `resolved_scope`, from what was asked for, what stands, and whether full_access_as_app is granted.

    Raises:
        UnsafePlanError: as `resolved_scope`.
    """
    scope = asked or standing or Scope.POLICY
    if scope is Scope.RBAC and granted:
        raise UnsafePlanError(
            f"the application holds {FULL_ACCESS_AS_APP} in Entra: beside a role in Exchange the two add up, and the "
            "application would reach every mailbox that no access policy keeps it from",
            hint=f"{_MIGRATE} moves it to the role in two runs, and takes the grant away when the role is proven; "
            "mimapp lockdown stops the application at once",
        )
    if asked is None and scope is Scope.NONE and not granted:
        # Whoever may change the application's tags could have written that: no consent without a fence follows from it.
        raise UnsafePlanError(
            f"the application is marked for scope none, and {FULL_ACCESS_AS_APP} is not granted: to consent now would "
            "open every mailbox of the tenant",
            hint="say so again with register --scope none, or let --scope policy build a fence first",
        )
    if standing in {None, Scope.NONE, scope}:
        return scope  # where it had none a fence is added, as somebody asked; scope_warnings says so
    if standing is Scope.POLICY and scope is Scope.RBAC:
        return scope  # a policy without a grant restricts nothing, and stays
    if standing is Scope.RBAC:
        raise UnsafePlanError(
            f"this registration is kept to its mailbox by a role in Exchange, and --scope {scope} would grant "
            f"{FULL_ACCESS_AS_APP} beside it: the two add up",
            hint=f"leave --scope away to keep the role; {_MIGRATE} goes from a policy to a role, and the way back is "
            "mimapp unregister, then mimapp register",
        )
    raise UnsafePlanError(
        f"this registration is kept to its mailbox by an access policy, and --scope {scope} would drop that fence",
        hint=f"leave --scope away to keep it; {_MIGRATE} replaces it by a role in Exchange without a gap",
    )


def scope_warnings(wanted: Registration, observed: Observed, asked: Scope | None) -> Iterator[str]:
    """What somebody should know of the scope before saying yes.

    Args:
        wanted: the registration, its scope resolved.
        observed: the tenant.
        asked: the scope that was asked for; None where none was.
    """
    standing = standing_scope(observed)
    if wanted.scope is Scope.NONE:
        yield (
            f"NO SCOPE: nothing restricts this application; with {FULL_ACCESS_AS_APP} it may read, send and delete in "
            "EVERY mailbox of the tenant"
        )
    if asked is None and wanted.scope is not Scope.POLICY:
        yield f"--scope was not given, and this registration stands with scope {wanted.scope}: it keeps it"
    if standing is Scope.NONE and wanted.scope is not Scope.NONE:
        yield f"this registration had scope none: --scope {wanted.scope} adds a fence, and closes every other one"
    if wanted.scope is Scope.POLICY:
        yield from _beside_policy(observed)
    if wanted.scope is not Scope.RBAC:
        return
    yield (
        f"Microsoft documents no MIM with {EWS_ROLE} alone: its guide for MIM grants {FULL_ACCESS_AS_APP}; EWS decides "
        "on the server, so it should work, and Autodiscover is not reachable with this role"
    )
    exchange = observed.exchange
    if exchange is not None and exchange.policies:
        yield "the application's access policies stay, and restrict no role; mimapp unregister removes mimapp's own"
    if exchange is None:
        yield "Exchange was not read: whether the role is assigned, and to what it is limited, is not known here"
    if observed.entra is None:
        yield f"Entra was not read: whether the application holds {FULL_ACCESS_AS_APP} besides is not known here"


def _beside_policy(observed: Observed) -> Iterator[str]:
    """What stands beside grant and policy, and does no harm as it is."""
    exchange = observed.exchange
    if exchange is None:
        return
    for policy in exchange.policies:
        if policy.access_right.casefold() == "denyaccess":
            scope = policy.scope_name or policy.scope_identity
            yield f"DenyAccess on {scope} is not mimapp's: it beats every restriction, and a mailbox in it is refused"
    if (line := owners_line(exchange.group)) is not None:
        yield line
    if observed.granted and exchange.roles is not None and exchange.roles.assignments:
        yield (
            f"the application holds the role {EWS_ROLE} in Exchange besides, with the same limit: {_MIGRATE} goes on "
            "from there"
        )
