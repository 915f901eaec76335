"""A command of the operator's that keeps the secret: it reads it from stdin, and what it is from its environment.

It is called once, when a secret is put, and never asked afterwards: nobody but the operator knows where the value went.
Exit code 0 means that it is kept; any other, or a minute gone by, means that it is not.
"""

from __future__ import annotations

import os
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from mimapp.clock import iso
from mimapp.errors import StoreError
from mimapp.stores.programs import find_program, run_program, words_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mimapp.secret import Secret, StoredSecret

__all__ = ["CommandStore"]

_SECONDS: Final = 60.0
_TOLD_LINES: Final = 12
_LONGEST_LINE: Final = 300
_HIDDEN: Final = "***"


class CommandStore:
    """Gives secrets to a command.

    Args:
        command: the path of a program, or a program and arguments with quotes as a shell takes them; no shell reads it.
        environ: the environment that it inherits, without the operator's own credentials; None for this process's.
        seconds: how long it may take.
    """

    def __init__(self, command: str, *, environ: Mapping[str, str] | None = None, seconds: float = _SECONDS) -> None:
        self._command = command
        self._environ = MappingProxyType(dict(os.environ if environ is None else environ))
        self._seconds = seconds

    @property
    def uri(self) -> str:
        """``exec:`` and the command."""
        return f"exec:{self._command}"

    def __repr__(self) -> str:
        return f"CommandStore({self._command!r})"

    def preflight(self) -> None:
        """Raise `StoreError` unless the program is there and this account may run it."""
        self._words()

    def put(self, stored: StoredSecret) -> None:
        """Call the command, with the secret and a line end on its stdin.

        Raises:
            StoreError: it could not be started, took too long, or ended with another code than 0.
        """
        variables = {
            "MIMAPP_STORE_ACTION": "put",
            "MIMAPP_TENANT_ID": stored.tenant_id,
            "MIMAPP_APPLICATION_ID": stored.application_id,
            "MIMAPP_KEY_ID": stored.key_id,
            "MIMAPP_LABEL": stored.label,
            "MIMAPP_EXPIRES": iso(stored.expires),
            "MIMAPP_SANDBOX": "true" if stored.sandbox else "",
        }
        value = stored.secret.reveal()
        try:
            ended = run_program(
                self._words(),
                stdin=f"{value}\n".encode(),
                environ={**self._environ, **variables},
                seconds=self._seconds,
            )
        except OSError as error:
            raise StoreError(f"{self.uri} could not be started: {error.strerror or error}") from error
        if ended.code == 0:
            return
        how = f"ended with {ended.code}"
        if ended.code is None:
            how = f"took longer than {self._seconds:.0f} seconds and was stopped"
        elif ended.code < 0:
            how = f"was stopped by signal {-ended.code}"
        said = ended.said.decode(errors="replace").replace(value, _HIDDEN)
        lines = [line.rstrip()[:_LONGEST_LINE] for line in said.splitlines() if line.strip()]
        raise StoreError(
            f"{self.uri} {how}: the secret counts as not kept there",
            hint="mend the command, then run the same command again",
            details=lines[-_TOLD_LINES:],
        )

    def has(self, key_id: str) -> None:
        """A command is not asked: nobody knows."""
        del key_id

    def get(self, key_id: str) -> Secret | None:
        """Nothing comes back from a command."""
        del key_id
        return None

    def forget(self, key_id: str) -> None:
        """What a command has kept is its owner's to remove."""
        del key_id

    def _words(self) -> list[str]:
        try:
            words = words_of(self._command)
        except ValueError as error:
            raise StoreError(f"{self.uri} cannot be read: {error}") from error
        found = find_program(words[0], self._environ)
        if found is None:
            raise StoreError(
                f"{self.uri}: {words[0]} is not there, or may not be run by this account",
                hint="give the path of a program that is executable",
            )
        return [found, *words[1:]]
