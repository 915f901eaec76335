"""msal, as MIM Service and mimapp use it, with its own HTTP client over a socket to the served sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jwt
import msal  # type: ignore[import-untyped]  # msal ships no types
import pytest
from served_tenant import AZURE_CLI, EXCHANGE, GRAPH

from support.browser import as_the_machines_browser
from support.certificates import Certificate, rsa_key

if TYPE_CHECKING:
    from served_tenant import ServedTenant

pytestmark = pytest.mark.slow


def confidential(tenant: ServedTenant, client_id: str, credential: Any) -> Any:
    return msal.ConfidentialClientApplication(
        client_id,
        client_credential=credential,
        authority=tenant.authority,
        instance_discovery=False,
        verify=tenant.ca_file,
    )


def public(tenant: ServedTenant, authority: str | None = None) -> Any:
    return msal.PublicClientApplication(
        AZURE_CLI,
        authority=authority or tenant.authority,
        instance_discovery=False,
        verify=tenant.ca_file,
    )


def header_of(app: Any) -> dict[str, Any]:
    """The header of the assertion that an application signs."""
    assertion = app.client.client_assertion
    return jwt.get_unverified_header(assertion() if callable(assertion) else assertion)


def test_a_secret(tenant: ServedTenant) -> None:
    app = confidential(tenant, tenant.client_id, tenant.client_secret)
    assert tenant.opens_graph(app.acquire_token_for_client([f"{GRAPH}/.default"])["access_token"])
    assert tenant.opens_exchange(app.acquire_token_for_client([f"{EXCHANGE}/.default"])["access_token"])


def test_a_wrong_secret(tenant: ServedTenant) -> None:
    found = confidential(tenant, tenant.client_id, "replaced-secret").acquire_token_for_client([f"{GRAPH}/.default"])
    assert (found["error"], found["error_codes"]) == ("invalid_client", [7000215])


def test_a_certificate_by_its_thumbprint(tenant: ServedTenant) -> None:
    certificate = Certificate("msal")
    given = {"private_key": certificate.private_pem(), "thumbprint": certificate.sha1.hex()}
    app = confidential(tenant, tenant.register_with(certificate).app_id, given)
    assert tenant.opens_graph(app.acquire_token_for_client([f"{GRAPH}/.default"])["access_token"])
    header = header_of(app)
    assert header["alg"] == "RS256"
    assert "x5t" in header


def test_a_certificate_as_a_whole(tenant: ServedTenant) -> None:
    certificate = Certificate("msal")
    given = {"private_key": certificate.private_pem(), "public_certificate": certificate.public_pem}
    app = confidential(tenant, tenant.register_with(certificate).app_id, given)
    assert tenant.opens_graph(app.acquire_token_for_client([f"{GRAPH}/.default"])["access_token"])
    header = header_of(app)
    assert header["alg"] == "PS256"
    assert {"x5t#S256", "x5c"} <= header.keys()


def test_a_certificate_of_somebody_else(tenant: ServedTenant) -> None:
    other = Certificate("stranger")
    given = {"private_key": other.private_pem(), "public_certificate": other.public_pem}
    app = confidential(tenant, tenant.register_with(Certificate("msal")).app_id, given)
    assert app.acquire_token_for_client([f"{GRAPH}/.default"])["error_codes"] == [700027]


def test_another_issuers_token(tenant: ServedTenant) -> None:
    app = tenant.register()
    trust = {"name": "x", "issuer": "https://x.example", "subject": "s", "audiences": ["api://AzureADTokenExchange"]}
    tenant.graph("POST", f"/applications/{app.object_id}/federatedIdentityCredentials", json=trust).raise_for_status()
    claims = {"iss": "https://x.example", "sub": "s", "aud": "api://AzureADTokenExchange", "iat": 1, "exp": 2**32}
    token = jwt.encode(claims, rsa_key("issuer"), algorithm="RS256")
    client = confidential(tenant, app.app_id, {"client_assertion": lambda: token})
    assert tenant.opens_graph(client.acquire_token_for_client([f"{GRAPH}/.default"])["access_token"])


def test_a_device_code_and_what_follows_silently(tenant: ServedTenant) -> None:
    app = public(tenant, f"{tenant.url}/organizations")
    flow = app.initiate_device_flow([f"{GRAPH}/.default"])
    found = app.acquire_token_by_device_flow(flow)
    assert found["id_token_claims"]["preferred_username"] == "admin@contoso.onmicrosoft.com"
    assert tenant.opens_graph(found["access_token"])
    (account,) = app.get_accounts()
    silent = app.acquire_token_silent(["https://management.azure.com/user_impersonation"], account)
    assert "user_impersonation" in silent["scope"]


def test_a_browser_that_comes_back_with_a_form(tenant: ServedTenant) -> None:
    with as_the_machines_browser(tenant.browser()) as browser:
        found = public(tenant).acquire_token_interactive([f"{GRAPH}/.default"], timeout=120)
    assert found["id_token_claims"]["preferred_username"] == "admin@contoso.onmicrosoft.com"
    assert tenant.opens_graph(found["access_token"])
    assert "response_mode=form_post" in browser.opened[0]
    assert "code_challenge_method=S256" in browser.opened[0]
    assert [visit.partition(" ")[0] for visit in browser.visited] == ["GET", "POST"]
    assert browser.visited[1] == "POST http://localhost"


def test_a_pair_that_entra_refuses_comes_back_as_an_error(tenant: ServedTenant) -> None:
    with as_the_machines_browser(tenant.browser()):
        found = public(tenant).acquire_token_interactive([f"{EXCHANGE}/.default"], timeout=120)
    assert found["error"] == "invalid_client"
    assert found["error_description"].startswith("AADSTS65002: ")
