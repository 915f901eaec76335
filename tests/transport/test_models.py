"""Models are learned by one thread: without that, a cold process that reads side by side dies now and then."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

import mimapp
from mimapp.transport import models

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")
SOURCE = Path(mimapp.__file__).parent
SANDBOX = SOURCE / "sandbox"

# Fresh classes again and again, each first read by eight threads at once, as observing a tenant does in a cold process:
# different models in different orders, of which one is in the other, one refers to what comes later, and one to itself.
SCRIPT = """
import sys, threading, types
import msgspec
from mimapp.transport.models import ready
sys.setswitchinterval(1e-6)
source = '''
from __future__ import annotations
from dataclasses import dataclass
from typing import Generic, TypeVar
import msgspec
T = TypeVar("T")
class Outer(msgspec.Struct, kw_only=True):
    x: Inner | None = None
    y: tuple[Inner, ...] | None = None
    z: Outer | None = None
class Inner(msgspec.Struct, kw_only=True):
    a: str | None = None
    b: tuple[str, ...] | None = None
    c: Plain | None = None
@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    n: int = 0
class Page(msgspec.Struct, Generic[T], kw_only=True):
    value: tuple[T, ...]
'''
outer = b'{"x":{"a":"1","b":["q"]},"y":[{"a":"2","c":{"n":3}}],"z":{"x":{"a":"4"}}}'
failed = []
for number in range(100):
    module = types.ModuleType(f"fresh{number}")
    sys.modules[module.__name__] = module
    exec(source, module.__dict__)
    for name in ("Outer", "Inner", "Plain", "Page"):
        getattr(module, name).__module__ = module.__name__
    barrier = threading.Barrier(8)
    tasks = [
        (module.Page[module.Outer], b'{"value":[' + outer + b']}', lambda read: read.value[0].y[0].c.n == 3),
        (module.Page[module.Inner], b'{"value":[{"a":"5"}]}', lambda read: read.value[0].a == "5"),
        (module.Outer, outer, lambda read: read.z.x.a == "4"),
        (module.Inner, b'{"c":{"n":6}}', lambda read: read.c.n == 6),
    ]
    def work(first):
        barrier.wait()
        for model, data, is_right in (*tasks[first:], *tasks[:first]):
            try:
                assert is_right(msgspec.json.decode(data, type=ready(model)))
                assert is_right(msgspec.convert(msgspec.json.decode(data), type=ready(model)))
            except BaseException as error:
                failed.append(repr(error))
    threads = [threading.Thread(target=work, args=(number % 4,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(len(failed), failed[:1])
"""


def test_a_model_may_be_read_first_by_several_threads() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, timeout=120)

    assert (done.returncode, done.stdout.strip()) == (0, "0 []"), done.stderr


def test_a_model_is_learned_once() -> None:
    models.ready(list[int])
    before = len(models._learned)
    models.ready(list[int])

    assert list[int] in models._learned
    assert len(models._learned) == before


class Thing(msgspec.Struct):
    a: int


class Many(msgspec.Struct, Generic[T]):
    value: tuple[T, ...]


def test_of_equal_generic_models_the_one_that_was_learned_is_read_with() -> None:
    """Python forgets which it has made: what msgspec keeps with one is not known of another."""
    first = models.ready(Many[Thing])
    assert all(Many[type(f"Other{number}", (), {})] for number in range(200))  # type: ignore[misc]  # to be forgotten

    assert Many[Thing] is not first
    assert models.ready(Many[Thing]) is first


def calls(path: Path) -> Iterator[tuple[str, ast.Call, bool]]:
    """The calls of msgspec's in a file: by which name, which, and whether it is made on import."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {
        id(node) for function in ast.walk(tree) if isinstance(function, ast.FunctionDef) for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (name := ast.unparse(node.func)).startswith("msgspec."):
            yield name, node, id(node) not in inside


def test_no_model_is_read_that_threads_could_be_the_first_to_read() -> None:
    # The sandbox imports nothing of mimapp: see tests/sandbox/test_sandbox_forms.py.
    paths = [path for path in SOURCE.rglob("*.py") if SANDBOX not in path.parents and path != Path(models.__file__)]
    assert len(paths) > 100
    for path in paths:
        for name, call, on_import in calls(path):
            where = f"{path.name}:{call.lineno}: {ast.unparse(call)}"
            if name == "msgspec.json.Decoder":
                assert on_import, where
            if name in {"msgspec.json.decode", "msgspec.convert"}:
                kinds = [ast.unparse(word.value) for word in call.keywords if word.arg == "type"]
                kinds += [ast.unparse(argument) for argument in call.args[1:]]
                assert all(kind.startswith("ready(") for kind in kinds), where
