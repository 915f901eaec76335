"""Binding a cmdlet's parameters: JSON values in, checked values of the declared kinds out.

Names are matched without regard to case, as PowerShell does (a lower-case cmdlet name was seen to work; parameter names
unverified); aliases are unknown and refused. JSON null is taken as ``$null`` (unverified). What the common parameters
say has no effect here; ``ResultSize`` is ignored (facts/exchange.md 1).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING

from mimapp.sandbox.exchange.errors import bad_parameter, unknown_parameter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Bound", "Change", "Kind", "Parameter", "bind"]

COMMON = frozenset({"confirm", "erroraction", "warningaction", "verbose", "debug", "whatif", "resultsize", "force"})
_HASH_TABLE = "#Exchange.GenericHashTable"


class Kind(Enum):
    """The type of a parameter."""

    TEXT = "System.String"
    TEXTS = "System.String[]"
    FLAG = "System.Boolean"
    GUID = "System.Guid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter that a cmdlet takes; with `choices` only these words, whatever their case."""

    name: str
    kind: Kind = Kind.TEXT
    required: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A value for a multivalued property: a whole new list, or what is added and removed (``@{Add=..; Remove=..}``)."""

    replace: tuple[str, ...] | None = None
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()

    def apply(self, held: Sequence[str]) -> tuple[str, ...]:
        """The list after the change; comparison is without regard to case, order is kept."""
        if self.replace is not None:
            return self.replace
        gone = {text.casefold() for text in self.remove}
        kept = [text for text in held if text.casefold() not in gone]
        present = {text.casefold() for text in kept}
        return (*kept, *(text for text in self.add if text.casefold() not in present))


Value = str | bool | Change | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """The parameters of one call, by their declared names."""

    values: Mapping[str, Value]
    what_if: bool = False

    def has(self, name: str) -> bool:
        """Whether the call gave it, null included."""
        return name in self.values

    def text(self, name: str) -> str:
        """Its text; empty when it was not given or is null."""
        value = self.values.get(name)
        return value if isinstance(value, str) else ""

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Its truth value."""
        value = self.values.get(name)
        return value if isinstance(value, bool) else default

    def change(self, name: str) -> Change:
        """Its list or list change; null empties the list."""
        value = self.values.get(name)
        return value if isinstance(value, Change) else Change(replace=())

    def texts(self, name: str) -> tuple[str, ...]:
        """Its list, for parameters that take no change."""
        return self.change(name).apply(())


def bind(declared: Sequence[Parameter], given: Mapping[str, object]) -> Bound:
    """Check the parameters of a call.

    Raises:
        CmdletError: an unknown name, a missing parameter, or a value of another type.
    """
    by_name = {parameter.name.casefold(): parameter for parameter in declared}
    values: dict[str, Value] = {}
    what_if = False
    for name, value in given.items():
        if name.startswith("@") or "@" in name:
            continue
        folded = name.casefold()
        if folded in COMMON:
            what_if = what_if or (folded == "whatif" and value is True)
            continue
        parameter = by_name.get(folded)
        if parameter is None:
            raise unknown_parameter(name)
        values[parameter.name] = _value(parameter, value)
    missing = [p.name for p in declared if p.required and values.get(p.name) in (None, "", Change(replace=()))]
    if missing:
        raise bad_parameter(
            f"Cannot process command because of one or more missing mandatory parameters: {' '.join(missing)}."
        )
    return Bound(values=MappingProxyType(values), what_if=what_if)


def _value(parameter: Parameter, value: object) -> Value:
    if value is None:
        return None
    if parameter.kind is Kind.FLAG:
        if isinstance(value, bool):
            return value
        raise _unfit(parameter, value)
    if parameter.kind is Kind.TEXTS:
        return _change(parameter, value)
    if not isinstance(value, str):
        raise _unfit(parameter, value)
    if parameter.kind is Kind.GUID:
        return _guid(parameter, value)
    return _choice(parameter, value) if parameter.choices else value


def _change(parameter: Parameter, value: object) -> Change:
    if isinstance(value, dict):
        if value.get("@odata.type") != _HASH_TABLE:
            raise _unfit(parameter, value)
        parts = {str(key).casefold(): _texts(parameter, part) for key, part in value.items() if key != "@odata.type"}
        if not parts.keys() <= {"add", "remove"}:
            raise _unfit(parameter, value)
        return Change(add=parts.get("add", ()), remove=parts.get("remove", ()))
    return Change(replace=_texts(parameter, value))


def _texts(parameter: Parameter, value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    texts = tuple(item for item in items if isinstance(item, str))
    if len(texts) != len(items):
        raise _unfit(parameter, value)
    return tuple(_choice(parameter, text) for text in texts) if parameter.choices else texts


def _choice(parameter: Parameter, value: str) -> str:
    for choice in parameter.choices:
        if choice.casefold() == value.casefold():
            return choice
    raise bad_parameter(
        f"Cannot convert value \"{value}\" to the type of parameter '{parameter.name}'. Specify one of the following "
        f"values and try again: {', '.join(parameter.choices)}.",
    )


def _guid(parameter: Parameter, value: str) -> str:
    try:
        return str(uuid.UUID(value))
    except ValueError:
        raise _unfit(parameter, value) from None


def _unfit(parameter: Parameter, value: object) -> Exception:
    return bad_parameter(
        f"Cannot process argument transformation on parameter '{parameter.name}'. Cannot convert value "
        f'"{value}" to type "{parameter.kind.value}".',
        exception_type="System.Management.Automation.ParameterBindingArgumentTransformationException",
    )
