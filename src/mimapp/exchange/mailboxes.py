"""Mailboxes and the recipients around them: reads only.

An object is accepted only when it answers to the address or id that was asked for, since ``Get-Mailbox`` and
``Get-Recipient`` also look among display names and aliases
(https://learn.microsoft.com/powershell/module/exchange/get-mailbox).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from mimapp.errors import ConflictError
from mimapp.exchange.invoke import Cmdlet
from mimapp.exchange.reply import fit

if TYPE_CHECKING:
    from collections.abc import Collection

    from mimapp.exchange.invoke import Admin

__all__ = ["AcceptedDomain", "ClientAccess", "Mailbox", "Mailboxes", "Recipient"]

_USER_MAILBOX = "UserMailbox"
_SMTP = "smtp:"
_SYSTEM_NAMES = ("SystemMailbox{", "DiscoverySearchMailbox{", "FederatedEmail.", "Migration.", "HealthMailbox")
_SMALL_PAGE = 25


class Recipient(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """What ``Get-Recipient`` says of anything that has an address; what it did not give is empty or None.

    https://learn.microsoft.com/powershell/module/exchange/get-recipient
    """

    name: str = ""
    identity: str = ""
    alias: str = ""
    display_name: str = ""
    primary_smtp_address: str = ""
    email_addresses: tuple[str, ...] = ()
    guid: str = ""
    external_directory_object_id: str = ""
    recipient_type: str = ""
    recipient_type_details: str = ""
    is_valid_security_principal: bool | None = None

    @property
    def addresses(self) -> tuple[str, ...]:
        """Its SMTP addresses without their prefix, the primary one first."""
        return _addresses(self.primary_smtp_address, self.email_addresses)

    def answers_to(self, identity: str) -> bool:
        """Whether an address or id is its own, whatever the case of the letters."""
        keys = (*self.addresses, self.guid, self.external_directory_object_id)
        return identity.casefold() in {key.casefold() for key in keys if key}


class Mailbox(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """What ``Get-Mailbox`` says; what it did not give is empty or None.

    Attributes:
        recipient_type_details: its kind, such as ``UserMailbox``, ``SharedMailbox`` or ``RoomMailbox``.
        external_directory_object_id: the object id in Entra.
        is_dir_synced: whether it is kept by on-premises synchronisation.
        is_inactive_mailbox: whether only a hold keeps it.
        sku_assigned: whether a licence is assigned [unverified that it follows at once].
        mailbox_region: where a tenant in several regions keeps it.
    """

    name: str = ""
    identity: str = ""
    alias: str = ""
    display_name: str = ""
    primary_smtp_address: str = ""
    user_principal_name: str = ""
    email_addresses: tuple[str, ...] = ()
    guid: str = ""
    exchange_guid: str = ""
    external_directory_object_id: str = ""
    recipient_type_details: str = ""
    is_dir_synced: bool | None = None
    is_inactive_mailbox: bool | None = None
    sku_assigned: bool | None = msgspec.field(name="SKUAssigned", default=None)
    mailbox_region: str = ""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Its SMTP addresses without their prefix, the primary one first."""
        return _addresses(self.primary_smtp_address, self.email_addresses)

    def answers_to(self, identity: str) -> bool:
        """Whether an address, a user principal name or an id is its own, whatever the case of the letters."""
        ids = (self.user_principal_name, self.guid, self.exchange_guid, self.external_directory_object_id)
        return identity.casefold() in {key.casefold() for key in (*self.addresses, *ids) if key}


