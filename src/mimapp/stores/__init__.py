"""Where a client secret goes: each store keeps it, says whether it has it, and gives it back where it can.

Importing this room loads none of the libraries that only some stores need; using such a store without its extra is a
`UsageError` with the pip command.
"""

from mimapp.stores.cms import CmsStore
from mimapp.stores.command import CommandStore
from mimapp.stores.default import default_store, own_stores
from mimapp.stores.file import FileFormat, FileStore
from mimapp.stores.keyvault import KeyVaultStore
from mimapp.stores.os_keyring import KeyringStore
from mimapp.stores.parse import FORMS, ReadableStore, Surroundings, VaultSignIn, parse_store
from mimapp.stores.plain import PlainFileStore
from mimapp.stores.stdout import StdoutStore

__all__ = [
    "FORMS",
    "CmsStore",
    "CommandStore",
    "FileFormat",
    "FileStore",
    "KeyVaultStore",
    "KeyringStore",
    "PlainFileStore",
    "ReadableStore",
    "StdoutStore",
    "Surroundings",
    "VaultSignIn",
    "default_store",
    "own_stores",
    "parse_store",
]
