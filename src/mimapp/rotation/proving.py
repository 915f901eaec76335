"""Prove a successor: once after it was issued, and once more before an old secret goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.credentials import Verdict, prove
from mimapp.journal import SecretEntry

if TYPE_CHECKING:
    from mimapp.credentials import Desk, Proof
    from mimapp.rotation.view import OurSecret, View
    from mimapp.secret import Secret

__all__ = ["prove_again", "prove_first", "try_again", "value_of"]


def value_of(desk: Desk, key_id: str) -> Secret | None:
    """The value of a secret, from the first store that gives it back; None where none does."""
    for store in desk.holders(key_id):
        if (value := store.get(key_id)) is not None:
            return value
    return None


def prove_first(desk: Desk, secret: OurSecret, value: Secret) -> Proof:
    """Get a token with a secret and write the answer down."""
    entry = desk.entry_of(secret.key_id) or _entry(desk, secret)
    proof = prove(desk, value, usable_by=entry.begun + desk.window)
    if proof.verdict is Verdict.WORKS:
        desk.note(entry, "proven")
    elif proof.verdict is Verdict.WRONG:
        desk.note(entry, "wrong")
    return proof


def prove_again(desk: Desk, secret: OurSecret) -> Verdict | None:
    """Whether a secret that was proven before still works; None where its value cannot be read back."""
    value = value_of(desk, secret.key_id)
    return None if value is None else prove(desk, value, usable_by=desk.clock.now()).verdict


def try_again(view: View) -> bool:
    """Give the newest secret another chance, where Entra refused it in an earlier run; whether it works by now.

    Then it is written down as proven, and no other one has to be issued in its place.
    """
    newest = next(iter(view.secrets), None)
    if newest is None or newest.state != "wrong" or not newest.is_live(view.at):
        return False
    entry = view.desk.entry_of(newest.key_id)
    if entry is None or prove_again(view.desk, newest) is not Verdict.WORKS:
        return False
    view.desk.note(entry, "proven")
    return True


def _entry(desk: Desk, secret: OurSecret) -> SecretEntry:
    """What this machine's journal is to say of a secret that another one issued into a shared store."""
    now = desk.clock.now()
    return SecretEntry(
        label=secret.label,
        state="handed",
        application_id=desk.application_id,
        begun=secret.starts or now,
        changed=now,
        key_id=secret.key_id,
        expires=secret.expires,
        stores=secret.stores,
    )
