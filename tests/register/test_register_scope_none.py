"""``register --scope none``: said loudly, kept only on purpose; and which scope a later run takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mimapp.graph import ApplicationPatch
from support.tenants import MAILBOX

if TYPE_CHECKING:
    from support.tenants import Finished, Place

REGISTER = ("register", "--mailbox", MAILBOX)


def run(place: Place, *more: str, code: int = 0) -> Finished:
    place.wire.requests.clear()
    done = place.remote(*REGISTER, "--yes", "--output", "json", *more)
    assert done.code == code, done.err
    return done


def register(place: Place, *more: str) -> dict[str, Any]:
    return run(place, *more).document


def test_it_makes_no_fence_and_says_so_everywhere(calm: Place) -> None:
    done = run(calm, "--scope", "none")

    steps = [change["step"] for change in done.document["changes"]]
    assert steps == ["application.create", "principal.create", "consent.grant", "ews.allow", "secret.issue"]
    assert "EVERY mailbox" in done.err
    assert any("EVERY mailbox" in warning for warning in done.document["warnings"])
    scope = done.document["scope"]
    assert (scope["kind"], scope["group"], scope["stands"], scope["proven"]) == ("none", "", False, False)
    assert done.document["consent"] == "granted"


def test_the_question_says_what_a_yes_opens(calm: Place) -> None:
    done = calm.remote(*REGISTER, "--scope", "none", stdin="n\n", terminal=True)

    assert done.code == 2
    assert "With a yes, this application may read" in done.err
    assert calm.wire.writes == []


def test_a_later_run_without_the_option_adds_no_fence_and_says_so(calm: Place) -> None:
    register(calm, "--scope", "none")

    again = register(calm)
    assert calm.wire.writes == []
    assert again["scope"]["kind"] == "none"
    assert any("stands with scope none: it keeps it" in warning for warning in again["warnings"])
    status = calm.remote("status", "--mailbox", MAILBOX, "--output", "json").document
    assert status["scope"]["kind"] == "none"
    assert status["due"] == []


def test_a_fence_is_added_where_somebody_asks_for_one(calm: Place) -> None:
    register(calm, "--scope", "none")

    fenced = register(calm, "--scope", "policy")
    steps = [change["step"] for change in fenced["changes"]]
    assert steps == ["application.correct", "group.create", "group.hide", "policy.create"]
    assert any("adds a fence" in warning for warning in fenced["warnings"])
    assert register(calm)["scope"]["kind"] == "policy"
    assert calm.wire.writes == []


def test_a_fence_is_never_dropped(calm: Place) -> None:
    register(calm)

    refused = run(calm, "--scope", "none", code=6)
    assert "would drop that fence" in refused.err
    assert "mimapp scope migrate" in refused.err
    assert calm.wire.writes == []


def test_a_role_is_not_put_beside_the_grant(calm: Place) -> None:
    register(calm, "--scope", "none")

    assert "add up" in run(calm, "--scope", "rbac", code=6).err
    assert calm.wire.writes == []


def test_a_tag_alone_leads_to_no_consent_without_a_fence(calm: Place) -> None:
    """Whoever owns the application may write its tags; the consent is an administrator's."""
    first = run(calm, "--only", "entra", code=3).document
    with calm.connect() as tenant:
        applications = tenant._graph.applications
        application = applications.get(first["applicationObjectId"])
        tags = (*(application.tags or ()), "mimapp-scope:none")
        applications.change(application.id, ApplicationPatch(tags=tags))

    refused = run(calm, code=6)
    assert "would open every mailbox" in refused.err
    assert calm.wire.writes == []
    assert calm.remote("consent", "--mailbox", MAILBOX, "--yes").code == 6
    assert register(calm, "--scope", "policy")["scope"]["stands"] is True


def test_a_tag_talks_no_fence_away(calm: Place) -> None:
    document = register(calm)
    with calm.connect() as tenant:
        applications = tenant._graph.applications
        application = applications.get(document["applicationObjectId"])
        tags = (*(application.tags or ()), "mimapp-scope:none")
        applications.change(application.id, ApplicationPatch(tags=tags))

    again = register(calm)
    assert again["scope"]["kind"] == "policy"
    assert [change["step"] for change in again["changes"]] == ["application.correct"]


def test_the_parts_of_the_administrators_say_it_again(calm: Place) -> None:
    first = run(calm, "--only", "entra", "--scope", "none", code=3).document
    assert any("mimapp register --only consent --scope none" in matter for matter in first["attention"])

    assert run(calm, "--only", "exchange", code=6).code == 6
    register(calm, "--only", "exchange", "--scope", "none")
    granted = register(calm, "--only", "consent", "--scope", "none")
    assert granted["consent"] == "granted"
    assert register(calm)["changes"] == []
