"""``mimapp apply``: what was shown and nothing else, whoever moved the tenant or the file meanwhile."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from plan_world import apply, change, records, register, write_plan

from mimapp.cli.plan_files import read_plan
from mimapp.graph import ApplicationPatch, ServicePrincipalPatch
from mimapp.sandbox import scenarios
from mimapp.sandbox.seed import seed_tenant
from support.endings import check_one_of_each
from support.tenants import CONTOSO, MAILBOX, Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from mimapp.graph import Application


def application(place: Place) -> Application:
    with place.connect() as tenant:
        found = tenant._graph.applications.by_unique_name("mimapp-mimservice")
    assert found is not None
    return found


def fingerprinted(place: Place, path: Any) -> None:
    """The fingerprint that the file's steps have now, put in by somebody who knows how."""
    document = json.loads(path.read_text())
    try:
        read_plan(path, sandbox=False)
    except Exception as error:  # noqa: BLE001 - the message has it
        document["fingerprint"] = str(error).partition("have the fingerprint ")[2].partition(",")[0]
    path.write_text(json.dumps(document))
    assert read_plan(path, sandbox=False).shown.fingerprint == document["fingerprint"]
    place.wire.requests.clear()


def test_what_was_shown_is_carried_out_and_recorded_under_its_change(place: Place) -> None:
    path = write_plan(place, "--change-ref", "CHG0042")

    done = apply(place, path)

    assert done.code == 0, done.err
    assert done.document["schema"] == "mimapp.register/1"
    check_one_of_each(place, done.document)
    assert {record["changeRef"] for record in records(place)} == {"CHG0042"}
    assert {record["operator"] for record in records(place)} == {f"application {place.info.operator_client_id}"}


def test_again_there_is_nothing_to_do(place: Place) -> None:
    path = write_plan(place)
    first = apply(place, path).document

    again = apply(place, path)

    assert again.code == 0
    assert again.document["changes"] == []
    assert again.document["secret"]["keyId"] == first["secret"]["keyId"]
    assert place.wire.writes == []


def test_it_asks_and_shows_the_plan_first(place: Place) -> None:
    path = write_plan(place)

    unattended = place.remote("apply", str(path))
    no = place.remote("apply", str(path), stdin="n\n")

    assert unattended.code == 2
    assert "--yes" in unattended.err
    assert no.code == 2
    assert "Make these 8 changes in contoso.onmicrosoft.com" in no.err
    assert "Register the application" in no.err
    assert place.wire.writes == []
    assert place.remote("apply", str(path), stdin="y\n").code == 0


def test_it_works_without_any_other_option(place: Place) -> None:
    path = write_plan(place, "--group-owner", place.info.administrator)

    done = apply(place, path, environ={"MIMAPP_TENANT": "", "MIMAPP_GROUP_OWNER": ""})

    assert done.code == 0, done.err


def test_a_dry_run_shows_both_beside_each_other(place: Place) -> None:
    path = write_plan(place)
    register(place, "--only", "entra")

    done = apply(place, path, "--dry-run")
    shown = place.remote("apply", str(path), "--dry-run")

    assert done.code == 0, done.err
    assert place.wire.writes == []
    states = {step["step"]: step["state"] for step in done.document["steps"]}
    assert done.document["schema"] == "mimapp.apply/1"
    assert done.document["stale"] is False
    assert states["application.create"] == "no longer needed"
    assert states["group.create"] == "due"
    assert done.document["fingerprintShown"] != done.document["fingerprintNow"]
    assert "no longer needed  Register the application" in shown.out
    assert shown.out.splitlines()[-1] == "Nothing was changed."


def _entra_done(place: Place) -> None:
    register(place, "--only", "entra")


def _group_made(place: Place) -> None:
    register(place, "--only", "exchange")


def _others_on_the_list(place: Place) -> None:
    with place.connect() as tenant:
        organization = tenant._exchange.organization
        listed = organization.read().allowed_app_ids
        assert isinstance(listed, tuple)
        organization.write_allowed((*listed, "77777777-7777-8888-9999-000000000000"))


def _all_done(place: Place) -> None:
    register(place)


