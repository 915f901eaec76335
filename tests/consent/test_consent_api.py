"""``mimapp consent`` by API and by a link: after the fence, on somebody's word, or when somebody else has done it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest

from consent.consent_world import (
    CONSENT,
    LEFTOVER,
    application,
    consent,
    consent_as_a_person,
    fenced,
    grant,
    grants,
    redirects,
    set_redirects,
    without_directory_role,
)
from mimapp.graph import ApplicationPatch, RequiredResourceAccess, ResourceAccess
from mimapp.sandbox import scenarios
from support.tenants import MAILBOX, Place, is_write

if TYPE_CHECKING:
    from collections.abc import Callable


def asks_for_more(place: Place) -> None:
    app = application(place)
    more = RequiredResourceAccess(
        resource_app_id="00000003-0000-0000-c000-000000000000",
        resource_access=(
            ResourceAccess(id="e1fe6dd8-ba31-4d61-89e7-88639da4683d", type="Scope"),
            ResourceAccess(id="b633e1c5-b582-4048-a93e-9f11b44c7e96", type="Role"),
        ),
    )
    with place.connect() as tenant:
        patch = ApplicationPatch(required_resource_access=(*(app.required_resource_access or ()), more))
        tenant._graph.applications.change(app.id, patch)


def when_asked_for_the_grant(place: Place, times: int, act: Callable[[], None]) -> None:
    """Do something when the grant is read for the nth time from now on."""
    seen = 0

    def before(request: httpx.Request) -> None:
        nonlocal seen
        if request.url.path.endswith("/appRoleAssignments"):
            seen += 1
            if seen == times:
                act()

    place.wire.before = before


def test_it_grants_the_one_role_and_a_second_run_finds_it(ready: Place) -> None:
    done = consent(ready)

    assert done.code == 0, done.err
    document = done.document
    assert document["schema"] == "mimapp.consent/1"
    assert document["consent"] == "granted"
    assert document["applicationId"] == application(ready).app_id
    assert document["tenantId"] == ready.info.tenant_id
    assert document["url"].endswith(f"/{ready.info.tenant_id}/adminconsent?client_id={document['applicationId']}")
    assert [change["step"] for change in document["changes"]] == ["consent.grant"]
    assert len(grants(ready)) == 1

    again = consent(ready)
    assert again.code == 0
    assert again.document["changes"] == []
    assert ready.wire.writes == []
    assert "The application is consented to." in ready.remote("consent", "--mailbox", MAILBOX, "--yes").out


def test_the_registration_is_found_by_its_mark(ready: Place) -> None:
    done = ready.remote("consent", "--yes", "--output", "json")

    assert done.code == 0, done.err
    assert done.document["consent"] == "granted"


@pytest.mark.parametrize("way", [(), ("--browser",), ("--no-browser",)], ids=lambda way: " ".join(way) or "by API")
def test_before_the_fence_stands_it_is_refused_whatever_the_way(place: Place, way: tuple[str, ...]) -> None:
    nothing = consent(place, *way)
    place.remote("register", "--mailbox", MAILBOX, "--yes", "--only", "entra")
    unfenced = consent(place, *way)

    assert nothing.code == 6
    assert "no application" in nothing.document["message"]
    assert unfenced.code == 6
    assert "the fence does not stand" in unfenced.document["message"]
    assert "adminconsent" not in unfenced.out + unfenced.err
    assert place.wire.writes == []


def test_somebodys_word_for_the_fence_is_taken_recorded_and_exchange_not_asked(ready: Place) -> None:
    done = consent(ready, "--fence-confirmed-by", "Ada from messaging", "--change-ref", "CHG0042")

    assert done.code == 0, done.err
    assert not any("/adminapi/" in request.url.path for request in ready.wire.requests)
    assert any("Ada from messaging" in warning for warning in done.document["warnings"])
    lines = (ready.home / "journal" / "record.jsonl").read_text().splitlines()
    last = json.loads(lines[-1])
    assert last["action"] == "consent.grant"
    assert "Ada from messaging" in last["after"]
    assert last["changeRef"] == "CHG0042"


def test_an_account_that_may_not_ends_with_the_link_and_the_roles(ready: Place) -> None:
    without_directory_role(ready)

    done = consent_as_a_person(ready)

    assert done.code == 3, done.err
    assert done.document["consent"] == "missing"
    (matter,) = done.document["attention"]
    assert done.document["url"] in matter
    assert "Privileged Role Administrator" in matter
    assert grants(ready) == ()


def test_waiting_ends_when_somebody_else_has_consented(ready: Place) -> None:
    when_asked_for_the_grant(ready, 4, lambda: grant(ready))

    done = consent(ready, "--no-browser", "--wait", "10m")

    assert done.code == 0, done.err
    assert done.document["consent"] == "granted"
    assert done.document["attention"] == []
    assert "adminconsent" in done.err  # the link is told before the wait, not after it


def test_by_api_waiting_goes_on_where_the_account_may_not(ready: Place) -> None:
    without_directory_role(ready)

    done = consent_as_a_person(ready, "--wait", "90s")

    assert done.code == 75
    assert "To do: admin consent is missing" in done.err
    assert done.document["message"] == "nobody has consented in 1 min 30 s"


def test_waiting_in_vain_ends_with_try_again_later(ready: Place) -> None:
    begun = ready.clock.monotonic()

    done = consent(ready, "--no-browser", "--wait", "30m", "--deadline", "1m")

    assert done.code == 75
    assert done.document["message"] == "nobody has consented in 30 min"
    assert "adminconsent?client_id=" in done.document["hint"]
    assert ready.clock.monotonic() - begun >= 1800


def test_a_link_changes_nothing(ready: Place) -> None:
    done = consent(ready, "--no-browser")
    shown = ready.remote("consent", "--mailbox", MAILBOX, "--no-browser")  # a link changes nothing: nobody is asked

    assert done.code == 3
    assert ready.wire.writes == []
    assert done.document["url"].endswith(f"/adminconsent?client_id={application(ready).app_id}")
    assert shown.code == 3
    assert done.document["url"] in shown.out


def test_whoever_opens_the_link_consents(ready: Place) -> None:
    url = consent(ready, "--no-browser").document["url"]
    path = url.removeprefix(ready.sandbox.origin)

    with httpx.Client(transport=ready.sandbox.transport(), base_url=ready.sandbox.origin) as browser:
        page = browser.get(path)

    assert "AADSTS500113" in page.text  # the application has no address to go back to
    assert consent(ready, "--no-browser").document["consent"] == "granted"


@pytest.mark.parametrize("way", ["--browser", "--no-browser"])
def test_the_page_is_refused_with_a_list_where_it_would_grant_more(ready: Place, way: str) -> None:
    asks_for_more(ready)

    done = consent(ready, way)

    assert done.code == 6
    assert done.document["details"] == [
        "it asks for: delegated permission User.Read of Microsoft Graph",
        "it asks for: application role b633e1c5-b582-4048-a93e-9f11b44c7e96 of Microsoft Graph",
    ]
    assert "--consent-all" in done.document["hint"]
    assert ready.wire.writes == []
    assert consent(ready).code == 0  # by API it is the one role
    assert len(grants(ready)) == 1


def test_a_link_to_a_page_that_would_grant_more_is_not_given_by_the_way(ready: Place) -> None:
    asks_for_more(ready)
    without_directory_role(ready)

    done = consent_as_a_person(ready)

    assert done.code == 3, done.err
    (matter,) = done.document["attention"]
    assert "runs mimapp consent --mailbox" in matter
    assert "adminconsent" not in matter


def test_all_of_it_is_consented_to_on_demand(ready: Place) -> None:
    asks_for_more(ready)

    done = consent(ready, "--no-browser", "--consent-all")

    assert done.code == 3
    assert "adminconsent" in done.document["url"]


def test_a_forgotten_redirect_uri_is_removed_by_the_next_run_and_a_strangers_is_not(ready: Place) -> None:
    stranger = "http://localhost:8080/somebody-elses"
    set_redirects(ready, stranger, LEFTOVER)

    done = consent(ready)

    assert [change["step"] for change in done.document["changes"]] == ["consent.redirect-remove", "consent.grant"]
    assert redirects(ready) == (stranger,)


def test_register_removes_it_too(ready: Place) -> None:
    set_redirects(ready, LEFTOVER)

    done = ready.remote("register", "--mailbox", MAILBOX, "--yes", "--output", "json")

    assert done.code == 0, done.err
    assert "consent.redirect-remove" in [change["step"] for change in done.document["changes"]]
    assert redirects(ready) == ()


def test_on_an_application_of_somebody_elses_no_redirect_uri_is_touched(place: Place) -> None:
    candidate = scenarios.portal_app(place.sandbox)
    taken = place.remote(
        "register", "--mailbox", MAILBOX, "--yes", "--output", "json", "--app-id", str(candidate.app_id)
    )
    assert taken.code == 0, taken.err
    with place.connect() as tenant:
        found = tenant._graph.applications.by_app_id(str(candidate.app_id))
    assert found is not None
    set_redirects(place, LEFTOVER)

    assert consent(place).document["changes"] == []
    assert redirects(place) == (LEFTOVER,)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--browser", "--no-browser"), "contradict"),
        (("--consent-all",), "--consent-all is about the consent page"),
        (("--no-browser", "--plan-out", "plan.json"), "there is no plan"),
    ],
)
def test_options_that_do_not_go_together(ready: Place, given: tuple[str, ...], words: str) -> None:
    done = consent(ready, *given)

    assert done.code == 2
    assert words in done.document["message"]
    assert ready.wire.requests == []


def test_a_dry_run_of_either_way_writes_nothing(ready: Place) -> None:
    set_redirects(ready, LEFTOVER)
    for way in ((), ("--browser",), ("--no-browser",)):
        done = consent(ready, "--dry-run", *way)
        assert done.code == (3 if way == ("--no-browser",) else 0), done.err
        assert not any(is_write(request) for request in ready.wire.requests)
    assert redirects(ready) == (LEFTOVER,)


def test_the_third_administrator_on_another_machine_ends_well(ready: Place) -> None:
    """The secret lies on the first one's machine, and that is no matter of consent."""
    other = Place(ready.home.parent / "other", clock=ready.clock, sandbox_home=ready.home)
    try:
        done = other.remote(*CONSENT)
    finally:
        other.close()

    assert done.code == 0, done.err
    assert done.document["attention"] == []


def test_fenced_is_what_the_tests_start_from(place: Place) -> None:
    app = fenced(place)

    assert redirects(place) == ()
    assert grants(place) == ()
    assert app.unique_name == "mimapp-mimservice"
