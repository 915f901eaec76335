from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from mimapp.sandbox.graph import errors
from mimapp.sandbox.graph.path import Key, matches, parse_path
from mimapp.sandbox.graph.query import parse_query

if TYPE_CHECKING:
    import httpx
    from sandbox_world import World

THINGS = [
    {"id": "1", "displayName": "Alpha", "tags": ["mim", "x"], "enabled": True, "deep": {"er": "Yes"}, "_hidden": "h"},
    {"id": "2", "displayName": "it's beta", "tags": [], "enabled": False, "deep": None},
    {"id": "3", "displayName": "Alphabet", "tags": ["MIM"], "enabled": True, "deep": {"er": None}},
]


def wanted(text: str, *, eventual: bool = False) -> list[str]:
    query = f"$filter={text}" + ("&$count=true" if eventual else "")
    parsed = parse_query(query, consistency_level="eventual" if eventual else None)
    return [str(thing["id"]) for thing in THINGS if parsed.test(thing)]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("displayName eq 'alpha'", "1"),
        ("displayName%20eq%20'it''s beta'", "2"),
        ("startswith(displayName,'ALPHA')", "13"),
        ("startswith(displayName%2C%27alpha%27)", "13"),
        ("tags/any(t:t eq 'mim')", "13"),
        ("tags/any(t: t eq 'none')", ""),
        ("tags/any(t:startswith(t,'MI'))", "13"),
        ("enabled eq true", "13"),
        ("enabled eq true and startswith(displayName,'Alphab')", "3"),
        ("displayName eq 'Alpha' or enabled eq false", "12"),
        ("(displayName eq 'Alpha' or enabled eq false) and enabled eq true", "1"),
        ("deep/er eq 'yes'", "1"),
        ("deep/er eq null", "23"),
        ("hidden eq 'h'", "1"),
        ("id in ('1','3')", "13"),
    ],
)
def test_filters_that_recordings_use(text: str, ids: str) -> None:
    assert "".join(wanted(text)) == ids


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("displayName ne 'Alpha'", "23"),
        ("not startswith(displayName,'alpha')", "2"),
        ("endswith(displayName,'BET')", "3"),
    ],
)
def test_advanced_filters_need_their_header(text: str, ids: str) -> None:
    assert "".join(wanted(text, eventual=True)) == ids
    with pytest.raises(errors.GraphError) as refused:
        wanted(text)
    assert (refused.value.status, refused.value.code) == (400, "Request_UnsupportedQuery")


@pytest.mark.parametrize(
    "text",
    [
        "displayName",
        "displayName gt 'x'",
        "displayName eq",
        "eq 'x'",
        "tags/any(t:x eq 'y')",
        "tags/any(t:startswith(x,'y'))",
        "displayName eq ~",
        "displayName eq 'a' b",
        "(",
    ],
)
def test_filter_that_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(errors.GraphError) as refused:
        wanted(text)
    assert refused.value.status == 400


@pytest.mark.parametrize("query", ["$top=0", "$top=1000", "$top=x", "$apply=x", "$skiptoken=%F0%9F", "$search=x"])
def test_options_out_of_bounds_are_refused(query: str) -> None:
    with pytest.raises(errors.GraphError) as refused:
        parse_query(query, consistency_level=None)
    assert refused.value.status == 400


def test_search_needs_its_header_too() -> None:
    parsed = parse_query('$search="displayName:BETA"', consistency_level="eventual")
    assert [thing["id"] for thing in THINGS if parsed.test(thing)] == ["2"]


@pytest.mark.parametrize(
    ("path", "template", "keys"),
    [
        ("/applications", "applications", ()),
        ("/Applications/abc", "applications/{}", (Key("abc"),)),
        ("/applications('abc')", "applications/{}", (Key("abc"),)),
        ("/applications(uniqueName='it''s a/b')", "applications/{}", (Key("it's a/b", "uniqueName"),)),
        ("/applications(appId='x')/addPassword", "applications/{}/addPassword", (Key("x", "appId"),)),
        ("/applications/a/owners/b/$ref", "applications/{}/owners/{}/$ref", (Key("a"), Key("b"))),
        ("/applications/a/owners/$ref", "applications/{}/owners/{}", None),
        ("/applications/a", "applications", None),
        ("/groups/a", "applications/{}", None),
    ],
)
def test_paths_with_keys_of_every_form(path: str, template: str, keys: tuple[Key, ...] | None) -> None:
    assert matches(template, parse_path(path)) == keys


