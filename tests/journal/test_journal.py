"""This machine's memory: what is written is read back, in order, and by its owner alone."""

from __future__ import annotations

import json
import os
import stat
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from mimapp.errors import UsageError
from mimapp.graph.wire import Moment
from mimapp.journal import Journal, SecretEntry, State, WriteRecord
from support.machine import posix_only

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TENANT = "11111111-1111-1111-1111-111111111111"
KEY = "mimservice"
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ENTRY = SecretEntry(
    label="mimapp 2026-11-21 0011223344", state="intended", application_id="app-1", begun=NOON, changed=NOON
)
RECORD = WriteRecord(
    when=NOON,
    outcome="done",
    tenant=TENANT,
    registration=KEY,
    operator="admin@contoso.onmicrosoft.com",
    action="application.create",
    target="application mimapp-mimservice",
    after="application id 22222222-2222-2222-2222-222222222222",
    request_id="r-1",
    undo="delete it",
)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "home")


def state_file(journal: Journal) -> Path:
    return journal.record_file.parent / TENANT / f"{KEY}.json"


def test_a_machine_that_never_worked_here_knows_nothing(journal: Journal) -> None:
    assert journal.state(TENANT, KEY) == State()
    assert list(journal.records()) == []
    assert not journal.record_file.parent.exists()


def test_a_secret_is_remembered_by_a_fresh_journal(journal: Journal, tmp_path: Path) -> None:
    journal.put_secret(TENANT, KEY, ENTRY)
    assert Journal(tmp_path / "home").state(TENANT, KEY).secrets == (ENTRY,)


def test_a_label_has_one_entry_and_the_changed_one_comes_last(journal: Journal) -> None:
    other = msgspec.structs.replace(ENTRY, label="mimapp 2026-11-21 5566778899")
    journal.put_secret(TENANT, KEY, ENTRY)
    journal.put_secret(TENANT, KEY, other)
    handed = msgspec.structs.replace(ENTRY, state="handed", key_id="k-1", stores=("file:/x",), expires=NOON)
    journal.put_secret(TENANT, KEY, handed)
    assert journal.state(TENANT, KEY).secrets == (other, handed)


def test_registrations_and_tenants_are_kept_apart(journal: Journal) -> None:
    journal.put_secret(TENANT, KEY, ENTRY)
    assert journal.state(TENANT, "other") == State()
    assert journal.state("99999999-1111-1111-1111-111111111111", KEY) == State()


def test_moments_as_graph_sends_them_are_kept(journal: Journal) -> None:
    moment = Moment.parse("2027-05-20T10:00:00.1234567Z")
    journal.put_secret(TENANT, KEY, msgspec.structs.replace(ENTRY, expires=moment))
    journal.note_since(TENANT, KEY, "policy acknowledged", moment)
    state = journal.state(TENANT, KEY)
    assert state.secrets[0].expires == moment == state.since["policy acknowledged"]


def test_a_fact_has_its_moment_until_it_is_forgotten(journal: Journal) -> None:
    journal.put_secret(TENANT, KEY, ENTRY)
    journal.note_since(TENANT, KEY, "fence", NOON)
    journal.note_since(TENANT, KEY, "list", NOON)
    journal.note_since(TENANT, KEY, "fence", NOON + timedelta(hours=1))
    assert journal.state(TENANT, KEY).since == {"fence": NOON + timedelta(hours=1), "list": NOON}
    journal.note_since(TENANT, KEY, "fence", None)
    assert journal.state(TENANT, KEY) == State(secrets=(ENTRY,), since={"list": NOON})


@pytest.mark.parametrize("moment", [NOON, None], ids=["the same", "nothing to forget"])
def test_a_fact_that_stays_as_it_was_is_not_written_again(journal: Journal, moment: datetime | None) -> None:
    journal.note_since(TENANT, KEY, "fence", moment)
    if moment is None:
        assert not state_file(journal).exists()
        return
    before = state_file(journal).stat()
    journal.note_since(TENANT, KEY, "fence", moment)
    assert state_file(journal).stat() == before


def test_the_state_is_json_that_people_can_read(journal: Journal) -> None:
    journal.put_secret(TENANT, KEY, ENTRY)
    text = state_file(journal).read_text(encoding="utf-8")
    assert json.loads(text)["secrets"][0]["applicationId"] == "app-1"
    assert len(text.splitlines()) > 5


