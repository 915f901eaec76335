"""Which number a run ends with: the codes, and the one table from error classes to them."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from mimapp.errors import (
    BadReplyError,
    BusyError,
    CancelledError,
    DeadlineError,
    HostInputError,
    MimappError,
    PlanError,
    ReplyLostError,
    ServiceError,
    SignInError,
    StoppedError,
    StoreError,
    TransportError,
    UnreachableError,
    UsageError,
)

__all__ = ["BY_ERROR", "MEANINGS", "ExitCode", "Terminated", "code_of"]


class ExitCode(IntEnum):
    """What the shell is told."""

    DONE = 0
    BUG = 1
    USAGE = 2
    ATTENTION = 3
    SIGN_IN = 4
    REFUSED = 5
    PLAN = 6
    STOPPED = 7
    STORE = 8
    HOST_INPUT = 9
    LATER = 75
    INTERRUPTED = 130
    TERMINATED = 143


MEANINGS: Final[dict[ExitCode, str]] = {
    ExitCode.DONE: "done, or nothing to do; also when all that is left is waiting",
    ExitCode.BUG: "a bug in mimapp",
    ExitCode.USAGE: 'usage, configuration, or "no" at the prompt',
    ExitCode.ATTENTION: "done, but something needs a person, and the result names it",
    ExitCode.SIGN_IN: "sign-in or consent",
    ExitCode.REFUSED: "the service refused, or answered what it does not document",
    ExitCode.PLAN: "the plan is stale or unsafe",
    ExitCode.STOPPED: "stopped half-way: run the same command again",
    ExitCode.STORE: "the secret could not be stored",
    ExitCode.HOST_INPUT: "`host check` cannot read its input or the registry",
    ExitCode.LATER: "try again later",
    ExitCode.INTERRUPTED: "interrupted (Ctrl-C); the write in flight is finished or journalled",
    ExitCode.TERMINATED: "terminated (SIGTERM); the write in flight is finished or journalled",
}

#: The most special class that an error is an instance of decides; `code_of` walks its bases.
BY_ERROR: Final[dict[type[BaseException], ExitCode]] = {
    UsageError: ExitCode.USAGE,
    SignInError: ExitCode.SIGN_IN,
    ServiceError: ExitCode.REFUSED,
    BusyError: ExitCode.LATER,
    TransportError: ExitCode.LATER,
    UnreachableError: ExitCode.LATER,
    ReplyLostError: ExitCode.LATER,
    BadReplyError: ExitCode.REFUSED,
    PlanError: ExitCode.PLAN,
    StoppedError: ExitCode.STOPPED,
    StoreError: ExitCode.STORE,
    HostInputError: ExitCode.HOST_INPUT,
    DeadlineError: ExitCode.LATER,
    CancelledError: ExitCode.INTERRUPTED,
    MimappError: ExitCode.REFUSED,
    KeyboardInterrupt: ExitCode.INTERRUPTED,
}


class Terminated(KeyboardInterrupt):
    """SIGTERM arrived; the library treats it as it treats Ctrl-C."""


def code_of(error: BaseException) -> ExitCode:
    """The exit code of whatever ended a run; an exception that nobody expected is a bug."""
    if _was_terminated(error):
        return ExitCode.TERMINATED
    for kind in type(error).__mro__:
        if kind in BY_ERROR:
            return BY_ERROR[kind]
    return ExitCode.BUG


def _was_terminated(error: BaseException) -> bool:
    """Whether SIGTERM is what `error` is, or what it was raised for."""
    if isinstance(error, Terminated):
        return True
    return isinstance(error, CancelledError) and isinstance(error.__cause__ or error.__context__, Terminated)
