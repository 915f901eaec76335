"""Whether the account that a schedule runs as can use the files it needs, by their modes; POSIX only.

Access lists and mandatory access control may say otherwise; they are not looked at.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Account", "account_called", "check_config", "check_folder", "check_readable"]

_READ = 0o4
_WRITE = 0o2
_ENTER = 0o1


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account of this machine."""

    name: str
    uid: int
    groups: frozenset[int]


def account_called(name: str | None) -> Account:
    """An account by its name; None is the one that runs this.

    Raises:
        UsageError: there is no such account.
    """
    import grp  # noqa: PLC0415 - not on Windows
    import pwd  # noqa: PLC0415 - as above

    try:
        entry = pwd.getpwuid(os.getuid()) if name is None else pwd.getpwnam(name)
    except KeyError:
        raise UsageError(f"--account {name}: there is no such account on this machine") from None
    others = {group.gr_gid for group in grp.getgrall() if entry.pw_name in group.gr_mem}
    return Account(name=entry.pw_name, uid=entry.pw_uid, groups=frozenset({entry.pw_gid, *others}))


def check_folder(account: Account, folder: Path, what: str) -> None:
    """Refuse a folder that the account cannot read and write.

    Raises:
        UsageError: it is not there, or the account cannot.
    """
    if not folder.is_dir():
        raise UsageError(f"{what} {folder} is not a folder yet", hint=f"make it, and give it to {account.name}")
    _require(account, folder, _READ | _WRITE | _ENTER, f"{what} {folder} cannot be written by {account.name}")


def check_readable(account: Account, file: Path, what: str) -> None:
    """Refuse a file that the account cannot read.

    Raises:
        UsageError: it is not there, or the account cannot.
    """
    if not file.is_file():
        raise UsageError(f"{what} {file} is not there")
    _require(account, file, _READ, f"{what} {file} cannot be read by {account.name}")


def check_config(account: Account, file: Path) -> None:
    """Refuse a configuration file that mimapp, run by the account, would refuse: see `mimapp.cli.settings`.

    Raises:
        UsageError: the account cannot read it, or others may write it.
    """
    check_readable(account, file, "the configuration")
    status = file.stat()
    if status.st_uid not in {account.uid, 0} or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise UsageError(
            f"the configuration {file} would be refused when {account.name} runs it: others may write it",
            hint=f"chown {account.name} {file}; chmod go-w {file}",
        )


def _require(account: Account, path: Path, wanted: int, message: str) -> None:
    for parent in reversed(path.resolve().parents):
        if not _allows(account, parent, _ENTER):
            raise UsageError(message, hint=f"{parent} is closed to {account.name}")
    if not _allows(account, path, wanted):
        raise UsageError(message, hint=f"chown {account.name} {path}")


def _allows(account: Account, path: Path, wanted: int) -> bool:
    if account.uid == 0:
        return True
    status = path.stat()
    if status.st_uid == account.uid:
        shift = 6
    elif status.st_gid in account.groups:
        shift = 3
    else:
        shift = 0
    return (status.st_mode >> shift) & wanted == wanted
