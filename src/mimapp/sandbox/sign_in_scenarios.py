"""Further states of sign-in, made on demand: people who have to answer, another cloud, another issuer's keys.

Every function writes in one transaction and may be called again, as those of `scenarios`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.sandbox.errors import SandboxError
from mimapp.sandbox.login.assertions import ISSUER_KIND
from mimapp.sandbox.login.residence import RESIDENCES
from mimapp.sandbox.seed import CONTOSO
from mimapp.sandbox.tenants import find_tenant
from mimapp.sandbox.tokens import SANDBOX_WIDE

if TYPE_CHECKING:
    from mimapp.sandbox import Sandbox
    from mimapp.sandbox.state import Document

__all__ = ["ask_people", "move_to_cloud", "trust_issuer"]


def ask_people(sandbox: Sandbox, tenant: str = CONTOSO, *, asks: bool = True) -> None:
    """Let nobody answer by himself: device codes and the sign-in page wait for a person; or end that.

    Raises:
        SandboxError: there is no such tenant.
    """
    _set(sandbox, tenant, {"autoApprove": not asks})


def move_to_cloud(sandbox: Sandbox, cloud: str, tenant: str = CONTOSO) -> None:
    """Let the tenant's metadata say that it lives in this cloud: ``global``, ``gcc``, ``gcc-high``, ``dod`` and so on.

    Raises:
        SandboxError: there is no such tenant or cloud.
    """
    if cloud not in RESIDENCES:
        raise SandboxError(f"the sandbox knows no cloud {cloud!r}: {', '.join(RESIDENCES)}")
    _set(sandbox, tenant, {"cloud": cloud})


def trust_issuer(sandbox: Sandbox, issuer: str, key_set: Document | None) -> None:
    """Give the sandbox the keys of another issuer, whose assertions it then verifies; None takes them back.

    Args:
        sandbox: the sandbox.
        issuer: the ``iss`` of its tokens, to the letter.
        key_set: its JSON Web Key Set; every key has a ``kid``.
    """
    with sandbox.state.transaction() as tx:
        if key_set is None:
            tx.delete(SANDBOX_WIDE, ISSUER_KIND, issuer)
        else:
            tx.put(SANDBOX_WIDE, ISSUER_KIND, issuer, {"keySet": key_set}, settled=True)


def _set(sandbox: Sandbox, tenant: str, changes: Document) -> None:
    with sandbox.state.transaction() as tx:
        found = find_tenant(tx, tenant)
        if found is None:
            raise SandboxError(f"the sandbox has no tenant {tenant}")
        record = tx.get(found.id, "login.settings", found.id)
        held = {"autoApprove": False} if record is None else record.body
        tx.put(found.id, "login.settings", found.id, held | changes, settled=True)
