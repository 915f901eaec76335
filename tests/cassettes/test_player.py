from __future__ import annotations

import base64
import json
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml

from support.player import Cassette, Player, playing

if TYPE_CHECKING:
    from pathlib import Path

A = "https://a.example/v1.0/things"
B = "https://b.example/v1.0/things"


def interaction(
    uri: str = A, *, method: str = "GET", body: Any = None, reply: Any = "", status: int = 200, **headers: str
) -> dict[str, Any]:
    text = body if body is None or isinstance(body, str) else json.dumps(body)
    string = reply if isinstance(reply, (str, bytes)) else json.dumps(reply)
    return {
        "request": {"method": method, "uri": uri, "body": text, "headers": {k: [v] for k, v in headers.items()}},
        "response": {"status": {"code": status, "message": ""}, "headers": {}, "body": {"string": string}},
    }


def cassette(path: Path, *interactions: dict[str, Any], **provenance: Any) -> Path:
    document = {
        "version": 1,
        "provenance": {"kind": "documented", "source": "https://learn.microsoft.com/", **provenance},
        "interactions": list(interactions),
    }
    target = path / "made.yaml"
    target.write_text(yaml.safe_dump(document), encoding="utf-8")
    return target


def client(player: Player) -> httpx.Client:
    return httpx.Client(transport=player.transport)


def test_replies_come_in_order_for_each_host(tmp_path: Path) -> None:
    path = cassette(
        tmp_path,
        interaction(reply={"n": 1}),
        interaction(B, reply={"n": 2}),
        interaction(reply={"n": 3}, status=404),
    )
    with playing(path) as player, client(player) as http:
        assert http.get(B).json() == {"n": 2}
        assert http.get(A).json() == {"n": 1}
        last = http.get(A)
    assert (last.status_code, last.json()) == (404, {"n": 3})


def test_an_order_that_differs_on_one_host_fails(tmp_path: Path) -> None:
    path = cassette(tmp_path, interaction(A), interaction(A + "/1"))
    player = Player(Cassette.load(path))
    with client(player) as http, pytest.raises(AssertionError, match=r"expected the path /v1.0/things$"):
        http.get(A + "/1")
    with pytest.raises(AssertionError, match="never sent"):
        player.assert_used()


def test_what_is_left_over_fails_and_so_does_one_request_too_many(tmp_path: Path) -> None:
    path = cassette(tmp_path, interaction(A))
    with pytest.raises(AssertionError, match=r"never sent: GET https://a\.example"), playing(path):
        pass
    player = Player(Cassette.load(path))
    with client(player) as http:
        http.get(A)
        with pytest.raises(AssertionError, match="nothing more for this host"):
            http.get(A)


def test_a_mismatch_that_another_thread_swallowed_is_still_found(tmp_path: Path) -> None:
    player = Player(Cassette.load(cassette(tmp_path, interaction(A))))

    def careless() -> None:
        with client(player) as http:
            try:
                http.get(B)
            except AssertionError:
                return

    thread = threading.Thread(target=careless)
    thread.start()
    thread.join()
    with client(player) as http:
        http.get(A)
    with pytest.raises(AssertionError, match="nothing more for this host"):
        player.assert_used()


@pytest.mark.parametrize(
    ("recorded", "sent"),
    [
        (interaction(A), ("POST", A, None)),
        (interaction(A + "?$top=5"), ("GET", A + "?$top=6", None)),
        (interaction(A + "?$top=5"), ("GET", A, None)),
        (interaction(method="PATCH", body={"a": 1}), ("PATCH", A, {"a": 2})),
        (interaction(method="PATCH", body={"a": 1}), ("PATCH", A, {"a": True})),
        (interaction(method="PATCH", body={"a": 1}), ("PATCH", A, {"a": 1, "b": None})),
        (interaction(method="PATCH", body={"a": [1, 2]}), ("PATCH", A, {"a": [2, 1]})),
        (interaction(method="PATCH", body={"a": 1}, Prefer="create-if-missing"), ("PATCH", A, {"a": 1})),
    ],
    ids=["method", "query", "no query", "value", "type", "more", "list order", "header"],
)
def test_a_request_that_differs_fails(tmp_path: Path, recorded: dict[str, Any], sent: tuple[str, str, Any]) -> None:
    player = Player(Cassette.load(cassette(tmp_path, recorded)))
    method, url, body = sent
    with client(player) as http, pytest.raises(AssertionError, match="expected"):
        http.request(method, url, json=body)


