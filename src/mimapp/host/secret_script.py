"""The script that gives MIM Service a new client secret unattended, and the result file that it leaves.

Owns the two forms (regular account, group-managed account) and the reading of results. Not a documented procedure: it
follows what Microsoft publishes for the twin of the value, the mailbox password (MIMDocs, "Update of MIM Specific
Service account for notifications to gMSA"); one consultant's article confirms it for the client secret. The documented
way is Change mode (`sheet`). The script holds no secret. It is parsed and run against a model; not yet on Windows.
"""

from __future__ import annotations

import codecs
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal

import msgspec

from mimapp.clock import iso
from mimapp.errors import HostInputError, UsageError
from mimapp.host.collect import EVENT_TEXT, TOKEN_TEXT
from mimapp.host.options import Account
from mimapp.host.powershell import ScriptFile, filled, quoted, template
from mimapp.host.registry import MIM_KEY, SECRET_NAME, SERVICE_KEY

__all__ = ["Outcome", "SecretResult", "read_result", "secret_script"]

_WORDS = {
    Account.REGULAR: "a regular service account",
    Account.GMSA: "a group-managed service account",
}
_ORDER = {
    Account.REGULAR: (
        "1. -Phase Prepare, elevated: makes the work folder.",
        "2. -Phase Apply -WhatIf, elevated: checks the server, changes nothing.",
        "3. -Phase Protect, as the service account on this server (a scheduled task, or runas): opens the envelope or",
        "   prompts. The certificate's private key must be readable to that account.",
        "4. -Phase Apply, elevated.",
    ),
    Account.GMSA: (
        "1. -Phase Apply -WhatIf, elevated: checks the server, changes nothing.",
        "2. -Phase Apply, elevated: opens the envelope or prompts. The gMSA needs the right to log on as a batch job,",
        "   for the task that shows whether the value in use decrypts.",
    ),
}
_PHASES = {
    Account.REGULAR: ("Prepare", "Protect", "Apply", "Restore"),
    Account.GMSA: ("Probe", "Apply", "Restore"),
}
_DISPATCH = {
    Account.REGULAR: """    'Prepare' {
        if (-not $WhatIfPreference) { Assert-Elevated }
        Invoke-Prepare
    }
    'Protect' { Invoke-Protect }""",
    Account.GMSA: "    'Probe' { Invoke-Probe }",
}


def secret_script(
    account: Account,
    *,
    accept_unsupported: bool,
    application_id: str = "",
    key_id: str = "",
    old_secret_expires: datetime | None = None,
) -> ScriptFile:
    """The script for Windows PowerShell 5.1 on a MIM Service node.

    Args:
        account: what MIM Service runs as; the two forms protect the secret in different ways.
        accept_unsupported: the caller has said that this is no documented procedure.
        application_id: the application that the node must be using; empty leaves it to the script's parameter.
        key_id: the new secret's key id, for the result; empty leaves it to the envelope or the parameter.
        old_secret_expires: until when a rollback makes sense; None leaves it to the parameter.

    Raises:
        UsageError: `accept_unsupported` is false, or an id is no GUID.
    """
    if not accept_unsupported:
        raise UsageError(
            "writing the secret into the registry is not a documented procedure",
            hint="the documented way is Change mode: mimapp host sheet; otherwise add --accept-unsupported",
            explain="unsupported-secret-script",
        )
    for label, value in (("application id", application_id), ("key id", key_id)):
        if value and not _is_guid(value):
            raise UsageError(f"the {label} {value!r} is not a GUID")
    text = filled(
        template("secret.ps1"),
        {
            "form-words": _WORDS[account],
            "order": "\n".join(_ORDER[account]),
            "phases": ", ".join(quoted(phase) for phase in _PHASES[account]),
            "key-id": quoted(key_id),
            "application-id": quoted(application_id),
            "old-ends": quoted(iso(old_secret_expires) if old_secret_expires else ""),
            "mim-key": quoted(MIM_KEY),
            "secret-name": quoted(SECRET_NAME),
            "service-key": quoted(SERVICE_KEY),
            "token-text": quoted(f"*{TOKEN_TEXT}*"),
            "event-text": quoted(f"*{EVENT_TEXT}*"),
            "form": template(f"secret-{account}.ps1"),
            "dispatch": _DISPATCH[account],
        },
    )
    return ScriptFile(name=f"mimapp-secret-{account}.ps1", text=text, encoding="utf-8-sig")


def _is_guid(value: str) -> bool:
    return re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", value) is not None


class Outcome(StrEnum):
    """How a run ended: only `SUCCESS` is evidence that the node uses the new secret."""

    SUCCESS = "success"
    ROLLED_BACK = "rolled-back"
    FAILED = "failed"
    UNFINISHED = "unfinished"


class _ResultWire(msgspec.Struct, frozen=True, rename="camel"):
    schema: Literal["mimapp.secret-script-result/1"]
    server: str
    application_id: str
    account: str
    outcome: Outcome
    reason: str
    written_at: str
    key_id: str | None = None
    restarted_at: str | None = None
    token_written_at: str | None = None
    event12: int = 0


# Made here, by one thread: see mimapp.transport.models.
_WIRE = msgspec.json.Decoder(_ResultWire)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretResult:
    """What one run did on one node; times are aware, UTC.

    Attributes:
        server: the node's name, for hand-over evidence per node.
        application_id: the application that the node uses.
        key_id: the new secret, or empty where neither envelope nor parameter told it.
        outcome: how it ended.
        reason: in the script's words.
        written_at: when the value was written.
        token_written_at: when the new access token was seen, or None.
        event_12: how often MIM could not reach the mailbox after the restart; mail is reported, not judged.
    """

    server: str
    application_id: str
    key_id: str
    outcome: Outcome
    reason: str
    written_at: datetime
    token_written_at: datetime | None
    event_12: int

    @property
    def is_evidence(self) -> bool:
        """Whether this proves that the node got a token with the secret `key_id`."""
        return self.outcome is Outcome.SUCCESS and bool(self.key_id) and self.token_written_at is not None


def read_result(data: bytes, name: str = "result file") -> SecretResult:
    """Decode the result file of a run, for ``handover confirm --from``.

    Raises:
        HostInputError: it is no such file, cut off, or contradicts itself.
    """
    try:
        wire = _WIRE.decode(data.removeprefix(codecs.BOM_UTF8))
        written = _moment(wire.written_at)
        token = _moment(wire.token_written_at) if wire.token_written_at else None
    except (msgspec.DecodeError, UnicodeError, RecursionError, ValueError, OverflowError) as error:
        words = str(error) if isinstance(error, msgspec.ValidationError) else "not JSON, cut off, or a wrong time"
        raise HostInputError(f"{name} is not what the secret script writes: {words}") from None
    key_id = wire.key_id or ""
    for value in (wire.application_id, key_id):
        if value and not _is_guid(value):
            raise HostInputError(f"{name}: {value!r} is not a GUID")
    if wire.outcome is Outcome.SUCCESS and (token is None or token < written):
        raise HostInputError(f"{name} says success and names no access token newer than the write")
    return SecretResult(
        server=wire.server,
        application_id=wire.application_id.lower(),
        key_id=str(uuid.UUID(key_id)) if key_id else "",
        outcome=wire.outcome,
        reason=wire.reason,
        written_at=written,
        token_written_at=token,
        event_12=wire.event12,
    )


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
