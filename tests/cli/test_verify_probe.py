"""``verify --print-probe``: where a policy keeps this machine from proving the secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mimapp.sandbox.scenarios import block_sign_in
from support.tenants import MAILBOX, Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path / "home")
    yield made
    made.close()


def test_a_secret_that_is_blocked_here_is_kept_and_can_be_proven_there(place: Place, tmp_path: Path) -> None:
    place.remote("register", "--mailbox", MAILBOX, "--yes", "--only", "entra")
    first = place.remote("status", "--mailbox", MAILBOX, "--output", "json").document
    block_sign_in(place.sandbox, first["applicationId"])
    (place.home / "journal" / place.info.tenant_id / "mimservice.json").unlink()

    done = place.remote("register", "--mailbox", MAILBOX, "--yes", "--output", "json")
    probe = place.remote("verify", "--print-probe", "--mailbox", MAILBOX, "--out", str(tmp_path / "probe.ps1"))

    assert done.code == 3, done.err
    assert any("verify --print-probe" in matter for matter in done.document["attention"])
    assert done.document["secret"]["keyId"] == first["credentials"][0]["keyId"]
    assert done.document["secret"]["proven"] is False
    assert probe.code == 0, probe.err
    written = (tmp_path / "probe.ps1").read_bytes()
    assert written.startswith(b"\xef\xbb\xbf")
    assert first["applicationId"].encode() in written
