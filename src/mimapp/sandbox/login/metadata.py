"""What clients ask before they sign in: the tenant's metadata, the keys, and whether this authority is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mimapp.sandbox.login.residence import Residence
    from mimapp.sandbox.state import Document

__all__ = ["instance_discovery", "openid_configuration"]


def openid_configuration(origin: str, tenant_id: str, residence: Residence) -> Document:
    """The tenant's OpenID metadata, with the members that Entra has beside the standard ones.

    `tenant_region_scope` and `cloud_instance_name` tell which cloud a tenant really lives in.
    """
    base = f"{origin}/{tenant_id}"
    body: Document = {
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "jwks_uri": f"{base}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": f"{base}/v2.0",
        "request_uri_parameter_supported": False,
        "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        "http_logout_supported": True,
        "frontchannel_logout_supported": True,
        "end_session_endpoint": f"{base}/oauth2/v2.0/logout",
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "name", "preferred_username", "tid", "ver"],
        "tenant_region_scope": residence.region,
        "cloud_instance_name": residence.instance,
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": residence.graph_host,
        "rbac_url": "https://pas.windows.net",
    }
    if residence.sub_region is not None:
        body["tenant_region_sub_scope"] = residence.sub_region
    return body


def instance_discovery(origin: str, tenant: str) -> Document:
    """The answer for an authority on this origin: it knows itself and no other."""
    host = origin.partition("://")[2]
    return {
        "tenant_discovery_endpoint": f"{origin}/{tenant}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
    }
