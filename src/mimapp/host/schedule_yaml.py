"""YAML as far as schedules need it: nested mappings and lists, every text in double quotes as JSON writes it.

JSON's texts are YAML's double-quoted ones (YAML 1.2, 10.2), so nothing that an operator types changes the document.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

__all__ = ["Node", "dump"]

Node: TypeAlias = "str | int | bool | Mapping[str, Node] | Sequence[Node]"


def dump(node: Mapping[str, Node]) -> str:
    """The document."""
    return "\n".join(_lines(node)) + "\n"


def _lines(node: Node) -> list[str]:
    if isinstance(node, Mapping):
        return [line for name, value in node.items() for line in _entry(f"{_key(name)}:", value)]
    if isinstance(node, Sequence) and not isinstance(node, str):
        return [line for value in node for line in _item(value)]
    return [json.dumps(node, ensure_ascii=False)]


def _entry(head: str, value: Node) -> list[str]:
    if isinstance(value, (str, int)):
        return [f"{head} {_lines(value)[0]}"]
    if not value:
        return [f"{head} {'{}' if isinstance(value, Mapping) else '[]'}"]
    return [head, *(f"  {line}" for line in _lines(value))]


def _item(value: Node) -> list[str]:
    first, *rest = _lines(value)
    return [f"- {first}", *(f"  {line}" for line in rest)]


def _key(name: str) -> str:
    return name if name.replace("-", "").replace("_", "").isalnum() and name != "on" else json.dumps(name)
