"""One sandbox for a test: a home, a clock that the test moves, and a client that reaches the app in process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from mimapp.sandbox import open_sandbox
from support.clock import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

GRAPH = "https://graph.microsoft.com"
EXCHANGE = "https://outlook.office365.com"
AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
GRAPH_COMMAND_LINE = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
EXCHANGE_POWERSHELL = "fb78d390-0c51-40cd-8e17-fdbfab77341b"


class World:
    """A sandbox and how a test talks to it."""

    def __init__(self, home: Path, clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()
        self.sandbox = open_sandbox(home, clock=self.clock)
        self.info = self.sandbox.info()
        self.http = httpx.Client(
            transport=httpx.WSGITransport(app=self.sandbox.app),
            base_url=self.sandbox.origin,
        )

    def close(self) -> None:
        self.http.close()
        self.sandbox.close()

    def sign_in(self, tenant: str | None = None, **form: str) -> httpx.Response:
        """A POST to the token endpoint, as the operator application unless the form says otherwise."""
        whole = {
            "grant_type": "client_credentials",
            "client_id": self.info.operator_client_id,
            "client_secret": self.info.operator_client_secret,
            "scope": f"{GRAPH}/.default",
        } | form
        return self.http.post(f"/{tenant or self.info.tenant_id}/oauth2/v2.0/token", data=whole)

    def operator_token(self, scope: str = f"{GRAPH}/.default") -> str:
        return str(self.sign_in(scope=scope).json()["access_token"])

    def admin_token(self, client: str = AZURE_CLI, scope: str = f"{GRAPH}/.default") -> str:
        """A delegated token of the administrator, by device code."""
        base = f"/{self.info.tenant_id}/oauth2/v2.0"
        begun = self.http.post(f"{base}/devicecode", data={"client_id": client, "scope": scope}).json()
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
            "client_id": client,
            "device_code": begun["device_code"],
        }
        return str(self.http.post(f"{base}/token", data=form).json()["access_token"])

    def call(
        self, method: str, path: str, *, json: Any = None, token: str | None = None, **headers: str
    ) -> httpx.Response:
        """A Graph request below /v1.0, by the operator unless a token is given."""
        sent = {"authorization": f"Bearer {token or self.operator_token()}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.request(method, f"/v1.0{path}", json=json, headers=sent)
