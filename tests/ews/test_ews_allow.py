"""``mimapp ews allow`` in every row of the table: what is written, what is asked for, what is shown of the others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from mimapp.sandbox.scenarios import EwsState, set_ews_state
from mimapp.sandbox.seed import OTHER_EWS_APPS
from support.tenants import MAILBOX, name_of

if TYPE_CHECKING:
    import httpx

    from mimapp.exchange import EwsSettings
    from support.tenants import Finished, Place

THEIRS = "11111111-2222-4333-8444-555555555555"
SET = "Set-OrganizationConfig"


def allow(place: Place, *more: str, **given: Any) -> Finished:
    return place.remote("ews", "allow", "--mailbox", MAILBOX, "--yes", "--output", "json", *more, **given)


def ours(place: Place) -> str:
    stored = json.loads(next(place.home.glob("secrets/*/mimservice.json")).read_text())
    return str(stored["applicationId"])


def settings(place: Place) -> EwsSettings:
    with place.connect() as tenant:
        return tenant._exchange.organization.read()


def parameters(place: Place) -> list[dict[str, Any]]:
    """What each write to the organisation's settings carried, in order."""
    sent = (json.loads(one.content)["CmdletInput"] for one in place.wire.requests if one.url.path.endswith("Command"))
    return [one["Parameters"] for one in sent if one["CmdletName"] == SET]


def write_between(place: Place, ids: tuple[str, ...]) -> None:
    """Somebody else replaces the list just before mimapp's own write arrives: no read of ours can have seen it."""

    def before(request: httpx.Request) -> None:
        if name_of(request) == SET:
            place.wire.before = lambda _: None
            with place.connect() as tenant:
                tenant._exchange.organization.write_allowed(ids)

    place.wire.before = before


@pytest.mark.parametrize("state", [EwsState.TRUE_LIST, EwsState.NULL_LIST], ids=str)
def test_other_ids_are_listed(place: Place, state: EwsState) -> None:
    set_ews_state(place.sandbox, state)
    done = allow(place)

    assert done.code == 0, done.err
    wanted = [*OTHER_EWS_APPS, ours(place)]
    assert done.document["before"] == list(OTHER_EWS_APPS)
    assert done.document["after"] == wanted
    assert parameters(place) == [{"EwsAllowedAppIDs": ",".join(wanted)}]
    assert done.document["undo"] == [f"{SET} -EwsAllowedAppIDs '{','.join(OTHER_EWS_APPS)}'"]
    assert any("nobody else writes" in warning for warning in done.document["warnings"])
    record = place.remote("log", "--output", "json").document["writes"]
    last = next(one for one in reversed(record) if one["action"] == "ews.allow" and one["outcome"] == "done")
    assert last["before"] == ",".join(OTHER_EWS_APPS)
    assert last["undo"] == done.document["undo"][0]


@pytest.mark.parametrize("state", [EwsState.TRUE_LIST, EwsState.NULL_LIST], ids=str)
def test_our_id_is_listed(place: Place, state: EwsState) -> None:
    set_ews_state(place.sandbox, state)
    allow(place)
    place.wire.requests.clear()
    again = allow(place)

    assert again.code == 0
    assert again.document["changes"] == []
    assert place.wire.writes == []


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (EwsState.TRUE_EMPTY, "refuses every application now"),
        (EwsState.NULL, "answers every application now"),
    ],
    ids=str,
)
def test_an_empty_list_needs_a_clear_yes(place: Place, state: EwsState, said: str) -> None:
    set_ews_state(place.sandbox, state)
    refused = allow(place)

    assert refused.code == 6
    assert said in refused.err
    assert "--first-entry" in refused.err
    assert "usage report" in refused.err
    assert "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe" in refused.err
    assert place.wire.writes == []

    done = allow(place, "--first-entry")
    assert done.code == 0, done.err
    assert done.document["after"] == [ours(place)]
    assert done.document["undo"] == [f"{SET} -EwsAllowedAppIDs $null"]
    assert settings(place).ews_enabled is (None if state is EwsState.NULL else True)


def test_a_switch_that_is_false_is_opened_after_the_list_and_only_when_asked(place: Place) -> None:
    set_ews_state(place.sandbox, EwsState.FALSE_LIST)
    refused = allow(place)

    assert refused.code == 6
    assert "--enable" in refused.err
    assert all(one in refused.err for one in OTHER_EWS_APPS)
    assert place.wire.writes == []

    done = allow(place, "--enable")
    assert done.code == 0, done.err
    assert [set(one) for one in parameters(place)] == [{"EwsAllowedAppIDs"}, {"EwsEnabled"}]
    assert done.document["ewsEnabled"] is True
    assert done.document["undo"] == [
        f"{SET} -EwsEnabled $false",
        f"{SET} -EwsAllowedAppIDs '{','.join(OTHER_EWS_APPS)}'",
    ]


def test_false_and_empty_needs_both(place: Place) -> None:
    set_ews_state(place.sandbox, EwsState.FALSE)

    assert allow(place, "--first-entry").code == 6
    refused = allow(place, "--enable")
    assert refused.code == 6
    assert "--first-entry" in refused.err
    assert place.wire.writes == []

    done = allow(place, "--enable", "--first-entry")
    assert done.code == 0, done.err
    assert done.document["after"] == [ours(place)]
    assert settings(place).ews_enabled is True


