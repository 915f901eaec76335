"""What is left when part of a registration is gone already: the recycle bin, purged, a principal that outlived it."""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import Any

import pytest
from unregister_world import GROUP, TWO_HOURS, Registered, kept, steps

from mimapp.graph import FULL_ACCESS_AS_APP_ID
from mimapp.provisioning.scope_notes import FENCE_NOTE
from support.gone import check_gone
from support.tenants import MAILBOX, Place


class Death(BaseException):
    """The process ends here: nothing in the product may catch it."""


def delete(there: Registered, *, purge: bool = False) -> None:
    """Somebody else deletes the application."""
    with there.graph() as graph:
        graph.applications.delete(there.object_id)
        if purge:
            graph.deleted.purge(there.object_id)


def test_purge_deletes_it_for_good_and_the_clock_goes_on_from_the_note(there: Registered) -> None:
    first = there.run("--purge")
    writes = there.writes
    there.later()
    last = there.run("--purge")

    assert steps(first) == [
        "secret.revoke",
        "consent.revoke",
        "ews.disallow",
        "application.delete",
        "application.purge",
        "secret.forget",
    ]
    assert writes[-2:] == ["DELETE /v1.0/applications/APP", "DELETE /v1.0/directory/deletedItems/APP"]
    assert first["finish"]["command"].endswith(" --purge")
    assert steps(last) == ["policy.remove", "group.remove"]
    check_gone(there.place, there.app_id, in_bin=False)


def test_purge_may_come_later(there: Registered) -> None:
    there.run()
    there.later(timedelta(minutes=30))
    second = there.run("--purge")
    there.later(timedelta(minutes=90))
    third = there.run()

    assert steps(second) == ["application.purge"]
    assert second["finish"]["at"] == "2026-11-21T11:00:00Z"
    assert third["complete"] is True
    check_gone(there.place, there.app_id, in_bin=False)


def test_deleted_by_somebody_else_a_while_ago(there: Registered) -> None:
    delete(there)
    there.later()

    document = there.run()

    assert steps(document) == ["ews.disallow", "policy.remove", "group.remove", "secret.forget"]
    assert document["complete"] is True
    check_gone(there.place, there.app_id)


def test_deleted_by_somebody_else_just_now(there: Registered) -> None:
    delete(there)
    there.later(timedelta(minutes=10))

    document = there.run()

    assert steps(document) == ["ews.disallow", "secret.forget"]
    assert document["finish"]["at"] == "2026-11-21T11:00:00Z"


def test_deleted_by_somebody_else_and_purged_here_is_gone_since_it_was_deleted(there: Registered) -> None:
    delete(there)
    there.later(timedelta(minutes=30))
    first = there.run("--purge")
    there.later(timedelta(minutes=90))

    last = there.run()

    assert steps(first) == ["ews.disallow", "application.purge", "secret.forget"]
    assert first["finish"]["at"] == "2026-11-21T11:00:00Z"
    assert steps(last) == ["policy.remove", "group.remove"]


def test_purged_by_somebody_else_nobody_knows_when_so_its_time_begins_now(there: Registered) -> None:
    delete(there, purge=True)
    there.later(timedelta(days=3))
    first = there.run()
    there.later(timedelta(minutes=60))
    again = there.run()
    there.later(timedelta(minutes=60))
    last = there.run()

    assert steps(first) == ["ews.disallow", "secret.forget"]
    assert first["finish"]["at"] == again["finish"]["at"] == "2026-11-24T11:00:00Z"
    assert steps(last) == ["policy.remove", "group.remove"]
    check_gone(there.place, there.app_id, in_bin=False)


def test_a_dry_run_does_not_start_that_time(there: Registered) -> None:
    delete(there, purge=True)
    done = there.say("--dry-run")
    there.later()

    document = there.run()

    assert "stays until 2026-11-21 11:00 UTC" in done.out
    assert document["finish"]["at"] == "2026-11-21T13:00:00Z"


def test_without_a_journal_at_all(there: Registered) -> None:
    shutil.rmtree(there.place.home / "journal")

    first = there.run()
    there.later()
    last = there.run()

    assert steps(first) == ["secret.revoke", "consent.revoke", "application.delete", "secret.forget"]
    assert any("does not say that mimapp added it" in warning for warning in first["warnings"])
    assert steps(last) == ["policy.remove", "group.remove"]


def test_a_run_without_a_journal_that_dies_after_the_secret_still_removes_its_value(there: Registered) -> None:
    shutil.rmtree(there.place.home / "journal")

    def die(request: Any, _: Any) -> None:
        if request.url.path.endswith("/removePassword"):
            raise Death

    there.place.wire.after = die
    with pytest.raises(Death):
        there.run()
    there.place.wire.after = lambda _request, _response: None

    document = there.run()

    assert steps(document) == ["consent.revoke", "application.delete", "secret.forget"]
    assert not list((there.place.home / "secrets").glob("*/*"))


def test_from_a_machine_that_never_registered_it(there: Registered) -> None:
    other = Place(there.place.home.parent / "other", clock=there.place.clock, sandbox_home=there.place.home)
    unregister = ("unregister", "--mailbox", MAILBOX, "--yes", "--output", "json")
    first = other.remote(*unregister)
    there.later()
    last = other.remote(*unregister)
    other.close()

    assert steps(first.document) == ["secret.revoke", "consent.revoke", "application.delete"]
    assert steps(last.document) == ["policy.remove", "group.remove"]
    assert (first.code, last.code) == (0, 0)


