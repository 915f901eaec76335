"""The terminal: the secret is shown once and kept nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mimapp.secret import Secret, StoredSecret

__all__ = ["StdoutStore"]


class StdoutStore:
    """Shows a secret to the person at the terminal.

    Args:
        show: prints a line; the library never prints by itself.
        is_terminal: whether a person sees what it prints. A pipe or a log would keep the secret in clear text.
        even_without_terminal: print all the same.
    """

    def __init__(self, show: Callable[[str], None], *, is_terminal: bool, even_without_terminal: bool = False) -> None:
        self._show = show
        self._allowed = is_terminal or even_without_terminal

    @property
    def uri(self) -> str:
        """``stdout``."""
        return "stdout"

    def preflight(self) -> None:
        """Raise `StoreError` where nobody would see the secret."""
        if not self._allowed:
            raise StoreError(
                "stdout is no terminal: the secret would land in a pipe or a log",
                hint="use --secret-to file:PATH, run it at a terminal, or say --secret-to 'stdout?pipe=yes'",
            )

    def put(self, stored: StoredSecret) -> None:
        """Show the secret.

        Raises:
            StoreError: nobody reads it.
        """
        try:
            self._show(stored.secret.reveal())
        except OSError as error:
            raise StoreError(f"stdout could not be written: {error.strerror or error}") from error

    def has(self, key_id: str) -> None:
        """Nobody knows whether somebody wrote it down."""
        del key_id

    def get(self, key_id: str) -> Secret | None:
        """What was shown cannot be read back."""
        del key_id
        return None

    def forget(self, key_id: str) -> None:
        """There is nothing to forget."""
        del key_id
