"""From the text of ``--secret-to`` to a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mimapp.errors import UsageError
from mimapp.stores.file import FileStore
from mimapp.stores.stdout import StdoutStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from mimapp.secret import SecretStore

__all__ = ["parse_store"]

_FORMS = "file:PATH or stdout"


def parse_store(text: str, *, show: Callable[[str], None], is_terminal: bool) -> SecretStore:
    """The store that a URI names.

    Args:
        text: as ``--secret-to`` has it.
        show: prints a line, for the terminal store.
        is_terminal: whether a person sees what `show` prints.

    Raises:
        UsageError: no such store.
    """
    kind, _, rest = text.partition(":")
    if text == "stdout":
        return StdoutStore(show, is_terminal=is_terminal)
    if kind == "file" and rest and "\0" not in rest:
        try:
            return FileStore(Path(rest).expanduser())
        except RuntimeError as error:
            raise UsageError(f"secret store {text!r}: {error}", hint="give an absolute path") from error
    raise UsageError(f"secret store {text!r} is not known", hint=f"one of {_FORMS}")
