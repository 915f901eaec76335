"""Taking a registration away whose application has a role in Exchange: the role first, what limits it last."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from unregister_world import GROUP, Registered, kept, steps

from mimapp.exchange import EWS_ROLE, NewGroup, ServicePrincipalPointer
from mimapp.graph import ApplicationPatch
from mimapp.provisioning.unregister_fence import fence_of
from mimapp.provisioning.unregister_observe import observe_holdings
from support.gone import Watch, check_gone
from support.tenants import MAILBOX, Place
from support.units import make_unit

if TYPE_CHECKING:
    from pathlib import Path

OTHER = "other@contoso.onmicrosoft.com"


def test_the_role_goes_at_once_and_what_limits_it_two_hours_later(with_role: Registered) -> None:
    watch = Watch(with_role.place, with_role.app_id)

    first = with_role.run()
    assert steps(first) == ["secret.revoke", "role.remove", "ews.disallow", "application.delete", "secret.forget"]
    assert first["complete"] is False
    assert set(kept(first)) == {
        "Exchange's pointer to",
        "the management scope",
        f"the group {GROUP}",
    }
    assert {one["until"] for one in first["kept"]} == {"2026-11-21T11:00:00Z"}

    with_role.later(timedelta(hours=1, minutes=59))
    assert steps(with_role.run()) == []
    with_role.later(timedelta(minutes=1))
    last = with_role.run()

    assert steps(last) == ["scope.remove", "group.remove"]  # Exchange itself took its pointer with the principal
    assert last["complete"] is True
    assert watch.open_at == []
    check_gone(with_role.place, with_role.app_id)


def test_purged_at_once_what_limits_the_role_waits_all_the_same(with_role: Registered) -> None:
    assert with_role.run("--purge")["complete"] is False
    assert steps(with_role.run("--purge")) == []

    with_role.later()
    assert with_role.run("--purge")["complete"] is True
    check_gone(with_role.place, with_role.app_id, in_bin=False)


def test_an_assignment_that_outlived_its_application_is_found_by_its_name(with_role: Registered) -> None:
    with with_role.graph() as graph:
        graph.applications.delete(with_role.object_id)
        graph.deleted.purge(with_role.object_id)

    first = with_role.run()
    assert "role.remove" in steps(first)
    assert "a role that was taken away may act for two hours" in kept(first)["the management scope"]
    with_role.later()
    assert with_role.run()["complete"] is True
    check_gone(with_role.place, with_role.app_id, in_bin=False)


def test_a_role_that_somebody_gave_the_application_besides_goes_too(with_role: Registered) -> None:
    with with_role.exchange() as exchange:
        exchange.rbac.assign(with_role.application().app_id, EWS_ROLE, GROUP)

    assert steps(with_role.run()).count("role.remove") == 2


def test_a_scope_that_others_have_come_to_use_stays(with_role: Registered) -> None:
    done = with_role.place.remote("register", "--mailbox", OTHER, "--scope", "rbac", "--yes", "--output", "json")
    assert done.code == 0, done.err
    with with_role.exchange() as exchange:
        exchange.rbac.assign(done.document["servicePrincipalObjectId"], EWS_ROLE, scope="mimapp-mimservice")
    with_role.run(code=3)
    with_role.later()

    last = with_role.run(code=3)
    assert "other role assignments use it" in kept(last)["the management scope"]
    assert f"the group {GROUP}" in kept(last)


def test_restored_it_gets_its_role_again(with_role: Registered) -> None:
    with_role.run()

    done = with_role.place.remote("register", "--mailbox", MAILBOX, "--restore", "--yes", "--output", "json")
    assert done.code == 0, done.err
    assert done.document["scope"]["kind"] == "rbac"
    assert done.document["scope"]["stands"] is True
    assert "role.assign" in steps(done.document)


def test_a_pointer_that_outlives_the_principal_goes_with_the_rest(with_role: Registered) -> None:
    """Microsoft's page says that it goes by itself; where it does not, two hours are waited for as well."""
    with with_role.place.connect() as tenant:
        wanted = with_role.place.registration()
        seen = observe_holdings(tenant._services(wanted), wanted)
    now = with_role.place.clock.now()
    assert [one.app_id for one in seen.pointers] == [with_role.app_id]
    assert fence_of(wanted, seen, now).pointers == ()

    left = ServicePrincipalPointer(app_id=with_role.app_id, object_id="x", display_name="mimapp-mimservice")
    gone = replace(seen, application=None, held=(), roles=(), alive=frozenset(), pointers=(left,))
    assert fence_of(wanted, gone, now).pointers == (left,)


def test_lockdown_stops_an_application_with_a_role_and_names_it(with_role: Registered) -> None:
    done = with_role.place.remote("lockdown", "--mailbox", MAILBOX, "--yes", "--output", "json")

    assert done.code == 0, done.err
    assert done.document["signIn"] == "blocked"
    assert done.document["scope"] == "rbac"
    assert any("role in Exchange" in warning for warning in done.document["warnings"])


def test_another_role_in_exchange_goes_with_the_application_and_is_told(with_role: Registered) -> None:
    address = "elsewhere@contoso.onmicrosoft.com"
    with with_role.exchange() as exchange:
        exchange.groups.create(
            NewGroup(name="elsewhere", alias="elsewhere", address=address, members=(OTHER,), managed_by=(OTHER,))
        )
        exchange.rbac.assign(with_role.application().app_id, "Application Mail.Read", address)

    first = with_role.run()
    assert steps(first).count("role.remove") == 1
    assert any("also holds the role Application Mail.Read" in warning for warning in first["warnings"])


def test_an_application_that_was_taken_over_and_has_another_role_is_not_deleted_unasked(with_role: Registered) -> None:
    application = with_role.application()
    with with_role.graph() as graph:
        graph.applications.change(application.id, ApplicationPatch(tags=(*(application.tags or ()), "mimapp-adopted")))
    with with_role.exchange() as exchange:
        exchange.rbac.assign(application.app_id, "Application Mail.Read", GROUP)

    refused = with_role.say("--yes")
    assert refused.code == 6
    assert "role Application Mail.Read in Exchange" in refused.err


def test_with_an_administrative_unit_there_is_no_group_to_wait_for_and_the_unit_stays(tmp_path: Path) -> None:
    place = Place(tmp_path / "home")
    role = ("--scope", "rbac", "--administrative-unit", make_unit(place, MAILBOX))
    done = place.remote("register", "--mailbox", MAILBOX, "--yes", *role)
    assert done.code == 0, done.err
    there = Registered(place)

    assert "role.remove" in steps(there.run())
    there.later()
    assert there.run()["complete"] is True
    check_gone(place, there.app_id)
    place.close()
