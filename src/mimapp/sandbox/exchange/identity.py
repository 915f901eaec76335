"""Finding recipients by the identities that Exchange takes.

Name, alias, distinguished name, mail address (any proxy address), GUID, Entra object id and user principal name, as the
pages of Get-Mailbox and Get-DistributionGroup list them; never the display name. Only what the answering replica knows
is found; what is then changed is the truth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.sandbox.exchange.errors import ambiguous, not_found

if TYPE_CHECKING:
    from collections.abc import Callable

    from mimapp.sandbox.exchange.models import Directory, Recipient

__all__ = ["any_recipient", "find", "is_group", "is_mailbox", "one"]


def any_recipient(_: Recipient) -> bool:
    """Whether it is a recipient at all."""
    return True


def is_mailbox(recipient: Recipient) -> bool:
    """Whether it is a mailbox, in whatever state."""
    return recipient.type.is_mailbox


def is_group(recipient: Recipient) -> bool:
    """Whether the DistributionGroup cmdlets work on it."""
    return recipient.type.is_distribution_group


def find(directory: Directory, identity: str, wanted: Callable[[Recipient], bool] = any_recipient) -> list[Recipient]:
    """The recipients of that kind whose identity it is, in no particular order."""
    sought = identity.strip().casefold().removeprefix("smtp:")
    return [
        recipient
        for recipient in directory.known.values()
        if wanted(recipient) and sought in _identities(directory, recipient)
    ]


def one(directory: Directory, identity: str, wanted: Callable[[Recipient], bool] = any_recipient) -> Recipient:
    """The one recipient of that identity, as it truly is.

    Raises:
        CmdletError: there is none, or there are several.
    """
    found = find(directory, identity, wanted)
    if not found:
        raise not_found(identity, directory.organization.server)
    if len(found) > 1:
        raise ambiguous(identity)
    # A replica may still show what is gone.
    truth = directory.recipients.get(found[0].guid)
    if truth is None:
        raise not_found(identity, directory.organization.server)
    return truth


def _identities(directory: Directory, recipient: Recipient) -> set[str]:
    names = {
        recipient.guid,
        recipient.external_id,
        recipient.name,
        recipient.alias,
        recipient.upn,
        directory.organization.distinguished_name(recipient.name),
        *recipient.addresses,
    }
    return {name.casefold() for name in names if name}
