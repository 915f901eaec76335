"""Which secret of an application was used, and when: what the sign-in report is made of.

It is written after the token went out, in a transaction of its own, and once an hour a secret: sign-ins stay reads.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from mimapp.sandbox.login import scopes
from mimapp.sandbox.login.clients import secret_digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mimapp.sandbox.app import AppContext
    from mimapp.sandbox.state import Document, Transaction
    from mimapp.sandbox.tenants import Tenant

__all__ = ["KIND", "note_sign_in"]

KIND = "login.credentialSignIn"
_EVERY_SECONDS = 3600


def note_sign_in(context: AppContext, tenant: Tenant, form: Mapping[str, str]) -> None:
    """Write down that an application signed in with a secret; nothing happens where it showed something else.

    Args:
        context: the app's.
        tenant: the tenant signed in to.
        form: the token request, which was answered with a token.
    """
    secret = form.get("client_secret")
    if secret is None:
        return
    wanted = scopes.parse(form["scope"], origin=context.origin, tenant=tenant, client_credentials=True)
    with context.state.transaction(write=False) as tx:
        found = _used(tx, tenant, form["client_id"], secret, wanted.service.app_id)
        if found is None:
            return
        key_id, body = found
        known = tx.get(tenant.id, KIND, key_id)
        if known is not None and tx.now < known.body["last"] + _EVERY_SECONDS:
            return
    with context.state.transaction() as tx:
        tx.put(tenant.id, KIND, key_id, body | {"last": tx.now}, settled=True)


def _used(
    tx: Transaction, tenant: Tenant, app_id: str, secret: str, resource_app_id: str
) -> tuple[str, Document] | None:
    """The secret's key id, and what the report says of it besides its use."""
    digest = secret_digest(secret)
    for app in tx.find(tenant.id, "application", appId=app_id):
        kept = app.body.get("_secrets", {})
        for credential in app.body["passwordCredentials"]:
            if kept.get(credential["keyId"], {}).get("digest") == digest:
                return credential["keyId"], {
                    "appId": app_id,
                    "appObjectId": app.id,
                    "servicePrincipalObjectId": _principal(tx, tenant, app_id),
                    "resourceId": _principal(tx, tenant, resource_app_id),
                    "createdDateTime": credential["startDateTime"],
                    "expirationDateTime": credential["endDateTime"],
                    "requestId": str(uuid.uuid4()),
                }
    return None


def _principal(tx: Transaction, tenant: Tenant, app_id: str) -> str | None:
    return next((record.id for record in tx.find(tenant.id, "servicePrincipal", appId=app_id)), None)
