"""The Microsoft clouds, one row each: where they answer, what their tokens are for, and when EWS ends in them.

A wrong host fails quietly (a token for another audience), so every host is written here once, with its source, and
nowhere else. The words by which the MIM installer names a cloud belong to `mimapp.host`.

Sources, named in the rows by their letters:

A. microsoft/CSS-Exchange, Shared/AzureFunctions/Get-CloudServiceEndpoint.ps1
B. https://learn.microsoft.com/graph/deployments
C. https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud
D. https://learn.microsoft.com/powershell/module/exchange/connect-exchangeonline
E. azure-cli, src/azure-cli-core/azure/cli/core/cloud.py
F. cisagov/ScubaGear, EXORestHelper.psm1
G. msal 1.39.0, authority.py
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import urlsplit

from mimapp.errors import UsageError

__all__ = ["CLOUDS", "DEFAULT_CLOUD", "Cloud", "cloud"]

DEFAULT_CLOUD = "global"
_HTTPS_PORT = 443


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """One Microsoft cloud.

    Attributes:
        key: what ``--cloud`` takes.
        title: the cloud's name for people.
        login: base URL of Entra sign-in, ``https://`` and a host, without a slash at the end.
        graph: base URL of Microsoft Graph, the same way.
        exchange: base URL of Exchange Online (admin REST and EWS), the same way.
        graph_scope: what a Graph token is asked for with.
        exchange_scope: what an Exchange token is asked for with (admin REST and EWS alike).
        autodiscover: base URL of Exchange's autodiscover.
        ews_ends: the first day without EWS, or None where Microsoft has given no date for this cloud.
        allow_list_in_force: whether ``EwsAllowedAppIDs`` decides in this cloud; None where nobody knows.
        unknowns: what no source says about this cloud, each a sentence for people.
        overridden: which of ``login``, ``graph`` and ``exchange`` are not the cloud's own.
    """

    key: str
    title: str
    login: str
    graph: str
    exchange: str
    graph_scope: str
    exchange_scope: str
    autodiscover: str
    ews_ends: date | None
    allow_list_in_force: bool | None
    unknowns: tuple[str, ...] = ()
    overridden: frozenset[str] = frozenset()

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts (with the port, where it is not 443) that requests of this cloud may go to."""
        return frozenset(urlsplit(url).netloc for url in (self.login, self.graph, self.exchange))

    def authority(self, tenant: str) -> str:
        """The authority that tokens of a tenant (its GUID, or one of its domains) are asked from."""
        return f"{self.login}/{tenant}"

    def with_hosts(
        self,
        *,
        login: str | None = None,
        graph: str | None = None,
        exchange: str | None = None,
        graph_scope: str | None = None,
        exchange_scope: str | None = None,
    ) -> Cloud:
        """The same cloud with other hosts: requests go there, scopes stay the cloud's unless given.

        A host is given as ``host``, ``host:port`` or ``https://host:port``.

        Raises:
            UsageError: a host is not one, or asks for something else than https.
        """
        given = {"login": login, "graph": graph, "exchange": exchange}
        bases = {name: _base(name, text) for name, text in given.items() if text is not None}
        return replace(
            self,
            login=bases.get("login", self.login),
            graph=bases.get("graph", self.graph),
            exchange=bases.get("exchange", self.exchange),
            graph_scope=self.graph_scope if graph_scope is None else graph_scope,
            exchange_scope=self.exchange_scope if exchange_scope is None else exchange_scope,
            overridden=self.overridden | {name for name, base in bases.items() if base != getattr(self, name)},
        )


def cloud(key: str) -> Cloud:
    """The cloud of a key.

    Raises:
        UsageError: no cloud has this key; the hint names those that are known.
    """
    try:
        return CLOUDS[key]
    except KeyError:
        raise UsageError(f"no cloud is called {key!r}", hint=f"known clouds: {', '.join(CLOUDS)}") from None


def _base(name: str, text: str) -> str:
    url = text.strip() if "://" in text else f"https://{text.strip()}"
    parts = urlsplit(url)
    hint = "give a host, host:port or https://host:port"
    try:
        port = parts.port
    except ValueError:
        raise UsageError(f"the {name} host {text!r} has no usable port", hint=hint) from None
    if parts.scheme != "https":
        raise UsageError(f"the {name} host {text!r} is not https: tokens and secrets travel over TLS only", hint=hint)
    if not parts.hostname or parts.username or parts.path.strip("/") or parts.query or parts.fragment:
        raise UsageError(f"the {name} host {text!r} is not a host", hint=hint)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"https://{host}" if port in (None, _HTTPS_PORT) else f"https://{host}:{port}"


# "EWS Deprecation Is Here" (Exchange Team Blog 4561431): off for good from this day in the worldwide cloud.
# Government clouds and China follow "their own schedule by Message Center", without dates so far.
_EWS_ENDS = date(2027, 4, 1)
_EWS_SCHEDULE_UNKNOWN = "Microsoft has given no dates for the end of EWS here: watch the Message Center."
_ALLOW_LIST_UNKNOWN = (
    "Whether the EWS allow list is in force here is not documented: the tenant's own setting is shown."
)
_SOVEREIGN_UNVERIFIED = "Only one public source names these Exchange hosts; no source shows the admin API on them."

