"""Taking a registration away whose application has a role in Exchange: the role first, what limits it last."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from unregister_world import GROUP, Registered, kept, steps

from mimapp.exchange import EWS_ROLE, ServicePrincipalPointer
from mimapp.provisioning.unregister_fence import fence_of
from mimapp.provisioning.unregister_observe import observe_holdings
from support.gone import Watch, check_gone
from support.tenants import MAILBOX, Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REGISTER = ("register", "--mailbox", MAILBOX, "--scope", "rbac", "--management-scope", "--yes", "--output", "json")
OTHER = "other@contoso.onmicrosoft.com"


@pytest.fixture(scope="session")
def role_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("role") / "home"
    place = Place(home)
    done = place.remote(*REGISTER)
    place.close()
    assert done.code == 0, done.err
    return home


@pytest.fixture
def there(role_home: Path, tmp_path: Path) -> Iterator[Registered]:
    """A calm tenant in which the registration stands with a role, limited by a management scope."""
    home = tmp_path / "home"
    shutil.copytree(role_home, home)
    place = Place(home)
    yield Registered(place)
    place.close()


def test_the_role_goes_at_once_and_what_limits_it_two_hours_later(there: Registered) -> None:
    watch = Watch(there.place, there.app_id)

    first = there.run()
    assert steps(first) == ["secret.revoke", "role.remove", "ews.disallow", "application.delete", "secret.forget"]
    assert first["complete"] is False
    assert set(kept(first)) == {
        "Exchange's pointer to",
        "the management scope",
        f"the group {GROUP}",
    }
    assert {one["until"] for one in first["kept"]} == {"2026-11-21T11:00:00Z"}

    there.later(timedelta(hours=1, minutes=59))
    assert steps(there.run()) == []
    there.later(timedelta(minutes=1))
    last = there.run()

    assert steps(last) == ["scope.remove", "group.remove"]  # Exchange itself took its pointer with the principal
    assert last["complete"] is True
    assert watch.open_at == []
    check_gone(there.place, there.app_id)


def test_purged_at_once_what_limits_the_role_waits_all_the_same(there: Registered) -> None:
    assert there.run("--purge")["complete"] is False
    assert steps(there.run("--purge")) == []

    there.later()
    assert there.run("--purge")["complete"] is True
    check_gone(there.place, there.app_id, in_bin=False)


def test_an_assignment_that_outlived_its_application_is_found_by_its_name(there: Registered) -> None:
    with there.graph() as graph:
        graph.applications.delete(there.object_id)
        graph.deleted.purge(there.object_id)

    first = there.run()
    assert "role.remove" in steps(first)
    assert "a role that was taken away may act for two hours" in kept(first)["the management scope"]
    there.later()
    assert there.run()["complete"] is True
    check_gone(there.place, there.app_id, in_bin=False)


def test_a_role_that_somebody_gave_the_application_besides_goes_too(there: Registered) -> None:
    with there.exchange() as exchange:
        exchange.rbac.assign(there.application().app_id, EWS_ROLE, GROUP)

    assert steps(there.run()).count("role.remove") == 2


def test_a_scope_that_others_have_come_to_use_stays(there: Registered) -> None:
    done = there.place.remote("register", "--mailbox", OTHER, "--scope", "rbac", "--yes", "--output", "json")
    assert done.code == 0, done.err
    with there.exchange() as exchange:
        exchange.rbac.assign(done.document["servicePrincipalObjectId"], EWS_ROLE, scope="mimapp-mimservice")
    there.run(code=3)
    there.later()

    last = there.run(code=3)
    assert "other role assignments use it" in kept(last)["the management scope"]
    assert f"the group {GROUP}" in kept(last)


def test_restored_it_gets_its_role_again(there: Registered) -> None:
    there.run()

    done = there.place.remote("register", "--mailbox", MAILBOX, "--restore", "--yes", "--output", "json")
    assert done.code == 0, done.err
    assert done.document["scope"]["kind"] == "rbac"
    assert done.document["scope"]["stands"] is True
    assert "role.assign" in steps(done.document)


def test_a_pointer_that_outlives_the_principal_goes_with_the_rest(there: Registered) -> None:
    """Microsoft's page says that it goes by itself; where it does not, two hours are waited for as well."""
    with there.place.connect() as tenant:
        wanted = there.place.registration()
        seen = observe_holdings(tenant._services(wanted), wanted)
    now = there.place.clock.now()
    assert [one.app_id for one in seen.pointers] == [there.app_id]
    assert fence_of(wanted, seen, now).pointers == ()

    left = ServicePrincipalPointer(app_id=there.app_id, object_id="x", display_name="mimapp-mimservice")
    gone = replace(seen, application=None, held=(), roles=(), alive=frozenset(), pointers=(left,))
    assert fence_of(wanted, gone, now).pointers == (left,)


def test_lockdown_stops_an_application_with_a_role_and_names_it(there: Registered) -> None:
    done = there.place.remote("lockdown", "--mailbox", MAILBOX, "--yes", "--output", "json")

    assert done.code == 0, done.err
    assert done.document["signIn"] == "blocked"
    assert done.document["scope"] == "rbac"
    assert any("role in Exchange" in warning for warning in done.document["warnings"])
