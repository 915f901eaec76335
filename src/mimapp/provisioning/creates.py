"""Sending a create of Exchange's until it is answered: it has no upsert, and a lost reply may have made the object.

What is there decides, not what was said: the words for a duplicate are not documented.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.errors import BadReplyError, BusyError, ConflictError, ReplyLostError, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mimapp.transport import Patience

__all__ = ["send_until_answered"]

_SENDS = 3


def send_until_answered(patience: Patience, send: Callable[[], object], *, is_there: Callable[[], bool]) -> bool:
    """Send a create again after a lost reply; whether this run made the object (False: it was there already).

    Raises:
        ServiceError: the service refuses for another reason than that it exists.
        TransportError: no reply came, again and again.
    """
    for attempt in range(1, _SENDS + 1):
        try:
            send()
        except ConflictError:
            return attempt > 1
        except (ReplyLostError, BadReplyError, BusyError) as error:
            if is_there():
                return True
            pause = patience.pause_before(attempt)
            if attempt == _SENDS or not patience.allows(pause):
                raise
            patience.pause("Exchange", f"no answer to a create ({error})", pause)
        except ServiceError:
            if is_there():
                return attempt > 1
            raise
        else:
            return True
    raise AssertionError("the last try returns or raises")
