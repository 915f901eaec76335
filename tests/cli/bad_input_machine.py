"""What a machine has in store: files that are something else, a memory that cannot be read, no room, no right."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cli.bad_input import REGISTER, STATUS, Case
from mimapp.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from support.tenants import Place

#: Runs that never end; each has a home of its own.
_OTHER_RUNS: list[AbstractContextManager[None]] = []
_ELSEWHERE = "give another place with --secret-to file:PATH"
_LEFT = f"it is left as it is: {_ELSEWHERE}"
_ROOM = f"free the place or correct its rights, or {_ELSEWHERE}; then run the same command again"
_AWAY = "move the file away to go on without it; secrets it knew of are then shown as stored elsewhere"
_DISK = "free the disk or correct the rights, or name another place with MIMAPP_HOME"
_COLLECT = "make the script with mimapp host collect, run it on the server, copy its file as it is"
_NO_COLLECTION = "is not what the collecting script writes"
_JOURNAL = "the journal {home}/journal/5a6db0c0-0001-4c0a-8f00-c0de00000001/mimservice.json"
_SECRET = {
    "applicationId": "a",
    "tenantId": "t",
    "clientSecret": "replaced-by-hand",
    "keyId": "k1",
    "expires": "2027-01-01T00:00:00Z",
}


def _held(name: str, content: bytes) -> Callable[[Place], None]:
    """A file under ``MIMAPP_HOME``."""

    def prepare(place: Place) -> None:
        path = place.home / name.format(tenant=place.info.tenant_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o600)

    return prepare


def _folder(name: str) -> Callable[[Place], None]:
    return lambda place: (place.home / name).mkdir(parents=True)


def _journal(content: bytes) -> Callable[[Place], None]:
    return _held("journal/{tenant}/mimservice.json", content)


def _stored(**changes: object) -> Callable[[Place], None]:
    """The one stored secret of this machine, with something else in it."""
    return _held("secrets/t/mimservice.json", json.dumps(_SECRET | changes).encode())


def _locked(place: Place) -> None:
    """Another run works on the registration."""
    lock = Journal(place.home).lock(place.info.tenant_id, "mimservice")
    lock.__enter__()
    _OTHER_RUNS.append(lock)


def _spoiled_sandbox(place: Place) -> None:
    place.sandbox.close()
    (place.home / "sandbox" / "tenants.sqlite3").write_bytes(b"no database" * 100)


def _store(path: str, line: str, hint: str) -> Case:
    return Case(argv=f"{REGISTER} --secret-to file:{path}", code=8, line=f"file:{path} {line}", hint=hint)


STORES = {
    "a folder": _store("{files}/folder", "is no file but a folder or a device", _ELSEWHERE),
    "a device": _store("/dev/null", "is no file but a folder or a device", _ELSEWHERE),
    "notes": _store("{files}/notes.txt", "exists and is not a secret file of mimapp's", _LEFT),
    "another document": _store("{files}/other.json", "exists and is not a secret file of mimapp's", _LEFT),
    "bytes": _store("{files}/bytes", "exists and is not a secret file of mimapp's", _LEFT),
    "below a file": _store("{files}/notes.txt/secret.json", "cannot be written: Not a directory", _ROOM),
    "a name of 300": _store("{files}/" + "n" * 300, "cannot be …: File name too long", "…"),
    "a pipe": Case(
        argv=f"{REGISTER} --secret-to stdout",
        code=8,
        line="stdout is no terminal: the secret would land in a pipe or a log",
        hint="use --secret-to file:PATH, …",
        as_text=True,
    ),
    "a file where secrets are kept": Case(
        argv=REGISTER,
        prepare=_held("secrets", b"x"),
        code=8,
        line="file:{home}/secrets/… cannot be written: Not a directory",
        hint=_ROOM,
    ),
}

STORED = {
    "nothing": Case(
        argv="secret show",
        code=8,
        line="no secret is stored in …",
        hint="name its store with --secret-from, or register first",
    ),
    "nothing in a named file": Case(
        argv="secret show --secret-from file:{files}/nothing",
        code=8,
        line="no secret is stored in file:{files}/nothing",
        hint="name its store with --secret-from, or register first",
    ),
    "notes": Case(
        argv="secret show --secret-from file:{files}/notes.txt",
        code=8,
        line="file:{files}/notes.txt exists and is not a secret file of mimapp's",
        hint=_LEFT,
    ),
    "a store that gives nothing back": Case(
        argv="secret show --secret-from stdout",
        code=2,
        line="--secret-from stdout: nothing can be read back from there",
    ),
    "a store that is none": Case(
        argv="secret show --secret-from vault:x",
        code=2,
        line="secret store 'vault:x' is not known",
        hint="one of file:PATH, …",
    ),
    "no date": Case(
        argv="secret show",
        prepare=_stored(expires="soon"),
        code=8,
        line="file:{home}/secrets/t/mimservice.json exists and is not a secret file of mimapp's",
        hint=_LEFT,
    ),
    "a key that climbs": Case(
        argv="secret show",
        prepare=_stored(keyId="../x"),
        code=8,
        line="file:{home}/secrets/t/mimservice.json exists and is not a secret file of mimapp's",
        hint=_LEFT,
    ),
    "a simulated tenant's": Case(
        argv="secret show",
        prepare=_stored(sandbox=True),
        code=2,
        line="this secret is a simulated tenant's",
        hint="add --sandbox to see it",
    ),
}

MEMORY = {
    "half a journal": Case(
        argv=REGISTER,
        prepare=_journal(b"{"),
        code=2,
        line=f"{_JOURNAL} cannot be read: Input data was truncated",
        hint=_AWAY,
    ),
    "another journal": Case(
        argv=REGISTER,
        prepare=_journal(b"[]"),
        code=2,
        line=f"{_JOURNAL} cannot be read: Expected `object`, got `array`",
        hint=_AWAY,
    ),
    "a journal of bytes": Case(
        argv=REGISTER, prepare=_journal(b"\xff"), code=2, line=f"{_JOURNAL} cannot be read: …", hint=_AWAY
    ),
    "a file where the journal is kept": Case(
        argv=REGISTER,
        prepare=_held("journal", b"x"),
        code=2,
        line=f"{_JOURNAL} cannot be read: Not a directory",
        hint=_DISK,
    ),
    "a folder for the record": Case(
        argv=REGISTER,
        prepare=_folder("journal/record.jsonl"),
        code=2,
        line="the journal {home}/journal/record.jsonl cannot be written: Is a directory",
        hint=_DISK,
    ),
    "a folder for the record, read": Case(
        argv="log",
        prepare=_folder("journal/record.jsonl"),
        code=2,
        line="the journal {home}/journal/record.jsonl cannot be read: Is a directory",
        hint=_DISK,
    ),
    "another run": Case(
        argv=REGISTER,
        prepare=_locked,
        code=75,
        line="another mimapp on this machine is working on registration 'mimservice'",
        hint="wait until it has finished, then run the same command again",
    ),
    "a sandbox that is none": Case(
        argv=f"{STATUS} --sandbox",
        variables={"MIMAPP_LOGIN_URL": "", "MIMAPP_GRAPH_URL": "", "MIMAPP_EXCHANGE_URL": ""},
        prepare=_spoiled_sandbox,
        code=2,
        line="{home}/sandbox/tenants.sqlite3 is not a sandbox: file is not a database",
        hint="move the file away to begin with a fresh simulated tenant",
    ),
}


def _file(option: str, name: str, line: str, hint: str = "") -> Case:
    return Case(argv=f"{option} {{files}}/{name}", code=2, line=line, hint=hint)


def _collected(name: str, line: str, hint: str = "") -> Case:
    return Case(argv=f"host check {{files}}/{name}", code=9, line=f"{{files}}/{name} {line}", hint=hint)


_SIGN_IN = f"{REGISTER} --client-secret-file"

FILES = {
    "no file of the sign-in's secret": _file(
        _SIGN_IN, "none", "--client-secret-file {files}/none cannot be read: No such file or directory"
    ),
    "a folder of the sign-in's secret": _file(
        _SIGN_IN, "folder", "--client-secret-file {files}/folder cannot be read: Is a directory"
    ),
    "bytes as the sign-in's secret": _file(
        _SIGN_IN, "bytes", "--client-secret-file {files}/bytes cannot be read: it is not text"
    ),
    "nothing as the sign-in's secret": _file(_SIGN_IN, "empty", "--client-secret-file {files}/empty is empty"),
    "a plan in place of a folder": _file(
        f"{REGISTER} --plan-out", "folder", "--plan-out {files}/folder cannot be written: Is a directory"
    ),
    "a plan below a file": _file(
        f"{REGISTER} --dry-run --plan-out",
        "notes.txt/plan.json",
        "--plan-out {files}/notes.txt/plan.json cannot be written: Not a directory",
    ),
    "no plan": _file("apply --yes", "none.json", "{files}/none.json cannot be read: No such file or directory"),
    "notes for a plan": _file(
        "apply --yes",
        "notes.txt",
        "{files}/notes.txt is no JSON document: JSON is malformed: …",
        "make one with --plan-out FILE",
    ),
    "another document for a plan": _file(
        "apply --yes",
        "other.json",
        '{files}/other.json is no plan: its schema is "", not mimapp.plan/1',
        "make one with --plan-out FILE",
    ),
    "nothing for a plan": _file(
        "apply --yes",
        "empty",
        "{files}/empty is no JSON document: Input data was truncated",
        "make one with --plan-out FILE",
    ),
    "a script in place of a folder": _file(
        "host tls --out", "folder", "--out {files}/folder cannot be written: Is a directory"
    ),
    "a script in no folder": _file(
        "host collect --out",
        "none/collect.ps1",
        "--out {files}/none/collect.ps1 cannot be written: No such file or directory",
    ),
    "a script below a file": _file(
        "host secret-script --account regular --accept-unsupported --out",
        "notes.txt/x.ps1",
        "--out {files}/notes.txt/x.ps1 cannot be written: Not a directory",
    ),
    "no weather": _file(
        "sandbox serve --weather", "none.toml", "{files}/none.toml cannot be read: No such file or directory"
    ),
    "notes for weather": _file("sandbox serve --weather", "notes.txt", "{files}/notes.txt is not TOML: …"),
    "nothing collected": Case(
        argv="host check", code=9, line="nothing to check", hint="give a collected file, .reg exports, or --local"
    ),
    "a registry elsewhere": Case(
        argv="host check --local",
        code=9,
        line="--local reads the registry of a Windows server, and this is not one",
        hint="collect on the server (mimapp host collect), or export with reg export, and give the file",
    ),
    "no collected file": _collected("none", "cannot be read: No such file or directory"),
    "a collected folder": _collected("folder", "cannot be read: Is a directory"),
    "collected notes": _collected("notes.txt", f"{_NO_COLLECTION}: not JSON, or cut off", _COLLECT),
    "a collected nothing": _collected("empty", f"{_NO_COLLECTION}: not JSON, or cut off", _COLLECT),
    "collected bytes": _collected("bytes", f"{_NO_COLLECTION}: not JSON, or cut off", _COLLECT),
    "another collected document": _collected("other.json", f"{_NO_COLLECTION}: …", _COLLECT),
    "two collected files": Case(
        argv="host check {files}/other.json {files}/other.json",
        code=9,
        line="a collected file stands alone: it has all that a .reg export has",
    ),
}

CASES = {
    f"{group}: {name}": case
    for group, table in {"store": STORES, "stored": STORED, "memory": MEMORY, "file": FILES}.items()
    for name, case in table.items()
}
