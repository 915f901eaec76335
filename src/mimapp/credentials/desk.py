"""What the work on one application's secrets needs, in one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.spec import REPLICATION_WINDOW

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from mimapp.clock import Clock
    from mimapp.graph import Graph
    from mimapp.identity import AppSignIn
    from mimapp.journal import Journal, SecretEntry, SecretState
    from mimapp.secret import SecretStore
    from mimapp.transport import Patience

__all__ = ["Desk"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One application's secrets and the services around them.

    Attributes:
        graph: where secrets are issued and revoked.
        app_sign_in: where they are proven.
        journal: where every step is written down before and after it is taken.
        clock: the time.
        patience: how long this run may wait.
        tenant_id: the tenant's GUID.
        key: the registration.
        application_id: the client id.
        object_id: the application object's id.
        scope: what a proof asks a token for.
        stores: where the value goes, and where it may be already; the first is the one that output names.
        window: how long a secret may be invisible after it was asked for.
        sandbox: whether the tenant is a simulated one.
    """

    graph: Graph
    app_sign_in: AppSignIn
    journal: Journal
    clock: Clock
    patience: Patience
    tenant_id: str
    key: str
    application_id: str
    object_id: str
    scope: str
    stores: tuple[SecretStore, ...]
    window: timedelta = REPLICATION_WINDOW
    sandbox: bool = False

    def entries(self) -> tuple[SecretEntry, ...]:
        """What this machine's journal knows of this application's secrets."""
        known = self.journal.state(self.tenant_id, self.key).secrets
        return tuple(entry for entry in known if entry.application_id.lower() == self.application_id.lower())

    def entry_of(self, key_id: str) -> SecretEntry | None:
        """The journal's entry of a credential, or None."""
        return next((entry for entry in self.entries() if entry.key_id == key_id), None)

    def holders(self, key_id: str) -> tuple[SecretStore, ...]:
        """The stores that say they have a credential's value."""
        return tuple(store for store in self.stores if store.has(key_id))

    def note(
        self,
        entry: SecretEntry,
        state: SecretState,
        *,
        key_id: str | None = None,
        expires: datetime | None = None,
        stores: tuple[str, ...] | None = None,
    ) -> SecretEntry:
        """Write down that a secret has come further; returns the new entry."""
        changed = type(entry)(
            label=entry.label,
            state=state,
            application_id=entry.application_id,
            begun=entry.begun,
            changed=self.clock.now(),
            key_id=key_id or entry.key_id,
            expires=expires or entry.expires,
            stores=entry.stores if stores is None else stores,
        )
        self.journal.put_secret(self.tenant_id, self.key, changed)
        return changed
