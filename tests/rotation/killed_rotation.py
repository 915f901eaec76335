"""Run a command and die by SIGKILL at its Nth write, of whatever kind: ``killed_rotation.py HOME SECONDS N ARGV…``.

A write is a request that changes the tenant (death comes before it, and once more after it), a file that takes
another's place and a file that is removed (death comes before; after one is before the next). The clock stands SECONDS
after the tests' usual beginning. Prints the writes when it survives. Started by tests as a process of its own.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from support.clock import START, FakeClock
from support.tenants import Place, is_write, name_of

if TYPE_CHECKING:
    import httpx


def main() -> int:
    home, seconds, number, *argv = sys.argv[1:]
    place = Place(Path(home), clock=FakeClock(START + timedelta(seconds=float(seconds))))
    seen: list[str] = []

    def write(what: str) -> None:
        seen.append(what)
        if len(seen) == int(number):
            os.kill(os.getpid(), signal.SIGKILL)

    def audit(event: str, args: tuple[object, ...]) -> None:
        if event in {"os.rename", "os.remove"}:
            path = str(args[1] if event == "os.rename" else args[0])
            name = Path(path).name
            if path.startswith((f"{home}/journal", f"{home}/secrets")) and name.startswith("mimservice"):
                write(f"{event} {name[:24]}")

    def before(request: httpx.Request) -> None:
        if is_write(request):
            write(f"before {name_of(request)[-14:]}")

    def after(request: httpx.Request, _: httpx.Response) -> None:
        if is_write(request):
            write(f"after {name_of(request)[-14:]}")

    place.wire.before, place.wire.after = before, after
    sys.addaudithook(audit)
    done = place.remote(*argv)
    count = len(seen)
    sys.stdout.write(f"{count}\n" + "\n".join(seen))
    sys.stderr.write(done.err)
    return done.code


if __name__ == "__main__":
    sys.exit(main())
