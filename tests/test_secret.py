"""A secret does not show itself: every way in which a value usually ends in a log, a file or a traceback is tried."""

from __future__ import annotations

import base64
import copy
import dataclasses
import io
import json
import logging
import pickle
import pprint
import reprlib
import traceback
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from rich.console import Console
from rich.pretty import pretty_repr

from mimapp.secret import Secret, StoredSecret

if TYPE_CHECKING:
    from collections.abc import Callable

VALUE = "s3cr3t~value.of-40-characters-as-Entra-has"
STORED = StoredSecret(
    application_id="22222222-2222-2222-2222-222222222222",
    tenant_id="11111111-1111-1111-1111-111111111111",
    secret=Secret(VALUE),
    key_id="33333333-3333-3333-3333-333333333333",
    label="mimapp 2026-11-21 0123456789",
    expires=datetime(2027, 5, 20, tzinfo=UTC),
)


class Holder(msgspec.Struct):
    secret: Secret


def _fail(secret: Secret, stored: StoredSecret) -> None:
    raise ValueError(f"it failed with {secret}", secret, stored)


def _with_locals(secret: Secret) -> str:
    try:
        _fail(secret, STORED)
    except ValueError as error:
        return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    raise AssertionError("it failed above")


def _rich_traceback(secret: Secret) -> str:
    stream = io.StringIO()
    try:
        _fail(secret, STORED)
    except ValueError:
        Console(file=stream, width=200).print_exception(show_locals=True)
    return stream.getvalue()


def _logged(secret: Secret) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    record = logging.LogRecord("x", logging.INFO, "x", 1, "%s %r %20s", (secret, secret, secret), None)
    handler.emit(record)
    return stream.getvalue()


SHOWN: dict[str, Callable[[Secret], str]] = {
    "repr": repr,
    "str": str,
    "format": lambda secret: f"{secret}",
    "format with a width": lambda secret: f"{secret:>60}",
    "format as text": lambda secret: f"{secret!s:.200}",
    "percent": lambda secret: "%s %r %a" % (secret, secret, secret),  # noqa: UP031 - the old form is what is tried
    "join of reprs": lambda secret: repr([secret, {"k": secret}, (secret,)]),
    "pprint": pprint.pformat,
    "reprlib": reprlib.repr,
    "rich": pretty_repr,
    "a struct that holds it": lambda secret: repr(Holder(secret=secret)),
    "rich of a struct that holds it": lambda secret: pretty_repr(Holder(secret=secret)),
    "a dataclass that holds it": lambda _: repr(STORED),
    "rich of a dataclass that holds it": lambda _: pretty_repr(STORED),
    "an exception's arguments": lambda secret: repr(ValueError(secret)),
    "a traceback with its locals": _with_locals,
    "rich's traceback with its locals": _rich_traceback,
    "a log line": _logged,
    "its attributes by name": lambda secret: repr(dir(secret)),
}


@pytest.mark.parametrize("show", SHOWN.values(), ids=SHOWN)
def test_what_is_shown_is_not_the_value(show: Callable[[Secret], str]) -> None:
    shown = show(Secret(VALUE))
    assert shown
    assert VALUE[:8] not in shown


REFUSED: dict[str, Callable[[Any], Any]] = {
    **{f"pickle {n}": partial(pickle.dumps, protocol=n) for n in range(pickle.HIGHEST_PROTOCOL + 1)},
    "pickle of what holds it": lambda _: pickle.dumps(STORED),
    "reduce": lambda secret: secret.__reduce__(),
    "getstate": lambda secret: secret.__getstate__(),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "asdict": lambda _: dataclasses.asdict(STORED),
    "json": json.dumps,
    "json of what holds it": lambda secret: json.dumps({"a": [secret]}),
    "msgspec json": msgspec.json.encode,
    "msgspec msgpack": msgspec.msgpack.encode,
    "msgspec of what holds it": lambda secret: msgspec.json.encode(Holder(secret=secret)),
    "msgspec of a dataclass": lambda _: msgspec.json.encode(STORED),
    "to_builtins": msgspec.to_builtins,
    "hash": hash,
    "a key": lambda secret: {secret: 1},
    "a set": lambda secret: {secret},
    "len": len,
    "iteration": list,
    "bytes": bytes,
    "vars": vars,
    "index": lambda secret: secret[0],
    "addition": lambda secret: "x" + secret,
    "order": lambda secret: sorted([secret, secret]),
    "a new attribute": lambda secret: setattr(secret, "value", 1),
    "base64": base64.b64encode,
}


@pytest.mark.parametrize("attempt", REFUSED.values(), ids=REFUSED)
def test_it_does_not_serialise_hash_or_measure_itself(attempt: Callable[[Secret], Any]) -> None:
    with pytest.raises((TypeError, AttributeError)) as caught:
        attempt(Secret(VALUE))
    assert VALUE not in "".join(traceback.format_exception(caught.value))
    assert all(VALUE not in repr(argument) for argument in caught.value.args)


def test_it_is_revealed_by_its_one_method() -> None:
    assert Secret(VALUE).reveal() == VALUE


def test_it_equals_a_secret_of_the_same_text_only() -> None:
    same, other = Secret(VALUE), Secret(VALUE + "x")
    assert Secret(VALUE) == same
    assert Secret(VALUE) != other
    assert Secret(VALUE) != VALUE
    assert Secret("ä€") == Secret("ä€")


def test_a_text_that_is_no_unicode_compares_and_stays_hidden() -> None:
    # What a wrongly decoded file or pipe holds: a lone surrogate.
    strange = Secret(f"{VALUE}\udc80")
    assert strange == Secret(f"{VALUE}\udc80")
    assert strange != Secret(VALUE)


def test_an_empty_one_is_false() -> None:
    assert not Secret("")
    assert Secret(" ")


def test_stored_secrets_compare_by_value_and_cannot_change() -> None:
    assert dataclasses.replace(STORED, secret=Secret(VALUE)) == STORED
    assert dataclasses.replace(STORED, secret=Secret("x")) != STORED
    with pytest.raises(dataclasses.FrozenInstanceError):
        STORED.label = "x"  # type: ignore[misc]  # what the test is about


def test_a_stored_secret_is_real_unless_it_says_otherwise() -> None:
    assert not STORED.sandbox
