"""Exchange's side: the scoping group and its owner, the domain, and every state of the EWS settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks.checking import as_application, change_document, check, put_recipient
from mimapp.checks.preflight import is_ready, stopping
from mimapp.checks.preflight_exchange import ews_row
from mimapp.clouds import CLOUDS
from mimapp.exchange import EwsSettings, Unknown
from mimapp.sandbox.exchange.models import RecipientType
from mimapp.sandbox.scenarios import EwsState, set_ews_state
from mimapp.spec import Only
from support.tenants import MAILBOX

if TYPE_CHECKING:
    import httpx

    from support.tenants import Place

GROUP = "mimapp-mimservice@contoso.onmicrosoft.com"


def register(place: Place) -> None:
    done = place.remote("register", "--mailbox", MAILBOX, "--yes")
    assert done.code == 0, done.err


def test_the_groups_address_is_free_and_its_owner_known(place: Place) -> None:
    row = check(place)["scoping group"]

    assert (row.verdict, row.found) == ("ok", f"{GROUP} is free; admin@contoso.onmicrosoft.com will own the group")


def test_our_own_group_is_recognised(place: Place) -> None:
    register(place)

    row = check(place)["scoping group"]

    assert (row.verdict, row.found) == ("ok", f"{GROUP} exists and is this registration's")


def test_somebody_elses_group_at_our_address_stops(place: Place) -> None:
    put_recipient(place, RecipientType.DISTRIBUTION_GROUP, GROUP)

    row = check(place)["scoping group"]

    assert row.verdict == "stop"
    assert "mail-enabled security group" in row.found
    assert "--registration KEY" in row.remedy


def test_a_group_with_other_members_stops_and_lists_them(place: Place) -> None:
    register(place)
    with place.connect() as tenant:
        tenant._exchange.groups.add_member(GROUP, place.info.outside_mailbox)

    row = check(place)["scoping group"]

    assert row.verdict == "stop"
    assert row.details == (f"member: {place.info.outside_mailbox}",)


def test_an_address_that_is_no_groups_is_taken(place: Place) -> None:
    put_recipient(place, RecipientType.MAIL_CONTACT, GROUP)

    row = check(place)["scoping group"]

    assert row.verdict == "stop"
    assert row.found == f"the address {GROUP} is taken (MailContact)"


def test_a_group_that_flaps_between_servers_is_unknown(place: Place) -> None:
    register(place)

    def hide(request: httpx.Request, response: httpx.Response) -> None:
        if b'"Get-DistributionGroup"' in request.content:
            response._content = b'{"value":[]}'

    place.wire.after = hide

    row = check(place)["scoping group"]

    assert row.verdict == "unknown"
    assert row.needs_person is True
    assert "some minutes" in row.remedy


def test_an_application_needs_somebody_to_own_the_group(place: Place) -> None:
    row = check(place, connect=as_application(place))["scoping group"]

    assert row.verdict == "stop"
    assert "--group-owner ADDRESS" in row.remedy


@pytest.mark.parametrize(
    ("owner", "why"),
    [
        ("nobody@contoso.onmicrosoft.com", "Exchange knows no such recipient"),
        ("other@contoso.onmicrosoft.com", ""),
    ],
)
def test_the_named_owner_has_to_be_there(place: Place, owner: str, why: str) -> None:
    row = check(place, group_owner=owner)["scoping group"]

    assert row.verdict == ("stop" if why else "ok")
    assert why in row.why


def test_the_mailbox_does_not_guard_its_own_fence(place: Place) -> None:
    row = check(place, mailbox=place.info.administrator)["scoping group"]

    assert row.verdict == "stop"
    assert "would guard its own fence" in row.why


def test_the_domain_of_the_mailbox(place: Place) -> None:
    accepted = check(place)["domain"]
    foreign = check(place, mailbox="mim@fabrikam.example")["domain"]

    assert (accepted.verdict, accepted.found) == ("ok", "contoso.onmicrosoft.com is accepted")
    assert (foreign.verdict, foreign.found) == ("stop", "fabrikam.example is not accepted by this tenant")
    assert foreign.details == ("accepted: contoso.onmicrosoft.com",)


@pytest.mark.parametrize(
    ("state", "verdict", "needs_person"),
    [
        (EwsState.TRUE_LIST, "ok", False),
        (EwsState.NULL_LIST, "ok", False),
        (EwsState.NULL, "warn", True),
        (EwsState.TRUE_EMPTY, "warn", True),
        (EwsState.FALSE, "warn", True),
        (EwsState.FALSE_LIST, "warn", True),
    ],
)
def test_the_organisations_ews_settings(place: Place, state: EwsState, verdict: str, *, needs_person: bool) -> None:
    set_ews_state(place.sandbox, state)

    with place.connect() as tenant:
        rows = tenant.check(place.registration())
    (row,) = [row for row in rows if row.name == "ews"]

    assert row.verdict == verdict
    assert row.needs_person is needs_person
    assert bool(row.remedy) is needs_person
    assert "EWS ends in this cloud on 2027-04-01" in row.details
    assert stopping(rows) == ()
    assert is_ready(rows) is not needs_person


def test_an_application_that_is_on_the_list(place: Place) -> None:
    register(place)

    row = check(place)["ews"]

    assert (row.verdict, row.found) == ("ok", "the application is on the tenant's EWS allow list")


def test_a_list_that_could_not_be_read_needs_a_person() -> None:
    settings = EwsSettings(ews_enabled=None, allowed_app_ids=Unknown(reason="the reply has no EwsAllowedAppIDs"))

    row = ews_row(settings, None, CLOUDS["global"])

    assert row.verdict == "unknown"
    assert row.needs_person is True


def test_a_user_agent_policy_is_said(place: Place) -> None:
    change_document(
        place, "exo.organization", {"EwsApplicationAccessPolicy": "EnforceAllowList", "EwsAllowList": ["Mac*"]}
    )
    change_document(place, "mailbox", {"EwsApplicationAccessPolicy": "EnforceBlockList"}, alias="MIMService")

    rows = check(place)

    assert rows["ews"].verdict == "warn"
    assert "EnforceAllowList" in rows["ews"].details[1]
    assert rows["mailbox ews"].verdict == "warn"
    assert "EnforceBlockList" in rows["mailbox ews"].found
    assert not rows["ews"].needs_person
    assert not rows["mailbox ews"].needs_person


def test_the_mailboxs_own_switch(place: Place) -> None:
    assert check(place)["mailbox ews"].verdict == "ok"
    set_ews_state(place.sandbox, EwsState.MAILBOX_OFF)

    row = check(place)["mailbox ews"]

    assert row.verdict == "warn"
    assert row.needs_person is True
    assert f"Set-CASMailbox {MAILBOX} -EwsEnabled $true" in row.remedy


def test_exchange_alone_judges_the_application_that_is_named(place: Place) -> None:
    register(place)
    with place.connect() as tenant:
        app_id = tenant.status(place.registration()).application_id
    assert app_id is not None

    rows = check(place, app_id=app_id, only=Only.EXCHANGE)

    assert rows["ews"].found == "the application is on the tenant's EWS allow list"
    assert "tenant" not in rows
    assert "graph permissions" not in rows
