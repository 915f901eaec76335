"""`mimapp sandbox serve` in a process of its own, and what a test does beside the client that it tests."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import httpx

from mimapp.sandbox import Sandbox, open_sandbox
from support.browser import Browser

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from support.certificates import Certificate

GRAPH = "https://graph.microsoft.com"
EXCHANGE = "https://outlook.office365.com"
AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"


@dataclass(frozen=True)
class Registered:
    """An application of the tenant."""

    object_id: str
    app_id: str


class ServedTenant:
    """A running server; the sandbox behind it can be changed from here, since both share its file."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._errors = home / "serve.err"

    def __enter__(self) -> Self:
        # No pipe for what it says later: nobody reads it, and a full one would stop the server.
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "mimapp", "sandbox", "serve", "--port", "0"],
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, "MIMAPP_HOME": str(self.home)},
                text=True,
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self._errors.read_text(encoding="utf-8")
        self.ready: dict[str, Any] = json.loads(line)
        self.url: str = self.ready["url"]
        self.ca_file: str = self.ready["caFile"]
        self.tenant_id: str = self.ready["tenantId"]
        self.client_id: str = self.ready["operator"]["clientId"]
        self.client_secret: str = self.ready["operator"]["clientSecret"]
        self.http = httpx.Client(base_url=self.url, verify=self.trust, trust_env=False, timeout=120)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.close()
        if "sandbox" in self.__dict__:
            self.sandbox.close()
        self._process.terminate()
        self._process.communicate(timeout=120)

    @property
    def authority(self) -> str:
        return f"{self.url}/{self.tenant_id}"

    @cached_property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ca_file)

    @cached_property
    def sandbox(self) -> Sandbox:
        return open_sandbox(self.home)

    def browser(self) -> Browser:
        return Browser(self.trust)

    def mimapp(self, *argv: str) -> dict[str, Any]:
        """Run a command in another process with the variables that the server prints; its JSON document."""
        done = subprocess.run(
            [sys.executable, "-m", "mimapp", *argv, "--output", "json"],
            env={**os.environ, **self.ready["env"], "MIMAPP_HOME": str(self.home / "client")},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def graph(self, method: str, path: str, *, json: Any = None, token: str | None = None) -> httpx.Response:
        """A request to Graph, by the operator unless a token is given."""
        header = {"authorization": f"Bearer {token or self.operator_token()}"}
        return self.http.request(method, f"/v1.0{path}", json=json, headers=header)

    def operator_token(self) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "scope": f"{GRAPH}/.default",
        }
        reply = self.http.post(f"/{self.tenant_id}/oauth2/v2.0/token", data=form)
        return str(reply.raise_for_status().json()["access_token"])

    def register(self, **properties: Any) -> Registered:
        """An application with its service principal, which may read the organisation."""
        app = self.graph("POST", "/applications", json={"displayName": "made by a test"} | properties).json()
        principal = self.graph("POST", "/servicePrincipals", json={"appId": app["appId"]}).json()
        service = self.graph("GET", "/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')").json()
        role = next(one["id"] for one in service["appRoles"] if one["value"] == "Organization.Read.All")
        grant = {"principalId": principal["id"], "resourceId": service["id"], "appRoleId": role}
        granted = self.graph("POST", f"/servicePrincipals/{service['id']}/appRoleAssignedTo", json=grant)
        assert granted.status_code == 201, granted.text
        return Registered(object_id=app["id"], app_id=app["appId"])

    def register_with(self, certificate: Certificate) -> Registered:
        return self.register(keyCredentials=[certificate.credential])

    def opens_graph(self, token: str) -> bool:
        """Whether Graph lets the bearer read the organisation."""
        reply = self.graph("GET", "/organization", token=token)
        return reply.status_code == 200 and reply.json()["value"][0]["id"] == self.tenant_id

    def opens_exchange(self, token: str) -> bool:
        """Whether Exchange lets the bearer look up the mailbox."""
        body = {"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {"Identity": self.ready["mailbox"]}}}
        path = f"/adminapi/beta/{self.tenant_id}/InvokeCommand"
        reply = self.http.post(path, json=body, headers={"authorization": f"Bearer {token}"})
        return reply.status_code == 200