def test_encoding_and_order_of_a_query_and_the_layout_of_json_do_not_matter(tmp_path: Path) -> None:
    path = cassette(
        tmp_path,
        interaction(A + "?$filter=startswith%28displayName%2C%27x%27%29&$top=5"),
        interaction(method="POST", body='{ "b": 2,\r\n "a": 1 }'),
    )
    with playing(path) as player, client(player) as http:
        http.get(A + "?$top=5&$filter=startswith(displayName,'x')")
        http.post(A, json={"a": 1, "b": 2})


def test_redacted_stands_for_any_value_in_json_forms_and_queries(tmp_path: Path) -> None:
    path = cassette(
        tmp_path,
        interaction(method="POST", body={"passwordCredential": {"keyId": "REDACTED"}}),
        interaction(method="POST", body="client_secret=REDACTED&grant_type=client_credentials"),
        interaction(A + "?code=REDACTED"),
    )
    with playing(path) as player, client(player) as http:
        http.post(A, json={"passwordCredential": {"keyId": "1"}})
        http.post(A, data={"grant_type": "client_credentials", "client_secret": "fake"})
        http.get(A + "?code=abc")


def test_tokens_are_made_from_the_claims_of_the_cassette(tmp_path: Path) -> None:
    reply = {"access_token": "REDACTED", "id_token": "REDACTED", "expires_in": 3599}
    path = cassette(
        tmp_path, interaction(reply=reply), claims={"roles": ["full_access_as_app"]}, id_claims={"tid": "t"}
    )
    with playing(path) as player, client(player) as http:
        answer = http.get(A).json()
    assert answer["expires_in"] == 3599
    assert claims_of(answer["access_token"]) == {"roles": ["full_access_as_app"]}
    assert claims_of(answer["id_token"]) == {"tid": "t"}


def test_an_id_token_without_claims_stays_a_placeholder(tmp_path: Path) -> None:
    path = cassette(tmp_path, interaction(reply={"access_token": "REDACTED", "id_token": "REDACTED"}))
    with playing(path) as player, client(player) as http:
        answer = http.get(A).json()
    assert answer["id_token"] == "REDACTED"
    assert claims_of(answer["access_token"]) == {}


def test_bytes_keep_the_encoding_they_claim_and_text_is_taken_as_decoded(tmp_path: Path) -> None:
    text = interaction(reply={"a": 1})
    text["response"]["headers"] = {"Content-Encoding": ["gzip"], "Content-Length": ["9"]}
    lying = interaction(reply=b"\0\0\0\0", status=403)
    lying["response"]["headers"] = {"content-encoding": ["gzip"]}
    with playing(cassette(tmp_path, text, lying)) as player, client(player) as http:
        assert http.get(A).json() == {"a": 1}
        with pytest.raises(httpx.DecodingError):
            http.get(A)


def test_a_cassette_may_be_json_as_the_recorder_writes_it(tmp_path: Path) -> None:
    target = tmp_path / "recorded.yaml"
    made = {
        "version": 1,
        "provenance": {"kind": "recorded", "source": "somebody"},
        "interactions": [interaction(reply={"name": "\U0001f600"})],
    }
    target.write_text(json.dumps(made), encoding="utf-8")
    with playing(target) as player, client(player) as http:
        assert http.get(A).json() == {"name": "\U0001f600"}


@pytest.mark.parametrize(
    "text",
    ["[]", "version: 2\ninteractions: [1]", "version: 1\ninteractions: []", "version: 1\nprovenance: {kind: x}"],
)
def test_what_is_not_a_cassette_is_said_so(tmp_path: Path, text: str) -> None:
    target = tmp_path / "bad.yaml"
    target.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"bad\.yaml"):
        Cassette.load(target)


def test_an_unknown_kind_of_provenance_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"provenance\.kind"):
        Cassette.load(cassette(tmp_path, interaction(), kind="remembered"))


def claims_of(token: str) -> Any:
    header, payload, signature = token.split(".")
    assert signature == ""
    assert header
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
