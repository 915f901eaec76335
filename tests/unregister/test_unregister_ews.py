"""The EWS allow list when a registration goes: our own entry alone, where mimapp added it, never down to nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from unregister_world import UNREGISTER, Registered, steps

from mimapp.exchange import Unknown
from mimapp.journal import Journal, WriteRecord
from mimapp.sandbox.scenarios import EwsState, set_ews_state
from support.gone import OTHERS

if TYPE_CHECKING:
    from collections.abc import Callable

THEIRS = "99999999-2222-4333-8444-555555555555"
EWS_NOTE = "ews entry added"


def write_list(there: Registered, *app_ids: str) -> None:
    with there.exchange() as exchange:
        exchange.organization.write_allowed(app_ids)


def forget_note(there: Registered) -> None:
    Journal(there.place.home).note_since(there.place.info.tenant_id, "mimservice", EWS_NOTE, None)


def record_of(there: Registered, action: str, outcome: Any) -> None:
    Journal(there.place.home).record(
        WriteRecord(
            when=datetime(2026, 11, 21, 9, tzinfo=UTC),
            outcome=outcome,
            tenant=there.place.info.tenant_id,
            registration="mimservice",
            operator="admin",
            action=action,
            target="organization EwsAllowedAppIDs",
        )
    )


def spoil_list(there: Registered) -> None:
    """The setting holds what is no list of ids."""
    tenant = there.place.info.tenant_id
    with there.place.sandbox.state.transaction() as tx:
        record = tx.get(tenant, "exo.organization", tenant)
        assert record is not None
        body = {**record.body, "EwsAllowedAppIDs": "not a list of ids", "_history": {}}
        tx.put(tenant, "exo.organization", tenant, body, settled=True)


def test_our_entry_goes_and_every_other_stays_in_its_order(there: Registered) -> None:
    write_list(there, OTHERS[0], there.app_id.upper(), THEIRS, OTHERS[1])

    document = there.run()

    assert there.allow_list() == (OTHERS[0], THEIRS, OTHERS[1])
    assert steps(document)[2] == "ews.disallow"
    assert EWS_NOTE not in there.journal()["since"]


def test_the_record_has_the_list_as_it_was_and_the_command_that_puts_it_back(there: Registered) -> None:
    there.run()

    log = there.place.cli("log", "--output", "json").document["writes"]

    (write,) = [one for one in log if one["action"] == "ews.disallow"]
    former = ",".join((*OTHERS, there.app_id))
    assert (write["before"], write["undo"]) == (former, f"Set-OrganizationConfig -EwsAllowedAppIDs '{former}'")


def test_an_entry_that_mimapp_did_not_add_stays_with_the_command_that_takes_it_out(there: Registered) -> None:
    forget_note(there)

    document = there.run()

    assert there.allow_list() == (*OTHERS, there.app_id)
    assert "ews.disallow" not in steps(document)
    (warning,) = [one for one in document["warnings"] if "allow list" in one]
    assert f"keeps {there.app_id}" in warning
    assert f"Set-OrganizationConfig -EwsAllowedAppIDs '{','.join(OTHERS)}'" in warning


def test_the_last_entry_stays_since_an_empty_list_blocks_everything(there: Registered) -> None:
    write_list(there, there.app_id)

    shown = there.place.remote(*UNREGISTER, "--dry-run").document
    document = there.run()

    assert "ews.disallow" not in [step["step"] for step in shown["steps"]]
    assert there.allow_list() == (there.app_id,)
    assert "Set-OrganizationConfig" not in there.place.wire.writes
    assert any("it is the only one" in warning for warning in document["warnings"])


def test_an_entry_that_became_the_last_one_meanwhile_stays(there: Registered) -> None:
    before_the_write(there, lambda: write_list(there, there.app_id))

    document = there.run()

    assert there.allow_list() == (there.app_id,)
    assert any("it is the only one by now" in warning for warning in document["warnings"])
    assert "ews.disallow" not in steps(document)


def before_the_write(there: Registered, act: Callable[[], None]) -> None:
    """Do something between observing and the read that comes before the write."""

    def interfere(request: Any) -> None:
        if b"appRoleAssignments" in request.url.raw_path and request.method == "DELETE":
            there.place.wire.before = lambda _: None
            act()

    there.place.wire.before = interfere


def test_an_entry_that_somebody_took_out_meanwhile(there: Registered) -> None:
    before_the_write(there, lambda: write_list(there, *OTHERS))

    document = there.run()

    assert "ews.disallow" not in steps(document)
    assert EWS_NOTE not in there.journal()["since"]
    assert there.allow_list() == OTHERS


def test_a_list_that_cannot_be_read_any_more_is_not_written(there: Registered) -> None:
    before_the_write(there, lambda: spoil_list(there))

    document = there.run(code=3)

    assert "Set-OrganizationConfig" not in there.place.wire.writes
    assert "could not be read again" in document["attention"][0]
    assert steps(document)[-2:] == ["application.delete", "secret.forget"]


def test_an_entry_that_comes_back_is_told(there: Registered) -> None:
    def interfere(request: Any, _: Any) -> None:
        if b"Set-OrganizationConfig" in request.content:
            there.place.wire.after = lambda _request, _response: None
            write_list(there, *OTHERS, there.app_id)

    there.place.wire.after = interfere
    document = there.run(code=3)

    assert f"still there: {there.app_id}" in document["attention"][0]
    assert EWS_NOTE in there.journal()["since"]
    assert "ews.disallow" in steps(there.run())
    assert there.allow_list() == OTHERS


def test_what_somebody_else_wrote_meanwhile_is_kept(there: Registered) -> None:
    reads = 0

    def interfere(request: Any) -> None:
        nonlocal reads
        reads += b"RetrieveEwsOperationAccessPolicy" in request.content
        if reads == 2:  # between observing and the read before the write
            there.place.wire.before = lambda _: None
            write_list(there, THEIRS, *OTHERS, there.app_id)

    there.place.wire.before = interfere
    there.run()

    assert there.allow_list() == (THEIRS, *OTHERS)


def test_an_entry_that_was_lost_by_our_write_is_written_again_without_ours(there: Registered) -> None:
    def interfere(request: Any, _: Any) -> None:
        if b"Set-OrganizationConfig" in request.content:
            there.place.wire.after = lambda _request, _response: None
            write_list(there, OTHERS[1], there.app_id, THEIRS)  # somebody writes what he read before

    there.place.wire.after = interfere
    document = there.run()

    assert set(there.allow_list()) == {*OTHERS, THEIRS}
    assert any("came back without" in warning for warning in document["warnings"])


@pytest.mark.parametrize(
    ("outcomes", "is_ours"),
    [
        (("begun",), True),
        (("begun", "done"), False),
        (("begun", "failed"), False),
        (("begun", "existed"), False),
    ],
)
def test_a_machine_that_died_between_the_write_and_its_note_knows_its_entry(
    there: Registered, outcomes: tuple[str, ...], *, is_ours: bool
) -> None:
    forget_note(there)
    for outcome in outcomes:
        record_of(there, "ews.allow", outcome)

    document = there.run()

    assert ("ews.disallow" in steps(document)) is is_ours


def test_an_entry_that_was_taken_out_before_is_no_longer_ours(there: Registered) -> None:
    there.run()
    write_list(there, *OTHERS, there.app_id)

    document = there.run()

    assert document["changes"] == []
    assert any("does not say that mimapp added it" in warning for warning in document["warnings"])


def test_a_list_that_cannot_be_read_is_never_written(there: Registered) -> None:
    spoil_list(there)
    with there.exchange() as exchange:
        assert isinstance(exchange.organization.read().allowed_app_ids, Unknown)

    document = there.run()

    assert "Set-OrganizationConfig" not in there.place.wire.writes
    assert any("could not be read, so mimapp's entry stays" in warning for warning in document["warnings"])


@pytest.mark.parametrize("state", [EwsState.NULL, EwsState.FALSE, EwsState.TRUE_EMPTY])
def test_without_an_entry_there_is_nothing_to_do(there: Registered, state: EwsState) -> None:
    set_ews_state(there.place.sandbox, state)

    document = there.run()

    assert "ews.disallow" not in steps(document)
    assert not any("allow list" in warning for warning in document["warnings"])
