"""The rows about who signed in: permissions and directory roles in the tokens, and what Exchange lets them run.

A permission that the token lacks stops: every service refuses without it. A directory role that the token does not
show only warns: custom roles, roles on one application, roles that PIM has not activated, and partners' roles do not
stand in ``wids``, so the service itself is left to judge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.checks.preflight_row import Row, Verdict
from mimapp.spec import ConsentBy, Only, Scope

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from mimapp.identity import Operator
    from mimapp.spec import Registration

__all__ = ["directory_role_row", "exchange_permission_row", "exchange_rights_row", "graph_permission_row"]

#: What lets a person do all that the person may do by role: it stands for every delegated permission.
_AS_THE_PERSON = "Directory.AccessAsUser.All"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Need:
    """A permission of Graph, with those that contain it: https://learn.microsoft.com/graph/permissions-reference."""

    what: str
    delegated: tuple[str, ...]
    application: tuple[str, ...]

    def missing(self, operator: Operator) -> str:
        """The least permission that would do, where none is held; empty otherwise."""
        held, enough = (
            (operator.roles, self.application)
            if operator.is_app_only
            else (operator.scopes, (*self.delegated, _AS_THE_PERSON))
        )
        return "" if held & set(enough) else enough[0]


_READ = _Need(
    what="read applications",
    delegated=("Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"),
    application=(
        "Application.Read.All",
        "Application.ReadWrite.All",
        "Application.ReadWrite.OwnedBy",
        "Directory.Read.All",
        "Directory.ReadWrite.All",
    ),
)
_WRITE = _Need(
    what="make the application and its secret",
    delegated=("Application.ReadWrite.All", "Directory.ReadWrite.All"),
    application=("Application.ReadWrite.OwnedBy", "Application.ReadWrite.All", "Directory.ReadWrite.All"),
)
_REDIRECT = _Need(
    what="let the consent page come back to this machine",
    delegated=("Application.ReadWrite.All", "Directory.ReadWrite.All"),
    application=("Application.ReadWrite.OwnedBy", "Application.ReadWrite.All", "Directory.ReadWrite.All"),
)
_CONSENT = _Need(
    what="consent to it",
    delegated=("AppRoleAssignment.ReadWrite.All",),
    application=("AppRoleAssignment.ReadWrite.All",),
)
_DELEGATED_GRANTS = _Need(
    what="take User.Read off an application that somebody else made",
    delegated=("DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All"),
    application=("DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All"),
)

_RELEVANT = frozenset(
    {_AS_THE_PERSON}.union(
        *((*need.delegated, *need.application) for need in (_READ, _WRITE, _CONSENT, _DELEGATED_GRANTS))
    )
)

_MAKES_APPLICATIONS = frozenset(
    {"Global Administrator", "Application Administrator", "Cloud Application Administrator"}
)
_CONSENTS = _MAKES_APPLICATIONS | {"Privileged Role Administrator"}
_ROLE_CAVEAT = "a custom role, one on a single application, one that PIM has not activated or a partner's"

_EXCHANGE_SCOPES = frozenset({"AdminApi.AccessAsUser.All", "Exchange.Manage"})
_EXCHANGE_APP_ROLE = "Exchange.ManageAsApp"
_OTHER_INTERFACE = "Exchange.ManageV2"

