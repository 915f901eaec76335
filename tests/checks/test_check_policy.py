"""App management policies: allowed, shorter, forbidden, unreadable; and the exemption that register goes on after."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from checks.checking import as_application, change_document, check, take_role
from mimapp.checks.preflight import stopping
from mimapp.sandbox import catalog, scenarios
from mimapp.sandbox.obstacles import set_default_policy
from mimapp.spec import Only
from support.tenants import MAILBOX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mimapp.checks.preflight import Row
    from support.tenants import Place

ADDITION = "passwordAddition"
LIFETIME = "passwordLifetime"


def rule(kind: str, **more: Any) -> dict[str, Any]:
    return {
        "restrictionType": kind,
        "state": "enabled",
        "maxLifetime": None,
        "restrictForAppsCreatedAfterDateTime": None,
    } | more


def policy_row(place: Place, **wanted: Any) -> Row:
    """By the application operator, who may read policies."""
    rows = check(place, connect=as_application(place), group_owner=place.info.administrator, **wanted)
    return rows["client secret policy"]


def register(place: Place) -> int:
    return place.remote("register", "--mailbox", MAILBOX, "--yes", "--secret-to", f"file:{place.home}/secret.json").code


def calls_of(row: Row, place: Place) -> Iterator[tuple[str, str, Any]]:
    """The calls that a row prints: method, path and body."""
    lines = iter(row.details)
    for line in lines:
        method, _, url = line.partition(" ")
        if method in {"POST", "DELETE"}:
            path = url.removeprefix(place.sandbox.origin)
            yield method, path, json.loads(next(lines)) if method == "POST" else None


def apply_exemption(place: Place, row: Row) -> None:
    """What the policy's owner does with what is printed, as Global Administrator with the permission for it."""
    token = _token_of_owner(place)
    with httpx.Client(transport=place.sandbox.transport(), base_url=place.sandbox.origin) as graph:
        made = ""
        for method, path, body in calls_of(row, place):
            text = json.dumps(body).replace("<id from the first reply>", made)
            reply = graph.request(method, path, content=text, headers={"authorization": f"Bearer {token}"})
            assert reply.status_code in {201, 204}, reply.text
            made = made or reply.json()["id"]


def _token_of_owner(place: Place) -> str:
    base = f"{place.sandbox.origin}/{place.info.tenant_id}/oauth2/v2.0"
    client = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
    scope = " ".join(
        f"https://graph.microsoft.com/{name}"
        for name in ("Policy.ReadWrite.ApplicationConfiguration", "Application.Read.All")
    )
    with httpx.Client(transport=place.sandbox.transport()) as login:
        begun = login.post(f"{base}/devicecode", data={"client_id": client, "scope": scope}).json()
        form = {"grant_type": "device_code", "client_id": client, "device_code": begun["device_code"]}
        return str(login.post(f"{base}/token", data=form).json()["access_token"])


def test_without_a_policy_secrets_are_allowed(place: Place) -> None:
    row = policy_row(place)

    assert (row.verdict, row.found) == ("ok", "no rule against client secrets")


@pytest.mark.parametrize(
    "harmless",
    [
        rule(ADDITION, state="disabled"),
        rule(ADDITION, restrictForAppsCreatedAfterDateTime="2027-01-01T00:00:00Z"),
        rule("customPasswordAddition"),
        rule("symmetricKeyAddition"),
    ],
)
def test_rules_that_do_not_touch_this_application(place: Place, harmless: dict[str, Any]) -> None:
    set_default_policy(place.sandbox, harmless)

    assert policy_row(place).verdict == "ok"


def test_a_policy_that_is_switched_off_forbids_nothing(place: Place) -> None:
    set_default_policy(place.sandbox, rule(ADDITION))
    change_document(place, "defaultAppManagementPolicy", {"isEnabled": False})

    assert policy_row(place).verdict == "ok"


