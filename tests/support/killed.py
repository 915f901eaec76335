"""Run mimapp and die by SIGKILL before or after its Nth write: ``python killed.py HOME before|after N ARGV…``.

Started by tests as a process of its own, since what dies so runs no ``finally``. Prints ``N`` writes when it survives.
``HOURS_LATER`` moves its clock, which starts anew in every process.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from support.tenants import Place, is_write

if TYPE_CHECKING:
    import httpx


def main() -> int:
    home, when, number, *argv = sys.argv[1:]
    place = Place(Path(home))
    place.clock.advance(timedelta(hours=float(os.environ.get("HOURS_LATER", "0"))))
    seen = 0

    def count(request: httpx.Request) -> bool:
        nonlocal seen
        if not is_write(request):
            return False
        seen += 1
        return seen == int(number)

    def before(request: httpx.Request) -> None:
        if when == "before" and count(request):
            os.kill(os.getpid(), signal.SIGKILL)

    def after(request: httpx.Request, _: httpx.Response) -> None:
        if when == "after" and count(request):
            os.kill(os.getpid(), signal.SIGKILL)

    place.wire.before, place.wire.after = before, after
    done = place.remote(*argv)
    sys.stdout.write(f"{seen}\n")
    sys.stderr.write(done.err)
    return done.code


if __name__ == "__main__":
    sys.exit(main())