def test_a_service_principal_that_outlived_its_application_loses_its_grant_and_goes(there: Registered) -> None:
    tenant = there.place.info.tenant_id
    with there.place.sandbox.state.transaction(write=False) as tx:
        (principal,) = tx.find(tenant, "servicePrincipal", appId=there.app_id)
        (grant,) = tx.find(tenant, "appRoleAssignment", appRoleId=FULL_ACCESS_AS_APP_ID)
    delete(there)
    with there.place.sandbox.state.transaction() as tx:
        for kind, record in (("servicePrincipal", principal), ("appRoleAssignment", grant)):
            tx.put(tenant, kind, record.id, record.body, settled=True)
    there.later()

    first = there.run()
    there.later()
    last = there.run()

    assert steps(first)[0] == "consent.revoke"
    assert "principal.delete" in steps(first)
    assert "policy.remove" not in steps(first)
    assert first["finish"]["at"] == "2026-11-21T13:00:00Z"
    assert steps(last) == ["policy.remove", "group.remove"]
    check_gone(there.place, there.app_id)


def test_a_group_that_is_all_that_is_left_goes_at_once(there: Registered) -> None:
    with there.exchange() as exchange:
        (policy,) = exchange.access_policies.list()
        exchange.access_policies.remove(policy.identity)
    delete(there, purge=True)
    there.later(timedelta(days=2))

    document = there.run()

    assert steps(document) == ["ews.disallow", "group.remove", "secret.forget"]
    assert document["complete"] is True


def remove_policy(there: Registered) -> None:
    with there.exchange() as exchange:
        (policy,) = exchange.access_policies.list()
        exchange.access_policies.remove(policy.identity)


def test_a_policy_that_was_listed_and_is_gone_keeps_its_group_for_the_tokens_alone(there: Registered) -> None:
    remove_policy(there)

    first = there.run()
    there.later()
    last = there.run()

    assert kept(first) == {f"the group {GROUP}": "a token issued before may still be valid"}
    assert steps(last) == ["group.remove"]


def test_a_policy_that_is_not_listed_yet_keeps_its_group(there: Registered) -> None:
    remove_policy(there)  # as the list would look in the first hours
    with there.place.connect() as tenant:
        tenant._journal.note_since(tenant.tenant_id, "mimservice", FENCE_NOTE, None)
    there.run()
    there.later()

    early = there.run()
    there.later(timedelta(hours=22))
    late = there.run()

    assert kept(early) == {f"the group {GROUP}": "its access policy was acknowledged and is not listed yet"}
    assert early["finish"]["at"] == "2026-11-22T09:00:00Z"
    assert steps(late) == ["group.remove"]


def revive(there: Registered) -> None:
    """The application is seen alive again, without our mark and key: by a replica that is behind, or by its truth."""
    tenant = there.place.info.tenant_id
    with there.place.sandbox.state.transaction() as tx:
        (record,) = tx.find(tenant, "application", deleted=True, appId=there.app_id)
        tx.put(tenant, "application", record.id, {**record.body, "tags": [], "uniqueName": None}, settled=True)


def test_an_id_that_is_seen_alive_while_its_tokens_may_live_is_waited_for(there: Registered) -> None:
    there.run()
    revive(there)
    there.later(timedelta(hours=1))
    early = there.run()
    there.later()

    late = there.run(code=3)

    assert kept(early)["the access policy"] == "a token issued before may still be valid"
    assert early["finish"]["at"] == "2026-11-21T11:00:00Z"
    assert kept(late)["the access policy"] == "an application that is not marked as ours has this id"
    assert f"--app-id {there.app_id}" in late["attention"][0]
    assert late["changes"] == []


def test_the_command_to_finish_names_the_tenant_where_the_mailbox_does_not(there: Registered) -> None:
    delete(there, purge=True)
    elsewhere = ("unregister", "--mailbox", "mim@fabrikam.example", "--registration", "mimservice", "--yes")

    document = there.place.remote(*elsewhere, "--output", "json").document

    assert document["finish"]["command"] == (
        "mimapp unregister --mailbox mim@fabrikam.example --registration mimservice --tenant contoso.onmicrosoft.com"
    )


def test_nothing_at_all_is_nothing_to_do(there: Registered) -> None:
    done = there.place.remote("unregister", "--mailbox", "other@contoso.onmicrosoft.com", "--yes", "--output", "json")

    assert (done.code, done.document["complete"], done.document["changes"]) == (0, True, [])
    assert there.place.wire.writes == []


def restore(there: Registered) -> None:
    done = there.place.remote("register", "--mailbox", MAILBOX, "--restore", "--yes", "--output", "json")
    assert done.code == 0, done.err
    assert done.document["applicationId"] == there.app_id


def test_it_can_be_restored_and_be_taken_away_again(there: Registered) -> None:
    there.run()
    there.later(TWO_HOURS)
    there.run()
    restore(there)

    document = there.run()

    assert steps(document) == ["secret.revoke", "consent.revoke", "ews.disallow", "application.delete", "secret.forget"]
    assert document["finish"]["at"] == "2026-11-21T13:00:00Z"


def test_what_was_restored_and_purged_by_others_is_not_gone_since_the_first_time(there: Registered) -> None:
    there.run()
    restore(there)
    there.later(TWO_HOURS)
    delete(there, purge=True)

    document = there.run()

    assert "policy.remove" not in steps(document)
    assert document["finish"]["at"] == "2026-11-21T13:00:00Z"
