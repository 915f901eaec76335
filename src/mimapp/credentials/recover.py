"""Find what an earlier run left half done, and put it right, with the journal's leave only.

A secret is revoked automatically only when this machine's journal says that it was issued and handed to no store. A
label whose reply was lost is looked for until the replication window is over: a read that does not show it earlier
proves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.errors import DeadlineError, MimappError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mimapp.credentials.desk import Desk
    from mimapp.graph import PasswordCredential
    from mimapp.journal import SecretEntry

__all__ = ["Swept", "sweep", "unfinished"]

_NOT_HANDED = frozenset({"intended", "issued", "lost"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What a sweep came to.

    Attributes:
        revoked: labels of secrets that nobody had, now gone from Entra.
        adopted: labels of secrets that turned out to be in a store after all.
        never_made: labels that Entra did not know when their replication window was over.
        left: labels that the next run has to look for again, each with the reason.
    """

    revoked: tuple[str, ...] = ()
    adopted: tuple[str, ...] = ()
    never_made: tuple[str, ...] = ()
    left: tuple[tuple[str, str], ...] = ()


def unfinished(entries: Sequence[SecretEntry]) -> tuple[SecretEntry, ...]:
    """The journal's secrets that were begun and never reached a store."""
    return tuple(entry for entry in entries if entry.state in _NOT_HANDED)


def sweep(desk: Desk) -> Swept:
    """Look for every unfinished secret of this application, and revoke what no store has."""
    revoked: list[str] = []
    adopted: list[str] = []
    never: list[str] = []
    left: list[tuple[str, str]] = []
    for entry in unfinished(desk.entries()):
        try:
            found = _look_for(desk, entry)
            if found is None:
                desk.note(entry, "revoked")
                never.append(entry.label)
            elif _adopt(desk, entry, found):
                adopted.append(entry.label)
            elif found.key_id is None:
                left.append((entry.label, "Graph shows it without an id"))
            else:
                desk.graph.credentials.remove_password(desk.object_id, found.key_id, fresh=True)
                desk.note(entry, "revoked", key_id=found.key_id)
                revoked.append(entry.label)
        except MimappError as error:
            left.append((entry.label, str(error)))
    return Swept(revoked=tuple(revoked), adopted=tuple(adopted), never_made=tuple(never), left=tuple(left))


def _look_for(desk: Desk, entry: SecretEntry) -> PasswordCredential | None:
    """The credential that has the entry's label; None when it has not appeared by the end of its window.

    An id from a reply that came is looked for in the same way: a replica that does not show it is no proof that it
    is gone.
    """

    def ask() -> tuple[PasswordCredential | None] | None:
        window_is_over = desk.clock.now() >= entry.begun + desk.window  # asked before the read, not after
        try:
            application = desk.graph.applications.get(desk.object_id, fresh=True)
        except NotFoundError:
            application = None
        credentials = () if application is None else application.password_credentials or ()
        for credential in credentials:
            if entry.label == credential.display_name or (entry.key_id and entry.key_id == credential.key_id):
                return (credential,)
        return (None,) if window_is_over else None

    try:
        return desk.patience.until(f"client secret {entry.label}", "its reply was lost, and it may still appear", ask)[
            0
        ]
    except DeadlineError:
        raise DeadlineError("it may still appear; the next run of mimapp here looks for it again") from None


def _adopt(desk: Desk, entry: SecretEntry, found: PasswordCredential) -> bool:
    """Whether a store has the value after all: the run died between the store and the journal."""
    if found.key_id is None:
        return False
    holders = desk.holders(found.key_id)
    if holders:
        stores = tuple(store.uri for store in holders)
        desk.note(entry, "handed", key_id=found.key_id, expires=found.end_date_time, stores=stores)
    return bool(holders)
