"""What may be wanted, what follows from it, and the words for what cannot be wanted."""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mimapp.errors import UsageError
from mimapp.spec import (
    DISPLAY_NAME,
    LABEL_PREFIX,
    Registration,
    check_address,
    key_of_mailbox,
    mailbox_of_tags,
    registration_of_tags,
)
from mimapp.stores import FileStore

if TYPE_CHECKING:
    from pathlib import Path

MAILBOX = "MIMService@contoso.onmicrosoft.com"

GOOD_ADDRESSES = {
    MAILBOX: MAILBOX,
    "  a@b.de ": "a@b.de",
    "o'brien+mim@contoso.co.uk": "o'brien+mim@contoso.co.uk",
    "a@b-c.d1.example": "a@b-c.d1.example",
    f"{'x' * 64}@contoso.com": f"{'x' * 64}@contoso.com",
}
BAD_ADDRESSES = {
    "": "''",
    "MIMService": "'MIMService'",
    "@contoso.com": "'@contoso.com'",
    "a@": "'a@'",
    "a@contoso": "'a@contoso'",
    "a@contoso.c": "'a@contoso.c'",
    "a@contoso.123": "'a@contoso.123'",
    "a@@contoso.com": "'a@@contoso.com'",
    "a b@contoso.com": "'a b@contoso.com'",
    ".a@contoso.com": "'.a@contoso.com'",
    "a.@contoso.com": "'a.@contoso.com'",
    "a..b@contoso.com": "'a..b@contoso.com'",
    "a@contoso..com": "'a@contoso..com'",
    "a@-contoso.com": "'a@-contoso.com'",
    "a@contoso-.com": "'a@contoso-.com'",
    "a@con_toso.com": "'a@con_toso.com'",
    "ä@contoso.com": "'ä@contoso.com'",
    "a@contoso.com\nBcc: b@c.de": "'a@contoso.com\\nBcc: b@c.de'",
    "a\0@contoso.com": "'a\\x00@contoso.com'",
    "<a@contoso.com>": "'<a@contoso.com>'",
    f"{'x' * 65}@contoso.com": f"'{'x' * 65}@contoso.com'",
    f"a@{'b' * 300}.com": f"'a@{'b' * 38}… (306 characters)'",
}
KEYS = {
    MAILBOX: "mimservice",
    "mim.service+test@contoso.com": "mim-service-test",
    "MIM_2@contoso.com": "mim-2",
    "-x-@contoso.com": "x",
    "!#$@contoso.com": "mailbox",
    f"{'a' * 40}@contoso.com": "a" * 40,
    f"{'a' * 41}@contoso.com": f"{'a' * 31}-c0f8bd4d",
}
BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "mailbox": ({"mailbox": "MIMService"}, "mailbox: 'MIMService' is not an e-mail address", "SMTP address"),
    "key in capitals": ({"key": "Test"}, "registration: 'Test' cannot be a key", "lower-case letters"),
    "key with an outer hyphen": ({"key": "test-"}, "registration: 'test-' cannot be a key", "inner hyphens"),
    "key with a slash": ({"key": "a/../b"}, "registration: 'a/../b' cannot be a key", "lower-case letters"),
    "key with a line's end": ({"key": "a\n"}, "registration: 'a\\n' cannot be a key", "lower-case letters"),
    "key with a foreign digit": ({"key": "a٣"}, "registration: 'a٣' cannot be a key", "lower-case letters"),
    "key too long": ({"key": "k" * 100}, f"registration: '{'k' * 60}' cannot be a key", "40 characters at most"),
    "no name": ({"display_name": "  "}, "name: 0 characters are too few", "1 to 120 printable"),
    "name too long": ({"display_name": "n" * 121}, "name: 121 characters are too many", "1 to 120 printable"),
    "name of two lines": ({"display_name": "a\nb"}, "name: it holds characters", "printable characters"),
    "secret for an hour": (
        {"secret_lifetime": timedelta(hours=1)}, "secret lifetime: 0.0416667 days is out", "from 1 to 730 days",
    ),
    "secret for three years": (
        {"secret_lifetime": timedelta(days=1096)}, "secret lifetime: 1096 days is out of range", "such as 180d",
    ),
    "secret for no time": ({"secret_lifetime": timedelta(0)}, "secret lifetime: 0 days is out of range", "180d"),
    "group owner": ({"group_owner": "admin"}, "group owner: 'admin' is not an e-mail address", "SMTP address"),
    "group owner is the mailbox": (
        {"group_owner": MAILBOX.upper()}, "group owner: the MIM mailbox itself may not own the group", "--group-owner",
    ),
    "an object's name as app id": ({"app_id": "mim"}, "app id: 'mim' is not an application's client id", "a GUID"),
    "an app id and a new one": (
        {"app_id": "22222222-2222-2222-2222-222222222222", "new": True}, "app id and new contradict", "one of --app-id",
    ),
    "restored and purged": (
        {"restore": True, "purge_deleted": True}, "restore and purge contradict", "--restore and --purge-deleted",
    ),
    "somebody's word for more than consent": (
        {"fence_confirmed_by": "ann"}, "fence confirmed by: only a run", "--only consent",
    ),
    "a reference of blanks": ({"change_ref": " "}, "change ref: 0 characters are too few", "printable characters"),
    "a reference of two lines": ({"change_ref": "a\nb"}, "change ref: it holds", "printable characters"),
    "notes without end": ({"notes": "n" * 5000}, "notes: 5000 characters are too many", "printable characters"),
    "notes that ring": ({"notes": "a\ab"}, "notes: it holds characters that do not print", "printable"),
    "a tag like a mark": (
        {"further_tags": ("ok", "MIMapp:other")}, "tag: 'MIMapp:other' looks like", "not begin with mimapp",
    ),
    "an empty tag": ({"further_tags": ("",)}, "tag: 0 characters are too few", "printable characters"),
    "nobody as owner": ({"owner": " "}, "owner: '' is neither", "--owner"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "address"), GOOD_ADDRESSES.items(), ids=GOOD_ADDRESSES)
