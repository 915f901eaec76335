"""A stored secret as a dotenv file: one ``MIM_…`` variable a line, values in single quotes.

The names begin with ``MIM_`` and not with ``AZURE_``: what a shell reads from the file must not become the operator's
own sign-in. A value in single quotes is taken as it is by every dotenv reader and by a POSIX shell; one that holds a
single quote or a line end has no form that all of them read alike, and is refused.
"""

from __future__ import annotations

import re
from datetime import datetime

from mimapp.clock import iso
from mimapp.secret import Secret, StoredSecret

__all__ = ["decode", "encode"]

_HEAD = "# Written by mimapp; replaced at each rotation."
_LINE = re.compile(r"(MIM_[A-Z_]+)='([^'\n]*)'")
_KEY_ID = re.compile(r"[A-Za-z0-9-]+")
_NAMES = ("MIM_APPLICATION_ID", "MIM_TENANT_ID", "MIM_CLIENT_SECRET", "MIM_KEY_ID", "MIM_EXPIRES")


def encode(stored: StoredSecret) -> bytes:
    """The file's content.

    Raises:
        ValueError: a value cannot be written so that every reader takes it alike.
    """
    values = {
        "MIM_APPLICATION_ID": stored.application_id,
        "MIM_TENANT_ID": stored.tenant_id,
        "MIM_CLIENT_SECRET": stored.secret.reveal(),
        "MIM_KEY_ID": stored.key_id,
        "MIM_EXPIRES": iso(stored.expires),
        "MIM_LABEL": stored.label,
    }
    if stored.sandbox:
        values["MIM_SANDBOX"] = "true"
    for name, value in values.items():
        if "'" in value or not value.isprintable():
            raise ValueError(f"{name} holds a quote or a line end")
    lines = [_HEAD, *(f"{name}='{value}'" for name, value in values.items())]
    return "\n".join(lines).encode() + b"\n"


def decode(content: bytes) -> StoredSecret:
    """What a file of ours holds.

    Raises:
        ValueError: it is none.
    """
    values: dict[str, str] = {}
    for line in content.decode().splitlines():
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise ValueError("not a line of ours")
        values[match[1]] = match[2]
    if not all(values.get(name) for name in _NAMES) or _KEY_ID.fullmatch(values["MIM_KEY_ID"]) is None:
        raise ValueError("not a file of ours")
    expires = datetime.fromisoformat(values["MIM_EXPIRES"])
    if expires.tzinfo is None:
        raise ValueError("no time zone")
    return StoredSecret(
        application_id=values["MIM_APPLICATION_ID"],
        tenant_id=values["MIM_TENANT_ID"],
        secret=Secret(values["MIM_CLIENT_SECRET"]),
        key_id=values["MIM_KEY_ID"],
        label=values.get("MIM_LABEL", ""),
        expires=expires,
        sandbox=values.get("MIM_SANDBOX") == "true",
    )
