"""From the text of ``--secret-to`` and ``--secret-from`` to a store."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from mimapp.errors import UsageError
from mimapp.stores.cms import CmsStore
from mimapp.stores.command import CommandStore
from mimapp.stores.file import FileFormat, FileStore
from mimapp.stores.keyvault import KeyVaultStore, parse_secret_url
from mimapp.stores.os_keyring import KeyringStore
from mimapp.stores.plain import PlainFileStore
from mimapp.stores.stdout import StdoutStore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from azure.core.credentials import TokenCredential

    from mimapp.clock import Clock
    from mimapp.secret import SecretStore, StoredSecret
    from mimapp.transport import Http

__all__ = ["FORMS", "ReadableStore", "Surroundings", "VaultSignIn", "parse_store"]

#: Every form, as errors and documentation name them.
FORMS: Final = (
    "file:PATH",
    "file:PATH?format=dotenv",
    "file:PATH?format=plain",
    "keyring:NAME",
    "keyvault:https://VAULT/secrets/NAME",
    "cms:CERTIFICATE:PATH",
    "exec:COMMAND",
    "stdout",
)
_STDOUT: Final = re.compile(r"stdout(?P<pipe>\?pipe=yes)?")
_FILE: Final = re.compile(r"(?P<path>[^?]+)(?:\?format=(?P<format>json|dotenv|plain))?")
#: On Windows a path may begin with a drive's letter and a colon, which is not the one that separates.
_CMS: Final = re.compile(r"(?P<certificate>[^:]+):(?P<path>.+)")
_CMS_WINDOWS: Final = re.compile(r"(?P<certificate>(?:[A-Za-z]:)?[^:]+):(?P<path>(?:[A-Za-z]:)?[^:]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultSignIn:
    """How to reach a Key Vault: the operator's credential, and the HTTP client of the run."""

    credential: TokenCredential
    http: Http


@runtime_checkable
class ReadableStore(Protocol):
    """A store that gives back its newest secret without being told which."""

    def current(self) -> StoredSecret | None:
        """The newest secret here; None where there is none.

        Raises:
            StoreError: the place cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What stores need of the run.

    Attributes:
        show: prints a line, for the terminal.
        is_terminal: whether a person sees what `show` prints.
        environ: what commands inherit; None for this process's.
        clock: tells whether a certificate is valid; None for the machine's.
        vault: given the vault's host, signs in; asked only where a Key Vault is named. None: there is no sign-in here.
        is_windows: how paths are written here.
    """

    show: Callable[[str], None]
    is_terminal: bool
    environ: Mapping[str, str] | None = None
    clock: Clock | None = None
    vault: Callable[[str], VaultSignIn] | None = None
    is_windows: bool = os.name == "nt"


def parse_store(text: str, around: Surroundings) -> SecretStore:
    """The store that a URI names.

    Args:
        text: as ``--secret-to`` has it.
        around: what it needs of the run.

    Raises:
        UsageError: no such store, or its name is of the wrong form.
    """
    kind, _, rest = text.partition(":")
    terminal = _STDOUT.fullmatch(text)
    if terminal is not None:
        return StdoutStore(
            around.show, is_terminal=around.is_terminal, even_without_terminal=terminal["pipe"] is not None
        )
    try:
        if rest and "\0" not in rest:
            if kind == "file":
                return _file(rest)
            if kind == "keyring":
                return KeyringStore(rest)
            if kind == "keyvault":
                return _vault(rest, around)
            if kind == "cms":
                return _cms(rest, around)
            if kind == "exec":
                return CommandStore(rest, environ=around.environ)
    except (ValueError, RuntimeError) as error:
        raise UsageError(f"secret store {text!r}: {error}", hint=f"one of {', '.join(FORMS)}") from error
    raise UsageError(f"secret store {text!r} is not known", hint=f"one of {', '.join(FORMS)}")


def _file(rest: str) -> SecretStore:
    match = _FILE.fullmatch(rest)
    if match is None:
        raise ValueError("after a question mark stands format=json, format=dotenv or format=plain")
    path = Path(match["path"]).expanduser()
    if match["format"] == "plain":
        return PlainFileStore(path)
    return FileStore(path, format=FileFormat(match["format"] or FileFormat.JSON))


def _cms(rest: str, around: Surroundings) -> SecretStore:
    match = (_CMS_WINDOWS if around.is_windows else _CMS).fullmatch(rest)
    if match is None:
        raise ValueError("wanted a certificate and a file, with a colon between")
    certificate, path = (Path(match[name]).expanduser() for name in ("certificate", "path"))
    return CmsStore(certificate, path, clock=around.clock)


def _vault(rest: str, around: Surroundings) -> SecretStore:
    vault, _ = parse_secret_url(rest)
    if around.vault is None:
        raise ValueError("a Key Vault needs a sign-in, and nobody signs in here")
    sign_in = around.vault(vault)
    return KeyVaultStore(rest, credential=sign_in.credential, http=sign_in.http)
