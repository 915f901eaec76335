"""Everything that mimapp lets go wrong, as one tree; what each means to a caller stands beside it.

::

    MimappError
    ├── UsageError              an option, value, file or configuration cannot be used; nothing was sent
    ├── SignInError             the operator could not sign in, or lacks a consent the sign-in needs
    ├── ServiceError            a service answered "no"; carries its status, code and request id
    │   ├── NotFoundError       the object is not there (or its replica does not know it yet)
    │   ├── DeniedError         the caller lacks a right
    │   ├── ConflictError       the object exists, or somebody else writes at this moment
    │   └── BusyError           throttled or temporarily unavailable, and waiting did not help
    ├── TransportError          no reply that could be read
    │   ├── UnreachableError    the request was never taken: it may be sent again
    │   ├── ReplyLostError      nobody knows whether the request was carried out
    │   └── BadReplyError       a reply came and is not what the service documents
    ├── PlanError               the plan may not be applied
    │   ├── UnsafePlanError     it would take something away from others, or a person has to decide first
    │   └── StalePlanError      the tenant has moved: it would now take steps that were not shown
    ├── StoppedError            some steps are done and some are not: run it again
    ├── StoreError              a secret store cannot take or give back the secret
    ├── HostInputError          what was collected on the MIM server cannot be read
    ├── DeadlineError           the service did not come round in the time allowed: try again later
    └── CancelledError          a person interrupted; what was under way is finished or journalled

The library raises these and nothing else on purpose; words and exit codes are the CLI's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "BadReplyError",
    "BusyError",
    "CancelledError",
    "ConflictError",
    "DeadlineError",
    "DeniedError",
    "HostInputError",
    "MimappError",
    "NotFoundError",
    "PlanError",
    "ReplyLostError",
    "ServiceError",
    "SignInError",
    "StalePlanError",
    "StoppedError",
    "StoreError",
    "TransportError",
    "UnreachableError",
    "UnsafePlanError",
    "UsageError",
]


class MimappError(Exception):
    """Something known went wrong.

    Attributes:
        message: what failed and on what, one line, no full stop needed, never a secret.
        hint: what to do next, or None where nothing better than "read the message" is known.
        details: further lines, such as the members of a group or the attempts of a sign-in.
        explain: the key that ``mimapp explain`` knows this error by, or None.
        client_request_id: the id that mimapp gave the request which this is about, for the service's support to find
            it by even where no reply came; None where it is about no request.
    """

    known_as: ClassVar[str | None] = None
    """The key of every error of a class, where its class alone says what it is."""

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        details: Sequence[str] = (),
        explain: str | None = None,
        client_request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.client_request_id = client_request_id
        self.message = message
        self.hint = hint
        self.details = tuple(details)
        self.explain = explain or self.known_as

    def __str__(self) -> str:
        return self.message


class UsageError(MimappError):
    """An option, value, file or configuration cannot be used."""


class SignInError(MimappError):
    """The operator could not sign in; `explain` holds the AADSTS code where there is one."""


class ServiceError(MimappError):
    """A service answered with an error.

    Attributes:
        service: ``graph``, ``exchange``, ``ews`` or ``login``.
        status: the HTTP status.
        code: the service's own error code, such as ``Request_ResourceNotFound``; empty when it gave none.
        request_id: the id under which the service logged the request, or None.
        retry_after: seconds that the service asked to wait, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        service: str,
        status: int,
        code: str = "",
        request_id: str | None = None,
        retry_after: float | None = None,
        hint: str | None = None,
        details: Sequence[str] = (),
        explain: str | None = None,
        client_request_id: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint, details=details, explain=explain, client_request_id=client_request_id)
        self.service = service
        self.status = status
        self.code = code
        self.request_id = request_id
        self.retry_after = retry_after


class NotFoundError(ServiceError):
    """The object is not there, or the replica that answered does not know it yet."""


class DeniedError(ServiceError):
    """The caller lacks a right."""


class ConflictError(ServiceError):
    """The object exists already, or another write to it is under way."""


class BusyError(ServiceError):
    """The service is throttling or temporarily unavailable."""


class TransportError(MimappError):
    """No reply that could be read."""


class UnreachableError(TransportError):
    """The request was never taken by the service: it may be sent again."""


class ReplyLostError(TransportError):
    """The request may or may not have been carried out."""


class BadReplyError(TransportError):
    """A reply came, and is not what the service documents."""


class PlanError(MimappError):
    """The plan may not be applied."""


class UnsafePlanError(PlanError):
    """Applying would take something away from others, or a person has to decide first."""


class StalePlanError(PlanError):
    """The tenant has moved since the plan was shown."""

    known_as = "stale-plan"


class StoppedError(MimappError):
    """Some steps are done and some are not; running again goes on where it stopped."""


class StoreError(MimappError):
    """A secret store cannot take or give back the secret."""


class HostInputError(MimappError):
    """What was collected on the MIM server cannot be read."""

    known_as = "host-input"


class DeadlineError(MimappError):
    """The service did not come round in the time allowed."""


class CancelledError(MimappError):
    """A person interrupted; what was under way is finished or journalled."""
