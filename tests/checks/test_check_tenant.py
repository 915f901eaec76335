"""The ground: tenant, cloud, licence, and this machine's clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest

from checks.checking import as_application, change_document, check, take_role
from mimapp.checks.preflight_tenant import cloud_row, tenant_row
from mimapp.clouds import CLOUDS
from mimapp.graph import Organization
from mimapp.identity import TenantFacts
from mimapp.sandbox import catalog
from mimapp.sandbox.obstacles import without_premium
from mimapp.spec import Only

if TYPE_CHECKING:
    import httpx

    from support.tenants import Place

METADATA = "/v2.0/.well-known/openid-configuration"


def asks_entra(place: Place, request: httpx.Request) -> bool:
    """Whether it is a preflight's question: a sign-in asks by the tenant's name, a preflight by its id."""
    return request.url.path == f"/{place.info.tenant_id}{METADATA}"


def test_the_tenant_is_named_by_its_name_domain_and_id(place: Place) -> None:
    row = check(place)["tenant"]

    assert row.verdict == "ok"
    assert row.found == f"Contoso (contoso.onmicrosoft.com), {place.info.tenant_id}"


def test_graph_answering_for_another_tenant_than_the_tokens_stops() -> None:
    row = tenant_row(Organization(id="5a6db0c0-0009-4c0a-8f00-c0de00000009"), "5a6db0c0-0001-4c0a-8f00-c0de00000001")

    assert row.verdict == "stop"
    assert "5a6db0c0-0001-4c0a-8f00-c0de00000001" in row.why


def test_a_tenant_that_may_not_be_read_is_unknown_and_needs_a_person(place: Place) -> None:
    take_role(place, catalog.GRAPH, "Organization.Read.All")
    take_role(place, catalog.GRAPH, "Directory.Read.All")
    take_role(place, catalog.GRAPH, "LicenseAssignment.Read.All")

    rows = check(place, connect=as_application(place), group_owner=place.info.administrator)

    assert rows["tenant"].verdict == "unknown"
    assert rows["tenant"].needs_person is True
    assert "Organization.Read.All" in rows["tenant"].remedy
    assert rows["licence"].verdict == "unknown"
    assert rows["licence"].needs_person is False


def test_the_cloud_is_the_one_that_was_chosen(place: Place) -> None:
    row = check(place)["cloud"]

    assert (row.verdict, row.found) == ("ok", "Worldwide (region EU)")


def test_a_tenant_of_another_cloud_stops(place: Place) -> None:
    with place.connect() as tenant:  # which would have refused the other cloud itself
        tenant.cloud = replace(place.cloud, key="gcc-high", title="US Government GCC High")
        row = next(row for row in tenant.check(place.registration()) if row.name == "cloud")

    assert row.verdict == "stop"
    assert row.found == "not in US Government GCC High"
    assert "lives in Worldwide" in row.why
    assert "--cloud global" in row.remedy


def test_a_cloud_that_entra_leaves_open_warns() -> None:
    facts = TenantFacts(
        tenant_id="t",
        cloud_keys=frozenset({"gcc-high", "dod"}),
        region_scope="USG",
        region_sub_scope="",
        instance="microsoftonline.us",
    )

    row = cloud_row(CLOUDS["dod"], facts)

    assert row.verdict == "warn"
    assert row.found == "US Government DoD (region USG)"
    assert "US Government GCC High or US Government DoD" in row.why
    assert row.details == CLOUDS["dod"].unknowns


def test_what_entra_does_not_answer_leaves_cloud_and_clock_unknown(place: Place) -> None:
    def garble(request: httpx.Request, response: httpx.Response) -> None:
        if asks_entra(place, request):
            response._content = b"<html>a proxy</html>"
            del response.headers["date"]

    place.wire.after = garble

    rows = check(place)

    assert rows["cloud"].verdict == "unknown"
    assert rows["clock"].verdict == "unknown"
    assert not rows["cloud"].needs_person
    assert not rows["clock"].needs_person


@pytest.mark.parametrize(
    ("off", "verdict", "found"),
    [
        (timedelta(seconds=119), "ok", "within 2 min of Entra's"),
        (timedelta(minutes=-7), "warn", "7 min ahead of Entra's"),
        (timedelta(hours=2, minutes=30), "warn", "2 h 30 min behind Entra's"),
    ],
)
def test_the_clock_is_compared_with_the_date_of_a_reply(place: Place, off: timedelta, verdict: str, found: str) -> None:
    def shift(request: httpx.Request, response: httpx.Response) -> None:
        if asks_entra(place, request):
            response.headers["date"] = format_datetime(place.clock.now() + off, usegmt=True)

    place.wire.after = shift

    row = check(place)["clock"]

    assert (row.verdict, row.found) == (verdict, found)
    assert bool(row.remedy) is (verdict == "warn")


@pytest.mark.parametrize("date", ["", "yesterday", "Sat, 21 Nov 2026 09:00:00 -0000"])
def test_a_date_that_cannot_be_read_is_no_time(place: Place, date: str) -> None:
    def spoil(request: httpx.Request, response: httpx.Response) -> None:
        if asks_entra(place, request):
            response.headers["date"] = date

    place.wire.after = spoil

    assert check(place)["clock"].verdict == "unknown"


def test_the_licence_is_there(place: Place) -> None:
    row = check(place)["licence"]

    assert (row.verdict, row.found) == ("ok", "Microsoft Entra ID P1")


def test_without_the_licence_the_installers_words_are_told(place: Place) -> None:
    without_premium(place.sandbox)

    row = check(place)["licence"]

    assert row.verdict == "warn"
    assert row.found == "neither Microsoft Entra ID P1 nor P2"
    assert "no subscription with Microsoft Entra ID P1 or P2" in row.why
    assert "volume licence media" in row.remedy
    assert row.needs_person is False


def test_a_licence_that_has_lapsed_is_named(place: Place) -> None:
    change_document(place, "subscribedSku", {"capabilityStatus": "Suspended"})

    row = check(place)["licence"]

    assert (row.verdict, row.found) == ("warn", "Microsoft Entra ID P1 (Suspended)")


def test_who_makes_no_application_is_not_asked_about_licence_store_or_policies(place: Place) -> None:
    rows = check(place, only=Only.EXCHANGE)

    assert list(rows) == [
        "tenant",
        "cloud",
        "clock",
        "graph permissions",
        "scope",
        "exchange permission",
        "exchange rights",
        "mailbox",
        "mailbox region",
        "domain",
        "scoping group",
        "other rights",
        "ews",
        "mailbox ews",
    ]
