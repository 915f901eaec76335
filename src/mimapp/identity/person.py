"""A person signs in: by a code that is entered on another page, or in a browser on this machine.

Over msal and not azure-identity's credentials of the same name, because those poll with `time.sleep`, always ask for
an account to be picked (so that a second sign-in is never silent), and give errors as text only. Both flows:
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code and
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from mimapp.errors import SignInError
from mimapp.identity.aadsts import LoginError
from mimapp.identity.adapters import LoginSender, MsalHttp

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.core.credentials import AccessToken

    from mimapp.transport import Http

__all__ = ["DeviceCode", "DeviceCodeSignIn", "PersonSignIn"]

_PENDING = frozenset({"authorization_pending", "slow_down"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCode:
    """What a person is told to do.

    Attributes:
        url: the page to open, on any device.
        code: what to enter there; good once, and only for somebody who then signs in.
        expires: until when.
        what: the service that the sign-in is for, in words.
    """

    url: str
    code: str
    expires: datetime
    what: str


class PersonSignIn(ABC):
    """A `TokenCredential` for a person: asks once, then answers from the session.

    Args:
        http: the client of the run.
        authority: login host and tenant.
        client_id: the public client that signs in.
        what: the service in words, for the person.
    """

    def __init__(self, http: Http, *, authority: str, client_id: str, what: str) -> None:
        self._http = http
        self._authority = authority
        self._client_id = client_id
        self._what = what
        self._sender = LoginSender(http)
        self._application: Any = None  # msal ships no types
        self._lock = threading.Lock()

    def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,  # noqa: ARG002 - the protocol's; the authority names the tenant
        enable_cae: bool = False,  # noqa: ARG002 - the protocol's; always on here
        **_: object,
    ) -> AccessToken:
        """A token from the session, else from the person.

        Raises:
            SignInError: Entra or the person said no, or the time was over.
            TransportError: Entra could not be reached.
        """
        from azure.core.credentials import AccessToken  # noqa: PLC0415 - late, see the package

        wanted = list(scopes)
        with self._lock:
            application = self._msal()
            answer = None
            for account in application.get_accounts():
                answer = application.acquire_token_silent_with_error(wanted, account=account, claims_challenge=claims)
                if answer and "access_token" in answer:
                    break
            if not answer or "access_token" not in answer:
                answer = self._ask(application, wanted, claims)
        if "access_token" not in answer:
            said = LoginError.of_text(str(answer.get("error_description", "")), error=str(answer.get("error", "")))
            raise said.as_sign_in_error(f"sign-in to {self._what}")
        expires = self._http.clock.now() + timedelta(seconds=int(answer.get("expires_in", 0)))
        return AccessToken(answer["access_token"], int(expires.timestamp()))

    @abstractmethod
    def _ask(self, application: Any, scopes: list[str], claims: str | None) -> dict[str, Any]:  # noqa: ANN401 - msal ships no types
        """Ask the person; msal's answer with a token or an error."""

    def _msal(self) -> Any:  # noqa: ANN401 - msal ships no types
        if self._application is None:
            import msal  # type: ignore[import-untyped]  # noqa: PLC0415 - late, see the package; msal ships no types

            try:
                self._application = msal.PublicClientApplication(
                    self._client_id,
                    authority=self._authority,
                    client_capabilities=["CP1"],
                    http_client=MsalHttp(self._sender),
                    # The cloud table is the authority on login hosts; discovery would ask the worldwide cloud's.
                    instance_discovery=False,
                )
            except ValueError as error:
                # msal drops what Entra said about an unknown tenant.
                if self._sender.refused is None:
                    raise
                raise LoginError.of_reply(self._sender.refused).as_sign_in_error(f"sign-in to {self._what}") from error
        return self._application


class DeviceCodeSignIn(PersonSignIn):
    """Shows a code, and asks until somebody has signed in with it.

    Args:
        http: as `PersonSignIn`.
        authority: as `PersonSignIn`.
        client_id: as `PersonSignIn`.
        what: as `PersonSignIn`.
        show: tells the person what to do.
    """

    def __init__(
        self, http: Http, *, authority: str, client_id: str, what: str, show: Callable[[DeviceCode], None]
    ) -> None:
        super().__init__(http, authority=authority, client_id=client_id, what=what)
        self._show = show

    def _ask(self, application: Any, scopes: list[str], claims: str | None) -> dict[str, Any]:  # noqa: ANN401 - msal ships no types
        clock = self._http.clock
        flow: dict[str, Any] = application.initiate_device_flow(scopes, claims_challenge=claims)
        if "user_code" not in flow:
            return flow
        ends = clock.monotonic() + flow["expires_in"]
        self._show(
            DeviceCode(
                url=str(flow.get("verification_uri", "")),
                code=str(flow["user_code"]),
                expires=clock.now().astimezone(UTC) + timedelta(seconds=flow["expires_in"]),
                what=self._what,
            )
        )
        while True:
            clock.sleep(flow["interval"])
            # One poll a call: msal would wait with time.sleep, and reproach us for a clock that it does not read.
            flow.pop("latest_attempt_at", None)
            answer: dict[str, Any] = application.acquire_token_by_device_flow(
                flow, claims_challenge=claims, exit_condition=lambda _: True
            )
            if answer.get("error") not in _PENDING:
                return answer
            if clock.monotonic() >= ends:
                raise SignInError(
                    f"sign-in to {self._what} failed: nobody entered the code in time",
                    hint="run the same command again",
                    explain="AADSTS70019",
                )
