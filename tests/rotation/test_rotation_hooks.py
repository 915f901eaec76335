"""Hooks: checked before anything is issued, given what they need and no more, and retried without a second issue."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import httpx
import pytest

from support.tenants import MAILBOX

if TYPE_CHECKING:
    from rotation.stage import Stage

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the hooks of these tests are scripts with a #! line")

TELL = """
import json, os, sys
own = {name: value for name, value in os.environ.items() if name.startswith(("MIMAPP_", "AZURE_"))}
with open(os.path.join(os.path.dirname(__file__), "calls.jsonl"), "a") as calls:
    print(json.dumps({"env": own, "argv": sys.argv[1:], "stdin": sys.stdin.read()}), file=calls)
"""


def calls(stage: Stage) -> list[dict[str, object]]:
    path = stage.place.home / "calls.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def environments(stage: Stage) -> list[dict[str, str]]:
    return [dict(call["env"]) for call in calls(stage)]  # type: ignore[call-overload]  # a test speaks JSON


def test_the_hook_gets_ids_expiry_and_reference_and_no_credential(stage: Stage) -> None:
    document = stage.rotate("--deploy-hook", stage.hook("deploy", TELL))

    (call,) = calls(stage)
    (env,) = environments(stage)
    secret = document["secret"]
    assert env["MIMAPP_HOOK"] == "deploy"
    assert env["MIMAPP_KEY_ID"] == secret["keyId"]
    assert env["MIMAPP_EXPIRES"] == secret["expires"]
    assert env["MIMAPP_STORE"] == secret["storedIn"]
    assert env["MIMAPP_APPLICATION_ID"] == document["applicationId"]
    assert env["MIMAPP_TENANT_ID"] == stage.tenant_id
    assert "AZURE_CLIENT_SECRET" not in env
    assert stage.secret_of(secret["keyId"]) not in json.dumps(call)
    assert call["stdin"] == ""
    assert document["handover"]["evidence"] == [
        {"kind": "hook", "node": None, "when": "2026-11-21T09:01:00Z", "by": "deploy"}
    ]


def test_the_secret_is_on_stdin_only_where_that_is_asked_for(stage: Stage) -> None:
    document = stage.rotate("--deploy-hook", stage.hook("deploy", TELL), "--hook-stdin", "secret")

    (call,) = calls(stage)
    value = stage.secret_of(document["secret"]["keyId"])
    assert call["stdin"] == f"{value}\n"
    assert value not in json.dumps(call["env"])


def test_a_failing_hook_leaves_both_secrets_and_is_retried_without_a_second_issue(stage: Stage) -> None:
    (old,) = stage.key_ids()
    failing = stage.hook("failing", "import sys\nprint('the server is away')\nsys.exit(3)")
    done = stage.run("rotate", "--yes", "--deploy-hook", failing, code=7)

    assert "failing ended with 3" in done.err
    assert "the server is away" in done.err
    assert "both secrets stay" in done.err
    assert len(stage.key_ids()) == 2
    (new,) = set(stage.key_ids()) - {old}

    stage.run("rotate", "--yes", "--if-due", "--deploy-hook", failing, code=7)
    stage.pass_days(1)
    after = stage.rotate("--if-due", "--deploy-hook", stage.hook("deploy", TELL))

    assert after["issued"] is False
    assert after["secret"]["keyId"] == new
    assert after["handover"]["state"] == "done"
    assert set(stage.key_ids()) == {old, new}


def test_a_run_that_failed_is_in_the_log_whatever_it_failed_at(stage: Stage) -> None:
    """Nobody reads what a schedule prints."""
    stage.run("rotate", "--yes", "--deploy-hook", stage.hook("failing", "raise SystemExit(3)"), code=7)

    def before(request: httpx.Request) -> None:
        if request.url.path.startswith("/v1.0/applications"):
            raise httpx.ConnectError("nobody listens", request=request)

    stage.place.wire.before = before
    stage.run("rotate", "--yes", "--if-due", "--deadline", "20s", code=75)
    stage.place.wire.before = lambda _: None
    done = stage.run("log", "--output", "json").document
    failed = [(one["action"], one["after"]) for one in done["writes"] if one["outcome"] == "failed"]
    assert [action for action, _ in failed] == ["secret.hand-over", "secret.rotate"]
    assert "failing ended with 3" in failed[0][1]
    assert "nobody listens" in failed[1][1]


def test_a_hook_that_succeeded_is_not_called_again(stage: Stage) -> None:
    hook = stage.hook("deploy", TELL)
    stage.rotate("--deploy-hook", hook)
    stage.rotate("--if-due", "--deploy-hook", hook)
    assert len(calls(stage)) == 1


@pytest.mark.parametrize("option", ["--deploy-hook", "--pre-hook", "--post-hook"])
def test_a_hook_that_cannot_be_run_stops_everything_before_it_begins(stage: Stage, option: str) -> None:
    path = stage.place.home / "not-executable"
    path.write_text("#!/bin/sh\n")
    before = len(stage.place.wire.requests)
    for named in (str(path), str(path.with_name("missing")), ""):
        done = stage.place.remote("rotate", "--mailbox", MAILBOX, "--yes", option, named)
        assert done.code == 2
    assert len(stage.place.wire.requests) == before
    assert len(stage.key_ids()) == 1


def test_a_failing_pre_hook_lets_nothing_be_issued(stage: Stage) -> None:
    done = stage.run("rotate", "--yes", "--pre-hook", stage.hook("pre", "raise SystemExit(1)"), code=7)
    assert "nothing was issued" in done.err
    assert len(stage.key_ids()) == 1


def test_hooks_are_called_around_in_order(stage: Stage) -> None:
    hook = stage.hook("hook", TELL)
    stage.rotate("--pre-hook", hook, "--deploy-hook", hook, "--post-hook", f"{hook} --last 'two words'")
    assert [env["MIMAPP_HOOK"] for env in environments(stage)] == ["pre", "deploy", "post"]
    assert calls(stage)[2]["argv"] == ["--last", "two words"]
    stage.rotate("--if-due", "--pre-hook", hook, "--post-hook", hook)
    assert len(calls(stage)) == 3, "nothing was to do, so nothing was called"


def test_the_post_hook_is_called_after_a_failure_and_its_own_is_told(stage: Stage) -> None:
    hook = stage.hook("hook", TELL)
    failing = stage.hook("failing", "raise SystemExit(1)")
    stage.run("rotate", "--yes", "--deploy-hook", failing, "--post-hook", hook, code=7)
    assert [env["MIMAPP_HOOK"] for env in environments(stage)] == ["post"]
    done = stage.rotate("--if-due", "--deploy-hook", hook, "--post-hook", failing, code=3)
    assert any("post-hook failing ended with 1" in line for line in done["attention"])


def test_nodes_are_handed_over_one_by_one_and_only_the_missing_again(stage: Stage) -> None:
    hook = stage.hook("hook", TELL + "\nif os.environ['MIMAPP_NODE'] == 'mim2': sys.exit(5)")
    done = stage.run("rotate", "--yes", "--deploy-hook", hook, "--nodes", "mim1,mim2", "--nodes", "mim3", code=7)
    assert "for mim2 ended with 5" in done.err
    assert [env["MIMAPP_NODE"] for env in environments(stage)] == ["mim1", "mim2", "mim3"]

    again = stage.rotate("--deploy-hook", stage.hook("hook", TELL), "--nodes", "mim1,mim2,mim3")
    assert [env["MIMAPP_NODE"] for env in environments(stage)][3:] == ["mim2"]
    assert again["handover"]["state"] == "done"
    assert {piece["node"] for piece in again["handover"]["evidence"]} == {"mim1", "mim2", "mim3"}


def test_evidence_of_some_nodes_is_none_for_all(stage: Stage) -> None:
    stage.rotate("--deploy-hook", stage.hook("hook", TELL), "--nodes", "mim1")
    stage.pass_days(20)
    document = stage.retire("--nodes", "mim1,mim2", code=3)
    assert document["retired"] == []
    assert "on mim2" in document["attention"][0]
    assert stage.retire(code=3)["retired"] == [], "nobody named all of them"


def test_what_a_hook_prints_never_shows_the_secret(stage: Stage) -> None:
    echo = stage.hook("echo", "import sys\nprint('got', sys.stdin.read())\nsys.exit(1)")
    done = stage.run("rotate", "--yes", "--deploy-hook", echo, "--hook-stdin", "secret", "-vvv", code=7)
    assert "got ***" in done.err
    for key_id in stage.key_ids():
        assert stage.secret_of(key_id) not in done.err + done.out


def test_the_secret_is_given_to_nobody_without_a_deploy_hook(stage: Stage) -> None:
    done = stage.run("rotate", "--yes", "--hook-stdin", "secret", code=2)
    assert "there is none" in done.err


def test_a_store_that_gives_nothing_back_is_enough_for_proof_and_hand_over(stage: Stage) -> None:
    """An envelope or a command: the run that issued the secret has its value, and no later one."""
    store = ("--secret-to", f"exec:{stage.hook('store', 'import sys; sys.stdin.read()')}")
    given = ("--deploy-hook", stage.hook("deploy", TELL), "--hook-stdin", "secret")
    document = stage.rotate(*store, *given)

    assert document["secret"]["proven"] is True
    (call,) = calls(stage)
    assert stage.works(str(call["stdin"]).strip())

    stage.rotate("--again", *store, code=3)
    later = stage.run("rotate", "--yes", *store, *given, code=8)
    assert "cannot be read back from where it went" in later.err
    assert len(calls(stage)) == 1
