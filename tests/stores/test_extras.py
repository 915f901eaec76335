"""Importing the stores loads none of the libraries that only some of them need; a missing one is one clear line."""

from __future__ import annotations

import subprocess
import sys

import pytest

_LOADED = """
import sys
import mimapp.stores
print(sorted({name.partition(".")[0] for name in sys.modules} & {"keyring", "cryptography", "azure", "msal"}))
"""
_MISSING = """
import sys
for name in ("keyring", "azure.keyvault", "azure.keyvault.secrets", "cryptography", "cryptography.x509"):
    sys.modules[name] = None  # what an import of something that is not there ends with
from pathlib import Path
from mimapp.errors import UsageError
from mimapp.stores import CmsStore, KeyVaultStore, KeyringStore
from mimapp.clock import SystemClock
stores = {{
    "keyring": lambda: KeyringStore("x"),
    "keyvault": lambda: KeyVaultStore("https://v.vault.azure.net/secrets/x", credential=None),
    "cms": lambda: CmsStore("x.cer", "x.cms"),
}}
try:
    stores[{0!r}]().preflight()
except UsageError as error:
    print(error.message, "|", error.hint)
"""


def said(script: str) -> str:
    return subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout.strip()


def test_importing_the_stores_loads_no_extra() -> None:
    assert said(_LOADED) == "[]"


@pytest.mark.parametrize("extra", ["keyring", "keyvault", "cms"])
def test_a_missing_extra_is_one_line_with_the_command(extra: str) -> None:
    message, _, hint = said(_MISSING.format(extra)).partition(" | ")
    assert message.startswith(f"{extra}: needs the library ")
    assert message.endswith(", which is not installed")
    assert hint == f"pip install 'mimapp[{extra}]'"
