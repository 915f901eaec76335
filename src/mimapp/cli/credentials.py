"""Credentials as people and documents see them: whose each is, how old, until when; never a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.cli.result import Line, Table
from mimapp.clock import iso
from mimapp.credentials.listing import Owner

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from mimapp.cli.result import Block, JsonValue, Tone
    from mimapp.credentials.listing import Credential

__all__ = ["credential_documents", "credential_table", "whose"]

_WORDS = {
    Owner.HERE: "stored here",
    Owner.ELSEWHERE: "stored elsewhere",
    Owner.UNFINISHED: "left by an interrupted run",
    Owner.FOREIGN: "not mimapp's",
}
_TONES: dict[Owner, Tone] = {Owner.HERE: "plain", Owner.FOREIGN: "dim"}


def whose(credential: Credential) -> str:
    """Whose a credential is, in words."""
    return _WORDS[credential.owner]


def credential_documents(credentials: Sequence[Credential]) -> list[Mapping[str, JsonValue]]:
    """The credentials for JSON."""
    return [
        {
            "kind": item.kind,
            "on": item.on,
            "keyId": item.key_id,
            "label": item.label,
            "starts": None if item.starts is None else iso(item.starts),
            "expires": None if item.expires is None else iso(item.expires),
            "whose": item.owner.value,
            "stores": list(item.stores),
            "proven": item.proven,
        }
        for item in credentials
    ]


def credential_table(credentials: Sequence[Credential]) -> tuple[Block, ...]:
    """The credentials for people."""
    if not credentials:
        return (Line("No secret, certificate or federated credential."),)
    return (
        Table(
            ("credential", "kind", "from", "until", "whose"),
            [
                (item.label or item.key_id, item.kind, _day(item.starts), _day(item.expires), whose(item))
                for item in credentials
            ],
            [_TONES.get(item.owner, "warn") for item in credentials],
        ),
    )


def _day(moment: datetime | None) -> str:
    return "-" if moment is None else f"{moment:%Y-%m-%d}"
