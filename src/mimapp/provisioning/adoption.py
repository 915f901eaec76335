"""Taking over an application that somebody else made: what may be changed on it, and what a fence would take away.

Nothing is changed but what is needed: never the audience, redirect URIs, owners or other permissions. A fence around
an application holds for everything that uses it, so an application with another purpose is not fenced in unasked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.errors import UnsafePlanError
from mimapp.graph import EXCHANGE_ONLINE_APP_ID, FULL_ACCESS_AS_APP, MICROSOFT_GRAPH_APP_ID, USER_READ_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mimapp.graph import Application, DelegatedGrant
    from mimapp.provisioning.observe import EntraView, ExchangeView
    from mimapp.spec import Registration

__all__ = ["USER_READ", "check_adoption", "user_read_grants", "user_read_is_sign_in", "wants_user_read"]

USER_READ = "User.Read"


def check_adoption(wanted: Registration, seen: EntraView, exchange: ExchangeView | None) -> None:
    """Refuse to fence in an application that does something else besides.

    Raises:
        UnsafePlanError: it would lose access elsewhere; the details say to what.
    """
    if not seen.adopting or wanted.restrict_existing:
        return
    losses = list(_losses(seen, exchange))
    if losses:
        raise UnsafePlanError(
            "restricting this application would hit what it does elsewhere",
            hint="--new makes an application for MIM alone; --restrict-existing goes on all the same",
            details=losses,
        )


def user_read_is_sign_in(seen: EntraView) -> bool:
    """Whether User.Read is seen to serve somebody's sign-in: by redirect URIs, or other delegated permissions."""
    application = seen.application
    if application is None:
        return False
    clients = (application.web, application.spa, application.public_client)
    if any(client is not None and client.redirect_uris for client in clients):
        return True
    asked = any(
        access.type == "Scope" and (resource.resource_app_id, access.id) != (MICROSOFT_GRAPH_APP_ID, USER_READ_ID)
        for resource in application.required_resource_access or ()
        for access in resource.resource_access
    )
    return asked or any(scope != USER_READ for grant in seen.delegated or () for scope in grant.scopes)


def wants_user_read(wanted: Registration, seen: EntraView) -> bool:
    """Whether User.Read stays on the application; it does also where its delegated grants may not be read."""
    may_be_sign_in = seen.delegated is None or user_read_is_sign_in(seen)
    return seen.is_adopted and may_be_sign_in and not wanted.remove_user_read


def user_read_grants(wanted: Registration, seen: EntraView) -> tuple[DelegatedGrant, ...]:
    """The delegated grants out of which User.Read is to be taken."""
    if wants_user_read(wanted, seen):
        return ()
    return tuple(grant for grant in seen.delegated or () if USER_READ in grant.scopes)


def _losses(seen: EntraView, exchange: ExchangeView | None) -> Iterator[str]:
    for grant in seen.grants:
        if grant.app_role_id != seen.resource.role_id:
            yield (
                f"application role {grant.app_role_id} on {grant.resource_display_name or grant.resource_id}: "
                "where it reaches mailboxes, it would reach this one only"
            )
    if seen.application is not None:
        yield from _other_mail_permissions(seen.application, seen.resource.role_id)
    for policy in () if exchange is None else exchange.policies:
        scope = policy.scope_name or policy.scope_identity
        yield f"access policy {policy.access_right} on {scope}: the mailboxes in it"
    if len(seen.credentials) > 1:
        for credential in seen.credentials:
            yield f"credential {credential.label or credential.key_id} ({credential.kind}): whoever uses it"


def _other_mail_permissions(application: Application, role_id: str) -> Iterator[str]:
    for resource in application.required_resource_access or ():
        if resource.resource_app_id != EXCHANGE_ONLINE_APP_ID:
            continue
        for access in resource.resource_access:
            if access.type == "Role" and access.id != role_id:
                yield f"asks for application role {access.id} on Exchange Online besides {FULL_ACCESS_AS_APP}"
