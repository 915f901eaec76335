from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from served_tenant import ServedTenant

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedTenant]:
    """One `mimapp sandbox serve` for the tests of a file: a process of its own, as it is for its users."""
    with ServedTenant(tmp_path_factory.mktemp("served")) as made:
        yield made


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clients read the process's own variables; a proxy does not lead to this machine."""
    for name in _PROXIES:
        monkeypatch.delenv(name, raising=False)
    for name in (
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "AZURE_AUTHORITY_HOST",
        "IDENTITY_ENDPOINT",
        "IDENTITY_HEADER",
    ):
        monkeypatch.delenv(name, raising=False)
