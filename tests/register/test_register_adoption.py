"""An application that somebody made before: found, shown, taken over with care, or left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from checks.checking import take_role
from mimapp.graph import ApplicationPatch, RedirectUris, RequiredResourceAccess, ResourceAccess
from mimapp.sandbox import catalog, scenarios
from mimapp.tenant import ADOPTION_PERMISSIONS
from support.tenants import MAILBOX

if TYPE_CHECKING:
    from mimapp.graph import Application
    from support.tenants import Finished, Place


def register(place: Place, *more: str) -> Finished:
    return place.remote("register", "--mailbox", MAILBOX, "--yes", "--output", "json", *more)


def applications(place: Place) -> list[Application]:
    with place.connect() as tenant:
        names = ("MIM Service mailbox client access", "Microsoft Identity Manager Service Mailbox client")
        return [found for name in names for found in tenant._graph.applications.by_display_name(name)]


@pytest.mark.parametrize("made", [scenarios.portal_app, scenarios.script_app])
def test_a_candidate_stops_the_run_before_any_write_and_shows_both_ways(place: Place, made: Any) -> None:
    candidate = made(place.sandbox)

    done = register(place)

    assert done.code == 6
    assert place.wire.writes == []
    assert f"--app-id {candidate.app_id}" in done.document["hint"]
    assert "--new" in done.document["hint"]
    assert candidate.app_id in done.document["details"][0]


def test_new_makes_one_besides(place: Place) -> None:
    candidate = scenarios.portal_app(place.sandbox)

    done = register(place, "--new")

    assert done.code == 0, done.err
    assert done.document["applicationId"] != candidate.app_id
    assert len(applications(place)) == 2
    again = register(place)
    assert again.code == 0
    assert again.document["changes"] == []


def test_taking_over_the_portals_application_changes_what_is_needed_and_no_more(place: Place) -> None:
    candidate = scenarios.portal_app(place.sandbox)
    (before,) = applications(place)

    done = register(place, "--app-id", str(candidate.app_id))

    assert done.code == 0, done.err
    assert done.document["applicationId"] == candidate.app_id
    (after,) = applications(place)
    assert (after.sign_in_audience, after.web, after.spa) == (before.sign_in_audience, before.web, before.spa)
    assert set(after.tags or ()) - set(before.tags or ()) == {
        "mimapp:mimservice",
        "mimapp-adopted",
        f"mimapp-mailbox:{MAILBOX.lower()}",
    }
    assert after.unique_name == "mimapp-mimservice"
    assert "e1fe6dd8-ba31-4d61-89e7-88639da4683d" not in str(after.required_resource_access)
    old = {credential.key_id for credential in before.password_credentials or ()}
    assert old < {credential.key_id for credential in after.password_credentials or ()}
    with place.connect(permissions=ADOPTION_PERMISSIONS) as tenant:
        grants = tenant._graph.delegated_grants.of(done.document["servicePrincipalObjectId"])
    assert not any("User.Read" in grant.scopes for grant in grants)
    again = register(place)
    assert again.code == 0, again.err
    assert again.document["changes"] == []


def test_where_graph_does_not_set_the_key_the_mark_is_enough(place: Place) -> None:
    scenarios.soft_deleted_app(place.sandbox, "mimapp-mimservice")  # it keeps the name
    candidate = scenarios.portal_app(place.sandbox)

    done = register(place, "--app-id", str(candidate.app_id))

    assert done.code == 0, done.err
    taken_over = next(one for one in done.document["changes"] if one["step"] == "application.adopt")
    assert "Graph does not set its uniqueName" in taken_over["detail"]
    (after,) = applications(place)
    assert after.unique_name is None
    assert "mimapp:mimservice" in (after.tags or ())
    again = register(place)
    assert again.document["applicationId"] == candidate.app_id
    assert again.document["changes"] == []


def test_an_application_that_has_a_key_keeps_it(place: Place) -> None:
    candidate = scenarios.portal_app(place.sandbox)
    (before,) = applications(place)
    with place.connect() as tenant:
        tenant._graph.applications.change(before.id, ApplicationPatch(unique_name="contoso-mail-2022"))

    done = register(place, "--app-id", str(candidate.app_id))
    again = register(place)

    assert done.code == 0, done.err
    assert {application.unique_name for application in applications(place)} == {"contoso-mail-2022"}
    assert again.document["changes"] == []


def test_user_read_stays_where_it_is_somebodys_sign_in(calm: Place) -> None:
    candidate = scenarios.portal_app(calm.sandbox)
    (before,) = applications(calm)
    with calm.connect() as tenant:
        patch = ApplicationPatch(web=RedirectUris(redirect_uris=("https://portal.contoso.com/signin",)))
        tenant._graph.applications.change(before.id, patch)

    kept = register(calm, "--app-id", str(candidate.app_id))
    taken = register(calm, "--app-id", str(candidate.app_id), "--remove-user-read")

    assert any("User.Read stays" in warning for warning in kept.document["warnings"])
    assert [change["step"] for change in taken.document["changes"]] == ["application.correct", "user-read.trim"]
    (after,) = applications(calm)
    assert after.web is not None
    assert after.web.redirect_uris == ("https://portal.contoso.com/signin",)


def test_where_the_delegated_grants_may_not_be_read_user_read_stays(calm: Place) -> None:
    candidate = scenarios.portal_app(calm.sandbox)
    for role in ("DelegatedPermissionGrant.ReadWrite.All", "Directory.Read.All"):
        take_role(calm, catalog.GRAPH, role)

    kept = register(calm, "--app-id", str(candidate.app_id))
    again = register(calm)
    taken = register(calm, "--app-id", str(candidate.app_id), "--remove-user-read")

    assert kept.code == 0, kept.err
    assert any("(Directory.Read.All): User.Read in them was not looked" in one for one in kept.document["warnings"])
    assert again.document["changes"] == []
    assert not any("User.Read" in warning for warning in again.document["warnings"])
    assert [change["step"] for change in taken.document["changes"]] == ["application.correct"]


def test_the_scripts_application_is_not_fenced_in_unasked(place: Place) -> None:
    candidate = scenarios.script_app(place.sandbox)

    refused = register(place, "--app-id", str(candidate.app_id))
    went_on = register(place, "--app-id", str(candidate.app_id), "--restrict-existing")

    assert refused.code == 6
    assert any("access policy" in line for line in refused.document["details"])
    assert "--restrict-existing" in refused.document["hint"]
    assert went_on.code == 0, went_on.err


def test_other_mail_permissions_are_a_reason_to_ask(calm: Place) -> None:
    candidate = scenarios.portal_app(calm.sandbox)
    (before,) = applications(calm)
    exchange_role = next(role for role in catalog.EXCHANGE.roles if role.value != "full_access_as_app")
    asked = RequiredResourceAccess(
        resource_app_id=catalog.EXCHANGE.app_id,
        resource_access=(
            ResourceAccess(id=catalog.EXCHANGE.role("full_access_as_app").id, type="Role"),
            ResourceAccess(id=exchange_role.id, type="Role"),
        ),
    )
    with calm.connect() as tenant:
        graph = tenant._graph
        graph.applications.change(before.id, ApplicationPatch(required_resource_access=(asked,)))
        principal = graph.service_principals.by_app_id(before.app_id)
        resource = graph.service_principals.by_app_id(catalog.GRAPH.app_id)
        assert principal is not None
        assert resource is not None
        graph.role_grants.grant(
            principal_id=principal.id, resource_id=resource.id, role_id=catalog.GRAPH.role("Mail.Send").id
        )
    calm.wire.requests.clear()

    refused = register(calm, "--app-id", str(candidate.app_id))

    assert refused.code == 6
    assert calm.wire.writes == []
    assert any(f"{catalog.GRAPH.role('Mail.Send').id} on Microsoft Graph" in one for one in refused.document["details"])
    assert any(f"{exchange_role.id} on Exchange Online" in one for one in refused.document["details"])


def test_a_second_live_credential_is_a_reason_to_ask(calm: Place) -> None:
    candidate = scenarios.portal_app(calm.sandbox)
    (before,) = applications(calm)
    with calm.connect() as tenant:
        now = calm.clock.now()
        later = now.replace(year=now.year + 1)
        tenant._graph.credentials.add_password(before.id, label="backup job", start=now, end=later)
    calm.wire.requests.clear()

    refused = register(calm, "--app-id", str(candidate.app_id))

    assert refused.code == 6
    assert any("backup job" in line for line in refused.document["details"])
    assert calm.wire.writes == []


def test_an_application_of_another_registration_is_never_a_candidate(place: Place) -> None:
    first = register(place)
    other = place.remote(
        "register",
        "--mailbox",
        "other@contoso.onmicrosoft.com",
        "--yes",
        "--output",
        "json",
    )
    stolen = place.remote(
        "register",
        "--mailbox",
        "other@contoso.onmicrosoft.com",
        "--yes",
        "--output",
        "json",
        "--app-id",
        first.document["applicationId"],
    )

    assert other.code == 0, other.err
    assert other.document["applicationId"] != first.document["applicationId"]
    assert other.document["scope"]["group"] == "mimapp-other@contoso.onmicrosoft.com"
    assert stolen.code == 6
    assert "belongs to registration 'mimservice'" in stolen.document["message"]


def test_an_unknown_app_id_is_said_at_once(place: Place) -> None:
    done = register(place, "--app-id", "99999999-9999-4999-8999-999999999999")

    assert done.code == 2
    assert place.wire.writes == []


def test_a_deleted_one_is_restored_only_when_asked_behind_a_fence_and_without_its_secrets(place: Place) -> None:
    deleted = scenarios.soft_deleted_app(place.sandbox, "mimapp-mimservice")

    stopped = register(place)
    done = register(place, "--restore")

    assert stopped.code == 6
    assert "--restore" in stopped.document["hint"]
    assert "--purge-deleted" in stopped.document["hint"]
    assert done.code == 0, done.err
    assert done.document["applicationId"] == deleted.app_id
    writes = place.wire.writes
    assert writes.index("New-ApplicationAccessPolicy") < next(i for i, w in enumerate(writes) if w.endswith("/restore"))
    (after,) = applications(place)
    assert [credential.key_id for credential in after.password_credentials or ()] == [done.document["secret"]["keyId"]]


def test_a_deleted_one_is_purged_and_made_anew(place: Place) -> None:
    deleted = scenarios.soft_deleted_app(place.sandbox, "mimapp-mimservice")

    done = register(place, "--purge-deleted")

    assert done.code == 0, done.err
    assert done.document["applicationId"] != deleted.app_id
    with place.connect() as tenant:
        assert tenant._graph.deleted.applications() == ()
