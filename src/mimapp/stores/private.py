"""Files that only their owner can read: written atomically, restricted before a secret is in them, verified afterwards.

On POSIX the mode says it. On Windows an access list does: inheritance is switched off and one entry is left, full
control for the account that runs this, by ``icacls``; the verification reads the list back as SDDL, whose words do not
depend on the language of the system.

https://learn.microsoft.com/windows-server/administration/windows-commands/icacls
https://learn.microsoft.com/windows/win32/secauthz/security-descriptor-string-format
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import tempfile
from pathlib import Path
from typing import Protocol

from mimapp.errors import StoreError
from mimapp.stores.programs import Run, run_program

__all__ = ["Access", "PosixAccess", "WindowsAccess", "access_of_this_machine", "write_owner_only"]

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_SID = re.compile(r"S-1-[0-9-]+")
_DACL = re.compile(r"D:(?P<flags>[A-Z]*)(?P<entries>(?:\([^)]*\))*)")
_ENTRY = re.compile(r"\(([^)]*)\)")
_LOCAL_SYSTEM = "S-1-5-18"
_ADMINISTRATOR = "-500"


class Access(Protocol):
    """How a file is made its owner's alone, and how that is verified; both raise `StoreError`."""

    def restrict(self, path: Path) -> None:
        """Take everybody else's rights away from a file that is still empty."""
        ...

    def check(self, path: Path) -> None:
        """Find out whether anybody else can read it."""
        ...


class PosixAccess:
    """Modes: a new file is made with 0600."""

    def restrict(self, path: Path) -> None:
        """Nothing is left to do: `tempfile` makes files for their owner alone."""

    def check(self, path: Path) -> None:
        """Raise `StoreError` where a file system without modes lets others read it."""
        if path.stat().st_mode & _OTHERS:
            raise StoreError(f"{path} can be read by others on this file system", hint="give another place")


class WindowsAccess:
    """Access lists, by Windows' own programs.

    Args:
        run: runs them; tests put their own in its place.
    """

    def __init__(self, run: Run = run_program) -> None:
        self._run = run
        self._sid: str | None = None

    def restrict(self, path: Path) -> None:
        """Switch inheritance off, and leave this account alone in the list."""
        self._call("icacls", str(path), "/inheritance:r", "/grant:r", f"*{self._own_sid()}:F")

    def check(self, path: Path) -> None:
        """Read the list back: protected from inheritance, and nobody in it but this account."""
        with tempfile.TemporaryDirectory() as folder:
            saved = Path(folder) / "acl"
            self._call("icacls", str(path), "/save", str(saved))
            try:
                raw = saved.read_bytes()
            except OSError as error:
                raise StoreError(f"the access list of {path} cannot be read: {error.strerror or error}") from error
        text = raw.decode("utf-16-le", errors="replace")
        found = _DACL.search(text)
        own = self._own_sid()
        if found is None or "P" not in found["flags"] or not _is_alone(found["entries"], own):
            raise StoreError(f"{path} can be read by others: its access list is not this account's alone")

    def _own_sid(self) -> str:
        if self._sid is None:
            said = self._call("whoami", "/user", "/fo", "csv", "/nh")
            found = _SID.search(said)
            if found is None:
                raise StoreError("whoami does not say which account this is, and the file could not be made its own")
            self._sid = found[0]
        return self._sid

    def _call(self, *words: str) -> str:
        try:
            ended = self._run(words)
        except OSError as error:
            raise StoreError(f"{words[0]} could not be started: {error.strerror or error}") from error
        said = ended.said.decode(errors="replace")
        if ended.code != 0:
            last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "nothing was said")
            raise StoreError(f"{words[0]} ended with {ended.code}: {last[:200]}")
        return said


def access_of_this_machine() -> Access:
    """What this platform has."""
    return WindowsAccess() if os.name == "nt" else PosixAccess()


def write_owner_only(path: Path, content: bytes, access: Access) -> None:
    """Replace a file atomically; its content is on the disk, and nobody else's, before it has its name.

    Raises:
        OSError: the folder cannot be made or written, or the disk is full; the former file is then untouched.
        StoreError: the file cannot be made its owner's alone.
    """
    make_private_folder(path.parent)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(descriptor)
    made = Path(name)
    try:
        access.restrict(made)
        with made.open("r+b") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(made, path)  # noqa: PTH105 - beside os.open and os.fsync, which pathlib lacks
    except BaseException:
        with contextlib.suppress(OSError):
            made.unlink()
        raise
    _sync_folder(path.parent)
    access.check(path)


def make_private_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, for their owner alone.

    Raises:
        OSError: one cannot be made.
    """
    for missing in [*reversed(folder.parents), folder]:
        if not missing.exists():
            missing.mkdir(mode=0o700, exist_ok=True)


def _is_alone(entries: str, own: str) -> bool:
    """Whether every entry allows, and allows this account."""
    # SDDL has words of two letters for some accounts: SY for the system, LA for the machine's administrator.
    names = {own}
    if own == _LOCAL_SYSTEM:
        names.add("SY")
    if own.endswith(_ADMINISTRATOR):
        names.add("LA")
    fields = [entry.split(";") for entry in _ENTRY.findall(entries)]
    return bool(fields) and all(len(each) > 5 and each[0] == "A" and each[5] in names for each in fields)  # noqa: PLR2004 - the account is the sixth of an entry's fields


def _sync_folder(folder: Path) -> None:
    """Make a rename durable; Windows has no such call and needs none."""
    if os.name == "nt":  # pragma: no cover - the other branch runs on the machine at hand
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
