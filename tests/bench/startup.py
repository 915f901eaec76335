"""How long mimapp takes to start, beside bare Python: ``cd tests && python -m bench.startup``.

The targets hold on a machine where bare Python takes 12 ms; they are scaled by what it takes here. Nothing fails: this
prints, and people judge.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

BARE_MS = 12
_FIRST_REQUEST = """
import io, os, sys
from pathlib import Path
import httpx
from mimapp.cli.entry import main
from mimapp.cli.world import World
from mimapp.clock import SystemClock

class Ends(httpx.BaseTransport):
    def handle_request(self, request):
        os._exit(0)

world = World(stdin=io.StringIO(), stdout=io.StringIO(), stderr=io.StringIO(), clock=SystemClock(), transport=Ends(),
              environ={}, home=Path(sys.argv[1]))
code = main(["register", "--mailbox", "mim@contoso.com", "--dry-run", "--auth", "device-code"], world=world)
sys.exit(f"no request was sent: exit code {code}: {world.stderr.getvalue()}")
"""
#: What is measured, the arguments for Python, and the target in milliseconds.
CASES: dict[str, tuple[tuple[str, ...], int]] = {
    "bare Python": (("-c", "pass"), BARE_MS),
    "mimapp --version": (("-m", "mimapp", "--version"), 40),
    "mimapp --help": (("-m", "mimapp", "--help"), 160),
    "mimapp register --help": (("-m", "mimapp", "register", "--help"), 280),
    "until register's first request": (("-c", _FIRST_REQUEST), 350),
}


def once(arguments: tuple[str, ...], home: str) -> float:
    """Seconds of one run."""
    begun = time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments, *([home] if arguments[1] == _FIRST_REQUEST else [])],
        env={**os.environ, "MIMAPP_HOME": home},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - begun


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15, help="of each case; the median counts")
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as home:
        for arguments, _ in CASES.values():
            once(arguments, home)  # fills the caches of byte code and disk
        # In turns, so that a busy moment of the machine hits all alike.
        rounds = [{name: once(arguments, home) for name, (arguments, _) in CASES.items()} for _ in range(runs)]
    medians = {name: statistics.median(times[name] for times in rounds) * 1000 for name in CASES}
    scale = medians["bare Python"] / BARE_MS
    print(f"{'':32} {'median':>8} {'fastest':>8} {'target':>8} {'scaled':>8}")
    for name, (_, target) in CASES.items():
        fastest = min(times[name] for times in rounds) * 1000
        verdict = "" if medians[name] <= target * scale else "  over"
        print(f"{name:32} {medians[name]:5.0f} ms {fastest:5.0f} ms {target:5} ms {target * scale:5.0f} ms{verdict}")


if __name__ == "__main__":
    main()
