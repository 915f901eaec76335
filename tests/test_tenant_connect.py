"""The library's way in: any credential, one for both services or one each, of the tenant that is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from azure.core.credentials import AccessToken

from mimapp.clouds import CLOUDS
from mimapp.errors import SignInError, UsageError
from mimapp.identity import Method, SignInOptions
from mimapp.provisioning.steps import Part
from mimapp.tenant import Tenant
from support.microsoft import CONTOSO, Machine
from support.player import unsigned_token
from support.tenants import Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mimapp.clouds import Cloud

TENANT = "5a6db0c0-0001-4c0a-8f00-c0de00000001"


class Own:
    """Any class with azure.core's protocol."""

    def __init__(self, name: str, tid: str = TENANT) -> None:
        self.token = AccessToken(unsigned_token({"tid": tid, "upn": name, "scp": "User.Read"}), 2**31)

    def get_token(self, *_scopes: str, **_: object) -> AccessToken:
        return self.token


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path / "home")
    yield made
    made.close()


def test_one_credential_for_both_services(machine: Machine) -> None:
    with Tenant.connect(
        CONTOSO, credential=Own("a@contoso.com"), home=machine.home, transport=machine.microsoft
    ) as tenant:
        assert (tenant.graph_operator.name, tenant.exchange_operator.name) == ("a@contoso.com", "a@contoso.com")
        assert tenant.tenant_id == TENANT
        assert tenant.cloud == CLOUDS["global"]


def test_a_credential_each_or_a_credential_and_a_method(machine: Machine) -> None:
    with Tenant.connect(
        CONTOSO,
        graph=Own("a@contoso.com"),
        exchange=Own("b@contoso.com"),
        home=machine.home,
        transport=machine.microsoft,
    ) as tenant:
        assert (tenant.graph_operator.name, tenant.exchange_operator.name) == ("a@contoso.com", "b@contoso.com")
    shown: list[str] = []
    with Tenant.connect(
        CONTOSO,
        credential=Own("a@contoso.com"),
        exchange=SignInOptions(method=Method.DEVICE_CODE),
        show_code=lambda code: shown.append(code.what),
        clock=machine.clock,
        home=machine.home,
        transport=machine.microsoft,
    ) as tenant:
        assert tenant.graph_operator.name == "a@contoso.com"
        assert tenant.exchange_operator.name == machine.info.administrator
    assert shown == ["Exchange Online"]


@pytest.mark.parametrize("service", ["graph", "exchange"])
def test_a_token_of_another_tenant_ends_it_before_a_request_is_sent(machine: Machine, service: str) -> None:
    other = Own("a@fabrikam.com", tid="99999999-0000-cccc-1111-dddd2222eeee")
    with pytest.raises(SignInError, match=f"of tenant 99999999.* for tenant {TENANT}"):
        Tenant.connect(
            CONTOSO,
            credential=Own("a@contoso.com"),
            home=machine.home,
            transport=machine.microsoft,
            **{service: other},  # type: ignore[arg-type]  # one of two names
        )
    assert len(machine.microsoft.requests) == 1, "the lookup of the tenant"


def test_the_cloud_is_told_before_anybody_signs_in(machine: Machine) -> None:
    told: list[tuple[Cloud, int]] = []

    class Asks(Own):
        def get_token(self, *scopes: str, **more: object) -> AccessToken:
            assert told, "before anybody signs in"
            return super().get_token(*scopes, **more)

    with Tenant.connect(
        CONTOSO,
        credential=Asks("a@contoso.com"),
        home=machine.home,
        transport=machine.microsoft,
        on_cloud=lambda found: told.append((found, len(machine.microsoft.requests))),
    ):
        assert told == [(CLOUDS["global"], 1)]


def test_a_wrong_cloud_is_refused(machine: Machine) -> None:
    with pytest.raises(SignInError, match="lives in Worldwide, not in US Government GCC High") as caught:
        Tenant.connect(
            CONTOSO,
            credential=Own("a@contoso.com"),
            cloud=CLOUDS["gcc-high"],
            home=machine.home,
            transport=machine.microsoft,
        )
    assert caught.value.hint == "choose --cloud global"


def test_nobody_to_show_a_code_to_is_said(machine: Machine) -> None:
    with pytest.raises(UsageError, match="nobody was named to show it to"):
        Tenant.connect(CONTOSO, home=machine.home, transport=machine.microsoft, clock=machine.clock)


def test_a_service_that_is_not_needed_may_be_one_that_cannot_be_signed_in_to(tmp_path: Path) -> None:
    place = Place(tmp_path / "home")
    way = SignInOptions(method=Method.AZURE_CLI)
    with place.connect(exchange=way, parts=frozenset({Part.ENTRA})) as tenant:
        assert tenant.registrations() == ()
        with pytest.raises(UsageError, match="azure-cli counts as reaching Microsoft Graph only"):
            tenant._exchange.organization.read()
    place.close()
