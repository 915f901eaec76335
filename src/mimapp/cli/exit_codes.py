"""Which number a run ends with: the codes, and the one table from error classes to them.

docs/errors.md says what each means to the one who runs mimapp; a test compares the two.
"""

from __future__ import annotations

import errno
from enum import IntEnum
from http import HTTPStatus
from typing import Final

from mimapp.errors import (
    BadReplyError,
    BusyError,
    CancelledError,
    DeadlineError,
    DeniedError,
    HostInputError,
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

__all__ = ["BY_ERROR", "MACHINE_ERRORS", "ExitCode", "Terminated", "code_of"]


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
    KeyboardInterrupt: ExitCode.INTERRUPTED,
}


#: What this machine refuses a file: a full disk or quota, a read-only file system, a missing permission.
MACHINE_ERRORS: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM})


class Terminated(KeyboardInterrupt):
    """SIGTERM arrived; the library treats it as it treats Ctrl-C."""


def code_of(error: BaseException) -> ExitCode:
    """The exit code of whatever ended a run; an exception that nobody expected is a bug."""
    if _was_terminated(error):
        return ExitCode.TERMINATED
    if isinstance(error, OSError) and error.errno in MACHINE_ERRORS:
        return ExitCode.USAGE
    if isinstance(error, DeniedError) and error.status == HTTPStatus.UNAUTHORIZED:
        return ExitCode.SIGN_IN  # no right is missing: the service does not take the token itself
    for kind in type(error).__mro__:
        if kind in BY_ERROR:
            return BY_ERROR[kind]
    return ExitCode.BUG


def _was_terminated(error: BaseException) -> bool:
    """Whether SIGTERM is what `error` is, or what it was raised for."""
    if isinstance(error, Terminated):
        return True
    return isinstance(error, CancelledError) and isinstance(error.__cause__ or error.__context__, Terminated)
