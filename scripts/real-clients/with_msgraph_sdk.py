"""Microsoft's own Graph client on a served sandbox: an application's life, one line a step that went well.

Run by run.py in an environment that has msgraph-sdk and azure-identity, and not mimapp; what the server said when it
answered comes on stdin.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from typing import TYPE_CHECKING, Any

import httpx
from azure.identity import ClientSecretCredential
from kiota_abstractions.api_error import APIError
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.applications.item.add_password.add_password_post_request_body import AddPasswordPostRequestBody
from msgraph.generated.applications.item.remove_password.remove_password_post_request_body import (
    RemovePasswordPostRequestBody,
)
from msgraph.generated.models.app_role_assignment import AppRoleAssignment
from msgraph.generated.models.application import Application
from msgraph.generated.models.password_credential import PasswordCredential
from msgraph.generated.models.service_principal import ServicePrincipal
from msgraph_core import GraphClientFactory

if TYPE_CHECKING:
    from msgraph.generated.applications.item.application_item_request_builder import ApplicationItemRequestBuilder

_EXCHANGE_APP_ID = "00000002-0000-0ff1-ce00-000000000000"
_FULL_ACCESS_AS_APP = "dc890d15-9560-4a4c-9b7f-a736ec74ec40"
_NOT_FOUND = 404


def client_of(ready: dict[str, Any]) -> GraphServiceClient:
    """The client, told another host than the worldwide one in the ways it has for that."""
    credential = ClientSecretCredential(
        ready["tenantId"],
        ready["operator"]["clientId"],
        ready["operator"]["clientSecret"],
        authority=ready["url"],
        disable_instance_discovery=True,
        connection_verify=ready["caFile"],
    )
    provider = AzureIdentityAuthenticationProvider(
        credential, scopes=["https://graph.microsoft.com/.default"], allowed_hosts=["127.0.0.1"]
    )
    trust = ssl.create_default_context(cafile=ready["caFile"])
    http = GraphClientFactory.create_with_default_middleware(
        client=httpx.AsyncClient(verify=trust, trust_env=False, base_url=f"{ready['url']}/v1.0"), host=ready["url"]
    )
    adapter = GraphRequestAdapter(provider, client=http)
    adapter.base_url = f"{ready['url']}/v1.0"
    return GraphServiceClient(request_adapter=adapter)


async def live(graph: GraphServiceClient) -> None:
    """An application comes, changes, has a secret and a grant, and goes."""
    made = await graph.applications.post(Application(display_name="made by msgraph-sdk"))
    listed = await graph.applications.get()
    assert made.id in {one.id for one in listed.value}, "list"
    print("create and list applications")

    await graph.applications.by_application_id(made.id).patch(Application(notes="changed"))
    assert (await graph.applications.by_application_id(made.id).get()).notes == "changed", "update"
    print("update an application")

    item = graph.applications.by_application_id(made.id)
    wanted = AddPasswordPostRequestBody(password_credential=PasswordCredential(display_name="one"))
    secret = await item.add_password.post(wanted)
    assert secret.secret_text, "addPassword"
    assert [one.key_id for one in (await item.get()).password_credentials] == [secret.key_id], "addPassword"
    print("addPassword")
    await item.remove_password.post(RemovePasswordPostRequestBody(key_id=secret.key_id))
    assert (await item.get()).password_credentials == [], "removePassword"
    print("removePassword")

    principal = await graph.service_principals.post(ServicePrincipal(app_id=made.app_id))
    service = await graph.service_principals_with_app_id(_EXCHANGE_APP_ID).get()
    grants = graph.service_principals.by_service_principal_id(service.id).app_role_assigned_to
    grant = await grants.post(
        AppRoleAssignment(principal_id=principal.id, resource_id=service.id, app_role_id=_FULL_ACCESS_AS_APP)
    )
    held = graph.service_principals.by_service_principal_id(principal.id).app_role_assignments
    assert [one.id for one in (await held.get()).value] == [grant.id], "grant"
    await grants.by_app_role_assignment_id(grant.id).delete()
    assert (await held.get()).value == [], "grant taken back"
    print("grant full_access_as_app, and back")

    await item.delete()
    assert await status_of(item) == _NOT_FOUND, "delete"
    print("delete an application; then it is a 404 that the client reads")


async def status_of(item: ApplicationItemRequestBuilder) -> int | None:
    """The status of a GET that is refused, as the client tells it; None where it is not."""
    try:
        await item.get()
    except APIError as error:
        return error.response_status_code
    return None


if __name__ == "__main__":
    asyncio.run(live(client_of(json.load(sys.stdin))))
