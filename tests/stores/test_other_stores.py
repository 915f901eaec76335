"""The terminal as a store, and the texts that name stores."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from test_file_store import FIRST, VALUE

from mimapp.errors import StoreError, UsageError
from mimapp.stores import FileStore, StdoutStore, parse_store
from support.machine import posix_only

if TYPE_CHECKING:
    from mimapp.secret import SecretStore


class Shown(list[str]):
    """Lines that were printed."""


def test_the_terminal_shows_the_secret_once_and_keeps_nothing() -> None:
    shown = Shown()
    store: SecretStore = StdoutStore(shown.append, is_terminal=True)
    store.preflight()
    store.put(FIRST)
    assert shown == [VALUE]
    assert store.uri == "stdout"
    assert store.has(FIRST.key_id) is None
    assert store.get(FIRST.key_id) is None
    store.forget(FIRST.key_id)
    assert shown == [VALUE]


def test_a_pipe_is_refused_before_a_secret_is_issued() -> None:
    store = StdoutStore(Shown().append, is_terminal=False)
    with pytest.raises(StoreError, match="stdout is no terminal") as caught:
        store.preflight()
    assert "--secret-to file:PATH" in (caught.value.hint or "")


def test_a_pipe_is_taken_where_the_caller_says_so() -> None:
    shown = Shown()
    store = StdoutStore(shown.append, is_terminal=False, even_without_terminal=True)
    store.preflight()
    store.put(replace(FIRST, label="x"))
    assert shown == [VALUE]


def test_a_reader_who_has_gone_away_is_an_error_of_the_store() -> None:
    def show(_: str) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    with pytest.raises(StoreError, match="stdout could not be written: Broken pipe") as caught:
        StdoutStore(show, is_terminal=True).put(FIRST)
    assert VALUE not in repr(caught.value)


def test_stdout_is_a_store() -> None:
    shown = Shown()
    store = parse_store("stdout", show=shown.append, is_terminal=True)
    assert isinstance(store, StdoutStore)
    store.put(FIRST)
    assert shown == [VALUE]


def test_stdout_without_a_terminal_is_refused_at_preflight() -> None:
    with pytest.raises(StoreError):
        parse_store("stdout", show=Shown().append, is_terminal=False).preflight()


@pytest.mark.parametrize("path", ["a.json", "sub/a.json", "with space.json", pytest.param("a:b", marks=posix_only)])
def test_a_file_is_named_by_its_path(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = parse_store(f"file:{path}", show=Shown().append, is_terminal=False)
    assert isinstance(store, FileStore)
    assert store.path == Path.cwd() / path
    assert parse_store(store.uri, show=Shown().append, is_terminal=False).uri == store.uri


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert parse_store("file:~/a.json", show=Shown().append, is_terminal=False).uri == f"file:{tmp_path / 'a.json'}"


@pytest.mark.parametrize(
    "text", ["", "file", "file:", "File:x", "stdout:", "stdout ", "vault:x", "x.json", "file:a\0b"]
)
def test_any_other_text_names_no_store(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_store(text, show=Shown().append, is_terminal=True)
    assert str(caught.value) == f"secret store {text!r} is not known"
    assert caught.value.hint == "one of file:PATH or stdout"


@posix_only  # Windows guesses where another user's home may be
def test_a_home_of_nobody_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no-such-user-here") as caught:
        parse_store("file:~no-such-user-here/a.json", show=Shown().append, is_terminal=True)
    assert caught.value.hint == "give an absolute path"
