"""Get-Mailbox, Get-Recipient, Get-CASMailbox and Set-CASMailbox."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mimapp.sandbox.exchange.call import Call, Cmdlet, Outcome, Right
from mimapp.sandbox.exchange.cmdlets.changes import unchanged_warning
from mimapp.sandbox.exchange.errors import bad_parameter, not_found
from mimapp.sandbox.exchange.filters import PROPERTIES, read_filter
from mimapp.sandbox.exchange.identity import find, is_mailbox, one
from mimapp.sandbox.exchange.models import (
    Dated,
    MailboxPart,
    MailboxState,
    Recipient,
    RecipientType,
    UserAgentPolicy,
    UserAgentRule,
    latest,
)
from mimapp.sandbox.exchange.outputs import cas_mailbox_row, mailbox_row, recipient_row
from mimapp.sandbox.exchange.parameters import Kind, Parameter
from mimapp.sandbox.exchange.weather import Effect

if TYPE_CHECKING:
    from collections.abc import Callable

    from mimapp.sandbox.exchange.parameters import Bound

__all__ = ["MAILBOX_CMDLETS", "user_agents"]

_TYPES = tuple(kind.value for kind in RecipientType)
_MAILBOX_TYPES = tuple(kind.value for kind in RecipientType if kind.is_mailbox)


def _get_mailbox(call: Call) -> Outcome:
    soft_deleted = call.parameters.flag("SoftDeletedMailbox")
    inactive_only = call.parameters.flag("InactiveMailboxOnly")
    if soft_deleted and inactive_only:
        raise bad_parameter("Parameter set cannot be resolved using the specified named parameters.")
    states = {MailboxState.ACTIVE}
    if soft_deleted:
        # An inactive mailbox is soft-deleted too, kept by a hold.
        states = {MailboxState.SOFT_DELETED, MailboxState.INACTIVE}
    elif inactive_only:
        states = {MailboxState.INACTIVE}
    elif call.parameters.flag("IncludeInactiveMailbox"):
        states = {MailboxState.ACTIVE, MailboxState.INACTIVE}

    def wanted(recipient: Recipient) -> bool:
        return recipient.mailbox is not None and recipient.mailbox.state in states

    found = _listed(call, wanted)
    return Outcome(rows=tuple(mailbox_row(call.directory, recipient) for recipient in found))


def _get_recipient(call: Call) -> Outcome:
    def wanted(recipient: Recipient) -> bool:
        return recipient.mailbox is None or recipient.mailbox.state is MailboxState.ACTIVE

    found = _listed(call, wanted)
    if call.parameters.text("Filter"):
        clauses = read_filter(call.parameters.text("Filter"))
        if not clauses or any(clause.name not in PROPERTIES for clause in clauses):
            raise bad_parameter(f'The recipient filter "{call.parameters.text("Filter")}" is invalid.')
        found = [recipient for recipient in found if any(clause.fits(recipient) for clause in clauses)]
    return Outcome(rows=tuple(recipient_row(call.directory, recipient) for recipient in found))


def _listed(call: Call, wanted: Callable[[Recipient], bool]) -> list[Recipient]:
    types = set(call.parameters.texts("RecipientTypeDetails"))
    identity = call.parameters.text("Identity")
    if identity:
        found = find(call.directory, identity, wanted)
        if not found:
            raise not_found(identity, call.directory.organization.server)
    else:
        found = [recipient for recipient in call.directory.known.values() if wanted(recipient)]
    kept = [recipient for recipient in found if not types or recipient.type.value in types]
    return sorted(kept, key=lambda recipient: (recipient.name.casefold(), recipient.guid))


def _active(recipient: Recipient) -> bool:
    return is_mailbox(recipient) and recipient.mailbox is not None and recipient.mailbox.state is MailboxState.ACTIVE


def _get_cas_mailbox(call: Call) -> Outcome:
    found = _listed(call, _active)
    return Outcome(rows=tuple(cas_mailbox_row(call.directory, recipient) for recipient in found))


def _set_cas_mailbox(call: Call) -> Outcome:
    recipient = one(call.directory, call.parameters.text("Identity"), _active)
    before = recipient.mailbox or MailboxPart(exchange_guid=recipient.guid)
    mailbox = replace(before, user_agents=user_agents(before.user_agents, call.parameters))
    if call.parameters.has("EwsEnabled"):
        wanted = call.parameters.flag("EwsEnabled") if call.parameters.values["EwsEnabled"] is not None else None
        if wanted != latest(before.ews_enabled):
            since = call.from_when(Effect.EWS_SWITCH)
            mailbox = replace(mailbox, ews_enabled=(*before.ews_enabled, Dated(value=wanted, since=since)))
    if mailbox == before:
        return unchanged_warning(recipient.name)
    return Outcome(puts=(replace(recipient, mailbox=mailbox, changed=call.now),))


def user_agents(before: UserAgentPolicy, parameters: Bound) -> UserAgentPolicy:
    """The User-Agent policy after Set-CASMailbox or Set-OrganizationConfig; each has the same three parameters."""
    after = before
    if parameters.has("EwsApplicationAccessPolicy"):
        rule = parameters.text("EwsApplicationAccessPolicy")
        after = replace(after, rule=UserAgentRule(rule) if rule else None)
    if parameters.has("EwsAllowList"):
        after = replace(after, allowed=parameters.change("EwsAllowList").apply(before.allowed))
    if parameters.has("EwsBlockList"):
        after = replace(after, blocked=parameters.change("EwsBlockList").apply(before.blocked))
    return after


_IDENTITY = Parameter(name="Identity")
MAILBOX_CMDLETS = (
    Cmdlet(
        name="Get-Mailbox",
        right=Right.VIEW_RECIPIENTS,
        run=_get_mailbox,
        parameters=(
            _IDENTITY,
            Parameter(name="RecipientTypeDetails", kind=Kind.TEXTS, choices=_MAILBOX_TYPES),
            Parameter(name="SoftDeletedMailbox", kind=Kind.FLAG),
            Parameter(name="InactiveMailboxOnly", kind=Kind.FLAG),
            Parameter(name="IncludeInactiveMailbox", kind=Kind.FLAG),
        ),
    ),
    Cmdlet(
        name="Get-Recipient",
        right=Right.VIEW_RECIPIENTS,
        run=_get_recipient,
        parameters=(
            _IDENTITY,
            Parameter(name="Filter"),
            Parameter(name="RecipientTypeDetails", kind=Kind.TEXTS, choices=_TYPES),
        ),
    ),
    Cmdlet(name="Get-CASMailbox", right=Right.VIEW_RECIPIENTS, run=_get_cas_mailbox, parameters=(_IDENTITY,)),
    Cmdlet(
        name="Set-CASMailbox",
        right=Right.RECIPIENTS,
        run=_set_cas_mailbox,
        parameters=(
            Parameter(name="Identity", required=True),
            Parameter(name="EwsEnabled", kind=Kind.FLAG),
            Parameter(name="EwsApplicationAccessPolicy", choices=tuple(rule.value for rule in UserAgentRule)),
            Parameter(name="EwsAllowList", kind=Kind.TEXTS),
            Parameter(name="EwsBlockList", kind=Kind.TEXTS),
        ),
    ),
)
