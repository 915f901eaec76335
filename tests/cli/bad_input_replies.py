"""Replies that are no answers: a proxy's page, half a reply, another shape, a service that is not well."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from cli.bad_input import REGISTER, STATUS, Case, meddle, reply
from support.tenants import MAILBOX

if TYPE_CHECKING:
    import httpx

_PAGE = "<html><head><title>Corporate proxy</title></head><body>eyJhbGciOiJub25lIn0.eyJzZWNyZXQiOiJ4In0.</body></html>"
_HALF = '{"value":[{"id":"x","secretText":"replaced-secret'
_PROXY = "something between this machine and Graph answered in its place: look at the proxy (HTTPS_PROXY)"
_REPORT = "look at the reply with --record FILE, and report it where mimapp is kept"
_ENTRA = "a proxy's page looks like this: look at HTTPS_PROXY, and at --cloud"
_BETWEEN = "look for a proxy in between; if a change was asked for, run the same command again: it looks first"
_GRAPH_LATER = "Graph is busy or not well: run the same command again later"
_APPLICATION = "application mimapp-mimservice"


def _discovery(request: httpx.Request) -> bool:
    return request.url.path.endswith("openid-configuration")


def _token(request: httpx.Request) -> bool:
    return request.url.path.endswith("/token")


def _graph(request: httpx.Request) -> bool:
    return request.url.path.startswith("/v1.0/")


def _graph_write(request: httpx.Request) -> bool:
    return _graph(request) and request.method != "GET"


def _issuing(request: httpx.Request) -> bool:
    return request.url.path.endswith("/addPassword")


def _exchange(request: httpx.Request) -> bool:
    return request.url.path.endswith("/InvokeCommand")


def _cmdlet(name: str) -> Any:
    return lambda request: _exchange(request) and json.loads(request.content)["CmdletInput"]["CmdletName"] == name


def _case(where: Any, answer: Any, code: int, line: str, hint: str = "", *, argv: str = REGISTER) -> Case:
    return Case(argv=argv, prepare=meddle(where, answer), code=code, line=line, hint=hint)


def _later(where: Any, answer: Any, code: int, line: str, hint: str = "…") -> Case:
    """In the middle of a run: what is done stays done and is listed."""
    return Case(
        argv=REGISTER,
        prepare=meddle(where, answer),
        code=code,
        line=line,
        hint=hint,
        writes=True,
        details=("failed: ",),
    )


def _no_entra(what: str, status: int, kind: str) -> str:
    return f"{what}: what came from sandbox.invalid is no answer of Entra's (HTTP {status}, {kind})"


_LOOKING = "looking up …"
_SIGNING = "sign-in to Microsoft Graph"
_HTML = {"text": _PAGE, "kind": "text/html"}
_BUSY_GRAPH = {"error": {"code": "TooManyRequests", "message": "slow down"}}

LOGIN = {
    "a page instead of the tenant": _case(
        _discovery, reply(200, **_HTML), 5, _no_entra(_LOOKING, 200, "text/html"), _ENTRA
    ),
    "a forbidding page instead of the tenant": _case(
        _discovery, reply(403, **_HTML), 5, _no_entra(_LOOKING, 403, "text/html"), _ENTRA
    ),
    "half a tenant": _case(_discovery, reply(200, text=_HALF), 5, _no_entra(_LOOKING, 200, "application/json"), _ENTRA),
    "a list instead of the tenant": _case(
        _discovery, reply(200, [1]), 5, _no_entra(_LOOKING, 200, "application/json"), _ENTRA
    ),
    "nothing instead of the tenant": _case(
        _discovery, reply(200), 5, _no_entra(_LOOKING, 200, "application/json"), _ENTRA
    ),
    "a tenant without an issuer": _case(
        _discovery,
        reply(200, {}),
        5,
        "https://sandbox.invalid sent an openid-configuration whose issuer names no tenant",
    ),
    "a host that is not well": _case(
        _discovery,
        reply(502, **_HTML),
        75,
        "looking up …: sandbox.invalid is busy or not well",
        "run the same command again later",
    ),
    "a page instead of a token": _case(_token, reply(200, **_HTML), 5, _no_entra(_SIGNING, 200, "text/html"), _ENTRA),
    "half a token": _case(
        _token, reply(200, text='{"access_token":"eyJh'), 5, _no_entra(_SIGNING, 200, "application/json"), _ENTRA
    ),
    "a list instead of a token": _case(
        _token, reply(200, [1]), 5, _no_entra(_SIGNING, 200, "application/json"), _ENTRA
    ),
    "null instead of a token": _case(
        _token, reply(200, text="null"), 5, _no_entra(_SIGNING, 200, "application/json"), _ENTRA
    ),
    "a token that is a number": _case(
        _token, reply(200, {"access_token": 5}), 5, _no_entra(_SIGNING, 200, "application/json"), _ENTRA
    ),
    "a sign-in that is throttled": _case(
        _token,
        reply(429, {"error": "too_many_requests"}),
        75,
        "sign-in to Microsoft Graph: sandbox.invalid is busy or not well",
        "run the same command again later",
    ),
    "a refusal with a secret in it": _case(
        _token,
        reply(401, {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."}),
        4,
        "sign-in to Microsoft Graph failed: the client secret is wrong: …",
        "check that the value was copied, not the id; right after making it, wait a minute or two",
    ),
}

_PERSON = {"MIMAPP_AUTH": "device-code", "AZURE_CLIENT_ID": "", "AZURE_CLIENT_SECRET": ""}


def _code(request: httpx.Request) -> bool:
    return request.url.path.endswith("/devicecode")


def _person(where: Any, answer: Any, code: int, line: str, hint: str) -> Case:
    return Case(argv=STATUS, variables=_PERSON, prepare=meddle(where, answer), code=code, line=line, hint=hint)


_BUSY_LOGIN = ("sign-in to Microsoft Graph: sandbox.invalid is busy or not well", "run the same command again later")
_NO_JSON = (_no_entra(_SIGNING, 200, "application/json"), _ENTRA)

PERSON = {
    "a page instead of a code": _person(_code, reply(200, **_HTML), 5, _no_entra(_SIGNING, 200, "text/html"), _ENTRA),
    "half a code": _person(_code, reply(200, text='{"user_code":"A'), 5, *_NO_JSON),
    "a list instead of a code": _person(_code, reply(200, [1]), 5, *_NO_JSON),
    "a code alone": _person(_code, reply(200, {"user_code": "ABC"}), 5, *_NO_JSON),
    "nobody who gives codes": _person(_code, reply(502, **_HTML), 75, *_BUSY_LOGIN),
    "a page instead of a person's token": _person(
        _token, reply(200, **_HTML), 5, _no_entra(_SIGNING, 200, "text/html"), _ENTRA
    ),
    "a person's token that is a number": _person(_token, reply(200, {"access_token": 5}), 5, *_NO_JSON),
    "null instead of a person's token": _person(_token, reply(200, text="null"), 5, *_NO_JSON),
    "nobody who gives tokens": _person(_token, reply(500, {}), 75, *_BUSY_LOGIN),
    "a code that was declined": _person(
        _token,
        reply(400, {"error": "authorization_declined", "error_description": "AADSTS70000: declined"}),
        4,
        "sign-in to Microsoft Graph failed: …",
        "…",
    ),
}

GRAPH = {
    "a page": _case(
        _graph,
        reply(200, **_HTML),
        5,
        f"Graph's reply about {_APPLICATION} cannot be read: JSON is malformed: … (HTTP 200, text/html, …",
        _PROXY,
    ),
    "a forbidding page": _case(
        _graph,
        reply(403, **_HTML),
        5,
        f"Graph's reply about {_APPLICATION} cannot be read: it is neither the answer nor an error of Graph (HTTP 403, "
        "text/html, request id none)",
        _PROXY,
    ),
    "a page of a gateway": _case(
        _graph,
        reply(502, **_HTML),
        75,
        f"Graph did not read {_APPLICATION}: it gave no reason (HTTP 502, request id none)",
        _GRAPH_LATER,
    ),
    "half a reply": _case(
        _graph,
        reply(200, text=_HALF),
        5,
        f"Graph's reply about {_APPLICATION} cannot be read: Input data was truncated (HTTP 200, application/json, "
        "request id none)",
        _REPORT,
    ),
    "nothing": _case(
        _graph,
        reply(200),
        5,
        f"Graph's reply about {_APPLICATION} cannot be read: Input data was truncated (HTTP 200, an empty body, "
        "request id none)",
        _REPORT,
    ),
    "a list": _case(
        _graph,
        reply(200, [1]),
        5,
        f"Graph's reply about {_APPLICATION} cannot be read: Expected `object`, got `array` (HTTP 200, "
        "application/json, request id none)",
        _REPORT,
    ),
    "a number for an id": _case(
        _graph,
        reply(200, {"id": 7}),
        5,
        f"Graph's reply about {_APPLICATION} cannot be read: Expected `str`, got `int` - at `$.id` (HTTP 200, "
        "application/json, request id none)",
        _REPORT,
    ),
    "bytes": _case(
        _graph,
        reply(200, text=b"\xff\xfe\0"),
        5,
        f"Graph's reply about {_APPLICATION} cannot be read: … (HTTP 200, application/json, request id none)",
        _REPORT,
    ),
    "a way somewhere else": _case(
        _graph,
        reply(302, location="https://portal.example/login"),
        5,
        f"Graph's reply about {_APPLICATION} cannot be read: it is neither the answer nor an error of Graph (HTTP 302, "
        "an empty body, request id none)",
        _REPORT,
    ),
    "a token that it does not take": _case(
        _graph,
        reply(401, {"error": {"code": "InvalidAuthenticationToken", "message": "Access token validation failure."}}),
        4,
        f"Graph did not read {_APPLICATION}: Access token validation failure. (HTTP 401 InvalidAuthenticationToken, "
        "request id none)",
        "Graph did not take the token: sign in again, to the tenant that is meant",
    ),
    "throttling without end": _case(
        _graph,
        reply(429, _BUSY_GRAPH, retry_after="60"),
        75,
        f"Graph did not read {_APPLICATION}: slow down (HTTP 429 TooManyRequests, request id none)",
        _GRAPH_LATER,
    ),
    "throttling until tomorrow": _case(
        _graph,
        reply(503, _BUSY_GRAPH, retry_after="86400"),
        75,
        f"Graph did not read {_APPLICATION}: slow down (HTTP 503 TooManyRequests, request id none)",
        _GRAPH_LATER,
    ),
    "a page for status": _case(
        _graph, reply(200, **_HTML), 5, f"Graph's reply about {_APPLICATION} cannot be read: …", _PROXY, argv=STATUS
    ),
    "the first write refused": _later(
        _graph_write,
        reply(403, {"error": {"code": "Authorization_RequestDenied", "message": "Insufficient privileges"}}),
        5,
        f"Graph did not create or update {_APPLICATION}: Insufficient privileges (HTTP 403 "
        "Authorization_RequestDenied, request id none)",
    ),
    "the first write answered by a page": _later(
        _graph_write, reply(200, **_HTML), 5, f"Graph's reply about {_APPLICATION} cannot be read: …", _PROXY
    ),
    "half a secret": _later(
        _issuing,
        reply(200, text=_HALF),
        7,
        "Graph's reply about client secret mimapp 2026-11-21 … cannot be read: Input data was truncated (HTTP 200, …",
    ),
    "a secret without a value": _later(
        _issuing,
        reply(200, {"keyId": "11111111-2222-3333-4444-555555555555"}),
        7,
        "Graph's reply about client secret mimapp 2026-11-21 … cannot be read: it lacks the value or the id of the "
        "secret (HTTP 200, …",
    ),
    "a secret that a policy forbids": _later(
        _issuing,
        reply(
            400,
            {
                "error": {
                    "code": "CredentialTypeNotAllowedAsPerAppPolicy",
                    "message": "Credential type not allowed as per assigned policy 'No secrets'.",
                }
            },
        ),
        7,
        "Graph did not issue client secret mimapp 2026-11-21 …: Credential type not allowed as per assigned policy 'No "
        "secrets'. (HTTP 400 CredentialTypeNotAllowedAsPerAppPolicy, request id none)",
    ),
}

_GET_MAILBOX = f"Get-Mailbox for mailbox {MAILBOX}"
_NO_EXCHANGE = f"what came back for Get-Mailbox (mailbox {MAILBOX}) is not Exchange's answer"

EXCHANGE = {
    "a page": _case(
        _exchange, reply(200, **_HTML), 5, f"{_NO_EXCHANGE}: JSON is malformed: … [HTTP 200, text/html, …", _BETWEEN
    ),
    "a forbidding page": _case(
        _exchange,
        reply(403, **_HTML),
        5,
        "a web page (HTTP 403) came back for Get-Mailbox instead of Exchange's answer",
        "look for a proxy in between, and at the address of the Exchange service",
    ),
    "a page of a gateway": _case(
        _exchange,
        reply(502, **_HTML),
        75,
        f"Exchange refused {_GET_MAILBOX}: a web page came back [HTTP 502]",
        "try again later",
    ),
    "half a reply": _case(
        _exchange,
        reply(200, text=_HALF),
        5,
        f"{_NO_EXCHANGE}: Input data was truncated [HTTP 200, application/json, …",
        _BETWEEN,
    ),
    "a list": _case(
        _exchange,
        reply(200, [1]),
        5,
        f"{_NO_EXCHANGE}: Expected `object`, got `array` [HTTP 200, application/json, 3 bytes]",
        _BETWEEN,
    ),
    "null": _case(_exchange, reply(200, text="null"), 5, f"{_NO_EXCHANGE}: Expected `object`, got `null` […", _BETWEEN),
    "bytes": _case(_exchange, reply(200, text=b"\xff\xfe\0"), 5, f"{_NO_EXCHANGE}: … [HTTP 200, …", _BETWEEN),
    "a way somewhere else": _case(
        _exchange,
        reply(302, location="https://portal.example/login"),
        5,
        "Get-Mailbox was redirected to portal.example, which is not Exchange's host",
        "look for a proxy in between, and at the address of the Exchange service",
    ),
    "nothing but 403": _case(
        _exchange,
        reply(403),
        5,
        f"Exchange refused {_GET_MAILBOX}: no reason given [HTTP 403]",
        "Exchange gave no reason: the sign-in may be older than the role (sign in again), …",
    ),
    "a token that it does not take": _case(
        _exchange,
        reply(401),
        4,
        f"Exchange refused {_GET_MAILBOX}: no reason given [HTTP 401]",
        "Exchange did not take the token: sign in again, to the tenant of the mailbox",
    ),
    "throttling without end": _case(
        _exchange,
        reply(429, {}, retry_after="60"),
        75,
        f"Exchange refused {_GET_MAILBOX}: no reason given [HTTP 429]",
        "try again later",
    ),
    "no group for this account": _later(
        _cmdlet("New-DistributionGroup"),
        reply(403),
        7,
        "Exchange refused New-DistributionGroup for group mimapp-mimservice@contoso.onmicrosoft.com: no reason given "
        "[HTTP 403]",
    ),
    "no policy for this account": _later(
        _cmdlet("New-ApplicationAccessPolicy"),
        reply(403),
        7,
        "Exchange refused New-ApplicationAccessPolicy for application … and group "
        "mimapp-mimservice@contoso.onmicrosoft.com: no reason given [HTTP 403]",
    ),
    "no test for this account": _later(
        _cmdlet("Test-ApplicationAccessPolicy"),
        reply(403),
        7,
        f"Exchange refused Test-ApplicationAccessPolicy for application … and mailbox {MAILBOX}: no reason given "
        "[HTTP 403]",
    ),
    "no list for this account": _later(
        _cmdlet("Set-OrganizationConfig"),
        reply(403),
        7,
        "Exchange refused Set-OrganizationConfig for the organisation's EWS settings: no reason given [HTTP 403]",
    ),
    "half a list": _later(
        _cmdlet("Set-OrganizationConfig"),
        reply(200, text='{"value":[{"a'),
        7,
        "what came back for Set-OrganizationConfig (the organisation's EWS settings) is not Exchange's answer: Input "
        "data was truncated [HTTP 200, application/json, 13 bytes]",
    ),
}

CASES = {
    f"{service}: {name}": case
    for service, table in {"login": LOGIN, "person": PERSON, "graph": GRAPH, "exchange": EXCHANGE}.items()
    for name, case in table.items()
}
