"""A whole command recorded on the simulated tenant: nothing leaks, the conformance kit is content, and it plays again.

Only the label of a secret is drawn anew in each run; `SameLabel` puts the recorded one in its place, on its way to the
player and back.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from mimapp.cli import main
from mimapp.cli.world import World
from support.player import Cassette, playing
from support.tenants import CONTOSO, MAILBOX, Finished, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

KIT = Path(__file__).parents[3] / "shared" / "conformance" / "check_cassettes.py"
LABEL = re.compile(rb"mimapp \d{4}-\d\d-\d\d [0-9a-f]{10}")
NAMES = re.compile(r"mimservice|contoso|other person|mim service(?! mailbox client access)", re.IGNORECASE)
# Addresses, keys, paths, and whatever has a digit: ids, labels, times.
OWN = re.compile(r"\S+@\S+|mimapp-\w+|file:\S+|[\w./:\\-]*\d[\w./:\\;-]*")


class SameLabel(httpx.BaseTransport):
    """Stands between a run and the player, and translates the label that the run drew."""

    def __init__(self, inner: httpx.BaseTransport, recorded: bytes) -> None:
        self._inner, self._recorded, self._drawn = inner, recorded, recorded

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        content = request.read()
        if (label := LABEL.search(content)) is not None:
            self._drawn = label[0]
        sent = httpx.Request(
            request.method, request.url, headers=request.headers, content=content.replace(self._drawn, self._recorded)
        )
        response = self._inner.handle_request(sent)
        answer = response.read().replace(self._recorded, self._drawn)
        return httpx.Response(response.status_code, headers=response.headers, content=answer)


@dataclass(frozen=True)
class Operator:
    """Who runs the commands, and for whom; a recording with stand-ins has another one."""

    mailbox: str
    tenant: str
    administrator: str
    client_id: str

    def environ(self, origin: str, how: str) -> dict[str, str]:
        hosts = {f"MIMAPP_{name}_URL": origin for name in ("LOGIN", "GRAPH", "EXCHANGE")}
        app_only = {
            "MIMAPP_AUTH": "client-secret",
            "AZURE_CLIENT_ID": self.client_id,
            "AZURE_CLIENT_SECRET": "sandbox-operator-of-every-simulated-tenant",
            "MIMAPP_GROUP_OWNER": self.administrator,
        }
        return {**hosts, "MIMAPP_TENANT": self.tenant, **(app_only if how == "app-only" else {})}


def run(place: Place, home: Path, transport: httpx.BaseTransport, environ: dict[str, str], *argv: str) -> Finished:
    out, err = io.StringIO(), io.StringIO()
    world = World(
        stdin=io.StringIO(),
        stdout=out,
        stderr=err,
        environ=environ,
        clock=type(place.clock)(place.clock.now()),
        transport=transport,
        home=home,
    )
    return Finished(code=int(main([*argv, "--output", "json"], world=world)), out=out.getvalue(), err=err.getvalue())


def label_in(path: Path) -> bytes:
    found = LABEL.search(path.read_bytes())
    return b"no label" if found is None else found[0]


def stand_in_operator(path: Path) -> Operator:
    """Whose recording it is, as far as the recording itself says."""
    text = path.read_text(encoding="utf-8")
    mailbox = re.search(r"Get-Mailbox\W+Parameters\W+Identity\W+([\w.-]+@[\w.-]+)", text)
    assert mailbox is not None
    claims = json.loads(text)["provenance"]["claims"]
    tenant = mailbox[1].partition("@")[2]
    return Operator(mailbox[1], tenant, f"admin@{tenant}", claims["appid"])


def shape(value: Any) -> Any:
    """A result without what each run, or a stand-in, has of its own."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return OWN.sub("…", value) if isinstance(value, str) else value


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path / "home")
    yield made
    made.close()


