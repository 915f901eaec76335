"""``explain --live``: which looks are taken, in which order, and what each finds; nothing is written."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from mimapp.checks.explain_live import Live, Look, Standing
from mimapp.checks.explain_look import Seen
from mimapp.host.explain import TABLE, explain
from mimapp.host.explanation import Cause, LiveCheck, Sign
from mimapp.sandbox.scenarios import EwsState, set_ews_state
from support.tenants import MAILBOX, Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.tenants import Finished

OTHER = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path / "home")
    yield made
    made.close()


@pytest.fixture
def settled(place: Place) -> Place:
    """Registered yesterday, with nothing under way."""
    done = place.remote("register", "--mailbox", MAILBOX, "--yes")
    assert done.code == 0, done.err
    place.clock.advance(timedelta(hours=25))
    place.wire.requests.clear()
    return place


def ask(place: Place, *text: str) -> Finished:
    return place.remote("explain", *text, "--live", "--mailbox", MAILBOX, "--output", "json")


def standings(done: Finished) -> list[tuple[str, str]]:
    return [(cause["standing"], cause["seen"]) for cause in done.document["live"]["causes"]]


def looks(done: Finished) -> list[str]:
    return [look["check"] for look in done.document["live"]["looks"]]


def test_a_right_tenant_leaves_the_server(settled: Place) -> None:
    done = ask(settled, "event 12")

    assert done.code == 0, done.err
    assert looks(done) == ["cloud", "secret", "mailbox", "ews", "scope", "token", "probe"]
    words = [standing for standing, _ in standings(done)]
    assert words == ["likely", "ruled out", "ruled out", "ruled out", "likely", "ruled out"]
    assert settled.wire.writes == []
    text = settled.remote("explain", "event 12", "--live", "--mailbox", MAILBOX).out
    assert "mimapp host collect, then mimapp host check" in text
    assert "     live: ruled out: " in text


def test_a_shown_cause_ends_the_looks(settled: Place) -> None:
    set_ews_state(settled.sandbox, EwsState.TRUE_LIST)
    done = ask(settled, "event 12")

    assert done.code == 3
    assert looks(done) == ["cloud", "secret", "mailbox", "ews"]
    words = standings(done)
    assert words[2] == ("shown", "the switch is True and the application is not on the list")
    assert words[3] == ("not asked", "")
    text = settled.remote("explain", "event 12", "--live", "--mailbox", MAILBOX).out
    assert text.rstrip().splitlines()[-1].endswith("Mend it: mimapp ews allow")


def test_the_looks_are_those_that_the_causes_ask_for(settled: Place) -> None:
    assert looks(ask(settled, "AADSTS90002")) == ["cloud"]
    assert looks(ask(settled, "AADSTS7000222")) == ["secret"]
    assert looks(ask(settled, "AADSTS7000218")) == []
    assert not [one for one in settled.wire.requests if one.url.path.endswith("/InvokeCommand")]


def test_7000215_with_the_right_secret_in_the_store(settled: Place) -> None:
    done = ask(settled, "AADSTS7000215")
    assert [standing for standing, _ in standings(done)] == ["by hand", "likely", "ruled out", "ruled out", "ruled out"]


def test_the_text_names_another_application_and_another_tenant(settled: Place) -> None:
    done = ask(settled, f"AADSTS7000215: ... for a secret added to app '{OTHER}'. Trace ID: {OTHER}")
    standing, seen = standings(done)[2]
    assert (done.code, standing) == (3, "shown")
    assert OTHER in seen

    done = ask(settled, f"AADSTS90002: Tenant '{OTHER}' not found. Trace ID: {OTHER}")
    assert (done.code, standings(done)[0][0]) == (3, "shown")


def test_our_own_ids_in_the_text_are_no_sign(settled: Place) -> None:
    status = settled.remote("status", "--mailbox", MAILBOX, "--output", "json").document
    app, tenant = status["applicationId"], status["tenantId"]
    done = ask(settled, f"AADSTS700016: Application with identifier '{app}' was not found in the directory '{tenant}'.")
    assert [standing for standing, _ in standings(done)] == ["ruled out", "ruled out", "ruled out", "by hand"]


def test_a_secret_that_ended(settled: Place) -> None:
    settled.clock.advance(timedelta(days=200))
    done = ask(settled, "AADSTS7000222")
    assert standings(done)[0][0] == "shown"
    assert "ended on" in standings(done)[0][1]


def test_a_secret_that_somebody_removed(settled: Place) -> None:
    with settled.connect() as tenant:
        graph = tenant._graph
        application = graph.applications.by_tag("mimapp:mimservice")[0]
        for credential in application.password_credentials or ():
            graph.credentials.remove_password(application.id, credential.key_id or "")
    done = ask(settled, "AADSTS7000215")
    assert (done.code, standings(done)[3][0]) == (3, "shown")


def test_a_new_secret_and_an_older_one(settled: Place) -> None:
    rotated = settled.remote("rotate", "--mailbox", MAILBOX, "--yes")
    assert rotated.code in {0, 3}, rotated.err
    assert standings(ask(settled, "AADSTS7000222"))[1][0] == "likely"
    assert standings(ask(settled, "AADSTS7000215"))[4][0] == "likely"


def test_a_locked_application(settled: Place) -> None:
    assert settled.remote("lockdown", "--mailbox", MAILBOX, "--yes").code in {0, 3}
    done = ask(settled, "AADSTS7000112")
    assert standings(done)[0][0] == "shown"
    assert "is disabled" in standings(done)[0][1]
    token = ask(settled, "HTTP 401 Unauthorized")
    assert standings(token)[0][0] == "shown"


def test_nothing_is_registered(place: Place) -> None:
    done = ask(place, "AADSTS700016")
    assert done.code == 3
    assert standings(done)[2] == ("shown", "there is none of registration mimservice; nor in the recycle bin")

    unknown = ask(place, "AADSTS7000222")
    assert unknown.code == 0
    assert standings(unknown)[0] == ("not known", "there is no application of registration mimservice")
    text = place.remote("explain", "event 12", "--live", "--mailbox", MAILBOX).out
    assert "Could not be looked at: secret, ews: there is no application of registration mimservice\n" in text
    assert "What is left is on the MIM server" not in text


def test_no_consent(place: Place) -> None:
    done = place.remote("register", "--mailbox", MAILBOX, "--yes", "--only", "entra")
    assert done.code in {0, 3}, done.err
    found = ask(place, "AADSTS65001")
    assert standings(found)[0][0] == "shown"


@pytest.mark.parametrize(
    ("state", "row", "place_in_row"),
    [
        (EwsState.FALSE_LIST, "ews-disabled", 0),
        (EwsState.MAILBOX_OFF, "ews-disabled", 1),
        (EwsState.TRUE_EMPTY, "ews-blocked-by-policy", 0),
    ],
    ids=str,
)
def test_each_ews_state_shows_its_own_cause(settled: Place, state: EwsState, row: str, place_in_row: int) -> None:
    set_ews_state(settled.sandbox, state)
    done = ask(settled, row)
    assert done.code == 3
    assert [number for number, (word, _) in enumerate(standings(done)) if word == "shown"] == [place_in_row]


def test_the_end_of_ews(settled: Place) -> None:
    settled.clock.advance(timedelta(days=140))
    done = ask(settled, "ews-ended")
    assert standings(done)[0] == ("shown", "it ended in this cloud on 2027-04-01")


def test_a_mailbox_that_is_not_there(settled: Place) -> None:
    done = settled.remote(
        "explain", "ErrorNonExistentMailbox", "--live", "--mailbox", "ghost@contoso.onmicrosoft.com", "--output", "json"
    )
    assert standings(done)[1][0] == "shown"


def test_what_is_not_known_asks_nobody(settled: Place) -> None:
    done = ask(settled, "the printer is on fire")
    assert (done.code, done.document["live"]) == (3, None)
    assert settled.wire.requests == []


def test_a_sign_in_that_fails_takes_no_explanation_away(settled: Place) -> None:
    argv = ("explain", "AADSTS7000222", "--live", "--mailbox", MAILBOX)
    wrong = {"AZURE_CLIENT_SECRET": "replaced-secret"}
    done = settled.remote(*argv, environ=wrong)
    assert done.code == 4
    assert "  1. nobody replaced it in time" in done.out
    assert "     live: not known: " in done.out
    assert "The tenant could not be looked at: " in done.out
    document = settled.remote(*argv, "--output", "json", environ=wrong).document
    assert document["live"]["looks"] == []
    assert document["live"]["error"]


def test_in_the_library(settled: Place) -> None:
    with settled.connect() as tenant:
        live = tenant.explain(settled.registration(), explain("AADSTS7000112"), "AADSTS7000112")
    assert [look.check for look in live.looks] == [LiveCheck.APPLICATION]


def test_every_sign_has_its_look_and_speaks_for_a_cause() -> None:
    used = {sign for row in TABLE for cause in row.causes for sign in cause.signs}
    assert {sign.check for sign in Sign} == set(LiveCheck)
    assert set(Sign) == used


def test_a_cause_is_judged_by_its_strongest_sign() -> None:
    cause = Cause(what="x", tell="x", fix="x", signs=(Sign.NEW, Sign.GONE, Sign.NO_CONSENT))
    both = Seen(found="there", signs={Sign.NEW: "new", Sign.GONE: "gone"})
    assert cause.live is LiveCheck.SECRET
    live = Live(looks=(Look(check=LiveCheck.SECRET, seen=both),))
    assert live.judge(cause).standing is Standing.SHOWN
    failed = (
        Look(check=LiveCheck.SECRET, seen=Seen(found="there", signs={})),
        Look(check=LiveCheck.CONSENT, seen=None, problem="refused"),
    )
    judged = Live(looks=failed).judge(cause)
    assert (judged.standing, judged.told) == (Standing.UNKNOWN, "refused")
