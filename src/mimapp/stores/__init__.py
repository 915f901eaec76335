"""Where a client secret goes: each store keeps it, says whether it has it, and gives it back where it can."""

from mimapp.stores.file import FileStore
from mimapp.stores.parse import parse_store
from mimapp.stores.stdout import StdoutStore

__all__ = ["FileStore", "StdoutStore", "parse_store"]