def test_a_shorter_lifetime_is_named_with_the_option_that_fits(place: Place) -> None:
    set_default_policy(place.sandbox, rule(LIFETIME, maxLifetime="P90DT12H"))

    row = policy_row(place)

    assert row.verdict == "stop"
    assert row.found == "Default app management tenant policy: at most 90 days"
    assert row.remedy == "--secret-lifetime 90d"
    assert "180 days" in row.why


def test_a_lifetime_within_the_limit_is_allowed_and_the_limit_named(place: Place) -> None:
    set_default_policy(place.sandbox, rule(LIFETIME, maxLifetime="P180D"))

    row = policy_row(place)

    assert row.verdict == "ok"
    assert row.found.endswith("at most 180 days")


def test_less_than_a_day_is_less_than_mimapp_issues(place: Place) -> None:
    set_default_policy(place.sandbox, rule(LIFETIME, maxLifetime="PT8H"))

    row = policy_row(place)

    assert row.verdict == "stop"
    assert "--secret-lifetime" not in row.remedy


def test_who_may_not_read_policies_goes_on(place: Place) -> None:
    set_default_policy(place.sandbox, rule(ADDITION))
    delegated = check(place)["client secret policy"]
    take_role(place, catalog.GRAPH, "Policy.Read.All")
    app_only = policy_row(place)

    for row in (delegated, app_only):
        assert row.verdict == "unknown"
        assert row.needs_person is False
        assert "Graph says so when the secret is issued" in row.why
    assert "--read-policies" in delegated.remedy
    assert "application permission Policy.Read.All" in app_only.remedy


def test_a_person_who_asks_to_read_policies_can(place: Place) -> None:
    set_default_policy(place.sandbox, rule(LIFETIME, maxLifetime="P30D"))

    done = place.cli("check", "--mailbox", MAILBOX, "--sandbox", "--output", "json", "--read-policies")

    (row,) = [row for row in done.document["rows"] if row["name"] == "client secret policy"]
    assert row["remedy"] == "--secret-lifetime 30d"
    assert done.code == 3


def test_forbidden_before_the_application_exists_needs_a_person_and_does_not_stop(place: Place) -> None:
    set_default_policy(place.sandbox, rule(ADDITION))

    row = policy_row(place)

    assert row.verdict == "warn"
    assert row.needs_person is True
    assert stopping((row,)) == ()
    assert "<object id of the application>" in "".join(row.details)


def test_register_goes_on_after_the_exemption_that_check_prints(place: Place) -> None:
    set_default_policy(place.sandbox, rule(ADDITION), rule(LIFETIME, maxLifetime="P365D"))
    assert register(place) == 7

    row = policy_row(place)
    assert row.verdict == "stop"
    apply_exemption(place, row)

    assert policy_row(place).found == "MIM Service mailbox (mimapp:mimservice): at most 365 days"
    assert register(place) == 0
    assert check(place)["mailbox"].verdict == "ok"


def test_the_exemption_keeps_every_other_rule(place: Place) -> None:
    since = "2024-10-19T10:37:00Z"
    set_default_policy(
        place.sandbox,
        rule(ADDITION, restrictForAppsCreatedAfterDateTime=since),
        rule(LIFETIME, maxLifetime="P4DT12H30M5S"),
        rule("symmetricKeyAddition", state="disabled"),
    )

    calls = list(calls_of(policy_row(place), place))

    assert [(method, path) for method, path, _ in calls] == [
        ("POST", "/v1.0/policies/appManagementPolicies"),
        ("POST", "/v1.0/applications/<object id of the application>/appManagementPolicies/$ref"),
    ]
    assert calls[0][2]["isEnabled"] is True
    assert calls[0][2]["restrictions"]["passwordCredentials"] == [
        rule(ADDITION, state="disabled", restrictForAppsCreatedAfterDateTime=since),
        rule(LIFETIME, maxLifetime="P4DT12H30M5S"),
        rule("symmetricKeyAddition", state="disabled"),
    ]