BROKEN = {
    "empty": b"",
    "cut off": b'{"secrets": [{"label": "mimapp 20',
    "no json": b"hello",
    "no utf-8": b'{"secrets": [], "since": {"\xff": 1}}',
    "an unknown state": b'{"secrets": [{"label":"l","state":"burnt","applicationId":"a","begun":"2026-11-21T12:00:00Z",'
    b'"changed":"2026-11-21T12:00:00Z"}]}',
    "no moment": b'{"since": {"fence": "yesterday"}}',
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_state_that_cannot_be_read_is_named_and_left(journal: Journal, content: bytes) -> None:
    journal.put_secret(TENANT, KEY, ENTRY)
    state_file(journal).write_bytes(content)
    reads: list[Callable[[], object]] = [
        lambda: journal.state(TENANT, KEY),
        lambda: journal.put_secret(TENANT, KEY, ENTRY),
        lambda: journal.note_since(TENANT, KEY, "fence", NOON),
    ]
    for read in reads:
        with pytest.raises(UsageError) as caught:
            read()
        assert str(state_file(journal)) in str(caught.value)
        assert "move the file away" in (caught.value.hint or "")
    assert state_file(journal).read_bytes() == content


def test_a_later_version_may_have_written_more(journal: Journal) -> None:
    journal.put_secret(TENANT, KEY, ENTRY)
    document = json.loads(state_file(journal).read_bytes())
    document["handovers"] = [1]
    document["secrets"][0]["further"] = "x"
    state_file(journal).write_text(json.dumps(document), encoding="utf-8")
    assert journal.state(TENANT, KEY).secrets == (ENTRY,)


def test_records_come_back_in_their_order(journal: Journal, tmp_path: Path) -> None:
    second = msgspec.structs.replace(RECORD, outcome="failed", before="x", change_ref="CHG-1", sandbox=True)
    journal.record(RECORD)
    Journal(tmp_path / "home").record(second)
    assert list(journal.records()) == [RECORD, second]
    assert len(journal.record_file.read_bytes().splitlines()) == 2


def test_a_record_says_only_what_there_is_to_say(journal: Journal) -> None:
    journal.record(RECORD)
    document = json.loads(journal.record_file.read_bytes())
    assert document["requestId"] == "r-1"
    assert not {"before", "changeRef", "sandbox"} & document.keys()


@pytest.mark.parametrize("tail", [b'{"when": "2026-11-21T1', b"\xff\xfe", b"{}", b'"\xc3'], ids=ascii)
def test_a_line_that_a_crash_cut_off_swallows_nothing(journal: Journal, tail: bytes) -> None:
    journal.record(RECORD)
    with journal.record_file.open("ab") as file:
        file.write(tail)
    assert list(journal.records()) == [RECORD]
    later = msgspec.structs.replace(RECORD, request_id="r-2")
    journal.record(later)
    assert list(journal.records()) == [RECORD, later]


@posix_only
def test_files_and_folders_are_their_owners_alone(journal: Journal, tmp_path: Path) -> None:
    former = os.umask(0)
    try:
        journal.put_secret(TENANT, KEY, ENTRY)
        journal.record(RECORD)
        with journal.lock(TENANT, KEY):
            pass
    finally:
        os.umask(former)
    made = list((tmp_path / "home").rglob("*"))
    assert {path.suffix for path in made if path.is_file()} >= {".json", ".jsonl"}
    for path in [tmp_path / "home", *made]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_nothing_is_left_beside_the_files(journal: Journal) -> None:
    for number in range(3):
        journal.put_secret(TENANT, KEY, msgspec.structs.replace(ENTRY, key_id=f"k-{number}"))
        journal.record(RECORD)
    assert [path.name for path in state_file(journal).parent.iterdir()] == [f"{KEY}.json"]
    assert {path.name for path in journal.record_file.parent.iterdir()} == {TENANT, "record.jsonl"}


def test_no_type_of_the_journal_has_a_place_for_a_secrets_text() -> None:
    for kind in (SecretEntry, State, WriteRecord):
        names = {field.name for field in msgspec.structs.fields(kind)}
        assert not {name for name in names if name in {"secret", "value", "text", "client_secret", "secret_text"}}


def test_a_forgotten_registration_knows_nothing_and_its_record_stays(journal: Journal) -> None:
    journal.put_secret(TENANT, KEY, ENTRY)
    journal.put_secret(TENANT, "other", ENTRY)
    journal.record(RECORD)

    journal.forget(TENANT, KEY)
    journal.forget(TENANT, KEY)

    assert journal.state(TENANT, KEY) == State()
    assert journal.state(TENANT, "other").secrets == (ENTRY,)
    assert list(journal.records()) == [RECORD]