@pytest.mark.parametrize("move", [_entra_done, _group_made, _others_on_the_list, _all_done])
def test_fewer_steps_and_other_peoples_changes_are_fine(place: Place, move: Callable[[Place], None]) -> None:
    path = write_plan(place)
    move(place)

    done = apply(place, path)

    assert done.code == 0, done.err
    assert done.document["consent"] == "granted"
    assert done.document["secret"]["proven"] is True


def _consent_gone(place: Place) -> str:
    with place.connect() as tenant:
        graph = tenant._graph
        (held,) = graph.role_grants.held_by(application(place).app_id)
        graph.role_grants.revoke(str(held.principal_id), held.id)
    return "new: Grant admin consent for full_access_as_app"


def _policy_gone(place: Place) -> str:
    with place.connect() as tenant:
        (policy,) = tenant._exchange.access_policies.for_app(application(place).app_id)
        tenant._exchange.access_policies.remove(policy.identity)
    place.clock.sleep(2 * 86_400)  # past the time in which a policy may stay unlisted
    return "new: Restrict the application to the members of"


def _tags_gone(place: Place) -> str:
    with place.connect() as tenant:
        (principal,) = tenant._graph.service_principals.by_tag("mimapp:mimservice")
        tenant._graph.service_principals.change(principal.id, ServicePrincipalPatch(tags=()))
    return "new: Mark its service principal as this registration's"


def _secret_gone(place: Place) -> str:
    app = application(place)
    with place.connect() as tenant:
        for credential in app.password_credentials or ():
            tenant._graph.credentials.remove_password(app.id, str(credential.key_id))
    place.clock.sleep(600)  # past the time in which a new secret may be unseen
    return "new: Issue a client secret for 180 days"


def _entry_gone(place: Place) -> str:
    app_id = application(place).app_id
    with place.connect() as tenant:
        organization = tenant._exchange.organization
        listed = organization.read().allowed_app_ids
        assert isinstance(listed, tuple)
        organization.write_allowed(tuple(one for one in listed if one != app_id))
    return "new: Append the application to the tenant's EWS allow list"


@pytest.mark.parametrize("move", [_consent_gone, _policy_gone, _tags_gone, _secret_gone, _entry_gone])
def test_a_step_that_nobody_was_shown_is_refused_and_named(place: Place, move: Callable[[Place], str]) -> None:
    register(place)
    path = write_plan(place, "--notes", "for the change board")
    moved = move(place)

    beside = apply(place, path, "--dry-run")
    done = apply(place, path)

    assert done.code == 6
    assert done.document["error"] == "StalePlanError"
    assert any(line.startswith(moved) for line in done.document["details"]), done.document["details"]
    assert place.wire.writes == []
    assert beside.code == 6
    assert beside.document["stale"] is True
    assert "not shown" in {step["state"] for step in beside.document["steps"]}


def test_the_application_in_the_recycle_bin_is_a_persons_decision(place: Place) -> None:
    register(place)
    path = write_plan(place, "--notes", "for the change board")
    with place.connect() as tenant:
        tenant._graph.applications.delete(application(place).id)

    done = apply(place, path)

    assert done.code == 6
    assert done.document["error"] == "UnsafePlanError"
    assert "recycle bin" in done.document["message"]


def test_an_application_that_may_be_meant_and_came_meanwhile_stops_it(place: Place) -> None:
    path = write_plan(place)
    scenarios.portal_app(place.sandbox)

    done = apply(place, path)

    assert done.code == 6
    assert place.wire.writes == []


def test_a_value_that_moved_is_shown_beside_the_one_that_was_approved(place: Place) -> None:
    register(place)
    path = write_plan(place, "--notes", "approved")
    change(path, lambda document: document["wanted"].update(notes="not approved"))

    done = apply(place, path)

    assert done.code == 6
    assert done.document["details"] == [
        "changed: Put right on the application: its notes (shown: Put right on the application: its notes)"
    ]
    assert place.wire.writes == []


