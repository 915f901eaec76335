"""What a wrong value, a strange tenant or a broken network has to end with: one line, a hint, an exit code.

A `Case` is a row of a table; `check_case` runs it through `cli.main` on a simulated tenant and holds it to its row. In
a row's texts ``{home}`` and ``{files}`` stand for folders of the run, ``…`` for any text, such as an id.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from support.tenants import CONTOSO, MAILBOX, Finished, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

REGISTER = f"register --mailbox {MAILBOX} --yes"
STATUS = f"status --mailbox {MAILBOX}"
OTHER = f"other@{CONTOSO}"
GHOST = f"ghost@{CONTOSO}"
NOBODY = "11111111-2222-3333-4444-555555555555"
#: Secrets and tokens of every kind that a run holds; none of them may be printed.
_SECRET = re.compile(r"eyJ[\w-]{8,}\.[\w-]{8,}|sandbox-[\w-]{20,}|replaced-secret")


def _nothing(_: Place) -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Case:
    """One row.

    Attributes:
        argv: the command line; a text is split as a shell does.
        code: how it ends.
        line: what failed and on what.
        hint: what to do next; empty: there is no such line.
        variables: beside those that name the tenant and the sign-in; an empty value takes one away.
        config: what ``config.toml`` under ``MIMAPP_HOME`` holds.
        prepare: what the tenant, the machine or the network is made to be.
        stdin: what is typed at a terminal; None: there is none.
        writes: whether the tenant may have been changed when it ends.
        as_text: the command cannot answer in JSON, because that is what is wrong.
        details: texts that the further lines have to hold.
    """

    argv: str | tuple[str, ...]
    code: int
    line: str
    hint: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    config: str | bytes | None = None
    prepare: Callable[[Place], None] = _nothing
    stdin: str | None = None
    writes: bool = False
    as_text: bool = False
    details: tuple[str, ...] = ()


def check_case(case: Case, folder: Path, *, silent: bool = False) -> None:
    """Run a row and compare: code, line, hint; no traceback, no secret, no change of the tenant.

    `silent` holds it to having sent nothing at all.
    """
    files = fill(folder / "files")
    place = Place(folder / "home")
    place.home.mkdir(exist_ok=True)
    try:
        if case.config is not None:
            path = place.home / "config.toml"
            path.write_bytes(case.config if isinstance(case.config, bytes) else case.config.encode())
            path.chmod(0o600)
        case.prepare(place)
        place.wire.requests.clear()
        names = {"{home}": str(place.home), "{files}": str(files)}
        given = shlex.split(case.argv) if isinstance(case.argv, str) else case.argv
        argv = [_named(word, names) for word in given]
        if not case.as_text:
            argv += ["--output", "json"]
        done = place.remote(*argv, environ=case.variables, stdin=case.stdin)
        compare(case, done, names)
        assert place.wire.writes == [] or case.writes
        assert place.wire.requests == [] or not silent
        assert not (place.home / "crash.txt").exists()
    finally:
        place.close()


def compare(case: Case, done: Finished, names: Mapping[str, str]) -> None:
    """Hold a finished command to its row."""
    said = done.out + done.err
    assert done.code == case.code, said
    assert "Traceback" not in said
    assert _SECRET.findall(said) == []
    line, hint = _named(case.line, names), _named(case.hint, names)
    if case.as_text:
        assert done.out == ""
        told = done.err.splitlines()
        start = next(number for number, text in enumerate(told) if text.startswith("mimapp: "))
        assert_like(told[start].removeprefix("mimapp: "), line)
        if hint:
            assert_like(told[-1].removeprefix("  "), hint)
        return
    document = done.document
    assert document["schema"] == "mimapp.error/1"
    assert document["exitCode"] == case.code
    assert_like(document["message"], line)
    assert_like(document["hint"] or "", hint)
    # What is typed at the prompt is not in the stream: its line goes on.
    assert any(told.endswith(f"mimapp: {document['message']}") for told in done.err.splitlines())
    for detail in case.details:
        assert any(detail in one for one in document["details"]), document["details"]


def assert_like(text: str, wanted: str) -> None:
    """The texts are the same, where ``…`` is any text."""
    pattern = ".*".join(map(re.escape, wanted.split("…")))
    assert re.fullmatch(pattern, text, re.DOTALL), f"{text!r} is not {wanted!r}"


def fill(folder: Path) -> Path:
    """Files that are not what they should be."""
    folder.mkdir(parents=True)
    (folder / "folder").mkdir()
    (folder / "notes.txt").write_text("precious\n")
    (folder / "empty").write_bytes(b"")
    (folder / "bytes").write_bytes(b"\xff\xfe\x00")
    (folder / "other.json").write_text('{"some": "thing"}')
    return folder


def _named(text: str, names: Mapping[str, str]) -> str:
    for name, value in names.items():
        text = text.replace(name, value)
    return text


class Meddling(httpx.BaseTransport):
    """Answers certain requests itself, or fails them; the rest goes on to the tenant."""

    def __init__(
        self,
        inner: httpx.BaseTransport,
        where: Callable[[httpx.Request], bool],
        answer: Callable[[httpx.Request], httpx.Response],
    ) -> None:
        self._inner, self._where, self._answer = inner, where, answer

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._answer(request) if self._where(request) else self._inner.handle_request(request)


def meddle(
    where: Callable[[httpx.Request], bool], answer: Callable[[httpx.Request], httpx.Response]
) -> Callable[[Place], None]:
    """A network in which certain requests are answered so."""

    def prepare(place: Place) -> None:
        place.wire._inner = Meddling(place.wire._inner, where, answer)

    return prepare


def failing(error: Exception, where: Callable[[httpx.Request], bool] = lambda _: True) -> Callable[[Place], None]:
    """A network in which certain requests fail so."""

    def fail(_: httpx.Request) -> httpx.Response:
        raise error

    return meddle(where, fail)


def reply(
    status: int, body: Any = None, *, text: str | bytes = b"", kind: str = "application/json", **headers: str
) -> Any:
    """A reply: JSON of a body, or a text as it is."""
    content = text if body is None else json.dumps(body)

    def answer(_: httpx.Request) -> httpx.Response:
        named = {"content-type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return httpx.Response(status, content=content, headers=named)

    return answer
