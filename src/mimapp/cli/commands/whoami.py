"""``mimapp whoami``: who signs in, to which tenant, with which rights for which service, until when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.cli.command import Run, command
from mimapp.cli.meant import tenant_of
from mimapp.cli.options import NoOptions
from mimapp.cli.result import Line, Pairs, Result
from mimapp.clock import iso

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mimapp.cli.result import Block, JsonValue
    from mimapp.identity import Operator

__all__ = ["whoami"]

_GRAPH = "Microsoft Graph"
_EXCHANGE = "Exchange Online"
_KEYS = {_GRAPH: "graph", _EXCHANGE: "exchange"}
#: All that the question itself needs of a person; every user may consent to it.
_PERMISSIONS = ("User.Read",)


@command(NoOptions)
def whoami(run: Run, _options: NoOptions) -> Result:
    """Sign in, and say who you are, in which tenant, with which rights for which service, and until when.

    The rights are those that the tokens carry. Exchange may give more, by role groups of its own; `mimapp check` asks
    whether they suffice.
    """
    from mimapp.cli.connect import connect  # noqa: PLC0415 - help need not import it
    from mimapp.cli.sign_in import reachable_parts  # noqa: PLC0415 - help need not import it
    from mimapp.provisioning.steps import Part  # noqa: PLC0415 - help need not import it

    named, parts = tenant_of(run), reachable_parts(run)
    with connect(run, named, parts=parts, permissions=_PERMISSIONS) as tenant:
        found = {_GRAPH: tenant.graph_operator}
        if Part.EXCHANGE in parts:
            found[_EXCHANGE] = tenant.exchange_operator
        tenant_id, cloud = tenant.tenant_id, tenant.cloud
    missing = "" if _EXCHANGE in found else f"Not signed in to {_EXCHANGE}: this way counts as reaching {_GRAPH} only."
    return Result(
        schema="mimapp.whoami/1",
        document={
            "tenantId": tenant_id,
            "tenantName": named,
            "cloud": cloud.key,
            "services": [_document(_KEYS[service], operator) for service, operator in found.items()],
        },
        text=(
            Pairs([("Tenant", f"{named} ({tenant_id})"), ("Cloud", cloud.title)]),
            *(block for service, operator in found.items() for block in _blocks(service, operator)),
            *((Line(), Line(missing, "warn")) if missing else ()),
        ),
    )


def _document(service: str, operator: Operator) -> Mapping[str, JsonValue]:
    return {
        "service": service,
        "name": operator.name,
        "objectId": operator.oid,
        "clientId": operator.app_id,
        "applicationOnly": operator.is_app_only,
        "permissions": sorted(operator.roles if operator.is_app_only else operator.scopes),
        "directoryRoles": list(operator.directory_roles),
        "expires": None if operator.expires is None else iso(operator.expires),
    }


def _blocks(service: str, operator: Operator) -> tuple[Block, ...]:
    rights = sorted(operator.roles if operator.is_app_only else operator.scopes)
    until = "unknown" if operator.expires is None else f"{operator.expires:%Y-%m-%d %H:%M} UTC"
    return (
        Line(),
        Line(service, "heading"),
        Pairs(
            [
                ("Signed in", operator.name),
                ("As", "an application" if operator.is_app_only else f"a person, with the client {operator.app_id}"),
                ("Permissions", ", ".join(rights) or "none"),
                ("Directory roles", ", ".join(operator.directory_roles) or "none"),
                ("Until", until),
            ]
        ),
    )
