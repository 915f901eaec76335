from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Any

import pytest
from ps_mim import APP, BAD, HEADER, MESSAGE, NEW, OLD, SIDS, Node, stored
from ps_tree import commands, functions, parsed
from ps_values import PsError
from secret_runs import (
    ACCOUNTS,
    EARLIER,
    FOLDER,
    FORMS,
    GMSA,
    KEY_ID,
    LATER,
    REGULAR,
    RESULT,
    apply_on,
    node_for,
    plain_of,
    result_of,
    script_for,
)

from mimapp.errors import UsageError
from mimapp.host.options import Account
from mimapp.host.registry import MIM_KEY, SECRET_NAME, SERVICE_KEY
from mimapp.host.secret_script import Outcome, read_result, secret_script

# -- what stands in the text --------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_the_script_parses_and_uses_what_is_published(form: Account) -> None:
    text = script_for(form)
    root = parsed(text)
    assert text.isascii()
    shared = {
        "Add-Type",
        "ConvertFrom-Json",
        "ConvertTo-Json",
        "ForEach-Object",
        "Get-Service",
        "Get-WinEvent",
        "Join-Path",
        "New-Object",
        "Read-Host",
        "Set-StrictMode",
        "Start-Service",
        "Start-Sleep",
        "Stop-Service",
        "Unprotect-CmsMessage",
        "Where-Object",
        "Write-Output",
        "icacls.exe",
    }
    tasks = {
        "New-ScheduledTaskAction",
        "New-ScheduledTaskPrincipal",
        "Register-ScheduledTask",
        "Start-ScheduledTask",
        "Unregister-ScheduledTask",
        "sc.exe",
    }
    assert set(commands(root)) - functions(root) == shared | (tasks if form is Account.GMSA else set())
    assert f"$MimKey = '{MIM_KEY}'" in text
    assert f"$SecretName = '{SECRET_NAME}'" in text
    assert f"$ServiceKey = '{SERVICE_KEY}'" in text


@pytest.mark.parametrize("form", FORMS)
def test_the_head_says_what_it_is_and_is_not(form: Account) -> None:
    head = script_for(form).split("#>")[0]
    for words in (
        "NOT A DOCUMENTED PROCEDURE",
        "mechanism that Microsoft publishes for the twin of this value",
        "The documented way is the installer's Change mode",
        "not yet executed on Windows",
        "It holds none.",
        "-WhatIf",
    ):
        assert words in head


@pytest.mark.parametrize("form", FORMS)
def test_the_value_is_written_in_one_place_as_text(form: Account) -> None:
    text = script_for(form)
    assert text.count(".SetValue(") == 1
    assert "SetValue($SecretName, $Value, [Microsoft.Win32.RegistryValueKind]::String)" in text


def test_it_must_be_asked_for() -> None:
    with pytest.raises(UsageError, match="not a documented procedure"):
        secret_script(Account.GMSA, accept_unsupported=False)


@pytest.mark.parametrize("value", ["x", "'; evil", "{" + KEY_ID + "}"])
def test_ids_that_are_none_are_refused(value: str) -> None:
    with pytest.raises(UsageError):
        secret_script(Account.GMSA, accept_unsupported=True, key_id=value)
    with pytest.raises(UsageError):
        secret_script(Account.GMSA, accept_unsupported=True, application_id=value)


# -- what it does -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_a_right_secret_is_taken_and_leaves_evidence(form: Account) -> None:
    node = node_for(form)
    code, output = apply_on(node, form)
    assert code == 0
    assert plain_of(node) == NEW
    assert node.services == {"FIMService": "Running"}
    assert node.tasks == []
    result = read_result(node.files[RESULT].encode())
    assert result.is_evidence
    assert (result.server, result.application_id, result.key_id) == ("MIM01", APP, KEY_ID)
    assert result.outcome is Outcome.SUCCESS
    assert result.event_12 == 0
    assert any(line.startswith("success: a new access token") for line in output)


@pytest.mark.parametrize("form", FORMS)
def test_the_value_is_base64_of_dpapi_of_utf_16_without_a_mark(form: Account) -> None:
    node = node_for(form)
    apply_on(node, form)
    assert node.value == stored(NEW, node.sid)
    assert base64.b64decode(node.value).startswith(HEADER)
    if form is Account.REGULAR:
        assert node.plain_seen == [NEW.encode("utf-16-le")]
        assert node.cleared >= 2
    else:
        assert node.pipe == [NEW.encode()]
        assert node.key_service_account == ACCOUNTS[form]


