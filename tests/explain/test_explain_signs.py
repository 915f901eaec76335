"""Each sign, found in a tenant in which it is there, by the look that is to find it, and not in a right one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from mimapp.checks.explain_look import Looker
from mimapp.clouds import CLOUDS
from mimapp.graph.applications import ApplicationPatch
from mimapp.host.explanation import LiveCheck, Sign
from mimapp.sandbox.exchange import store
from mimapp.sandbox.exchange.models import UserAgentPolicy, UserAgentRule
from mimapp.sandbox.obstacles import MailboxKind, change_mailbox
from mimapp.sandbox.scenarios import EwsState, set_ews_state
from mimapp.stores import default_store
from support.tenants import CONTOSO, MAILBOX, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mimapp.checks.explain_look import Seen
    from mimapp.graph import Application
    from mimapp.tenant import Tenant

OTHER = f"other@{CONTOSO}"
GROUP = f"mimapp-mimservice@{CONTOSO}"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Registered yesterday, with nothing under way."""
    made = Place(tmp_path / "home")
    done = made.remote("register", "--mailbox", MAILBOX, "--yes")
    assert done.code == 0, done.err
    made.clock.advance(timedelta(hours=25))
    yield made
    made.close()


def look(place: Place, check: LiveCheck, *, cloud: str = "global") -> Seen:
    with place.connect() as tenant:
        wanted = place.registration().stored_in(())
        here = tenant.cloud
        lives_in = CLOUDS[cloud].with_hosts(login=here.login, graph=here.graph, exchange=here.exchange)
        return Looker(replace(tenant._services(wanted), cloud=lives_in), wanted, "").look(check)


def _application(tenant: Tenant) -> Application:
    return tenant._graph.applications.by_tag("mimapp:mimservice")[0]


def _patched(patch: ApplicationPatch) -> Callable[[Place], None]:
    def prepare(place: Place) -> None:
        with place.connect() as tenant:
            tenant._graph.applications.change(_application(tenant).id, patch)

    return prepare


def _without_principal(place: Place) -> None:
    with place.connect() as tenant:
        principal = tenant._graph.service_principals.by_app_id(_application(tenant).app_id)
        assert principal is not None
        tenant._graph.service_principals.delete(principal.id)


def _agents(place: Place) -> None:
    agents = UserAgentPolicy(rule=UserAgentRule.BLOCK, allowed=(), blocked=("OWA/*",))
    with place.sandbox.state.transaction() as tx:
        directory = store.load(tx, place.info.tenant_id)
        assert directory is not None
        store.put(tx, place.info.tenant_id, replace(directory.organization, user_agents=agents), settled=True)


def _moved_out(place: Place) -> None:
    with place.connect() as tenant:
        tenant._exchange.groups.remove_member(GROUP, MAILBOX)
        tenant._exchange.groups.add_member(GROUP, OTHER)


def _kind(kind: MailboxKind) -> Callable[[Place], None]:
    def prepare(place: Place) -> None:
        change_mailbox(place.sandbox, kind)

    return prepare


def _ews(state: EwsState) -> Callable[[Place], None]:
    def prepare(place: Place) -> None:
        set_ews_state(place.sandbox, state)

    return prepare


CASES: dict[Sign, Callable[[Place], None]] = {
    Sign.NO_PRINCIPAL: _without_principal,
    Sign.PUBLIC_CLIENT: _patched(ApplicationPatch(is_fallback_public_client=True)),
    Sign.NO_PERMISSION: _patched(ApplicationPatch(required_resource_access=())),
    Sign.NO_CONSENT: _without_principal,
    Sign.UNLICENSED: _kind(MailboxKind.UNLICENSED),
    Sign.ON_PREMISES: _kind(MailboxKind.MAIL_USER),
    Sign.NO_MAILBOX: _kind(MailboxKind.SOFT_DELETED),
    Sign.SWITCHED_OFF: _ews(EwsState.MAILBOX_OFF),
    Sign.EWS_OFF: _ews(EwsState.FALSE_LIST),
    Sign.NOT_LISTED: _ews(EwsState.TRUE_LIST),
    Sign.AGENTS: _agents,
    Sign.MISSED: _moved_out,
    Sign.CONTRADICTED: _moved_out,
    Sign.DENIED: _ews(EwsState.FALSE_LIST),
}


@pytest.mark.parametrize("sign", CASES, ids=lambda sign: sign.name)
def test_a_sign_is_found_where_it_is(place: Place, sign: Sign) -> None:
    CASES[sign](place)
    place.clock.advance(timedelta(hours=25))
    assert sign in _stored(place, sign.check).signs


def _stored(place: Place, check: LiveCheck) -> Seen:
    """A look with the store that register used."""
    with place.connect() as tenant:
        kept = default_store(place.home, tenant.tenant_id, "mimservice")
        wanted = place.registration().stored_in((kept,))
        return Looker(tenant._services(wanted), wanted, "").look(check)


def test_a_right_tenant_shows_no_cause(place: Place) -> None:
    shown = [sign for check in LiveCheck for sign in _stored(place, check).signs if sign.is_proof]
    assert shown == []


def test_another_cloud(place: Place) -> None:
    assert Sign.OTHER_CLOUD in look(place, LiveCheck.CLOUD, cloud="gcc-high").signs
    assert look(place, LiveCheck.CLOUD, cloud="gcc").signs == {}


def test_what_is_under_way(tmp_path: Path) -> None:
    place = Place(tmp_path / "home")
    place.remote("register", "--mailbox", MAILBOX, "--yes")
    assert Sign.SCOPE_SOON in look(place, LiveCheck.SCOPE).signs
    assert Sign.EWS_SOON in look(place, LiveCheck.EWS).signs
    assert Sign.NEW in look(place, LiveCheck.SECRET).signs
    place.close()


def test_a_role_in_exchange_is_a_right(tmp_path: Path) -> None:
    place = Place(tmp_path / "home")
    done = place.remote("register", "--mailbox", MAILBOX, "--yes", "--scope", "rbac")
    assert done.code == 0, done.err
    seen = look(place, LiveCheck.CONSENT)
    assert seen.signs == {}
    assert "in Exchange is the right" in seen.found
    place.close()
