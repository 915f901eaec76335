"""Errors as words: what failed, on what, what the service said, what to do next. Their exit codes: `cli.exit_codes`."""

from __future__ import annotations

import contextlib
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.cli.exit_codes import ExitCode, code_of
from mimapp.cli.result import Line
from mimapp.errors import MimappError, ServiceError

if TYPE_CHECKING:
    from pathlib import Path

    from mimapp.cli.output import Output
    from mimapp.cli.result import Block, JsonValue

__all__ = ["SCHEMA", "report"]

SCHEMA = "mimapp.error/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """What is told of an error, in both forms."""

    message: str
    hint: str | None = None
    details: tuple[str, ...] = ()
    explain: str | None = None
    key: str | None = None


def report(error: BaseException, output: Output, *, home: Path | None, verbose: int = 0) -> ExitCode:
    """Tell what ended the run, on stderr in words and under ``--output json`` on stdout as a document.

    Args:
        error: what ended it.
        output: the streams.
        home: where a traceback of an unexpected exception may be written; None where even that is unknown.
        verbose: how many ``-v`` were given: one is enough to see an unexpected exception's traceback.

    Returns:
        The exit code.
    """
    code = code_of(error)
    if isinstance(error, MimappError):
        words = _known(error)
    elif isinstance(error, KeyboardInterrupt):
        message = "interrupted" if code is ExitCode.INTERRUPTED else "terminated"
        words = _Words(message=message, hint="run the same command again to go on")
    elif isinstance(error, OSError) and code is ExitCode.USAGE:
        words = _machine(error)
    else:
        words = _bug(error, home, verbose)
    said = _said(error)
    lines: list[Block] = [Line(f"mimapp: {words.message}", "bad")]
    lines += [Line(f"  {detail}") for detail in words.details]
    lines += [Line(f"  {said}", "dim")] if said else []
    lines += [Line(f"  {words.hint}")] if words.hint else []
    if words.key:
        lines.append(Line(f"  explain: mimapp explain {words.key}", "dim"))
    if isinstance(error, KeyboardInterrupt) and code is ExitCode.INTERRUPTED and output.is_at_terminal:
        lines.insert(0, Line(""))  # the terminal has shown ^C, and stands behind it
    # A stream may itself be what is full: the exit code is told all the same.
    with contextlib.suppress(OSError):
        output.tell(lines)
    with contextlib.suppress(OSError):
        if output.as_json:
            output.document(SCHEMA, _document(error, code, words))
    return code


def _known(error: MimappError) -> _Words:
    """The words of an error of mimapp's, with the row of ``mimapp explain`` where it has one."""
    from mimapp.host.explain import key_of  # noqa: PLC0415 - brings the table, which only an error needs

    key = key_of(error)
    return _Words(message=error.message, hint=error.hint, details=error.details, explain=key or error.explain, key=key)


def _said(error: BaseException) -> str:
    """What the service itself answered, and the ids for its support to find it by."""
    parts: list[str] = []
    if isinstance(error, ServiceError):
        parts += [f"{error.service} answered HTTP {error.status}", error.code]
        if error.request_id:
            parts.append(f"request id {error.request_id}")
    sent = _sent_as(error)
    # Entra repeats the id as the correlation id, which the details of a sign-in show.
    if sent is not None and not any(sent in line for line in getattr(error, "details", ())):
        parts.append(f"client-request-id {sent}")
    return ", ".join(part for part in parts if part)


def _sent_as(error: BaseException) -> str | None:
    """The id of the request that an error is about, or that the error behind it is."""
    cause: BaseException | None = error
    seen: set[int] = set()
    while cause is not None and id(cause) not in seen:
        if isinstance(cause, MimappError) and cause.client_request_id:
            return cause.client_request_id
        seen.add(id(cause))
        cause = cause.__cause__
    return None


def _document(error: BaseException, code: ExitCode, words: _Words) -> dict[str, JsonValue]:
    service: dict[str, JsonValue] | None = None
    if isinstance(error, ServiceError):
        service = {
            "name": error.service,
            "status": error.status,
            "code": error.code,
            "requestId": error.request_id,
            "retryAfter": error.retry_after,
        }
    return {
        "error": type(error).__name__,
        "exitCode": int(code),
        "message": words.message,
        "hint": words.hint,
        "details": list(words.details),
        "explain": words.explain,
        "clientRequestId": _sent_as(error),
        "service": service,
    }


def _machine(error: OSError) -> _Words:
    """What this machine refuses, with the file it is about."""
    reason = error.strerror or type(error).__name__
    return _Words(
        message=f"{reason}: {error.filename}" if error.filename else reason, hint="look at the file and its disk"
    )


def _bug(error: BaseException, home: Path | None, verbose: int) -> _Words:
    """The one line of an exception that nobody expected, and where its traceback is."""
    first = " ".join(str(error).split())
    message = f"this is a bug in mimapp: {type(error).__name__}{f': {first}' if first else ''}"
    trace = "".join(traceback.format_exception(error)).rstrip()
    if verbose:
        return _Words(message=message, hint="please report it with the lines above", details=tuple(trace.splitlines()))
    if home is not None:
        from mimapp.journal import write_private  # noqa: PLC0415 - brings msgspec and filelock, which help need not wait for

        path = home / "crash.txt"
        try:
            write_private(path, f"{trace}\n".encode(errors="replace"))
        except OSError:
            pass
        else:
            return _Words(message=message, hint=f"the traceback is in {path}; please report it")
    return _Words(message=message, hint="run it again with -v to see the traceback, and please report it")
