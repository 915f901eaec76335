"""The display name of a secret in Entra: ``mimapp <date> <random>``, unique, so that a lost one can be looked for."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from mimapp.spec import LABEL_PREFIX

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["is_ours", "new_label"]

_RANDOM_BYTES = 5


def new_label(now: datetime) -> str:
    """A label that no secret has yet."""
    return f"{LABEL_PREFIX}{now:%Y-%m-%d} {secrets.token_hex(_RANDOM_BYTES)}"


def is_ours(label: str | None) -> bool:
    """Whether mimapp, on this or another machine, issued the secret that has this display name."""
    return label is not None and label.startswith(LABEL_PREFIX)
