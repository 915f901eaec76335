"""``sandbox seed``: what reality leaves behind, and what register then makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mimapp.cli.commands.sandbox import _MAILBOX_KINDS
from mimapp.sandbox.obstacles import MailboxKind
from support.tenants import MAILBOX, Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FABRIKAM = "fabrikam.onmicrosoft.com"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path / "home")
    yield made
    made.close()


@pytest.mark.parametrize("flag", ["--portal-app", "--script-app", "--soft-deleted"])
def test_what_is_seeded_is_found_by_register(place: Place, flag: str) -> None:
    seeded = place.cli("sandbox", "seed", flag, "--output", "json")
    app_id = seeded.document["made"][-1]["applicationId"]
    done = place.remote("register", "--mailbox", MAILBOX, "--yes", "--output", "json")

    assert seeded.code == 0, seeded.err
    assert done.code == 6
    assert app_id in str(done.document)


def test_a_foreign_secret_is_shown_and_not_touched(place: Place) -> None:
    before = place.cli("sandbox", "seed", "--foreign-secret")
    place.remote("register", "--mailbox", MAILBOX, "--yes")
    place.cli("sandbox", "seed", "--foreign-secret")
    listed = place.remote("secret", "list", "--mailbox", MAILBOX, "--output", "json")

    assert before.code == 2
    assert "no application" in before.err
    assert sorted(item["whose"] for item in listed.document["credentials"]) == ["foreign", "here"]


@pytest.mark.parametrize(
    ("argv", "row", "found"),
    [
        (("--mailbox-kind", "shared"), "mailbox", "shared mailbox"),
        (("--mailbox-kind", "on-premises"), "mailbox", "on-premises"),
        (("--mailbox-kind", "unlicensed"), "mailbox", "licence"),
        (("--mailbox-kind", "abroad"), "mailbox region", "AUS"),
        (("--secrets", "forbidden"), "client secret policy", "forbids client secrets"),
        (("--secrets", "short"), "client secret policy", "90 days"),
        (("--no-premium",), "licence", "no "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_stands_in_the_way_is_a_row_of_check(place: Place, argv: tuple[str, ...], row: str, found: str) -> None:
    seeded = place.cli("sandbox", "seed", *argv)
    done = place.remote("check", "--mailbox", MAILBOX, "--output", "json")

    assert seeded.code == 0, seeded.err
    (told,) = (one for one in done.document["rows"] if one["name"] == row)
    assert found in str(told)
    assert told["verdict"] != "ok" or "abroad" in argv  # such a mailbox is no obstacle: the rows name its region


def test_a_tenant_that_wants_applications_to_name_their_service(place: Place) -> None:
    place.cli("sandbox", "seed", "--service-reference")
    refused = place.remote("register", "--mailbox", MAILBOX, "--yes", "--output", "json")
    named = place.remote(
        "register", "--mailbox", MAILBOX, "--yes", "--output", "json", "--service-management-reference", "CMDB-7"
    )

    assert refused.code == 5
    assert "ServiceTreeValueMissing" in refused.document["message"]
    assert "give --service-management-reference" in refused.err
    assert named.code == 0, named.err


def test_every_kind_of_mailbox_of_the_sandbox_can_be_seeded() -> None:
    assert set(_MAILBOX_KINDS.values()) == {kind.value for kind in MailboxKind}


def test_each_ews_state_and_an_unknown_one(place: Place) -> None:
    off = place.cli("sandbox", "seed", "--ews", "false")
    done = place.remote("register", "--mailbox", MAILBOX, "--yes", "--output", "json")
    unknown = place.cli("sandbox", "seed", "--ews", "maybe")

    assert off.code == 0
    assert done.code == 3
    assert unknown.code == 2


def test_several_tenants_live_side_by_side(place: Place) -> None:
    made = place.cli("sandbox", "seed", "--tenant", FABRIKAM, "--output", "json")
    here = place.cli("register", "--mailbox", MAILBOX, "--sandbox", "--yes", "--output", "json")
    there = place.cli("register", "--mailbox", f"MIMService@{FABRIKAM}", "--sandbox", "--yes", "--output", "json")

    assert made.document["tenantName"] == FABRIKAM
    assert (here.code, there.code) == (0, 0)
    assert here.document["tenantId"] != there.document["tenantId"]
    assert place.cli("sandbox", "seed", "--tenant", "fabrikam.com").code == 2


def test_an_unknown_tenant_is_no_bug(place: Place) -> None:
    done = place.cli("register", "--mailbox", "mim@nowhere.onmicrosoft.com", "--sandbox", "--yes")

    assert done.code == 4
    assert "nowhere.onmicrosoft.com" in done.err
