"""Dates, lifetimes, secrets and patches on the wire; and no model that is mutable or misnamed."""

from __future__ import annotations

import inspect
import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

import mimapp.graph as room
from mimapp.errors import BadReplyError
from mimapp.graph import (
    UNSET,
    Application,
    ApplicationPatch,
    CredentialRestriction,
    Lifetime,
    Moment,
    PasswordCredential,
    PropertyLock,
    RedirectUris,
    ServicePrincipal,
    ServicePrincipalPatch,
)
from mimapp.graph.wire import decode, encode
from mimapp.secret import Secret
from mimapp.transport import Reply

NINE = datetime(2026, 11, 21, 9, 30, 58, tzinfo=UTC)
SECRET_TEXT = "fake-secret-value"
IDS = {"id": "1", "appId": "2"}


def reply(value: object) -> Reply:
    return Reply(status=200, content=json.dumps(value).encode(), headers={"content-type": "application/json"})


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-21T09:30:58Z", NINE),
        ("2026-11-21T09:30:58.1Z", NINE.replace(microsecond=100_000)),
        ("2026-11-21T09:30:58.12Z", NINE.replace(microsecond=120_000)),
        ("2026-11-21T09:30:58.047203Z", NINE.replace(microsecond=47_203)),
        ("2026-11-21T09:30:58.1234567Z", NINE.replace(microsecond=123_456)),
        ("2026-11-21T09:30:58.Z", NINE),
        ("2026-11-21T10:30:58+01:00", NINE),
        ("2026-11-21T09:30:58", NINE),
        ("9999-12-31T23:59:59.9999999Z", datetime.max.replace(tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime.min.replace(tzinfo=UTC)),
    ],
)
def test_every_moment_of_graph_is_aware_utc(text: str, moment: datetime) -> None:
    parsed = Moment.parse(text)
    assert parsed == moment
    assert parsed.utcoffset() == timedelta(0)
    credential = decode(reply({"endDateTime": text}), PasswordCredential, "a secret")
    assert credential.end_date_time == moment


@pytest.mark.parametrize("text", ["", "2026-11-21", "2026-13-21T09:30:58Z", "tomorrow", "9999-12-31T23:59:59-01:00"])
def test_what_is_no_moment_is_a_bad_reply(text: str) -> None:
    with pytest.raises(BadReplyError, match=r"endDateTime"):
        decode(reply({"endDateTime": text}), PasswordCredential, "a secret")


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("P90D", timedelta(days=90)),
        ("P4DT12H30M5S", timedelta(days=4, hours=12, minutes=30, seconds=5)),
        ("P1Y6M", timedelta(days=545)),
        ("P2W", timedelta(days=14)),
        ("PT0.5S", timedelta(milliseconds=500)),
    ],
)
def test_lifetimes_of_policies(text: str, span: timedelta) -> None:
    rule = decode(reply({"maxLifetime": text}), CredentialRestriction, "a policy")
    assert rule.max_lifetime == span
    assert isinstance(rule.max_lifetime, Lifetime)


@pytest.mark.parametrize("text", ["", "P", "PT", "P1DT", "90", "90D", "P-1D", "P9999999999D"])
def test_what_is_no_lifetime_is_a_bad_reply(text: str) -> None:
    with pytest.raises(BadReplyError, match="maxLifetime"):
        decode(reply({"maxLifetime": text}), CredentialRestriction, "a policy")


def test_a_secret_is_decoded_into_a_secret_and_shown_nowhere() -> None:
    credential = decode(reply({"secretText": SECRET_TEXT, "keyId": "1"}), PasswordCredential, "a secret")
    assert isinstance(credential.secret_text, Secret)
    assert credential.secret_text.reveal() == SECRET_TEXT
    assert SECRET_TEXT not in repr(credential)
    with pytest.raises(TypeError):
        encode(credential)


def test_the_error_for_a_bad_reply_quotes_nothing_of_it() -> None:
    body = {"secretText": SECRET_TEXT, "keyId": 5}
    with pytest.raises(BadReplyError) as caught:
        decode(reply(body), PasswordCredential, "client secret x")
    shown = f"{caught.value} {caught.value.hint} {caught.value.details}"
    assert SECRET_TEXT not in shown
    assert "client secret x" in shown
    assert "keyId" in shown


def test_a_secret_of_the_wrong_type_is_a_bad_reply() -> None:
    with pytest.raises(BadReplyError, match="secretText"):
        decode(reply({"secretText": 5}), PasswordCredential, "a secret")


@pytest.mark.parametrize("model", [Application, ServicePrincipal])
def test_unknown_properties_are_ignored_and_all_but_ids_may_be_null_or_absent(
    model: type[Application | ServicePrincipal],
) -> None:
    names = {field.encode_name for field in msgspec.structs.fields(model)} - IDS.keys()
    bare = decode(reply({**IDS, "inventedTomorrow": {"a": [1]}}), model, "an object")
    nulls = decode(reply({**IDS, **dict.fromkeys(names)}), model, "an object")
    assert bare == nulls
    assert bare.tags is None


@pytest.mark.parametrize("body", [{"id": "1"}, {"appId": "2"}, {"id": None, "appId": "2"}, [], "text", None])
def test_an_application_without_its_ids_is_a_bad_reply(body: object) -> None:
    with pytest.raises(BadReplyError):
        decode(reply(body), Application, "application x")


def test_a_patch_holds_the_changed_properties_only() -> None:
    assert encode(ApplicationPatch()) == b"{}"
    assert json.loads(encode(ApplicationPatch(display_name="a", notes=None))) == {"displayName": "a", "notes": None}
    assert json.loads(encode(ApplicationPatch(tags=()))) == {"tags": []}
    assert json.loads(encode(ServicePrincipalPatch(account_enabled=False))) == {"accountEnabled": False}
    assert ApplicationPatch().display_name is UNSET


def test_parts_of_a_patch_say_nothing_of_what_they_leave_alone() -> None:
    patch = ApplicationPatch(
        service_principal_lock_configuration=PropertyLock(is_enabled=True, all_properties=True),
        web=RedirectUris(redirect_uris=()),
    )
    assert json.loads(encode(patch)) == {
        "servicePrincipalLockConfiguration": {"isEnabled": True, "allProperties": True},
        "web": {"redirectUris": []},
    }


def test_every_model_is_immutable_keyword_only_and_in_camel_case() -> None:
    models = [value for value in vars(room).values() if inspect.isclass(value) and issubclass(value, msgspec.Struct)]
    assert len(models) > 20
    for model in models:
        assert model.__struct_config__.frozen, model
        kinds = {one.kind for one in inspect.signature(model).parameters.values()}
        assert kinds == {inspect.Parameter.KEYWORD_ONLY}, model
        assert not [f.encode_name for f in msgspec.structs.fields(model) if "_" in f.encode_name], model


def test_every_public_name_is_there() -> None:
    assert sorted(set(room.__all__)) == sorted(room.__all__)
    assert [name for name in room.__all__ if not hasattr(room, name)] == []
