"""Generated PowerShell as a syntax tree: parsed by tree-sitter-pwsh, with what the tests read back from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tree_sitter
import tree_sitter_pwsh
from tree_sitter import Node

if TYPE_CHECKING:
    from collections.abc import Iterator

_PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_pwsh.language()))


def parsed(text: str) -> Node:
    """The tree of a script; a syntax error fails the test with its line."""
    root = _PARSER.parse(text.encode("utf-8")).root_node
    for node in walk(root):
        assert not node.is_error, f"line {node.start_point[0] + 1}: does not parse: {source(node)[:80]!r}"
        assert not node.is_missing, f"line {node.start_point[0] + 1}: {node.type} is missing"
    assert not root.has_error
    return root


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, in the order of the text."""
    yield node
    for child in node.children:
        yield from walk(child)


def source(node: Node) -> str:
    """The node's own text."""
    assert node.text is not None
    return node.text.decode("utf-8")


def commands(root: Node) -> list[str]:
    """The names of the commands that a script calls, each once, sorted."""
    names = {source(one.children[0]) for one in walk(root) if one.type == "command" and one.children}
    return sorted(names)


def types(root: Node) -> set[str]:
    """The .NET types that a script names."""
    return {source(one)[1:-1] for one in walk(root) if one.type == "type_literal"}


def functions(root: Node) -> set[str]:
    """The functions that a script defines."""
    return {source(one) for one in walk(root) if one.type == "function_name"}


def literal(node: Node) -> str:
    """The meaning of a single-quoted string."""
    text = source(node)
    assert text[0] == "'"
    assert text[-1] == "'"
    return text[1:-1].replace("''", "'")


def tables(root: Node) -> list[dict[str, str | int]]:
    """Every hashtable whose values are plain literals: strings and whole numbers."""
    found = []
    for node in walk(root):
        if node.type != "hash_literal_body":
            continue
        row: dict[str, str | int] = {}
        for entry in node.children:
            if entry.type != "hash_entry":
                continue
            strings = [one for one in walk(entry.children[2]) if one.type == "verbatim_string_characters"]
            numbers = [one for one in walk(entry.children[2]) if one.type == "decimal_integer_literal"]
            plain = source(entry.children[2])
            if len(strings) == 1 and source(strings[0]) == plain:
                row[source(entry.children[0])] = literal(strings[0])
            elif len(numbers) == 1 and source(numbers[0]) == plain:
                row[source(entry.children[0])] = int(plain)
        found.append(row)
    return found
