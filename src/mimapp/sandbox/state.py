"""What the simulated tenants hold: JSON documents in one SQLite file, safe for several processes and threads.

A document is keyed by (tenant, kind, id). Every request runs in one transaction, so a process that is killed in the
middle leaves nothing half done. Moments are the sandbox clock's, as seconds since 1970.

Replication is kept here, because it is about what a reader sees: every write says from when the first replica knows it
(*visible*) and from when all do (*settled*). A transaction reads either the truth (`get`, `find`), as the service does
when it checks its own rules, or what the replica that answers this request knows (`seen`, `seen_all`), as a caller
does. Without weather both are the same.

    with state.transaction() as tx:
        tx.put(tenant_id, "exo.group", group_id, {"Name": "MIM"})
        for record in tx.seen_all(tenant_id, "exo.group", Name="MIM"):
            ...

`find` and `seen_all` compare members of the document with the values given, text without regard to case.
This module knows no service and no shape of any document.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from mimapp.sandbox.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mimapp.sandbox.clock import Clock

__all__ = ["Calm", "Delay", "Document", "Lag", "Record", "State", "Transaction"]

Document = dict[str, Any]
"""A JSON object as a service stores it; its shape is known to the service alone."""

SCHEMA_VERSION = 1
_BUSY_SECONDS = 30.0
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS document (
    tenant TEXT NOT NULL COLLATE NOCASE,
    kind TEXT NOT NULL,
    id TEXT NOT NULL COLLATE NOCASE,
    body TEXT,                 -- NULL: gone for good, kept until every replica knows
    created REAL NOT NULL,
    modified REAL NOT NULL,
    deleted REAL,              -- the moment of a soft delete
    visible REAL NOT NULL,
    settled REAL NOT NULL,
    trail TEXT,                -- JSON list of the versions that some replica may still show, oldest first
    PRIMARY KEY (tenant, kind, id)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """How long a write travels: seconds until the first replica knows it, and until the last one does."""

    first: float = 0.0
    last: float = 0.0


class Lag(Protocol):
    """Who decides how long writes travel and which replica answers."""

    def delay(self, kind: str) -> Delay:
        """The delay of one write to a document of this kind."""
        ...

    def replica(self) -> float:
        """The replica that answers one request: 0 is the first to know everything, 1 the last."""
        ...


class Calm:
    """No lag: every replica knows every write at once."""

    def delay(self, kind: str) -> Delay:  # noqa: ARG002 - the protocol's form
        """Nothing travels."""
        return Delay()

    def replica(self) -> float:
        """All replicas are alike."""
        return 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One document with its moments (seconds since 1970). `deleted` is set while it is soft-deleted."""

    tenant: str
    kind: str
    id: str
    body: Document
    created: float
    modified: float
    deleted: float | None = None


class State:
    """The documents of all simulated tenants.

    Args:
        path: the SQLite file; its folder is made with access for its owner only.
        clock: the source of every moment.
        lag: who decides about replication; none means that there is none.
    """

    def __init__(self, path: Path, *, clock: Clock, lag: Lag | None = None) -> None:
        self.path = path
        self.clock = clock
        self.lag = lag or Calm()
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.chmod(0o700)
        self._prepare()

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[Transaction]:
        """One request's work: committed when the block ends, rolled back when it raises.

        Args:
            write: take the write lock at once, so that what was read still holds when it is written.
        """
        connection = self._connection()
        connection.execute("BEGIN IMMEDIATE" if write else "BEGIN DEFERRED")
        try:
            yield Transaction(connection, now=self.clock.now().timestamp(), lag=self.lag)
        except BaseException:
            connection.rollback()
            raise
        connection.commit()

    def close(self) -> None:
        """Close every connection; the state may be used again afterwards."""
        with self._guard:
            connections, self._connections = self._connections, []
            self._local = threading.local()
        for connection in connections:
            connection.close()

    def _connection(self) -> sqlite3.Connection:
        held: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if held is None:
            held = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            # What a killed process wrote stays; only a power cut could lose it, which no sandbox outlives.
            held.execute("PRAGMA synchronous = OFF")
            self._local.connection = held
            with self._guard:
                self._connections.append(held)
        return held

    def _prepare(self) -> None:
        existed = self.path.exists()
        if not existed:
            # Made with its final mode before SQLite opens it: it holds the secrets of the simulated applications.
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        try:
            connection = self._connection()
            connection.execute("PRAGMA journal_mode = WAL")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, SCHEMA_VERSION):
                raise SandboxError(f"{self.path} is of form {version}, this version writes form {SCHEMA_VERSION}")
            if version == 0:
                connection.execute(_SCHEMA)
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        except sqlite3.DatabaseError as error:
            raise SandboxError(f"{self.path} is not a sandbox: {error}") from error


