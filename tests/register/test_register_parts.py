"""Three administrators, each with their own part, and the order they have to keep."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from support.endings import check_one_of_each
from support.tenants import MAILBOX

if TYPE_CHECKING:
    from support.tenants import Finished, Place


IN_ORDER = ("entra", "exchange", "consent")


def part(place: Place, only: str, *more: str) -> Finished:
    place.wire.requests.clear()
    return place.remote("register", "--mailbox", MAILBOX, "--yes", "--output", "json", "--only", only, *more)


def hosts_used(place: Place) -> set[str]:
    return {
        "exchange" if "/adminapi/" in request.url.path else "graph"
        for request in place.wire.requests
        if "/adminapi/" in request.url.path or "/v1.0/" in request.url.path
    }


def test_in_order_the_three_parts_make_the_whole(place: Place) -> None:
    entra = part(place, "entra")
    assert entra.code == 3
    assert hosts_used(place) == {"graph"}
    assert entra.document["consent"] == "missing"
    assert any("consent is missing" in matter for matter in entra.document["attention"])
    assert entra.document["secret"]["proven"] is True

    exchange = part(place, "exchange")
    assert exchange.code == 0, exchange.err
    assert [change["step"] for change in exchange.document["changes"]] == [
        "group.create",
        "group.hide",
        "policy.create",
        "ews.allow",
    ]

    consent = part(place, "consent")
    assert consent.code == 0, consent.err
    assert [change["step"] for change in consent.document["changes"]] == ["consent.grant"]

    whole = place.remote("register", "--mailbox", MAILBOX, "--yes", "--output", "json")
    assert whole.document["changes"] == []
    check_one_of_each(place, whole.document)


def test_a_part_before_the_fence_does_not_say_that_it_restricts(place: Place) -> None:
    entra = place.remote("register", "--mailbox", MAILBOX, "--yes", "--only", "entra")
    exchange = place.remote("register", "--mailbox", MAILBOX, "--yes", "--only", "exchange")

    assert "Restricted to  nothing yet: the fence does not stand" in entra.out
    assert "Restricted to  members of mimapp-mimservice@contoso.onmicrosoft.com" in exchange.out


@pytest.mark.parametrize("order", [*permutations(IN_ORDER)], ids=" ".join)
def test_whatever_the_order_each_part_checks_those_before_it(calm: Place, order: tuple[str, ...]) -> None:
    done: set[str] = set()
    for only in order:
        ended = part(calm, only)
        if only == "entra":
            assert ended.code == 3, "consent is missing"
        elif only == "exchange":
            assert ended.code == (0 if "entra" in done else 3), "the group alone where there is no application"
        else:
            assert ended.code == (0 if order == IN_ORDER else 6), "the policy cannot come before the application"
            assert calm.wire.writes == [] or order == IN_ORDER
        done.add(only)

    codes = [part(calm, only).code for only in IN_ORDER]
    whole = calm.remote("register", "--mailbox", MAILBOX, "--yes", "--output", "json")

    assert codes == [0 if order == IN_ORDER else 3, 0, 0]
    assert whole.document["changes"] == []
    check_one_of_each(calm, whole.document)


def test_exchange_by_app_id_asks_graph_nothing(place: Place) -> None:
    entra = part(place, "entra")
    exchange = part(place, "exchange", "--app-id", entra.document["applicationId"])

    assert exchange.code == 0, exchange.err
    assert hosts_used(place) == {"exchange"}
    assert exchange.document["scope"]["stands"] is True


def test_exchange_first_makes_the_group_alone(place: Place) -> None:
    exchange = part(place, "exchange")

    assert exchange.code == 3
    assert [change["step"] for change in exchange.document["changes"]] == ["group.create", "group.hide"]
    assert any("no application" in matter for matter in exchange.document["attention"])


def test_consent_before_the_fence_is_refused(place: Place) -> None:
    nothing = part(place, "consent")
    part(place, "entra")
    unfenced = part(place, "consent")

    assert nothing.code == 6
    assert unfenced.code == 6
    assert "the fence does not stand" in unfenced.document["message"]
    assert place.wire.writes == []


def test_somebodys_word_for_the_fence_is_taken_and_recorded(place: Place) -> None:
    part(place, "entra")
    part(place, "exchange")
    done = part(place, "consent", "--fence-confirmed-by", "Ada from messaging")

    assert done.code == 0, done.err
    assert done.document["consent"] == "granted"
    assert hosts_used(place) == {"graph"}
    assert any("Ada from messaging" in warning for warning in done.document["warnings"])
    assert "Ada from messaging" in (place.home / "journal" / "record.jsonl").read_text()


def test_the_word_is_taken_for_consent_alone(place: Place) -> None:
    done = part(place, "entra", "--fence-confirmed-by", "Ada")

    assert done.code == 2
    assert place.wire.requests == []
