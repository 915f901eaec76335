"""The Graph client: one attribute a resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.graph.applications import Applications
from mimapp.graph.channel import Channel
from mimapp.graph.credentials import Credentials
from mimapp.graph.delegated_grants import DelegatedGrants
from mimapp.graph.deleted_items import DeletedItems
from mimapp.graph.directory import Directory
from mimapp.graph.policies import Policies
from mimapp.graph.reports import Reports
from mimapp.graph.role_grants import RoleGrants
from mimapp.graph.service_principals import ServicePrincipals

if TYPE_CHECKING:
    from mimapp.clock import Clock
    from mimapp.transport import Sender

__all__ = ["Graph"]


class Graph:
    """Microsoft Graph as far as this product needs it; safe for several threads if its sender is.

    Every method raises `ServiceError` (or one of its kinds) for a refusal, `TransportError` where no reply came that
    can be read, and `SignInError` where no token could be had. ``fresh=True`` means "made by this run or the last
    one": a reply that shows a replica which is behind is then asked again until the run's time is over, and becomes a
    `DeadlineError`.

    Args:
        sender: sends requests with the operator's token.
        base_url: the cloud's Graph host, such as ``https://graph.microsoft.com``.
        clock: the clock of the run.
    """

    applications: Applications
    service_principals: ServicePrincipals
    credentials: Credentials
    role_grants: RoleGrants
    delegated_grants: DelegatedGrants
    directory: Directory
    policies: Policies
    deleted: DeletedItems
    reports: Reports

    def __init__(self, sender: Sender, base_url: str, clock: Clock) -> None:
        channel = Channel(sender, base_url, clock)
        self.applications = Applications(channel)
        self.service_principals = ServicePrincipals(channel)
        self.credentials = Credentials(channel)
        self.role_grants = RoleGrants(channel)
        self.delegated_grants = DelegatedGrants(channel)
        self.directory = Directory(channel)
        self.policies = Policies(channel)
        self.deleted = DeletedItems(channel)
        self.reports = Reports(channel)