@pytest.mark.parametrize("state", [EwsState.NULL, EwsState.NULL_LIST], ids=str)
def test_a_switch_that_is_null_is_never_set(place: Place, state: EwsState) -> None:
    set_ews_state(place.sandbox, state)
    done = allow(place, "--enable", "--first-entry")

    assert done.code == 6
    assert "leave --enable away" in done.err
    assert place.wire.writes == []


def test_an_unknown_list_is_never_written(place: Place) -> None:
    def after(request: httpx.Request, response: httpx.Response) -> None:
        if name_of(request) == "Get-OrganizationConfig":
            body = json.loads(response.content)
            body["value"][0].pop("EwsAllowedAppIDs", None)
            response._content = json.dumps(body).encode()

    place.wire.after = after
    done = allow(place, "--first-entry", "--enable")

    assert done.code == 6
    assert "could not be read" in done.err
    assert place.wire.writes == []


def test_what_somebody_wrote_before_the_re_read_is_kept(place: Place) -> None:
    set_ews_state(place.sandbox, EwsState.TRUE_LIST)
    reads = 0

    def before(request: httpx.Request) -> None:
        nonlocal reads
        if name_of(request) == "Get-OrganizationConfig":
            reads += 1
            if reads == 2:  # the plan was made from the first
                place.wire.before = lambda _: None
                with place.connect() as tenant:
                    tenant._exchange.organization.write_allowed((*OTHER_EWS_APPS, THEIRS.upper()))

    place.wire.before = before
    done = allow(place)

    assert done.document["after"] == [*OTHER_EWS_APPS, THEIRS.upper(), ours(place)]


def test_a_write_in_between_cannot_be_seen_then_and_is_said_and_shown(place: Place) -> None:
    set_ews_state(place.sandbox, EwsState.TRUE_LIST)
    write_between(place, (*OTHER_EWS_APPS, THEIRS))
    done = place.remote("ews", "allow", "--mailbox", MAILBOX, "--yes")

    assert done.code == 0, done.err
    assert THEIRS not in done.out
    assert "nothing could show a write in between" in done.out
    assert all(line in done.out for line in ("before", "after"))


def test_an_entry_that_is_gone_at_the_next_run_is_reported(place: Place) -> None:
    set_ews_state(place.sandbox, EwsState.TRUE_LIST)
    allow(place)
    with place.connect() as tenant:
        tenant._exchange.organization.write_allowed((OTHER_EWS_APPS[0], ours(place)))

    status = place.remote("ews", "status", "--mailbox", MAILBOX, "--output", "json")
    assert [one["applicationId"] for one in status.document["lost"]] == [OTHER_EWS_APPS[1]]

    with place.connect() as tenant:
        tenant._exchange.organization.write_allowed(OTHER_EWS_APPS)
    again = allow(place)
    assert any(ours(place) in warning and "is gone" in warning for warning in again.document["warnings"])
    assert again.document["after"] == [*OTHER_EWS_APPS, ours(place)]


def test_the_row_moves_between_plan_and_write(place: Place) -> None:
    set_ews_state(place.sandbox, EwsState.TRUE_LIST)
    reads = 0

    def before(request: httpx.Request) -> None:
        nonlocal reads
        if name_of(request) == "Get-OrganizationConfig":
            reads += 1
            if reads == 2:
                place.wire.before = lambda _: None
                set_ews_state(place.sandbox, EwsState.TRUE_EMPTY)

    place.wire.before = before
    done = allow(place)

    assert done.code == 6
    assert "--first-entry" in done.err
    assert place.wire.writes == []


def test_dry_run_and_question(place: Place) -> None:
    set_ews_state(place.sandbox, EwsState.TRUE_LIST)
    shown = place.remote("ews", "allow", "--mailbox", MAILBOX, "--dry-run")
    assert shown.code == 0
    assert "Append application" in shown.out

    no = place.remote("ews", "allow", "--mailbox", MAILBOX, stdin="n\n")
    assert no.code == 2
    assert place.wire.writes == []

    yes = place.remote("ews", "allow", "--mailbox", MAILBOX, stdin="y\n")
    assert yes.code == 0, yes.err


def test_an_exchange_administrator_needs_no_entra(place: Place) -> None:
    set_ews_state(place.sandbox, EwsState.TRUE_LIST)
    app_id = ours(place)
    place.wire.requests.clear()
    done = allow(place, "--app-id", app_id)

    assert done.code == 0, done.err
    assert done.document["after"][-1] == app_id
    assert not [one for one in place.wire.requests if one.url.path.startswith("/v1.0/")]


def test_unregister_takes_back_what_mimapp_added_and_nothing_else(place: Place) -> None:
    set_ews_state(place.sandbox, EwsState.TRUE_LIST)
    allow(place)
    done = place.remote("unregister", "--mailbox", MAILBOX, "--yes")

    assert done.code == 0, done.err
    assert settings(place).allowed_app_ids == OTHER_EWS_APPS
