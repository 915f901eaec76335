"""Where unregister stops short, on purpose: what is not ours, what others use, what a person has to decide."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from unregister_world import GROUP, Registered, kept, steps

from mimapp.errors import StalePlanError
from mimapp.exchange import EWS_ROLE, NewGroup, member_of_group
from mimapp.graph import ApplicationPatch, ServicePrincipalPatch
from mimapp.sandbox.scenarios import foreign_secret, portal_app
from support.gone import check_gone
from support.tenants import MAILBOX

if TYPE_CHECKING:
    from collections.abc import Callable

    from mimapp.exchange import Exchange

OTHER_APP = "11111111-2222-4333-8444-555555555555"
OUTSIDE = "other@contoso.onmicrosoft.com"
MARKS = ("mimapp:mimservice", f"mimapp-mailbox:{MAILBOX.lower()}")


def tag(there: Registered, *tags: str) -> None:
    with there.graph() as graph:
        graph.applications.change(there.object_id, ApplicationPatch(tags=tags))


# Credentials


def test_a_foreign_secret_is_listed_and_never_touched(there: Registered) -> None:
    foreign_secret(there.place.sandbox, "mimapp-mimservice", label="Backup of the other team")

    document = there.run()

    assert there.writes.count("POST /v1.0/applications/APP/removePassword") == 1
    assert [(one["label"], one["whose"]) for one in document["foreignCredentials"]] == [
        ("Backup of the other team", "foreign")
    ]
    assert any("Backup of the other team is not mimapp's" in warning for warning in document["warnings"])
    with there.graph() as graph:
        (binned,) = graph.deleted.applications()
    assert [one.display_name for one in binned.password_credentials or ()] == ["Backup of the other team"]


def test_a_secret_of_mimapps_that_is_stored_elsewhere_goes_too(there: Registered) -> None:
    foreign_secret(there.place.sandbox, "mimapp-mimservice")

    document = there.run()

    assert steps(document)[:3] == ["secret.revoke", "secret.revoke", "consent.revoke"]
    with there.graph() as graph:
        (binned,) = graph.deleted.applications()
    assert binned.password_credentials == ()


# Marks


def test_an_application_without_the_mark_is_not_touched_unless_it_is_named(there: Registered) -> None:
    tag(there, "something else")

    refused = there.say("--yes")
    no_writes = there.place.wire.writes
    named = there.run("--app-id", there.app_id)

    assert (refused.code, no_writes) == (6, [])
    assert f"--app-id {there.app_id}" in refused.err
    assert steps(named)[3] == "application.delete"
    assert named["finish"]["command"].endswith(f"--app-id {there.app_id}")
    there.later()
    assert there.run("--app-id", there.app_id)["complete"] is True


@pytest.mark.parametrize(
    "tags", [("mimapp:test", "mimapp-mailbox:test@contoso.onmicrosoft.com"), (MARKS[0], "mimapp-mailbox:a@contoso.com")]
)
@pytest.mark.parametrize("named", [False, True])
def test_what_is_marked_for_another_registration_or_mailbox_is_refused(
    there: Registered, tags: tuple[str, ...], *, named: bool
) -> None:
    tag(there, *tags)

    done = there.say("--yes", *(("--app-id", there.app_id) if named else ()))

    assert done.code == 6
    assert there.place.wire.writes == []


def test_an_application_whose_principal_alone_is_marked_is_not_touched_unless_it_is_named(there: Registered) -> None:
    with there.graph() as graph:
        (principal,) = graph.service_principals.by_tag("mimapp:mimservice")
    other = portal_app(there.place.sandbox).app_id or ""
    with there.graph() as graph:
        theirs = graph.service_principals.by_app_id(other)
        assert theirs is not None
        graph.service_principals.change(theirs.id, ServicePrincipalPatch(tags=MARKS))

    refused = there.say("--yes")
    no_writes = there.place.wire.writes
    named = there.run("--app-id", there.app_id)

    assert (refused.code, no_writes) == (6, [])
    assert f"--app-id {other}" in refused.err
    assert "application.delete" in steps(named)
    assert "principal.delete" not in steps(named)
    with there.graph() as graph:
        assert graph.service_principals.by_app_id(other) is not None
        assert graph.service_principals.by_app_id(principal.app_id) is None


def test_two_applications_with_the_mark_have_to_be_told_apart(there: Registered) -> None:
    second = portal_app(there.place.sandbox).app_id or ""
    with there.graph() as graph:
        application = graph.applications.by_app_id(second)
        assert application is not None
        graph.applications.change(application.id, ApplicationPatch(tags=MARKS))

    done = there.say("--yes")

    assert (done.code, there.place.wire.writes) == (6, [])
    assert "2 applications carry the mark" in done.err
    assert second in done.err


def test_a_policy_without_our_mark_stays_and_so_does_its_group(there: Registered) -> None:
    with there.exchange() as exchange:
        (policy,) = exchange.access_policies.list()
        exchange.access_policies.remove(policy.identity)
        exchange.access_policies.create(there.app_id, GROUP, "made by hand")
    there.run(code=3)
    there.later()

    document = there.run(code=3)

    assert document["changes"] == []
    assert kept(document) == {
        f"the group {GROUP}": f"something else uses it: access policy RestrictAccess of application {there.app_id}"
    }
    assert "something else uses it" in document["attention"][0]


def test_a_marked_policy_of_an_application_that_is_not_ours_stays(there: Registered) -> None:
    other = portal_app(there.place.sandbox).app_id or ""
    with there.exchange() as exchange:
        exchange.access_policies.create(other, GROUP, "mimapp:mimservice")
    there.run(code=3)
    there.later()

    document = there.run(code=3)

    assert steps(document) == ["policy.remove"]
    assert [one["needsPerson"] for one in document["kept"]] == [True, False]
    assert f"the access policy of application {other} stays" in document["attention"][0]
    with there.exchange() as exchange:
        assert [one.app_id for one in exchange.access_policies.list()] == [other]
        assert exchange.groups.get(GROUP) is not None


def test_a_marked_policy_on_another_group_stays(there: Registered) -> None:
    with there.exchange() as exchange:
        group = exchange.groups.get(GROUP)
        assert group is not None
        exchange.groups.delete(GROUP)
        _make_group(exchange)
    there.run(code=3)
    there.later()

    document = there.run(code=3)

    assert "it names another group than ours" in document["attention"][0]
    assert document["changes"] == []


def _make_group(exchange: Exchange) -> None:
    exchange.groups.create(
        NewGroup(
            name="mimapp-mimservice",
            alias="mimapp-mimservice",
            address=GROUP,
            members=(MAILBOX,),
            managed_by=("admin@contoso.onmicrosoft.com",),
            notes="mimapp:mimservice",
        )
    )


# The group


def _add_member(exchange: Exchange) -> None:
    exchange.groups.add_member(GROUP, OUTSIDE)


def _add_policy(exchange: Exchange) -> None:
    exchange.access_policies.create(OTHER_APP, GROUP, "another application")


def _add_scope(exchange: Exchange) -> None:
    group = exchange.groups.get(GROUP)
    assert group is not None
    exchange.rbac.create_scope("mim-scope", member_of_group(group.distinguished_name))


USES: dict[str, tuple[Callable[[Exchange], None], str]] = {
    "member": (_add_member, f"member {OUTSIDE}"),
    "policy": (_add_policy, f"access policy RestrictAccess of application {OTHER_APP}"),
    "management scope": (_add_scope, "management scope mim-scope"),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_group_that_something_else_uses_is_never_deleted(
    there: Registered, use: tuple[Callable[[Exchange], None], str]
) -> None:
    act, reason = use
    with there.exchange() as exchange:
        act(exchange)
    first = there.run(code=3)
    there.later()

    document = there.run(code=3)

    assert kept(first)[f"the group {GROUP}"] == f"something else uses it: {reason}"
    assert steps(document) == ["policy.remove"]
    assert kept(document) == {f"the group {GROUP}": f"something else uses it: {reason}"}
    assert there.place.wire.writes == ["Remove-ApplicationAccessPolicy"]
    with there.exchange() as exchange:
        assert exchange.groups.get(GROUP) is not None


def test_a_group_that_a_role_assignment_names_is_never_deleted(there: Registered) -> None:
    other = portal_app(there.place.sandbox).app_id or ""
    with there.place.connect() as tenant:
        principal = tenant._graph.service_principals.by_app_id(other)
        assert principal is not None
        tenant._exchange.rbac.create_service_principal(other, principal.id, "another application")
        tenant._exchange.rbac.assign(principal.id, EWS_ROLE, GROUP)
    there.run(code=3)
    there.later()

    document = there.run(code=3)

    assert "something else uses it: role assignment" in kept(document)[f"the group {GROUP}"]
    assert steps(document) == ["policy.remove"]


def test_a_group_that_came_into_use_after_the_plan_is_kept(there: Registered) -> None:
    there.run()
    there.later()

    def interfere(request: Any) -> None:
        if b"Remove-ApplicationAccessPolicy" in request.content:
            there.place.wire.before = lambda _: None
            with there.exchange() as exchange:
                exchange.groups.add_member(GROUP, OUTSIDE)

    there.place.wire.before = interfere
    document = there.run(code=3)

    assert steps(document) == ["policy.remove"]
    assert f"member {OUTSIDE}" in document["attention"][0]
    assert "Remove-DistributionGroup" not in there.place.wire.writes


def test_a_group_whose_notes_are_another_registrations_is_left_alone(there: Registered) -> None:
    with there.exchange() as exchange:
        exchange.groups.set_notes(GROUP, "mimapp:test mailbox test@contoso.onmicrosoft.com")
    there.run(code=3)
    there.later()

    document = there.run(code=3)

    assert steps(document) == ["policy.remove"]
    assert "not marked as this registration's" in document["attention"][0]


def test_a_group_without_notes_goes_where_the_mailbox_is_its_only_member(there: Registered) -> None:
    with there.exchange() as exchange:
        exchange.groups.set_notes(GROUP, "")
    there.run()
    there.later()

    assert there.run()["complete"] is True
    check_gone(there.place, there.app_id)


def test_an_empty_group_goes_where_its_notes_are_ours(there: Registered) -> None:
    with there.exchange() as exchange:
        exchange.groups.remove_member(GROUP, MAILBOX)
    there.run()
    there.later()

    assert there.run()["complete"] is True


def test_a_policy_whose_group_was_deleted_by_hand_goes(there: Registered) -> None:
    with there.exchange() as exchange:
        exchange.groups.delete(GROUP)
    there.run()
    there.later()

    document = there.run()

    assert (steps(document), document["complete"]) == (["policy.remove"], True)


# What moved


def test_a_plan_that_would_now_do_more_is_refused(there: Registered) -> None:
    with there.place.connect() as tenant:
        plan = tenant.plan_unregister(there.place.registration())
        foreign_secret(there.place.sandbox, "mimapp-mimservice")
        with pytest.raises(StalePlanError, match="would now take 1 steps"):
            tenant.unregister(plan)
        outcome = tenant.unregister(tenant.plan_unregister(there.place.registration()))

    assert [change.step for change in outcome.changes][:2] == ["secret.revoke", "secret.revoke"]


def test_a_plan_that_would_now_do_less_goes_on(there: Registered) -> None:
    with there.place.connect() as tenant:
        plan = tenant.plan_unregister(there.place.registration())
        (grant,) = tenant._graph.role_grants.held_by(there.app_id)
        tenant._graph.role_grants.revoke(str(grant.principal_id), grant.id)
        outcome = tenant.unregister(plan)

    assert "consent.revoke" not in [change.step for change in outcome.changes]
    assert outcome.failed is None


def test_an_application_that_came_back_keeps_its_policy(there: Registered) -> None:
    there.run()
    there.later()
    with there.place.connect() as tenant:
        plan = tenant.plan_unregister(there.place.registration())
        tenant._graph.deleted.restore(there.object_id)
        outcome = tenant.unregister(plan, observe_again=False)

    assert outcome.failed is not None
    assert "is there again" in str(outcome.failed.error)
    assert [step.kind for step in outcome.not_tried] == ["group.remove"]
    assert outcome.changes == ()
    restored = there.run()
    assert steps(restored) == ["application.delete"]
    assert restored["finish"]["at"] == "2026-11-21T13:00:00Z"


def test_another_machine_finishes_by_what_the_tenant_says(there: Registered) -> None:
    there.run()
    shutil.rmtree(there.place.home / "journal")
    early = there.run()
    there.later()

    document = there.run()

    assert early["finish"]["at"] == "2026-11-21T11:00:00Z"
    assert any("this machine did not put it there" in warning for warning in early["warnings"])
    assert document["complete"] is True
    check_gone(there.place, there.app_id)
