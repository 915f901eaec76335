"""``X-AnchorMailbox``: how Exchange's front end finds the servers of a tenant. The forms come from public clients."""

from __future__ import annotations

__all__ = ["anchor_for_app", "anchor_for_mailbox", "anchor_for_user"]

_SYSTEM_MAILBOX = "SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}"


def anchor_for_user(upn: str) -> str:
    """The ``X-AnchorMailbox`` of a signed-in administrator (GreyCorbel/ExoHelper)."""
    return f"UPN:{upn}"


def anchor_for_app(tenant_id: str) -> str:
    """The ``X-AnchorMailbox`` of an app-only caller, or of a partner's administrator (KelvinTegelaar/CIPP-API).

    The braces are literal.
    """
    return f"APP:{_SYSTEM_MAILBOX}@{tenant_id}"


def anchor_for_mailbox(address: str) -> str:
    """The ``X-AnchorMailbox`` that routes to the region of one mailbox, for a tenant in several regions."""
    return f"SMTP:{address}"
