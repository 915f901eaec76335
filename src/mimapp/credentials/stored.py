"""The client secret that a store of this run still has, for what has to be MIM Service for a moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.errors import StoreError

if TYPE_CHECKING:
    from datetime import datetime

    from mimapp.credentials.desk import Desk
    from mimapp.graph import Application
    from mimapp.secret import Secret

__all__ = ["Held", "stored_secret"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The secret that is tried.

    Attributes:
        value: the secret.
        source: where it came from: a store's URI, or ``stdin``.
        expires: when it ends; None where nobody knows, as for one that was given from outside.
        usable_by: until when Entra may refuse it because it is new; None likewise.
    """

    value: Secret
    source: str
    expires: datetime | None = None
    usable_by: datetime | None = None


def stored_secret(desk: Desk, application: Application) -> Held:
    """The stored secret of an application that lives longest and that its store gives back.

    Raises:
        StoreError: no store of this run has one.
    """
    ends = {entry.key_id: entry.expires for entry in desk.entries() if entry.key_id and entry.state != "revoked"}
    ends |= {one.key_id: one.end_date_time for one in application.password_credentials or () if one.key_id}
    for key_id in sorted(ends, key=lambda one: (str(ends[one] or ""), one), reverse=True):
        for store in desk.holders(key_id):
            if (value := store.get(key_id)) is not None:
                entry = desk.entry_of(key_id)
                usable_by = None if entry is None else entry.begun + desk.window
                return Held(value=value, source=store.uri, expires=ends[key_id], usable_by=usable_by)
    raise StoreError(
        f"no client secret of application {application.app_id} is stored here",
        hint="name its store with --secret-to; mimapp verify also takes the secret on stdin, with --secret-stdin",
        explain="stored-elsewhere",
    )