_COLUMNS = "tenant, kind, id, body, created, modified, deleted, visible, settled, trail"


class Transaction:
    """Reads and writes of one request; made by `State.transaction` only.

    Attributes:
        now: the moment of the request, the same for everything it does.
    """

    def __init__(self, connection: sqlite3.Connection, *, now: float, lag: Lag) -> None:
        self._connection = connection
        self._lag = lag
        self._replica: float | None = None
        self.now = now

    # The truth

    def get(self, tenant: str, kind: str, id_: str, *, deleted: bool = False) -> Record | None:
        """The document as it is; with `deleted` the soft-deleted one, without it only one that lives."""
        row = self._row(tenant, kind, id_)
        return None if row is None else _alive(_record(row), deleted=deleted)

    def find(
        self,
        tenant: str,
        kind: str,
        *,
        deleted: bool = False,
        where: Mapping[str, str | bool] | None = None,
        **members: str | bool,
    ) -> list[Record]:
        """The documents whose members have these values, in the order they were made.

        `where` is for members whose name is not known before.
        """
        wanted = {**(where or {}), **members}
        return [
            record
            for row in self._rows(tenant, kind, wanted)
            if (record := _alive(_record(row), deleted=deleted)) and _has(record.body, wanted)
        ]

    # What the replica that answers this request knows

    def seen(self, tenant: str, kind: str, id_: str, *, deleted: bool = False) -> Record | None:
        """The document as this request's replica knows it."""
        row = self._row(tenant, kind, id_)
        return None if row is None else _alive(self._as_seen(row), deleted=deleted)

    def seen_all(
        self,
        tenant: str,
        kind: str,
        *,
        deleted: bool = False,
        where: Mapping[str, str | bool] | None = None,
        **members: str | bool,
    ) -> list[Record]:
        """The documents with these members, as this request's replica knows them, in the order they were made."""
        wanted = {**(where or {}), **members}
        return [
            record
            for row in self._rows(tenant, kind, wanted)
            if (record := _alive(self._as_seen(row), deleted=deleted)) and _has(record.body, wanted)
        ]

    # Writing

    def put(
        self, tenant: str, kind: str, id_: str, body: Document, *, deleted: float | None = None, settled: bool = False
    ) -> Record:
        """Write a document, new or changed.

        Args:
            tenant: the tenant's id.
            kind: the kind of document.
            id_: its id within the kind.
            body: the whole document; nothing of an older one is kept.
            deleted: the moment of its soft delete; None makes it live.
            settled: every replica knows it at once, whatever the lag (seeding).
        """
        return self._write(tenant, kind, id_, body, deleted, settled=settled)

    def delete(self, tenant: str, kind: str, id_: str) -> bool:
        """Remove a document for good; whether there was one."""
        if self.get(tenant, kind, id_) is None and self.get(tenant, kind, id_, deleted=True) is None:
            return False
        self._write(tenant, kind, id_, None, None)
        return True

    def clear(self, tenant: str) -> None:
        """Remove everything of a tenant, at once and on every replica."""
        self._connection.execute("DELETE FROM document WHERE tenant = ?", (tenant,))

    def tenants(self) -> list[str]:
        """The ids under which anything is kept."""
        return [row[0] for row in self._connection.execute("SELECT DISTINCT tenant FROM document ORDER BY tenant")]

    # How it is kept

    def _row(self, tenant: str, kind: str, id_: str) -> tuple[Any, ...] | None:
        found: tuple[Any, ...] | None = self._connection.execute(
            f"SELECT {_COLUMNS} FROM document WHERE tenant = ? AND kind = ? AND id = ?",  # noqa: S608 - a constant
            (tenant, kind, id_),
        ).fetchone()
        return found

    def _rows(self, tenant: str, kind: str, wanted: dict[str, str | bool]) -> list[tuple[Any, ...]]:
        """The rows that may have these members: SQLite looks for the ids among them, so that few bodies are read."""
        ids = [value.lower() for value in wanted.values() if isinstance(value, str) and _GUID.fullmatch(value)]
        narrowed = " AND (trail IS NOT NULL OR instr(lower(body), ?) > 0)" * len(ids)
        return self._connection.execute(
            f"SELECT {_COLUMNS} FROM document WHERE tenant = ? AND kind = ?{narrowed} ORDER BY created, id",  # noqa: S608 - constants
            (tenant, kind, *ids),
        ).fetchall()

    def _as_seen(self, row: tuple[Any, ...]) -> Record | None:
        *_, visible, settled, trail = row
        if settled <= self.now or self._knows(visible, settled):
            return _record(row)
        for version in reversed(json.loads(trail or "[]")):
            if self._knows(version["visible"], version["settled"]):
                return _record((*row[:3], version["body"], row[4], version["modified"], version["deleted"]))
        return None

    def _knows(self, visible: float, settled: float) -> bool:
        if self._replica is None:
            self._replica = self._lag.replica()
        return visible + (settled - visible) * self._replica <= self.now

    def _write(
        self, tenant: str, kind: str, id_: str, body: Document | None, deleted: float | None, *, settled: bool = False
    ) -> Record:
        row = self._row(tenant, kind, id_)
        delay = Delay() if settled else self._lag.delay(kind)
        trail = self._trail(row) if delay.last > 0 else []
        text = None if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        if body is None and delay.last <= 0:
            self._connection.execute(
                "DELETE FROM document WHERE tenant = ? AND kind = ? AND id = ?", (tenant, kind, id_)
            )
        else:
            created = self.now if row is None or row[3] is None else row[4]
            kept = json.dumps(trail) if trail else None
            self._connection.execute(
                f"INSERT OR REPLACE INTO document ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - a constant
                (
                    *(tenant, kind, id_, text, created, self.now, deleted),
                    *(self.now + delay.first, self.now + delay.last, kept),
                ),
            )
        created = self.now if row is None else row[4]
        return Record(
            tenant=tenant, kind=kind, id=id_, body=body or {}, created=created, modified=self.now, deleted=deleted
        )

    def _trail(self, row: tuple[Any, ...] | None) -> list[Document]:
        """The older versions that a replica may still show once this row is written over."""
        if row is None:
            return []
        names = ("body", "modified", "deleted", "visible", "settled")
        current = dict(zip(names, (row[3], *row[5:9]), strict=True))
        versions: list[Document] = [*json.loads(row[9] or "[]"), current]
        settled = [index for index, version in enumerate(versions) if version["settled"] <= self.now]
        return versions[settled[-1] :] if settled else versions


def _record(row: tuple[Any, ...]) -> Record | None:
    tenant, kind, id_, body, created, modified, deleted = row[:7]
    if body is None:
        return None
    return Record(
        tenant=tenant,
        kind=kind,
        id=id_,
        body=json.loads(body),
        created=created,
        modified=modified,
        deleted=deleted,
    )


def _alive(record: Record | None, *, deleted: bool) -> Record | None:
    return record if record is not None and (record.deleted is not None) == deleted else None


def _has(body: Document, members: dict[str, str | bool]) -> bool:
    return all(_same(body.get(name), value) for name, value in members.items())


def _same(held: object, wanted: str | bool) -> bool:  # noqa: FBT001 - any JSON value of a member
    if isinstance(held, str) and isinstance(wanted, str):
        return held.casefold() == wanted.casefold()
    return held == wanted