@pytest.mark.parametrize("form", FORMS)
def test_no_secret_stays_in_a_file_or_the_output(form: Account) -> None:
    node = node_for(form)
    _, output = apply_on(node, form)
    kept = "".join(output) + "".join(node.files.values())
    for secret in (OLD, NEW):
        assert secret not in kept
        assert base64.b64encode(secret.encode("utf-16-le")).decode()[:20] not in kept
    assert sorted(name.rpartition("\\")[2] for name in node.files if name.startswith(FOLDER.lower())) == [
        next(name.rpartition("\\")[2] for name in node.files if "previous-" in name),
        "result-mim01.json",
    ]


@pytest.mark.parametrize("form", FORMS)
def test_the_folder_is_for_administrators_and_the_account_only(form: Account) -> None:
    node = node_for(form)
    apply_on(node, form)
    assert node.folder_rights == [
        FOLDER,
        "/inheritance:r",
        "/grant:r",
        "*S-1-5-32-544:(OI)(CI)F",
        "*S-1-5-18:(OI)(CI)F",
        f"*{node.sid}:(OI)(CI)M",
    ]


@pytest.mark.parametrize("form", FORMS)
def test_what_if_changes_nothing(form: Account) -> None:
    node = node_for(form, elevated=False)
    before, files = node.registry.snapshot(), set(node.files)
    code, output = node.run(script_for(form), Phase="Apply", WhatIf=True)
    assert code == 0
    assert "The server is ready for it." in output
    assert node.registry.snapshot() == before
    assert {name for name in node.files if FOLDER.lower() in name} <= files
    assert node.services == {"FIMService": "Running"}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("logs", [True, False])
def test_a_token_failure_rolls_back_while_the_old_secret_lives(form: Account, logs: bool) -> None:  # noqa: FBT001 - a parameter of the table
    node = node_for(form, prompt=BAD, logs_message=logs)
    code, _ = apply_on(node, form)
    assert code == 3
    assert node.value == stored(OLD, node.sid)
    result = result_of(node)
    assert result["outcome"] == "rolled-back"
    assert not read_result(node.files[RESULT].encode()).is_evidence
    node.sleep(60)
    assert node.services == {"FIMService": "Running"}
    assert result["reason"].startswith("MIM Service logged" if logs else "no new access token within ten minutes")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("expires", [EARLIER, None])
def test_nothing_rolls_back_to_an_expired_or_unknown_secret(form: Account, expires: datetime | None) -> None:
    node = node_for(form, prompt=BAD)
    code, _ = apply_on(node, form, script_for(form, expires))
    assert code == 3
    assert plain_of(node) == BAD
    assert result_of(node)["outcome"] == "failed"
    assert "the new one stays" in result_of(node)["reason"]


@pytest.mark.parametrize("form", FORMS)
def test_mail_is_reported_and_not_judged(form: Account) -> None:
    node = node_for(form, mail_works=False)
    code, output = apply_on(node, form)
    assert code == 0
    assert plain_of(node) == NEW
    assert result_of(node)["outcome"] == "success"
    assert result_of(node)["event12"] == 1
    assert any("event 12 came 1 times" in line for line in output)


@pytest.mark.parametrize("form", FORMS)
def test_a_token_message_within_five_minutes_is_a_failure(form: Account) -> None:
    node = node_for(form)
    text = script_for(form)
    if form is Account.REGULAR:
        node.user = ACCOUNTS[form]
        node.run(text, Phase="Protect")
        node.user = r"MIM01\admin"
    original = node._start_mim

    def start() -> None:
        original()
        if len(node.due) == 1 and plain_of(node) == NEW:
            node.due.append((node.now + timedelta(seconds=200), MESSAGE))

    node.extra_commands["Start-Service"] = (lambda _: start(), {"Name"}, set())
    code, _ = node.run(text, Phase="Apply")
    assert code == 3
    assert result_of(node)["outcome"] == "rolled-back"


