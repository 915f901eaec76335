"""The device code flow: codes that wait for a person, and the page where that person says yes.

Kind of document: ``login.deviceCode``, sandbox-wide. A tenant whose ``login.settings`` say ``autoApprove`` answers for
its administrator at once, so that commands in process never wait; the others wait for `approve`.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from mimapp.sandbox.login import errors
from mimapp.sandbox.tenants import find_user
from mimapp.sandbox.tokens import SANDBOX_WIDE

if TYPE_CHECKING:
    from mimapp.sandbox.state import Document, Record, Transaction
    from mimapp.sandbox.tenants import Tenant

__all__ = ["approve", "begin", "redeem"]

_KIND = "login.deviceCode"
_LIFETIME_SECONDS = 900
_POLL_SECONDS = 5
_LETTERS = "BCDFGHJKLMNPQRSTVWXYZ23456789"


def begin(tx: Transaction, tenant: Tenant, *, client_id: str, scope: str, origin: str) -> Document:
    """Issue a pair of codes; the reply of the device authorization endpoint."""
    user_code = "".join(secrets.choice(_LETTERS) for _ in range(9))
    device_code = f"sandbox-{secrets.token_urlsafe(48)}"
    settings = tx.get(tenant.id, "login.settings", tenant.id)
    approved_by = f"admin@{tenant.domain}" if settings is not None and settings.body["autoApprove"] else None
    tx.put(
        SANDBOX_WIDE,
        _KIND,
        device_code,
        {
            "userCode": user_code,
            "tenant": tenant.id,
            "clientId": client_id,
            "scope": scope,
            "approvedBy": approved_by,
            "expires": tx.now + _LIFETIME_SECONDS,
        },
        settled=True,
    )
    page = f"{origin}/{tenant.id}/oauth2/deviceauth"
    return {
        "user_code": user_code,
        "device_code": device_code,
        "verification_uri": page,
        "expires_in": _LIFETIME_SECONDS,
        "interval": _POLL_SECONDS,
        "message": f"To sign in, use a web browser to open the page {page} and enter the code {user_code}"
        " to authenticate.",
    }


def approve(tx: Transaction, *, user_code: str, user_name: str) -> bool:
    """A person enters the code; whether there was such a code and such a person."""
    found = tx.find(SANDBOX_WIDE, _KIND, userCode=user_code.strip())
    if not found or find_user(tx, found[0].body["tenant"], user_name) is None:
        return False
    tx.put(SANDBOX_WIDE, _KIND, found[0].id, found[0].body | {"approvedBy": user_name}, settled=True)
    return True


def redeem(tx: Transaction, tenant: Tenant, *, client_id: str, device_code: str) -> tuple[Record, str]:
    """The person behind an approved code, and the scope asked for; a code works once.

    Raises:
        LoginError: the code is unknown, waits, or is too old.
    """
    found = tx.get(SANDBOX_WIDE, _KIND, device_code)
    if found is None or found.body["clientId"] != client_id or found.body["tenant"] != tenant.id:
        raise errors.device_code_unknown()
    if tx.now >= found.body["expires"]:
        raise errors.device_code_expired()
    if found.body["approvedBy"] is None:
        raise errors.authorization_pending()
    user = find_user(tx, tenant.id, found.body["approvedBy"])
    if user is None:
        raise errors.device_code_unknown()
    tx.delete(SANDBOX_WIDE, _KIND, device_code)
    scope: str = found.body["scope"]
    return user, scope
