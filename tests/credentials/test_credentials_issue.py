"""A secret is issued and stored as one step: whatever goes wrong, none is lost without the journal knowing of it."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
from fake_entra import (
    APP,
    HALF_YEAR,
    TENANT,
    After,
    Before,
    Fault,
    Office,
    graph_error,
    lost,
    never_arrived,
)
from fake_stores import Crash, FakeStore, crash, full

from mimapp.credentials import is_ours, issue, new_label, sweep
from mimapp.errors import (
    BadReplyError,
    BusyError,
    CancelledError,
    DeadlineError,
    DeniedError,
    ReplyLostError,
    ServiceError,
    StoreError,
    UnreachableError,
    UsageError,
)
from mimapp.secret import Secret
from mimapp.stores import FileStore
from support.machine import disk_with_room_for, posix_only

if TYPE_CHECKING:
    from pathlib import Path

#: What may stand in the way of a reply after the request was carried out.
LOST: dict[str, Fault] = {
    "the reply is lost": After(lost()),
    "the request is lost": Before(lost()),
    "the connection breaks": After(httpx.RemoteProtocolError("closed")),
    "500": graph_error(500, "InternalServerError", "oops"),
    "502 of a gateway": httpx.Response(502, text="<html>bad gateway</html>"),
    "504 after the act": After(httpx.Response(504)),
    "a page of a proxy": After(httpx.Response(200, html="<html>hello</html>")),
    "no value": After(httpx.Response(200, json={"keyId": "x"})),
    "no id": After(httpx.Response(200, json={"secretText": "replaced-secret"})),
}
REFUSED: dict[str, tuple[Fault, type[Exception]]] = {
    "403": (graph_error(403, "Authorization_RequestDenied", "Insufficient privileges"), DeniedError),
    "400 of a policy": (
        graph_error(400, "CredentialInvalidLifetimeAsPerAppPolicy", "too long"),
        ServiceError,
    ),
    "404 without words": (httpx.Response(404), ServiceError),
}


def file_of(office: Office) -> FileStore:
    return FileStore(office.home / "mim.json")


def test_a_secret_is_issued_stored_and_noted(office: Office) -> None:
    issued = issue(office.desk(), HALF_YEAR)
    current = file_of(office).current()
    assert current is not None
    assert (current.key_id, current.label, current.application_id, current.tenant_id, current.sandbox) == (
        issued.key_id, issued.label, APP, TENANT, True,
    )  # fmt: skip
    assert current.secret == Secret(office.entra.kept[0].value)
    assert issued.expires == current.expires == office.clock.now() + HALF_YEAR
    assert issued.stores == (file_of(office).uri,)
    entry = office.entries()[0]
    assert (entry.state, entry.key_id, entry.stores, entry.expires) == (
        "handed", issued.key_id, issued.stores, issued.expires,
    )  # fmt: skip
    assert office.clock.slept == []


def test_each_step_stands_in_the_journal_before_the_next_is_taken(office: Office) -> None:
    seen: list[tuple[str, list[str]]] = []
    office.entra.on_request = lambda kind: seen.append((kind, office.states()))
    store = FakeStore(before_put=lambda: seen.append(("put", office.states())))
    office.stores = (store,)
    issued = issue(office.desk(), HALF_YEAR)
    assert seen == [("add", ["intended"]), ("put", ["issued"])]
    assert office.states() == ["handed"]
    assert office.entries()[0].label == issued.label == office.entra.labels[0]


def test_what_the_tenant_cut_is_what_is_stored(office: Office) -> None:
    office.entra.script["add"].append(
        httpx.Response(
            200,
            json={"keyId": "k-1", "secretText": "replaced-secret", "endDateTime": "2026-12-21T09:00:00.1234567Z"},
        )
    )
    issued = issue(office.desk(), HALF_YEAR)
    assert issued.expires == datetime(2026, 12, 21, 9, 0, 0, 123456, tzinfo=UTC)
    current = file_of(office).current()
    assert current is not None
    assert current.expires == issued.expires


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
def test_a_lost_reply_is_followed_by_another_label(office: Office, fault: Fault) -> None:
    office.entra.script["add"].append(fault)
    issued = issue(office.desk(), HALF_YEAR)
    assert office.entra.seen == ["add", "add"]
    assert office.states() == ["lost", "handed"]
    first, second = office.entries()
    assert first.label != second.label == issued.label
    assert file_of(office).get(issued.key_id) == Secret(office.entra.kept[-1].value)
    assert [(wait.what, wait.reason) for wait in office.waits] == [
        (f"client secret {first.label}", "the reply was lost")
    ]


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
def test_what_a_lost_reply_left_is_gone_after_the_sweep(office: Office, fault: Fault) -> None:
    office.entra.script["add"].append(fault)
    issued = issue(office.desk(), HALF_YEAR)
    sweep(office.desk())
    assert office.entra.labels == [issued.label]
    assert office.states() == ["handed", "revoked"]


def test_a_throttled_request_is_sent_again_under_its_label(office: Office) -> None:
    office.entra.script["add"].append(graph_error(429, "TooManyRequests", "slow down", **{"Retry-After": "7"}))
    issue(office.desk(), HALF_YEAR)
    assert office.states() == ["handed"]
    assert office.clock.slept == [7.0]


def test_the_window_of_a_lost_label_begins_when_it_was_lost(office: Office) -> None:
    throttled = graph_error(429, "TooManyRequests", "slow down", **{"Retry-After": "200"})
    office.entra.script["add"].extend([throttled, After(lost())])
    issue(office.desk(), HALF_YEAR)
    first = office.entries()[0]
    assert (first.state, first.begun - datetime(2026, 11, 21, 9, 0, tzinfo=UTC)) == ("lost", timedelta(seconds=200))


def test_an_application_made_a_moment_ago_is_waited_for(office: Office) -> None:
    missing = graph_error(404, "Request_ResourceNotFound", "Resource does not exist.")
    office.entra.script["add"].extend([missing, missing])
    issue(office.desk(), HALF_YEAR)
    assert office.states() == ["handed"]
    assert len(office.clock.slept) == 2


@pytest.mark.parametrize(("fault", "error"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_ends_the_matter(office: Office, fault: Fault, error: type[Exception]) -> None:
    office.entra.script["add"].append(fault)
    with pytest.raises(error):
        issue(office.desk(), HALF_YEAR)
    assert office.entra.seen == ["add"]
    assert office.states() == ["revoked"]
    assert file_of(office).current() is None
    assert sweep(office.desk()).never_made == ()


def test_a_service_that_was_never_reached_left_nothing(office: Office) -> None:
    office.entra.script["add"].extend([Before(never_arrived())] * 10)
    with pytest.raises(UnreachableError):
        issue(office.desk(), HALF_YEAR)
    assert office.states() == ["revoked"]


def test_an_application_that_stays_unknown_left_nothing(office: Office) -> None:
    missing = graph_error(404, "Request_ResourceNotFound", "Resource does not exist.")
    office.entra.script["add"].extend([missing] * 100)
    with pytest.raises(DeadlineError):
        issue(office.desk(), HALF_YEAR)
    assert office.states() == ["revoked"]


@pytest.mark.parametrize(
    ("fault", "error"),
    [(After(lost()), ReplyLostError), (graph_error(503, "x", "y"), BusyError), (LOST["no value"], BadReplyError)],
)
def test_tries_are_bounded_and_each_is_remembered(office: Office, fault: Fault, error: type[Exception]) -> None:
    office.entra.script["add"].extend([fault] * 10)
    with pytest.raises(error):
        issue(office.desk(), HALF_YEAR)
    assert office.entra.seen == ["add"] * 4
    assert office.states() == ["lost"] * 4
    assert len({entry.label for entry in office.entries()}) == 4
    sweep(office.desk())
    assert office.entra.kept == []


def test_no_try_is_begun_that_the_run_has_no_time_for(office: Office) -> None:
    office.limit = timedelta(seconds=0.5)
    office.entra.script["add"].append(After(lost()))
    with pytest.raises(ReplyLostError):
        issue(office.desk(), HALF_YEAR)
    assert office.states() == ["lost"]


def test_a_person_may_interrupt_between_tries(office: Office) -> None:
    office.entra.script["add"].append(After(lost()))
    desk = office.desk()
    office.entra.on_request = lambda _: desk.patience.cancel()
    with pytest.raises(CancelledError):
        issue(desk, HALF_YEAR)
    assert office.states() == ["lost"]


@pytest.mark.parametrize("fault", [Before(Crash()), After(Crash())], ids=["before", "after"])
def test_a_crash_around_the_request_is_mended_by_the_next_run(office: Office, fault: Fault) -> None:
    office.entra.script["add"].append(fault)
    with pytest.raises(Crash):
        issue(office.desk(), HALF_YEAR)
    assert office.states() == ["intended"]
    sweep(office.desk())
    assert office.entra.kept == []
    assert office.states() == ["revoked"]


def test_without_a_store_nothing_is_asked_for(office: Office) -> None:
    office.stores = ()
    with pytest.raises(StoreError, match="no store is named"):
        issue(office.desk(), HALF_YEAR)
    assert office.entra.seen == []
    assert office.entries() == ()


def test_a_store_that_refuses_beforehand_costs_no_secret(office: Office) -> None:
    office.stores = (FakeStore(), FakeStore(uri="memory:2", refuses=True))
    with pytest.raises(StoreError, match="memory:2 takes nothing"):
        issue(office.desk(), HALF_YEAR)
    assert office.entra.seen == []
    assert office.entries() == ()


def test_a_secret_that_no_store_took_is_revoked_again(office: Office) -> None:
    office.stores = (full("memory:1"), full("memory:2"))
    with pytest.raises(StoreError) as caught:
        issue(office.desk(), HALF_YEAR)
    label = office.entries()[0].label
    assert str(caught.value) == f"no store took the new secret {label!r}: memory:1 is full"
    assert caught.value.hint == "make room"
    assert caught.value.details == ("memory:2 is full", "it was revoked again")
    assert office.entra.kept == []
    assert office.states() == ["revoked"]


def test_a_secret_that_replicas_do_not_know_yet_is_revoked_all_the_same(office: Office) -> None:
    office.stores = (full("memory:1"),)
    office.entra.shown_after = timedelta(seconds=18)
    with pytest.raises(StoreError):
        issue(office.desk(), HALF_YEAR)
    assert office.entra.kept == []
    assert sum(office.clock.slept) >= 18


def test_a_revocation_that_fails_is_left_to_the_next_run(office: Office) -> None:
    office.stores = (full("memory:1"),)
    office.entra.script["remove"].append(graph_error(403, "Authorization_RequestDenied", "no"))
    with pytest.raises(StoreError) as caught:
        issue(office.desk(), HALF_YEAR)
    assert "it could not be revoked now" in caught.value.details[-1]
    assert office.states() == ["issued"]
    assert sweep(office.desk()).revoked == (office.entries()[0].label,)
    assert office.entra.kept == []


def test_a_secret_in_one_of_two_stores_is_kept(office: Office) -> None:
    first = FakeStore()
    office.stores = (first, full("memory:2"))
    with pytest.raises(StoreError) as caught:
        issue(office.desk(), HALF_YEAR)
    entry = office.entries()[0]
    assert str(caught.value) == (
        f"the new secret {entry.label!r} is in memory:1, and not in every store it was meant for"
    )
    assert caught.value.details == ("memory:2 is full",)
    assert (entry.state, entry.stores) == ("handed", ("memory:1",))
    sweep(office.desk())
    assert office.entra.labels == [entry.label]
    assert list(first.kept) == [entry.key_id]


def test_a_crash_between_store_and_journal_is_found_by_the_next_run(office: Office) -> None:
    store = FakeStore(after_put=crash)
    office.stores = (store,)
    with pytest.raises(Crash):
        issue(office.desk(), HALF_YEAR)
    assert office.states() == ["issued"]
    swept = sweep(office.desk())
    entry = office.entries()[0]
    assert (swept.adopted, swept.revoked) == ((entry.label,), ())
    assert (entry.state, entry.stores) == ("handed", ("memory:1",))
    assert list(store.kept) == [office.entra.kept[0].key_id]


@pytest.mark.parametrize("has_shown", [False, True])
def test_what_a_person_may_have_seen_is_never_revoked(office: Office, has_shown: bool) -> None:  # noqa: FBT001 - a parameter of the test
    terminal = FakeStore(uri="stdout", can_be_asked=False)
    if has_shown:
        terminal.after_put = crash
    else:
        terminal.before_put = crash
    office.stores = (terminal,)
    with pytest.raises(Crash):
        issue(office.desk(), HALF_YEAR)
    entry = office.entries()[0]
    assert (entry.state, entry.stores, entry.key_id) == ("handed", ("stdout",), office.entra.kept[0].key_id)
    sweep(office.desk())
    assert office.entra.labels == [entry.label]


def test_what_a_terminal_refused_nobody_has_seen(office: Office) -> None:
    office.stores = (full("stdout"),)
    office.stores[0].can_be_asked = False
    with pytest.raises(StoreError):
        issue(office.desk(), HALF_YEAR)
    assert office.entra.kept == []
    assert (office.states(), office.entries()[0].stores) == (["revoked"], ())


def test_a_terminal_beside_a_file_is_noted_with_it(office: Office) -> None:
    file, terminal = FakeStore(), FakeStore(uri="stdout", can_be_asked=False, before_put=crash)
    office.stores = (file, terminal)
    with pytest.raises(Crash):
        issue(office.desk(), HALF_YEAR)
    assert (office.states(), office.entries()[0].stores) == (["handed"], ("memory:1", "stdout"))


@posix_only
def test_a_journal_that_cannot_be_written_any_more_leaves_a_label_to_look_for(office: Office) -> None:
    with ExitStack() as disk:
        office.entra.on_request = lambda _: disk.enter_context(disk_with_room_for(20))
        with pytest.raises(UsageError, match="the journal"):
            issue(office.desk(), HALF_YEAR)
    office.entra.on_request = lambda _: None
    assert (office.states(), file_of(office).current()) == (["intended"], None)
    assert sweep(office.desk()).revoked == (office.entries()[0].label,)
    assert office.entra.kept == []


def test_a_journal_that_cannot_be_written_before_costs_no_secret(office: Office, tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("in the way")
    with pytest.raises(UsageError, match="the journal"):
        issue(office.desk(), HALF_YEAR)
    assert office.entra.seen == []


def test_no_journal_holds_a_secret(office: Office) -> None:
    office.entra.script["add"].append(After(lost()))
    issue(office.desk(), HALF_YEAR)
    written = b"".join(path.read_bytes() for path in (office.home / "journal").rglob("*") if path.is_file())
    assert b"lost" in written
    assert not any(kept.value.encode() in written for kept in office.entra.kept)


def test_labels_are_dated_and_unique() -> None:
    moment = datetime(2026, 11, 21, 9, tzinfo=UTC)
    labels = {new_label(moment) for _ in range(1000)}
    assert len(labels) == 1000
    assert all(label.startswith("mimapp 2026-11-21 ") and len(label) == 28 and is_ours(label) for label in labels)


@pytest.mark.parametrize("label", [None, "", "mimapp", "MIM secret", "mimapp-2026", "a mimapp 2026-11-21 x"])
def test_other_labels_are_not_ours(label: str | None) -> None:
    assert not is_ours(label)
