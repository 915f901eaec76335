"""``mimapp register`` on a calm tenant: what it makes, what it says, and that a second run does nothing."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from mimapp.graph import FULL_ACCESS_AS_APP_ID
from mimapp.identity import AppSignIn, AppToken
from mimapp.secret import Secret
from mimapp.transport import Http, Patience
from support.tenants import CONTOSO, MAILBOX, Place

WRITES = [
    "PATCH /v1.0/applications(uniqueName='mimapp-mimservice')",
    "New-DistributionGroup",
    "Set-DistributionGroup",
    "New-ApplicationAccessPolicy",
    "Set-OrganizationConfig",
]


def register(place: Place, *more: str) -> dict[str, Any]:
    done = place.remote("register", "--mailbox", MAILBOX, "--yes", "--output", "json", *more)
    assert done.code == 0, done.err
    return done.document


def token_with(place: Place, tenant_id: str, application_id: str, secret: str) -> AppToken:
    http = Http(Patience(place.clock), transport=place.wire)
    answer = AppSignIn(http, place.cloud).token(tenant_id, application_id, Secret(secret), place.cloud.exchange_scope)
    assert isinstance(answer, AppToken), answer
    return answer


def test_the_document_has_what_the_installer_and_automation_need(place: Place) -> None:
    document = register(place)

    assert document["schema"] == "mimapp.register/1"
    assert document["tenantId"] == place.info.tenant_id
    assert len({document[n] for n in ("applicationId", "applicationObjectId", "servicePrincipalObjectId")}) == 3
    assert document["scope"]["kind"] == "policy"
    assert document["scope"]["group"] == "mimapp-mimservice@contoso.onmicrosoft.com"
    assert document["scope"]["stands"] is True
    assert document["consent"] == "granted"
    assert document["ews"]["allowed"] is True
    assert document["ews"]["ends"] == "2027-04-01"
    assert document["sandbox"] is False
    assert [change["step"] for change in document["changes"]] == [
        "application.create",
        "principal.create",
        "group.create",
        "group.hide",
        "policy.create",
        "consent.grant",
        "ews.allow",
        "secret.issue",
    ]


def test_the_secret_is_stored_for_its_owner_alone_and_gets_a_token(calm: Place) -> None:
    document = register(calm)

    stored_in = document["secret"]["storedIn"]
    path = Path(stored_in.removeprefix("file:"))
    kept = json.loads(path.read_text())
    assert path.is_absolute()
    assert stored_in == document["secret"]["stores"][0]
    assert {"applicationId", "tenantId", "clientSecret", "keyId", "expires"} <= kept.keys()
    assert kept["keyId"] == document["secret"]["keyId"]
    assert kept["expires"] == document["secret"]["expires"] == "2027-05-20T09:00:00Z"
    if os.name != "nt":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    token = token_with(calm, kept["tenantId"], kept["applicationId"], kept["clientSecret"])
    assert token.claims.roles == {"full_access_as_app"}
    assert document["secret"]["proven"] is True


def test_the_application_has_exactly_what_mim_needs(place: Place) -> None:
    document = register(place)

    with place.connect() as tenant:
        application = tenant._graph.applications.get(document["applicationObjectId"])
        principal = tenant._graph.service_principals.by_app_id(document["applicationId"])
    assert application.display_name == "MIM Service mailbox client access"
    assert application.sign_in_audience == "AzureADMyOrg"
    assert application.required_resource_access is not None
    wanted = [
        (r.resource_app_id, a.id, a.type) for r in application.required_resource_access for a in r.resource_access
    ]
    assert wanted == [("00000002-0000-0ff1-ce00-000000000000", FULL_ACCESS_AS_APP_ID, "Role")]
    assert application.web is not None
    assert application.web.redirect_uris == ()
    assert application.is_fallback_public_client is False
    assert application.service_principal_lock_configuration is not None
    assert application.service_principal_lock_configuration.is_enabled
    assert principal is not None
    assert set(application.tags or ()) == {"mimapp:mimservice", f"mimapp-mailbox:{MAILBOX.lower()}"}
    assert set(principal.tags or ()) == set(application.tags or ())


def test_the_group_is_a_hidden_closed_security_group_with_the_mailbox_alone(place: Place) -> None:
    document = register(place)

    with place.connect() as tenant:
        address = document["scope"]["group"]
        group = tenant._exchange.groups.get(address)
        members = tenant._exchange.groups.members(address)
        notes = tenant._exchange.groups.notes(address)
        policies = tenant._exchange.access_policies.for_app(document["applicationId"])
    assert group is not None
    assert group.is_security
    assert group.hidden_from_address_lists_enabled is True
    assert (group.member_join_restriction, group.member_depart_restriction) == ("Closed", "Closed")
    assert [member.primary_smtp_address.lower() for member in members] == [MAILBOX.lower()]
    assert notes is not None
    assert "mimapp:mimservice" in notes
    assert [policy.access_right for policy in policies] == ["RestrictAccess"]


def test_nothing_is_consented_to_before_the_fence_was_tested(place: Place) -> None:
    register(place)

    names = [_name(request) for request in place.wire.requests]
    grant = next(number for number, name in enumerate(names) if name.endswith("/appRoleAssignedTo"))
    tests = [number for number, name in enumerate(names) if name == "Test-ApplicationAccessPolicy"]
    policy = names.index("New-ApplicationAccessPolicy")
    assert policy < tests[0] < grant
    assert len([number for number in tests if number < grant]) >= 2


def _name(request: Any) -> str:
    if request.url.path.endswith("/InvokeCommand"):
        return str(json.loads(request.content)["CmdletInput"]["CmdletName"])
    return str(request.url.path)


def test_a_second_run_reads_only_and_says_so(place: Place) -> None:
    first = register(place)
    place.wire.requests.clear()

    second = register(place)

    assert second["changes"] == []
    assert place.wire.writes == []
    assert {k: second[k] for k in ("applicationId", "secret", "consent")} == {
        k: first[k] for k in ("applicationId", "secret", "consent")
    }
    shown = place.remote("register", "--mailbox", MAILBOX, "--yes")
    assert shown.out.startswith("Nothing to do.")


def test_the_allow_list_keeps_every_entry_and_its_order(place: Place) -> None:
    with place.connect() as tenant:
        before = tenant._exchange.organization.read().allowed_app_ids
    document = register(place)

    with place.connect() as tenant:
        after = tenant._exchange.organization.read().allowed_app_ids
    assert isinstance(before, tuple)
    assert before
    assert after == (*before, document["applicationId"])


def test_not_yet_proven_restricted_until_an_hour_has_passed(calm: Place) -> None:
    first = register(calm)
    calm.clock.sleep(3601)
    later = register(calm)

    assert first["scope"]["proven"] is False
    assert first["scope"]["expected"] == "2026-11-21T10:00:00Z"
    assert any("not yet proven restricted" in warning for warning in first["warnings"])
    assert later["scope"]["proven"] is True
    assert later["scope"]["expected"] is None
    assert not any("not yet proven" in warning for warning in later["warnings"])


def test_embedded_and_as_the_administrator(place: Place) -> None:
    done = place.cli("register", "--mailbox", MAILBOX, "--sandbox", "--yes", "--output", "json")

    assert done.code == 0, done.err
    assert done.document["sandbox"] is True
    kept = json.loads(Path(done.document["secret"]["storedIn"].removeprefix("file:")).read_text())
    assert kept["sandbox"] is True
    with place.connect() as tenant:
        assert tenant.graph_operator.name == f"admin@{CONTOSO}"


def test_a_dry_run_shows_the_plan_and_changes_nothing(place: Place) -> None:
    first = place.remote("register", "--mailbox", MAILBOX, "--dry-run", "--output", "json")
    again = place.remote("register", "--mailbox", MAILBOX, "--dry-run", "--output", "json")

    assert first.code == 0
    assert place.wire.writes == []
    assert first.document["schema"] == "mimapp.plan/1"
    assert len(first.document["steps"]) == 10
    assert first.document["fingerprint"] == again.document["fingerprint"]


@pytest.mark.parametrize(("answer", "code"), [("n\n", 2), ("\n", 2), ("", 2), ("y\n", 0), ("yes\n", 0)])
def test_it_asks_at_a_terminal(place: Place, answer: str, code: int) -> None:
    done = place.remote("register", "--mailbox", MAILBOX, stdin=answer)

    assert done.code == code
    assert "Make these 8 changes in contoso.onmicrosoft.com (signed in as" in done.err
    assert bool(place.wire.writes) == (code == 0)


def test_where_nobody_can_answer_it_needs_yes(place: Place) -> None:
    done = place.remote("register", "--mailbox", MAILBOX)

    assert done.code == 2
    assert "--yes" in done.err
    assert place.wire.requests == []


def test_secret_show_prints_the_value_alone(place: Place) -> None:
    document = register(place)
    kept = json.loads(Path(document["secret"]["storedIn"].removeprefix("file:")).read_text())

    shown = place.cli("secret", "show", "--mailbox", MAILBOX)
    as_json = place.cli("secret", "show", "--output", "json")

    assert shown.out == f"{kept['clientSecret']}\n"
    assert as_json.document["clientSecret"] == kept["clientSecret"]


def test_no_output_holds_the_secret_or_a_token(place: Place) -> None:
    runs = [
        place.remote("register", "--mailbox", MAILBOX, "--yes", "-vvv"),
        place.remote("register", "--mailbox", MAILBOX, "--yes", "--output", "json", "-vvv"),
        place.remote("status", "--mailbox", MAILBOX, "-vvv"),
        place.remote("secret", "list", "--mailbox", MAILBOX, "-vvv"),
        place.remote("config", "show", "-vvv"),
    ]
    stored = next((place.home / "secrets").glob("*/*.json"))
    secrets = [json.loads(stored.read_text())["clientSecret"], place.info.operator_client_secret]
    kept = [
        path.read_text(errors="replace")
        for path in place.home.rglob("*")
        if path.is_file() and path != stored and "sandbox" not in path.parts
    ]
    for text in [*(run.out + run.err for run in runs), *kept]:
        assert not any(secret in text for secret in secrets)
        assert "eyJ" not in text


def test_status_says_what_is_there_and_what_is_due(place: Place) -> None:
    before = place.remote("status", "--mailbox", MAILBOX, "--output", "json")
    register(place)
    after = place.remote("status", "--registration", "mimservice", "--output", "json")

    assert before.document["applicationId"] is None
    assert len(before.document["due"]) == 10
    assert after.document["due"] == []
    assert after.document["registration"] == "mimservice"
    assert [item["whose"] for item in after.document["credentials"]] == ["here"]


def test_another_machine_sees_the_secret_as_stored_elsewhere_and_replaces_nothing(place: Place, tmp_path: Path) -> None:
    first = register(place)
    other = Place(tmp_path / "other", clock=place.clock, sandbox_home=place.home)
    done = other.remote("register", "--mailbox", MAILBOX, "--yes", "--output", "json")
    other.close()

    assert done.code == 3
    assert done.document["changes"] == []
    assert done.document["secret"] is None
    assert any(first["secret"]["keyId"] in line for line in done.document["attention"])


def test_the_creator_that_graph_made_an_owner_is_shown_with_what_an_owner_can_do(calm: Place) -> None:
    done = calm.cli("register", "--mailbox", MAILBOX, "--sandbox", "--yes", "--output", "json")

    told = [warning for warning in done.document["warnings"] if "an owner can add secrets" in warning]
    assert len(told) == 1
    assert told[0].startswith(f"admin@{CONTOSO} owns the application")