@pytest.mark.parametrize("form", FORMS)
def test_a_slow_token_is_waited_for(form: Account) -> None:
    node = node_for(form, token_after=500)
    code, _ = apply_on(node, form)
    assert code == 0
    assert result_of(node)["outcome"] == "success"


@pytest.mark.parametrize("form", FORMS)
def test_a_token_of_the_former_life_is_not_taken_for_a_new_one(form: Account) -> None:
    node = node_for(form, asks=False, token_while_stopping=True)
    code, _ = apply_on(node, form)
    assert code == 3
    assert result_of(node)["outcome"] == "rolled-back"


def _foreign(node: Node) -> None:
    node.registry.put("HKLM", MIM_KEY, SECRET_NAME, "String", stored(OLD, "S-1-5-21-0"))


def _no_base64(node: Node) -> None:
    node.registry.put("HKLM", MIM_KEY, SECRET_NAME, "String", "not base64!")


def _none(node: Node) -> None:
    node.registry.drop("HKLM", MIM_KEY, SECRET_NAME)


def _other_app(node: Node) -> None:
    node.registry.put("HKLM", MIM_KEY, "ExchangeOnlineApplicationID", "String", KEY_ID)


def _no_app(node: Node) -> None:
    node.registry.drop("HKLM", MIM_KEY, "ExchangeOnlineApplicationID")


def _no_token(node: Node) -> None:
    node.registry.drop("HKU", rf"{node.sid}\{MIM_KEY}", "Unknown")


def _stopped(node: Node) -> None:
    node.services["FIMService"] = "Stopped"


def _not_elevated(node: Node) -> None:
    node.elevated = False


def _other_form(node: Node) -> None:
    other = next(name for name in SIDS if name not in (node.account, r"MIM01\admin"))
    node.registry.put("HKLM", SERVICE_KEY, "ObjectName", "String", other)


def _secret_id(node: Node) -> None:
    node.prompt = KEY_ID


def _blank(node: Node) -> None:
    node.prompt = NEW + " "


def _short(node: Node) -> None:
    node.prompt = "short"


REFUSALS = [
    (_foreign, "does not decrypt as"),
    (_no_base64, "does not decrypt as"),
    (_none, "does not decrypt|no client secret in the registry"),
    (_other_app, "This server uses application"),
    (_no_app, "never set up for Application Context|no client"),
    (_no_token, "No access token can be read"),
    (_stopped, "FIMService does not run"),
    (_not_elevated, "elevated"),
    (_secret_id, "Secret ID, not the value"),
    (_blank, "no client secret of Entra"),
    (_short, "no client secret of Entra"),
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("damage", "words"), REFUSALS, ids=[damage.__name__ for damage, _ in REFUSALS])
def test_it_refuses_to_write_and_leaves_the_server_as_it_was(form: Account, damage: Any, words: str) -> None:
    node = node_for(form)
    damage(node)
    text = secret_script(form, accept_unsupported=True, application_id=APP, old_secret_expires=LATER).text
    before = node.registry.snapshot()
    services = dict(node.services)
    with pytest.raises(PsError, match=words):
        apply_on(node, form, text)
    assert node.registry.snapshot() == before
    assert node.services == services
    assert node.tasks == []
    assert RESULT not in node.files


@pytest.mark.parametrize("form", FORMS)
def test_the_wrong_form_for_the_account_is_refused(form: Account) -> None:
    node = node_for(form)
    _other_form(node)
    with pytest.raises(PsError, match="This script is for a"):
        node.run(script_for(form), Phase="Apply")


def test_protect_runs_only_as_the_service_account() -> None:
    node = node_for(Account.REGULAR)
    with pytest.raises(PsError, match="Run this phase as"):
        node.run(REGULAR, Phase="Protect")


