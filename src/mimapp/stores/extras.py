"""Libraries that only some stores need: imported when such a store is used, never before."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from mimapp.errors import UsageError

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["load"]


def load(module: str, *, extra: str, store: str) -> ModuleType:
    """Import a module of an extra.

    Args:
        module: its dotted name.
        extra: the extra that brings it.
        store: what needs it, for the error.

    Raises:
        UsageError: the extra is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UsageError(
            f"{store} needs the library {error.name or module}, which is not installed",
            hint=f"pip install 'mimapp[{extra}]'",
        ) from error
