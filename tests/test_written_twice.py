"""What the sandbox and the rest of mimapp each wrote down from its source is the same: they share no line of code."""

from __future__ import annotations

import pytest

from mimapp import clouds
from mimapp.cli import sign_in
from mimapp.exchange import rbac
from mimapp.graph import wellknown
from mimapp.identity import operator
from mimapp.sandbox import catalog, directory_roles, seed
from mimapp.sandbox.exchange import access
from mimapp.sandbox.login import clients, residence
from mimapp.tenant import REGISTER_PERMISSIONS

GLOBAL = clouds.CLOUDS[clouds.DEFAULT_CLOUD]
PAIRS = {
    "Exchange Online": (wellknown.EXCHANGE_ONLINE_APP_ID, catalog.EXCHANGE.app_id),
    "Microsoft Graph": (wellknown.MICROSOFT_GRAPH_APP_ID, catalog.GRAPH.app_id),
    "full_access_as_app": (
        wellknown.FULL_ACCESS_AS_APP_ID,
        catalog.EXCHANGE.role(wellknown.FULL_ACCESS_AS_APP).id,
    ),
    "EWS.AccessAsUser.All": (
        wellknown.EWS_ACCESS_AS_USER_ALL_ID,
        catalog.EXCHANGE.scope("EWS.AccessAsUser.All").id,
    ),
    "Exchange.ManageAsApp": (
        wellknown.EXCHANGE_MANAGE_AS_APP_ID,
        catalog.EXCHANGE.role("Exchange.ManageAsApp").id,
    ),
    "User.Read": (wellknown.USER_READ_ID, catalog.GRAPH.scope("User.Read").id),
    "Mail.Send": (wellknown.MAIL_SEND_ID, catalog.GRAPH.role("Mail.Send").id),
    "Mail.ReadWrite": (wellknown.MAIL_READ_WRITE_ID, catalog.GRAPH.role("Mail.ReadWrite").id),
    "Mail.Read": (wellknown.MAIL_READ_ID, catalog.GRAPH.role("Mail.Read").id),
    "Global Administrator": (wellknown.GLOBAL_ADMINISTRATOR, directory_roles.GLOBAL_ADMINISTRATOR),
    "Application Administrator": (wellknown.APPLICATION_ADMINISTRATOR, directory_roles.APPLICATION_ADMINISTRATOR),
    "Exchange Administrator": (wellknown.EXCHANGE_ADMINISTRATOR, directory_roles.EXCHANGE_ADMINISTRATOR),
    "the client of Graph's tools": (operator.GRAPH_CLIENT_ID, clients.GRAPH_COMMAND_LINE),
    "the client of Exchange's tools": (operator.EXCHANGE_CLIENT_ID, clients.EXCHANGE_POWERSHELL),
    "the client of the Azure CLI": (operator.AZURE_CLI_CLIENT_ID, clients.AZURE_CLI),
    "the RBAC role for EWS": (rbac.EWS_ROLE, access.EWS_ROLE),
}


@pytest.mark.parametrize(("ours", "theirs"), PAIRS.values(), ids=PAIRS)
def test_an_id_is_the_same_on_both_sides(ours: str, theirs: str) -> None:
    assert ours == theirs


@pytest.mark.parametrize(
    ("scope", "service"),
    [(GLOBAL.graph_scope, catalog.GRAPH), (GLOBAL.exchange_scope, catalog.EXCHANGE)],
    ids=["Graph", "Exchange"],
)
def test_a_scope_of_the_worldwide_cloud_is_one_of_the_services(scope: str, service: catalog.FirstPartyService) -> None:
    assert scope.removesuffix("/.default") in service.resource_uris


@pytest.mark.parametrize("cloud", clouds.CLOUDS.values(), ids=lambda cloud: cloud.key)
def test_a_scope_of_every_cloud_is_known_to_the_sandbox(cloud: clouds.Cloud) -> None:
    pairs = ((cloud.graph_scope, catalog.GRAPH), (cloud.exchange_scope, catalog.EXCHANGE))
    for scope, service in pairs:
        assert scope.removesuffix("/.default") in service.resource_uris | service.national_uris


@pytest.mark.parametrize("cloud", clouds.CLOUDS.values(), ids=lambda cloud: cloud.key)
def test_where_a_tenant_lives_is_known_by_the_same_names(cloud: clouds.Cloud) -> None:
    assert f"https://{residence.RESIDENCES[cloud.key].graph_host}" == cloud.graph


@pytest.mark.parametrize("permission", REGISTER_PERMISSIONS)
def test_a_permission_that_register_asks_a_person_for_exists(permission: str) -> None:
    assert catalog.GRAPH.scope(permission).id


def test_the_public_secret_begins_as_the_guard_before_real_hosts_expects() -> None:
    assert seed.OPERATOR_CLIENT_SECRET.startswith(sign_in._SANDBOX_SECRET)
