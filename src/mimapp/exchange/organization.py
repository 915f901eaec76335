"""The organisation's EWS settings: the switch, the list of allowed applications, and the User-Agent policy.

https://learn.microsoft.com/powershell/module/exchange/get-organizationconfig and set-organizationconfig, and the
Exchange Team Blog's "Introducing EWSAllowedAppIDs". It reads and writes; what may be written is decided above.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.errors import BadReplyError, UsageError
from mimapp.exchange.allowed_apps import Unknown, parse_allowed_app_ids
from mimapp.exchange.invoke import Cmdlet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mimapp.exchange.invoke import Admin
    from mimapp.exchange.reply import Item

__all__ = ["EwsSettings", "OrganizationSettings"]

_WHAT = "the organisation's EWS settings"
_LIST = "EwsAllowedAppIDs"
_SWITCH = "EwsEnabled"
_SWITCHES = {"true": True, "false": False, "": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class EwsSettings:
    """The settings as they were read.

    Attributes:
        ews_enabled: the organisation's switch; None is Exchange's own third state, Null.
        allowed_app_ids: the list in its order and letter case; `Unknown` where it, or the switch, was not in the
            reply or could not be read. Never write over an unknown list.
        raw: the list's text as it stood, for showing it and for putting it back.
        application_access_policy: the User-Agent policy, ``EnforceAllowList`` or ``EnforceBlockList``; empty: none.
        allow_list: User-Agents of that policy.
        block_list: User-Agents of that policy.
    """

    ews_enabled: bool | None
    allowed_app_ids: tuple[str, ...] | Unknown
    raw: str = ""
    application_access_policy: str = ""
    allow_list: tuple[str, ...] = ()
    block_list: tuple[str, ...] = ()

    def lists(self, app_id: str) -> bool | None:
        """Whether an application is on the list, whatever the letter case; None where the list is unknown."""
        if isinstance(self.allowed_app_ids, Unknown):
            return None
        return app_id.casefold() in {entry.casefold() for entry in self.allowed_app_ids}


class OrganizationSettings:
    """Reads and writes the organisation's EWS settings."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin

    def read(self) -> EwsSettings:
        """The settings, always asked for with the switch without which the list reads as empty.

        No ``$select`` goes with it: a property that is missing means "unknown", and must not be missing because of us.

        Raises:
            ServiceError: the service refused.
            TransportError: no readable answer.
        """
        cmdlet = Cmdlet(
            name="Get-OrganizationConfig", parameters={"RetrieveEwsOperationAccessPolicy": True}, what=_WHAT
        )
        answer = self._admin.items(cmdlet)
        if len(answer) != 1:
            raise BadReplyError(f"Exchange answered {cmdlet.name} with {len(answer)} organisations, where there is one")
        return _settings(answer[0])

    def write_allowed(self, app_ids: str | Sequence[str]) -> None:
        """Replace the whole list. There is no form that adds or removes one, and no check for another's change.

        It is sent once, also when the service is busy: while one waits, somebody may write the list. Read it anew.

        Args:
            app_ids: the ids, or the text of a list as it is to stand.

        Raises:
            UsageError: it is empty, which blocks every application, or holds what is no application id.
            BusyError: the service was busy: nothing was written.
            ServiceError: the service refused.
            ReplyLostError: nobody knows whether it was written: read the list.
            TransportError: no readable answer.
        """
        text = app_ids if isinstance(app_ids, str) else ",".join(app_ids)
        parsed = parse_allowed_app_ids(text)
        if isinstance(parsed, Unknown):
            raise UsageError(f"the EWS list cannot be written: {parsed.reason}")
        if not parsed:
            raise UsageError("the EWS list cannot be written empty: that blocks every application")
        self._admin.done(Cmdlet(name="Set-OrganizationConfig", parameters={_LIST: text}, what=_WHAT, patient=False))

    def enable(self, enabled: bool) -> None:  # noqa: FBT001 - the API says enable(True) and enable(False)
        """Set the organisation's switch; it acts after about an hour.

        Raises:
            ServiceError: the service refused.
            TransportError: no readable answer.
        """
        self._admin.done(
            Cmdlet(name="Set-OrganizationConfig", parameters={_SWITCH: enabled}, what=_WHAT, repeatable=True)
        )


def _settings(item: Item) -> EwsSettings:
    missing = [name for name in (_SWITCH, _LIST) if name not in item]
    apps = (
        Unknown(reason=f"the reply has no {' and no '.join(missing)}")
        if missing
        else parse_allowed_app_ids(item.get(_LIST))
    )
    return EwsSettings(
        ews_enabled=_switch(item.get(_SWITCH)),
        allowed_app_ids=apps,
        raw=_raw(item.get(_LIST)),
        application_access_policy=_raw(item.get("EwsApplicationAccessPolicy")),
        allow_list=_texts(item.get("EwsAllowList")),
        block_list=_texts(item.get("EwsBlockList")),
    )


def _switch(value: object) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    text = str(value).strip().casefold()
    if text not in _SWITCHES:
        raise BadReplyError(f"Exchange gives {_SWITCH} as {value!r}, which is neither true, false nor null")
    return _SWITCHES[text]


def _raw(value: object) -> str:
    if isinstance(value, str):
        return value
    return ",".join(str(entry) for entry in value) if isinstance(value, list) else ""


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,) if value else ()
    return tuple(str(entry) for entry in value) if isinstance(value, list) else ()
