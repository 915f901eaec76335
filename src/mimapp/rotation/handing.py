"""A statement that MIM uses a secret, by a person or by the MIM server's own result file, checked and kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.errors import UsageError
from mimapp.journal import Evidence
from mimapp.rotation.evidence import keep

if TYPE_CHECKING:
    from mimapp.journal import EvidenceKind
    from mimapp.rotation.view import View

__all__ = ["Statement", "confirm"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """That MIM uses a secret.

    Attributes:
        key_id: the secret.
        by: who says so: the signed-in operator, or the server whose result it is.
        node: the MIM server it is about; empty speaks for all.
        kind: ``confirmed`` by a person, or ``result`` of the secret script, which got a token on the server itself.
    """

    key_id: str
    by: str
    node: str = ""
    kind: EvidenceKind = "confirmed"


def confirm(view: View, statement: Statement) -> Evidence:
    """Keep a statement.

    Raises:
        UsageError: the application has no such secret of mimapp's, or it has ended.
        StoreError: the journal has it, and a store could not take it.
    """
    secret = view.find(statement.key_id)
    if secret is None:
        known = [f"{one.label}: {one.key_id}" for one in view.live]
        if statement.key_id.lower() in {key_id.lower() for key_id in view.foreign}:
            raise UsageError(
                f"the secret {statement.key_id} was not issued by mimapp: it is evidence for nothing", details=known
            )
        raise UsageError(
            f"the application has no secret of mimapp's with the key id {statement.key_id}",
            hint="give the key id of the secret that MIM uses now, not its label and not the one before",
            details=known,
        )
    if not secret.is_live(view.at):
        raise UsageError(f"{secret.label} ended on {secret.expires:%Y-%m-%d}: MIM cannot be using it")
    evidence = Evidence(
        key_id=secret.key_id, kind=statement.kind, when=view.desk.clock.now(), by=statement.by, node=statement.node
    )
    keep(view.desk, evidence)
    return evidence
