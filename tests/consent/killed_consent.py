"""Run a consent in the browser and die by SIGKILL before or after its Nth write, or at the page: ``HOME WHEN N``.

Started by tests as a process of its own. The person at the page answers at once; ``page`` dies while it is open.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from consent.consent_world import CONSENT, DESKTOP, Person
from support.tenants import Place, is_write

if TYPE_CHECKING:
    import httpx


def main() -> int:
    home, when, number = sys.argv[1:]
    place = Place(Path(home))
    person = Person(place)
    seen = 0

    def count(request: httpx.Request) -> None:
        nonlocal seen
        seen += is_write(request)
        if is_write(request) and seen == int(number):
            os.kill(os.getpid(), signal.SIGKILL)

    def browser(url: str) -> bool:
        if when == "page":
            os.kill(os.getpid(), signal.SIGKILL)
        return person(url)

    if when == "before":
        place.wire.before = count
    elif when == "after":
        place.wire.after = lambda request, _: count(request)
    done = place.remote(*CONSENT, "--browser", environ=DESKTOP, open_browser=browser)
    sys.stdout.write(f"{seen}\n")
    sys.stderr.write(done.err)
    return done.code


if __name__ == "__main__":
    sys.exit(main())
