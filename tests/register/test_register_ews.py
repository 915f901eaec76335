"""Register in every row of the EWS table: it appends where that takes nothing from anybody, and else asks a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mimapp.sandbox.scenarios import EwsState, set_ews_state
from support.tenants import MAILBOX

if TYPE_CHECKING:
    from support.tenants import Place

ROWS = [
    (EwsState.TRUE_LIST, 0, True, True, "is on the tenant's EWS allow list"),
    (EwsState.NULL_LIST, 0, True, True, "the switch is Null"),
    (EwsState.TRUE_EMPTY, 3, False, False, "the allow list is empty"),
    (EwsState.NULL, 3, False, False, "the EWS switch is Null and there is no list"),
    (EwsState.FALSE, 3, False, False, "the organisation's EWS switch is False"),
    (EwsState.FALSE_LIST, 3, False, False, "the organisation's EWS switch is False"),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row[0]))
def test_each_row(place: Place, row: tuple[EwsState, int, bool, bool, str]) -> None:
    state, code, writes, allowed, reason = row
    set_ews_state(place.sandbox, state)

    done = place.remote("register", "--mailbox", MAILBOX, "--yes", "--output", "json")

    assert done.code == code, done.err
    assert ("Set-OrganizationConfig" in place.wire.writes) is writes
    assert done.document["ews"]["allowed"] is allowed
    assert reason in done.document["ews"]["reason"]
    assert any("EWS will not answer" in matter for matter in done.document["attention"]) is (code == 3)
    assert done.document["secret"]["proven"] is True


def test_an_entry_that_somebody_else_wrote_meanwhile_is_kept(place: Place) -> None:
    theirs = "11111111-2222-4333-8444-555555555555"
    reads = 0

    def interfere(request: object) -> None:
        nonlocal reads
        body = getattr(request, "content", b"")
        if b"RetrieveEwsOperationAccessPolicy" in body:
            reads += 1
            if reads == 2:  # between observing and the re-read before the write
                place.wire.before = lambda _: None
                with place.connect() as tenant:
                    listed = tenant._exchange.organization.read().allowed_app_ids
                    assert isinstance(listed, tuple)
                    tenant._exchange.organization.write_allowed((*listed, theirs))

    place.wire.before = interfere
    done = place.remote("register", "--mailbox", MAILBOX, "--yes", "--output", "json")

    with place.connect() as tenant:
        after = tenant._exchange.organization.read().allowed_app_ids
    assert isinstance(after, tuple)
    assert after[2:] == (theirs, done.document["applicationId"])
