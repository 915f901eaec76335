from __future__ import annotations

import pytest

from mimapp.errors import UsageError
from mimapp.host.options import (
    INVALID_PAIR_TEXT,
    INVALID_PAIR_TITLE,
    OPTIONS,
    Account,
    Authentication,
    MailServer,
    azure_cloud_label,
    choose,
    nearest,
    office_365_for,
    option,
)

_IWA, _APP, _BASIC = Authentication.INTEGRATED_WINDOWS, Authentication.APPLICATION_CONTEXT, Authentication.BASIC
_REGULAR, _GMSA = Account.REGULAR, Account.GMSA
_OFFICE = (MailServer.OFFICE_365, MailServer.OFFICE_365_CHINA, MailServer.OFFICE_365_GOVERNMENT)

# The guide's table, written a second time: letter, account, servers, authentication, host asked, app page,
# password, e-mail, e-mail password.
_GUIDE = [
    ("A", _REGULAR, (MailServer.EXCHANGE,), _IWA, True, False, True, True, False),
    ("B", _REGULAR, _OFFICE, _BASIC, False, False, True, True, True),
    ("C", _REGULAR, _OFFICE, _APP, False, True, True, True, False),
    ("D", _REGULAR, (MailServer.SMTP,), _IWA, True, False, True, True, False),
    ("E", _REGULAR, (MailServer.NONE,), None, False, False, True, False, False),
    ("F", _GMSA, (MailServer.EXCHANGE,), _IWA, True, False, False, True, True),
    ("G", _GMSA, _OFFICE, _BASIC, False, False, False, True, True),
    ("H", _GMSA, _OFFICE, _APP, False, True, False, True, False),
    ("I", _GMSA, (MailServer.NONE,), None, False, False, False, False, False),
]

_LIVING = {(server, row[3], row[1]): row[0] for row in _GUIDE if row[0] not in "BG" for server in row[2]}
_RETIRED = {(server, row[3], row[1]): row[0] for row in _GUIDE if row[0] in "BG" for server in row[2]}
_ALL = [(s, a, c) for s in MailServer for a in (None, *Authentication) for c in Account]

# What every other triple is answered with: the nearest valid option by mail server, then account.
_NEAREST = {
    (MailServer.EXCHANGE, _REGULAR): "A",
    (MailServer.EXCHANGE, _GMSA): "F",
    **{(server, _REGULAR): "C" for server in _OFFICE},
    **{(server, _GMSA): "H" for server in _OFFICE},
    (MailServer.SMTP, _REGULAR): "D",
    (MailServer.SMTP, _GMSA): "D",
    (MailServer.NONE, _REGULAR): "E",
    (MailServer.NONE, _GMSA): "I",
}


@pytest.mark.parametrize("row", _GUIDE, ids=lambda row: row[0])
def test_each_option_is_the_guides_row(row: tuple[object, ...]) -> None:
    found = next(one for one in OPTIONS if one.letter == row[0])
    assert (
        found.letter,
        found.account,
        tuple(server for server in MailServer if server in found.servers),
        found.authentication,
        found.asks_host,
        found.asks_application,
        found.asks_password,
        found.asks_email,
        found.asks_email_password,
    ) == row


def test_the_table_has_nine_rows_and_no_triple_twice() -> None:
    triples = [(s, row.authentication, row.account) for row in OPTIONS for s in row.servers]
    assert len(OPTIONS) == 9
    assert len(triples) == len(set(triples)) == 17


@pytest.mark.parametrize(("triple", "letter"), _LIVING.items(), ids=str)
def test_a_valid_triple_gives_its_option(
    triple: tuple[MailServer, Authentication | None, Account], letter: str
) -> None:
    assert choose(*triple).letter == letter


@pytest.mark.parametrize(("triple", "letter"), _RETIRED.items(), ids=str)
def test_basic_authentication_is_refused_with_its_end_and_a_successor(
    triple: tuple[MailServer, Authentication | None, Account], letter: str
) -> None:
    with pytest.raises(UsageError) as caught:
        choose(*triple)
    assert f"option {letter}" in caught.value.message
    assert "January 2023" in caught.value.message
    assert f"option {'C' if letter == 'B' else 'H'}" in (caught.value.hint or "")


@pytest.mark.parametrize("triple", [t for t in _ALL if t not in _LIVING and t not in _RETIRED], ids=str)
def test_an_invalid_triple_is_refused_with_the_nearest_option(
    triple: tuple[MailServer, Authentication | None, Account],
) -> None:
    server, authentication, account = triple
    with pytest.raises(UsageError) as caught:
        choose(*triple)
    assert f"option {_NEAREST[server, account]} " in (caught.value.hint or "")
    assert nearest(*triple).letter == _NEAREST[server, account]
    if authentication is not None and server not in (MailServer.NONE, MailServer.SMTP):
        assert INVALID_PAIR_TITLE in caught.value.details[0]
        assert INVALID_PAIR_TEXT in caught.value.details[0]
        assert "unverified" in caught.value.details[1]


def test_every_triple_is_in_one_of_the_three_lists() -> None:
    assert len(_ALL) == 6 * 4 * 2
    refused = [t for t in _ALL if t not in _LIVING and t not in _RETIRED]
    assert len(_LIVING) + len(_RETIRED) + len(refused) == len(_ALL)


@pytest.mark.parametrize("letter", list("ACDEFHI") + list("acdefhi"))
def test_an_option_is_found_by_letter(letter: str) -> None:
    assert option(letter).letter == letter.upper()


@pytest.mark.parametrize("letter", ["B", "g"])
def test_a_retired_letter_is_refused(letter: str) -> None:
    with pytest.raises(UsageError, match="retired: Exchange Online no longer takes basic authentication"):
        option(letter)


@pytest.mark.parametrize("letter", ["", "J", "CH", "1"])
def test_an_unknown_letter_lists_the_options(letter: str) -> None:
    with pytest.raises(UsageError) as caught:
        option(letter)
    assert [line[0] for line in caught.value.details] == list("ABCDEFGHI")


def test_what_works_after_ews_differs_by_option() -> None:
    after = {row.letter: row.after_ews for row in OPTIONS}
    assert {letter for letter, text in after.items() if text.startswith("goes on working")} == set("ADF")
    assert {letter for letter, text in after.items() if text.startswith("no mail after 2027-04-01")} == set("CH")
    assert {letter for letter, text in after.items() if text.startswith("nothing changes")} == set("EI")


@pytest.mark.parametrize(
    ("cloud", "label", "server"),
    [
        ("global", "Azure AD", MailServer.OFFICE_365),
        ("gcc", "Azure AD", MailServer.OFFICE_365),
        ("gcc-high", None, MailServer.OFFICE_365_GOVERNMENT),
        ("dod", "Microsoft 365 Government - DoD", MailServer.OFFICE_365_GOVERNMENT),
        ("china", "Azure AD China operated by 21Vianet", MailServer.OFFICE_365_CHINA),
        ("bleu", None, None),
        ("delos", None, None),
    ],
)
def test_each_cloud_has_the_installers_labels_or_none(cloud: str, label: str | None, server: MailServer | None) -> None:
    assert azure_cloud_label(cloud) == label
    assert office_365_for(cloud) == server
