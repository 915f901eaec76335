"""Issue a secret and store it, as one step that loses nothing.

``addPassword`` has no key by which a second call would be recognised, and shows the value once. So each try has its
own label, written to the journal before it is sent; a try whose reply is lost is followed by one under another label,
and the lost one is looked for later (`recover`). The value goes to the stores before anything else may fail.

https://learn.microsoft.com/graph/api/application-addpassword
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.credentials.labels import new_label
from mimapp.errors import BadReplyError, BusyError, MimappError, ReplyLostError, ServiceError, StoreError
from mimapp.journal import SecretEntry
from mimapp.secret import StoredSecret

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from mimapp.credentials.desk import Desk
    from mimapp.graph import IssuedPassword

__all__ = ["Issued", "issue"]

_MOST_TRIES = 4
_SERVER_ERRORS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A secret that stands in at least one store.

    Attributes:
        key_id: Entra's id of it.
        label: its display name in Entra.
        expires: when it ends.
        stores: the URIs of the stores that have it.
    """

    key_id: str
    label: str
    expires: datetime
    stores: tuple[str, ...]


def issue(desk: Desk, lifetime: timedelta) -> Issued:
    """Issue a secret and hand it to every store.

    Raises:
        StoreError: a store cannot take it. Where none could, the secret is revoked again.
        ServiceError: Graph refuses to issue one.
        TransportError: Graph cannot be reached, or lost its reply again and again.
    """
    for store in desk.stores:
        store.preflight()
    entry, password = _ask(desk, lifetime)
    entry = desk.note(entry, "issued", key_id=password.key_id, expires=password.end)
    holding = _hand_over(desk, entry, password)
    desk.note(entry, "handed", stores=holding)
    return Issued(key_id=password.key_id, label=entry.label, expires=password.end, stores=holding)


def _ask(desk: Desk, lifetime: timedelta) -> tuple[SecretEntry, IssuedPassword]:
    """Ask under new labels until one reply arrives."""
    for attempt in range(1, _MOST_TRIES + 1):
        start = desk.clock.now().replace(microsecond=0)
        entry = SecretEntry(
            label=new_label(start), state="intended", application_id=desk.application_id, begun=start, changed=start
        )
        desk.journal.put_secret(desk.tenant_id, desk.key, entry)
        try:
            password = desk.graph.credentials.add_password(
                desk.object_id, label=entry.label, start=start, end=start + lifetime, fresh=True
            )
        except (ReplyLostError, BadReplyError, ServiceError) as error:
            if not _may_exist(error):
                desk.note(entry, "revoked")
                raise
            desk.note(entry, "lost")
            pause = desk.patience.pause_before(attempt)
            if attempt == _MOST_TRIES or not desk.patience.allows(pause):
                raise
            desk.patience.pause(f"client secret {entry.label}", "the reply was lost", pause)
        except MimappError:
            desk.note(entry, "revoked")  # never taken: there is nothing to look for
            raise
        else:
            return entry, password
    raise AssertionError("the last try returns or raises")


def _may_exist(error: MimappError) -> bool:
    """Whether Entra may have issued the secret although it did not say so."""
    if isinstance(error, ServiceError):
        return isinstance(error, BusyError) and error.status >= _SERVER_ERRORS
    return True


def _hand_over(desk: Desk, entry: SecretEntry, password: IssuedPassword) -> tuple[str, ...]:
    stored = StoredSecret(
        application_id=desk.application_id,
        tenant_id=desk.tenant_id,
        secret=password.secret,
        key_id=password.key_id,
        label=entry.label,
        expires=password.end,
        sandbox=desk.sandbox,
    )
    holding: list[str] = []
    failures: list[StoreError] = []
    for store in desk.stores:
        try:
            store.put(stored)
        except StoreError as error:
            failures.append(error)
        else:
            holding.append(store.uri)
    if not failures:
        return tuple(holding)
    reasons = [str(error) for error in failures]
    if holding:
        desk.note(entry, "handed", stores=tuple(holding))
        raise StoreError(
            f"the new secret {entry.label!r} is in {', '.join(holding)}, and not in every store it was meant for",
            hint="mend the store, then run the same command again",
            details=reasons,
        )
    raise StoreError(
        f"no store took the new secret {entry.label!r}: {reasons[0]}",
        hint=failures[0].hint,
        details=[*reasons[1:], _take_back(desk, entry, password.key_id)],
    )


def _take_back(desk: Desk, entry: SecretEntry, key_id: str) -> str:
    """Revoke a secret that nobody has; what came of it, in words."""
    try:
        desk.graph.credentials.remove_password(desk.object_id, key_id, fresh=True)
    except MimappError as error:
        return f"it could not be revoked now ({error}); the next run of mimapp here does it"
    desk.note(entry, "revoked")
    return "it was revoked again"
