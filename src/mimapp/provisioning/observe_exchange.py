"""What Exchange says of a registration: mailbox, group, access policies and their test, the EWS settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.errors import DeniedError, NotFoundError, UsageError
from mimapp.provisioning.rbac_view import ask_roles, read_roles
from mimapp.spec import Scope

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from mimapp.exchange import AccessPolicy, EwsSettings, Group, GroupMember, Mailbox
    from mimapp.provisioning.rbac_view import RoleView
    from mimapp.provisioning.services import Services
    from mimapp.spec import Registration

__all__ = ["ExchangeReader", "ExchangeView", "ObservedGroup", "group_address", "group_owner_of", "read_group"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedGroup:
    """The scoping group at our address: what it is, who is in it, and the mark in its notes (None: not readable)."""

    group: Group
    members: tuple[GroupMember, ...]
    notes: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeView:
    """Exchange's half of what was seen.

    Attributes:
        mailbox: the MIM Service mailbox.
        group: the scoping group, or None.
        group_owner: the address that is to own a new group, or why there is none; None when the group exists.
        policies: the access policies that name the application.
        outside: the address of a mailbox outside the group, for the test cmdlet only; None when there is none.
        inside_granted: what the test cmdlet says of the mailbox; None: not asked.
        outside_granted: what it says of the one outside; None: not asked.
        roles: what the application holds by role; None where it is not known or this account may not read it.
        ews: the organisation's EWS settings.
    """

    mailbox: Mailbox
    group: ObservedGroup | None
    group_owner: str | UsageError | None
    policies: tuple[AccessPolicy, ...]
    outside: str | None
    inside_granted: bool | None
    outside_granted: bool | None
    roles: RoleView | None
    ews: EwsSettings

    @property
    def fence_stands(self) -> bool:
        """Whether the policy is listed and the service's own test grants inside and denies outside.

        Where the tenant has no other mailbox, nothing can be denied: then "granted" has to do, and is warned about.
        """
        denied = self.outside_granted is False or self.outside is None
        return bool(self.policies) and self.inside_granted is True and denied


def group_address(wanted: Registration, mailbox: str) -> str:
    """The address of the scoping group: our name in the domain of the mailbox, which the tenant accepts."""
    return f"{wanted.group_name}@{mailbox.partition('@')[2].lower()}"


class ExchangeReader:
    """Reads Exchange in two rounds; the first begins when it is made."""

    def __init__(self, services: Services, wanted: Registration, pool: Executor) -> None:
        exchange = services.exchange
        self._services = services
        self._wanted = wanted
        self._pool = pool
        self._mailbox = pool.submit(exchange.mailboxes.get, wanted.mailbox)
        self._address = group_address(wanted, wanted.mailbox)
        self._group = pool.submit(exchange.groups.get, self._address)
        self._members = pool.submit(_members, services, self._address)
        self._notes = pool.submit(exchange.groups.notes, self._address)
        self._policies = pool.submit(exchange.access_policies.list)
        self._outside = pool.submit(exchange.mailboxes.some_other_than, (wanted.mailbox,))
        self._ews = pool.submit(exchange.organization.read)

    def second_round(self, app_id: str | None, *, has_role: bool = False) -> Callable[[], ExchangeView]:
        """Ask what depends on the application; what it gives back waits for the answers.

        Args:
            app_id: the client id; None where there is no application.
            has_role: whether its tags speak of a role, which is then read side by side with the rest.

        Raises:
            UsageError: the mailbox is not there.
        """
        mailbox = self._mailbox.result()
        if mailbox is None:
            raise _no_mailbox(self._services, self._wanted.mailbox)
        policies = tuple(p for p in self._policies.result() if app_id and p.app_id.lower() == app_id.lower())
        outside = self._outside.result()
        outside_address = None if outside is None else outside.primary_smtp_address
        group = self._found_group()
        inside = self._test(self._wanted.mailbox, app_id) if policies else None
        denied = self._test(outside_address, app_id) if policies else None
        roles = None if app_id is None else self._ask_roles(app_id, outside_address, has_role=has_role)
        owner = self._pool.submit(group_owner_of, self._services, self._wanted) if group is None else None
        return lambda: ExchangeView(
            mailbox=mailbox,
            group=group,
            group_owner=None if owner is None else owner.result(),
            policies=policies,
            outside=outside_address,
            inside_granted=None if inside is None else inside(),
            outside_granted=None if denied is None else denied(),
            roles=None if roles is None else roles(),
            ews=self._ews.result(),
        )

    def _ask_roles(self, app_id: str, outside: str | None, *, has_role: bool) -> Callable[[], RoleView | None]:
        """What the application holds by role; an account that may not read roles can do all but assign one.

        What is given back raises:
            DeniedError: a role is what is wanted.
        """
        exchange, wanted = self._services.exchange, self._wanted
        is_wanted = wanted.scope is Scope.RBAC
        if is_wanted or has_role:
            ends = ask_roles(self._pool, exchange, wanted, app_id, outside=outside)
        else:
            ends = self._pool.submit(read_roles, exchange, wanted, app_id, outside=outside).result

        def read() -> RoleView | None:
            try:
                return ends()
            except DeniedError:
                if is_wanted:
                    raise
                return None

        return read

    def _found_group(self) -> ObservedGroup | None:
        group, members, notes = self._group.result(), self._members.result(), self._notes.result()
        if group is None:
            return None
        if members is None:  # it is there: the replica that was asked for its members was behind
            members = self._services.exchange.groups.members(self._address, fresh=True)
        return ObservedGroup(group=group, members=members, notes=notes)

    def _test(self, mailbox: str | None, app_id: str | None) -> Callable[[], bool] | None:
        if mailbox is None or app_id is None:
            return None
        asked = self._pool.submit(self._services.exchange.access_policies.test, mailbox, app_id)
        return lambda: asked.result().granted


def read_group(services: Services, address: str) -> ObservedGroup | None:
    """The group at an address with its members and its notes, or None."""
    group = services.exchange.groups.get(address)
    if group is None:
        return None
    members = services.exchange.groups.members(address, fresh=True)  # it is there: another replica may be behind
    return ObservedGroup(group=group, members=members, notes=services.exchange.groups.notes(address))


def _members(services: Services, address: str) -> tuple[GroupMember, ...] | None:
    """The members of the group at an address, asked beside the group itself; None where there seems to be none."""
    try:
        return services.exchange.groups.members(address)
    except NotFoundError:
        return None


def _no_mailbox(services: Services, address: str) -> UsageError:
    """Why there is nothing to register: what has the address instead, such as a group or a person on-premises."""
    found = services.exchange.mailboxes.recipient(address)
    if found is None:
        return UsageError(
            f"mailbox: Exchange Online has no mailbox {address}",
            hint="check the address; a mailbox that is still on-premises or has no licence does not count",
        )
    return UsageError(
        f"mailbox: {address} is no mailbox in Exchange Online but a {found.recipient_type_details or 'recipient'}",
        hint=f"name MIM Service's own mailbox; mimapp check --mailbox {address} says more",
    )


def group_owner_of(services: Services, wanted: Registration) -> str | UsageError:
    """Who is to own a new group: the one who was named, else the signed-in administrator; or why nobody can.

    Reads the recipient. The error is a value: it is raised only where a group has to be made.
    """
    operator = services.exchange_operator
    if wanted.group_owner is not None:
        owner = wanted.group_owner
    elif operator.is_app_only:
        return UsageError(
            "the scoping group needs an owner, and an application that signs in by itself cannot be one",
            hint="name an administrator's mailbox with --group-owner ADDRESS or MIMAPP_GROUP_OWNER",
        )
    else:
        owner = operator.name
    if owner.lower() == wanted.mailbox.lower():
        return UsageError(
            f"the scoping group cannot be owned by {owner}: the MIM mailbox would guard its own fence",
            hint="name an administrator's mailbox with --group-owner ADDRESS",
        )
    if services.exchange.mailboxes.recipient(owner) is None:
        return UsageError(
            f"the scoping group cannot be owned by {owner}: Exchange knows no such recipient",
            hint="name an administrator who has a mailbox with --group-owner ADDRESS",
        )
    return owner
