"""An administrative unit in a simulated tenant: Entra makes them, so no cmdlet does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.sandbox.exchange import store
from mimapp.sandbox.exchange.models import AdministrativeUnit

if TYPE_CHECKING:
    from support.tenants import Place

UNIT = "88888888-8888-8888-8888-888888888888"


def make_unit(place: Place, address: str) -> str:
    """Make a unit with one mailbox in it; its id."""
    with place.sandbox.state.transaction() as tx:
        directory = store.load(tx, place.info.tenant_id)
        assert directory is not None
        sought = address.lower()
        own = next(one for one in directory.recipients.values() if sought in {held.lower() for held in one.addresses})
        unit = AdministrativeUnit(guid=UNIT, external_id=UNIT, display_name="MIM mailboxes", members=(own.guid,))
        store.put(tx, place.info.tenant_id, unit, settled=True)
    return UNIT
