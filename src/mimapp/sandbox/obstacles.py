"""What stands in the way of a registration, made on demand: a mailbox of another kind, a missing licence, a policy.

Every function writes in one transaction, known to all replicas at once. What others left behind in a tenant is
`scenarios`.
"""

from __future__ import annotations

import uuid
from enum import StrEnum
from typing import TYPE_CHECKING

from mimapp.sandbox.errors import SandboxError
from mimapp.sandbox.exchange.models import Recipient, RecipientType, security_identifier
from mimapp.sandbox.exchange.store import put
from mimapp.sandbox.scenarios import Made
from mimapp.sandbox.seed import CONTOSO
from mimapp.sandbox.tenants import find_tenant

if TYPE_CHECKING:
    from mimapp.sandbox import Sandbox
    from mimapp.sandbox.state import Document, Transaction

__all__ = ["MailboxKind", "change_mailbox", "set_default_policy", "want_service_reference", "without_premium"]


class MailboxKind(StrEnum):
    """What the address of the MIM mailbox turns out to be; the first four are ``RecipientTypeDetails``."""

    SHARED = "SharedMailbox"
    ROOM = "RoomMailbox"
    EQUIPMENT = "EquipmentMailbox"
    MAIL_USER = "MailUser"
    INACTIVE = "inactive"
    SOFT_DELETED = "soft-deleted"
    UNLICENSED = "unlicensed"
    ABROAD = "abroad"
    TWICE = "twice"


_CHANGES: dict[MailboxKind, Document] = {
    MailboxKind.INACTIVE: {"state": "inactive"},
    MailboxKind.SOFT_DELETED: {"state": "soft-deleted"},
    MailboxKind.UNLICENSED: {"licensed": False},
    MailboxKind.ABROAD: {"region": "AUS"},
}


def change_mailbox(sandbox: Sandbox, kind: MailboxKind, tenant: str = CONTOSO) -> Made:
    """Make the MIM mailbox something else: of another kind, gone, without licence, in another region, or one of two.

    Raises:
        SandboxError: there is no such tenant, or it has no MIM mailbox any more.
    """
    with sandbox.state.transaction() as tx:
        tenant_id = _tenant_id(tx, tenant)
        found = tx.find(tenant_id, "mailbox", alias="MIMService")
        if not found:
            raise SandboxError(f"tenant {tenant} has no MIM mailbox any more")
        body = found[0].body
        address = str(body["primarySmtpAddress"])
        if kind is MailboxKind.MAIL_USER:
            tx.delete(tenant_id, "mailbox", found[0].id)
            put(tx, tenant_id, _mail_user(address), settled=True)
        elif kind is MailboxKind.TWICE:
            put(tx, tenant_id, _mail_user(f"second-{address}", address), settled=True)
        else:
            changed = body | _CHANGES.get(kind, {"recipientTypeDetails": kind.value})
            tx.put(tenant_id, "mailbox", found[0].id, changed, settled=True)
    return Made(what=f"the MIM mailbox is now: {kind.value}")


def without_premium(sandbox: Sandbox, tenant: str = CONTOSO) -> Made:
    """Take Microsoft Entra ID P1 and P2 out of every licence of the tenant.

    Raises:
        SandboxError: there is no such tenant.
    """
    with sandbox.state.transaction() as tx:
        tenant_id = _tenant_id(tx, tenant)
        for sku in tx.find(tenant_id, "subscribedSku"):
            plans = [plan for plan in sku.body["servicePlans"] if "AAD_PREMIUM" not in plan["servicePlanName"]]
            tx.put(tenant_id, "subscribedSku", sku.id, sku.body | {"servicePlans": plans}, settled=True)
    return Made(what="no licence with Microsoft Entra ID P1 or P2")


def set_default_policy(sandbox: Sandbox, *rules: Document, tenant: str = CONTOSO) -> Made:
    """Switch the tenant's default app management policy on, with these rules about client secrets.

    Args:
        sandbox: the sandbox.
        rules: as Graph's ``passwordCredentialConfiguration`` has them, such as
            ``{"restrictionType": "passwordAddition", "state": "enabled"}``; none switches the policy off.
        tenant: the tenant's id or domain.

    Raises:
        SandboxError: there is no such tenant.
    """
    id_ = "00000000-0000-0000-0000-000000000000"
    policy: Document = {
        "id": id_,
        "deletedDateTime": None,
        "displayName": "Default app management tenant policy",
        "description": "Made for practice.",
        "isEnabled": bool(rules),
        "applicationRestrictions": {"passwordCredentials": list(rules), "keyCredentials": []},
        "servicePrincipalRestrictions": {"passwordCredentials": [], "keyCredentials": []},
    }
    with sandbox.state.transaction() as tx:
        tx.put(_tenant_id(tx, tenant), "defaultAppManagementPolicy", id_, policy, settled=True)
    return Made(what=f"default app management policy with {len(rules)} rules about client secrets")


def want_service_reference(sandbox: Sandbox, tenant: str = CONTOSO) -> Made:
    """Let the tenant make no application without a ``serviceManagementReference``.

    Raises:
        SandboxError: there is no such tenant.
    """
    with sandbox.state.transaction() as tx:
        tenant_id = _tenant_id(tx, tenant)
        (found,) = tx.find(tenant_id, "tenant")
        tx.put(tenant_id, "tenant", found.id, found.body | {"wantsServiceReference": True}, settled=True)
    return Made(what="new applications have to name their service")


def _tenant_id(tx: Transaction, name: str) -> str:
    found = find_tenant(tx, name)
    if found is None:
        raise SandboxError(f"the sandbox has no tenant {name}")
    return found.id


def _mail_user(*addresses: str) -> Recipient:
    """A person whose mailbox is still on-premises, as directory synchronisation brings it."""
    external_id, name = str(uuid.uuid4()), addresses[0].partition("@")[0]
    return Recipient(
        guid=str(uuid.uuid4()),
        type=RecipientType.MAIL_USER,
        name=name,
        display_name=name,
        alias=name,
        addresses=addresses,
        external_id=external_id,
        sid=security_identifier(external_id),
        upn=addresses[0],
        synced=True,
    )