def test_a_policy_of_the_application_alone_takes_the_defaults_place(place: Place) -> None:
    set_default_policy(place.sandbox, rule(ADDITION))
    assert register(place) == 7
    apply_exemption(place, policy_row(place))
    change_document(place, "appManagementPolicy", {"restrictions": {"passwordCredentials": [rule(ADDITION)]}})
    set_default_policy(place.sandbox)

    row = policy_row(place)

    assert row.verdict == "stop"
    assert row.found == "MIM Service mailbox (mimapp:mimservice) forbids client secrets"
    # An application follows one policy: the assigned one has to go first.
    assert [method for method, _, _ in calls_of(row, place)] == ["DELETE", "POST", "POST"]


def test_an_assigned_policy_that_is_switched_off_does_not_count(place: Place) -> None:
    set_default_policy(place.sandbox, rule(ADDITION))
    assert register(place) == 7
    apply_exemption(place, policy_row(place))
    change_document(place, "appManagementPolicy", {"isEnabled": False})

    assert policy_row(place).found == "Default app management tenant policy forbids client secrets"


@pytest.mark.parametrize("later", [rule(ADDITION), rule(LIFETIME, maxLifetime="P30D")])
def test_a_rule_that_came_after_the_secret_does_not_stop_what_works(place: Place, later: dict[str, Any]) -> None:
    assert register(place) == 0
    set_default_policy(place.sandbox, later)

    row = policy_row(place)

    assert row.verdict == "warn"
    assert "the stored secret keeps working" in row.why


def test_a_store_that_cannot_be_read_counts_as_one_without_the_secret(place: Place) -> None:
    assert register(place) == 0
    set_default_policy(place.sandbox, rule(ADDITION))
    (place.home / "secret.json").write_text("not a secret file")

    rows = check(place, connect=as_application(place), group_owner=place.info.administrator)

    assert rows["client secret policy"].verdict == "stop"
    assert rows["secret store"].verdict == "stop"


def test_the_audience_of_an_application_of_this_tenant_cannot_be_restricted(place: Place) -> None:
    row = check(place)["audience policy"]

    assert (row.verdict, row.found) == ("ok", "AzureADMyOrg: no rule can restrict it")


def test_somebodys_application_for_several_tenants_may_be_restricted(place: Place) -> None:
    made = scenarios.portal_app(place.sandbox)
    assert made.app_id is not None
    changes = {
        "signInAudience": "AzureADMultipleOrgs",
        "identifierUris": ["api://x"],
        "serviceManagementReference": "CMDB-7",
    }
    change_document(place, "application", changes, appId=made.app_id)

    rows = check(place, app_id=made.app_id)

    assert rows["audience policy"].verdict == "warn"
    assert "SignInAudienceNotAllowedAsPerAppPolicy" in rows["audience policy"].remedy
    assert rows["identifier URI policy"].verdict == "ok"
    assert rows["identifier URI policy"].found == "the application has 1, which stay as they are"
    assert rows["service management reference"].found == "the application has CMDB-7"


def test_whether_a_service_management_reference_is_asked_for_shows_only_when_an_application_is_made(
    place: Place,
) -> None:
    before = check(place)["service management reference"]
    given = check(place, service_management_reference="CMDB-7")["service management reference"]
    assert register(place) == 0
    after = check(place)["service management reference"]

    assert before.verdict == "unknown"
    assert before.needs_person is False
    assert "ServiceTreeValueMissing" in before.why
    assert (given.verdict, given.found) == ("ok", "CMDB-7 is given")
    assert after.verdict == "ok"


def test_an_application_that_is_not_there_needs_a_person(place: Place) -> None:
    rows = check(place, app_id="00000000-1111-4222-8333-444444444444")

    assert rows["audience policy"].verdict == "unknown"
    assert rows["audience policy"].needs_person is True
    assert "this tenant has no application" in rows["audience policy"].why


def test_consent_alone_reads_no_policy(place: Place) -> None:
    assert "client secret policy" not in check(place, only=Only.CONSENT)
