"""1,000 random lists and other writers: no id that was there at the last read before a write is ever dropped."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from mimapp.errors import BusyError, ReplyLostError
from mimapp.exchange import Exchange, anchor_for_user
from mimapp.provisioning.allow_list import entries, replace_list
from mimapp.transport import Patience, Reply
from support.clock import FakeClock

if TYPE_CHECKING:
    from mimapp.transport import Request

OURS = "aaaaaaaa-0000-4000-8000-000000000001"


@dataclass
class Organization:
    """Exchange with one setting, other administrators, and weather; it remembers what was read before each write."""

    draw: random.Random
    ids: list[str]
    writers: float
    read: set[str] = field(default_factory=set)
    sent: list[list[str]] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    known: set[str] = field(default_factory=set)

    def send(self, request: Request) -> Reply:
        call = json.loads(request.content)["CmdletInput"]
        if call["CmdletName"] == "Get-OrganizationConfig":
            self.read = {one.lower() for one in self.ids}
            body = {"value": [{"EwsEnabled": True, "EwsAllowedAppIDs": self.text()}]}
            self.somebody_else()
            return Reply(status=200, content=json.dumps(body).encode())
        wanted = call["Parameters"]["EwsAllowedAppIDs"].split(",")
        self.sent.append(wanted)
        self.dropped += sorted(self.read - {one.lower() for one in wanted})
        weather = self.draw.random()
        if weather < 0.1:
            raise BusyError("throttled", service="exchange", status=429, retry_after=1.0)
        self.ids = wanted
        self.somebody_else()
        if weather < 0.2:
            raise ReplyLostError("the connection broke")
        return Reply(status=200, content=b'{"value":[]}')

    def somebody_else(self) -> None:
        """Another administrator adds an entry, takes one away, or writes an old list over everything."""
        if self.draw.random() >= self.writers:
            return
        kind = self.draw.randrange(3)
        if kind == 0:
            self.ids = [*self.ids, an_id(self.draw)]
        elif kind == 1 and len(self.ids) > 1:
            self.ids = self.draw.sample(self.ids, len(self.ids) - 1)
        else:
            self.ids = [one for one in self.ids if one.lower() != OURS] or self.ids

    def text(self) -> str:
        """The list as Exchange might give it: with blanks, in braces, in any letter case."""
        shown = [f"{{{one}}}" if self.draw.random() < 0.1 else one for one in self.ids]
        return ", ".join(shown) if self.draw.random() < 0.3 else ",".join(shown)


def an_id(draw: random.Random) -> str:
    text = "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}".format(
        *(draw.getrandbits(bits) for bits in (32, 16, 12, 12, 48)),
    )
    return text.upper() if draw.random() < 0.3 else text


@pytest.mark.parametrize("block", range(10))
def test_no_id_that_was_just_read_is_ever_dropped(block: int) -> None:
    for seed in range(block * 100, block * 100 + 100):
        draw = random.Random(seed)
        ids = [an_id(draw) for _ in range(draw.choice([1, 1, 2, 5, 20, 100]))]
        organization = Organization(draw=draw, ids=ids, writers=draw.choice([0.0, 0.2, 0.6]))
        clock = FakeClock()
        anchor = anchor_for_user("admin@contoso.onmicrosoft.com")
        exchange = Exchange(organization, "https://outlook.office365.com", OURS, anchor=anchor, clock=clock)
        listed = entries(exchange.organization.read())
        patience = Patience(clock, jitter=draw)
        made = replace_list(exchange.organization, patience, (*listed, OURS))

        assert organization.dropped == [], seed
        first = organization.sent[0]
        assert first[:-1] == list(listed), f"{seed}: order or letter case changed"
        assert first[-1] == OURS
        # What is missing at the read-back is told, and nothing else.
        after = {one.lower() for one in entries(made.settings)}
        assert set(made.missing) == {one for one in made.written if one.lower() not in after}, seed
        if organization.writers == 0.0:
            assert after == {one.lower() for one in (*ids, OURS)}, seed
