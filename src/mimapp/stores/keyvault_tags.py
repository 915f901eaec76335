"""The tags of a Key Vault secret's version: whose secret it is, and the evidence that MIM uses it.

Key Vault takes 15 tags a version, names of 512 and values of 256 signs at most. Five say whose the secret is; ten are
left for evidence, one piece a tag.
https://learn.microsoft.com/azure/key-vault/secrets/about-secrets
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, get_args

from mimapp.clock import iso
from mimapp.journal import Evidence, EvidenceKind
from mimapp.secret import StoredSecret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mimapp.secret import Secret

__all__ = ["KEY_ID", "evidence_in", "is_ours", "of", "stored_secret", "with_evidence"]

KEY_ID: Final = "mimapp-key-id"
_APPLICATION: Final = "mimapp-application-id"
_TENANT: Final = "mimapp-tenant-id"
_LABEL: Final = "mimapp-label"
_SANDBOX: Final = "mimapp-sandbox"
_EVIDENCE: Final = "mimapp-evidence-"
_MOST_PIECES: Final = 10
_LONGEST_NODE: Final = 80
_LONGEST_NAME: Final = 100
_SEPARATOR: Final = "|"
_FORM: Final = re.compile(r"(?P<kind>[a-z]+)\|(?P<when>[^|]+)\|(?P<node>[^|]*)\|(?P<by>.*)")


def of(stored: StoredSecret) -> dict[str, str]:
    """The tags of a new version."""
    return {
        KEY_ID: stored.key_id,
        _APPLICATION: stored.application_id,
        _TENANT: stored.tenant_id,
        _LABEL: stored.label,
        **({_SANDBOX: "true"} if stored.sandbox else {}),
    }


def is_ours(tags: Mapping[str, str]) -> bool:
    """Whether mimapp made the version."""
    return bool(tags.get(KEY_ID) and tags.get(_APPLICATION))


def stored_secret(tags: Mapping[str, str], value: Secret, expires: datetime | None) -> StoredSecret:
    """A version as what was stored; one whose expiry somebody took away counts as ended long ago."""
    return StoredSecret(
        application_id=tags[_APPLICATION],
        tenant_id=tags.get(_TENANT, ""),
        secret=value,
        key_id=tags[KEY_ID],
        label=tags.get(_LABEL, ""),
        expires=expires or datetime.min.replace(tzinfo=UTC),
        sandbox=tags.get(_SANDBOX) == "true",
    )


def evidence_in(tags: Mapping[str, str], key_id: str) -> tuple[Evidence, ...]:
    """The evidence in the tags, oldest first; a tag that somebody has changed is passed over."""
    found = [
        piece
        for name, text in tags.items()
        if name.startswith(_EVIDENCE) and (piece := _piece(text, key_id)) is not None
    ]
    return tuple(sorted(found, key=lambda piece: piece.when))


def with_evidence(tags: Mapping[str, str], evidence: Evidence) -> dict[str, str]:
    """The tags with one more piece, in place of what the same kind said for the same node."""
    known = [
        piece
        for piece in evidence_in(tags, evidence.key_id)
        if (piece.kind, piece.node) != (evidence.kind, _kept(evidence.node, _LONGEST_NODE))
    ]
    pieces = sorted((*known, evidence), key=lambda piece: piece.when)[-_MOST_PIECES:]
    others = {name: text for name, text in tags.items() if not name.startswith(_EVIDENCE)}
    return {**others, **{f"{_EVIDENCE}{number}": _text(piece) for number, piece in enumerate(pieces, 1)}}


def _text(piece: Evidence) -> str:
    words = (_kept(piece.node, _LONGEST_NODE), _kept(piece.by, _LONGEST_NAME))
    return _SEPARATOR.join((piece.kind, iso(piece.when), *words))


def _kept(word: str, longest: int) -> str:
    return word[:longest].replace(_SEPARATOR, "/")


def _piece(text: str, key_id: str) -> Evidence | None:
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    kind = next((known for known in get_args(EvidenceKind) if known == match["kind"]), None)
    try:
        when = datetime.fromisoformat(match["when"])
    except ValueError:
        return None
    if kind is None or when.tzinfo is None:
        return None
    return Evidence(key_id=key_id, kind=kind, when=when, by=match["by"], node=match["node"])
