"""What goes wrong in a sign-in, turned into mimapp's own errors, with what a person can do about it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from mimapp.clock import duration_text
from mimapp.errors import BadReplyError, BusyError, MimappError, SignInError
from mimapp.identity.aadsts import LoginError
from mimapp.identity.adapters import oauth_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mimapp.identity.adapters import LoginSender
    from mimapp.transport import Reply

__all__ = ["SKEW_ALLOWED", "MethodUnavailableError", "as_mimapp_error", "no_answer", "unanswered", "with_clock_advice"]

_THROTTLED = 429
_SERVER_ERROR = 500

SKEW_ALLOWED = timedelta(minutes=5)
"""What Entra forgives: it takes assertions within five minutes of its own clock."""

#: An assertion that is not within its time.
_OUT_OF_TIME = "AADSTS700024"
_TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?")


class MethodUnavailableError(SignInError):
    """A way to sign in cannot be tried here: not installed, not configured, nobody there. Another one may work."""

    def __init__(self, message: str, *, hint: str | None = None, details: Sequence[str] = ()) -> None:
        super().__init__(message, hint=hint, details=details)


def as_mimapp_error(error: BaseException, what: str) -> MimappError:
    """The error of a credential as mimapp's own: our own from further down is found again, others are read.

    Args:
        error: what a credential raised.
        what: the service in words.
    """
    cause: BaseException | None = error
    seen: set[int] = set()
    # Libraries raise "from" each other both ways round, so a chain may be a ring.
    while cause is not None and id(cause) not in seen:
        if isinstance(cause, MimappError):
            return cause
        seen.add(id(cause))
        cause = cause.__cause__ or cause.__context__
    # A child process's unexpected output is quoted by azure-identity, token and all.
    text = _TOKEN.sub("***", str(error)) or type(error).__name__
    return LoginError.of_text(text).as_sign_in_error(f"sign-in to {what}")


def unanswered(sender: LoginSender, what: str) -> MimappError | None:
    """What went wrong by the last reply itself, for a library's error that says nothing of it.

    msal drops the body of a refused openid-configuration and of a 5xx, and fails on what is no JSON object with an
    error of Python's.

    Args:
        sender: which asked.
        what: the service in words.

    Returns:
        None where the reply is an OAuth answer, or nothing was asked.
    """
    reply = sender.last
    if reply is None:
        return None
    if oauth_error(reply) and not _is_busy(reply):
        return LoginError.of_reply(reply).as_sign_in_error(f"sign-in to {what}")
    return no_answer(reply, sender.host, f"sign-in to {what}")


def no_answer(reply: Reply, host: str, doing: str) -> MimappError:
    """What a reply is that is neither an answer nor a refusal of Entra's.

    Args:
        reply: what came.
        host: from where.
        doing: what was tried, in words.
    """
    if _is_busy(reply):
        return BusyError(
            f"{doing}: {host} is busy or not well",
            service="login",
            status=reply.status,
            request_id=reply.request_id,
            client_request_id=reply.client_request_id,
            hint="run the same command again later",
        )
    return BadReplyError(
        f"{doing}: what came from {host} is no answer of Entra's "
        f"(HTTP {reply.status}, {reply.headers.get('content-type', 'of no type')})",
        hint="a proxy's page looks like this: look at HTTPS_PROXY, and at --cloud",
        client_request_id=reply.client_request_id,
    )


def _is_busy(reply: Reply) -> bool:
    return reply.status == _THROTTLED or reply.status >= _SERVER_ERROR


def with_clock_advice(error: SignInError, skew: timedelta) -> SignInError:
    """The error, and that the clock may be why, where it is further off than Entra forgives.

    Args:
        error: what went wrong.
        skew: how far this machine's clock is ahead of Entra's.
    """
    if abs(skew) <= SKEW_ALLOWED:
        return error
    way = "ahead of" if skew > timedelta() else "behind"
    line = f"this machine's clock is {duration_text(abs(skew))} {way} Entra's"
    message = error.message
    if error.explain == _OUT_OF_TIME:  # what Entra can only guess is known here
        message = f"{message.partition(': ')[0]}: {line}"
    return SignInError(
        message,
        hint=f"{line}: set it (time server), then run the same command again",
        details=(*error.details, *((error.hint,) if error.hint else ())),
        explain=error.explain,
        client_request_id=error.client_request_id,
    )
