"""An application that signs in by assertion, and an issuer that it may trust."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

import jwt
from sandbox_world import GRAPH, World

from mimapp.sandbox.login.assertions import ASSERTION_TYPE
from support.certificates import Certificate, rsa_key

if TYPE_CHECKING:
    import httpx
    from cryptography.hazmat.primitives.asymmetric import rsa

ISSUER = "https://cluster.example/oidc"
SUBJECT = "system:serviceaccount:mim:Rotator"
AUDIENCE = "api://AzureADTokenExchange"
MINE = Certificate("mine")


def thumbprints(certificate: Certificate) -> dict[str, str]:
    def text(raw: bytes) -> str:
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    return {"x5t": text(certificate.sha1), "x5t#S256": text(hashlib.sha256(certificate.der).digest())}


class Client:
    """An application of the operator, which shows what a test wants."""

    def __init__(self, world: World, **properties: Any) -> None:
        self.world = world
        self.app = world.application(**properties)
        self.app_id = str(self.app["appId"])
        world.service_principal(self.app_id)

    def own(self, certificate: Certificate = MINE, algorithm: str = "RS256", **changes: Any) -> str:
        """An assertion of its own; a changed claim that is None is left out."""
        now = int(self.world.clock.now().timestamp())
        base = f"{self.world.sandbox.origin}/{self.world.info.tenant_id}"
        claims = {
            "aud": f"{base}/oauth2/v2.0/token",
            "iss": self.app_id,
            "sub": self.app_id,
            "jti": "one",
            "nbf": now,
            "exp": now + 600,
        } | changes
        header = {
            name: value for name, value in thumbprints(certificate).items() if algorithm == "PS256" or name == "x5t"
        }
        return signed(claims, certificate.key, algorithm, header)

    def federated(self, key: rsa.RSAPrivateKey | None = None, **changes: Any) -> str:
        now = int(self.world.clock.now().timestamp())
        claims = {"iss": ISSUER, "sub": SUBJECT, "aud": AUDIENCE, "iat": now, "exp": now + 600} | changes
        return signed(claims, key or rsa_key("cluster"), "RS256", {"kid": "k1"})

    def sign_in(self, assertion: str, **form: str) -> httpx.Response:
        whole = {
            "grant_type": "client_credentials",
            "client_id": self.app_id,
            "client_assertion": assertion,
            "client_assertion_type": ASSERTION_TYPE,
            "scope": f"{GRAPH}/.default",
        } | form
        return self.world.http.post(f"/{self.world.info.tenant_id}/oauth2/v2.0/token", data=whole)

    def trust(self, **changes: Any) -> None:
        body = {"name": "cluster", "issuer": ISSUER, "subject": SUBJECT, "audiences": [AUDIENCE]} | changes
        reply = self.world.call("POST", f"/applications/{self.app['id']}/federatedIdentityCredentials", json=body)
        assert reply.status_code == 201, reply.text


def signed(claims: dict[str, Any], key: Any, algorithm: str, header: dict[str, str]) -> str:
    given = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(given, key, algorithm=algorithm, headers=header)
