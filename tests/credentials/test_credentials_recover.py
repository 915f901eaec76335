"""What an earlier run left half done is found and put right, and nothing else is touched."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, get_args

import httpx
import msgspec
import pytest
from fake_entra import APP, KEY, OBJECT, TENANT, WINDOW, After, Before, Kept, Office, graph_error, lost
from fake_stores import FakeStore

from mimapp.credentials import sweep, unfinished
from mimapp.credentials.recover import Swept
from mimapp.journal import SecretEntry, SecretState

if TYPE_CHECKING:
    from mimapp.credentials import Desk

LABEL = "mimapp 2026-11-21 0011223344"
UNFINISHED: list[SecretState] = ["intended", "issued", "lost"]
FINISHED = [state for state in get_args(SecretState) if state not in UNFINISHED]


def journalled(office: Office, state: SecretState = "lost", *, label: str = LABEL, key_id: str | None = None) -> None:
    now = office.clock.now()
    entry = SecretEntry(label=label, state=state, application_id=APP, begun=now, changed=now, key_id=key_id)
    office.journal.put_secret(TENANT, KEY, entry)


def in_entra(office: Office, label: str | None = LABEL, key_id: str = "k-1") -> Kept:
    kept = Kept(
        key_id=key_id,
        label=label,
        value=f"replaced-secret~{key_id}",
        made=office.clock.now(),
        end="2027-05-20T00:00:00Z",
    )
    office.entra.kept.append(kept)
    return kept


def desk_with(office: Office, *stores: FakeStore) -> Desk:
    office.stores = stores
    return office.desk()


def test_nothing_unfinished_asks_nobody(office: Office) -> None:
    assert sweep(office.desk()) == Swept()
    assert office.entra.seen == []


@pytest.mark.parametrize("state", UNFINISHED)
def test_a_secret_that_nobody_has_is_revoked(office: Office, state: SecretState) -> None:
    journalled(office, state)
    in_entra(office)
    assert sweep(office.desk()) == Swept(revoked=(LABEL,))
    assert (office.entra.kept, office.entra.removed, office.states()) == ([], ["k-1"], ["revoked"])
    assert office.clock.slept == []
    assert sweep(office.desk()) == Swept()


@pytest.mark.parametrize("state", FINISHED)
def test_what_was_handed_to_a_store_is_never_revoked(office: Office, state: SecretState) -> None:
    journalled(office, state, key_id="k-1")
    in_entra(office)
    assert sweep(office.desk()) == Swept()
    assert (len(office.entra.kept), office.states()) == (1, [state])
    assert unfinished(office.entries()) == ()


def test_a_label_that_was_never_made_is_looked_for_through_the_window(office: Office) -> None:
    journalled(office)
    begun = office.clock.now()
    assert sweep(office.desk()) == Swept(never_made=(LABEL,))
    assert WINDOW <= office.clock.now() - begun <= WINDOW + timedelta(seconds=33)
    assert office.states() == ["revoked"]
    assert {(wait.what, wait.reason) for wait in office.waits} == {
        (f"client secret {LABEL}", "its reply was lost, and it may still appear")
    }


def test_a_label_that_appears_at_the_end_of_the_window_is_revoked(office: Office) -> None:
    journalled(office)
    in_entra(office)
    office.entra.shown_after = WINDOW - timedelta(seconds=1)
    assert sweep(office.desk()) == Swept(revoked=(LABEL,))
    assert office.entra.kept == []


def test_a_read_that_was_begun_inside_the_window_proves_nothing(office: Office) -> None:
    journalled(office)
    in_entra(office)
    office.entra.shown_after = WINDOW

    def slow(kind: str) -> None:
        if kind == "read":
            office.clock.advance(WINDOW - timedelta(seconds=1))

    office.entra.on_request = slow
    office.entra.script["read"].append(httpx.Response(200, json={"id": OBJECT, "appId": APP}))
    assert sweep(office.desk()) == Swept(revoked=(LABEL,))


def test_after_the_window_one_read_is_enough(office: Office) -> None:
    journalled(office)
    office.clock.advance(WINDOW)
    assert sweep(office.desk()) == Swept(never_made=(LABEL,))
    assert (office.entra.seen, office.clock.slept) == (["read"], [])


def test_a_run_without_time_leaves_it_to_the_next(office: Office) -> None:
    journalled(office)
    in_entra(office)
    office.entra.shown_after = timedelta(minutes=3)
    office.limit = timedelta(minutes=1)
    swept = sweep(office.desk())
    assert swept == Swept(left=((LABEL, "it may still appear; the next run of mimapp here looks for it again"),))
    assert office.states() == ["lost"]
    office.clock.advance(timedelta(minutes=3))
    assert sweep(office.desk()) == Swept(revoked=(LABEL,))


def test_a_secret_is_found_by_its_id_where_somebody_renamed_it(office: Office) -> None:
    journalled(office, "issued", key_id="k-1")
    in_entra(office, label="renamed")
    assert sweep(office.desk()) == Swept(revoked=(LABEL,))
    assert office.entra.kept == []


@pytest.mark.parametrize("state", UNFINISHED)
def test_a_secret_that_a_store_has_is_adopted(office: Office, state: SecretState) -> None:
    journalled(office, state)
    in_entra(office)
    desk = desk_with(office, FakeStore(), FakeStore(uri="memory:2", can_be_asked=False))
    first = desk.stores[0]
    assert isinstance(first, FakeStore)
    first.kept["k-1"] = None  # type: ignore[assignment]  # only whether it is there is asked
    assert sweep(desk) == Swept(adopted=(LABEL,))
    entry = office.entries()[0]
    assert (entry.state, entry.stores, entry.key_id) == ("handed", ("memory:1",), "k-1")
    assert entry.expires is not None
    assert len(office.entra.kept) == 1


def test_a_store_that_does_not_answer_keeps_the_secret(office: Office) -> None:
    journalled(office, "issued")
    in_entra(office)
    assert sweep(desk_with(office, FakeStore(is_down=True))) == Swept(left=((LABEL, "memory:1 does not answer"),))
    assert (len(office.entra.kept), office.states()) == (1, ["issued"])


def test_a_revocation_that_is_refused_stays_in_the_journal(office: Office) -> None:
    journalled(office)
    in_entra(office)
    office.entra.script["remove"].append(graph_error(403, "Authorization_RequestDenied", "Insufficient privileges"))
    swept = sweep(office.desk())
    assert swept.revoked == ()
    assert swept.left[0][0] == LABEL
    assert "Insufficient privileges" in swept.left[0][1]
    assert office.states() == ["lost"]
    assert sweep(office.desk()) == Swept(revoked=(LABEL,))


@pytest.mark.parametrize("fault", [After(lost()), Before(lost())], ids=["done", "not done"])
def test_a_revocation_whose_reply_is_lost_is_made_sure_of(office: Office, fault: After | Before) -> None:
    journalled(office)
    in_entra(office)
    office.entra.script["remove"].append(fault)
    assert sweep(office.desk()) == Swept(revoked=(LABEL,))
    assert (office.entra.kept, office.states()) == ([], ["revoked"])


def test_a_replica_that_does_not_know_the_secret_yet_is_asked_again(office: Office) -> None:
    journalled(office)
    in_entra(office)
    unknown = graph_error(400, "Request_BadRequest", "No password credential found with keyId 'k-1'.")
    office.entra.script["remove"].extend([unknown, unknown])
    assert sweep(office.desk()) == Swept(revoked=(LABEL,))
    assert (office.entra.kept, len(office.clock.slept)) == ([], 2)


def test_a_secret_without_an_id_is_left_and_said(office: Office) -> None:
    journalled(office)
    shown = {"id": OBJECT, "appId": APP, "passwordCredentials": [{"displayName": LABEL, "keyId": None}]}
    office.entra.script["read"].append(httpx.Response(200, json=shown))
    assert sweep(office.desk()) == Swept(left=((LABEL, "Graph shows it without an id"),))
    assert office.states() == ["lost"]


def test_one_that_cannot_be_mended_does_not_stop_the_others(office: Office) -> None:
    for number, label in enumerate(["mimapp a", "mimapp b", "mimapp c"]):
        journalled(office, label=label)
        in_entra(office, label=label, key_id=f"k-{number}")
    office.entra.script["remove"].extend([None, graph_error(403, "x", "no")])
    swept = sweep(office.desk())
    assert swept.revoked == ("mimapp a", "mimapp c")
    assert [label for label, _ in swept.left] == ["mimapp b"]
    assert office.entra.labels == ["mimapp b"]


def test_secrets_that_this_journal_does_not_know_are_left(office: Office) -> None:
    journalled(office)
    in_entra(office)
    in_entra(office, label="mimapp 2026-11-20 of another machine", key_id="k-2")
    in_entra(office, label=None, key_id="k-3")
    sweep(office.desk())
    assert [kept.key_id for kept in office.entra.kept] == ["k-2", "k-3"]


def test_secrets_of_another_application_are_left(office: Office) -> None:
    journalled(office)
    entry = office.entries()[0]
    office.journal.put_secret(TENANT, KEY, msgspec.structs.replace(entry, application_id="another"))
    in_entra(office)
    assert sweep(office.desk()) == Swept()
    assert len(office.entra.kept) == 1


def test_the_application_id_is_compared_without_case(office: Office) -> None:
    journalled(office)
    entry = office.entries()[0]
    office.journal.put_secret(TENANT, KEY, msgspec.structs.replace(entry, application_id=APP.upper()))
    in_entra(office)
    assert sweep(office.desk()) == Swept(revoked=(LABEL,))


@pytest.mark.parametrize(
    "reply",
    [httpx.Response(404), graph_error(404, "Request_ResourceNotFound", "Resource does not exist.")],
    ids=["without words", "in Graph's words"],
)
def test_a_replica_that_does_not_know_the_application_proves_nothing(office: Office, reply: httpx.Response) -> None:
    journalled(office)
    in_entra(office)
    office.entra.script["read"].append(reply)
    assert sweep(office.desk()) == Swept(revoked=(LABEL,))


def test_the_desk_knows_its_entries_by_id(office: Office) -> None:
    journalled(office, "proven", key_id="k-1")
    desk = office.desk()
    assert desk.entry_of("k-1") == office.entries()[0]
    assert desk.entry_of("k-2") is None
