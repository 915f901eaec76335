"""Get-OrganizationConfig, Set-OrganizationConfig and Get-AcceptedDomain."""

from __future__ import annotations

import re
from dataclasses import replace

from mimapp.sandbox.exchange.call import Call, Cmdlet, Outcome, Right
from mimapp.sandbox.exchange.cmdlets.changes import unchanged_warning
from mimapp.sandbox.exchange.cmdlets.mailboxes import user_agents
from mimapp.sandbox.exchange.errors import bad_parameter, not_found
from mimapp.sandbox.exchange.models import Dated, UserAgentRule, latest
from mimapp.sandbox.exchange.outputs import accepted_domain_row, organization_row
from mimapp.sandbox.exchange.parameters import Kind, Parameter
from mimapp.sandbox.exchange.weather import Effect

__all__ = ["ORGANIZATION_CMDLETS"]

_GUID = re.compile(r"\{?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?", re.IGNORECASE)


def _get_organization(call: Call) -> Outcome:
    with_list = call.parameters.flag("RetrieveEwsOperationAccessPolicy")
    return Outcome(rows=(organization_row(call.directory.organization, with_allow_list=with_list),))


def _set_organization(call: Call) -> Outcome:
    before = call.directory.organization
    after = replace(before, user_agents=user_agents(before.user_agents, call.parameters))
    if call.parameters.has("EwsAllowedAppIDs"):
        listed = _app_ids(call.parameters.text("EwsAllowedAppIDs"))
        if listed != latest(before.ews_allowed):
            since = call.from_when(Effect.EWS_LIST)
            after = replace(after, ews_allowed=(*before.ews_allowed, Dated(value=listed, since=since)))
    if call.parameters.has("EwsEnabled"):
        given = call.parameters.values["EwsEnabled"]
        wanted = given if isinstance(given, bool) else None
        if wanted != latest(before.ews_enabled):
            since = call.from_when(Effect.EWS_SWITCH)
            after = replace(after, ews_enabled=(*before.ews_enabled, Dated(value=wanted, since=since)))
    if after == before:
        return unchanged_warning(before.initial_domain)
    return Outcome(puts=(after,))


def _app_ids(text: str) -> str | None:
    """The list as it is kept: the whole text, null for nothing. That a piece must be a GUID is unverified."""
    for piece in text.split(","):
        if piece.strip() and not _GUID.fullmatch(piece.strip()):
            raise bad_parameter(f"The value '{piece.strip()}' of EwsAllowedAppIDs isn't an application id.")
    return text or None


def _get_accepted_domain(call: Call) -> Outcome:
    organization = call.directory.organization
    identity = call.parameters.text("Identity")
    domains = [d for d in organization.domains if not identity or d.casefold() == identity.casefold()]
    if identity and not domains:
        raise not_found(identity, organization.server)
    return Outcome(rows=tuple(accepted_domain_row(organization, domain) for domain in domains))


ORGANIZATION_CMDLETS = (
    Cmdlet(
        name="Get-OrganizationConfig",
        right=Right.VIEW_CONFIGURATION,
        run=_get_organization,
        parameters=(Parameter(name="RetrieveEwsOperationAccessPolicy", kind=Kind.FLAG),),
    ),
    Cmdlet(
        name="Set-OrganizationConfig",
        right=Right.CONFIGURATION,
        run=_set_organization,
        parameters=(
            Parameter(name="EwsEnabled", kind=Kind.FLAG),
            Parameter(name="EwsAllowedAppIDs"),
            Parameter(name="EwsApplicationAccessPolicy", choices=tuple(rule.value for rule in UserAgentRule)),
            Parameter(name="EwsAllowList", kind=Kind.TEXTS),
            Parameter(name="EwsBlockList", kind=Kind.TEXTS),
        ),
    ),
    Cmdlet(
        name="Get-AcceptedDomain",
        right=Right.VIEW_CONFIGURATION,
        run=_get_accepted_domain,
        parameters=(Parameter(name="Identity"),),
    ),
)
