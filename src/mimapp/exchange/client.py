"""The Exchange admin client: its resources, over one sender."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.exchange.groups import Groups
from mimapp.exchange.invoke import Admin
from mimapp.exchange.mailboxes import Mailboxes
from mimapp.exchange.organization import OrganizationSettings
from mimapp.exchange.policies import AccessPolicies
from mimapp.exchange.rbac import Rbac
from mimapp.exchange.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from mimapp.clock import Clock
    from mimapp.exchange.invoke import CmdletWarning
    from mimapp.transport import Sender

__all__ = ["Exchange"]


class Exchange:
    """Exchange Online administration for one tenant; safe for several threads where its sender is.

    Args:
        sender: sends with the administrator's token; it adds ``Authorization``.
        base_url: the Exchange host, such as ``https://outlook.office365.com``.
        tenant_id: the tenant's GUID, the token's ``tid``.
        anchor: the value of ``X-AnchorMailbox``, from `anchor_for_user` or `anchor_for_app`.
        clock: for ``Retry-After`` as a date.
        on_warning: told of every warning that Exchange adds to a success.
    """

    def __init__(
        self,
        sender: Sender,
        base_url: str,
        tenant_id: str,
        *,
        anchor: str,
        clock: Clock,
        on_warning: Callable[[CmdletWarning], None] | None = None,
    ) -> None:
        admin = Admin(sender, base_url, tenant_id, anchor=anchor, clock=clock, on_warning=on_warning)
        self.mailboxes = Mailboxes(admin)
        self.groups = Groups(admin)
        self.access_policies = AccessPolicies(admin)
        self.organization = OrganizationSettings(admin)
        self.rbac = Rbac(admin)
        self.session = Session(admin)
