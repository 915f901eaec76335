"""Runs that begin on a fresh machine each time, as in Kubernetes: all they know is in the tenant and in Key Vault."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from mimapp.errors import StoreError
from mimapp.identity import Method, SignInOptions
from mimapp.rotation import HandOverState, HookCall, HookEnd, Hooks, Policy, Statement
from mimapp.secret import Secret
from mimapp.stores import FileStore, KeyVaultStore
from mimapp.transport import Http, Patience
from rotation.stage import DAY, Stage
from support.key_vault import NAME, URL, Operator, Vault
from support.tenants import Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mimapp.rotation import Outcome
    from mimapp.secret import SecretStore

NOW = Policy(if_due=True)


class Machines:
    """Fresh machines on one tenant and one vault."""

    def __init__(self, folder: Path) -> None:
        self.first = Place(folder / "tenant")
        self.stage = Stage(self.first)
        self.vault = Vault(self.first.clock)
        self.refuses = False
        self._folder = folder
        self._made = 0

    def fresh(self) -> Place:
        self._made += 1
        return Place(
            self._folder / f"machine-{self._made}", clock=self.first.clock, sandbox_home=self._folder / "tenant"
        )

    def store(self) -> KeyVaultStore:
        def answer(request: httpx.Request) -> httpx.Response:
            if self.refuses and request.method == "PUT":
                raise httpx.ConnectError("nobody listens", request=request)
            return self.vault(request)

        http = Http(Patience(self.first.clock, limit=timedelta(minutes=2)), transport=httpx.MockTransport(answer))
        return KeyVaultStore(URL, credential=Operator(), http=http)

    def rotate(self, place: Place, policy: Policy, hooks: Hooks, *more: SecretStore) -> Outcome:
        options = self.operator(place)
        wanted = place.registration(store=self.store()).stored_in((self.store(), *more))
        try:
            with place.connect(graph=options, exchange=options) as tenant, tenant.rotation(wanted) as rotation:
                return rotation.rotate(rotation.plan(policy, hooks), hooks)
        finally:
            place.close()

    def operator(self, place: Place) -> SignInOptions:
        info = place.info
        return SignInOptions(
            method=Method.CLIENT_SECRET, client_id=info.operator_client_id, secret=Secret(info.operator_client_secret)
        )

    def confirm(self, place: Place, key_id: str) -> None:
        options = self.operator(place)
        wanted = place.registration(store=self.store())
        with place.connect(graph=options, exchange=options) as tenant, tenant.rotation(wanted) as rotation:
            rotation.confirm(Statement(key_id=key_id, by="an administrator"))
        place.close()


class Installs:
    """A deploy hook that always succeeds."""

    name = "deploy"

    def check(self) -> None:
        """It can be called."""

    def run(self, call: HookCall) -> HookEnd:
        del call
        return HookEnd(succeeded=True, words="ended with 0")


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    made = Machines(tmp_path)
    with made.first.connect() as tenant:
        wanted = made.first.registration(store=made.store())
        assert tenant.apply(tenant.plan(wanted)).failed is None
    made.first.clock.advance(DAY)
    yield made
    made.first.close()


@pytest.mark.parametrize("way", ["hook", "person"])
def test_evidence_beside_the_secret_is_known_on_a_fresh_machine(machines: Machines, way: str) -> None:
    (old,) = machines.stage.key_ids()
    issued = machines.rotate(machines.fresh(), Policy(), Hooks(deploy=Installs()) if way == "hook" else Hooks())
    assert issued.failed is None
    assert issued.secret is not None
    new = issued.secret.key_id
    if way == "person":
        assert issued.handover.state is HandOverState.WAITING
        machines.confirm(machines.fresh(), new)
    assert machines.rotate(machines.fresh(), NOW, Hooks()).handover.state is HandOverState.DONE

    machines.first.clock.advance(15 * DAY)
    later = machines.rotate(machines.fresh(), NOW, Hooks())

    assert (later.issued, later.retired) == (False, (old,))
    assert machines.stage.key_ids() == [new]
    enabled = {
        version["tags"]["mimapp-key-id"]: version["attributes"]["enabled"] for version in machines.vault.secrets[NAME]
    }
    assert enabled == {old: False, new: True}


def test_without_evidence_a_fresh_machine_takes_nothing_away(machines: Machines) -> None:
    machines.rotate(machines.fresh(), Policy(), Hooks())
    machines.first.clock.advance(30 * DAY)
    later = machines.rotate(machines.fresh(), NOW, Hooks())
    assert (later.issued, later.retired, later.handover.state) == (False, (), HandOverState.WAITING)
    assert len(machines.stage.key_ids()) == 2


def test_a_store_that_refuses_is_named_with_the_one_that_holds_it_and_has_it_in_the_next_run(
    machines: Machines, tmp_path: Path
) -> None:
    place = machines.fresh()
    file = FileStore(tmp_path / "beside.json")
    machines.refuses = True
    broken = machines.rotate(place, Policy(), Hooks(), file)
    assert broken.failed is not None
    _, error = broken.failed
    assert isinstance(error, StoreError)
    assert f"is in {file.uri}, and not in every store" in str(error)
    assert any("mim" in line for line in error.details)
    assert len(machines.stage.key_ids()) == 2

    machines.refuses = False
    again = machines.rotate(
        Place(place.home, clock=machines.first.clock, sandbox_home=machines.first.home), NOW, Hooks(), file
    )
    assert (again.failed, again.issued) == (None, False)
    assert again.secret is not None
    assert set(again.secret.stores) == {f"keyvault:{URL}", file.uri}
    assert len(machines.stage.key_ids()) == 2


def test_when_no_store_takes_it_it_is_revoked_and_that_is_said(machines: Machines) -> None:
    before = machines.stage.key_ids()
    machines.refuses = True
    broken = machines.rotate(machines.fresh(), Policy(), Hooks())
    assert broken.failed is not None
    assert "it was revoked again" in broken.failed[1].details
    assert machines.stage.key_ids() == before
