"""What a machine refuses, made for real: folders that this account may not write, disks that are full, sudden death."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TESTS = Path(__file__).parents[1]
_NOBODY = 65_534

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes, limits or signals of this kind")


def _with_nothing(_: Path) -> None:
    pass


@contextmanager
def read_only_folder(fill: Callable[[Path], None] = _with_nothing) -> Iterator[Path]:
    """A folder that the account in the block may read and not write; root becomes nobody meanwhile.

    `fill` puts files and folders into it before; they become readable for everybody, and folders closed to changes.
    """
    if sys.platform == "win32":
        raise AssertionError("mark the test with posix_only")
    # Not pytest's own folder: its parents are closed to nobody.
    with tempfile.TemporaryDirectory(prefix="mimapp-test-") as name:
        folder = Path(name)
        fill(folder)
        for path in [*folder.rglob("*"), folder]:
            path.chmod(0o555 if path.is_dir() else 0o644)
        is_root = os.getuid() == 0
        if is_root:
            os.setresgid(_NOBODY, _NOBODY, 0)
            os.setresuid(_NOBODY, _NOBODY, 0)
        try:
            yield folder
        finally:
            if is_root:
                os.setresuid(0, 0, 0)
                os.setresgid(0, 0, 0)
            for path in (found for found in [folder, *folder.rglob("*")] if found.is_dir()):
                path.chmod(0o755)


@contextmanager
def disk_with_room_for(size: int) -> Iterator[None]:
    """Files of this process cannot grow past so many bytes in the block: a write takes a part, the next one fails."""
    if sys.platform == "win32":
        raise AssertionError("mark the test with posix_only")
    import resource  # noqa: PLC0415 - Windows has no such module

    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, former[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)


def killed_at(event: str, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a Python script in a process of its own that dies at its first audit event of this name.

    The event comes before the act: ``os.rename`` is a death with the new file written and the old one in place.
    https://docs.python.org/3/library/audit_events.html
    """
    hook = (
        "import os, signal, sys\n"
        f"def _die(event, _):\n    if event == {event!r}: os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    return subprocess.run(
        [sys.executable, "-c", f"{hook}{script}", *arguments], capture_output=True, text=True, check=False, timeout=60
    )
