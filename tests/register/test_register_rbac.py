"""``register --scope rbac``: a role in Exchange instead of grant and policy, and the ways it can be limited."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from mimapp.exchange import EWS_ROLE, NewGroup
from mimapp.graph import EXCHANGE_ONLINE_APP_ID, FULL_ACCESS_AS_APP_ID, ApplicationPatch
from support.endings import check_one_of_each
from support.tenants import MAILBOX, name_of
from support.units import UNIT, make_unit

if TYPE_CHECKING:
    import httpx

    from support.tenants import Finished, Place

OTHER = "other@contoso.onmicrosoft.com"
GROUP = "mimapp-mimservice@contoso.onmicrosoft.com"


def run(place: Place, *more: str, code: int = 0) -> Finished:
    place.wire.requests.clear()
    done = place.remote("register", "--mailbox", MAILBOX, "--yes", "--output", "json", *more)
    assert done.code == code, done.err
    return done


def register(place: Place, *more: str) -> dict[str, Any]:
    return run(place, *more).document


def steps(document: dict[str, Any]) -> list[str]:
    return [change["step"] for change in document["changes"]]


def grant_by_hand(place: Place, app_id: str) -> None:
    """What the portal's button does to an application that asks for full_access_as_app."""
    with place.connect() as tenant:
        graph = tenant._graph
        principal = graph.service_principals.by_app_id(app_id)
        resource = graph.service_principals.by_app_id(EXCHANGE_ONLINE_APP_ID)
        assert principal is not None
        assert resource is not None
        graph.role_grants.grant(
            principal_id=principal.id, resource_id=resource.id, role_id=FULL_ACCESS_AS_APP_ID, fresh=True
        )


def test_it_ends_with_a_role_and_neither_grant_nor_policy(place: Place) -> None:
    document = register(place, "--scope", "rbac")

    assert steps(document) == [
        "application.create",
        "principal.create",
        "group.create",
        "group.hide",
        "pointer.create",
        "role.assign",
        "ews.allow",
        "secret.issue",
    ]
    scope = document["scope"]
    assert (scope["kind"], scope["group"], scope["policy"], scope["stands"]) == ("rbac", GROUP, "", True)
    assert scope["limit"] == f"direct members of {GROUP}"
    assert scope["assignment"].startswith("mimapp-mimservice-")
    assert document["consent"] == "not needed"
    assert any("Microsoft documents no MIM" in warning for warning in document["warnings"])
    check_one_of_each(place, document)


def test_a_second_run_writes_nothing_with_and_without_the_option(place: Place) -> None:
    register(place, "--scope", "rbac")

    for more in ((), ("--scope", "rbac")):
        again = register(place, *more)
        assert again["changes"] == []
        assert place.wire.writes == []
        assert again["scope"]["kind"] == "rbac"


def test_a_run_without_the_option_says_that_it_keeps_the_role(place: Place) -> None:
    register(place, "--scope", "rbac")

    again = register(place)
    assert any("keeps it" in warning for warning in again["warnings"])


def test_the_application_asks_for_nothing_that_somebody_could_consent_to(calm: Place) -> None:
    document = register(calm, "--scope", "rbac")

    with calm.connect() as tenant:
        application = tenant._graph.applications.by_app_id(document["applicationId"])
    assert application is not None
    assert not application.required_resource_access
    assert "mimapp-scope:rbac" in (application.tags or ())


def test_a_permission_that_came_back_on_it_is_taken_out_again(calm: Place) -> None:
    document = register(calm, "--scope", "rbac")
    policy = register(calm, "--mailbox", OTHER)  # what a registration with a policy asks for
    with calm.connect() as tenant:
        applications = tenant._graph.applications
        other = applications.by_app_id(policy["applicationId"])
        assert other is not None
        asked = ApplicationPatch(required_resource_access=other.required_resource_access or ())
        applications.change(document["applicationObjectId"], asked)

    assert steps(register(calm)) == ["application.correct"]
    assert steps(register(calm)) == []


