"""The sign-in libraries that mimapp uses, against the sandbox, over nothing but small adapters."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import msal  # type: ignore[import-untyped]  # msal ships no types
import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.core.pipeline.transport import RequestsTransport
from azure.identity import ClientSecretCredential, DeviceCodeCredential
from requests.adapters import BaseAdapter
from sandbox_world import AZURE_CLI, EXCHANGE, GRAPH, World
from urllib3 import HTTPResponse

from mimapp.sandbox import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import httpx
    from requests import PreparedRequest


@pytest.fixture
def today(tmp_path: Path) -> Iterator[World]:
    """A world on the machine's clock: msal compares an id token with the time of day."""
    made = World(tmp_path, clock=SystemClock())  # type: ignore[arg-type]  # only now() is asked of it
    yield made
    made.close()


class MsalHttp:
    """msal's `http_client` over the world's httpx client."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def get(
        self, url: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None, **_: Any
    ) -> httpx.Response:
        return self._http.get(url, params=params, headers=headers)

    def post(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        **_: Any,
    ) -> httpx.Response:
        return self._http.post(url, params=params, data=data, headers=headers)

    def close(self) -> None:
        pass


class InProcess(BaseAdapter):
    """requests' way into the app, for azure-core."""

    def __init__(self, http: httpx.Client) -> None:
        super().__init__()
        self._http = http

    def send(self, request: PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        body = request.body
        assert body is None or isinstance(body, (str, bytes))
        headers = {name: str(value) for name, value in request.headers.items()}
        answer = self._http.request(str(request.method), str(request.url), content=body, headers=headers)
        reply = requests.Response()
        reply.status_code = answer.status_code
        reply.headers.update(answer.headers)
        reply.raw = HTTPResponse(
            body=io.BytesIO(answer.content),
            headers=dict(answer.headers),
            status=answer.status_code,
            preload_content=False,
        )
        reply.url, reply.request, reply.reason = str(request.url), request, answer.reason_phrase
        return reply

    def close(self) -> None:
        pass


def azure_options(world: World) -> dict[str, Any]:
    session = requests.Session()
    session.mount("https://", InProcess(world.http))
    return {
        "authority": "sandbox.invalid",
        "disable_instance_discovery": True,
        "transport": RequestsTransport(session=session, session_owner=False),
    }


def test_msal_gets_an_application_token(today: World) -> None:
    app = msal.ConfidentialClientApplication(
        today.info.operator_client_id,
        client_credential=today.info.operator_client_secret,
        authority=f"https://sandbox.invalid/{today.info.tenant_id}",
        instance_discovery=False,
        http_client=MsalHttp(today.http),
    )
    assert "access_token" in app.acquire_token_for_client([f"{GRAPH}/.default"])
    assert "access_token" in app.acquire_token_for_client([f"{EXCHANGE}/.default"])


def test_msal_reports_a_wrong_secret(today: World) -> None:
    app = msal.ConfidentialClientApplication(
        today.info.operator_client_id,
        client_credential="replaced-secret",
        authority="https://sandbox.invalid/contoso.onmicrosoft.com",
        instance_discovery=False,
        http_client=MsalHttp(today.http),
    )
    found = app.acquire_token_for_client([f"{GRAPH}/.default"])
    assert (found["error"], found["error_codes"]) == ("invalid_client", [7000215])


def test_msal_signs_a_person_in_and_goes_on_silently(today: World) -> None:
    app = msal.PublicClientApplication(
        AZURE_CLI,
        authority="https://sandbox.invalid/organizations",
        instance_discovery=False,
        http_client=MsalHttp(today.http),
    )
    found = app.acquire_token_by_device_flow(app.initiate_device_flow([f"{GRAPH}/.default"]))
    assert found["id_token_claims"]["preferred_username"] == today.info.administrator
    account = app.get_accounts()[0]
    silent = app.acquire_token_silent(["https://management.azure.com/user_impersonation"], account)
    assert silent is not None
    assert "user_impersonation" in silent["scope"]


def test_azure_identity_gets_an_application_token(today: World) -> None:
    with ClientSecretCredential(
        today.info.tenant_id,
        today.info.operator_client_id,
        today.info.operator_client_secret,
        **azure_options(today),
    ) as credential:
        token = credential.get_token(f"{GRAPH}/.default").token
    assert token.count(".") == 2


def test_azure_identity_names_the_refusal(today: World) -> None:
    credential = ClientSecretCredential(
        today.info.tenant_id, today.info.operator_client_id, "replaced-secret", **azure_options(today)
    )
    with credential, pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
        credential.get_token(f"{GRAPH}/.default")


def test_azure_identity_signs_a_person_in_by_device_code(today: World) -> None:
    with DeviceCodeCredential(
        tenant_id=today.info.tenant_id, prompt_callback=lambda *_: None, **azure_options(today)
    ) as credential:
        token = credential.get_token(f"{GRAPH}/.default").token
    assert token.count(".") == 2
