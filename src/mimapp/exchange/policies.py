"""Application access policies: which mailboxes an application may reach with its Entra permissions.

https://learn.microsoft.com/powershell/module/exchange/new-applicationaccesspolicy. An unknown ``Identity`` makes
``Get-ApplicationAccessPolicy`` return every policy, so it is never given one: everything is listed, then filtered.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from mimapp.errors import BadReplyError
from mimapp.exchange.invoke import Cmdlet, is_missing

if TYPE_CHECKING:
    from mimapp.exchange.failure import Failure
    from mimapp.exchange.invoke import Admin

__all__ = ["AccessCheck", "AccessPolicies", "AccessPolicy"]

# Microsoft365DSC/Microsoft365DSC issues 687 and 2998: what the list call answers where, it seems, no policy was ever
# made. The words around it follow the service's language, the name of the container does not.
_NEVER_MADE = re.compile(r"OU=[^,']+,\s*OU=Microsoft Exchange Hosted Organizations,[^']*\\\*", re.IGNORECASE)
_VERDICTS = {"granted": True, "true": True, "denied": False, "false": False}


class AccessPolicy(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    r"""A policy as it is listed; what the service did not give is empty or None.

    Attributes:
        identity: ``{tenant}\{appId}:{group SID};{group object id}``, the key to remove it by.
        app_id: the one application that it is about.
        access_right: ``RestrictAccess`` or ``DenyAccess``.
        scope_name: the group's name, which Exchange may have decorated with a time stamp.
        scope_identity_raw: ``{group SID};{group object id in Entra}``.
        is_valid: whether Exchange can still resolve it.
    """

    identity: str = ""
    app_id: str = ""
    access_right: str = ""
    description: str = ""
    scope_name: str = ""
    scope_identity: str = ""
    scope_identity_raw: str = ""
    is_valid: bool | None = None

    @property
    def scope_sid(self) -> str:
        """The security identifier of the group; empty where it is not told."""
        return self._scope[0]

    @property
    def scope_group_object_id(self) -> str:
        """The Entra object id of the group; empty where it is not told [unverified that it is always the second part].

        Compare it with the group's `external_directory_object_id`, without regard to case.
        """
        return self._scope[1]

    @property
    def _scope(self) -> tuple[str, str]:
        raw = self.scope_identity_raw or self.identity.rpartition(":")[2]
        sid, separator, object_id = raw.partition(";")
        return (sid.strip(), object_id.strip()) if separator else ("", "")


class _Check(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    app_id: str = ""
    mailbox: str = ""
    access_check_result: bool | str = ""


class AccessCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What ``Test-ApplicationAccessPolicy`` says of one application and one mailbox.

    Without any policy it says granted too, so a lone "granted" proves nothing, and the service may enforce a change
    an hour after this answer (facts of the page named above).
    """

    app_id: str
    mailbox: str
    granted: bool


class AccessPolicies:
    """Reads, makes, tests and removes application access policies."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin

    def list(self) -> tuple[AccessPolicy, ...]:
        """Every policy of the tenant. A new one may be missing from it for hours (microsoft-graph-docs issue 6260).

        The list call that cannot find the container of the tenant's policies is an empty list; exactly that shape
        [unverified cause], any other "not found" is an error.

        Raises:
            ServiceError: the service refused.
            TransportError: no readable answer.
        """
        cmdlet = Cmdlet(name="Get-ApplicationAccessPolicy", parameters={}, what="the application access policies")
        return self._admin.found(cmdlet, AccessPolicy, excuse=_was_never_made)

    def for_app(self, app_id: str) -> tuple[AccessPolicy, ...]:
        """The policies of one application; errors as `list`."""
        return tuple(policy for policy in self.list() if policy.app_id.casefold() == app_id.casefold())

    def create(
        self,
        app_id: str,
        group_identity: str,
        description: str,
        right: str = "RestrictAccess",
        *,
        fresh: bool = False,
    ) -> AccessPolicy:
        """Make a policy. What a duplicate is answered with is not known: look at `for_app` first.

        Args:
            app_id: the application.
            group_identity: address or id of a mail-enabled security group.
            description: for administrators; counts against the tenant's total size of policies.
            right: ``RestrictAccess`` or ``DenyAccess``.
            fresh: the group was made a moment ago: "not found" means wait.

        Raises:
            NotFoundError: there is no such group.
            ServiceError: the service refused, such as for a scope that is no security principal or for full space.
            ReplyLostError: nobody knows whether it was made: look at `for_app`.
            TransportError: no readable answer.
        """
        cmdlet = Cmdlet(
            name="New-ApplicationAccessPolicy",
            parameters={
                "AppId": [app_id],
                "PolicyScopeGroupId": group_identity,
                "AccessRight": right,
                "Description": description,
            },
            what=f"application {app_id} and group {group_identity}",
            fresh=fresh,
        )
        return self._admin.one(cmdlet, AccessPolicy)

    def remove(self, identity: str) -> bool:
        """Remove a policy by its `identity`; False where it was not there. It may act for another 30 minutes.

        Raises:
            ServiceError: the service refused.
            TransportError: no readable answer.
        """
        cmdlet = Cmdlet(
            name="Remove-ApplicationAccessPolicy",
            parameters={"Identity": identity, "Confirm": False},
            what=f"policy {identity}",
            repeatable=True,
        )
        return self._admin.done(cmdlet, excuse=is_missing)

    def test(self, mailbox: str, app_id: str, *, fresh: bool = False) -> AccessCheck:
        """Ask what the policies say of an application and a mailbox; nothing is sent to the mailbox.

        https://learn.microsoft.com/powershell/module/exchange/test-applicationaccesspolicy

        Args:
            mailbox: its address or id.
            app_id: the application.
            fresh: something it names was made a moment ago: "not found" means wait.

        Raises:
            NotFoundError: there is no such mailbox.
            BadReplyError: the answer is neither granted nor denied.
            ServiceError: the service refused.
            TransportError: no readable answer.
        """
        cmdlet = Cmdlet(
            name="Test-ApplicationAccessPolicy",
            parameters={"Identity": mailbox, "AppId": app_id},
            what=f"application {app_id} and mailbox {mailbox}",
            fresh=fresh,
            mailbox=mailbox,
        )
        check = self._admin.one(cmdlet, _Check)
        granted = _VERDICTS.get(str(check.access_check_result).strip().casefold())
        if granted is None:
            raise BadReplyError(
                f"{cmdlet.name} for {cmdlet.what} said {check.access_check_result!r}, neither granted nor denied"
            )
        return AccessCheck(app_id=check.app_id or app_id, mailbox=check.mailbox or mailbox, granted=granted)


def _was_never_made(failure: Failure) -> bool:
    return failure.is_missing and bool(_NEVER_MADE.search(failure.detail.text))