def test_apply_wants_what_protect_made_for_this_very_value() -> None:
    node = node_for(Account.REGULAR)
    with pytest.raises(PsError, match="Run -Phase Protect"):
        node.run(REGULAR, Phase="Apply")
    node.user = ACCOUNTS[Account.REGULAR]
    node.run(REGULAR, Phase="Protect")
    node.user = r"MIM01\admin"
    node.registry.put("HKLM", MIM_KEY, SECRET_NAME, "String", stored("somebody-changed-it", node.sid))
    with pytest.raises(PsError, match="has changed since"):
        node.run(REGULAR, Phase="Apply")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("MIM01", "MIM02"), "another server"),
        (("protected/1", "x/1"), "another server"),
        (("-1001", "-1002"), "another server"),
    ],
)
def test_apply_refuses_what_protect_made_elsewhere(change: tuple[str, str], words: str) -> None:
    node = node_for(Account.REGULAR)
    node.user = ACCOUNTS[Account.REGULAR]
    node.run(REGULAR, Phase="Protect")
    node.user = r"MIM01\admin"
    name = rf"{FOLDER}\protected.json".lower()
    node.files[name] = node.files[name].replace(*change)
    with pytest.raises(PsError, match=words):
        node.run(REGULAR, Phase="Apply")


def test_what_protect_made_yesterday_is_too_old() -> None:
    node = node_for(Account.REGULAR)
    node.user = ACCOUNTS[Account.REGULAR]
    node.run(REGULAR, Phase="Protect")
    node.user = r"MIM01\admin"
    node.now += timedelta(hours=25)
    with pytest.raises(PsError, match="older than a day"):
        node.run(REGULAR, Phase="Apply")


def test_without_the_right_to_run_the_test_nothing_is_written() -> None:
    node = node_for(Account.GMSA, batch_right=False)
    before = node.value
    with pytest.raises(PsError, match="log on as a batch job"):
        node.run(GMSA, Phase="Apply")
    assert node.value == before
    assert node.tasks == []
    assert not [name for name in node.files if name.endswith(("ask.json", "probe.ps1"))]


@pytest.mark.parametrize("form", FORMS)
def test_a_folder_that_cannot_be_closed_to_others_stops_the_script(form: Account) -> None:
    node = node_for(form, native_code=5)
    with pytest.raises(PsError, match="icacls ended with 5"):
        apply_on(node, form)
    assert plain_of(node) == OLD


def test_a_left_over_key_service_stops_the_script() -> None:
    node = node_for(Account.GMSA)
    node.services["MIMKeyProtectService"] = "Stopped"
    with pytest.raises(PsError, match=r"sc\.exe delete MIMKeyProtectService"):
        node.run(GMSA, Phase="Apply")


def test_what_the_key_service_gives_must_decrypt() -> None:
    node = node_for(Account.GMSA, key_service_breaks=True)
    before = node.value
    with pytest.raises(PsError, match="does not decrypt as"):
        node.run(GMSA, Phase="Apply")
    assert node.value == before
    assert "MIMKeyProtectService" not in node.services


@pytest.mark.parametrize("form", FORMS)
def test_a_service_that_cannot_be_stopped_keeps_its_secret(form: Account) -> None:
    node = node_for(form, stop_fails=True)
    with pytest.raises(PsError, match="cannot be stopped"):
        apply_on(node, form)
    assert plain_of(node) == OLD
    assert result_of(node)["outcome"] == "unfinished"
    assert not read_result(node.files[RESULT].encode()).is_evidence


@pytest.mark.parametrize("form", FORMS)
def test_the_previous_value_can_be_put_back_by_hand(form: Account) -> None:
    node = node_for(form)
    apply_on(node, form)
    previous = next(name for name in node.files if "previous-" in name)
    node.run(script_for(form), Phase="Restore", RestoreFrom=previous, WhatIf=True)
    assert plain_of(node) == NEW
    code, output = node.run(script_for(form), Phase="Restore", RestoreFrom=previous)
    assert (code, output) == (0, ["The previous value is back."])
    assert plain_of(node) == OLD
    node.files[previous] = node.files[previous].replace("MIM01", "MIM02")
    with pytest.raises(PsError, match="its own server only"):
        node.run(script_for(form), Phase="Restore", RestoreFrom=previous)


@pytest.mark.parametrize("form", FORMS)
def test_a_second_secret_follows_the_first(form: Account) -> None:
    node = node_for(form)
    apply_on(node, form)
    node.live.add("third-secret-REDACTED-0004")
    node.prompt = "third-secret-REDACTED-0004"
    code, _ = apply_on(node, form)
    assert code == 0
    assert plain_of(node) == "third-secret-REDACTED-0004"
    assert len([name for name in node.files if "previous-" in name]) == 2
