"""Notes, service management reference, tags and change reference: written where they belong, corrected, refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from plan_world import records, register

from mimapp.errors import UsageError
from mimapp.graph import ApplicationPatch
from mimapp.sandbox import scenarios
from mimapp.spec import Registration
from support.tenants import MAILBOX

if TYPE_CHECKING:
    from mimapp.graph import Application, ServicePrincipal
    from support.tenants import Place

BESIDE = (
    "--notes", "Asked for by finance.\nAsk Ada.", "--service-management-reference", "CMDB-7",
    "--tag", "tier-0", "--tag", "cost centre 12",
)  # fmt: skip
MARKS = {"mimapp:mimservice", f"mimapp-mailbox:{MAILBOX.lower()}"}


def seen(place: Place) -> tuple[Application, ServicePrincipal]:
    with place.connect() as tenant:
        application = tenant._graph.applications.by_unique_name("mimapp-mimservice")
        assert application is not None
        principal = tenant._graph.service_principals.by_app_id(application.app_id)
    assert principal is not None
    return application, principal


def test_they_are_there_from_the_first_write_on(place: Place) -> None:
    document = register(place, *BESIDE)

    application, principal = seen(place)
    assert application.notes == "Asked for by finance.\nAsk Ada."
    assert application.service_management_reference == "CMDB-7"
    assert set(application.tags or ()) == MARKS | {"tier-0", "cost centre 12"}
    assert set(principal.tags or ()) == MARKS | {"tier-0", "cost centre 12"}
    assert "application.correct" not in {change["step"] for change in document["changes"]}
    assert register(place, *BESIDE)["changes"] == []


def test_left_away_they_are_left_alone(place: Place) -> None:
    register(place, *BESIDE)
    before = seen(place)

    assert register(place)["changes"] == []
    assert seen(place) == before


def test_what_differs_is_corrected_and_what_was_there_is_on_record(place: Place) -> None:
    register(place, *BESIDE)

    document = register(
        place, "--notes", "New.", "--service-management-reference", "CMDB-8", "--tag", "tier-1", "--change-ref", "CHG7"
    )

    assert [change["step"] for change in document["changes"]] == ["application.correct", "principal.tag"]
    application, principal = seen(place)
    assert application.notes == "New."
    assert application.service_management_reference == "CMDB-8"
    assert set(application.tags or ()) == MARKS | {"tier-0", "cost centre 12", "tier-1"}
    assert set(principal.tags or ()) == set(application.tags or ())
    corrected = next(
        one for one in records(place) if one["action"] == "application.correct" and one["outcome"] == "done"
    )
    assert "notes 'Asked for by finance.\\nAsk Ada.'" in corrected["before"]
    assert "service management reference 'CMDB-7'" in corrected["before"]
    assert corrected["changeRef"] == "CHG7"
    assert corrected["after"] == "its tags, its notes, its service management reference"


def test_somebody_elses_tags_stay(place: Place) -> None:
    register(place)
    application, _ = seen(place)
    with place.connect() as tenant:
        patch = ApplicationPatch(tags=(*(application.tags or ()), "somebody-elses"))
        tenant._graph.applications.change(application.id, patch)

    register(place, "--tag", "tier-0")

    application, _ = seen(place)
    assert set(application.tags or ()) == MARKS | {"tier-0", "somebody-elses"}


def test_on_an_adopted_application_they_are_written_too(place: Place) -> None:
    candidate = scenarios.portal_app(place.sandbox)

    register(place, "--app-id", str(candidate.app_id), *BESIDE)

    with place.connect() as tenant:
        application = tenant._graph.applications.by_app_id(str(candidate.app_id))
    assert application is not None
    assert application.notes == "Asked for by finance.\nAsk Ada."
    assert {"tier-0", "mimapp-adopted"} <= set(application.tags or ())


def test_another_value_makes_another_plan(place: Place) -> None:
    plans = [
        place.remote("register", "--mailbox", MAILBOX, "--dry-run", "--output", "json", *more).document["fingerprint"]
        for more in ((), ("--notes", "a"), ("--notes", "b"), ("--tag", "a b"), ("--tag", "a", "--tag", "b"))
    ]

    assert len(set(plans)) == len(plans)


def test_a_change_reference_makes_no_other_plan_and_no_other_step(place: Place) -> None:
    plans = [
        place.remote("register", "--mailbox", MAILBOX, "--dry-run", "--output", "json", *more).document["fingerprint"]
        for more in ((), ("--change-ref", "CHG7"))
    ]

    assert len(set(plans)) == 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"further_tags": ("mimapp:other",)}, "tag: 'mimapp:other' looks like one of the marks"),
        ({"further_tags": ("ok", "MIMAPP-adopted")}, "tag: 'MIMAPP-adopted' looks like one of the marks"),
        ({"further_tags": (" ",)}, "tag: "),
        ({"further_tags": ("a\nb",)}, "tag: "),
        ({"further_tags": ("t" * 257,)}, "tag: 257 characters"),
        ({"notes": ""}, "notes: "),
        ({"notes": "n" * 1025}, "notes: 1025 characters"),
        ({"notes": "bell\a"}, "notes: "),
        ({"service_management_reference": "a\tb"}, "service management reference: "),
        ({"change_ref": "c" * 257}, "change ref: 257 characters"),
        ({"change_ref": "CHG\n7"}, "change ref: "),
    ],
)
def test_what_cannot_be_written_is_refused_by_name(given: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        Registration(mailbox=MAILBOX, **given)

    assert str(caught.value).startswith(words)
    assert caught.value.hint


def test_blanks_around_them_and_tags_given_twice_are_dropped() -> None:
    wanted = Registration(mailbox=MAILBOX, notes=" a\nb ", change_ref=" CHG7 ", further_tags=(" x ", "x", "y"))

    assert wanted.notes == "a\nb"
    assert wanted.change_ref == "CHG7"
    assert wanted.further_tags == ("x", "y")
    assert wanted.tags[-2:] == ("x", "y")
