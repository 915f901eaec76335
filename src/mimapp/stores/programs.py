"""Child processes of stores: how a program is found, what it inherits, what it reads, and how long it may take.

No shell reads a command. A secret goes to a child on its stdin alone. What azure-identity reads the operator's own
credentials from is taken out of a child's environment.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Ended", "Run", "find_program", "run_program", "words_of"]

#: Secrets that azure-identity's EnvironmentCredential reads:
#: https://learn.microsoft.com/python/api/azure-identity/azure.identity.environmentcredential
_CREDENTIALS = frozenset({"AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "AZURE_PASSWORD"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a program ended.

    Attributes:
        code: its exit code; negative for the signal that ended it, None where it took too long and was killed.
        said: what it printed, on both streams.
    """

    code: int | None
    said: bytes


class Run(Protocol):
    """Runs a program and waits for its end: the seam of the tests for Windows' own programs."""

    def __call__(
        self,
        words: Sequence[str],
        *,
        stdin: bytes | None = None,
        environ: Mapping[str, str] | None = None,
        seconds: float = 30.0,
    ) -> Ended:
        """Run it.

        Args:
            words: the program and its arguments.
            stdin: what it reads; None for nothing.
            environ: its environment; None for this process's.
            seconds: how long it may take.

        Raises:
            OSError: it could not be started.
        """
        ...


def run_program(
    words: Sequence[str],
    *,
    stdin: bytes | None = None,
    environ: Mapping[str, str] | None = None,
    seconds: float = 30.0,
) -> Ended:
    """As `Run` says; on POSIX whatever the program has started in its session ends with it when its time is over."""
    inherited = {
        name: value
        for name, value in (os.environ if environ is None else environ).items()
        if name.upper() not in _CREDENTIALS
    }
    process = subprocess.Popen(  # noqa: S603 - the operator named the program, and no shell is between
        list(words),
        stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=inherited,
        start_new_session=os.name != "nt",
    )
    try:
        said, _ = process.communicate(stdin, timeout=seconds)
    except subprocess.TimeoutExpired:
        _kill(process)
        said, _ = process.communicate()
        return Ended(code=None, said=said)
    except BaseException:
        _kill(process)
        process.communicate()
        raise
    return Ended(code=process.returncode, said=said)


def words_of(command: str) -> list[str]:
    """A command as program and arguments: the path of a file as it is, else words with quotes as a shell takes them.

    Raises:
        ValueError: it names no program, or a quote is not closed.
    """
    if Path(command).is_file():
        return [command]
    words = shlex.split(command, posix=os.name != "nt")
    if os.name == "nt":  # pragma: no cover - the other branch runs on the machine at hand
        words = [word.strip('"') for word in words]
    if not words:
        raise ValueError("it names no program")
    return words


def find_program(word: str, environ: Mapping[str, str]) -> str | None:
    """The program's path where it is there and this account may run it."""
    return shutil.which(word, path=environ.get("PATH", os.defpath))


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        if os.name == "nt":  # pragma: no cover - as above
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
