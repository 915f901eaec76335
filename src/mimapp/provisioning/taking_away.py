"""What more than one command takes away: a grant of Entra's, and how an access policy would be made again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.errors import NotFoundError

if TYPE_CHECKING:
    from mimapp.exchange import AccessPolicy
    from mimapp.graph import ServicePrincipal
    from mimapp.provisioning.services import Services

__all__ = ["policy_undo", "revoke_grant"]


def revoke_grant(services: Services, principal: ServicePrincipal, grant_id: str) -> bool:
    """Revoke one grant; whether this run did. "Not there" is believed when the list of grants agrees.

    Raises:
        DeadlineError: it is said to be gone and still listed when the time of the run is over.
        ServiceError, TransportError: it could not be revoked.
    """
    grants = services.graph.role_grants

    def ask() -> bool | None:
        if grants.revoke(principal.id, grant_id):
            return True
        try:
            left = grants.held_by(principal.app_id)
        except NotFoundError:
            return False
        return None if any(grant.id == grant_id for grant in left) else False

    return services.http.patience.until("role grant", "said to be gone, and still listed", ask)


def policy_undo(policy: AccessPolicy, group: str) -> str:
    """The command that makes a policy again that was removed."""
    return (
        f"New-ApplicationAccessPolicy -AppId {policy.app_id} -PolicyScopeGroupId {group} "
        f"-AccessRight {policy.access_right} -Description '{policy.description}'"
    )
