"""Who signed in: permissions and roles in the tokens, what Exchange lets them run, and what a Global Reader can ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks.checking import (
    APPLICATION_ADMINISTRATOR,
    EXCHANGE_ADMINISTRATOR,
    GLOBAL_READER,
    as_application,
    as_person,
    change_document,
    check,
    take_directory_role,
    take_role,
)
from mimapp.checks.preflight_signin import (
    directory_role_row,
    exchange_permission_row,
    exchange_rights_row,
    graph_permission_row,
)
from mimapp.identity import Operator, TokenClaims
from mimapp.sandbox import catalog
from mimapp.spec import Only, Registration
from support.tenants import MAILBOX

if TYPE_CHECKING:
    from support.tenants import Place

OPERATOR = "5a6db0c0-0002-4c0a-8f00-c0de00000002"
READ_ONLY = ("Application.Read.All", "Organization.Read.All", "Policy.Read.All", "User.Read.All")


def person(*scopes: str, wids: frozenset[str] = frozenset()) -> Operator:
    return Operator.of(
        TokenClaims(tid="t", oid="o", app_id="c", upn="a@contoso.com", scopes=frozenset(scopes), wids=wids)
    )


def application(*roles: str) -> Operator:
    return Operator.of(TokenClaims(tid="t", oid="o", app_id="c", roles=frozenset(roles), idtyp="app"))


OPAQUE = Operator.of(TokenClaims())
WANTED = Registration(mailbox=MAILBOX)


def test_an_administrator_has_all_that_is_needed(place: Place) -> None:
    rows = check(place)

    for name in ("graph permissions", "directory role", "exchange permission", "exchange rights"):
        assert rows[name].verdict == "ok", rows[name]
    assert "AppRoleAssignment.ReadWrite.All" in rows["graph permissions"].found
    assert rows["graph permissions"].found.endswith("Application.ReadWrite.All (and 3 others)")
    assert "Global Administrator" in rows["directory role"].found


def test_an_application_has_all_that_is_needed(place: Place) -> None:
    rows = check(place, connect=as_application(place), group_owner=place.info.administrator)

    for name in ("graph permissions", "directory role", "exchange permission", "exchange rights"):
        assert rows[name].verdict == "ok", rows[name]
    assert rows["directory role"].found == f"application {OPERATOR} needs none in Entra"


@pytest.mark.parametrize(
    ("role", "cannot"),
    [
        ("Application.ReadWrite.All", "without Application.ReadWrite.OwnedBy it cannot make the application"),
        ("AppRoleAssignment.ReadWrite.All", "without AppRoleAssignment.ReadWrite.All it cannot consent to it"),
    ],
)
def test_a_permission_that_the_token_lacks_stops(place: Place, role: str, cannot: str) -> None:
    take_role(place, catalog.GRAPH, role)

    row = check(place, connect=as_application(place), group_owner=place.info.administrator)["graph permissions"]

    assert row.verdict == "stop"
    assert cannot in row.why
    assert f"to application {OPERATOR}" in row.remedy


def test_who_may_not_consent_is_told_how_to_share_the_work(place: Place) -> None:
    take_role(place, catalog.GRAPH, "AppRoleAssignment.ReadWrite.All")
    sign_in = as_application(place)

    whole = check(place, connect=sign_in, group_owner=place.info.administrator)["graph permissions"]
    part = check(place, connect=sign_in, only=Only.ENTRA)["graph permissions"]

    assert "--only entra" in whole.remedy
    assert part.verdict == "ok"


@pytest.mark.parametrize(
    ("only", "enough"),
    [
        (None, {"Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All"}),
        (Only.ENTRA, {"Application.ReadWrite.All"}),
        (Only.EXCHANGE, {"Application.Read.All"}),
        (Only.CONSENT, {"Application.Read.All", "AppRoleAssignment.ReadWrite.All"}),
    ],
)
def test_each_administrators_part_needs_its_own_permissions(only: Only | None, enough: set[str]) -> None:
    wanted = Registration(mailbox=MAILBOX, only=only)

    assert graph_permission_row(person(*enough), wanted).verdict == "ok"
    for left_out in enough:
        row = graph_permission_row(person(*(enough - {left_out})), wanted)
        assert row.verdict == "stop"
        assert left_out in row.why
        assert "an administrator consents once" in row.remedy
    assert graph_permission_row(person("Directory.AccessAsUser.All"), wanted).verdict == "ok"
    assert graph_permission_row(application("Directory.AccessAsUser.All"), wanted).verdict == "stop"


def test_taking_over_an_application_warns_of_what_it_may_need_besides() -> None:
    wanted = Registration(mailbox=MAILBOX, app_id=OPERATOR)
    enough = ("Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All")

    row = graph_permission_row(person(*enough), wanted)

    assert row.verdict == "warn"
    assert "DelegatedPermissionGrant.ReadWrite.All" in row.why
    assert graph_permission_row(person(*enough, "DelegatedPermissionGrant.ReadWrite.All"), wanted).verdict == "ok"


def test_a_directory_role_that_does_not_show_only_warns(place: Place) -> None:
    row = check(place, connect=as_person(place, EXCHANGE_ADMINISTRATOR))["directory role"]

    assert row.verdict == "warn"
    assert row.found.endswith(": Exchange Administrator")
    assert "PIM" in row.why
    assert "Graph is left to judge" in row.why
    assert row.needs_person is False


def test_a_person_with_the_two_roles_is_ready_to_begin(place: Place) -> None:
    rows = check(place, connect=as_person(place, APPLICATION_ADMINISTRATOR, EXCHANGE_ADMINISTRATOR))

    assert rows["directory role"].verdict == "ok"
    assert rows["exchange rights"].verdict == "ok"
    # The person has no mailbox in this tenant, so the group needs another owner.
    assert rows["scoping group"].verdict == "stop"


def test_consent_alone_is_a_matter_for_one_more_role() -> None:
    privileged = person(wids=frozenset({"e8611ab8-c189-46e8-94e1-60213ab1f814"}))

    assert directory_role_row(privileged, WANTED).verdict == "warn"
    assert directory_role_row(privileged, Registration(mailbox=MAILBOX, only=Only.CONSENT)).verdict == "ok"


def test_an_exchange_token_without_the_right_permission_stops(place: Place) -> None:
    take_role(place, catalog.EXCHANGE, "Exchange.ManageAsApp")

    rows = check(place, connect=as_application(place), group_owner=place.info.administrator)

    assert rows["exchange permission"].verdict == "stop"
    assert "Exchange.ManageAsApp" in rows["exchange permission"].remedy
    # What Exchange then refuses is unknown, and register needs it.
    for name in ("mailbox", "scoping group", "ews"):
        assert rows[name].verdict == "unknown"
        assert rows[name].needs_person is True
        assert "403" in rows[name].why
    assert rows["exchange rights"].verdict == "unknown"
    assert rows["domain"].verdict == "unknown"
    assert rows["domain"].needs_person is False


def test_the_scope_of_another_exchange_interface_does_not_count() -> None:
    row = exchange_permission_row(person("Exchange.ManageV2"))

    assert row.verdict == "stop"
    assert "Exchange.ManageV2 is of another interface" in row.why
    assert row.found == "a@contoso.com: Exchange.ManageV2"
    assert exchange_permission_row(person("Mail.Read")).found == (
        "a@contoso.com: none of those that matter here (and 1 other)"
    )
    assert exchange_permission_row(person("Exchange.Manage")).verdict == "ok"


def test_the_cmdlets_that_exchange_does_not_give_are_named_with_their_role(place: Place) -> None:
    change_document(place, "directoryRole", {"members": []}, displayName="Exchange Administrator")
    take_directory_role(place, "62e90394-69f5-4237-9190-012177145e10")
    row = check(place, connect=as_person(place, GLOBAL_READER))["exchange rights"]

    assert row.verdict == "stop"
    assert row.found == "8 of the 13 cmdlets that are needed"
    assert "New-ApplicationAccessPolicy" in row.why
    assert row.details == (
        "role Distribution Groups: brings Add-DistributionGroupMember, New-DistributionGroup, Set-DistributionGroup",
        "role Organization Configuration: brings New-ApplicationAccessPolicy, Set-OrganizationConfig",
    )
    assert "Exchange Administrator" in row.remedy


def test_consent_alone_needs_no_writing_cmdlet() -> None:
    reads = {
        "Get-Mailbox",
        "Get-Recipient",
        "Get-DistributionGroup",
        "Get-DistributionGroupMember",
        "Get-Group",
        "Get-ApplicationAccessPolicy",
        "Test-ApplicationAccessPolicy",
        "get-organizationconfig",
    }

    assert exchange_rights_row(reads, WANTED).verdict == "stop"
    assert exchange_rights_row(reads, Registration(mailbox=MAILBOX, only=Only.CONSENT)).verdict == "ok"
    assert exchange_rights_row((), WANTED).found == "0 of the 13 cmdlets that are needed"


def test_a_token_that_says_nothing_leaves_it_to_the_services() -> None:
    for row in (
        graph_permission_row(OPAQUE, WANTED),
        directory_role_row(OPAQUE, WANTED),
        exchange_permission_row(OPAQUE),
    ):
        assert row.verdict == "unknown"
        assert row.needs_person is False


def test_a_global_reader_can_ask_everything_and_is_told_that_it_may_not_write(place: Place) -> None:
    rows = check(place, connect=as_person(place, GLOBAL_READER, scopes=READ_ONLY), group_owner=place.info.administrator)

    asked = {name: row.verdict for name, row in rows.items()}
    assert asked == {
        "tenant": "ok",
        "cloud": "ok",
        "clock": "ok",
        "licence": "ok",
        "graph permissions": "stop",
        "directory role": "warn",
        "client secret policy": "ok",
        "audience policy": "ok",
        "identifier URI policy": "ok",
        "service management reference": "unknown",
        "scope": "ok",
        "exchange permission": "ok",
        "exchange rights": "stop",
        "mailbox": "ok",
        "mailbox region": "ok",
        "domain": "ok",
        "scoping group": "ok",
        "other rights": "ok",
        "ews": "ok",
        "mailbox ews": "ok",
        "secret store": "ok",
    }
    assert place.wire.writes == []
