"""Entra's sign-in error codes (AADSTS...): how to find them in a reply, what each means, and what to do.

Codes and their general meaning: https://learn.microsoft.com/entra/identity-platform/reference-error-codes. Microsoft
warns that texts and numbers change, so they decide about advice only; where a program must decide, it asks for
``error`` first. Narrower causes are experience, not documentation.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mimapp.errors import SignInError

if TYPE_CHECKING:
    from mimapp.transport import Reply

__all__ = ["ADVICE", "Advice", "LoginError"]

_CODE = re.compile(r"AADSTS(\d{4,8})")
_FIELD = re.compile(r"(Trace ID|Correlation ID|Timestamp):\s*(\S+(?: \S+Z)?)")


@dataclass(frozen=True, slots=True)
class Advice:
    """One code in words: what it means, and what to do about it."""

    means: str
    do: str


_INTERACT = Advice(
    "more authentication is needed (multi-factor, a terms-of-use page, or the like)",
    "sign in interactively: --auth browser",
)
_BLOCKED = Advice(
    "a Conditional Access or device rule blocked this sign-in",
    "use another method or another device: device code is often what is blocked, --auth browser is often allowed; "
    "the sign-in log in Entra names the rule",
)
_AGAIN = Advice("the earlier sign-in has ended", "sign in again: mimapp logout, then the same command")
_BUSY = Advice("Entra is temporarily unavailable", "run the same command again in a few minutes")
_NO_SERVICE = Advice(
    "the tenant does not know the service that the token is for",
    "check --cloud; does this tenant have an Exchange Online subscription",
)
_NOT_CONSENTED = Advice(
    "the permission is not in the application's list, or nobody consented to it",
    "add the permission to the application in Entra and grant admin consent",
)
_TENANT_MISSING = Advice("the request named no tenant", "give --tenant")
_WRONG_PERSON = Advice(
    "the account is not known in this tenant", "sign in with an account of this tenant, or check --tenant"
)
_CROSS_CLOUD = Advice(
    "the application lives in another cloud than this sign-in host", "choose the tenant's cloud with --cloud"
)
_SCOPE = Advice("the scope is not valid", "check --cloud and the --…-host options")
_CODE_OVER = Advice("the device code was not used in time, was mistyped or had been used", "run the same command again")
_ADMIN_MUST = Advice("an administrator has to consent first", "have an administrator sign in, or consent in Entra")

ADVICE: dict[str, Advice] = {
    "7000215": Advice(
        "the client secret is wrong: its id instead of its value, a stray blank, another application's secret, "
        "a secret that was removed, or one made moments ago that has not reached every server",
        "check that the value was copied, not the id; right after making it, wait a minute or two",
    ),
    "7000222": Advice("the client secret has expired", "issue a new one: mimapp rotate"),
    "7000218": Advice(
        "the application is not a public client, or neither secret nor certificate was sent",
        "allow public client flows on the application, or sign in with --auth client-secret or certificate",
    ),
    "700025": Advice(
        "the application is a public client and must not send a secret", "sign in with --auth browser or device-code"
    ),
    "700027": Advice("the certificate is not on the application", "upload the certificate, or choose the right one"),
    "700016": Advice(
        "the application is not known in this tenant: a wrong id, a wrong tenant, or not replicated yet",
        "check the client id and --tenant; right after making the application, wait a minute",
    ),
    "7000229": Advice(
        "the application exists, but its service principal does not",
        "run mimapp register again: it makes what is missing",
    ),
    "7000112": Advice("the application is disabled", "enable it in Entra (Enterprise applications, Properties)"),
    "90002": Advice("the tenant was not found: a wrong id or name, or another cloud", "check --tenant and --cloud"),
    "90038": Advice("the tenant lives in another national cloud", "choose it with --cloud"),
    "900382": _CROSS_CLOUD,
    "900432": _CROSS_CLOUD,
    "50059": _TENANT_MISSING,
    "50128": _TENANT_MISSING,
    "50194": Advice("the application is for one tenant only", "give --tenant"),
    "500011": _NO_SERVICE,
    "650052": _NO_SERVICE,
    "650056": _NOT_CONSENTED,
    "650057": _NOT_CONSENTED,
    "70011": _SCOPE,
    "28002": _SCOPE,
    "700022": Advice("one token was asked for two services", "report this as a bug"),
    "65001": Advice(
        "nobody has consented to this permission for this client",
        "have an administrator consent; AdminApi.AccessAsUser.All cannot be had by an own application: leave "
        "--exchange-client-id out, or give the application the delegated permission Exchange.Manage",
    ),
    "65002": Advice(
        "this Microsoft client is not preauthorised for this service",
        "use the default client, or an own application (--graph-client-id, --exchange-client-id)",
    ),
    "65004": Advice(
        "the consent was declined", "run the same command again and accept, or have an administrator do so"
    ),
    "90094": _ADMIN_MUST,
    "90095": _ADMIN_MUST,
    "50011": Advice(
        "the redirect address is not registered on the application", "add http://localhost as a redirect URI"
    ),
    "50034": _WRONG_PERSON,
    "51004": _WRONG_PERSON,
    "50020": _WRONG_PERSON,
    "50055": Advice("the password has expired", "change it, then sign in again"),
    "50057": Advice("the account is disabled", "sign in with another account, or have it enabled"),
    "50126": Advice("the name or the password is wrong", "sign in again"),
    "50072": _INTERACT,
    "50074": _INTERACT,
    "50076": _INTERACT,
    "50079": _INTERACT,
    "50158": _INTERACT,
    "53000": _BLOCKED,
    "53001": _BLOCKED,
    "53003": _BLOCKED,
    "530032": _BLOCKED,
    "50105": Advice(
        "the account is not assigned to the application, which asks for an assignment",
        "assign it in Entra (Enterprise applications, Users and groups), or use another client",
    ),
    "70016": Advice("the code has not been entered yet", "enter it on the page that was shown"),
    "70018": _CODE_OVER,
    "70019": _CODE_OVER,
    "90120": _CODE_OVER,
    "700082": _AGAIN,
    "70043": _AGAIN,
    "50173": _AGAIN,
    "50089": _AGAIN,
    "50196": Advice("the same request was repeated in a loop", "wait a few minutes"),
    "50033": _BUSY,
    "90006": _BUSY,
    "90012": _BUSY,
    "90024": _BUSY,
    "90033": _BUSY,
    "90090": _BUSY,
    "700024": Advice(
        "the assertion is not within its time: this machine's clock is wrong, or a pipeline's token is too old",
        "set the clock (time server); in a pipeline, ask for the token again",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginError:
    """What Entra said instead of giving a token.

    Attributes:
        error: the OAuth error, such as ``invalid_client``; empty where only a text was seen.
        code: the AADSTS number without its prefix; empty where there is none.
        text: the description's first line, without ids and times.
        trace_id: Entra's id of the request, or None.
        correlation_id: the id that ties the requests of one sign-in together, or None.
        timestamp: when Entra answered, as it wrote it, or None.
        client_request_id: the id that mimapp gave the request, where its reply is at hand.
    """

    error: str = ""
    code: str = ""
    text: str = ""
    trace_id: str | None = None
    correlation_id: str | None = None
    timestamp: str | None = None
    client_request_id: str | None = None

    @classmethod
    def of_text(cls, text: str, *, error: str = "") -> LoginError:
        """Read a description, or the message of a library's exception that holds one."""
        fields = dict(_FIELD.findall(text))
        match = _CODE.search(text)
        start = match.start() if match else 0
        line = re.split(r"[\r\n]|\s*Trace ID:", text[start:], maxsplit=1)[0].strip()
        return cls(
            error=error,
            code=match[1] if match else "",
            text=line,
            trace_id=fields.get("Trace ID"),
            correlation_id=fields.get("Correlation ID"),
            timestamp=fields.get("Timestamp"),
        )

    @classmethod
    def of_reply(cls, reply: Reply) -> LoginError:
        """Read an error reply of the token endpoint; a body that is no OAuth error gives the bare status."""
        try:
            body: object = json.loads(reply.content)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            return cls(text=f"HTTP {reply.status} without a readable body", client_request_id=reply.client_request_id)
        error, text = body.get("error"), body.get("error_description")
        error = error if isinstance(error, str) else ""
        said = cls.of_text(text if isinstance(text, str) else error or f"HTTP {reply.status}", error=error)
        return replace(said, client_request_id=reply.client_request_id)

    @property
    def advice(self) -> Advice | None:
        """What is known about the code, or None."""
        return ADVICE.get(self.code)

    @property
    def details(self) -> tuple[str, ...]:
        """The ids that Microsoft's support asks for, one a line."""
        named = (("trace id", self.trace_id), ("correlation id", self.correlation_id), ("time", self.timestamp))
        return tuple(f"{name}: {value}" for name, value in named if value)

    def as_sign_in_error(self, what: str) -> SignInError:
        """The error as mimapp raises it.

        Args:
            what: what was tried, such as ``sign-in to Microsoft Graph``.
        """
        advice = self.advice
        said = self.text or self.error or "no reason was given"
        return SignInError(
            f"{what} failed: {advice.means}" if advice else f"{what} failed: {said}",
            hint=advice.do if advice else None,
            details=((f"Entra said: {said}",) if advice else ()) + self.details,
            explain=f"AADSTS{self.code}" if self.code else None,
            client_request_id=self.client_request_id,
        )
