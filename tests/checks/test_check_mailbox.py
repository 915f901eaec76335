"""What the mailbox's address turns out to be: every kind has its own words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from checks.checking import change_document, check, put_recipient
from mimapp.sandbox import SandboxError
from mimapp.sandbox.exchange.models import RecipientType
from mimapp.sandbox.obstacles import MailboxKind, change_mailbox, without_premium
from support.tenants import MAILBOX, name_of

if TYPE_CHECKING:
    import httpx

    from support.tenants import Place


def test_a_user_mailbox_is_as_it_should_be(place: Place) -> None:
    rows = check(place)

    assert rows["mailbox"].verdict == "ok"
    assert rows["mailbox"].found == f"user mailbox {MAILBOX}"
    assert rows["mailbox region"].verdict == "ok"
    assert rows["mailbox region"].found == "Exchange names none"


def test_a_user_from_on_premises_with_a_mailbox_here_is_said(place: Place) -> None:
    change_document(place, "mailbox", {"synced": True}, alias="MIMService")

    row = check(place)["mailbox"]

    assert row.verdict == "ok"
    assert "directory synchronisation" in row.found


@pytest.mark.parametrize(
    ("kind", "verdict", "found", "remedy"),
    [
        (MailboxKind.SHARED, "warn", "shared mailbox", "licensed user mailbox"),
        (MailboxKind.ROOM, "stop", "resource mailbox MIMService@contoso.onmicrosoft.com: it belongs to a room", "own"),
        (MailboxKind.EQUIPMENT, "stop", "it belongs to a piece of equipment", "a user mailbox of its own"),
        (MailboxKind.MAIL_USER, "stop", "mailbox is still on-premises", "option A or F"),
        (MailboxKind.INACTIVE, "stop", "is inactive: its user is gone", "New-Mailbox -InactiveMailbox"),
        (MailboxKind.SOFT_DELETED, "stop", "is deleted, and can still be recovered", "Undo-SoftDeletedMailbox"),
        (MailboxKind.UNLICENSED, "warn", "without an Exchange Online licence", "assign a licence"),
        (MailboxKind.TWICE, "stop", "2 recipients have the address", "all but one"),
    ],
)
def test_each_kind_is_worded_apart(place: Place, kind: MailboxKind, verdict: str, found: str, remedy: str) -> None:
    change_mailbox(place.sandbox, kind)

    row = check(place)["mailbox"]

    assert row.verdict == verdict
    assert found in row.found
    assert remedy in row.remedy
    assert row.why


def test_without_a_licence_somebody_has_to_act_although_nothing_stops(place: Place) -> None:
    change_mailbox(place.sandbox, MailboxKind.UNLICENSED)

    assert check(place)["mailbox"].needs_person is True


def test_several_recipients_with_the_address_are_listed(place: Place) -> None:
    change_mailbox(place.sandbox, MailboxKind.TWICE)

    row = check(place)["mailbox"]

    assert sorted(row.details) == [f"{MAILBOX} (UserMailbox)", f"second-{MAILBOX} (MailUser)"]


def test_a_display_name_is_never_a_match(place: Place) -> None:
    put_recipient(place, RecipientType.MAIL_CONTACT, "decoy@contoso.onmicrosoft.com", display_name=MAILBOX)

    assert check(place)["mailbox"].verdict == "ok"


def test_a_mailbox_in_another_region_is_named_with_its_anchor(place: Place) -> None:
    change_mailbox(place.sandbox, MailboxKind.ABROAD)

    row = check(place)["mailbox region"]

    assert (row.verdict, row.found) == ("ok", "AUS")
    assert "X-AnchorMailbox" in row.why


def test_what_is_asked_of_a_mailbox_in_another_region_goes_by_its_own_address(place: Place) -> None:
    change_mailbox(place.sandbox, MailboxKind.ABROAD)

    done = place.remote("register", "--mailbox", MAILBOX, "--yes", "--output", "json")

    assert done.code == 0, done.err
    anchors: dict[str, set[str]] = {}
    for request in place.wire.requests:
        if name_of(request) == "Test-ApplicationAccessPolicy":
            asked = json.loads(request.content)["CmdletInput"]["Parameters"]["Identity"]
            anchors.setdefault(asked, set()).add(request.headers["X-AnchorMailbox"])
    usual = f"APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{place.info.tenant_id}"
    assert anchors == {MAILBOX: {f"SMTP:{MAILBOX}"}, place.info.administrator: {usual}}


def test_an_address_that_nothing_has(place: Place) -> None:
    rows = check(place, mailbox="nobody@contoso.onmicrosoft.com")

    assert rows["mailbox"].verdict == "stop"
    assert rows["mailbox"].found == "Exchange Online knows no nobody@contoso.onmicrosoft.com"
    assert rows["mailbox region"].verdict == "unknown"
    assert rows["mailbox ews"].verdict == "unknown"
    assert rows["mailbox ews"].why == "there is no mailbox to ask about"


def test_deleted_mailboxes_are_looked_for_only_where_nothing_else_was_found(place: Place) -> None:
    check(place)
    before = [name_of(request) for request in place.wire.requests].count("Get-Mailbox")
    check(place, mailbox="nobody@contoso.onmicrosoft.com")

    assert before == 1
    assert [name_of(request) for request in place.wire.requests].count("Get-Mailbox") == before + 3


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (RecipientType.SECURITY_GROUP, "is a group (MailUniversalSecurityGroup)"),
        (RecipientType.UNIFIED_GROUP, "is a group (GroupMailbox)"),
        (RecipientType.MAIL_CONTACT, "is of kind MailContact, and has no mailbox here"),
    ],
)
def test_what_is_no_mailbox_at_all(place: Place, kind: RecipientType, found: str) -> None:
    put_recipient(place, kind, "thing@contoso.onmicrosoft.com")

    row = check(place, mailbox="thing@contoso.onmicrosoft.com")["mailbox"]

    assert row.verdict == "stop"
    assert found in row.found


def test_a_mailbox_that_flaps_between_servers_is_unknown(place: Place) -> None:
    def hide(request: httpx.Request, response: httpx.Response) -> None:
        if b'"Get-Mailbox"' in request.content:
            response._content = b'{"value":[]}'

    place.wire.after = hide

    row = check(place)["mailbox"]

    assert row.verdict == "unknown"
    assert row.needs_person is True
    assert "as UserMailbox to one question" in row.why


def test_a_mailbox_of_the_system_serves_another_purpose(place: Place) -> None:
    change_document(place, "mailbox", {"recipientTypeDetails": "DiscoveryMailbox"}, alias="MIMService")

    row = check(place)["mailbox"]

    assert row.verdict == "stop"
    assert "of kind DiscoveryMailbox" in row.found


def test_a_sign_in_name_is_not_an_address(place: Place) -> None:
    change_document(
        place,
        "mailbox",
        {"primarySmtpAddress": "mail@contoso.onmicrosoft.com", "proxyAddresses": []},
        alias="MIMService",
    )

    row = check(place)["mailbox"]

    assert row.verdict == "stop"
    assert "is the sign-in name of a mailbox" in row.found
    assert row.remedy == "use --mailbox mail@contoso.onmicrosoft.com"


def test_one_mailboxs_address_that_is_anothers_sign_in_name(place: Place) -> None:
    change_document(place, "mailbox", {"userPrincipalName": MAILBOX}, alias="other")

    row = check(place)["mailbox"]

    assert row.verdict == "stop"
    assert "2 objects in Exchange answer to" in row.found
    assert len(row.details) == 2


def test_the_sandbox_refuses_what_it_cannot_put_in_the_way(place: Place) -> None:
    change_mailbox(place.sandbox, MailboxKind.MAIL_USER)

    with pytest.raises(SandboxError, match="has no MIM mailbox any more"):
        change_mailbox(place.sandbox, MailboxKind.SHARED)
    with pytest.raises(SandboxError, match="the sandbox has no tenant"):
        without_premium(place.sandbox, "fabrikam.example")