@pytest.mark.parametrize(
    ("alter", "moved"),
    [
        (lambda wanted: wanted.update(displayName="Another name"), "changed: Register the application “Another name”"),
        (lambda wanted: wanted.update(stores=["file:/somewhere/else.json"]), "changed: Issue a client secret"),
        (lambda wanted: wanted.update(secretLifetime="730d"), "changed: Issue a client secret for 730 days"),
        (lambda wanted: wanted.update(groupOwner="other@contoso.onmicrosoft.com"), "changed: Create the security"),
        (lambda wanted: wanted.update(owner="other@contoso.onmicrosoft.com"), "new: Make other@contoso"),
        (lambda wanted: wanted.update(tags=["tier-0"]), "changed: Register the application"),
    ],
    ids=["name", "store", "lifetime", "group owner", "owner", "tags"],
)  # fmt: skip
def test_what_somebody_changed_in_the_file_is_not_what_was_shown(
    place: Place, alter: Callable[[dict[str, Any]], None], moved: str
) -> None:
    path = write_plan(place)
    change(path, lambda document: alter(document["wanted"]))

    done = apply(place, path)

    assert done.code == 6
    assert any(line.startswith(moved) for line in done.document["details"]), done.document["details"]
    assert place.wire.writes == []


def test_a_file_with_a_step_less_takes_no_step_more(place: Place) -> None:
    """Whoever takes the policy out of the file, and mends its fingerprint, does not get an unfenced application."""
    path = write_plan(place)
    change(path, lambda document: document["steps"].pop(4))
    fingerprinted(place, path)

    done = apply(place, path)

    assert done.code == 6
    assert any("Restrict the application" in line for line in done.document["details"])
    assert place.wire.writes == []


def test_a_file_of_another_tenant_is_refused(place: Place) -> None:
    with place.sandbox.state.transaction() as tx:
        other = seed_tenant(tx, "fabrikam.onmicrosoft.com", name="Fabrikam")
    path = write_plan(place)

    done = apply(place, path, "--tenant", "fabrikam.onmicrosoft.com")

    assert done.code == 6
    assert CONTOSO in done.document["message"]
    assert other in done.document["message"]
    assert not any("/v1.0/" in request.url.path for request in place.wire.requests)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--mailbox", "other@contoso.onmicrosoft.com"), "--mailbox other@contoso.onmicrosoft.com: the plan in"),
        (("--registration", "mim-test"), "--registration mim-test: the plan in"),
        (("--change-ref", "CHG7"), "--change-ref CHG7: the plan in"),
        (("--sandbox",), "is the plan of a real tenant"),
    ],
)
def test_options_that_contradict_the_plan_are_refused_before_anything_is_asked(
    place: Place, given: tuple[str, ...], words: str
) -> None:
    path = write_plan(place, "--change-ref", "CHG0042")

    done = apply(place, path, *given)

    assert done.code == 2
    assert words in done.document["message"]
    assert place.wire.requests == []


def test_options_that_agree_and_a_later_change_reference_are_taken(place: Place) -> None:
    path = write_plan(place)

    done = apply(place, path, "--mailbox", MAILBOX.upper(), "--registration", "mimservice", "--change-ref", "CHG7")

    assert done.code == 0, done.err
    assert {record["changeRef"] for record in records(place)} == {"CHG7"}


def test_a_store_that_is_not_known_is_said_with_the_file(place: Place) -> None:
    path = write_plan(place)
    change(path, lambda document: document["wanted"].update(stores=["carrier-pigeon:roof"]))

    done = apply(place, path)

    assert done.code == 2
    assert f"{path}: wanted.stores: " in done.document["message"]
    assert place.wire.requests == []


def test_apply_can_write_the_plan_anew(place: Place) -> None:
    register(place)
    path = write_plan(place, "--notes", "for the change board")
    _consent_gone(place)
    fresh = path.with_name("fresh.json")

    written = place.remote("apply", str(path), "--plan-out", str(fresh))

    assert written.code == 0, written.err
    assert apply(place, path).code == 6
    assert apply(place, fresh).code == 0
    assert application(place).notes == "for the change board"


def test_a_plan_of_unregister_takes_away_what_it_shows(place: Place) -> None:
    register(place)
    path = write_plan(place, "--purge", command="unregister")
    assert json.loads(path.read_text())["wanted"]["choices"] == ["purge"]

    done = apply(place, path)

    assert done.code == 0, done.err
    assert done.document["schema"] == "mimapp.unregister/1"
    assert "application.purge" in {change["step"] for change in done.document["changes"]}
    with place.connect() as tenant:
        assert tenant._graph.deleted.applications() == ()


