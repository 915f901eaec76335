"""What the MIM server is told of a registration, read from its tenant: ids, mailbox, hosts, the secret's dates."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mimapp.clouds import DEFAULT_CLOUD, cloud
from mimapp.errors import UsageError
from mimapp.host.facts import RegistrationFacts

if TYPE_CHECKING:
    from mimapp.checks.status import Status
    from mimapp.cli.command import Run
    from mimapp.credentials.listing import Credential

__all__ = ["cloud_hosts", "registration_facts"]


def cloud_hosts(key: str | None) -> tuple[str, str]:
    """A cloud's own names for sign-in and Exchange, which the MIM server must reach; the worldwide ones without a key.

    Overridden hosts are where mimapp sends its requests; the server's MIM Service goes to the cloud's.

    Raises:
        UsageError: there is no such cloud.
    """
    row = cloud(key or DEFAULT_CLOUD)
    return urlsplit(row.login).netloc, urlsplit(row.exchange).netloc


def registration_facts(run: Run) -> RegistrationFacts:
    """Sign in, find the registration that the options mean, and give what the server has to know of it.

    Raises:
        UsageError: none or several registrations can be meant, or the one that is has no application yet.
        SignInError: the sign-in failed.
    """
    from mimapp.checks.status_next import meant  # noqa: PLC0415 - brings every room
    from mimapp.cli.connect import connect, stores_of  # noqa: PLC0415 - as above
    from mimapp.cli.meant import find_registration, tenant_of  # noqa: PLC0415 - as above

    with connect(run, tenant_of(run)) as tenant:
        wanted = find_registration(run, tenant)
        found = tenant.status(wanted.stored_in(stores_of(run, (), tenant.tenant_id, wanted.key)))
        cloud_key, ews_ends = tenant.cloud.key, tenant.cloud.ews_ends
    if found.application_id is None:
        raise UsageError(
            f"{found.mailbox} is not registered in {found.tenant_name}",
            hint=f"register it first: mimapp register --mailbox {found.mailbox}",
        )
    secret, named_by = _current_secret(found), meant(found)
    return RegistrationFacts(
        application_id=found.application_id,
        tenant_id=found.tenant_id,
        mailbox=found.mailbox,
        cloud_name=cloud_key,
        hosts=cloud_hosts(cloud_key),
        secret_expires=None if secret is None else secret.expires,
        secret_issued=None if secret is None else secret.starts,
        ews_ends=ews_ends,
        secret_command=f"mimapp secret show {named_by}",
        secret_key_id="" if secret is None else secret.key_id,
        named_by=named_by,
        display_name=found.mailbox,
        registration=found.registration,
        sandbox=run.options.sandbox,
    )


def _current_secret(found: Status) -> Credential | None:
    """The secret that mimapp issued last, wherever its value lies."""
    from mimapp.credentials.listing import Owner  # noqa: PLC0415 - as above

    ours = [
        (item.starts, item)
        for item in found.credentials
        if item.kind == "password" and item.owner in {Owner.HERE, Owner.ELSEWHERE} and item.starts is not None
    ]
    return max(ours, key=lambda dated: dated[0])[1] if ours else None
