"""``mimapp consent --browser``: out to the page and back, and what is left when any of it goes wrong."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx

from consent.consent_world import (
    CONSENT,
    DESKTOP,
    LEFTOVER,
    Liar,
    Person,
    application,
    consent,
    grant,
    grants,
    redirects,
    set_redirects,
)
from mimapp.sandbox import scenarios
from mimapp.sandbox.weather import Weather
from mimapp.spec import ConsentBy, Only
from support.tenants import MAILBOX, Place

if TYPE_CHECKING:
    from pathlib import Path

STEPS = ["consent.redirect", "consent.browser", "consent.redirect-remove"]


def records(place: Place) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (place.home / "journal" / "record.jsonl").read_text().splitlines()]


def test_out_to_the_page_and_back(ready: Place) -> None:
    person = Person(ready)

    done = consent(ready, "--browser", browser=person)

    assert done.code == 0, done.err
    assert done.document["consent"] == "granted"
    assert [change["step"] for change in done.document["changes"]] == STEPS
    assert len(grants(ready)) == 1
    assert redirects(ready) == ()
    app = application(ready)
    assert person.statuses == [200]
    assert person.opened[0].startswith(f"{ready.sandbox.origin}/{ready.info.tenant_id}/adminconsent?")
    assert person.query["client_id"] == app.app_id
    assert person.query["redirect_uri"] == done.document["changes"][0]["detail"]
    assert person.opened[0] in done.err
    assert person.query["state"] not in json.dumps(records(ready))


def test_the_state_is_new_and_long_each_time(ready: Place) -> None:
    scenarios.decline_consent(ready.sandbox)
    person = Person(ready)
    states = set()
    for _ in range(2):
        consent(ready, "--browser", browser=person)
        states.add(person.query["state"])

    assert len(states) == 2
    assert all(len(state) >= 32 for state in states)


def test_it_asks_once_and_names_three_changes(ready: Place) -> None:
    person = Person(ready)

    no = ready.remote(*CONSENT[:3], "--browser", environ=DESKTOP, open_browser=person, stdin="n\n")
    yes = ready.remote(*CONSENT[:3], "--browser", environ=DESKTOP, open_browser=person, stdin="y\n")

    assert no.code == 2
    assert "Make these 3 changes in contoso.onmicrosoft.com" in no.err
    assert yes.code == 0, yes.err
    assert len(person.opened) == 1


def test_who_declines_is_told_why_and_the_application_is_as_before(ready: Place) -> None:
    scenarios.decline_consent(ready.sandbox)

    done = consent(ready, "--browser", browser=Person(ready))

    assert done.code == 3
    assert done.document["consent"] == "missing"
    assert any("AADSTS65004" in matter for matter in done.document["attention"])
    assert [change["step"] for change in done.document["changes"]] == [STEPS[0], STEPS[2]]
    assert redirects(ready) == ()
    assert grants(ready) == ()


def test_nobody_at_the_page_ends_in_time_and_leaves_nothing(ready: Place) -> None:
    begun = ready.clock.monotonic()

    done = consent(ready, "--browser", browser=Liar(ready))

    assert done.code == 75
    assert "nobody answered the consent page in 5 min" in done.document["message"]
    assert 300 <= ready.clock.monotonic() - begun < 330
    assert redirects(ready) == ()


def test_wait_gives_the_person_another_time(ready: Place) -> None:
    begun = ready.clock.monotonic()

    done = consent(ready, "--browser", "--wait", "1h", browser=Liar(ready))

    assert done.code == 75
    assert ready.clock.monotonic() - begun >= 3600
    assert redirects(ready) == ()


def test_what_knocks_with_another_state_or_at_another_path_is_sent_away(ready: Place) -> None:
    liar = Liar(
        ready,
        answers=(
            {"state": "guessed", "error": "access_denied"},
            {"state": "guessed", "admin_consent": "True"},
            {"path": "/elsewhere", "error": "access_denied"},
            {"neither": "word"},
        ),
    )
    person = Person(ready)

    def browser(url: str) -> bool:
        return liar(url) and person(url)

    done = consent(ready, "--browser", browser=browser)

    assert done.code == 0, done.err
    assert liar.statuses == [400, 400, 400, 400]
    assert person.statuses == [200]


def test_a_page_that_says_yes_is_not_believed(ready: Place) -> None:
    done = consent(ready, "--browser", browser=Liar(ready, answers=({"admin_consent": "True"},)))

    assert done.code == 75
    assert "the grant cannot be seen yet" in done.document["message"]
    assert redirects(ready) == ()


def test_error_is_read_before_admin_consent(ready: Place) -> None:
    said = {
        "admin_consent": "True",
        "error": "consent_required",
        "error_description": "AADSTS65004: declined.\r\nTrace",
    }

    done = consent(ready, "--browser", browser=Liar(ready, answers=(said,)))

    assert done.code == 3
    assert any("AADSTS65004: declined." in matter for matter in done.document["attention"])
    assert grants(ready) == ()


def test_a_page_that_says_no_is_not_believed_either(ready: Place) -> None:
    liar = Liar(ready, answers=({"error": "access_denied"},))

    def browser(url: str) -> bool:
        grant(ready)
        return liar(url)

    done = consent(ready, "--browser", browser=browser)

    assert done.code == 0, done.err
    assert done.document["consent"] == "granted"


def test_a_browser_that_never_comes_back_is_no_harm_where_the_grant_is_there(ready: Place) -> None:
    def browser(_: str) -> bool:
        grant(ready)
        return True

    begun = ready.clock.monotonic()
    done = consent(ready, "--browser", browser=browser)

    assert done.code == 0, done.err
    assert ready.clock.monotonic() - begun < 10
    assert redirects(ready) == ()


def test_a_machine_without_a_browser_gives_the_link(ready: Place) -> None:
    done = consent(ready, "--browser", browser=lambda _: False)

    assert done.code == 3
    assert "no browser could be opened" in done.document["attention"][0]
    assert redirects(ready) == ()


def test_without_a_desktop_it_says_so_before_anything_is_asked(ready: Place) -> None:
    done = ready.remote(*CONSENT, "--browser")

    assert done.code == 2
    assert "--no-browser" in done.document["hint"]
    assert ready.wire.requests == []


def test_interrupted_at_the_page_it_takes_its_redirect_uri_away(ready: Place) -> None:
    def browser(_: str) -> bool:
        raise KeyboardInterrupt

    done = consent(ready, "--browser", browser=browser)

    assert done.code == 130
    assert redirects(ready) == ()


def test_asked_to_stop_it_takes_its_redirect_uri_away_too(ready: Place) -> None:
    """`Tenant.cancel`, as a program that uses the library stops a run."""
    with ready.connect() as tenant:

        def browser(_: str) -> bool:
            tenant.cancel()
            return True

        tenant._open_browser = browser
        wanted = ready.registration(only=Only.CONSENT, consent_by=ConsentBy.BROWSER)
        outcome = tenant.apply(tenant.plan(wanted), observe_again=False)

    assert outcome.failed is not None
    assert [change.step for change in outcome.changes] == [STEPS[0], STEPS[2]]
    assert outcome.not_tried == ()
    assert redirects(ready) == ()


def test_a_redirect_uri_that_cannot_be_removed_is_told_and_goes_with_the_next_run(ready: Place) -> None:
    seen = 0

    def cut_off(request: httpx.Request) -> None:
        nonlocal seen
        seen += request.method == "PATCH"
        if seen >= 2:
            raise httpx.ReadError("cut off")

    ready.wire.before = cut_off
    done = consent(ready, "--browser", browser=Person(ready))
    ready.wire.before = lambda _: None

    assert done.code == 75
    assert any(line.startswith("failed: Remove that redirect URI") for line in done.document["details"])
    assert len(redirects(ready)) == 1

    again = consent(ready)
    assert [change["step"] for change in again.document["changes"]] == ["consent.redirect-remove"]
    assert redirects(ready) == ()


def test_where_the_first_read_fails_nobodys_redirect_uri_is_lost(ready: Place) -> None:
    stranger = "https://intranet.contoso.example/back"
    set_redirects(ready, stranger)
    app = application(ready)
    seen = 0

    def cut_off(request: httpx.Request) -> None:
        nonlocal seen
        if request.method == "GET" and request.url.path.endswith(f"/applications/{app.id}"):
            seen += 1
            if seen == 1:
                raise httpx.ReadError("cut off")

    ready.wire.before = cut_off
    consent(ready, "--browser", "--deadline", "1ms", browser=Person(ready))
    ready.wire.before = lambda _: None

    assert seen > 1
    assert redirects(ready) == (stranger,)


def test_a_forgotten_one_is_replaced_and_a_strangers_stays(ready: Place) -> None:
    stranger = "https://intranet.contoso.example/back"
    set_redirects(ready, stranger, LEFTOVER)
    seen: list[tuple[str, ...]] = []
    person = Person(ready)

    def browser(url: str) -> bool:
        seen.append(redirects(ready))
        return person(url)

    done = consent(ready, "--browser", browser=browser)

    assert done.code == 0, done.err
    assert seen == [(stranger, person.query["redirect_uri"])]
    assert redirects(ready) == (stranger,)


def test_already_granted_there_is_nothing_to_open(ready: Place) -> None:
    consent(ready)
    person = Person(ready)

    done = consent(ready, "--browser", browser=person)

    assert done.code == 0
    assert done.document["changes"] == []
    assert person.opened == []


def test_somebody_elses_application_gets_no_redirect_uri(place: Place) -> None:
    candidate = scenarios.portal_app(place.sandbox)
    place.remote("register", "--mailbox", MAILBOX, "--yes", "--app-id", str(candidate.app_id))
    with place.connect() as tenant:
        graph = tenant._graph
        (held,) = graph.role_grants.held_by(str(candidate.app_id))
        graph.role_grants.revoke(str(held.principal_id), held.id)

    done = consent(place, "--browser", browser=Person(place))

    assert done.code == 6
    assert "--no-browser" in done.document["hint"]
    assert place.wire.writes == []


def test_in_the_embedded_sandbox_the_administrator_answers_by_itself(tmp_path: Path) -> None:
    place = Place(tmp_path)
    for only in ("entra", "exchange"):
        place.cli("register", "--mailbox", MAILBOX, "--sandbox", "--yes", "--only", only)

    done = place.cli("consent", "--mailbox", MAILBOX, "--sandbox", "--yes", "--browser", "--output", "json")
    place.close()

    assert done.code == 0, done.err
    assert done.document["sandbox"] is True
    assert [change["step"] for change in done.document["changes"]] == STEPS


def test_in_bad_weather_it_comes_through(tmp_path: Path) -> None:
    weather = Weather(lag=timedelta(seconds=3), throttle=0.05, lose_replies=0.02, seed=11)
    place = Place(tmp_path, weather=weather)
    for only in ("entra", "exchange"):
        place.remote("register", "--mailbox", MAILBOX, "--yes", "--only", only)
    place.clock.sleep(60)
    done = consent(place, "--browser", browser=Person(place))
    place.clock.sleep(60)

    assert done.code == 0, done.err
    assert redirects(place) == ()
    place.close()
