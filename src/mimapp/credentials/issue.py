"""Issue a secret and store it, as one step that loses nothing.

``addPassword`` has no key by which a second call would be recognised, and shows the value once. So each try has its
own label, written to the journal before it is sent; a try whose reply is lost is followed by one under another label,
and the lost one is looked for later (`recover`). The value goes to the stores before anything else may fail.

A store that cannot be asked later whether it has the value (the terminal) is written to the journal before it is given
the value: after a crash in between nobody could tell, and what somebody may have written down is not revoked.

https://learn.microsoft.com/graph/api/application-addpassword
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec import structs

from mimapp.credentials.labels import new_label
from mimapp.errors import BadReplyError, BusyError, MimappError, ReplyLostError, ServiceError, StoreError
from mimapp.journal import SecretEntry
from mimapp.secret import StoredSecret

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from mimapp.credentials.desk import Desk
    from mimapp.graph import IssuedPassword
    from mimapp.secret import Secret

__all__ = ["Issued", "issue", "issue_if"]

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
        secret: its value, for this run: not every store gives it back.
    """

    key_id: str
    label: str
    expires: datetime
    stores: tuple[str, ...]
    secret: Secret


def issue(desk: Desk, lifetime: timedelta) -> Issued:
    """Issue a secret and hand it to every store.

    Raises:
        StoreError: no store is named, or one cannot take it. Where none could, the secret is revoked again.
        UsageError: the journal cannot be written. What was issued by then is revoked by the next run.
        ServiceError: Graph refuses to issue one.
        TransportError: Graph cannot be reached, or lost its reply again and again.
    """
    entry, password = _begin(desk, lifetime)
    return _finish(desk, entry, password)


def issue_if(desk: Desk, lifetime: timedelta, is_wanted: Callable[[str, str], bool]) -> Issued | None:
    """Issue a secret, ask whether it is still wanted, and hand it to every store; None when it was revoked instead.

    Args:
        desk: the application.
        lifetime: how long it is to live.
        is_wanted: given its key id and label, before any store has it. It must not raise anything but for a person
            who interrupts: the value is in memory alone.

    Raises:
        MimappError: as `issue`.
    """
    entry, password = _begin(desk, lifetime)
    if not is_wanted(password.key_id, entry.label):
        _take_back(desk, entry, password.key_id)  # what cannot be revoked now is "issued", which the next run revokes
        return None
    return _finish(desk, entry, password)


def _begin(desk: Desk, lifetime: timedelta) -> tuple[SecretEntry, IssuedPassword]:
    """Ask for a secret, once every store has said that it could take one."""
    if not desk.stores:
        raise StoreError("no store is named for the client secret", hint="name one with --secret-to file:PATH")
    for store in desk.stores:
        store.preflight()
    entry, password = _ask(desk, lifetime)
    return desk.note(entry, "issued", key_id=password.key_id, expires=password.end), password


def _finish(desk: Desk, entry: SecretEntry, password: IssuedPassword) -> Issued:
    holding = _hand_over(desk, entry, password)
    desk.note(entry, "handed", stores=holding)
    return Issued(
        key_id=password.key_id, label=entry.label, expires=password.end, stores=holding, secret=password.secret
    )


def _ask(desk: Desk, lifetime: timedelta) -> tuple[SecretEntry, IssuedPassword]:
    """Ask under new labels until one reply arrives."""
    attempt = 0
    while True:
        attempt += 1
        now = desk.clock.now()
        start = now.replace(microsecond=0)  # not later than now, and as Graph writes it
        entry = SecretEntry(
            label=new_label(now), state="intended", application_id=desk.application_id, begun=now, changed=now
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
            # It may have been carried out as late as now: a throttled request waits for its turn.
            desk.note(structs.replace(entry, begun=desk.clock.now()), "lost")
            pause = desk.patience.pause_before(attempt)
            if attempt == _MOST_TRIES or not desk.patience.allows(pause):
                raise
            desk.patience.pause(f"client secret {entry.label}", "the reply was lost", pause)
        except MimappError:
            desk.note(entry, "revoked")  # never taken: there is nothing to look for
            raise
        else:
            return entry, password


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
            if store.has(stored.key_id) is None:
                desk.note(entry, "handed", stores=(*holding, store.uri))
            store.put(stored)
        except StoreError as error:
            failures.append(error)
        else:
            holding.append(store.uri)
    if not failures:
        return tuple(holding)
    reasons = [str(error) for error in failures]
    desk.note(entry, "handed" if holding else "issued", stores=tuple(holding))
    if holding:
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
