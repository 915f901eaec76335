"""What the tests of unregister do with a tenant: run the command, and be the others who work in it."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from support.tenants import MAILBOX, Finished, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mimapp.exchange import Exchange
    from mimapp.graph import Application, Graph

GROUP = "mimapp-mimservice@contoso.onmicrosoft.com"
UNREGISTER = ("unregister", "--mailbox", MAILBOX, "--yes", "--output", "json")
TWO_HOURS = timedelta(hours=2)


@dataclass
class Registered:
    """A place in which `register` has been run."""

    place: Place
    app_id: str = field(init=False)
    object_id: str = field(init=False)

    def __post_init__(self) -> None:
        with self.graph() as graph:
            application = graph.applications.by_unique_name("mimapp-mimservice")
        assert application is not None
        self.app_id, self.object_id = application.app_id, application.id
        self.place.wire.requests.clear()

    @contextmanager
    def graph(self) -> Iterator[Graph]:
        with self.place.connect() as tenant:
            yield tenant._graph

    @contextmanager
    def exchange(self) -> Iterator[Exchange]:
        with self.place.connect() as tenant:
            yield tenant._exchange

    def run(self, *more: str, code: int = 0) -> dict[str, Any]:
        """Run unregister, and give its document; only its own requests are on the wire afterwards."""
        self.place.wire.requests.clear()
        done = self.place.remote(*UNREGISTER, *more)
        assert done.code == code, done.err
        return done.document

    def say(self, *more: str) -> Finished:
        """Run unregister for people."""
        self.place.wire.requests.clear()
        return self.place.remote("unregister", "--mailbox", MAILBOX, *more)

    def later(self, span: timedelta = TWO_HOURS) -> None:
        self.place.clock.advance(span)

    @property
    def writes(self) -> list[str]:
        return [name.replace(self.object_id, "APP") for name in self.place.wire.writes]

    def application(self) -> Application:
        with self.graph() as graph:
            return graph.applications.get(self.object_id)

    def allow_list(self) -> tuple[str, ...]:
        with self.exchange() as exchange:
            listed = exchange.organization.read().allowed_app_ids
        assert isinstance(listed, tuple)
        return listed

    def journal(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(next((self.place.home / "journal").glob("*/mimservice.json")).read_text())
        return state


def steps(document: dict[str, Any]) -> list[str]:
    """What a run wrote."""
    return [change["step"] for change in document["changes"]]


def kept(document: dict[str, Any]) -> dict[str, str]:
    """What stays, by its first words, and why."""
    return {" ".join(one["what"].split()[:3]): one["reason"] for one in document["kept"]}
