"""The proof that the application is denied elsewhere: a real EWS refusal, kept in the journal with when and how.

A test cmdlet answers from the policy as it is written; EWS may enforce it an hour later. So only what EWS itself
refused for a mailbox outside, while it opened the one inside, proves the restriction. A proof is worth nothing any more
once the fence is built anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.provisioning.scope_notes import FENCE_NOTE, POLICY_NOTE, ROLE_NOTE

if TYPE_CHECKING:
    from datetime import datetime

    from mimapp.journal import Journal, State

__all__ = ["Proof", "forget_proof", "note_proof", "proof_of"]

#: How the journal's notes of a proof begin; the address that EWS refused follows.
_NOTE = "scope proven by EWS, which refused "


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """That EWS refused a mailbox outside while it opened the one inside.

    Attributes:
        when: the moment.
        address: the mailbox outside.
    """

    when: datetime
    address: str

    @property
    def how(self) -> str:
        """What was seen, in words."""
        return f"EWS refused {self.address}"


def note_proof(journal: Journal, tenant_id: str, key: str, proof: Proof) -> None:
    """Write a proof down, in place of older ones.

    Raises:
        UsageError: the journal cannot be read or written.
    """
    forget_proof(journal, tenant_id, key, but=f"{_NOTE}{proof.address}")
    journal.note_since(tenant_id, key, f"{_NOTE}{proof.address}", proof.when)


def forget_proof(journal: Journal, tenant_id: str, key: str, *, but: str = "") -> None:
    """Forget what was proven: EWS let the application in where it should not.

    Raises:
        UsageError: the journal cannot be read or written.
    """
    for note in journal.state(tenant_id, key).since:
        if note.startswith(_NOTE) and note != but:
            journal.note_since(tenant_id, key, note, None)


def proof_of(state: State) -> Proof | None:
    """The latest proof of the fence that stands now; None where there is none."""
    built = [state.since[note] for note in (POLICY_NOTE, FENCE_NOTE, ROLE_NOTE) if note in state.since]
    proofs = [
        Proof(when=when, address=note.removeprefix(_NOTE))
        for note, when in state.since.items()
        if note.startswith(_NOTE) and when >= max(built, default=when)
    ]
    return max(proofs, key=lambda proof: proof.when, default=None)
