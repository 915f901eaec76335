from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import httpx
import pytest

from mimapp.clouds import cloud
from mimapp.errors import UsageError
from mimapp.identity import DeviceCode, Memory, Method, OperatorSignIn, SignInOptions
from mimapp.transport import Http, Patience
from support.clock import FakeClock
from support.player import unsigned_token
from support.vault import vaults

if TYPE_CHECKING:
    from pathlib import Path

    from mimapp.identity.remember import Persistence

TENANT = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
PERMISSIONS = ("User.Read",)


@pytest.fixture
def kept() -> dict[str, str]:
    return {}


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
