"""What the options mean: the mailbox, the tenant and the registration."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mimapp.errors import UsageError
from mimapp.spec import Registration, check_address

if TYPE_CHECKING:
    from mimapp.cli.command import Run
    from mimapp.tenant import Tenant

__all__ = ["find_registration", "mailbox_of", "tenant_of"]

_LONGEST_DOMAIN = 253
_TENANT = re.compile(
    r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,}"
)


def mailbox_of(run: Run) -> str:
    """The mailbox that the command is about.

    Raises:
        UsageError: none is named, or what is named is no address.
    """
    if run.options.mailbox is None:
        raise UsageError(
            "which mailbox?", hint="--mailbox ADDRESS, such as --mailbox MIMService@contoso.onmicrosoft.com"
        )
    return check_address(run.options.mailbox, what="mailbox")


def tenant_of(run: Run) -> str:
    """The tenant: the one that is named, else the mailbox's domain.

    Raises:
        UsageError: neither is named, or what is named cannot be one.
    """
    if run.options.tenant is not None:
        return _check_tenant(run.options.tenant.strip())
    if run.options.mailbox is None:
        raise UsageError("which tenant?", hint="--tenant NAME or --mailbox ADDRESS")
    return mailbox_of(run).partition("@")[2]


def _check_tenant(text: str) -> str:
    if len(text) > _LONGEST_DOMAIN or _TENANT.fullmatch(text) is None:
        raise UsageError(
            f"tenant: {text[:60]!r} is neither a domain nor an id",
            hint="such as contoso.onmicrosoft.com, or the tenant id that Entra shows",
        )
    return text


def find_registration(run: Run, tenant: Tenant, *, deleted: bool = False) -> Registration:
    """The registration that is meant: by mailbox, by key, or the only one in the tenant.

    Args:
        run: its options name it.
        tenant: where it is looked for.
        deleted: look in the recycle bin too, where no live one fits.

    Raises:
        UsageError: none, or more than one, could be meant.
    """
    if run.options.mailbox is not None:
        return Registration(
            mailbox=mailbox_of(run), key=run.options.registration or "", change_ref=run.writing.change_ref
        )
    known = tenant.registrations()
    key = run.options.registration
    meant = [marked for marked in known if key in {None, marked.key}]
    if not meant and deleted:
        known = tenant.registrations(deleted=True)
        meant = [marked for marked in known if key in {None, marked.key}]
    if len(meant) == 1:
        return Registration(mailbox=meant[0].mailbox, key=meant[0].key, change_ref=run.writing.change_ref)
    lines = [f"--registration {marked.key}: {marked.mailbox}" for marked in known]
    if not meant:
        named = "" if key is None else f" called {key!r}"
        raise UsageError(
            f"the tenant has no registration of mimapp{named}", hint="name the mailbox with --mailbox", details=lines
        )
    raise UsageError(f"the tenant has {len(meant)} registrations: say which", details=lines)
