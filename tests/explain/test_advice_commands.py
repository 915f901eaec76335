"""Every command that an advice names is there, with every option that stands behind it."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import mimapp
from mimapp.cli.names import TABLE as NAMES
from mimapp.cli.names import Group, commands
from mimapp.cli.parsing import load
from mimapp.host.explain import TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

_ADVICE = re.compile(r"mimapp ([a-z][a-z -]*[a-z])((?:(?:(?!mimapp)[^;:.()])*? --[a-z-]+)*)")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
COMMANDS = {row.path: row for row in commands()}
GROUPS = {row.path for row in NAMES if isinstance(row, Group)}


def named(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each command that a text names, with the options up to the next sign that ends it."""
    for match in _ADVICE.finditer(text):
        words = match[1].split()
        path = next((" ".join(words[:size]) for size in (2, 1) if " ".join(words[:size]) in COMMANDS), words[0])
        yield path, tuple(_OPTION.findall(match[2]))


ADVICE = [
    pytest.param(text, id=f"{row.key} {number}")
    for row in TABLE
    for number, cause in enumerate(row.causes, 1)
    for text in (cause.tell, cause.fix)
    if "mimapp " in text
]


@pytest.mark.parametrize("text", ADVICE)
def test_what_an_explanation_names_is_there(text: str) -> None:
    for path, options in named(text):
        assert path in COMMANDS, f"{path!r} is no command"
        flags = {flag for spec in load(COMMANDS[path]).specs for flag in spec.flags}
        assert set(options) <= flags, f"{path} has no {set(options) - flags}"


def texts_of(tree: ast.AST) -> Iterator[str]:
    """Every text of a module that is no docstring; what an f-string puts in is a word of its own."""
    prose = {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    parts = {part for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "WORD" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and not {node} & (prose | parts):
            yield node.value


def test_the_options_of_every_command_that_the_product_names_are_there() -> None:
    """In hints, remedies, next commands and sheets; a word that is no command is prose."""
    root = Path(mimapp.__file__).parent
    seen: set[str] = set()
    for path in sorted(root.rglob("*.py")):
        if "sandbox" in path.relative_to(root).parts:
            continue
        for text in texts_of(ast.parse(path.read_text(encoding="utf-8"))):
            for name, options in named(text):
                if name not in COMMANDS:
                    assert not options or name in GROUPS, f"{path.name}: mimapp {name} {options}"
                    continue
                seen.add(name)
                flags = {flag for spec in load(COMMANDS[name]).specs for flag in spec.flags}
                assert set(options) <= flags, f"{path.name}: {name} has no {set(options) - flags}"
    assert {"register", "rotate", "handover confirm", "lockdown", "verify", "host check", "retire"} <= seen
