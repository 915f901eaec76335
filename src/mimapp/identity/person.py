"""A person signs in: by a code that is entered on another page, or in a browser on this machine.

Over msal and not azure-identity's credentials of the same name, because those poll with `time.sleep`, always ask for
an account to be picked (so that a second sign-in is never silent), and give errors as text only. Both flows:
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code and
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow.
"""

from __future__ import annotations

import contextlib
import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from mimapp.clock import duration_text
from mimapp.errors import SignInError
from mimapp.identity.aadsts import LoginError
from mimapp.identity.adapters import LoginSender, MsalHttp
from mimapp.identity.browser import Listener
from mimapp.identity.failures import MethodUnavailableError, as_mimapp_error, unanswered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from azure.core.credentials import AccessToken

    from mimapp.identity.desk import Desk
    from mimapp.transport import Http, Reply

__all__ = ["BROWSER_LIMIT", "BrowserSignIn", "DeviceCode", "DeviceCodeSignIn", "PersonSignIn", "tell_nobody"]

BROWSER_LIMIT = timedelta(minutes=5)
"""How long a browser may take; the person may have closed it, which nobody can tell."""

#: Seconds; who interrupts a wait for a person waits no longer than this.
_BEAT = 0.25
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


def tell_nobody(_: str) -> None:
    """What becomes of words that nobody asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonOptions:
    """What the ways to ask a person have in common.

    Attributes:
        authority: login host and tenant.
        client_id: the public client that signs in.
        what: the service in words, for the person.
        user: the sign-in name that is expected; None takes whoever comes.
        desk: shared by the sign-ins of a run.
        cache: msal's token cache, where it outlives the run; None keeps tokens in memory.
        scopes: what a person is asked for, in place of what the caller asks; empty: what the caller asks.
        notice: what a person should know before being asked; empty: nothing.
        tell: tells a person something.
        known: replies to GETs, by URL, that the run has already.
    """

    authority: str
    client_id: str
    what: str
    user: str | None
    desk: Desk
    cache: object | None = None
    scopes: tuple[str, ...] = ()
    notice: str = ""
    tell: Callable[[str], None] = tell_nobody
    known: Mapping[str, Reply] = field(default_factory=dict)


class PersonSignIn(ABC):
    """A `TokenCredential` for a person: asks once, then answers from the session."""

    def __init__(self, http: Http, options: PersonOptions) -> None:
        self._http = http
        self._options = options
        self.sender = LoginSender(http, options.known)
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
            MethodUnavailableError: nobody can be asked in this way here.
            SignInError: Entra or the person said no, or the time was over.
            CancelledError: the run was interrupted while the person was asked.
            TransportError: Entra could not be reached.
        """
        from azure.core.credentials import AccessToken  # noqa: PLC0415 - late, see the package

        wanted = list(self._options.scopes or scopes)
        with self._lock:
            with self._in_our_words():
                application = self._msal()
                answer = self._silent(application, wanted, claims)
            if answer is None:
                with self._options.desk.turn(self._options.what), self._in_our_words():
                    answer = self._answered(application, wanted, claims)
        expires = self._http.clock.now() + timedelta(seconds=int(answer.get("expires_in", 0)))
        return AccessToken(answer["access_token"], int(expires.timestamp()))

    @contextlib.contextmanager
    def _in_our_words(self) -> Iterator[None]:
        import msal  # type: ignore[import-untyped]  # noqa: PLC0415 - late, see the package; msal ships no types

        try:
            yield
        except (msal.exceptions.MsalError, ValueError, KeyError, AttributeError, TypeError) as error:
            # How msal fails on a 5xx, and on what is no JSON object.
            what = self._options.what
            raise unanswered(self.sender, what) or as_mimapp_error(error, what) from error

    def _answered(self, application: Any, scopes: list[str], claims: str | None) -> dict[str, Any]:  # noqa: ANN401 - msal ships no types
        """Ask the person, and read the answer: one that holds a token."""
        options, what = self._options, self._options.what
        if options.notice:
            options.tell(options.notice)
        answer = self._ask(application, scopes, claims)
        if "access_token" not in answer:
            said = LoginError.of_text(str(answer.get("error_description", "")), error=str(answer.get("error", "")))
            raise replace(said, client_request_id=self.sender.refused_id).as_sign_in_error(f"sign-in to {what}")
        if not isinstance(answer["access_token"], str):
            raise unanswered(self.sender, what) or SignInError(f"sign-in to {what} gave no token")
        options.desk.last = _name(answer) or options.desk.last
        return answer

    @abstractmethod
    def _ask(self, application: Any, scopes: list[str], claims: str | None) -> dict[str, Any]:  # noqa: ANN401 - msal ships no types
        """Ask the person; msal's answer with a token or an error."""

    def _silent(self, application: Any, scopes: list[str], claims: str | None) -> dict[str, Any] | None:  # noqa: ANN401 - msal ships no types
        """A token without asking, where exactly one person can be meant."""
        accounts = application.get_accounts(username=self._options.user)
        if len(accounts) != 1:
            return None
        answer = application.acquire_token_silent_with_error(scopes, account=accounts[0], claims_challenge=claims)
        return answer if isinstance(answer, dict) and isinstance(answer.get("access_token"), str) else None

    def _msal(self) -> Any:  # noqa: ANN401 - msal ships no types
        if self._application is None:
            import msal  # noqa: PLC0415 - late, see the package

            try:
                self._application = msal.PublicClientApplication(
                    self._options.client_id,
                    authority=self._options.authority,
                    client_capabilities=["CP1"],
                    http_client=MsalHttp(self.sender),
                    token_cache=self._options.cache,
                    # The cloud table is the authority on login hosts; discovery would ask the worldwide cloud's.
                    instance_discovery=False,
                )
            except (msal.exceptions.MsalError, ValueError) as error:
                # msal drops what Entra said about an unknown tenant, and in a 5xx.
                if self.sender.refused is None:
                    raise
                said = LoginError.of_reply(self.sender.refused)
                raise said.as_sign_in_error(f"sign-in to {self._options.what}") from error
        return self._application