# Which role of Exchange brings a cmdlet: microsoft/Microsoft365DSC's settings, and the cmdlets' own pages. All are part
# of the role group Organization Management, which Exchange Administrators and Global Administrators have.
_VIEW_RECIPIENTS, _VIEW_CONFIGURATION = "View-Only Recipients", "View-Only Configuration"
_GROUPS, _CONFIGURATION = "Distribution Groups", "Organization Configuration"
_ROLES = "Role Management"
_READS = {
    "Get-Mailbox": _VIEW_RECIPIENTS,
    "Get-Recipient": _VIEW_RECIPIENTS,
    "Get-DistributionGroup": _VIEW_RECIPIENTS,
    "Get-DistributionGroupMember": _VIEW_RECIPIENTS,
    "Get-Group": _VIEW_RECIPIENTS,
    "Get-ApplicationAccessPolicy": _VIEW_CONFIGURATION,
    "Test-ApplicationAccessPolicy": _VIEW_CONFIGURATION,
    "Get-OrganizationConfig": _VIEW_CONFIGURATION,
}
_WRITES = {
    "New-DistributionGroup": _GROUPS,
    "Set-DistributionGroup": _GROUPS,
    "Add-DistributionGroupMember": _GROUPS,
    "New-ApplicationAccessPolicy": _CONFIGURATION,
    "Set-OrganizationConfig": _CONFIGURATION,
}
# That Role Management brings New-ServicePrincipal too is unverified; Microsoft's page on RBAC for Applications names
# the role group Organization Management for all of it.
_OF_ROLES = {
    "Get-ServicePrincipal": _VIEW_CONFIGURATION,
    "Get-ManagementRoleAssignment": _VIEW_CONFIGURATION,
    "Test-ServicePrincipalAuthorization": _VIEW_CONFIGURATION,
    "New-ServicePrincipal": _ROLES,
    "New-ManagementRoleAssignment": _ROLES,
}
_OF_MANAGEMENT_SCOPES = {"Get-ManagementScope": _VIEW_CONFIGURATION, "New-ManagementScope": _ROLES}


def graph_permission_row(operator: Operator, wanted: Registration) -> Row:
    """Whether the Graph token holds what the run needs."""
    name = "graph permissions"
    if not operator.oid:
        return _opaque(name, operator)
    kind = "application permissions" if operator.is_app_only else "delegated permissions"
    found = f"{operator.name}, {kind}: {_shown(operator, _RELEVANT)}"
    missing = [(need, least) for need in _needs(wanted) if (least := need.missing(operator))]
    if missing:
        remedy = _how_to_get(operator, [least for _, least in missing])
        if wanted.only is None and [need for need, _ in missing] == [_CONSENT]:
            remedy += "; or do --only entra, and let somebody who has it do --only consent"
        return Row(
            name=name,
            verdict=Verdict.STOP,
            found=found,
            why="; ".join(f"without {least} it cannot {need.what}" for need, least in missing),
            remedy=remedy,
        )
    if wanted.app_id is not None and (least := _DELEGATED_GRANTS.missing(operator)):
        return Row(
            name=name,
            verdict=Verdict.WARN,
            found=found,
            why=f"without {least} it cannot {_DELEGATED_GRANTS.what}, should it have that",
            remedy=_how_to_get(operator, [least]),
        )
    return Row(name=name, verdict=Verdict.OK, found=found)


def directory_role_row(operator: Operator, wanted: Registration) -> Row:
    """Whether a person's token shows a directory role that may do it."""
    name = "directory role"
    if not operator.oid:
        return _opaque(name, operator)
    if operator.is_app_only:
        return Row(
            name=name,
            verdict=Verdict.OK,
            found=f"{operator.name} needs none in Entra",
            why="an application may do what its permissions say",
        )
    shown = ", ".join(operator.directory_roles) or "none"
    enough = _CONSENTS if wanted.only is Only.CONSENT else _MAKES_APPLICATIONS
    if enough & set(operator.directory_roles):
        return Row(name=name, verdict=Verdict.OK, found=f"{operator.name}: {shown}")
    return Row(
        name=name,
        verdict=Verdict.WARN,
        found=f"{operator.name}: {shown}",
        why=f"the token shows none of {', '.join(sorted(enough))}; {_ROLE_CAVEAT} role does not show there, so Graph "
        "is left to judge",
        remedy="where Graph refuses: activate the role and sign in again, or let an Application Administrator do it",
    )


