"""This machine's memory: secrets begun and not finished, facts with a time, and a record of every write.

The tenant holds what is; the journal holds what this machine did and meant to do, never the text of a secret. Two
kinds of file live under ``MIMAPP_HOME/journal/``:

- ``<tenant>/<registration>.json``: the state of one registration, replaced atomically;
- ``record.jsonl``: one line a write, only ever appended to.

Both are readable by their owner alone. `Journal.lock` keeps a second run on this machine out; it is no lock on the
tenant, where another machine may write at any time. What this machine refuses (a full disk, a missing right) is a
`UsageError` that names the file.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from datetime import date, datetime
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec
from filelock import FileLock, Timeout

from mimapp.clock import plain
from mimapp.errors import DeadlineError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "Evidence",
    "EvidenceKind",
    "HostSeen",
    "Journal",
    "SecretEntry",
    "SecretState",
    "Sighting",
    "State",
    "WriteRecord",
    "write_private",
]

#: intended: about to be asked for. issued: Entra has made it. handed: a store has the value. proven: a token came.
#: wrong: stored, and refused after its window. lost: no reply came, its label is still looked for. retiring: about to
#: be removed, its successor being in use. revoked: gone from Entra, or it never came to be.
SecretState: TypeAlias = Literal["intended", "issued", "handed", "proven", "wrong", "lost", "retiring", "revoked"]
#: hook: a deploy hook succeeded. confirmed: a person said so. result: the MIM server's own result file. report: Graph's
#: sign-in report, where the operator chose to trust it.
EvidenceKind: TypeAlias = Literal["hook", "confirmed", "result", "report"]

#: What Windows needs to append bytes as they are; nothing elsewhere.
_BINARY: Final[int] = getattr(os, "O_BINARY", 0)
#: msgspec passes on what a text that is no UTF-8 raises.
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError)


class SecretEntry(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One secret that this machine began to issue.

    Attributes:
        label: its unique display name in Entra, known before it is asked for.
        state: how far it came.
        application_id: the application's client id.
        begun: when it was first asked for; the replication window counts from here.
        changed: when the state was last changed.
        key_id: Entra's id of it, once known.
        expires: when it ends, once known.
        stores: the stores that have its value.
    """

    label: str
    state: SecretState
    application_id: str
    begun: datetime
    changed: datetime
    key_id: str | None = None
    expires: datetime | None = None
    stores: tuple[str, ...] = ()


