"""Rights that the sign-in lacks, one at a time: what may not be done is named, and who can give the right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.checking import EXCHANGE_ADMINISTRATOR, take_directory_role, take_role
from cli.bad_input import REGISTER, STATUS, Case
from cli.bad_input_tenant import registered
from mimapp.sandbox import catalog
from support.tenants import MAILBOX

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.tenants import Place

_GRAPH_SAID = "… (HTTP 403 Authorization_RequestDenied, request id …)"
_NEEDS = (
    ", and a person a directory role that allows it besides; a role that was activated just now needs a new sign-in"
)
_EXCHANGE_SILENT = "Exchange gave no reason: the sign-in may be older than the role (sign in again), …"


def _without(*roles: str) -> Callable[[Place], None]:
    """The operator application has lost these of Graph's permissions."""

    def prepare(place: Place) -> None:
        for role in roles:
            take_role(place, catalog.GRAPH, role)

    return prepare


def _then(*steps: Callable[[Place], None]) -> Callable[[Place], None]:
    """One after the other."""

    def prepare(place: Place) -> None:
        for step in steps:
            step(place)

    return prepare


CASES = {
    "right: reading the organisation": Case(
        argv=REGISTER,
        prepare=_without("Organization.Read.All", "Directory.Read.All"),
        code=5,
        line=f"Graph did not read the organization: {_GRAPH_SAID}",
        hint=f"the sign-in needs User.Read (app-only: Organization.Read.All){_NEEDS}",
    ),
    "right: reading applications": Case(
        argv=REGISTER,
        prepare=_without("Application.ReadWrite.All", "Directory.Read.All"),
        code=5,
        line=f"Graph did not read application mimapp-mimservice: {_GRAPH_SAID}",
        hint=f"the sign-in needs Application.Read.All{_NEEDS}",
    ),
    "right: reading applications for status": Case(
        argv=STATUS,
        prepare=_without("Application.ReadWrite.All", "Directory.Read.All"),
        code=5,
        line=f"Graph did not read application mimapp-mimservice: {_GRAPH_SAID}",
        hint=f"the sign-in needs Application.Read.All{_NEEDS}",
    ),
    "right: making the application": Case(
        argv=REGISTER,
        prepare=_without("Application.ReadWrite.All"),
        code=6,
        line="graph permissions: without Application.ReadWrite.OwnedBy it cannot make the application and its secret",
        hint="grant the application permission Application.ReadWrite.OwnedBy to application … and consent to it",
    ),
    "right: consenting": Case(
        argv=REGISTER,
        prepare=_without("AppRoleAssignment.ReadWrite.All"),
        code=6,
        line="graph permissions: without AppRoleAssignment.ReadWrite.All it cannot consent to it",
        hint="grant the application permission AppRoleAssignment.ReadWrite.All to application … and consent to it; or "
        "do --only entra, and let somebody who has it do --only consent",
    ),
    "right: stopping the sign-in": Case(
        argv=f"lockdown --mailbox {MAILBOX} --yes",
        prepare=_then(registered(), _without("Application.ReadWrite.All")),
        code=5,
        line=f"Graph did not change service principal …: {_GRAPH_SAID}",
        hint=f"the sign-in needs Application.ReadWrite.All (app-only: Application.ReadWrite.OwnedBy){_NEEDS}",
        writes=True,
    ),
    "right: taking the secret away": Case(
        argv=f"unregister --mailbox {MAILBOX} --yes",
        prepare=_then(registered(), _without("Application.ReadWrite.All")),
        code=5,
        line=f"Graph did not remove client secret …: {_GRAPH_SAID}",
        hint=f"the sign-in needs Application.ReadWrite.All (app-only: Application.ReadWrite.OwnedBy){_NEEDS}",
        writes=True,
        details=("failed: Revoke the client secret", "not tried: Take full_access_as_app away"),
    ),
    "right: taking the consent away": Case(
        argv=f"unregister --mailbox {MAILBOX} --yes",
        prepare=_then(registered(), _without("AppRoleAssignment.ReadWrite.All")),
        code=7,
        line=f"Graph did not revoke role grant …: {_GRAPH_SAID}",
        hint=f"the sign-in needs AppRoleAssignment.ReadWrite.All and Application.Read.All{_NEEDS}",
        writes=True,
        details=("done: secret.revoke", "failed: Take full_access_as_app away"),
    ),
    "right: the permission to manage Exchange": Case(
        argv=REGISTER,
        prepare=lambda place: take_role(place, catalog.EXCHANGE, "Exchange.ManageAsApp"),
        code=5,
        line=f"Exchange refused Get-Mailbox for mailbox {MAILBOX}: no reason given [HTTP 403, …",
        hint=_EXCHANGE_SILENT,
    ),
    "right: the role Exchange Administrator": Case(
        argv=REGISTER,
        prepare=lambda place: take_directory_role(place, EXCHANGE_ADMINISTRATOR),
        code=5,
        line=f"Exchange refused Get-Mailbox for mailbox {MAILBOX}: no reason given [HTTP 403, …",
        hint=_EXCHANGE_SILENT,
    ),
}
