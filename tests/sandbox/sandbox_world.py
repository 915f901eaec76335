"""One sandbox for a test: a home, a clock that the test moves, and a client that reaches the app in process."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from mimapp.sandbox import Weather, catalog, open_sandbox, shapes
from mimapp.sandbox.clock import iso
from mimapp.sandbox.login.clients import secret_digest
from support.clock import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

GRAPH = "https://graph.microsoft.com"
EXCHANGE = "https://outlook.office365.com"
AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
GRAPH_COMMAND_LINE = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
EXCHANGE_POWERSHELL = "fb78d390-0c51-40cd-8e17-fdbfab77341b"


@dataclass(frozen=True)
class Actor:
    """An application that was there before, with what it may do."""

    app_id: str
    object_id: str
    principal_id: str
    token: str


class World:
    """A sandbox and how a test talks to it."""

    def __init__(self, home: Path, clock: FakeClock | None = None, weather: Weather | None = None) -> None:
        self.clock = clock or FakeClock()
        self.sandbox = open_sandbox(home, clock=self.clock, weather=weather or Weather())
        self.info = self.sandbox.info()
        self.http = httpx.Client(transport=self.sandbox.transport(), base_url=self.sandbox.origin)

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

    # Applications and people that were there before, known to every replica

    def put(self, kind: str, body: dict[str, Any]) -> None:
        with self.sandbox.state.transaction() as tx:
            tx.put(self.info.tenant_id, kind, body["id"], body, settled=True)

    def principal_id(self, app_id: str) -> str:
        with self.sandbox.state.transaction() as tx:
            return tx.find(self.info.tenant_id, "servicePrincipal", appId=app_id)[0].id

    def actor(self, *roles: str) -> Actor:
        """An application with these Graph roles and a token that shows them."""
        now = self.clock.now().timestamp()
        app_id, key_id = str(uuid.uuid4()), str(uuid.uuid4())
        app = shapes.application(id_=str(uuid.uuid4()), app_id=app_id, created=now, domain=self.info.tenant_name)
        app["displayName"] = "an actor"
        app["passwordCredentials"] = [
            {
                "keyId": key_id,
                "displayName": "x",
                "startDateTime": iso(now),
                "endDateTime": iso(now + 1e6),
                "hint": "rep",
            }
        ]
        app["_secrets"] = {key_id: {"digest": secret_digest("replaced-secret"), "usableFrom": 0.0}}
        self.put("application", app)
        principal = shapes.service_principal(
            id_=str(uuid.uuid4()), app_id=app_id, name="an actor", owner_tenant=self.info.tenant_id, created=now
        )
        self.put("servicePrincipal", principal)
        graph = {"id": self.principal_id(catalog.GRAPH.app_id), "displayName": "Microsoft Graph"}
        for role in roles:
            grant = shapes.app_role_assignment(
                principal=principal,
                resource=graph,
                role_id=catalog.GRAPH.role(role).id,
                created=now,
            )
            self.put("appRoleAssignment", grant)
        token = self.sign_in(client_id=app_id, client_secret="replaced-secret").json()["access_token"]
        return Actor(app_id=app_id, object_id=app["id"], principal_id=principal["id"], token=token)

    def person(self, *directory_roles: str, client: str = AZURE_CLI, scope: str = f"{GRAPH}/.default") -> str:
        """The token of another person than the administrator, who holds these directory roles."""
        name = f"person{uuid.uuid4().hex[:6]}@{self.info.tenant_name}"
        body = {"id": str(uuid.uuid4()), "displayName": name, "userPrincipalName": name, "mail": name}
        self.put("user", body)
        tenant = self.info.tenant_id
        with self.sandbox.state.transaction() as tx:
            for template in directory_roles:
                role = tx.find(tenant, "directoryRole")
                held = next(r for r in role if r.id == template)
                members = [*held.body["members"], body["id"]]
                tx.put(tenant, "directoryRole", template, held.body | {"members": members}, settled=True)
            tx.put(tenant, "login.settings", tenant, {"autoApprove": False}, settled=True)
        return str(self.device_sign_in(name, client, scope)["access_token"])

    def device_sign_in(self, name: str, client: str, scope: str) -> Any:
        base = f"/{self.info.tenant_id}/oauth2"
        begun = self.http.post(f"{base}/v2.0/devicecode", data={"client_id": client, "scope": scope}).json()
        self.http.post(f"{base}/deviceauth", data={"user_code": begun["user_code"], "username": name})
        form = {"grant_type": "device_code", "client_id": client, "device_code": begun["device_code"]}
        return self.http.post(f"{base}/v2.0/token", data=form).json()

    def application(self, **properties: Any) -> dict[str, Any]:
        """An application that the operator makes now."""
        reply = self.call("POST", "/applications", json={"displayName": "made"} | properties)
        assert reply.status_code == 201, reply.text
        found: dict[str, Any] = reply.json()
        return found

    def service_principal(self, app_id: str) -> dict[str, Any]:
        """Its service principal, made by the operator now."""
        reply = self.call("POST", "/servicePrincipals", json={"appId": app_id})
        assert reply.status_code == 201, reply.text
        found: dict[str, Any] = reply.json()
        return found

    def grant(self, principal_id: str, role_id: str, service: str, token: str | None = None) -> httpx.Response:
        """A role granted in the recommended form."""
        resource = self.principal_id(service)
        body = {"principalId": principal_id, "resourceId": resource, "appRoleId": role_id}
        return self.call("POST", f"/servicePrincipals/{resource}/appRoleAssignedTo", json=body, token=token)
