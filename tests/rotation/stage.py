"""What the tests of rotation ask of a simulated tenant: run commands, look at its secrets, try them, write hooks."""

from __future__ import annotations

import json
import sys
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from mimapp.clock import iso
from mimapp.identity import AppSignIn, AppToken
from mimapp.journal import Journal
from mimapp.secret import Secret
from mimapp.transport import Http, Patience
from support.tenants import MAILBOX

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    import httpx

    from mimapp.journal import State
    from support.tenants import Finished, Place

DAY = timedelta(days=1)
KEY = "mimservice"


def is_proof(request: httpx.Request) -> bool:
    """Whether the application itself asks for a token; the operator's asking goes to Graph."""
    return request.url.path.endswith("/token") and b"outlook.office365.com" in request.content


@dataclass
class Stage:
    """One machine on one tenant."""

    place: Place

    def register(self, *more: str) -> dict[str, Any]:
        done = self.place.remote("register", "--mailbox", MAILBOX, "--yes", "--output", "json", *more)
        assert done.code == 0, done.err
        self.place.clock.advance(timedelta(minutes=1))
        return done.document

    def run(self, *argv: str, code: int | None = 0) -> Finished:
        done = self.place.remote(*argv, "--mailbox", MAILBOX)
        assert code is None or done.code == code, f"{done.code}\n{done.out}\n{done.err}"
        return done

    def rotate(self, *more: str, code: int | None = 0) -> dict[str, Any]:
        """A rotation that asks nobody; its document."""
        return self.run("rotate", "--yes", "--output", "json", *more, code=code).document

    def retire(self, *more: str, code: int | None = 0) -> dict[str, Any]:
        return self.run("retire", "--yes", "--output", "json", *more, code=code).document

    def confirm(self, key_id: str, *more: str, code: int | None = 0) -> dict[str, Any]:
        return self.run("handover", "confirm", key_id, "--output", "json", *more, code=code).document

    def pass_days(self, days: float) -> None:
        self.place.clock.advance(days * DAY)

    @property
    def tenant_id(self) -> str:
        return self.place.info.tenant_id

    @property
    def journal(self) -> State:
        return Journal(self.place.home).state(self.tenant_id, KEY)

    @property
    def stored(self) -> Path:
        return self.place.home / "secrets" / self.tenant_id / f"{KEY}.json"

    def secret_of(self, key_id: str) -> str:
        """The value of a credential, from the default store's files."""
        for path in self.stored.parent.glob(f"{self.stored.name}*"):
            kept = json.loads(path.read_text())
            if kept["keyId"] == key_id:
                return str(kept["clientSecret"])
        raise AssertionError(f"no file has {key_id}")

    def application(self) -> dict[str, Any]:
        """The application as the tenant holds it, whatever a replica shows."""
        with self.place.sandbox.state.transaction(write=False) as tx:
            (record,) = tx.find(self.tenant_id, "application", uniqueName=f"mimapp-{KEY}")
        return dict(record.body)

    def key_ids(self) -> list[str]:
        """The key ids of every client secret of the application, the newest first."""
        return [str(one["keyId"]) for one in self.application()["passwordCredentials"]]

    def works(self, secret: str) -> bool:
        """Whether the application gets a token with a secret."""
        http = Http(Patience(self.place.clock), transport=self.place.wire)
        app_id = self.application()["appId"]
        answer = AppSignIn(http, self.place.cloud).token(
            self.tenant_id, app_id, Secret(secret), self.place.cloud.exchange_scope
        )
        return isinstance(answer, AppToken)

    def add_foreign(self, label: str = "made in the portal") -> str:
        """A secret that somebody made in the portal; its key id."""
        key_id = str(uuid.uuid4())
        credential = {
            "customKeyIdentifier": None,
            "displayName": label,
            "endDateTime": "2028-01-01T00:00:00Z",
            "hint": "san",
            "keyId": key_id,
            "secretText": None,
            "startDateTime": "2026-01-01T00:00:00Z",
        }
        self._change_credentials(lambda held: [*held, credential])
        return key_id

    def remove(self, label: str) -> None:
        """Take a secret away, as another machine does."""
        self._change_credentials(lambda held: [one for one in held if one["displayName"] != label])

    def hide(self, key_id: str) -> dict[str, Any]:
        """Take a secret out of the directory until it is put back, as a replica that does not know it yet."""
        (found,) = (one for one in self.application()["passwordCredentials"] if one["keyId"] == key_id)
        self._change_credentials(lambda held: [one for one in held if one["keyId"] != key_id])
        return dict(found)

    def put_back(self, credential: dict[str, Any]) -> None:
        self._change_credentials(lambda held: [credential, *held])

    def set_start(self, key_id: str, moment: datetime) -> None:
        """Let a secret begin at another moment, as if a machine with another clock had issued it."""
        self._change_credentials(
            lambda held: [one | {"startDateTime": iso(moment)} if one["keyId"] == key_id else one for one in held]
        )

    def _change_credentials(self, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
        with self.place.sandbox.state.transaction() as tx:
            (record,) = tx.find(self.tenant_id, "application", uniqueName=f"mimapp-{KEY}")
            body = record.body | {"passwordCredentials": change(record.body["passwordCredentials"])}
            tx.put(self.tenant_id, "application", record.id, body, settled=True)

    def hook(self, name: str, script: str) -> str:
        """An executable Python script, as an option takes it."""
        path = self.place.home / name
        path.write_text(f"#!{sys.executable}\n{script}\n")
        path.chmod(0o755)
        return str(path)