def test_mail_opens_inside_and_nowhere_else(calm: Place) -> None:
    register(calm, "--scope", "rbac")
    calm.clock.advance(timedelta(days=1))

    verified = calm.remote("verify", "--mailbox", MAILBOX, "--outside", OTHER, "--output", "json")
    assert verified.code == 0, verified.out
    assert register(calm)["scope"]["proven"] is True


def test_a_management_scope_is_made_on_request(place: Place) -> None:
    document = register(place, "--scope", "rbac", "--management-scope")

    assert steps(document)[4:7] == ["pointer.create", "scope.create", "role.assign"]
    assert document["scope"]["limit"] == f"management scope mimapp-mimservice, the direct members of {GROUP}"
    check_one_of_each(place, document)
    assert register(place)["changes"] == []
    assert register(place, "--scope", "rbac", "--management-scope")["changes"] == []


def test_an_administrative_unit_needs_no_group(calm: Place) -> None:
    make_unit(calm, MAILBOX)

    document = register(calm, "--scope", "rbac", "--administrative-unit", UNIT)

    assert steps(document) == [
        "application.create",
        "principal.create",
        "pointer.create",
        "role.assign",
        "ews.allow",
        "secret.issue",
    ]
    assert document["scope"]["group"] == ""
    assert document["scope"]["limit"] == f"administrative unit {UNIT}"
    assert register(calm)["changes"] == []
    refused = run(calm, "--scope", "rbac", "--management-scope", code=6)
    assert "administrative unit" in refused.err


def test_a_registration_with_a_policy_is_not_given_a_role_besides(calm: Place) -> None:
    register(calm)

    refused = run(calm, "--scope", "rbac", code=6)
    assert "add up" in refused.err
    assert "mimapp scope migrate" in refused.err
    assert calm.wire.writes == []


@pytest.mark.parametrize("kind", ["policy", "none"])
def test_a_registration_with_a_role_is_not_given_a_grant_besides(calm: Place, kind: str) -> None:
    register(calm, "--scope", "rbac")

    refused = run(calm, "--scope", kind, code=6)
    assert "add up" in refused.err
    assert "mimapp scope migrate" in refused.err
    assert calm.wire.writes == []


def test_a_grant_beside_the_role_is_refused_and_seen_as_drift(calm: Place) -> None:
    document = register(calm, "--scope", "rbac")
    grant_by_hand(calm, document["applicationId"])

    refused = run(calm, code=6)
    assert "add up" in refused.err
    status = calm.remote("status", "--mailbox", MAILBOX, "--output", "json").document
    assert "full_access_as_app" in status["problem"]


def test_an_assignment_of_somebody_elses_stops_it_and_a_lost_one_is_given_again(calm: Place) -> None:
    document = register(calm, "--scope", "rbac")
    with calm.connect() as tenant:
        exchange = tenant._exchange
        exchange.rbac.remove_assignment(document["scope"]["assignment"])
    assert steps(register(calm)) == ["role.assign"]
    with calm.connect() as tenant:
        exchange = tenant._exchange
        address = "elsewhere@contoso.onmicrosoft.com"
        exchange.groups.create(
            NewGroup(name="elsewhere", alias="elsewhere", address=address, members=(OTHER,), managed_by=(OTHER,))
        )
        exchange.rbac.assign(document["servicePrincipalObjectId"], EWS_ROLE, address)

    refused = run(calm, code=6)
    assert "are not this registration's" in refused.err


def test_an_extra_member_of_the_group_stops_it(calm: Place) -> None:
    register(calm, "--scope", "rbac")
    with calm.connect() as tenant:
        tenant._exchange.groups.add_member(GROUP, OTHER)

    assert "has members besides" in run(calm, code=6).err


def test_the_parts_of_two_administrators_make_the_whole(place: Place) -> None:
    entra = run(place, "--only", "entra", "--scope", "rbac", code=3).document
    assert entra["consent"] == "not needed"
    (matter,) = [one for one in entra["attention"] if "--only exchange --scope rbac" in one]
    assert entra["servicePrincipalObjectId"] in matter

    ids = ("--app-id", entra["applicationId"], "--principal-id", entra["servicePrincipalObjectId"])
    exchange = register(place, "--only", "exchange", "--scope", "rbac", *ids)
    assert steps(exchange) == ["group.create", "group.hide", "pointer.create", "role.assign", "ews.allow"]

    refused = run(place, "--only", "consent", code=6)
    assert "needs no consent" in refused.err
    whole = register(place)
    assert whole["changes"] == []
    check_one_of_each(place, whole)


