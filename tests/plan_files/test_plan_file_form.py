"""The file itself: whole, for its owner, read back as it was written, and refused by name when it is not ours."""

from __future__ import annotations

import dataclasses
import json
import os
import stat
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from plan_world import apply, change, write_plan

from mimapp import __version__
from mimapp.cli.plan_files import plan_document, read_plan
from mimapp.errors import MimappError, StalePlanError, UsageError
from mimapp.provisioning.planned import Planned
from mimapp.provisioning.steps import Step, StepKind
from mimapp.spec import ConsentBy, Only, Registration, Scope
from mimapp.stores import FileStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.tenants import Place

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
APP_ID = "66666666-7777-8888-9999-000000000000"
#: Between them, every field of a registration has a value that is not its default.
REGISTRATIONS = (
    Registration(
        mailbox="MIMService@contoso.com",
        key="mim-prod",
        display_name="MIM “production”",
        store=FileStore("/var/lib/mimapp/secret.json"),
        further_stores=(FileStore("/mnt/second secret.json"),),
        secret_lifetime=timedelta(days=90, seconds=1),
        group_owner="owner@contoso.com",
        owner="ada@contoso.com",
        app_id=APP_ID,
        remove_user_read=True,
        restrict_existing=True,
        restore=True,
        new_secret=True,
        change_ref="CHG0042",
        notes="first line\nsecond line",
        service_management_reference="CMDB 7",
        further_tags=("cost centre 12", "tier-0"),
    ),
    Registration(
        mailbox="MIMService@contoso.com",
        new=True,
        purge_deleted=True,
        scope=Scope.RBAC,
        administrative_unit="MIM mailboxes",
        principal_id=APP_ID,
    ),
    Registration(mailbox="MIMService@contoso.com", scope=Scope.RBAC, management_scope=True),
    Registration(mailbox="MIMService@contoso.com", scope=Scope.POLICY, wait_for_scope=timedelta(minutes=90)),
    Registration(
        mailbox="MIMService@contoso.com",
        only=Only.CONSENT,
        fence_confirmed_by="Ada from messaging",
        consent_by=ConsentBy.BROWSER,
        consent_all=True,
    ),
)


def planned(wanted: Registration) -> Planned:
    return Planned(
        tenant_id="11111111-2222-3333-4444-555555555555",
        tenant_name="contoso.onmicrosoft.com",
        operator="ada@contoso.com",
        exchange_operator="bob@contoso.com",
        wanted=wanted,
        steps=(Step(kind=StepKind.CREATE_GROUP, target="group x", desired="member y", title="Make “x”"),),
        warnings=("something is to be known",),
    )


def written(path: Path, plan: Planned, **more: Any) -> Path:
    document = {"schema": "mimapp.plan/1", **plan_document(plan, command="register", cloud="gcc", made=NOW)}
    path.write_text(json.dumps({**document, "sandbox": False, **more}))
    return path


def test_the_samples_cover_every_field_of_a_registration() -> None:
    """A field that is added and forgotten here would be dropped between a plan's file and its run."""
    defaults = Registration(mailbox="x@contoso.com")
    covered = {
        field.name
        for wanted in REGISTRATIONS
        for field in dataclasses.fields(Registration)
        if getattr(wanted, field.name) != getattr(defaults, field.name)
    }

    assert covered == {field.name for field in dataclasses.fields(Registration)}


@pytest.mark.parametrize("wanted", REGISTRATIONS, ids=["much", "new", "role", "wait", "consent"])
def test_what_was_written_is_read(tmp_path: Path, wanted: Registration) -> None:
    plan = planned(wanted)

    kept = read_plan(written(tmp_path / "plan.json", plan), sandbox=False)

    assert kept.shown == dataclasses.replace(plan, wanted=wanted.stored_in(()))
    assert kept.shown.fingerprint == plan.fingerprint
    assert kept.stores == tuple(store.uri for store in wanted.stores)
    assert kept.command == "register"
    assert kept.cloud == "gcc"
    assert kept.choices == frozenset()


def test_it_says_what_it_is_to_people_too(place: Place) -> None:
    path = write_plan(place, "--change-ref", "CHG0042")
    document = json.loads(path.read_text())

    assert document["schema"] == "mimapp.plan/1"
    assert document["mimapp"] == __version__
    assert document["command"] == "register"
    assert document["made"] == "2026-11-21T09:00:00Z"
    assert document["tenantId"] == place.info.tenant_id
    assert document["tenantName"] == "contoso.onmicrosoft.com"
    assert document["changeRef"] == "CHG0042"
    assert document["writes"] == 8
    assert [step["step"] for step in document["steps"]][:2] == ["application.create", "principal.create"]
    assert document["wanted"]["secretLifetime"] == "180d"
    assert document["sandbox"] is False
    if os.name != "nt":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    shown = place.remote("register", "--mailbox", "MIMService@contoso.onmicrosoft.com", "--plan-out", str(path))
    assert f"mimapp apply {path} carries it out" in shown.out


def _set(*keys: str, value: object) -> Callable[[dict[str, Any]], None]:
    def alter(document: dict[str, Any]) -> None:
        table = document
        for key in keys[:-1]:
            table = table[key]
        table[keys[-1]] = value

    return alter


def _drop(document: dict[str, Any]) -> None:
    del document["wanted"]["tags"]


def _step(document: dict[str, Any]) -> None:
    document["steps"][0]["title"] = 7


