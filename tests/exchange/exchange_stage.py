"""The stage of this room's tests: a client over a cassette, or over scripted replies, on a clock that stands still."""

from __future__ import annotations

import random
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mimapp.exchange import CmdletWarning, EwsProbe, Exchange, anchor_for_user
from mimapp.transport import Http, Patience, Reply, Request
from support.clock import FakeClock
from support.player import playing

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = "https://outlook.office365.com"
TENANT = "11111111-1111-1111-1111-111111111111"
APP = "22222222-2222-2222-2222-222222222222"
GROUP_ID = "33333333-3333-3333-3333-333333333333"
MAILBOX_ID = "44444444-4444-4444-4444-444444444444"
PRINCIPAL = "55555555-5555-5555-5555-555555555555"
OTHER_APP = "77777777-7777-7777-7777-777777777777"
SID = "S-1-5-21-1111111111-2222222222-3333333333-1001"
MAILBOX = "MIMService@contoso.onmicrosoft.com"
GROUP = "mim-scope@contoso.com"
OWNER = "admin@contoso.onmicrosoft.com"
MARK = "mimapp:mimservice"
POLICY = f"{TENANT}\\{APP}:{SID};{GROUP_ID}"


@dataclass(kw_only=True)
class Stage:
    """A client, its clock, and the warnings that it was given."""

    exchange: Exchange
    probe: EwsProbe
    clock: FakeClock
    warnings: list[CmdletWarning] = field(default_factory=list)


@contextmanager
def staged(name: str) -> Iterator[Stage]:
    """A client over ``cassettes/<name>.yaml``; what the cassette has left at the end is an error."""
    clock = FakeClock()
    with playing(name) as player:
        patience = Patience(clock, jitter=random.Random(0))
        with Http(patience, transport=player.transport) as http:
            warnings: list[CmdletWarning] = []
            exchange = Exchange(
                http, HOST, TENANT, anchor=anchor_for_user(OWNER), clock=clock, on_warning=warnings.append
            )
            yield Stage(exchange=exchange, probe=EwsProbe(http, HOST), clock=clock, warnings=warnings)


class Script:
    """A sender that gives prepared replies in order and keeps what it was sent."""

    def __init__(self, *replies: Reply) -> None:
        self.sent: list[Request] = []
        self._replies = list(replies)

    def send(self, request: Request) -> Reply:
        self.sent.append(request)
        return self._replies.pop(0)


def scripted(*replies: Reply) -> tuple[Exchange, Script]:
    """A client over prepared replies."""
    script = Script(*replies)
    return Exchange(script, HOST, TENANT, anchor=anchor_for_user(OWNER), clock=FakeClock()), script
