"""The recorder: a whole cassette after every reply, nothing in it that must not be, never a reason for a run to end."""

from __future__ import annotations

import gzip
import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from mimapp import __version__
from mimapp.errors import UsageError
from mimapp.transport.recording import CassetteFile, Kind, Recorder
from mimapp.transport.stand_ins import StandIns
from support.clock import START
from support.machine import disk_with_room_for, posix_only, read_only_folder
from support.player import Cassette, playing, unsigned_token

GRAPH = "https://graph.microsoft.com/v1.0"
TOKENS = {
    "access_token": unsigned_token({"tid": "5a6d", "roles": ["full_access_as_app"], "ipaddr": "203.0.113.9"}) + "c2ln",
    "id_token": unsigned_token({"tid": "5a6d", "name": "Jane Roe", "uti": "x"}) + "c2ln",
}


def cassette(path: Path, *, kind: Kind = "sandbox", stand_ins: StandIns | None = None) -> CassetteFile:
    return CassetteFile(path, kind=kind, cloud="global", begun=START, stand_ins=stand_ins)


def client(file: CassetteFile, answer: Any = None) -> httpx.Client:
    answers = answer or (lambda _: httpx.Response(200, json={"value": []}))
    return httpx.Client(transport=Recorder(httpx.MockTransport(answers), file))


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


class Stream(httpx.BaseTransport):
    """Answers as a network does: bytes that nobody has read or decoded yet."""

    def __init__(self, content: bytes, headers: dict[str, str]) -> None:
        self.content, self.headers = content, headers

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert request.content is not None
        return httpx.Response(200, headers=self.headers, stream=httpx.ByteStream(self.content))


