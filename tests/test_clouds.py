from __future__ import annotations

from datetime import date

import pytest

from mimapp.clouds import CLOUDS, Cloud, cloud
from mimapp.errors import UsageError


def test_the_clouds_of_the_contract_are_there_under_their_keys() -> None:
    assert list(CLOUDS) == ["global", "gcc", "gcc-high", "dod", "china", "bleu", "delos"]
    assert all(key == row.key for key, row in CLOUDS.items())


@pytest.mark.parametrize("row", CLOUDS.values(), ids=lambda row: row.key)
def test_every_row_asks_tokens_for_its_own_hosts_over_tls(row: Cloud) -> None:
    assert row.graph_scope == f"{row.graph}/.default"
    assert row.exchange_scope == f"{row.exchange}/.default"
    assert all(url.startswith("https://") and url.count("/") == 2 for url in (row.login, row.graph, row.exchange))
    assert len(row.hosts) == 3


def test_only_gcc_shares_its_hosts_with_the_worldwide_cloud() -> None:
    assert {key for key, row in CLOUDS.items() if row.graph == CLOUDS["global"].graph} == {"global", "gcc"}
    assert len({row.exchange for row in CLOUDS.values()}) == len(CLOUDS) - 1


def test_an_unknown_end_of_ews_is_said_so() -> None:
    assert CLOUDS["global"].ews_ends == date(2027, 4, 1)
    for row in CLOUDS.values():
        assert row.ews_ends is not None or any("end of EWS" in text for text in row.unknowns)
        assert row.allow_list_in_force is not None or row.unknowns


def test_a_cloud_that_nobody_knows_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(UsageError, match="'moon'") as caught:
        cloud("moon")
    assert caught.value.hint is not None
    assert "gcc-high" in caught.value.hint


def test_an_overridden_host_moves_requests_and_leaves_scopes() -> None:
    moved = cloud("china").with_hosts(exchange="outlook.office365.cn", login="https://127.0.0.1:8443/")
    assert moved.exchange == "https://outlook.office365.cn"
    assert moved.login == "https://127.0.0.1:8443"
    assert moved.exchange_scope == "https://partner.outlook.cn/.default"
    assert moved.hosts == {"127.0.0.1:8443", "microsoftgraph.chinacloudapi.cn", "outlook.office365.cn"}
    assert moved.overridden == {"login", "exchange"}
    assert cloud("china").overridden == frozenset()


def test_a_scope_follows_when_it_is_given() -> None:
    moved = cloud("global").with_hosts(graph="graph.example", graph_scope="https://graph.example/.default")
    assert moved.graph_scope == "https://graph.example/.default"


def test_naming_the_clouds_own_host_overrides_nothing() -> None:
    assert cloud("global").with_hosts(graph="graph.microsoft.com:443").overridden == frozenset()


@pytest.mark.parametrize(
    "text",
    ["http://graph.example", "graph.example/v1.0", "https://", "a:b:c", "user@graph.example", "graph.example?x=1"],
)
def test_what_is_no_https_host_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="graph host"):
        cloud("global").with_hosts(graph=text)


def test_an_authority_names_the_tenant() -> None:
    assert cloud("gcc-high").authority("contoso.us") == "https://login.microsoftonline.us/contoso.us"
