"""Hand-over evidence: what shows that MIM uses a secret, where it is kept, and when it is complete.

It is kept in this machine's journal, and beside the secret where a store has room for it (`EvidenceStore`), so that a
run on a fresh machine knows it too. Evidence for a secret counts for every older one of mimapp's: MIM has moved on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mimapp.credentials import Desk
    from mimapp.journal import Evidence

__all__ = ["EvidenceStore", "covers", "evidence_of", "keep", "missing_nodes"]


@runtime_checkable
class EvidenceStore(Protocol):
    """A secret store that also keeps evidence about its secrets; each method raises `StoreError` when it cannot."""

    def evidence(self, key_id: str) -> tuple[Evidence, ...]:
        """What was kept about this credential; empty when nothing was, or its value is not here."""
        ...

    def put_evidence(self, evidence: Evidence) -> None:
        """Keep one piece, in place of what the same kind said for the same node.

        Nothing happens when the credential's value is not here.
        """
        ...


def evidence_of(desk: Desk, key_id: str) -> tuple[Evidence, ...]:
    """Everything that is known to show the use of a secret, oldest first, each piece once."""
    known = [piece for piece in desk.journal.state(desk.tenant_id, desk.key).evidence if piece.key_id == key_id]
    for store in desk.stores:
        if isinstance(store, EvidenceStore):
            known += store.evidence(key_id)
    latest = {(piece.kind, piece.node): piece for piece in known}
    return tuple(sorted(latest.values(), key=lambda piece: (piece.when, piece.kind, piece.node)))


def keep(desk: Desk, evidence: Evidence) -> None:
    """Write evidence down here, then beside the secret.

    Raises:
        UsageError: the journal cannot be written.
        StoreError: the journal has it, and a store could not take it.
    """
    desk.journal.put_evidence(desk.tenant_id, desk.key, evidence)
    for store in desk.stores:
        if isinstance(store, EvidenceStore):
            store.put_evidence(evidence)


def covers(evidence: Iterable[Evidence], nodes: tuple[str, ...]) -> bool:
    """Whether the evidence is for every MIM server.

    A person who confirms without a node speaks for all. A hook that ran once, or a report that knows no servers, does
    so only where no nodes are named. Evidence for single nodes needs the list of all of them.
    """
    known = tuple(evidence)
    if any(piece.kind == "confirmed" and not piece.node for piece in known):
        return True
    if not nodes:
        return any(not piece.node for piece in known)
    return not missing_nodes(known, nodes)


def missing_nodes(evidence: Iterable[Evidence], nodes: tuple[str, ...]) -> tuple[str, ...]:
    """The named nodes that nothing is known of."""
    shown = {piece.node.casefold() for piece in evidence if piece.node}
    return tuple(node for node in nodes if node.casefold() not in shown)
