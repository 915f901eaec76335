from __future__ import annotations

from typing import Any

import httpx
import pytest

from mimapp.clouds import CLOUDS, cloud
from mimapp.errors import BadReplyError, SignInError, UsageError
from mimapp.identity import TenantFacts, detect, discover
from mimapp.transport import Http, Patience
from support.clock import FakeClock
from support.player import playing

TENANT = "aaaabbbb-0000-cccc-1111-dddd2222eeee"


def document(**fields: Any) -> httpx.Response:
    issuer = f"https://login.microsoftonline.com/{TENANT.upper()}/v2.0"
    return httpx.Response(200, json={"issuer": issuer, **fields})


def answering(reply: httpx.Response) -> tuple[Http, list[str]]:
    hosts: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.netloc.decode())
        return reply

    return Http(Patience(FakeClock()), transport=httpx.MockTransport(answer)), hosts


def test_the_document_gives_the_tenants_id_and_its_cloud() -> None:
    http, _ = answering(document(tenant_region_scope="EU", cloud_instance_name="microsoftonline.com"))
    assert discover(http, cloud("global"), "contoso.com") == TenantFacts(
        tenant_id=TENANT,
        cloud_keys=frozenset({"global"}),
        region_scope="EU",
        region_sub_scope="",
        instance="microsoftonline.com",
    )


@pytest.mark.parametrize(
    ("fields", "keys"),
    [
        ({"tenant_region_scope": "NA", "tenant_region_sub_scope": "GCC"}, {"gcc"}),
        ({"tenant_region_scope": "USGov", "tenant_region_sub_scope": "DODCON"}, {"gcc-high"}),
        ({"tenant_region_scope": "USGov", "tenant_region_sub_scope": "DOD"}, {"dod"}),
        ({"tenant_region_scope": "USG"}, {"gcc-high", "dod"}),
        ({"cloud_instance_name": "microsoftonline.us"}, {"gcc-high", "dod"}),
        ({"cloud_instance_name": "partner.microsoftonline.cn", "tenant_region_scope": "AS"}, {"china"}),
        ({"tenant_region_scope": "FG"}, {"bleu"}),
        ({"tenant_region_scope": "GG2"}, {"delos"}),
        ({"cloud_instance_name": "microsoftonline.com"}, {"global"}),
        ({"cloud_instance_name": "microsoftonline.com", "tenant_region_sub_scope": "NEW"}, {"global", "gcc"}),
    ],
)
def test_the_clouds_that_fit_a_document(fields: dict[str, str], keys: set[str]) -> None:
    for key in keys:
        http, _ = answering(document(**fields))
        assert discover(http, cloud(key), "contoso.com").cloud_keys == keys
    for key in set(CLOUDS) - keys:
        http, _ = answering(document(**fields))
        with pytest.raises(SignInError) as caught:
            discover(http, cloud(key), "contoso.com")
        assert caught.value.hint is not None
        assert all(f"--cloud {right}" in caught.value.hint for right in keys)


def test_a_silent_document_leaves_the_clouds_of_the_host_that_answered() -> None:
    http, _ = answering(document())
    assert discover(http, cloud("china"), "contoso.com").cloud_keys == {"china"}


def test_a_gcc_high_tenant_found_through_the_worldwide_host_is_refused_with_its_cloud_named() -> None:
    with playing("login/discovery.gcc-high-asked-worldwide") as player:
        http = Http(Patience(FakeClock()), transport=player.transport)
        with pytest.raises(SignInError, match="lives in US Government GCC High, not in Worldwide") as caught:
            discover(http, cloud("global"), "contoso.us")
    assert caught.value.hint == "choose --cloud gcc-high"


def test_a_tenant_that_only_another_login_host_knows_is_found_there() -> None:
    with playing("login/discovery.china-asked-worldwide") as player:
        http = Http(Patience(FakeClock()), transport=player.transport)
        with pytest.raises(SignInError, match="lives in China") as caught:
            discover(http, cloud("global"), "contoso.partner.onmschina.cn")
    assert caught.value.hint == "choose --cloud china"


def test_a_tenant_that_nobody_knows() -> None:
    with playing("login/discovery.unknown") as player:
        http = Http(Patience(FakeClock()), transport=player.transport)
        with pytest.raises(SignInError, match=r"no tenant nowhere\.example") as caught:
            discover(http, cloud("global"), "nowhere.example")
    assert caught.value.explain == "AADSTS90002"


def test_a_private_login_host_is_asked_alone() -> None:
    http, hosts = answering(httpx.Response(400, json={"error_description": "AADSTS90002: not found"}))
    with pytest.raises(SignInError):
        discover(http, cloud("global").with_hosts(login="127.0.0.1:8443"), "nowhere.example")
    assert hosts == ["127.0.0.1:8443"]


def test_an_unreachable_cloud_is_no_reason_to_stop_looking() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "login.microsoftonline.us":
            raise httpx.ConnectError("no route")
        if request.url.host.endswith(".cn"):
            return document(cloud_instance_name="partner.microsoftonline.cn")
        return httpx.Response(400, json={"error_description": "AADSTS90002: not found"})

    http = Http(Patience(FakeClock()), transport=httpx.MockTransport(answer))
    found, facts = detect(http, "contoso.partner.onmschina.cn")
    assert (found.key, facts.tenant_id) == ("china", TENANT)


def test_without_a_choice_the_tenants_own_cloud_is_taken() -> None:
    http, hosts = answering(document(tenant_region_scope="NA", tenant_region_sub_scope="GCC"))
    found, _ = detect(http, "contoso.gov")
    assert found.key == "gcc"
    assert len(hosts) == 1


def test_a_cloud_that_entra_leaves_open_is_asked_for() -> None:
    http, _ = answering(document(tenant_region_scope="USGov"))
    with pytest.raises(UsageError, match="does not say which") as caught:
        detect(http, "contoso.us")
    assert caught.value.hint == "choose --cloud gcc-high or --cloud dod"


def test_detecting_a_tenant_that_nobody_knows() -> None:
    http, hosts = answering(httpx.Response(400, json={"error_description": "AADSTS90002: not found"}))
    with pytest.raises(SignInError, match="no tenant"):
        detect(http, "nowhere.example")
    assert len(hosts) == 5, "every login host once"


def test_another_refusal_is_told_as_it_is() -> None:
    http, _ = answering(httpx.Response(400, json={"error_description": "AADSTS90013: Invalid input."}))
    with pytest.raises(SignInError, match=r"AADSTS90013: Invalid input\."):
        discover(http, cloud("global"), "no domain")


@pytest.mark.parametrize(
    "reply",
    [
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[1]),
        httpx.Response(200, json={"issuer": "https://login.microsoftonline.com/common/v2.0"}),
        httpx.Response(200, json={}),
        httpx.Response(302, headers={"Location": "https://elsewhere.example"}),
        httpx.Response(403, text="<html>"),
    ],
)
def test_what_is_no_openid_configuration_is_said_so(reply: httpx.Response) -> None:
    http, _ = answering(reply)
    with pytest.raises(BadReplyError):
        discover(http, cloud("global"), "contoso.com")


def test_a_tenant_name_cannot_leave_its_place_in_the_address() -> None:
    paths: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.raw_path)
        return httpx.Response(400, json={"error": "invalid_request"})

    http = Http(Patience(FakeClock()), transport=httpx.MockTransport(answer))
    with pytest.raises(SignInError):
        discover(http, cloud("global"), "../common?x=1")
    assert paths == [b"/..%2Fcommon%3Fx%3D1/v2.0/.well-known/openid-configuration"]
