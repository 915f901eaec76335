"""Models are learned by one thread: without that, a cold process that reads side by side dies now and then."""

from __future__ import annotations

import subprocess
import sys

from mimapp.transport import models

# Fresh classes again and again, each first read by six threads at once, as observing a tenant does in a cold process.
SCRIPT = """
import sys, threading, types
import msgspec
from mimapp.transport.models import ready
sys.setswitchinterval(1e-6)
source = '''
from __future__ import annotations
from typing import Generic, TypeVar
import msgspec
T = TypeVar("T")
class Inner(msgspec.Struct, kw_only=True):
    a: str | None = None
    b: tuple[str, ...] | None = None
class Outer(msgspec.Struct, kw_only=True):
    x: Inner | None = None
    y: tuple[Inner, ...] | None = None
class Page(msgspec.Struct, Generic[T], kw_only=True):
    value: tuple[T, ...]
'''
data = b'{"value":[{"x":{"a":"1","b":["q"]},"y":[{"a":"2"}]}]}'
failed = []
for number in range(150):
    module = types.ModuleType(f"fresh{number}")
    sys.modules[module.__name__] = module
    exec(source, module.__dict__)
    for name in ("Inner", "Outer", "Page"):
        getattr(module, name).__module__ = module.__name__
    barrier = threading.Barrier(6)
    def read():
        barrier.wait()
        try:
            ready(module.Page[module.Outer])
            page = msgspec.json.decode(data, type=module.Page[module.Outer])
            assert page.value[0].y[0].a == "2"
        except BaseException as error:
            failed.append(repr(error))
    threads = [threading.Thread(target=read) for _ in range(6)]
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