CLOUDS: dict[str, Cloud] = {
    row.key: row
    for row in (
        Cloud(
            key="global",
            title="Worldwide",
            login="https://login.microsoftonline.com",  # A, C
            graph="https://graph.microsoft.com",  # A, B
            # EWS: A says outlook.office.com; F, the MIM installer and every admin REST client say this host.
            exchange="https://outlook.office365.com",
            graph_scope="https://graph.microsoft.com/.default",
            exchange_scope="https://outlook.office365.com/.default",
            autodiscover="https://autodiscover-s.outlook.com",  # A
            ews_ends=_EWS_ENDS,
            allow_list_in_force=True,
        ),
        Cloud(
            key="gcc",
            title="US Government GCC",
            # GCC lives on the worldwide hosts (A, B); only the tenant's region sub-scope tells it apart.
            login="https://login.microsoftonline.com",  # A, C
            graph="https://graph.microsoft.com",  # A, B
            exchange="https://outlook.office365.com",  # A, F
            graph_scope="https://graph.microsoft.com/.default",
            exchange_scope="https://outlook.office365.com/.default",
            autodiscover="https://autodiscover-s.outlook.com",  # A
            ews_ends=_EWS_ENDS,
            allow_list_in_force=None,
            unknowns=("Microsoft's dates name the worldwide cloud; that GCC follows them is not said.",),
        ),
        Cloud(
            key="gcc-high",
            title="US Government GCC High",
            login="https://login.microsoftonline.us",  # A, C
            graph="https://graph.microsoft.us",  # A, B
            exchange="https://outlook.office365.us",  # A, F
            graph_scope="https://graph.microsoft.us/.default",
            exchange_scope="https://outlook.office365.us/.default",
            autodiscover="https://autodiscover-s.office365.us",  # A
            ews_ends=None,
            allow_list_in_force=None,
            unknowns=(_EWS_SCHEDULE_UNKNOWN, _ALLOW_LIST_UNKNOWN),
        ),
        Cloud(
            key="dod",
            title="US Government DoD",
            login="https://login.microsoftonline.us",  # A, C
            graph="https://dod-graph.microsoft.us",  # A, B
            exchange="https://outlook-dod.office365.us",  # A, F
            graph_scope="https://dod-graph.microsoft.us/.default",
            exchange_scope="https://outlook-dod.office365.us/.default",
            autodiscover="https://autodiscover-s-dod.office365.us",  # A
            ews_ends=None,
            allow_list_in_force=None,
            unknowns=(_EWS_SCHEDULE_UNKNOWN, _ALLOW_LIST_UNKNOWN),
        ),
        Cloud(
            key="china",
            title="China (21Vianet)",
            # A and C's China edition; azure-identity, E and others still say login.chinacloudapi.cn, which G lists as
            # deprecated.
            login="https://login.partner.microsoftonline.cn",
            graph="https://microsoftgraph.chinacloudapi.cn",  # A, B
            exchange="https://partner.outlook.cn",  # A, D; the Admin API page says outlook.office365.cn
            graph_scope="https://microsoftgraph.chinacloudapi.cn/.default",
            exchange_scope="https://partner.outlook.cn/.default",
            autodiscover="https://autodiscover-s.partner.outlook.cn",  # A
            ews_ends=None,
            allow_list_in_force=None,
            unknowns=(
                _EWS_SCHEDULE_UNKNOWN,
                _ALLOW_LIST_UNKNOWN,
                "Which of partner.outlook.cn and outlook.office365.cn serves the admin API is not known.",
            ),
        ),
        Cloud(
            key="bleu",
            title="Bleu (France)",
            login="https://login.sovcloud-identity.fr",  # A, E, G
            graph="https://graph.svc.sovcloud.fr",  # A, E
            exchange="https://outlook.sovcloud.fr",  # A alone
            graph_scope="https://graph.svc.sovcloud.fr/.default",
            exchange_scope="https://outlook.sovcloud.fr/.default",
            autodiscover="https://autodiscover-s.outlook.sovcloud.fr",  # A alone
            ews_ends=None,
            allow_list_in_force=None,
            unknowns=(_EWS_SCHEDULE_UNKNOWN, _ALLOW_LIST_UNKNOWN, _SOVEREIGN_UNVERIFIED),
        ),
        Cloud(
            key="delos",
            title="Delos (Germany)",
            login="https://login.sovcloud-identity.de",  # A, G
            graph="https://graph.svc.sovcloud.de",  # A
            exchange="https://outlook.sovcloud.de",  # A alone
            graph_scope="https://graph.svc.sovcloud.de/.default",
            exchange_scope="https://outlook.sovcloud.de/.default",
            autodiscover="https://autodiscover-s.outlook.sovcloud.de",  # A alone
            ews_ends=None,
            allow_list_in_force=None,
            unknowns=(_EWS_SCHEDULE_UNKNOWN, _ALLOW_LIST_UNKNOWN, _SOVEREIGN_UNVERIFIED),
        ),
    )
}
