"""azure-identity, every credential that mimapp's users may have, over a socket to the served sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jwt
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import (
    CertificateCredential,
    ClientSecretCredential,
    CredentialUnavailableError,
    DeviceCodeCredential,
    EnvironmentCredential,
    InteractiveBrowserCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)
from served_tenant import EXCHANGE, GRAPH

from support.browser import as_the_machines_browser
from support.certificates import Certificate, rsa_key

if TYPE_CHECKING:
    from pathlib import Path

    from served_tenant import ServedTenant

pytestmark = pytest.mark.slow

AUDIENCE = "api://AzureADTokenExchange"


def options(tenant: ServedTenant) -> dict[str, Any]:
    return {"authority": tenant.url, "disable_instance_discovery": True, "connection_verify": tenant.ca_file}


def test_a_client_secret(tenant: ServedTenant) -> None:
    with ClientSecretCredential(
        tenant.tenant_id, tenant.client_id, tenant.client_secret, **options(tenant)
    ) as credential:
        assert tenant.opens_graph(credential.get_token(f"{GRAPH}/.default").token)
        assert tenant.opens_exchange(credential.get_token(f"{EXCHANGE}/.default").token)


def test_a_wrong_secret(tenant: ServedTenant) -> None:
    with (
        ClientSecretCredential(tenant.tenant_id, tenant.client_id, "replaced-secret", **options(tenant)) as credential,
        pytest.raises(ClientAuthenticationError, match="AADSTS7000215"),
    ):
        credential.get_token(f"{GRAPH}/.default")


@pytest.mark.parametrize("whole", [False, True], ids=["thumbprint", "chain"])
@pytest.mark.parametrize("form", ["pem", "pfx"])
def test_a_certificate(tenant: ServedTenant, tmp_path: Path, form: str, *, whole: bool) -> None:
    certificate, password = Certificate("azure-identity"), b"replaced-password"
    path = tmp_path / f"operator.{form}"
    if form == "pem":
        certificate.write_pem(path, password)
    else:
        certificate.write_pfx(path, password)
    app = tenant.register_with(certificate)
    with CertificateCredential(
        tenant.tenant_id,
        app.app_id,
        str(path),
        password=password,
        send_certificate_chain=whole,
        **options(tenant),
    ) as credential:
        assert tenant.opens_graph(credential.get_token(f"{GRAPH}/.default").token)


def test_a_certificate_of_somebody_else(tenant: ServedTenant, tmp_path: Path) -> None:
    path = Certificate("stranger").write_pem(tmp_path / "operator.pem")
    app = tenant.register_with(Certificate("azure-identity"))
    with (
        CertificateCredential(tenant.tenant_id, app.app_id, str(path), **options(tenant)) as credential,
        pytest.raises(ClientAuthenticationError, match="AADSTS700027"),
    ):
        credential.get_token(f"{GRAPH}/.default")


def test_a_device_code(tenant: ServedTenant) -> None:
    shown: list[str] = []
    with DeviceCodeCredential(
        tenant_id=tenant.tenant_id,
        prompt_callback=lambda page, code, _expires: shown.append(f"{page} {code}"),
        **options(tenant),
    ) as credential:
        assert tenant.opens_graph(credential.get_token(f"{GRAPH}/.default").token)
    assert shown[0].startswith(f"{tenant.authority}/oauth2/deviceauth ")


def test_a_browser(tenant: ServedTenant) -> None:
    with (
        as_the_machines_browser(tenant.browser()) as browser,
        InteractiveBrowserCredential(tenant_id=tenant.tenant_id, timeout=120, **options(tenant)) as credential,
    ):
        assert tenant.opens_graph(credential.get_token(f"{GRAPH}/.default").token)
    assert "response_mode=form_post" in browser.opened[0]
    assert browser.visited[-1] == "POST http://localhost"


def federated(tenant: ServedTenant, subject: str) -> str:
    """The client id of an application that trusts a cluster."""
    app = tenant.register()
    trust = {"name": "cluster", "issuer": "https://cluster.example", "subject": subject, "audiences": [AUDIENCE]}
    tenant.graph("POST", f"/applications/{app.object_id}/federatedIdentityCredentials", json=trust).raise_for_status()
    return app.app_id


def cluster_token(path: Path, subject: str) -> Path:
    claims = {"iss": "https://cluster.example", "sub": subject, "aud": [AUDIENCE], "iat": 1, "exp": 2**32}
    path.write_text(jwt.encode(claims, rsa_key("cluster"), algorithm="RS256"), encoding="ascii")
    return path


def test_a_workload_identity(tenant: ServedTenant, tmp_path: Path) -> None:
    subject = "system:serviceaccount:mim:rotator"
    client_id, file = federated(tenant, subject), cluster_token(tmp_path / "token", subject)
    with WorkloadIdentityCredential(
        tenant_id=tenant.tenant_id, client_id=client_id, token_file_path=str(file), **options(tenant)
    ) as credential:
        assert tenant.opens_graph(credential.get_token(f"{GRAPH}/.default").token)


def test_a_workload_that_nobody_trusts(tenant: ServedTenant, tmp_path: Path) -> None:
    client_id, file = federated(tenant, "system:serviceaccount:mim:rotator"), cluster_token(tmp_path / "token", "other")
    with (
        WorkloadIdentityCredential(
            tenant_id=tenant.tenant_id, client_id=client_id, token_file_path=str(file), **options(tenant)
        ) as credential,
        pytest.raises(ClientAuthenticationError, match="AADSTS700213"),
    ):
        credential.get_token(f"{GRAPH}/.default")


def as_machine(tenant: ServedTenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", tenant.url)


def as_app_service(tenant: ServedTenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", tenant.ready["identity"]["appServiceUrl"])
    monkeypatch.setenv("IDENTITY_HEADER", tenant.ready["identity"]["appServiceHeader"])


@pytest.mark.parametrize("place", [as_machine, as_app_service])
def test_a_managed_identity(tenant: ServedTenant, monkeypatch: pytest.MonkeyPatch, place: Any) -> None:
    place(tenant, monkeypatch)
    with ManagedIdentityCredential(connection_verify=tenant.ca_file) as credential:
        assert tenant.opens_graph(credential.get_token(f"{GRAPH}/.default").token)
        assert tenant.opens_exchange(credential.get_token(f"{EXCHANGE}/.default").token)


def test_a_managed_identity_that_this_machine_does_not_have(
    tenant: ServedTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_machine(tenant, monkeypatch)
    other = "00001111-aaaa-2222-bbbb-3333cccc4444"
    with (
        ManagedIdentityCredential(client_id=other, connection_verify=tenant.ca_file) as credential,
        pytest.raises(CredentialUnavailableError, match="Identity not found"),
    ):
        credential.get_token(f"{GRAPH}/.default")


def test_the_environment(tenant: ServedTenant, monkeypatch: pytest.MonkeyPatch) -> None:
    named = {
        "AZURE_AUTHORITY_HOST": tenant.url,
        "AZURE_TENANT_ID": tenant.tenant_id,
        "AZURE_CLIENT_ID": tenant.client_id,
        "AZURE_CLIENT_SECRET": tenant.client_secret,
    }
    for name, value in named.items():
        monkeypatch.setenv(name, value)
    with EnvironmentCredential(disable_instance_discovery=True, connection_verify=tenant.ca_file) as credential:
        assert tenant.opens_graph(credential.get_token(f"{GRAPH}/.default").token)
