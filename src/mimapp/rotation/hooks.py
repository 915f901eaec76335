"""The operator's own programs around a rotation: before it, to hand the secret over, and after it.

A hook gets ids, the expiry and the store's reference in its environment, and the secret on stdin only where the
operator asks for that. Operators' credentials are taken out of its environment. What it prints is kept for the error
it may end with, without the secret.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from mimapp.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mimapp.secret import Secret

__all__ = ["CommandHook", "Hook", "HookCall", "HookEnd", "Hooks"]

#: What azure-identity reads credentials from (its EnvironmentCredential), and mimapp with it.
_CREDENTIALS = frozenset({"AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "AZURE_PASSWORD"})
_TOLD_LINES = 12
_LONGEST_LINE = 300
_HIDDEN = "***"


@dataclass(frozen=True, slots=True, kw_only=True)
class HookCall:
    """One call of a hook.

    Attributes:
        variables: what is added to its environment.
        stdin: what it reads, or None for nothing.
        hidden: a secret that must not be in what is told of its output.
        seconds: how long it may take.
    """

    variables: Mapping[str, str]
    stdin: Secret | None
    hidden: Secret | None
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HookEnd:
    """How a hook ended: whether well, how in words, and the last lines it printed."""

    succeeded: bool
    words: str
    said: tuple[str, ...] = ()


class Hook(Protocol):
    """Something that is called; the command line makes it of a command."""

    @property
    def name(self) -> str:
        """What it is called in evidence and errors."""
        ...

    def check(self) -> None:
        """Raise `UsageError` where it could not be called; asked before anything is issued."""
        ...

    def run(self, call: HookCall) -> HookEnd:
        """Call it and wait for its end."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """The hooks of a run.

    Attributes:
        pre: before anything is issued or handed over.
        deploy: hands the secret over; its success is evidence.
        post: after it, whatever came of it.
        gives_secret: whether the deploy hook reads the secret from stdin.
    """

    pre: Hook | None = None
    deploy: Hook | None = None
    post: Hook | None = None
    gives_secret: bool = False

    def check(self) -> None:
        """Raise `UsageError` where one of them could not be called."""
        if self.gives_secret and self.deploy is None:
            raise UsageError("--hook-stdin secret says what the deploy hook reads, and there is none")
        for hook in (self.pre, self.deploy, self.post):
            if hook is not None:
                hook.check()


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandHook:
    """A program with its arguments; no shell reads the command.

    Attributes:
        command: the path of a program, or a program and arguments with quotes as a shell takes them.
        option: the option it was given with, for errors.
        environ: the environment that it inherits.
    """

    command: str
    option: str
    environ: Mapping[str, str] = field(default_factory=lambda: MappingProxyType(os.environ))

    @property
    def name(self) -> str:
        """The program's file name."""
        return Path(self._words()[0]).name

    def check(self) -> None:
        """Raise `UsageError` unless the program is there and may be run."""
        self._program()

    def run(self, call: HookCall) -> HookEnd:
        """Run the program; it is killed when its time is over, or a person interrupts."""
        words = [self._program(), *self._words()[1:]]
        inherited = {name: value for name, value in self.environ.items() if name.upper() not in _CREDENTIALS}
        text = None if call.stdin is None else f"{call.stdin.reveal()}\n".encode()
        try:
            process = subprocess.Popen(  # noqa: S603 - the operator named the program, and no shell is between
                words,
                stdin=subprocess.DEVNULL if text is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**inherited, **call.variables},
                start_new_session=os.name != "nt",
            )
        except OSError as error:
            return HookEnd(succeeded=False, words=f"could not be started: {error.strerror or error}")
        try:
            said, _ = process.communicate(text, timeout=max(1.0, call.seconds))
        except subprocess.TimeoutExpired:
            _kill(process)
            said, _ = process.communicate()
            return HookEnd(succeeded=False, words="took too long and was stopped", said=_tail(said, call.hidden))
        except BaseException:
            _kill(process)
            process.communicate()
            raise
        code = process.returncode
        words_of_end = f"ended with {code}" if code >= 0 else f"was stopped by signal {-code}"
        return HookEnd(succeeded=code == 0, words=words_of_end, said=_tail(said, call.hidden))

    def _words(self) -> list[str]:
        if Path(self.command).is_file():
            return [self.command]
        try:
            words = shlex.split(self.command, posix=os.name != "nt")
        except ValueError as error:
            raise UsageError(f"{self.option}: {self.command!r} cannot be read: {error}") from error
        if not words:
            raise UsageError(f"{self.option} names no program")
        return words if os.name != "nt" else [word.strip('"') for word in words]

    def _program(self) -> str:
        word = self._words()[0]
        found = shutil.which(word, path=self.environ.get("PATH", os.defpath))
        if found is None:
            raise UsageError(
                f"{self.option}: {word} is not there, or may not be run by this account",
                hint="give the path of a program that is executable; nothing was issued",
            )
        return found


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a hook and what it started; on Windows itself alone."""
    with contextlib.suppress(ProcessLookupError):
        if os.name == "nt":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)


def _tail(said: bytes, hidden: Secret | None) -> tuple[str, ...]:
    text = said.decode(errors="replace")
    if hidden:
        text = text.replace(hidden.reveal(), _HIDDEN)
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return tuple(line[:_LONGEST_LINE] for line in lines[-_TOLD_LINES:])
