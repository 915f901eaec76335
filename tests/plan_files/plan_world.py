"""What the tests of plan files do: write a plan, change the file or the tenant, and apply."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from support.tenants import MAILBOX, Finished, Place

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def write_plan(place: Place, *more: str, command: str = "register") -> Path:
    """A plan in a file; nothing is written to the tenant."""
    path = place.home.parent / "plan.json"
    done = place.remote(command, "--mailbox", MAILBOX, "--plan-out", str(path), *more)
    assert done.code == 0, done.err
    place.wire.requests.clear()
    return path


def apply(place: Place, path: Path, *more: str, **how: Any) -> Finished:
    """Apply a plan unattended; only its own requests are on the wire afterwards."""
    place.wire.requests.clear()
    return place.remote("apply", str(path), "--yes", "--output", "json", *more, **how)


def register(place: Place, *more: str) -> dict[str, Any]:
    done = place.remote("register", "--mailbox", MAILBOX, "--yes", "--output", "json", *more)
    assert done.code in {0, 3}, done.err
    place.wire.requests.clear()
    return done.document


def change(path: Path, alter: Callable[[dict[str, Any]], None]) -> None:
    """Somebody edits the file."""
    document = json.loads(path.read_text())
    alter(document)
    path.write_text(json.dumps(document))


def records(place: Place) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (place.home / "journal" / "record.jsonl").read_text().splitlines()]