@pytest.fixture(params=["person", "app-only"])
def how(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


@pytest.mark.parametrize("anonymize", [False, True], ids=["as-is", "stand-ins"])
def test_a_recorded_register_holds_no_secret_fits_the_schema_and_plays_to_the_same_end(
    place: Place, tmp_path: Path, how: str, *, anonymize: bool
) -> None:
    path = tmp_path / "register.yaml"
    asking = Operator(MAILBOX, CONTOSO, place.info.administrator, place.info.operator_client_id)
    options = ("--record", str(path), *(("--anonymize",) if anonymize else ()))
    origin = place.sandbox.origin
    environ = asking.environ(origin, how)
    first = run(place, place.home, place.wire, environ, "register", "--mailbox", MAILBOX, "--yes", *options)
    assert first.code == 0, first.err
    assert f"Recorded {len(place.wire.requests)} requests in {path}." in first.err

    text = path.read_text(encoding="utf-8")
    stored = json.loads(Path(first.document["secret"]["storedIn"].removeprefix("file:")).read_text(encoding="utf-8"))
    tokens = {
        request.headers["authorization"].split()[1]
        for request in place.wire.requests
        if "authorization" in request.headers
    }
    assert tokens
    leaked = [
        secret for secret in (stored["clientSecret"], place.info.operator_client_secret, *tokens) if secret in text
    ]
    assert leaked == []
    assert not re.findall(r"eyJ[\w-]+\.[\w-]+\.|sandbox-[\w-]{20,}", text)
    provenance = Cassette.load(path).provenance
    assert provenance is not None
    assert provenance.kind == "sandbox", "a simulated tenant proves nothing about Microsoft's"
    if anonymize:
        assert NAMES.findall(text.replace("sandbox.invalid", "")) == []
        assert place.info.tenant_id not in text
        assert first.document["applicationId"] not in text
    check_with_the_kit(path)

    played_by = stand_in_operator(path) if anonymize else asking
    with playing(path, side_by_side=True) as player:
        transport = SameLabel(player.transport, label_in(path))
        again = run(
            place,
            tmp_path / "another",
            transport,
            played_by.environ(origin, how),
            *("register", "--mailbox", played_by.mailbox, "--yes"),
        )
    assert again.code == 0, again.err
    assert shape(again.document) == shape(first.document)
    if not anonymize:
        assert again.document["applicationId"] == first.document["applicationId"]


def check_with_the_kit(path: Path) -> None:
    if not KIT.exists():
        return  # it lies beside the project, not in it
    checked = subprocess.run(
        [sys.executable, str(KIT), str(path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert checked.returncode == 0, checked.stdout
    assert re.search(r"^[1-9]\d* interactions checked, 0 problems$", checked.stdout, re.MULTILINE)


READS = [
    ("status", "--mailbox", MAILBOX),
    ("secret", "list", "--mailbox", MAILBOX),
    ("register", "--mailbox", MAILBOX, "--yes"),
    ("register", "--mailbox", MAILBOX, "--dry-run"),
    ("host", "sheet", "--mailbox", MAILBOX, "--option", "H"),
    ("check", "--mailbox", MAILBOX),
    ("unregister", "--mailbox", MAILBOX, "--dry-run"),
    ("lockdown", "--mailbox", MAILBOX, "--dry-run"),
]


@pytest.mark.parametrize("argv", READS, ids=" ".join)
def test_a_recorded_command_that_reads_plays_to_the_same_document(
    place: Place, tmp_path: Path, argv: tuple[str, ...]
) -> None:
    path = tmp_path / "read.yaml"
    asking = Operator(MAILBOX, CONTOSO, place.info.administrator, place.info.operator_client_id)
    environ = asking.environ(place.sandbox.origin, "app-only")
    registered = run(place, place.home, place.wire, environ, "register", "--mailbox", MAILBOX, "--yes")
    assert registered.code == 0, registered.err

    first = run(place, place.home, place.wire, environ, *argv, "--record", str(path))
    with playing(path, side_by_side=True) as player:
        again = run(place, place.home, player.transport, environ, *argv)

    assert first.code in {0, 3}, first.err
    assert (again.code, again.document) == (first.code, first.document)


@pytest.mark.parametrize("argv", [("clouds",), ("config", "show"), ("log",), ("host", "tls")], ids=" ".join)
def test_a_command_that_sends_nothing_says_so_and_writes_nothing(
    place: Place, tmp_path: Path, argv: tuple[str, ...]
) -> None:
    path = tmp_path / "none.yaml"
    done = place.cli(*argv, "--record", str(path))

    assert done.code == 0
    assert "Nothing is recorded: this command sent no request." in done.err
    assert not path.exists()


def test_a_run_that_fails_says_where_its_recording_is(place: Place, tmp_path: Path) -> None:
    path = tmp_path / "failed.yaml"
    done = place.remote("status", "--mailbox", "nobody@contoso.onmicrosoft.com", "--record", str(path))

    assert done.code != 0
    assert re.search(r"Recorded \d+ requests in ", done.err)
    assert Cassette.load(path).interactions


def test_the_embedded_tenant_is_recorded_as_one(place: Place, tmp_path: Path) -> None:
    path = tmp_path / "embedded.yaml"
    done = place.cli("register", "--mailbox", MAILBOX, "--sandbox", "--yes", "--quiet", "--record", str(path))
    provenance = Cassette.load(path).provenance

    assert done.code == 0, done.err
    assert provenance is not None
    assert provenance.kind == "sandbox"
    assert "Recorded" not in done.err


def test_anonymize_alone_is_refused(place: Place) -> None:
    done = place.remote("status", "--mailbox", MAILBOX, "--anonymize")

    assert done.code == 2
    assert done.err == ("mimapp: --anonymize says how a recording is written, and there is none\n  add --record FILE\n")
    assert place.wire.requests == []
