"""The report of credential sign-ins: when each secret of an application was last used; beta only, as Microsoft has it.

Source: "List appCredentialSignInActivities", Microsoft Graph beta. How many hours a sign-in takes to appear there is
documented nowhere; here it is there at once. What was never used is missing.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from mimapp.sandbox.clock import iso
from mimapp.sandbox.graph import errors
from mimapp.sandbox.graph.access import AUDIT_READ
from mimapp.sandbox.graph.request import GraphRequest, Operation, Reply, collection
from mimapp.sandbox.login.activity import KIND

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mimapp.sandbox.state import Document

__all__ = ["OPERATIONS"]

_NAME = "reports/appCredentialSignInActivities"


def _list(request: GraphRequest) -> Reply:
    if not request.url.startswith("/beta/"):
        raise errors.segment_unknown("appCredentialSignInActivities")
    return collection(request, _NAME, _activities(request))


def _activities(request: GraphRequest) -> Iterator[Document]:
    for record in request.tx.find(request.tenant_id, KIND):
        body = record.body
        yield {
            "id": base64.b64encode(f"{record.id}|application".encode()).decode(),
            "keyId": record.id,
            "keyType": "clientSecret",
            "keyUsage": "sign",
            "appId": body["appId"],
            "appObjectId": body["appObjectId"],
            "servicePrincipalObjectId": body["servicePrincipalObjectId"],
            "resourceId": body["resourceId"],
            "credentialOrigin": "application",
            "createdDateTime": body["createdDateTime"],
            "expirationDateTime": body["expirationDateTime"],
            "signInActivity": {
                "lastSignInDateTime": iso(body["last"]),
                "lastSignInRequestId": body["requestId"],
            },
        }


OPERATIONS = (Operation(method="GET", template=_NAME, handler=_list, access=AUDIT_READ, writes=False),)
