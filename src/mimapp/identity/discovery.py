"""Which tenant is meant, and in which cloud it really lives, read before anybody signs in.

The answer is public: ``{login}/{tenant}/v2.0/.well-known/openid-configuration`` needs no token
(https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc).

What its fields say:

- ``tenant_region_scope`` ``USG`` or ``USGov``: a US government tenant
  (https://learn.microsoft.com/azure/azure-government/documentation-government-plan-identity);
- ``tenant_region_sub_scope`` ``GCC``, ``DODCON`` (GCC High) or ``DOD`` (cisagov/ScubaGear, Power Platform provider);
- ``tenant_region_scope`` ``FG`` (Bleu) or ``GG2`` (Delos) (microsoft/MSCloudLoginAssistant, unit tests);
- ``cloud_instance_name`` ``microsoftonline.com``, ``microsoftonline.us`` or ``partner.microsoftonline.cn``. The
  worldwide host answers for US government tenants as well, so which host answered decides nothing by itself.

None of the last three is documented by Microsoft: fields that contradict each other, or say nothing, leave the cloud
undecided.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from mimapp.clouds import CLOUDS, DEFAULT_CLOUD, Cloud
from mimapp.errors import BadReplyError, SignInError, TransportError, UsageError
from mimapp.identity.aadsts import LoginError
from mimapp.identity.adapters import oauth_error
from mimapp.identity.failures import no_answer
from mimapp.transport import Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mimapp.transport import Http, Reply

__all__ = ["TenantFacts", "detect", "discover"]

_OK = 200
_CLIENT_ERRORS = range(400, 500)
# "Tenant not found", and "lives in another national cloud".
_NOT_FOUND = "90002"
_ELSEWHERE = frozenset({_NOT_FOUND, "90038"})

_BY_SUB_SCOPE = {"gcc": "gcc", "dodcon": "gcc-high", "dod": "dod"}
_BY_SCOPE = {"fg": "bleu", "gg2": "delos"}
_BY_INSTANCE = {
    "microsoftonline.com": frozenset({"global", "gcc"}),
    "microsoftonline.us": frozenset({"gcc-high", "dod"}),
    "partner.microsoftonline.cn": frozenset({"china"}),
    "chinacloudapi.cn": frozenset({"china"}),
    "sovcloud-identity.fr": frozenset({"bleu"}),
    "sovcloud-identity.de": frozenset({"delos"}),
}
_US_GOVERNMENT = frozenset({"usg", "usgov"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantFacts:
    """A tenant as its openid-configuration shows it.

    Attributes:
        tenant_id: the GUID, in lower case.
        cloud_keys: the clouds it can live in; one when decided, several when the document leaves it open.
        region_scope: ``tenant_region_scope``, such as ``EU``; empty where absent.
        region_sub_scope: ``tenant_region_sub_scope``, such as ``GCC``; empty where absent.
        instance: ``cloud_instance_name``; empty where absent.
        documents: the openid-configuration as it came, by its URL: a sign-in library asks for the same one.
    """

    tenant_id: str
    cloud_keys: frozenset[str]
    region_scope: str
    region_sub_scope: str
    instance: str
    documents: Mapping[str, Reply] = field(default_factory=dict, compare=False, repr=False)


def discover(http: Http, cloud: Cloud, tenant: str) -> TenantFacts:
    """Read a tenant's facts and make sure that it lives in the cloud that was chosen.

    Args:
        http: the client of the run.
        cloud: the chosen cloud.
        tenant: the tenant's GUID, or one of its domains.

    Raises:
        SignInError: the tenant lives in another cloud, which the hint names; or in none that is known; or Entra
            refused to say.
        TransportError: Entra gave no readable answer.
    """
    facts = _ask(http, cloud, tenant)
    if facts is not None and cloud.key in facts.cloud_keys:
        return facts
    # Where a host was named instead of a cloud's own, nothing goes to hosts that were not named.
    if facts is not None:
        keys = facts.cloud_keys
    elif cloud.overridden:
        keys = frozenset()
    else:
        keys = frozenset(key for found in _elsewhere(http, cloud, tenant) for key in found.cloud_keys)
    if not keys:
        raise _unknown_tenant(cloud, tenant)
    titles = " or ".join(CLOUDS[key].title for key in _sorted(keys))
    raise SignInError(f"tenant {tenant} lives in {titles}, not in {cloud.title}", hint=_choice(keys))


def detect(http: Http, tenant: str) -> tuple[Cloud, TenantFacts]:
    """The cloud that a tenant lives in, for an operator who named none.

    Raises:
        UsageError: Entra leaves open which cloud it is: the hint names the choice.
        SignInError: the tenant is in no known cloud, or Entra refused to say.
        TransportError: as `discover`.
    """
    worldwide = CLOUDS[DEFAULT_CLOUD]
    facts = _ask(http, worldwide, tenant)
    found = [facts] if facts is not None else _elsewhere(http, worldwide, tenant)
    keys = frozenset(key for one in found for key in one.cloud_keys)
    if not keys:
        raise _unknown_tenant(worldwide, tenant)
    if len(keys) > 1:
        titles = " or ".join(CLOUDS[key].title for key in _sorted(keys))
        raise UsageError(f"tenant {tenant} may live in {titles}: Entra does not say which", hint=_choice(keys))
    (key,) = keys
    return CLOUDS[key], found[0]


def _sorted(keys: frozenset[str]) -> list[str]:
    return [key for key in CLOUDS if key in keys]


def _choice(keys: frozenset[str]) -> str:
    return "choose " + " or ".join(f"--cloud {key}" for key in _sorted(keys))


def _unknown_tenant(cloud: Cloud, tenant: str) -> SignInError:
    return SignInError(
        f"there is no tenant {tenant} in {cloud.title}, nor in another cloud that could be asked",
        hint="check --tenant (a domain of the tenant, or its GUID) and --cloud",
        explain=f"AADSTS{_NOT_FOUND}",
    )


def _ask(http: Http, cloud: Cloud, tenant: str) -> TenantFacts | None:
    """A tenant's facts, or None where the cloud does not have it."""
    request = _request(cloud, tenant)
    reply = http.send(request)
    if reply.status == _OK:
        return _facts(reply, cloud, request.url)
    said = LoginError.of_reply(reply)
    if said.code in _ELSEWHERE:
        return None
    if reply.status not in _CLIENT_ERRORS or not (said.code or oauth_error(reply)):
        raise no_answer(reply, urlsplit(cloud.login).netloc, f"looking up tenant {tenant}")
    raise said.as_sign_in_error(f"looking up tenant {tenant}")


