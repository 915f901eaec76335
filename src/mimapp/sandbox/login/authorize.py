"""The authorization endpoint: a browser comes with a question and goes back with a code, or with a refusal.

"Microsoft identity platform and OAuth 2.0 authorization code flow". Known: ``response_type=code``; the response modes
query (the default), fragment and form_post; PKCE, state, nonce, prompt, login_hint. Not known: id tokens from here,
and sessions: where the tenant's `login.settings` say ``autoApprove``, its administrator (or whom ``login_hint`` names)
says yes at once, else a person is asked each time, on a page without passwords.

What is wrong with client or redirect address is said on a page; all else goes back to the client. That unknown scopes,
missing consent and refused pairs go back as well, and do not stay on a page, is [unverified].
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from mimapp.sandbox.login import codes, consent, errors, scopes
from mimapp.sandbox.login.clients import matches_redirect, named_client, redirect_uris
from mimapp.sandbox.login.errors import LoginError
from mimapp.sandbox.tenants import find_user

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mimapp.sandbox.login.clients import Client
    from mimapp.sandbox.state import Record, Transaction
    from mimapp.sandbox.tenants import Tenant

__all__ = ["AskPerson", "AuthorizeRequest", "SendBack", "answer"]

_MODES = frozenset({"query", "fragment", "form_post"})
_PROMPTS = frozenset({"", "login", "none", "consent", "select_account", "create"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizeRequest:
    """A browser at the endpoint.

    Attributes:
        tx: the transaction; codes and consents are written through it.
        tenant: the tenant signed in to.
        query: the parameters.
        origin: scheme, host and port of the sandbox.
        asked_for: the refusal that a fault of the weather asks for.
        person: what the person entered on the page; empty before.
    """

    tx: Transaction
    tenant: Tenant
    query: Mapping[str, str]
    origin: str
    asked_for: LoginError | None = None
    person: Mapping[str, str] = field(default_factory=dict)

    def required(self, name: str) -> str:
        """A parameter that must be there.

        Raises:
            LoginError: it is not.
        """
        value = self.query.get(name)
        if not value:
            raise errors.parameter_missing(name)
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class SendBack:
    """The browser goes back to the client.

    Attributes:
        address: the redirect address.
        mode: how the fields travel.
        fields: ``code`` and what belongs to it, or ``state`` alone where `refusal` is set.
        refusal: why there is no code; its words are stamped by the wire.
    """

    address: str
    mode: str
    fields: Mapping[str, str]
    refusal: LoginError | None = None

    @property
    def location(self) -> str:
        """The address with the fields, for the modes that redirect."""
        mark = "#" if self.mode == "fragment" else "&" if "?" in self.address else "?"
        return f"{self.address}{mark}{urlencode(self.fields, quote_via=quote)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskPerson:
    """A page is shown.

    Attributes:
        client: the client's name.
        user: the sign-in name to suggest.
        scope: what is asked for.
        problem: why the page is shown again.
    """

    client: str
    user: str
    scope: str
    problem: str = ""


def answer(request: AuthorizeRequest) -> SendBack | AskPerson:
    """What becomes of the browser.

    Raises:
        LoginError: client or redirect address are not good, so the browser stays.
    """
    app_id = request.required("client_id")
    client = named_client(request.tx, request.tenant, app_id)
    address = _redirect(request, app_id)
    state = {"state": request.query["state"]} if "state" in request.query else {}
    mode = request.query.get("response_mode", "query")
    if mode not in _MODES:
        refusal = LoginError(70007, "unsupported_response_mode", "The returned value of response_mode is unsupported.")
        return SendBack(address=address, mode="query", fields=state, refusal=refusal)
    try:
        done = _code(request, client, address)
    except LoginError as refusal:
        return SendBack(address=address, mode=mode, fields=state, refusal=refusal)
    if isinstance(done, AskPerson):
        return done
    fields = {"code": done, **state, "session_state": str(uuid.uuid4())}
    return SendBack(address=address, mode=mode, fields=fields)


def _redirect(request: AuthorizeRequest, app_id: str) -> str:
    asked = request.required("redirect_uri")
    if not matches_redirect(asked, redirect_uris(request.tx, request.tenant, app_id)):
        raise errors.redirect_unknown(asked, app_id)
    return asked


def _code(request: AuthorizeRequest, client: Client, address: str) -> str | AskPerson:
    if request.required("response_type") != "code":
        raise LoginError(
            70005, "unsupported_response_type", "The app returned an unsupported response type: only 'code' is enabled."
        )
    if request.asked_for is not None:
        raise request.asked_for
    prompt = request.query.get("prompt", "")
    if prompt not in _PROMPTS:
        raise LoginError(90023, "invalid_request", "Unsupported 'prompt' value.")
    scope = request.required("scope")
    wanted = scopes.parse(scope, origin=request.origin, tenant=request.tenant, client_credentials=False)
    method = request.query.get("code_challenge_method", "plain")
    challenge = request.query.get("code_challenge")
    codes.check_challenge(challenge, method)
    user = _person(request, client, scope, prompt)
    if isinstance(user, AskPerson):
        return user
    sign_in = consent.SignIn(
        tx=request.tx, tenant=request.tenant, client=client, user=user, wanted=wanted, interactive=True
    )
    consent.delegated_scopes(sign_in)
    grant = codes.CodeGrant(
        tenant_id=request.tenant.id,
        client_id=client.app_id,
        redirect_uri=address,
        scope=scope,
        user_id=user.id,
        nonce=request.query.get("nonce"),
        challenge=challenge,
        method=method,
    )
    return codes.issue(request.tx, grant)


def _person(request: AuthorizeRequest, client: Client, scope: str, prompt: str) -> Record | AskPerson:
    """Who signs in, or the page that asks who."""
    tx, tenant = request.tx, request.tenant
    hint = request.query.get("login_hint", "")
    if request.person:
        if request.person.get("answer") != "accept":
            raise LoginError(65004, "access_denied", "User declined to consent to access the app.")
        named = request.person.get("username", "").strip()
        return find_user(tx, tenant.id, named) or AskPerson(
            client=client.name, user=named, scope=scope, problem=f"{tenant.display_name} has no user {named}."
        )
    settings = tx.get(tenant.id, "login.settings", tenant.id)
    if settings is not None and settings.body["autoApprove"]:
        found = find_user(tx, tenant.id, hint or f"admin@{tenant.domain}")
        if found is not None:
            return found
    if prompt == "none":
        raise LoginError(
            50058,
            "login_required",
            "A silent sign-in request was sent but no user is signed in.",
        )
    return AskPerson(client=client.name, user=hint, scope=scope)