def test_a_plan_of_unregister_is_stale_when_there_is_more_to_take(place: Place) -> None:
    register(place, "--only", "entra")
    path = write_plan(place, command="unregister")
    register(place)

    done = apply(place, path)

    assert done.code == 6
    assert any(line.startswith("new: ") for line in done.document["details"]), done.document
    assert place.wire.writes == []


def test_a_plan_of_consent_ends_as_consent(place: Place) -> None:
    for only in ("entra", "exchange"):
        register(place, "--only", only)
    path = write_plan(place, "--change-ref", "CHG0042", command="consent")

    done = apply(place, path)

    assert done.code == 0, done.err
    assert done.document["schema"] == "mimapp.consent/1"
    assert done.document["consent"] == "granted"
    assert records(place)[-1]["changeRef"] == "CHG0042"


def test_a_plan_of_consent_in_a_browser_opens_it(place: Place) -> None:
    for only in ("entra", "exchange"):
        register(place, "--only", only)
    path = place.home.parent / "plan.json"
    desktop = {"DISPLAY": ":0"}
    place.remote("consent", "--mailbox", MAILBOX, "--browser", "--plan-out", str(path), environ=desktop)
    opened: list[str] = []

    def cannot(url: str) -> bool:
        opened.append(url)
        return False

    nowhere = apply(place, path)
    done = apply(place, path, environ=desktop, open_browser=cannot)

    assert nowhere.code == 2
    assert "--browser" in nowhere.document["message"]
    assert done.code == 3
    assert "no browser could be opened" in done.document["attention"][0]
    assert len(opened) == 1


def test_a_plan_of_lockdown_and_one_of_its_release(place: Place) -> None:
    register(place)
    locked = apply(place, write_plan(place, command="lockdown"))
    release = write_plan(place, "--release", command="lockdown")
    assert json.loads(release.read_text())["wanted"]["choices"] == ["release"]

    released = apply(place, release)

    assert locked.code == released.code == 0
    assert locked.document["schema"] == "mimapp.lockdown/1"
    assert locked.document["signIn"] == "blocked"
    assert released.document["signIn"] == "allowed"
    assert not any("/adminapi/" in request.url.path for request in place.wire.requests)


def test_a_plan_of_ews_allow_with_what_it_takes_from_others(place: Place) -> None:
    register(place)
    scenarios.set_ews_state(place.sandbox, scenarios.EwsState.FALSE)
    path = place.home.parent / "plan.json"
    made = place.remote(
        "ews", "allow", "--mailbox", MAILBOX, "--first-entry", "--enable", "--plan-out", str(path), environ={}
    )
    assert made.code == 0, made.err
    assert json.loads(path.read_text())["wanted"]["choices"] == ["enable", "first-entry"]

    done = apply(place, path)

    assert done.code == 0, done.err
    assert done.document["schema"] == "mimapp.ews-allow/1"
    with place.connect() as tenant:
        settings = tenant._exchange.organization.read()
    assert settings.ews_enabled is True
    assert settings.lists(application(place).app_id) is True


@pytest.mark.parametrize("command", ["rotate", "", "rm -rf"])
def test_a_plan_of_nothing_that_apply_knows(place: Place, command: str) -> None:
    path = write_plan(place)
    change(path, lambda document: document.update(command=command))

    done = apply(place, path)

    assert done.code == 2
    assert f"{path}: command: " in done.document["message"]
    assert place.wire.requests == []


def test_half_of_it_done_by_somebody_else_under_another_name_is_seen(place: Place) -> None:
    """The mark decides whose an application is, and a plan to make one never touches one that is marked for others."""
    path = write_plan(place)
    scenarios.portal_app(place.sandbox)
    with place.connect() as tenant:
        (made,) = tenant._graph.applications.by_display_name("MIM Service mailbox client access")
        tenant._graph.applications.change(made.id, ApplicationPatch(tags=("mimapp:somebody-else",)))

    done = apply(place, path)

    assert done.code == 0, done.err
    assert done.document["applicationId"] != made.app_id
