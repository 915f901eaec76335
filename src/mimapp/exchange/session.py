"""What the caller may run: the cmdlets that Exchange would export to this account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mimapp.errors import BadReplyError
from mimapp.exchange.failure import Subject

if TYPE_CHECKING:
    from mimapp.exchange.invoke import Admin

__all__ = ["Session"]

# The module version that asks; the answer's form depends on it (KelvinTegelaar/CIPP-API).
_MODULE_VERSION = "3.9.2"


class _Module(msgspec.Struct, frozen=True, kw_only=True):
    exported: str | list[str] | None = msgspec.field(name="exportedCmdlets", default=None)


class _Modules(msgspec.Struct, frozen=True, kw_only=True):
    value: list[_Module]


# Made here, by one thread: see mimapp.transport.models.
_MODULES = msgspec.json.Decoder(_Modules)


class Session:
    """Questions about the caller."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin

    def cmdlets(self) -> frozenset[str]:
        """The names of the cmdlets that this account may run; an account without Exchange role may have none.

        It asks for the module file as the PowerShell module does on connecting (KelvinTegelaar/CIPP-API); Microsoft
        does not document it.

        Raises:
            ServiceError: the service refused.
            TransportError: no readable answer.
        """
        subject = Subject(cmdlet="EXOModuleFile", what="the cmdlets of this account", repeatable=True)
        content = self._admin.get(
            f"EXOModuleFile?Version={_MODULE_VERSION}", headers={"CommandName": "*"}, subject=subject
        )
        try:
            modules = _MODULES.decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadReplyError(f"what came back for {subject.what} is not Exchange's answer: {error}") from error
        names: list[str] = []
        for module in modules.value:
            exported = module.exported
            names.extend(exported.split(",") if isinstance(exported, str) else exported or [])
        return frozenset(name.strip() for name in names if name.strip())