def test_an_interaction_has_the_form_that_vcrpy_reads(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    with client(
        cassette(path), lambda _: httpx.Response(201, headers={"request-id": "0a1b"}, json={"id": "x"})
    ) as http:
        http.post(
            f"{GRAPH}/applications?$select=id", json={"displayName": "ü"}, headers={"Authorization": "Bearer abc"}
        )

    (interaction,) = read(path)["interactions"]
    headers = interaction["request"].pop("headers")
    assert interaction == {
        "request": {"method": "POST", "uri": f"{GRAPH}/applications?$select=id", "body": '{"displayName":"ü"}'},
        "response": {
            "status": {"code": 201, "message": "Created"},
            "headers": {"request-id": ["0a1b"], "content-length": ["10"], "content-type": ["application/json"]},
            "body": {"string": '{"id":"x"}'},
        },
    }
    assert "authorization" not in {name.lower() for name in headers}
    assert headers["content-type"] == ["application/json"]


@pytest.mark.parametrize("kind", ["recorded", "sandbox"])
def test_the_provenance_says_what_answered_when_and_to_which_version(tmp_path: Path, kind: Kind) -> None:
    path = tmp_path / "run.json"
    file = cassette(path, kind=kind)
    who = "recorded by" if kind == "recorded" else "simulated tenant of"

    assert read(path) == {
        "version": 1,
        "provenance": {
            "kind": kind,
            "source": f"{who} mimapp {__version__} on 2026-11-21, cloud global",
            "version": __version__,
            "date": "2026-11-21T09:00:00Z",
            "cloud": "global",
        },
        "interactions": [],
    }
    with client(file) as http:
        http.get(f"{GRAPH}/organization")
    provenance = Cassette.load(path).provenance
    assert provenance is not None
    assert (provenance.kind, provenance.cloud) == (kind, "global")


def test_it_is_json_that_a_yaml_parser_reads_as_the_same_value(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    odd = 'tab\there \u2028 line \u0085 \ufeff \x7f emoji \U0001f600 quote " back\\slash \x00 end'
    with client(cassette(path), lambda _: httpx.Response(200, json={"text": odd})) as http:
        http.get(f"{GRAPH}/organization")

    assert yaml.safe_load(path.read_text(encoding="utf-8")) == read(path)
    assert json.loads(read(path)["interactions"][0]["response"]["body"]["string"]) == {"text": odd}


def test_tokens_leave_their_claims_and_the_player_makes_others_of_them(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    url = "https://login.microsoftonline.com/5a6d/oauth2/v2.0/token"
    with client(cassette(path), lambda _: httpx.Response(200, json=TOKENS)) as http:
        first = http.post(url, data={"client_secret": "a-Secret-of-1"}).json()
        http.post(url, data={"client_secret": "a-Secret-of-1"})

    assert first == TOKENS, "the caller gets what came"
    text = path.read_text(encoding="utf-8")
    assert not [token for token in (*TOKENS.values(), "a-Secret-of-1", "203.0.113.9", "uti") if token in text]
    document = read(path)
    claims = {"tid": "5a6d", "roles": ["full_access_as_app"]}
    assert document["provenance"]["claims"] == claims
    assert document["interactions"][0]["claims"] == claims
    assert document["interactions"][0]["id_claims"] == {"tid": "5a6d", "name": "Jane Roe"}
    with playing(path) as player, httpx.Client(transport=player.transport) as http:
        played = [http.post(url, data={"client_secret": "another"}).json() for _ in range(2)]
    assert played[0] == {
        "access_token": unsigned_token(claims),
        "id_token": unsigned_token({"tid": "5a6d", "name": "Jane Roe"}),
    }


def test_a_token_that_is_no_jwt_and_a_reply_that_is_no_object_have_no_claims(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    bodies = iter(
        [b'{"access_token":"opaque-token-1"}', b'["access_token"]', b'"access_token', b'{"access_token":"a.!.c"}']
    )
    with client(cassette(path), lambda _: httpx.Response(200, content=next(bodies))) as http:
        for _ in range(4):
            http.get(GRAPH)

    assert not [one for one in read(path)["interactions"] if "claims" in one]
    assert "opaque-token-1" not in path.read_text(encoding="utf-8")


def test_a_body_is_recorded_decoded_and_handed_on_as_it_came(tmp_path: Path) -> None:
    packed = gzip.compress(b'{"value":[1]}')
    answers = {
        "right": Stream(packed, {"content-encoding": "gzip", "content-type": "application/json"}),
        "false": Stream(b"\x00\x00", {"content-encoding": "gzip"}),
        "broken": Stream(b"caf\xe9 \xff", {}),
        "bom": Stream(b'\xef\xbb\xbf{"a":"b"}', {"content-type": "application/json"}),
    }
    seen = {}
    for name, answer in answers.items():
        path = tmp_path / f"{name}.json"
        with httpx.Client(transport=Recorder(answer, cassette(path))) as http, http.stream("GET", GRAPH) as response:
            seen[name] = b"".join(response.iter_raw())
    recorded = {
        name: read(tmp_path / f"{name}.json")["interactions"][0]["response"]["body"]["string"] for name in answers
    }

    assert seen == {name: answer.content for name, answer in answers.items()}
    assert recorded == {"right": '{"value":[1]}', "false": "\x00\x00", "broken": "caf\\xe9 \\xff", "bom": '{"a":"b"}'}


def test_the_file_is_whole_at_every_moment(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    counts = []

    def answer(_: httpx.Request) -> httpx.Response:
        counts.append(len(read(path)["interactions"]))
        return httpx.Response(200, json={})

    file = cassette(path)
    with client(file, answer) as http:
        for _ in range(5):
            http.get(GRAPH)

    assert counts == [0, 1, 2, 3, 4]
    assert file.count == len(read(path)["interactions"]) == 5
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.json"]


@posix_only
def test_a_killed_run_leaves_what_was_recorded(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    script = """
import datetime, os, pathlib, signal, sys, httpx
now = datetime.datetime.now(datetime.UTC)
from mimapp.transport.recording import CassetteFile, Recorder
seen = []
def answer(request):
    seen.append(request)
    if len(seen) == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return httpx.Response(200, json={"n": len(seen)})
file = CassetteFile(pathlib.Path(sys.argv[1]), kind="sandbox", cloud="global", begun=now)
with httpx.Client(transport=Recorder(httpx.MockTransport(answer), file)) as http:
    while True:
        http.get("https://graph.microsoft.com/v1.0/organization")
"""
    killed = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, check=False, timeout=60)

    assert killed.returncode == -9, killed.stderr
    assert [json.loads(one["response"]["body"]["string"])["n"] for one in read(path)["interactions"]] == [1, 2, 3]


def test_several_threads_record_side_by_side(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    file = cassette(path)
    with client(file) as http:
        threads = [threading.Thread(target=http.get, args=(f"{GRAPH}/users/{number}",)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert {one["request"]["uri"] for one in read(path)["interactions"]} == {f"{GRAPH}/users/{n}" for n in range(8)}


def test_a_request_without_a_reply_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "run.json"

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            raise httpx.ReadTimeout("too long", request=request)
        return httpx.Response(204)

    with client(cassette(path), answer) as http:
        with pytest.raises(httpx.ReadTimeout):
            http.get(GRAPH)
        http.delete(GRAPH)

    document = read(path)
    assert document["provenance"]["note"] == "1 request without a reply left out"
    assert [one["request"]["method"] for one in document["interactions"]] == ["DELETE"]


def test_what_is_learned_late_goes_from_what_was_written_early(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    bodies = iter(
        [{"message": "ask Jane Roe, pin plain-pin-77"}, {"givenName": "Jane Roe", "pin_secret": "plain-pin-77"}]
    )
    file = cassette(path, stand_ins=StandIns())
    with client(file, lambda _: httpx.Response(200, json=next(bodies))) as http:
        http.get(GRAPH)
        assert "Jane Roe" in path.read_text(encoding="utf-8")
        http.get(GRAPH)

    text = path.read_text(encoding="utf-8")
    assert "Jane" not in text
    assert "plain-pin-77" not in text
    assert read(path)["provenance"]["note"] == "ids, names, domains and addresses are stand-ins"


@pytest.mark.parametrize(
    "held", ["", "notes\n", "{}", '{"version": 1}', '{"version": 2, "interactions": []}', "[1]", "[" * 9999]
)
def test_a_file_that_is_no_recording_is_left_as_it_is(tmp_path: Path, held: str) -> None:
    path = tmp_path / "precious.txt"
    path.write_text(held)

    with pytest.raises(UsageError, match="exists and is no recording"):
        cassette(path)
    assert path.read_text() == held


def test_folders_and_devices_are_no_recordings_either(tmp_path: Path) -> None:
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "nowhere")
    for path in (tmp_path, dangling, Path(os.devnull)):
        with pytest.raises(UsageError, match="exists and is no recording"):
            cassette(path)


def test_an_earlier_recording_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    with client(cassette(path)) as http:
        http.get(GRAPH)
    cassette(path)

    assert read(path)["interactions"] == []


@posix_only
def test_it_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "run.json"
    with client(cassette(path)) as http:
        http.get(GRAPH)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@posix_only
def test_a_folder_that_cannot_be_written_is_told_before_anything_is_sent() -> None:
    with (
        read_only_folder() as folder,
        pytest.raises(UsageError, match=r"run\.json cannot be written: Permission denied"),
    ):
        cassette(folder / "run.json")


@posix_only
def test_a_full_disk_ends_the_recording_and_not_the_run(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    file = cassette(path)
    with client(file) as http:
        http.get(GRAPH)
        with disk_with_room_for(path.stat().st_size + 10):
            assert http.get(GRAPH).status_code == 200
        assert http.get(GRAPH).status_code == 200

    assert file.problem == "File too large"
    assert len(read(path)["interactions"]) == 1
    assert file.count == 1


class Broken(StandIns):
    """A bug of the recorder."""

    def learn(self, url: str, body: str, content_type: str) -> None:
        raise ZeroDivisionError(f"{url} {content_type} {len(body)}")


def test_a_bug_ends_the_recording_and_not_the_run_and_writes_nothing_unredacted(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    file = cassette(path, stand_ins=Broken())
    with client(file) as http:
        answer = http.get(GRAPH)

    assert answer.status_code == 200
    assert file.problem == "a request could not be recorded (ZeroDivisionError); please report it"
    assert read(path)["interactions"] == []
