"""``mimapp sandbox``: served to other programs, and emptied."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest

from mimapp.sandbox import open_sandbox

if TYPE_CHECKING:
    from pathlib import Path

    from support.command_line import Cli


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_a_served_sandbox_says_in_one_line_how_to_use_it(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "mimapp", "sandbox", "serve", "--port", "0", "--seed", "3"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "MIMAPP_HOME": str(tmp_path)},
    )
    with process:
        assert process.stdout is not None
        line = json.loads(process.stdout.readline())
        trusted = ssl.create_default_context(cafile=line["caFile"])
        with httpx.Client(verify=trusted, trust_env=False) as client:
            reply = client.get(f"{line['url']}/{line['tenantId']}/v2.0/.well-known/openid-configuration")
        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate()

    assert reply.status_code == 200
    assert reply.json()["token_endpoint"].startswith(line["url"])
    assert line["env"]["MIMAPP_LOGIN_URL"] == line["url"]
    assert line["operator"]["clientSecret"].startswith("sandbox-")
    assert process.returncode == 143
    assert rest == ""
    assert errors.startswith("mimapp: terminated\n")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--host", "192.0.2.1"], "served on loopback addresses only, not on 192.0.2.1"),
        (["--host", "everywhere"], "served on loopback addresses only, not on everywhere"),
        (["--port", "70000"], "--port: 70000 is no port"),
        (["--port", "many"], "--port: 'many' is not a whole number"),
        (["--fault", "nonsense"], "'nonsense' is not a fault"),
        (["--throttle", "7"], "throttle"),
        (["--lag", "soon"], "lag"),
        (["--weather", "none.toml"], "none.toml cannot be read"),
        (["--weather", "none.toml", "--seed", "1"], "--weather and --seed do not go together"),
        (["--weather", "none.toml", "--fault", "x"], "--weather and --fault do not go together"),
    ],
)
def test_what_cannot_be_served_is_one_line(cli: Cli, argv: list[str], message: str) -> None:
    ended = cli("sandbox", "serve", "--port", "0", *argv)

    assert ended.code == 2
    assert message in ended.err.splitlines()[0]
    assert ended.out == ""


def test_reset_brings_back_the_first_state_and_forgets_what_was_kept(cli: Cli) -> None:
    sandbox = open_sandbox(cli.home, clock=cli.clock)
    tenant = sandbox.info().tenant_id
    with sandbox.state.transaction() as tx:
        tx.put(tenant, "application", "left-over", {"id": "left-over"}, settled=True)
    kept = [cli.home / "journal" / tenant / "mimservice.json", cli.home / "secrets" / tenant / "mimservice.json"]
    real = cli.home / "secrets" / "11111111-1111-1111-1111-111111111111" / "mimservice.json"
    for path in (*kept, real):
        path.parent.mkdir(parents=True)
        path.write_text("{}")

    ended = cli("sandbox", "reset", "--output", "json")

    assert ended.code == 0, ended.err
    assert ended.document["removed"] == ["contoso.onmicrosoft.com"]
    assert ended.document["tenantId"] == tenant
    with sandbox.state.transaction(write=False) as tx:
        assert tx.get(tenant, "application", "left-over") is None
        assert tx.get(tenant, "tenant", tenant) is not None
    assert not any(path.exists() for path in kept)
    assert real.exists()
    sandbox.close()


def test_reset_of_nothing_makes_a_sandbox(cli: Cli) -> None:
    ended = cli("sandbox", "reset")

    assert ended.out == "The sandbox holds contoso.onmicrosoft.com as it was at first.\n"
    assert (cli.home / "sandbox").is_dir()


def test_a_state_file_that_is_none_is_told(cli: Cli) -> None:
    (cli.home / "sandbox").mkdir(parents=True)
    (cli.home / "sandbox" / "tenants.sqlite3").write_text("not a database, by far not a database" * 100)

    ended = cli("sandbox", "reset")

    assert ended.code == 2
    assert "tenants.sqlite3" in ended.err
