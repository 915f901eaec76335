"""``auto``: which way to sign in is available here, and why the others are not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mimapp.errors import SignInError, UsageError
from mimapp.identity.failures import MethodUnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azure.core.credentials import AccessToken, TokenCredential

    from mimapp.identity.methods import Method

__all__ = ["Chain"]


class Chain:
    """``auto``: one method after the other; unavailable means the next, failed means stop.

    Args:
        what: the service in words.
        links: the methods in their order.
        left_out: methods that were not even considered, with the reason, for the message.
    """

    def __init__(
        self,
        what: str,
        links: Sequence[tuple[Method, TokenCredential]],
        *,
        left_out: Sequence[tuple[Method, str]] = (),
    ) -> None:
        self._what = what
        self._links = tuple(links)
        self._left_out = tuple(left_out)
        self._chosen: TokenCredential | None = None

    def get_token(self, *scopes: str, claims: str | None = None, enable_cae: bool = False, **_: object) -> AccessToken:
        """A token by the first method that is available; the same one from then on.

        Raises:
            SignInError: a method was available and failed, or none is; the details list every attempt and why.
            TransportError: no readable answer came.
        """
        asked: dict[str, Any] = {"claims": claims} if claims else {}
        if self._chosen is not None:
            return self._chosen.get_token(*scopes, enable_cae=enable_cae, **asked)
        attempts: list[str] = []
        for method, credential in self._links:
            try:
                token = credential.get_token(*scopes, enable_cae=enable_cae, **asked)
            except (MethodUnavailableError, UsageError) as error:
                attempts.append(f"{method}: {error.message}")
                continue
            except SignInError as error:
                raise SignInError(
                    f"{error.message} (with {method}, which auto had reached)",
                    hint=error.hint,
                    details=(*attempts, *error.details),
                    explain=error.explain,
                    client_request_id=error.client_request_id,
                ) from error
            self._chosen = credential
            return token
        attempts += [f"{method}: {reason}" for method, reason in self._left_out]
        raise SignInError(
            f"no way to sign in to {self._what} is available here",
            hint="choose one with --auth, and look at why it is not available",
            details=attempts,
        )
