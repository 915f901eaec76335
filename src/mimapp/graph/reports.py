"""Microsoft Graph's reports: when a credential of an application was last used to sign in.

Beta only, and in the global cloud only; no source says how many hours a sign-in takes to appear in it.
https://learn.microsoft.com/graph/api/reportroot-list-appcredentialsigninactivities
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from mimapp.graph.channel import Call, Page, filtered, literal

if TYPE_CHECKING:
    from mimapp.graph.channel import Channel

__all__ = ["CredentialActivity", "Reports", "SignInActivity"]

#: The page's own examples have an offset of one digit (``-8:00``), its description says that times are UTC (``Z``).
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d*)?(?:[Zz]|([+-])(\d\d?):(\d\d))?")


class SignInActivity(Struct, frozen=True, kw_only=True, rename="camel"):
    """When something was last used to sign in, as Graph writes it."""

    last_sign_in_date_time: str | None = None


class CredentialActivity(Struct, frozen=True, kw_only=True, rename="camel"):
    """One credential and its last use; `key_id` is that of the client secret or certificate."""

    app_id: str | None = None
    key_id: str | None = None
    key_type: str | None = None
    credential_origin: str | None = None
    sign_in_activity: SignInActivity | None = None

    @property
    def last_sign_in(self) -> datetime | None:
        """When it was last used; None where Graph does not say, or in no form that is known."""
        text = None if self.sign_in_activity is None else self.sign_in_activity.last_sign_in_date_time
        match = _MOMENT.fullmatch(text or "")
        if match is None:
            return None
        moment, sign, hours, minutes = match.groups()
        offset = "+00:00" if sign is None else f"{sign}{int(hours):02}:{minutes}"
        try:
            return datetime.fromisoformat(moment + offset).astimezone(UTC)
        except (ValueError, OverflowError):
            return None


class Reports:
    """Reads reports; a caller who may not goes on without."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def credential_sign_ins(self, app_id: str) -> tuple[CredentialActivity, ...]:
        """The last use of each credential of an application; one that was never used may be missing.

        Raises:
            DeniedError: the caller may not read it, or the tenant has no licence for it.
            ServiceError: this cloud has no such report.
        """
        call = Call(
            verb="read",
            what=f"the sign-in report of the application {app_id}",
            path=f"/reports/appCredentialSignInActivities{filtered(f'appId eq {literal(app_id)}')}",
            needs="AuditLog.Read.All (a person also needs a role such as Reports Reader)",
            version="/beta",
        )
        return self._channel.many(call, Page[CredentialActivity])
