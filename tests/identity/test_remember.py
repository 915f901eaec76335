from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from msal_extensions.persistence import PersistenceNotFound  # type: ignore[import-untyped]  # it ships no types

from mimapp.clouds import cloud
from mimapp.errors import UsageError
from mimapp.identity import DeviceCode, Memory, Method, OperatorSignIn, SignInOptions
from mimapp.transport import Http, Patience
from support.clock import FakeClock
from support.player import unsigned_token

if TYPE_CHECKING:
    from collections.abc import Callable

    from mimapp.identity.remember import Persistence

TENANT = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
PERMISSIONS = ("User.Read",)


class Vault:
    """Protected storage that a test can look into: kept in memory, with a file that stands for it."""

    kept: dict[str, str]

    def __init__(self, location: str, kept: dict[str, str], *, is_encrypted: bool = True) -> None:
        self.location = location
        self.kept = kept
        self.is_encrypted = is_encrypted

    def save(self, content: str) -> None:
        self.kept[self.location] = content
        Path(self.location).touch()

    def load(self) -> str:
        if self.location not in self.kept:
            raise PersistenceNotFound(location=self.location)
        return self.kept[self.location]

    def time_last_modified(self) -> float:
        if self.location not in self.kept:
            raise PersistenceNotFound(location=self.location)
        return time.time()

    def get_location(self) -> str:
        return self.location


@pytest.fixture
def kept() -> dict[str, str]:
    return {}


def vaults(kept: dict[str, str], *, is_encrypted: bool = True) -> Callable[[str], Persistence]:
    def make(location: str) -> Persistence:
        return Vault(location, kept, is_encrypted=is_encrypted)

    return make


def entra(request: httpx.Request) -> httpx.Response:
    base = f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0"
    if request.url.path.endswith("openid-configuration"):
        return httpx.Response(
            200,
            json={
                "issuer": f"https://login.microsoftonline.com/{TENANT}/v2.0",
                "authorization_endpoint": f"{base}/authorize",
                "token_endpoint": f"{base}/token",
                "device_authorization_endpoint": f"{base}/devicecode",
            },
        )
    if request.url.path.endswith("/devicecode"):
        return httpx.Response(200, json={"user_code": "A", "device_code": "d", "expires_in": 60, "interval": 1})
    return httpx.Response(
        200,
        json={
            "token_type": "Bearer",
            "expires_in": 3600,
            "access_token": unsigned_token({"tid": TENANT, "upn": "admin@contoso.com"}),
            "refresh_token": "replaced-refresh-token",
            "id_token": unsigned_token({"sub": "s", "oid": "o", "tid": TENANT, "preferred_username": "admin"}),
            "client_info": "eyJ1aWQiOiJvIiwidXRpZCI6InQifQ",
            "scope": "https://graph.microsoft.com/User.Read",
        },
    )


def run(memory: Memory | None) -> list[DeviceCode]:
    """One run of mimapp: the codes that a person was shown."""
    shown: list[DeviceCode] = []
    both = SignInOptions(method=Method.DEVICE_CODE)
    operator = OperatorSignIn(
        Http(Patience(FakeClock()), transport=httpx.MockTransport(entra)),
        cloud("global"),
        tenant=TENANT,
        graph=both,
        exchange=both,
        show_code=shown.append,
        environ={},
        memory=memory,
    )
    assert operator.graph(PERMISSIONS).operator().name == "admin@contoso.com"
    return shown


def test_a_remembered_sign_in_answers_the_next_run(tmp_path: Path, kept: dict[str, str]) -> None:
    memory = Memory(tmp_path, storage=vaults(kept))
    assert len(run(memory)) == 1
    assert run(Memory(tmp_path, storage=vaults(kept))) == []
    assert "replaced-refresh-token" in kept[str(tmp_path / "operator.cache")]


def test_nothing_is_remembered_unless_asked_for(tmp_path: Path) -> None:
    assert len(run(None)) == 1
    assert len(run(None)) == 1
    assert list(tmp_path.iterdir()) == []


def test_logout_empties_the_storage(tmp_path: Path, kept: dict[str, str]) -> None:
    memory = Memory(tmp_path, storage=vaults(kept))
    run(memory)
    assert memory.forget()
    assert kept[str(tmp_path / "operator.cache")] == "{}"
    assert not memory.forget(), "nothing is left to forget"
    assert len(run(memory)) == 1


def test_plain_text_is_refused(tmp_path: Path, kept: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="plain text"):
        Memory(tmp_path, storage=vaults(kept, is_encrypted=False)).cache()
    assert kept == {}


def test_a_machine_without_protected_storage_is_told_to_leave_it_out(tmp_path: Path) -> None:
    def none_here(_: str) -> Persistence:
        raise ImportError("No module named 'gi'")

    with pytest.raises(UsageError, match="no protected storage") as caught:
        Memory(tmp_path, storage=none_here).cache()
    assert caught.value.hint is not None
    assert "--remember" in caught.value.hint


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the platform has one")
def test_the_real_storage_of_this_machine_is_protected_or_refused(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    try:
        cache = memory.cache()
    except UsageError as error:
        assert "no protected storage" in error.message  # noqa: PT017 - either answer is right, by the machine
    else:
        assert cache.is_encrypted
