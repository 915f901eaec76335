"""Which of Microsoft's clouds a simulated tenant lives in, as its OpenID metadata tells it.

Members and values: cisagov/ScubaGear, the Power Platform provider, microsoft/MSCloudLoginAssistant and Microsoft's page
on identity planning for Azure Government; Microsoft documents none of them as a whole, so all are [unverified].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mimapp.sandbox.state import Transaction
    from mimapp.sandbox.tenants import Tenant

__all__ = ["RESIDENCES", "Residence", "residence_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Residence:
    """What the metadata of a tenant says of its cloud.

    Attributes:
        region: ``tenant_region_scope``.
        sub_region: ``tenant_region_sub_scope``, None where it is absent.
        instance: ``cloud_instance_name``.
        graph_host: ``msgraph_host``.
    """

    region: str
    sub_region: str | None = None
    instance: str
    graph_host: str


_WORLDWIDE = "global"
RESIDENCES = {
    _WORLDWIDE: Residence(region="EU", instance="microsoftonline.com", graph_host="graph.microsoft.com"),
    "gcc": Residence(region="NA", sub_region="GCC", instance="microsoftonline.com", graph_host="graph.microsoft.com"),
    "gcc-high": Residence(
        region="USGov", sub_region="DODCON", instance="microsoftonline.us", graph_host="graph.microsoft.us"
    ),
    "dod": Residence(
        region="USGov", sub_region="DOD", instance="microsoftonline.us", graph_host="dod-graph.microsoft.us"
    ),
    "china": Residence(
        region="AS", instance="partner.microsoftonline.cn", graph_host="microsoftgraph.chinacloudapi.cn"
    ),
    "bleu": Residence(region="FG", instance="sovcloud-identity.fr", graph_host="graph.svc.sovcloud.fr"),
    "delos": Residence(region="GG2", instance="sovcloud-identity.de", graph_host="graph.svc.sovcloud.de"),
}
"""What tenants of each cloud say."""


def residence_of(tx: Transaction, tenant: Tenant) -> Residence:
    """Where a tenant lives: in the worldwide cloud, unless its `login.settings` name another ``cloud``."""
    settings = tx.get(tenant.id, "login.settings", tenant.id)
    return RESIDENCES[_WORLDWIDE if settings is None else settings.body.get("cloud", _WORLDWIDE)]