def _elsewhere(http: Http, chosen: Cloud, tenant: str) -> list[TenantFacts]:
    """What other clouds' login hosts say of a tenant that the chosen one does not have."""
    found: list[TenantFacts] = []
    asked = {chosen.login}
    for other in CLOUDS.values():
        if other.login in asked:
            continue
        asked.add(other.login)
        request = _request(other, tenant)
        try:
            reply = http.once(request)
            if reply.status == _OK:
                found.append(_facts(reply, other, request.url))
        except TransportError:
            # Many networks reach one cloud only; the answer is poorer without this one, and stands.
            continue
    return found


def _request(cloud: Cloud, tenant: str) -> Request:
    return Request(
        method="GET",
        url=f"{cloud.authority(quote(tenant, safe=''))}/v2.0/.well-known/openid-configuration",
        what=f"tenant {tenant}",
        repeatable=True,
    )


def _facts(reply: Reply, cloud: Cloud, url: str) -> TenantFacts:
    try:
        body: object = json.loads(reply.content)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise no_answer(reply, urlsplit(cloud.login).netloc, "looking up the tenant")
    fields = {name: value for name, value in body.items() if isinstance(value, str)}
    issuer = urlsplit(fields.get("issuer", ""))
    try:
        tenant_id = str(uuid.UUID(issuer.path.split("/")[1]))
    except (IndexError, ValueError):
        raise BadReplyError(
            f"{cloud.login} sent an openid-configuration whose issuer names no tenant",
            client_request_id=reply.client_request_id,
        ) from None
    return TenantFacts(
        tenant_id=tenant_id,
        cloud_keys=_cloud_keys(fields, cloud),
        region_scope=fields.get("tenant_region_scope", ""),
        region_sub_scope=fields.get("tenant_region_sub_scope", ""),
        instance=fields.get("cloud_instance_name", ""),
        documents={url: reply},
    )


def _cloud_keys(fields: dict[str, str], cloud: Cloud) -> frozenset[str]:
    """The clouds that fit what a document says; the host that answered only counts where the document is silent."""
    scope = fields.get("tenant_region_scope", "").lower()
    sub_scope = fields.get("tenant_region_sub_scope", "").lower()
    if key := _BY_SUB_SCOPE.get(sub_scope) or _BY_SCOPE.get(scope):
        return frozenset({key})
    if scope in _US_GOVERNMENT:
        # Without a sub-scope nothing tells GCC High from DoD; the operator has to know.
        return _BY_INSTANCE["microsoftonline.us"]
    instance = fields.get("cloud_instance_name", "").lower()
    keys = _BY_INSTANCE.get(instance)
    if keys is None:
        same_login = frozenset(key for key, row in CLOUDS.items() if row.login == cloud.login)
        return same_login | {cloud.key}
    # GCC always says so in the sub-scope; a worldwide document without one is a worldwide tenant.
    return keys - {"gcc"} if not sub_scope else keys