class Evidence(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """That MIM uses a secret: what every older one may be taken away for.

    Attributes:
        key_id: the secret in use.
        kind: what shows it.
        when: when it was shown.
        by: who or what says so: an operator, a hook's file name, a server.
        node: the MIM server it was shown for; empty where it is for all of them.
    """

    key_id: str
    kind: EvidenceKind
    when: datetime
    by: str
    node: str = ""


class Sighting(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A day on which Graph's report shows a sign-in with a secret."""

    key_id: str
    day: date


class HostSeen(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What the last `host check` found on one MIM server.

    Attributes:
        server: its name; empty where the input did not tell.
        judged: when it was judged.
        wrong: the titles of the rows that need a person.
        read: when the server was read, where the input tells.
    """

    server: str
    judged: datetime
    wrong: tuple[str, ...] = ()
    read: datetime | None = None


class State(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What this machine knows of one registration.

    Attributes:
        secrets: the secrets that it began to issue.
        since: facts with the moment they became true here.
        evidence: what shows that MIM uses a secret.
        sightings: what Graph's sign-in report showed in earlier runs; it only ever shows the latest sign-in.
        token_days: the days on which mimapp itself asked for a token with one of the secrets.
        hosts: what was last found on each MIM server that was checked against the registration here.
    """

    secrets: tuple[SecretEntry, ...] = ()
    since: dict[str, datetime] = {}
    evidence: tuple[Evidence, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    token_days: tuple[date, ...] = ()
    hosts: tuple[HostSeen, ...] = ()


class WriteRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One write to a tenant, for people who ask later.

    Attributes:
        when: the moment, UTC.
        outcome: begun (nobody knows whether it happened), done, existed (it was there already) or failed.
        tenant: the tenant's GUID.
        registration: the key it belongs to.
        operator: who was signed in.
        action: the step, such as ``application.create``.
        target: the object.
        before: what was there, in words or as a value.
        after: what is there now.
        request_id: the service's id of the request.
        undo: a command that takes it back, where there is one.
        change_ref: the change request it belongs to.
        sandbox: whether the tenant was a simulated one.
    """

    when: datetime
    outcome: Literal["begun", "done", "existed", "failed"]
    tenant: str
    registration: str
    operator: str
    action: str
    target: str
    before: str = ""
    after: str = ""
    request_id: str = ""
    undo: str = ""
    change_ref: str = ""
    sandbox: bool = False


# Made here, by one thread: see mimapp.transport.models.
_STATE = msgspec.json.Decoder(State)
_RECORD = msgspec.json.Decoder(WriteRecord)


class Journal:
    """The journal below one home folder."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "journal"

    @property
    def record_file(self) -> Path:
        """Where the record of writes is."""
        return self._folder / "record.jsonl"

    def state(self, tenant_id: str, key: str) -> State:
        """What is known of a registration; empty when this machine never worked on it.

        Raises:
            UsageError: the file is there and cannot be read.
        """
        path = self._state_file(tenant_id, key)
        try:
            return _STATE.decode(path.read_bytes())
        except FileNotFoundError:
            return State()
        except OSError as error:
            raise _refused(path, "read", error) from error
        except _UNREADABLE as error:
            raise UsageError(
                f"the journal {path} cannot be read: {error}",
                hint="move the file away to go on without it; secrets it knew of are then shown as stored elsewhere",
            ) from error

    def put_secret(self, tenant_id: str, key: str, entry: SecretEntry) -> None:
        """Write down one secret's state, in place of what stood there under the same label.

        Raises:
            UsageError: the journal cannot be read or written; it is then as it was.
        """
        state = self.state(tenant_id, key)
        others = tuple(known for known in state.secrets if known.label != entry.label)
        self._replace(tenant_id, key, msgspec.structs.replace(state, secrets=(*others, entry)))

    def note_since(self, tenant_id: str, key: str, fact: str, moment: datetime | None) -> None:
        """Write down since when a fact holds; None forgets it.

        Raises:
            UsageError: as `put_secret`.
        """
        state = self.state(tenant_id, key)
        since = {name: when for name, when in state.since.items() if name != fact}
        if moment is not None:
            since[fact] = moment
        if since != state.since:
            self._replace(tenant_id, key, msgspec.structs.replace(state, since=since))

    def put_evidence(self, tenant_id: str, key: str, evidence: Evidence) -> None:
        """Write down that MIM uses a secret, in place of what the same kind said for the same node.

        Raises:
            UsageError: as `put_secret`.
        """
        state = self.state(tenant_id, key)
        said = (evidence.key_id, evidence.kind, evidence.node)
        others = tuple(known for known in state.evidence if (known.key_id, known.kind, known.node) != said)
        self._replace(tenant_id, key, msgspec.structs.replace(state, evidence=(*others, evidence)))

    def note_sightings(self, tenant_id: str, key: str, sightings: tuple[Sighting, ...]) -> None:
        """Write down what the sign-in report shows today, beside what it showed before.

        Raises:
            UsageError: as `put_secret`.
        """
        state = self.state(tenant_id, key)
        new = tuple(sighting for sighting in sightings if sighting not in state.sightings)
        if new:
            self._replace(tenant_id, key, msgspec.structs.replace(state, sightings=(*state.sightings, *new)))

    def note_token(self, tenant_id: str, key: str, day: date) -> None:
        """Write down that mimapp asks for a token with a secret of the registration on this day.

        Raises:
            UsageError: as `put_secret`.
        """
        state = self.state(tenant_id, key)
        if day not in state.token_days:
            self._replace(tenant_id, key, msgspec.structs.replace(state, token_days=(*state.token_days, day)))

    def note_host(self, tenant_id: str, key: str, seen: HostSeen) -> None:
        """Write down what was found on a MIM server, in place of what was found there before.

        Raises:
            UsageError: as `put_secret`.
        """
        state = self.state(tenant_id, key)
        others = tuple(known for known in state.hosts if known.server.casefold() != seen.server.casefold())
        self._replace(tenant_id, key, msgspec.structs.replace(state, hosts=(*others, seen)))

    def forget(self, tenant_id: str, key: str) -> None:
        """Remove the state of a registration that is no more; the record of its writes stays.

        Raises:
            UsageError: the file cannot be removed.
        """
        path = self._state_file(tenant_id, key)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise _refused(path, "removed", error) from error

    def record(self, record: WriteRecord) -> None:
        """Append one write to the record; on return it is on the disk.

        Raises:
            UsageError: the record cannot be written.
        """
        try:
            _append(self.record_file, msgspec.json.encode(record, enc_hook=plain) + b"\n")
        except OSError as error:
            raise _refused(self.record_file, "written", error) from error

    def records(self) -> Iterator[WriteRecord]:
        """Every recorded write, oldest first; a line that a crash cut off is passed over.

        Raises:
            UsageError: the record is there and cannot be read.
        """
        try:
            with self.record_file.open("rb") as lines:
                for line in lines:
                    with contextlib.suppress(*_UNREADABLE):
                        yield _RECORD.decode(line)
        except FileNotFoundError:
            return
        except OSError as error:
            raise _refused(self.record_file, "read", error) from error

    @contextlib.contextmanager
    def lock(self, tenant_id: str, key: str) -> Iterator[None]:
        """Keep other runs of this machine away from a registration; it does not wait for them.

        Raises:
            DeadlineError: another run works on it.
            UsageError: the journal's folder cannot be written.
        """
        path = self._state_file(tenant_id, key).with_suffix(".lock")
        lock = FileLock(path, mode=0o600)
        try:
            _make_private_folder(path.parent)
            lock.acquire(blocking=False)
        except Timeout:
            raise DeadlineError(
                f"another mimapp on this machine is working on registration {key!r}",
                hint="wait until it has finished, then run the same command again",
            ) from None
        except OSError as error:
            raise _refused(path, "locked", error) from error
        try:
            yield
        finally:
            lock.release()

    def _state_file(self, tenant_id: str, key: str) -> Path:
        return self._folder / tenant_id / f"{key}.json"

    def _replace(self, tenant_id: str, key: str, state: State) -> None:
        path = self._state_file(tenant_id, key)
        try:
            write_private(path, msgspec.json.format(msgspec.json.encode(state, enc_hook=plain)))
        except OSError as error:
            raise _refused(path, "written", error) from error


def write_private(path: Path, content: bytes) -> None:
    """Replace a file atomically, readable by its owner alone; on return it survives a crash.

    Raises:
        OSError: the folder cannot be made or written, or the disk is full; the former file is then untouched.
    """
    _make_private_folder(path.parent)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(name, path)  # noqa: PTH105 - beside os.open and os.fsync, which pathlib lacks
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)  # noqa: PTH108 - as above
        raise
    _sync_folder(path.parent)


def _append(path: Path, line: bytes) -> None:
    _make_private_folder(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | _BINARY, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        if size:
            os.lseek(descriptor, -1, os.SEEK_END)
            if os.read(descriptor, 1) != b"\n":
                line = b"\n" + line  # a crash cut the last line off: it must not swallow this one
        while line:
            line = line[os.write(descriptor, line) :]  # a disk that fills up takes a part, and refuses the rest
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if not size:
        _sync_folder(path.parent)


def _refused(path: Path, verb: str, error: OSError) -> UsageError:
    return UsageError(
        f"the journal {path} cannot be {verb}: {error.strerror or error}",
        hint="free the disk or correct the rights, or name another place with MIMAPP_HOME",
    )


def _make_private_folder(folder: Path) -> None:
    for missing in [*reversed(folder.parents), folder]:
        if not missing.exists():
            missing.mkdir(mode=0o700, exist_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make a rename durable; Windows has no such call and needs none."""
    if os.name == "nt":  # pragma: no cover - the other branch runs on the machine at hand
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
