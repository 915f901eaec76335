"""The terminal as a store, and the texts that name stores."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from test_file_store import FIRST, VALUE

from mimapp.errors import StoreError, UsageError
from mimapp.stores import (
    FORMS,
    CmsStore,
    CommandStore,
    FileStore,
    KeyringStore,
    PlainFileStore,
    StdoutStore,
    Surroundings,
    VaultSignIn,
    default_store,
    own_stores,
    parse_store,
)
from mimapp.transport import Http, Patience
from support.clock import FakeClock
from support.machine import posix_only

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken

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


def around(shown: list[str] | None = None, *, is_terminal: bool = True, is_windows: bool = False) -> Surroundings:
    lines = Shown() if shown is None else shown
    return Surroundings(show=lines.append, is_terminal=is_terminal, is_windows=is_windows)


def test_stdout_is_a_store() -> None:
    shown = Shown()
    store = parse_store("stdout", around(shown))
    assert isinstance(store, StdoutStore)
    store.put(FIRST)
    assert shown == [VALUE]


def test_stdout_without_a_terminal_is_refused_at_preflight_unless_its_own_option_allows_it() -> None:
    with pytest.raises(StoreError) as caught:
        parse_store("stdout", around(is_terminal=False)).preflight()
    assert "stdout?pipe=yes" in (caught.value.hint or "")
    parse_store("stdout?pipe=yes", around(is_terminal=False)).preflight()


@pytest.mark.parametrize("path", ["a.json", "sub/a.json", "with space.json", pytest.param("a:b", marks=posix_only)])
def test_a_file_is_named_by_its_path(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = parse_store(f"file:{path}", around())
    assert isinstance(store, FileStore)
    assert store.path == Path.cwd() / path
    assert parse_store(store.uri, around()).uri == store.uri


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert parse_store("file:~/a.json", around()).uri == f"file:{tmp_path / 'a.json'}"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("file:a?format=json", FileStore),
        ("file:a?format=dotenv", FileStore),
        ("file:a?format=plain", PlainFileStore),
        ("keyring:mim/test", KeyringStore),
        ("cms:mim.cer:mim.cms", CmsStore),
        ("exec:deploy --to mim", CommandStore),
    ],
)
def test_each_form_names_its_store_and_its_uri_names_it_again(text: str, kind: type) -> None:
    store = parse_store(text, around())
    assert isinstance(store, kind)
    assert parse_store(store.uri, around()).uri == store.uri


def test_a_vault_gets_the_operators_sign_in_when_it_is_named_and_not_before() -> None:
    class Nobody:
        def get_token(self, *scopes: str, **_: object) -> AccessToken:
            raise AssertionError(scopes)

    asked: list[str] = []

    def vault(host: str) -> VaultSignIn:
        asked.append(host)
        return VaultSignIn(credential=Nobody(), http=Http(Patience(FakeClock())))

    surroundings = replace(around(), vault=vault)
    parse_store("file:a", surroundings)
    assert asked == []
    store = parse_store("keyvault:https://mim.vault.azure.net/secrets/mim-mail", surroundings)
    assert asked == ["https://mim.vault.azure.net"]
    assert store.uri == "keyvault:https://mim.vault.azure.net/secrets/mim-mail"


@pytest.mark.parametrize(
    ("text", "certificate", "path"),
    [
        (r"cms:C:\certs\mim.cer:D:\out\mim.cms", r"C:\certs\mim.cer", r"D:\out\mim.cms"),
        (r"cms:mim.cer:D:\out\mim.cms", "mim.cer", r"D:\out\mim.cms"),
        (r"cms:C:\certs\mim.cer:mim.cms", r"C:\certs\mim.cer", "mim.cms"),
    ],
)
def test_on_windows_a_drives_colon_does_not_separate(text: str, certificate: str, path: str) -> None:
    store = parse_store(text, around(is_windows=True))
    assert isinstance(store, CmsStore)
    assert (store.certificate.name, store.path.name) == (certificate, path)  # here each is one strange name


@pytest.mark.parametrize(
    "text", ["", "file", "file:", "File:x", "stdout:", "stdout ", "stdout?x", "vault:x", "x.json", "file:a\0b", "exec:"]
)
def test_any_other_text_names_no_store(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_store(text, around())
    assert str(caught.value) == f"secret store {text!r} is not known"
    assert caught.value.hint == f"one of {', '.join(FORMS)}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("file:a?format=yaml", "after a question mark"),
        ("file:a?fromat=json", "after a question mark"),
        ("keyring:a b", "a keyring's name is made of"),
        ("cms:only-one", "a certificate and a file"),
        ("keyvault:mim", "wanted https://VAULT/secrets/NAME"),
        ("keyvault:http://mim.vault.azure.net/secrets/a", "wanted https://VAULT/secrets/NAME"),
        ("keyvault:https://mim.vault.azure.net/keys/a", "wanted https://VAULT/secrets/NAME"),
        ("keyvault:https://mim.vault.azure.net/secrets/a/0123", "wanted https://VAULT/secrets/NAME"),
        ("keyvault:https://mim.vault.azure.net/secrets/a_b", "of letters, digits and hyphens"),
        ("keyvault:https://u:p@mim.vault.azure.net/secrets/a", "wanted https://VAULT/secrets/NAME"),
        ("keyvault:https://mim.vault.azure.net/secrets/a", "nobody signs in here"),
    ],
)
def test_a_store_of_the_wrong_form_says_which_it_wants(text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as caught:
        parse_store(text, around())
    assert caught.value.hint == f"one of {', '.join(FORMS)}"


@posix_only  # Windows guesses where another user's home may be
def test_a_home_of_nobody_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no-such-user-here"):
        parse_store("file:~no-such-user-here/a.json", around())


def test_the_default_is_a_file_and_on_windows_the_keyring(tmp_path: Path) -> None:
    assert default_store(tmp_path, "t", "k", is_windows=False).uri == f"file:{tmp_path / 'secrets' / 't' / 'k.json'}"
    assert default_store(tmp_path, "t", "k", is_windows=True).uri == "keyring:t/k"


@pytest.mark.parametrize(("is_windows", "folder"), [(False, "secrets"), (True, "journal")])
def test_this_machines_own_stores_are_found_without_a_sign_in(tmp_path: Path, folder: str, *, is_windows: bool) -> None:
    for name in ("t1/a.json", "t1/b.json", "t2/a.json"):
        path = tmp_path / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")

    def found(tenant_id: str | None, key: str | None) -> list[str]:
        stores = own_stores(tmp_path, tenant_id=tenant_id, key=key, is_windows=is_windows)
        return [store.uri.removesuffix(".json")[-4:] for store in stores]

    assert found(None, None) == ["t1/a", "t1/b", "t2/a"]
    assert found("t1", None) == ["t1/a", "t1/b"]
    assert found("contoso.example", "a") == ["t1/a", "t2/a"]