def test_an_address_is_taken_without_its_blanks(text: str, address: str) -> None:
    assert check_address(text, what="mailbox") == address


@pytest.mark.parametrize(("text", "shown"), BAD_ADDRESSES.items(), ids=ascii)
def test_what_is_no_address_is_refused_by_name(text: str, shown: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_address(text, what="group owner")
    assert str(caught.value) == f"group owner: {shown} is not an e-mail address"
    assert caught.value.hint == "give the mailbox's SMTP address, such as MIMService@contoso.onmicrosoft.com"


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_a_usage_error(text: str) -> None:
    try:
        address = check_address(text, what="mailbox")
    except UsageError:
        return
    assert address.isascii()
    assert address.count("@") == 1
    assert not re.search(r"\s", address)


@pytest.mark.parametrize(("mailbox", "key"), KEYS.items(), ids=KEYS)
def test_the_key_comes_from_the_mailbox(mailbox: str, key: str) -> None:
    assert key_of_mailbox(mailbox) == key


@given(st.from_regex(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}", fullmatch=True))
def test_every_mailbox_has_a_key_that_a_registration_takes(local: str) -> None:
    key = key_of_mailbox(f"{local}@contoso.com")
    assert Registration(mailbox=MAILBOX, key=key).key == key


@pytest.mark.parametrize(("values", "message", "hint"), BAD.values(), ids=BAD)
def test_a_value_that_cannot_be_used_is_named(values: dict[str, Any], message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        Registration(**{"mailbox": MAILBOX, **values})
    assert str(caught.value).startswith(message)
    assert hint in (caught.value.hint or "")


def test_names_and_marks_follow_from_the_key() -> None:
    wanted = Registration(mailbox=MAILBOX, key="test-2")
    assert (wanted.unique_name, wanted.group_name, wanted.mark) == ("mimapp-test-2", "mimapp-test-2", "mimapp:test-2")
    assert wanted.tags == ("mimapp:test-2", "mimapp-mailbox:mimservice@contoso.onmicrosoft.com")
    assert registration_of_tags(wanted.tags) == "test-2"
    assert mailbox_of_tags(wanted.tags) == MAILBOX.lower()


def test_two_registrations_share_nothing() -> None:
    first, second = Registration(mailbox=MAILBOX), Registration(mailbox="MIMTest@contoso.onmicrosoft.com")
    assert not {first.unique_name, first.group_name, *first.tags} & {
        second.unique_name,
        second.group_name,
        *second.tags,
    }


def test_tags_of_others_are_nobodys() -> None:
    others = ("WindowsAzureActiveDirectoryIntegratedApp", "mimapp", "a mimapp:x")
    assert registration_of_tags(others) is None
    assert mailbox_of_tags((*others, "mimapp:x")) is None


def test_the_defaults_are_those_that_the_pages_say() -> None:
    wanted = Registration(mailbox=MAILBOX)
    assert (wanted.key, wanted.display_name) == ("mimservice", "MIM Service mailbox client access")
    assert wanted.display_name == DISPLAY_NAME
    assert wanted.secret_lifetime == timedelta(days=180)
    assert (wanted.stores, wanted.group_owner, wanted.owner) == ((), None, None)


def test_values_lose_the_blanks_around_them() -> None:
    wanted = Registration(
        mailbox=f" {MAILBOX} ", display_name=" MIM ", group_owner=" admin@contoso.com ", owner=" ann@contoso.com "
    )
    assert (wanted.mailbox, wanted.display_name, wanted.group_owner, wanted.owner) == (
        MAILBOX, "MIM", "admin@contoso.com", "ann@contoso.com",
    )  # fmt: skip


def test_words_beside_the_application_lose_their_blanks_and_doubles() -> None:
    wanted = Registration(mailbox=MAILBOX, change_ref=" CHG-1 ", notes=" two\nlines ", further_tags=("a", " a", "b"))
    assert (wanted.change_ref, wanted.notes, wanted.further_tags) == ("CHG-1", "two\nlines", ("a", "b"))


@pytest.mark.parametrize("days", [1, 730])
def test_the_limits_of_a_lifetime_are_inside(days: int) -> None:
    assert Registration(mailbox=MAILBOX, secret_lifetime=timedelta(days=days)).secret_lifetime.days == days


def test_a_registration_cannot_be_changed_in_place() -> None:
    wanted = Registration(mailbox=MAILBOX)
    with pytest.raises(FrozenInstanceError):
        wanted.key = "other"  # type: ignore[misc]  # what the test is about
    assert replace(wanted, key="other").unique_name == "mimapp-other"


def test_the_first_store_is_the_one_that_output_names(tmp_path: Path) -> None:
    first, second = FileStore(tmp_path / "1"), FileStore(tmp_path / "2")
    wanted = Registration(mailbox=MAILBOX).stored_in((first, second))
    assert wanted.stores == (first, second)
    assert (wanted.store, wanted.further_stores) == (first, (second,))
    assert wanted.stored_in(()).stores == ()


def test_a_label_begins_as_no_mark_does() -> None:
    assert LABEL_PREFIX == "mimapp "