def test_headers_of_every_reply(world: World) -> None:
    sent = str(uuid.uuid4())
    replies = [
        world.call("GET", "/organization", client_request_id=sent),
        world.call("GET", "/applications/nobody", client_request_id=sent),
        world.call("DELETE", f"/applications/{world.application()['id']}", client_request_id=sent),
    ]
    assert [reply.status_code for reply in replies] == [200, 404, 204]
    for reply in replies:
        assert reply.headers["client-request-id"] == sent
        assert str(uuid.UUID(reply.headers["request-id"])) == reply.headers["request-id"]
        assert reply.headers["cache-control"] == "no-cache"
        assert "DataCenter" in reply.headers["x-ms-ags-diagnostic"]
    found, missing, gone = replies
    assert "odata.metadata=minimal" in found.headers["content-type"]
    assert found.headers["odata-version"] == "4.0"
    assert missing.headers["content-type"] == "application/json"
    assert missing.json()["error"]["innerError"] == {
        "date": "2026-11-21T09:00:00",
        "request-id": missing.headers["request-id"],
        "client-request-id": sent,
    }
    assert gone.content == b""


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 400, "BadRequest"),
        ("PUT", "/applications", 405, "Request_BadRequest"),
        ("POST", "/applications", 400, "Request_BadRequest"),
    ],
)
def test_calls_that_make_no_sense(world: World, method: str, path: str, status: int, code: str) -> None:
    reply = world.call(method, path, json={} if method == "POST" else None)
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize("body", ["{", "[1]", '"x"'])
def test_body_that_is_no_object_is_refused(world: World, body: str) -> None:
    header = {"authorization": f"Bearer {world.operator_token()}"}
    reply = world.http.post("/v1.0/applications", content=body, headers=header)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "BadRequest")


@pytest.mark.parametrize(
    ("token", "text"),
    [("", "Access token is empty."), ("abc", "CompactToken parsing failed with error code: 80049217")],
)
def test_bad_token_is_told_where_to_get_a_good_one(world: World, token: str, text: str) -> None:
    reply = world.http.get("/v1.0/organization", headers={"authorization": f"Bearer {token}"})
    assert (reply.status_code, reply.json()["error"]["message"]) == (401, text)
    assert reply.headers["www-authenticate"].startswith("Bearer ")


def test_pages_are_followed_to_the_end(world: World) -> None:
    made = {world.application(displayName=f"page {n:02}")["id"] for n in range(7)}
    url: str | None = "/v1.0/applications?$top=3&$filter=startswith(displayName,'page')&$count=true"
    header = {"authorization": f"Bearer {world.operator_token()}"}
    seen: list[str] = []
    sizes: list[int] = []
    while url is not None:
        page = world.http.get(url, headers=header).json()
        assert page["@odata.count"] == 7
        sizes.append(len(page["value"]))
        seen += [item["id"] for item in page["value"]]
        url = page.get("@odata.nextLink")
    assert sizes == [3, 3, 1]
    assert (set(seen), len(seen)) == (made, 7)


def test_select_and_order(world: World) -> None:
    for name in ("b", "C", "a"):
        world.application(displayName=name)
    page = world.call("GET", "/applications?$select=id,displayName&$orderby=displayName desc&$top=3").json()
    assert page["@odata.context"].endswith("$metadata#applications(id,displayName)")
    assert [item["displayName"] for item in page["value"]] == ["Sandbox operator", "C", "b"]
    assert set(page["value"][0]) == {"id", "displayName"}
    one = world.call("GET", f"/applications/{page['value'][1]['id']}?$select=appId").json()
    assert set(one) == {"@odata.context", "appId"}


def test_what_the_sandbox_keeps_for_itself_never_shows(world: World) -> None:
    app = world.application()
    world.call("POST", f"/applications/{app['id']}/addPassword", json={})
    for path in (f"/applications/{app['id']}", "/applications", f"/applications/{app['id']}?$select=id,secrets,owners"):
        text = world.call("GET", path).text
        assert "digest" not in text
        assert '"_' not in text


def batch(world: World, *requests: dict[str, Any]) -> dict[str, Any]:
    reply = world.call("POST", "/$batch", json={"requests": list(requests)})
    assert reply.status_code == 200
    return {answer["id"]: answer for answer in reply.json()["responses"]}


def test_batch_runs_each_by_itself(world: World) -> None:
    json = {"Content-Type": "application/json"}
    made = {"id": "1", "method": "POST", "url": "/applications", "headers": json, "body": {"displayName": "in a batch"}}
    answers = batch(
        world,
        made,
        {"id": "2", "method": "GET", "url": "applications?$filter=displayName%20eq%20'in%20a%20batch'"},
        {"id": "3", "method": "GET", "url": "/applications/nobody"},
        {"id": "4", "method": "GET", "url": "/organization", "dependsOn": ["3"]},
        {"id": "5", "method": "POST", "url": "/applications", "body": {"displayName": "x"}},
    )
    assert [answers[id_]["status"] for id_ in "12345"] == [201, 200, 404, 424, 400]
    assert len(answers["2"]["body"]["value"]) == 1
    assert answers["3"]["body"]["error"]["code"] == "Request_ResourceNotFound"
    assert "in a batch" in world.call("GET", "/applications").text


@pytest.mark.parametrize(
    "requests",
    [
        [],
        [{"id": "1", "method": "GET", "url": "/me"}] * 2,
        [{"method": "GET", "url": "/me"}],
        [{"id": str(n), "method": "GET", "url": "/organization"} for n in range(21)],
    ],
)
def test_batch_that_makes_no_sense(world: World, requests: list[dict[str, Any]]) -> None:
    reply: httpx.Response = world.call("POST", "/$batch", json={"requests": requests})
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "BadRequest")
