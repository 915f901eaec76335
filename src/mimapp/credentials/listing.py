"""Every way into an application: client secrets, certificates and federated credentials, and whose each is.

Credentials are read from the application and from its service principal, where some tools put them. What mimapp did
not issue is foreign: shown with its age, never touched without being named.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from mimapp.credentials.labels import is_ours
from mimapp.credentials.recover import unfinished

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from mimapp.graph import Application, FederatedCredential, KeyCredential, PasswordCredential, ServicePrincipal
    from mimapp.journal import SecretEntry
    from mimapp.secret import SecretStore

__all__ = ["Credential", "Owner", "list_credentials"]


class Owner(StrEnum):
    """Whose a credential is."""

    HERE = "here"
    """mimapp issued it, and a store named in this run has its value."""
    ELSEWHERE = "elsewhere"
    """mimapp issued it, and its value lies on another machine or in another store."""
    UNFINISHED = "unfinished"
    """mimapp asked for it on this machine and no store has it: the next run revokes it."""
    FOREIGN = "foreign"
    """Somebody or something else made it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """One way into the application.

    Attributes:
        kind: ``password``, ``key`` (a certificate) or ``federated``.
        on: ``application`` or ``servicePrincipal``.
        key_id: its id.
        label: its display name, or the subject of a federated one.
        starts: when it began.
        expires: when it ends; None for a federated one, which does not.
        owner: whose it is.
        stores: URIs of the stores of this run that have its value.
        proven: whether this machine got a token with it.
    """

    kind: str
    on: str
    key_id: str
    label: str
    starts: datetime | None
    expires: datetime | None
    owner: Owner
    stores: tuple[str, ...] = ()
    proven: bool = False


def list_credentials(
    application: Application,
    principal: ServicePrincipal | None,
    federated: Iterable[FederatedCredential],
    stores: Sequence[SecretStore],
    entries: Sequence[SecretEntry],
) -> tuple[Credential, ...]:
    """All credentials, those that end first, first."""
    found = [
        *(_password(item, "application", stores, entries) for item in application.password_credentials or ()),
        *_keys(application.key_credentials, "application"),
        *(
            Credential(
                kind="federated",
                on="application",
                key_id=item.id,
                label=item.subject or item.name or "",
                starts=None,
                expires=None,
                owner=Owner.FOREIGN,
            )
            for item in federated
        ),
    ]
    if principal is not None:
        found += [_password(item, "servicePrincipal", (), ()) for item in principal.password_credentials or ()]
        found += _keys(principal.key_credentials, "servicePrincipal")
    return tuple(sorted(found, key=lambda item: (item.expires is None, str(item.expires), item.key_id)))


def _password(
    item: PasswordCredential, on: str, stores: Sequence[SecretStore], entries: Sequence[SecretEntry]
) -> Credential:
    key_id = item.key_id or ""
    holders = tuple(store.uri for store in stores if key_id and store.has(key_id))
    known = {entry.key_id: entry for entry in entries if entry.key_id}
    return Credential(
        kind="password",
        on=on,
        key_id=key_id,
        label=item.display_name or "",
        starts=item.start_date_time,
        expires=item.end_date_time,
        owner=_owner(item, holders, entries),
        stores=holders,
        proven=key_id in known and known[key_id].state == "proven",
    )


def _owner(item: PasswordCredential, holders: tuple[str, ...], entries: Sequence[SecretEntry]) -> Owner:
    if not is_ours(item.display_name):
        return Owner.FOREIGN
    if holders:
        return Owner.HERE
    if item.display_name in {entry.label for entry in unfinished(entries)}:
        return Owner.UNFINISHED
    return Owner.ELSEWHERE


def _keys(keys: Iterable[KeyCredential] | None, on: str) -> Iterator[Credential]:
    for key in keys or ():
        yield Credential(
            kind="key",
            on=on,
            key_id=key.key_id or "",
            label=key.display_name or "",
            starts=key.start_date_time,
            expires=key.end_date_time,
            owner=Owner.FOREIGN,
        )