def exchange_permission_row(operator: Operator) -> Row:
    """Whether the Exchange token opens the admin interface at all."""
    name = "exchange permission"
    if not operator.oid:
        return _opaque(name, operator)
    if operator.is_app_only:
        held, enough = operator.roles, frozenset({_EXCHANGE_APP_ROLE})
        remedy = (
            f"grant {_EXCHANGE_APP_ROLE} of Office 365 Exchange Online to application {operator.app_id}, consent to "
            "it, and give its service principal the directory role Exchange Administrator"
        )
    else:
        held, enough = operator.scopes, _EXCHANGE_SCOPES
        remedy = (
            "sign in with Microsoft's own client for Exchange (the default), or with an application of yours that has "
            "the delegated permission Exchange.Manage"
        )
    found = f"{operator.name}: {_shown(operator, enough | {_OTHER_INTERFACE})}"
    if held & enough:
        return Row(name=name, verdict=Verdict.OK, found=found)
    return Row(
        name=name,
        verdict=Verdict.STOP,
        found=found,
        why=f"Exchange administration opens for {' or '.join(sorted(enough))} only ({_OTHER_INTERFACE} is of "
        "another interface)",
        remedy=remedy,
    )


def exchange_rights_row(cmdlets: Collection[str], wanted: Registration) -> Row:
    """Whether Exchange lets the caller run what the run needs, by its own list."""
    needed = _cmdlets(wanted)
    there = {cmdlet.casefold() for cmdlet in cmdlets}
    missing = {cmdlet: role for cmdlet, role in needed.items() if cmdlet.casefold() not in there}
    if not missing:
        return Row(name="exchange rights", verdict=Verdict.OK, found=f"all {len(needed)} cmdlets that are needed")
    return Row(
        name="exchange rights",
        verdict=Verdict.STOP,
        found=f"{len(needed) - len(missing)} of the {len(needed)} cmdlets that are needed",
        why=f"Exchange does not let this account run {', '.join(sorted(missing))}",
        remedy="give it the directory role Exchange Administrator, or the Exchange role group Organization Management; "
        "then wait some minutes and sign in again",
        details=tuple(
            f"role {role}: brings {', '.join(sorted(cmdlet for cmdlet, its in missing.items() if its == role))}"
            for role in sorted(set(missing.values()))
        ),
    )


def _cmdlets(wanted: Registration) -> dict[str, str]:
    """What the run calls, each with the role that brings it."""
    if wanted.only is Only.CONSENT:
        return _READS
    needed = _READS | _WRITES
    if wanted.scope is Scope.RBAC:
        needed |= _OF_ROLES | (_OF_MANAGEMENT_SCOPES if wanted.management_scope else {})
        del needed["New-ApplicationAccessPolicy"]
    return needed


def _needs(wanted: Registration) -> Iterator[_Need]:
    if wanted.only in {None, Only.ENTRA}:
        yield _WRITE
    else:
        yield _READ
    if wanted.scope is Scope.RBAC:
        return  # a role needs no consent
    if wanted.only is None or (wanted.only is Only.CONSENT and wanted.consent_by is ConsentBy.API):
        yield _CONSENT
    if wanted.consent_by is ConsentBy.BROWSER:
        yield _REDIRECT


def _shown(operator: Operator, relevant: frozenset[str]) -> str:
    """The permissions of a token that matter here, and how many others it has."""
    held = operator.roles if operator.is_app_only else operator.scopes
    others = len(held - relevant)
    names = ", ".join(sorted(held & relevant)) or "none of those that matter here"
    return f"{names} (and {others} other{'s' if others > 1 else ''})" if others else names


def _how_to_get(operator: Operator, names: list[str]) -> str:
    permissions = " and ".join(dict.fromkeys(names))
    if operator.is_app_only:
        return f"grant the application permission {permissions} to application {operator.app_id} and consent to it"
    return (
        f"sign in with a client that has {permissions} in this tenant: the default one asks for it by name, and an "
        "administrator consents once"
    )


def _opaque(name: str, operator: Operator) -> Row:
    return Row(
        name=name,
        verdict=Verdict.UNKNOWN,
        found=f"the token of {operator.name} does not say",
        why="it is in no form that a client can read, so the service is left to judge",
    )