class ClientAccess(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """What ``Get-CASMailbox`` says of one mailbox's protocols.

    https://learn.microsoft.com/powershell/module/exchange/get-casmailbox

    Attributes:
        ews_enabled: the mailbox's own EWS switch; None where it is not set.
        ews_application_access_policy: its own User-Agent policy; empty where it has none.
    """

    primary_smtp_address: str = ""
    ews_enabled: bool | None = None
    ews_application_access_policy: str = ""
    ews_allow_list: tuple[str, ...] = ()
    ews_block_list: tuple[str, ...] = ()


class AcceptedDomain(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """A domain that the organisation takes mail for.

    https://learn.microsoft.com/powershell/module/exchange/get-accepteddomain

    Attributes:
        domain_name: the domain.
        domain_type: ``Authoritative`` or ``InternalRelay``.
        default: whether new recipients get it.
        initial_domain: whether it is the ``onmicrosoft.com`` one that the tenant began with.
    """

    domain_name: str = ""
    domain_type: str = ""
    default: bool = False
    initial_domain: bool = False


Found = TypeVar("Found", Mailbox, Recipient)


class Mailboxes:
    """Reads mailboxes, recipients and domains."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin

    def get(self, identity: str) -> Mailbox | None:
        """The mailbox with an address (primary or proxy), a user principal name or an id; None where there is none.

        Raises:
            ConflictError: several answer to it.
            ServiceError: the service refused.
            TransportError: no readable answer.
        """
        found = self._only(identity, self._find("mailbox", "Get-Mailbox", Mailbox, identity))
        if found is not None and found.mailbox_region:
            self._admin.route(*found.addresses)
        return found

    def recipient(self, identity: str) -> Recipient | None:
        """Whatever has an address or id: mailbox, mail user, contact or group; None where nothing has.

        Raises:
            ConflictError: several answer to it.
            ServiceError: the service refused.
            TransportError: no readable answer.
        """
        return self._only(identity, self._find("recipient", "Get-Recipient", Recipient, identity))

    def matches(self, address: str) -> tuple[Recipient, ...]:
        """Every recipient that has an address among its proxy addresses, never by display name.

        A complete address needs no ``smtp:`` in the filter
        (https://learn.microsoft.com/powershell/exchange/filter-properties); that a quotation mark is doubled in it is
        unverified.

        Raises:
            ServiceError: the service refused.
            TransportError: no readable answer.
        """
        quoted = address.replace("'", "''")
        cmdlet = Cmdlet(
            name="Get-Recipient",
            parameters={"Filter": f"EmailAddresses -eq '{quoted}'"},
            what=f"recipients with the address {address}",
            select=_names(Recipient),
        )
        return tuple(one for one in self._admin.found(cmdlet, Recipient) if one.answers_to(address))

    def soft_deleted(self, identity: str) -> Mailbox | None:
        """The deleted mailbox, still recoverable, that answers to an address or id; None where there is none.

        Raises:
            ServiceError: the service refused.
            TransportError: no readable answer.
        """
        found = self._find("mailbox", "Get-Mailbox", Mailbox, identity, switch="SoftDeletedMailbox")
        return found[0] if found else None

    def inactive(self, identity: str) -> Mailbox | None:
        """The mailbox without user that a hold keeps, by an address or id; None where there is none.

        Raises:
            ServiceError: the service refused.
            TransportError: no readable answer.
        """
        found = self._find("mailbox", "Get-Mailbox", Mailbox, identity, switch="InactiveMailboxOnly")
        return found[0] if found else None

    def client_access(self, identity: str) -> ClientAccess:
        """The protocol switches of a mailbox.

        Raises:
            NotFoundError: there is no such mailbox.
            ServiceError: the service refused.
            TransportError: no readable answer.
        """
        cmdlet = Cmdlet(
            name="Get-CASMailbox",
            parameters={"Identity": identity},
            what=f"mailbox {identity}",
            select=_names(ClientAccess),
            mailbox=identity,
        )
        return self._admin.one(cmdlet, ClientAccess)

    def some_other_than(self, addresses: Collection[str]) -> Mailbox | None:
        """Any user mailbox that answers to none of these addresses; None where there is no other.

        It is meant for the test cmdlets, which only ask what would be allowed; no request goes to the mailbox itself.
        System, discovery, shared and resource mailboxes are never given.

        Raises:
            ServiceError: the service refused.
            TransportError: no readable answer.
        """
        cmdlet = Cmdlet(
            name="Get-Mailbox",
            parameters={"RecipientTypeDetails": [_USER_MAILBOX]},
            what="a mailbox to test the scope with",
            select=_names(Mailbox),
            page_size=_SMALL_PAGE,
        )
        for page in self._admin.pages(cmdlet):
            for item in page:
                mailbox = fit(Mailbox, item, cmdlet.name)
                if _is_ordinary(mailbox) and not any(mailbox.answers_to(address) for address in addresses):
                    return mailbox
        return None

    def accepted_domains(self) -> tuple[AcceptedDomain, ...]:
        """The domains that addresses of this organisation may have.

        Raises:
            ServiceError: the service refused.
            TransportError: no readable answer.
        """
        cmdlet = Cmdlet(
            name="Get-AcceptedDomain",
            parameters={},
            what="the accepted domains",
            select=_names(AcceptedDomain),
        )
        return self._admin.all(cmdlet, AcceptedDomain)

    def _find(self, kind: str, name: str, model: type[Found], identity: str, *, switch: str = "") -> tuple[Found, ...]:
        cmdlet = Cmdlet(
            name=name,
            parameters={"Identity": identity, **({switch: True} if switch else {})},
            what=f"{kind} {identity}",
            select=_names(model),
        )
        return tuple(one for one in self._admin.found(cmdlet, model) if one.answers_to(identity))

    @staticmethod
    def _only(identity: str, found: tuple[Found, ...]) -> Found | None:
        if len(found) > 1:
            raise ConflictError(
                f"{len(found)} objects in Exchange answer to {identity}",
                service="exchange",
                status=200,
                hint="name the mailbox by its primary address or its object id",
                details=[f"{one.primary_smtp_address or one.identity} ({one.recipient_type_details})" for one in found],
            )
        return found[0] if found else None


def _names(model: type[msgspec.Struct]) -> tuple[str, ...]:
    return tuple(field.encode_name for field in msgspec.structs.fields(model))


def _addresses(primary: str, proxies: tuple[str, ...]) -> tuple[str, ...]:
    others = (proxy[len(_SMTP) :] for proxy in proxies if proxy[: len(_SMTP)].lower() == _SMTP)
    found = {address.casefold(): address for address in (primary, *others) if address}
    return tuple(found.values())


def _is_ordinary(mailbox: Mailbox) -> bool:
    if mailbox.recipient_type_details != _USER_MAILBOX or not mailbox.primary_smtp_address:
        return False
    return not mailbox.name.startswith(_SYSTEM_NAMES)