class DeviceCodeSignIn(PersonSignIn):
    """Shows a code, and asks until somebody has signed in with it.

    Args:
        http: the client of the run.
        options: as `PersonSignIn`.
        show: tells the person what to do.
    """

    def __init__(self, http: Http, options: PersonOptions, *, show: Callable[[DeviceCode], None]) -> None:
        super().__init__(http, options)
        self._show = show

    def _ask(self, application: Any, scopes: list[str], claims: str | None) -> dict[str, Any]:  # noqa: ANN401 - msal ships no types
        clock = self._http.clock
        flow: dict[str, Any] = application.initiate_device_flow(scopes, claims_challenge=claims)
        if "user_code" not in flow:
            return flow
        life = timedelta(seconds=flow["expires_in"])
        ends = clock.monotonic() + life.total_seconds()
        url = str(flow.get("verification_uri", ""))
        self._show(
            DeviceCode(url=url, code=str(flow["user_code"]), expires=clock.now() + life, what=self._options.what)
        )
        while True:
            # One poll a call: msal would wait with time.sleep, and reproach us for a clock that it does not read.
            flow.pop("latest_attempt_at", None)
            answer: dict[str, Any] = application.acquire_token_by_device_flow(
                flow, claims_challenge=claims, exit_condition=lambda _: True
            )
            if answer.get("error") not in _PENDING:
                return answer
            if clock.monotonic() >= ends:
                raise SignInError(
                    f"sign-in to {self._options.what} failed: nobody entered the code in {duration_text(life)}",
                    hint="run the same command again",
                    explain="AADSTS70019",
                )
            for _ in range(round(flow["interval"] / _BEAT)):
                clock.sleep(_BEAT)
                self._options.desk.check()


class BrowserSignIn(PersonSignIn):
    """Opens a browser on this machine, and waits for it to come back.

    Args:
        http: the client of the run.
        options: as `PersonSignIn`.
        open_browser: opens an address; False when no browser could be started.
        limit: how long the person may take.
    """

    def __init__(
        self,
        http: Http,
        options: PersonOptions,
        *,
        open_browser: Callable[[str], bool],
        limit: timedelta = BROWSER_LIMIT,
    ) -> None:
        super().__init__(http, options)
        self._open_browser = open_browser
        self._limit = limit

    def _ask(self, application: Any, scopes: list[str], claims: str | None) -> dict[str, Any]:  # noqa: ANN401 - msal ships no types
        known = self._options.user or self._options.desk.last
        with Listener() as listener:
            flow: dict[str, Any] = application.initiate_auth_code_flow(
                scopes,
                redirect_uri=listener.redirect_uri,
                # Somebody who has just signed in is not asked who they are: single sign-on then needs no click.
                prompt=None if known else "select_account",
                login_hint=known or None,
                claims_challenge=claims,
                response_mode="form_post",
            )
            self._options.tell(
                f"Sign in to {self._options.what} in a browser on this machine, within {duration_text(self._limit)}; "
                "or interrupt this, and take --auth device-code."
            )
            if not self._open_browser(flow["auth_uri"]):
                raise MethodUnavailableError(
                    f"sign-in to {self._options.what} with browser is not available: no browser could be opened",
                    hint="sign in with --auth device-code",
                )
            fields = listener.wait(self._limit, self._options.desk.closed)
        self._options.desk.check()
        if fields is None:
            raise SignInError(
                f"sign-in to {self._options.what} failed: the browser did not come back in "
                f"{duration_text(self._limit)}",
                hint="run the same command again and finish in the browser, or sign in with --auth device-code",
            )
        try:
            answer: dict[str, Any] = application.acquire_token_by_auth_code_flow(
                flow, fields, scopes=scopes, claims_challenge=claims
            )
        except (ValueError, RuntimeError) as error:  # state, and nonce
            raise SignInError(
                f"sign-in to {self._options.what} failed: the browser came back with the answer to another question",
                hint="close the older sign-in windows, then run the same command again",
            ) from error
        return answer


def _name(answer: dict[str, Any]) -> str:
    claims = answer.get("id_token_claims")
    name = claims.get("preferred_username") if isinstance(claims, dict) else None
    return name if isinstance(name, str) else ""
