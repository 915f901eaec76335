"""What goes wrong in the sandbox: failures of its own, and the refusals that it sends over the wire.

SandboxError                 the sandbox itself cannot work (its file, its options)
TokenRefused                 a bearer token is not good here; each service words its own 401 from it
WireError                    a reply that ends the request: status, headers, raw body
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SandboxError", "TokenRefused", "WireError", "json_bytes"]


class SandboxError(Exception):
    """The sandbox cannot work: its state cannot be read, an option makes no sense."""


class TokenRefused(Exception):  # noqa: N818 - a verdict about a token, not a failure of the program
    """A bearer token is missing, forged, expired or meant for another service.

    Attributes:
        reason: one of ``missing``, ``malformed``, ``signature``, ``expired`` or ``audience``.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class WireError(Exception):
    """A reply that ends a request at once; the transaction of the request is rolled back.

    A service raises it (or a subclass that knows the service's error format) and the app sends it as it stands.
    """

    def __init__(
        self,
        status: int,
        body: bytes = b"",
        *,
        content_type: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.body = body
        self.content_type = content_type
        self.headers = dict(headers or {})


def json_bytes(value: object) -> bytes:
    """A JSON value as the services send it: compact, UTF-8, members in the order they were made."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