BAD_VALUES: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "an unknown key": (_set("wanted", "surprise", value=1), "wanted: Object contains unknown field `surprise`"),
    "a missing key": (_drop, "wanted: Object missing required field `tags`"),
    "a wrong type": (_set("wanted", "new", value="yes"), 'wanted.new: Expected `bool`, got `str`, and it is "yes"'),
    "a wrong type in a list": (_step, "steps[0].title: Expected `str`, got `int`, and it is 7"),
    "an unknown word": (_set("wanted", "only", value="all"), "wanted.only: Invalid enum value 'all'"),
    "an unknown choice": (_set("wanted", "choices", value=["purge", "all"]), "choices[1]: Invalid enum value"),
    "no moment": (_set("made", value="yesterday"), 'made: Invalid RFC3339 encoded datetime, and it is "yesterday"'),
    "a null": (_set("mailbox", value=None), "mailbox: Expected `str`, got `null`, and it is null"),
    "no address": (_set("mailbox", value="MIMService"), "mailbox: 'MIMService' is not an e-mail address"),
    "no duration": (_set("wanted", "secretLifetime", value="long"), "'long' is not a duration"),
    "a lifetime of an hour": (_set("wanted", "secretLifetime", value="1h"), "secret lifetime: 0.0416667 days"),
    "our own mark as a tag": (_set("wanted", "tags", value=["mimapp:x"]), "tag: 'mimapp:x' looks like one"),
    "a contradiction": (_set("wanted", "appId", value="mim"), "app id: 'mim' is not an application's client id"),
}  # fmt: skip


@pytest.mark.parametrize(("alter", "words"), BAD_VALUES.values(), ids=BAD_VALUES)
def test_a_bad_value_is_refused_with_file_key_and_value(
    tmp_path: Path, alter: Callable[[dict[str, Any]], None], words: str
) -> None:
    path = written(tmp_path / "plan.json", planned(Registration(mailbox="MIMService@contoso.com")))
    change(path, alter)

    with pytest.raises(UsageError) as caught:
        read_plan(path, sandbox=False)

    assert str(caught.value).startswith(f"{path}: ")
    assert words in str(caught.value)


BAD_FILES: dict[str, tuple[bytes, str]] = {
    "nothing in it": (b"", "is no JSON document"),
    "half a file": (b'{"schema": "mimapp.plan/1", ', "is no JSON document"),
    "no UTF-8": (b'{"schema": "\xff\xfe"}', "is no JSON document"),
    "a list": (b"[]", ": Expected `object`, got `array`"),
    "another document": (b'{"schema": "mimapp.register/1"}', 'is no plan: its schema is "mimapp.register/1"'),
    "a later form": (b'{"schema": "mimapp.plan/2", "mimapp": "9"}', 'is no plan: its schema is "mimapp.plan/2"'),
    "no schema": (b"{}", 'is no plan: its schema is ""'),
}


@pytest.mark.parametrize(("content", "words"), BAD_FILES.values(), ids=BAD_FILES)
def test_what_is_no_plan_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(content)

    with pytest.raises(UsageError) as caught:
        read_plan(path, sandbox=False)

    assert str(path) in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_what_cannot_be_read_is_said(place: Place, tmp_path: Path, name: str) -> None:
    done = apply(place, tmp_path / name)

    assert done.code == 2
    assert "cannot be read" in done.document["message"]
    assert place.wire.requests == []


def test_another_versions_plan_is_stale_whatever_its_form(tmp_path: Path) -> None:
    path = written(tmp_path / "plan.json", planned(REGISTRATIONS[0]), mimapp="0.0.9", novelty=True)

    with pytest.raises(StalePlanError, match=r"was made by mimapp 0\.0\.9, and this is"):
        read_plan(path, sandbox=False)


@pytest.mark.parametrize(
    ("made_in", "used_in", "words"), [(True, False, "simulated tenant"), (False, True, "real tenant")]
)
def test_a_simulated_tenants_plan_stays_there(tmp_path: Path, made_in: bool, used_in: bool, words: str) -> None:  # noqa: FBT001 - a table
    path = written(tmp_path / "plan.json", planned(REGISTRATIONS[0]), sandbox=made_in)

    with pytest.raises(UsageError, match=words):
        read_plan(path, sandbox=used_in)


@pytest.mark.parametrize(
    "alter",
    [
        _set("steps", value=[]),
        _set("tenantId", value="99999999-2222-3333-4444-555555555555"),
        _set("fingerprint", value="0123456789abcdef"),
        lambda document: document["steps"][0].update(desired="member z"),
    ],
    ids=["no steps", "another tenant", "another fingerprint", "another value"],
)
def test_steps_that_do_not_fit_the_fingerprint_are_refused(
    tmp_path: Path, alter: Callable[[dict[str, Any]], None]
) -> None:
    path = written(tmp_path / "plan.json", planned(REGISTRATIONS[0]))
    change(path, alter)

    with pytest.raises(MimappError, match="was changed after it was made") as caught:
        read_plan(path, sandbox=False)

    assert isinstance(caught.value, StalePlanError)


def test_words_may_be_changed_where_a_fingerprint_does_not_cover_them(tmp_path: Path) -> None:
    path = written(tmp_path / "plan.json", planned(REGISTRATIONS[0]))
    change(path, lambda document: document["steps"][0].update(title="Mach “x”"))

    assert read_plan(path, sandbox=False).shown.steps[0].title == "Mach “x”"


def test_there_is_never_a_secret_in_it(place: Place) -> None:
    path = write_plan(place)

    assert "sandbox-operator" not in path.read_text()
    assert "eyJ" not in path.read_text()