def test_who_reads_exchange_alone_has_to_name_the_service_principal(calm: Place) -> None:
    entra = run(calm, "--only", "entra", "--scope", "rbac", code=3).document

    refused = run(calm, "--only", "exchange", "--scope", "rbac", "--app-id", entra["applicationId"], code=2)
    assert "--principal-id" in refused.err


def test_a_plan_carries_the_scope(calm: Place) -> None:
    path = calm.home / "plan.json"
    calm.remote("register", "--mailbox", MAILBOX, "--scope", "rbac", "--management-scope", "--plan-out", str(path))

    applied = calm.remote("apply", str(path), "--yes", "--output", "json")
    assert applied.code == 0, applied.err
    assert applied.document["scope"]["kind"] == "rbac"
    check_one_of_each(calm, applied.document)


def test_purged_and_made_anew_it_may_get_another_scope(calm: Place) -> None:
    document = register(calm, "--scope", "rbac")
    with calm.connect() as tenant:
        tenant._graph.applications.delete(document["applicationObjectId"])

    anew = register(calm, "--purge-deleted", "--scope", "policy", "--new-secret")
    assert anew["scope"]["kind"] == "policy"
    assert anew["applicationId"] != document["applicationId"]


def test_purged_and_made_anew_it_keeps_its_scope_where_none_is_asked_for(calm: Place) -> None:
    document = register(calm, "--scope", "rbac")
    with calm.connect() as tenant:
        tenant._graph.applications.delete(document["applicationObjectId"])

    anew = register(calm, "--purge-deleted", "--new-secret")
    assert anew["scope"]["kind"] == "rbac"
    assert anew["scope"]["assignment"] != document["scope"]["assignment"]


def test_a_grant_that_comes_back_with_a_restored_application_stops_it(calm: Place) -> None:
    document = register(calm, "--scope", "rbac")
    with calm.connect() as tenant:
        tenant._graph.applications.delete(document["applicationObjectId"])

    def with_its_grant(request: httpx.Request, _: httpx.Response) -> None:
        if request.url.path.endswith("/restore"):
            calm.wire.after = lambda _request, _response: None
            grant_by_hand(calm, document["applicationId"])

    calm.wire.after = with_its_grant
    stopped = run(calm, "--restore", code=6)
    assert "came back with full_access_as_app" in stopped.err
    assert "mimapp lockdown" in stopped.err


def test_restored_it_has_a_new_secret_and_its_role(calm: Place) -> None:
    document = register(calm, "--scope", "rbac")
    with calm.connect() as tenant:
        tenant._graph.applications.delete(document["applicationObjectId"])

    restored = register(calm, "--restore")
    assert restored["scope"]["kind"] == "rbac"
    assert restored["secret"]["keyId"] != document["secret"]["keyId"]
    check_one_of_each(calm, restored)


def test_what_a_role_needs_is_read_side_by_side(calm: Place) -> None:
    register(calm, "--scope", "rbac")
    met = threading.Barrier(4)
    asked: list[str] = []

    def meet(request: httpx.Request) -> None:
        name = name_of(request)
        if name in {"Get-ServicePrincipal", "Get-ManagementRoleAssignment", "Test-ServicePrincipalAuthorization"}:
            asked.append(name)
            met.wait(timeout=120)

    calm.wire.before = meet
    assert register(calm)["changes"] == []
    assert len(asked) == 4


def test_an_account_that_may_not_read_roles_is_told_so(calm: Place) -> None:
    register(calm, "--scope", "rbac")

    def refuse(request: httpx.Request, response: httpx.Response) -> None:
        if name_of(request) == "Get-ManagementRoleAssignment":
            response.status_code = 403
            response._content = b""

    calm.wire.after = refuse
    refused = run(calm, code=6)
    assert "may not read the roles" in refused.err
    assert calm.wire.writes == []
