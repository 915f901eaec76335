"""Values of the PowerShell model: case-blind hashtables and objects, errors, enums, and how they show as text."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Value = Any


class PsError(Exception):
    """A terminating error of the script, with the .NET type that a catch clause may name."""

    def __init__(self, message: str, kind: str = "System.Management.Automation.RuntimeException") -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.identifier = kind
        self.pending: list[Value] = []


class Bag:
    """Names without regard to case, in the order in which they came: hashtable and custom object alike."""

    def __init__(self, pairs: Iterable[tuple[str, Value]] = (), *, table: bool = True) -> None:
        self._names: dict[str, str] = {}
        self._values: dict[str, Value] = {}
        self.table = table
        for name, value in pairs:
            self[name] = value

    def __setitem__(self, name: str, value: Value) -> None:
        self._names.setdefault(str(name).lower(), str(name))
        self._values[str(name).lower()] = value

    def __getitem__(self, name: str) -> Value:
        return self._values[str(name).lower()]

    def get(self, name: str) -> Value:
        return self._values.get(name.lower())

    def __contains__(self, name: object) -> bool:
        return str(name).lower() in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._names.values())

    def __len__(self) -> int:
        return len(self._values)

    def items(self) -> list[tuple[str, Value]]:
        return [(name, self._values[low]) for low, name in self._names.items()]


@dataclass(frozen=True)
class Enum:
    """A .NET enum value: its type and name."""

    kind: str
    name: str


@dataclass
class Block:
    """A script block or function: the syntax node it stands for."""

    node: Value
    name: str = ""


@dataclass
class Host:
    """An object of the modelled Windows: methods, properties, settable properties."""

    kind: str
    methods: dict[str, Callable[..., Value]] = field(default_factory=dict)
    properties: dict[str, Callable[[], Value]] = field(default_factory=dict)
    setters: dict[str, Callable[[Value], None]] = field(default_factory=dict)


def shown(value: Value) -> str:  # noqa: PLR0911 - one return a type
    """A value in a string."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, (list, tuple, bytes)):
        return " ".join(shown(one) for one in value)
    if isinstance(value, datetime):
        return value.strftime("%m/%d/%Y %H:%M:%S")
    if isinstance(value, Bag):
        return "System.Collections.Hashtable" if value.table else "@{}"
    if isinstance(value, Host):
        return value.kind
    return str(value)


def truth(value: Value) -> bool:
    """A value as a condition."""
    if isinstance(value, (list, tuple)):
        return truth(value[0]) if len(value) == 1 else bool(value)
    if isinstance(value, (Bag, Host, Enum, datetime, Block)):
        return True
    return bool(value)


def same(one: Value, other: Value) -> bool:
    """The operator -eq on two single values: text without regard to case, the right side takes the left one's type."""
    if isinstance(one, Enum):
        one = one.name
    if isinstance(other, Enum):
        other = other.name
    if one is None or other is None:
        return one is None and other is None
    if isinstance(one, bool) or isinstance(other, bool):
        return truth(one) == truth(other)
    if isinstance(one, str):
        return one.lower() == shown(other).lower()
    if isinstance(one, (int, float)) and isinstance(other, str):
        try:
            return one == float(other)
        except ValueError:
            return False
    return bool(one == other)


def listed(value: Value) -> list[Value]:
    """A value as a pipeline sends it on: collections one by one, nothing for null."""
    if value is None:
        return []
    if isinstance(value, (list, tuple)):
        return list(value)
    if isinstance(value, (bytes, bytearray)):
        return list(value)
    return [value]


def collected(values: list[Value]) -> Value:
    """What a statement's output is when it is assigned: nothing, the one value, or an array."""
    if not values:
        return None
    return values[0] if len(values) == 1 else list(values)
